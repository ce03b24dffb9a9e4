#!/bin/sh
# The command as a program for Windows, under wine: quickstart, the linter on both kinds of line endings, key files by
# their access control lists; and the tests of files and rights.
#
#   windows.sh FOLDER      where it builds
set -eu
root=$(cd "$(dirname "$0")/../../.." && pwd)
target=x86_64-pc-windows-gnu
unset RUSTFLAGS
mkdir -p "$1"
work=$(cd "$1" && pwd)
cd "$root"
export CARGO_TARGET_DIR="${CORTEXKEY_WINDOWS_TARGET:-$work/target}"
"${CARGO:-cargo}" build --quiet --locked --target $target -p cortexkey
bin="$work/program"
rm -rf "$bin" && mkdir "$bin"
cp "$CARGO_TARGET_DIR/$target/debug/cortexkey.exe" "$bin/"
. "$root/crates/capi/tests/wine.sh"
wine_in "$bin" "$work/wine"
cortexkey="wine $bin/cortexkey.exe"

$cortexkey --version
(cd "$work" && $cortexkey quickstart >quickstart.txt)
grep -q replayed "$work/quickstart.txt"

# A checkout with CRLF has the findings of one with LF, in the same lines.
for ends in lf crlf; do
    rm -rf "$work/$ends" && cp -r policies/example "$work/$ends"
done
find "$work/crlf" -type f -exec sed -i 's/$/\r/' {} +
for ends in lf crlf; do
    (cd "$work/$ends" && $cortexkey lint --format json >"../$ends.json") || true
    test -s "$work/$ends.json"
done
cmp "$work/lf.json" "$work/crlf.json"

# wine shows a file's mode as its list: what everybody may read is refused, and by its owner alone it is taken.
printf '%0128d' 0 >"$work/key"
sign() { $cortexkey sign --key-id 7 --level advanced --key-file "$work/key" "$@"; }
chmod 644 "$work/key"
if sign >"$work/sign.txt" 2>&1; then echo 'a key that everybody can read was taken'; exit 1; fi
grep -q 'can be read or changed by' "$work/sign.txt"
sign --allow-readable-key-file >"$work/sign.txt"
chmod 600 "$work/key"
sign >"$work/sign.txt"
grep -q x-xdr-nonce "$work/sign.txt"

export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER="sh $root/crates/cli/tests/wine-run.sh $bin"
"${CARGO:-cargo}" test --quiet --locked --target $target -p cortexkey-system
echo "the program works under $(wine --version)"
