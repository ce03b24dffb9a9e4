#!/bin/sh
# The C test of threads under ThreadSanitizer, which watches the library and the standard library too,
# since both are built for it; and once with a race planted, which it must see. Needs Rust's nightly.
#
#   threads.sh FOLDER      where it builds
set -eu
root=$(cd "$(dirname "$0")/../../.." && pwd)
target=x86_64-unknown-linux-gnu
unset CARGO RUSTC RUSTUP_TOOLCHAIN
rustup component add rust-src --toolchain nightly
cd "$root"
RUSTFLAGS=-Zsanitizer=thread CARGO_TARGET_DIR="$1" rustup run nightly cargo rustc --quiet --locked \
    -Zbuild-std --target $target -p cortexkey-capi --lib --crate-type staticlib
runtime=$(rustup run nightly rustc --print target-libdir)/librustc-nightly_rt.tsan.a
build() {
    folder=$1 && shift
    gcc -fsanitize=thread -g -O1 -std=c99 -D_GNU_SOURCE -Icrates/capi/tests/c -Iinclude "$@" \
        -c crates/capi/tests/c/threads.c -o "$folder/threads.o"
    gcc -no-pie -o "$folder/threads" "$folder/threads.o" "$folder/$target/debug/libcortexkey.a" \
        -Wl,--whole-archive "$runtime" -Wl,--no-whole-archive -lgcc_eh -lpthread -ldl -lm -lrt
}
# Without addresses at random: the runtime does not know where newer systems put things.
run() { setarch -R "$1/threads" vectors/definitions; }
build "$1"
run "$1"
build "$1" -DPLANTED_RACE
if said=$(run "$1" 2>&1); then
    echo "ThreadSanitizer does not see a race: $said" >&2
    exit 1
fi
case $said in
*"data race"*) echo "and it sees a race that is planted" ;;
*) echo "it fails, but not for the race: $said" >&2 && exit 1 ;;
esac
