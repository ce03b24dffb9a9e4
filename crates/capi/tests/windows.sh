#!/bin/sh
# The C library as a DLL for Windows, built with mingw-w64 and run under wine: it exports what the
# header declares and no other name, and passes the C tests.
#
#   windows.sh FOLDER      where it builds
set -eu
root=$(cd "$(dirname "$0")/../../.." && pwd)
target=x86_64-pc-windows-gnu
cc=x86_64-w64-mingw32-gcc
unset RUSTFLAGS
mkdir -p "$1"
work=$(cd "$1" && pwd)
cd "$root"
CARGO_TARGET_DIR="$work/target" "${CARGO:-cargo}" build --quiet --locked --release --target $target \
    -p cortexkey-capi --lib
library="$work/target/$target/release"
bin="$work/bin"
rm -rf "$bin"
mkdir "$bin"
cp "$library/cortexkey.dll" "$bin/"

# The first column of a line of the export table is a number; the last is the name.
x86_64-w64-mingw32-objdump -p "$bin/cortexkey.dll" |
    sed -n '/^\[Ordinal\/Name Pointer\] Table/,/^$/s/^.*\[ *[0-9]*\].* //p' | sort >"$work/exported"
tr '\n' ' ' <include/cortexkey.h | grep -o 'CXK_API [^(]*\bcxk_[a-z0-9_]*(' |
    sed 's/^.*[ *]\(cxk_[a-z0-9_]*\)($/\1/' | sort >"$work/declared"
diff "$work/declared" "$work/exported"

. "$root/crates/capi/tests/wine.sh"
wine_in "$bin" "$work/wine"

for test in vectors behaviour threads; do
    $cc -std=c99 -O2 -Wall -Wextra -Wpedantic -Werror -DCXK_DLL -Iinclude -o "$bin/$test.exe" \
        "crates/capi/tests/c/$test.c" "$library/libcortexkey.dll.a" -static -lpthread
done

wine "$bin/vectors.exe" <vectors/auth.tsv
wine "$bin/behaviour.exe" vectors/definitions
wine "$bin/threads.exe" vectors/definitions
echo "$(wc -l <"$work/exported") functions exported; the tests pass under $(wine --version)"
