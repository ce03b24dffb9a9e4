#!/bin/sh
# The compiler, for `cargo xtask fuzz`: code of ours reports to libFuzzer what an input reaches.
# Programs that only help to build stay as they are, since nobody would hear them.
rustc=$1
shift
case " $* " in
*" --crate-name build_script_"* | *" --crate-type proc-macro "*) exec "$rustc" "$@" ;;
esac
exec "$rustc" "$@" -Ccodegen-units=1 -Copt-level=1 -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares
