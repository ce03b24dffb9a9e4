//! `reader` of the linter's bodies, which say what holds.

#![no_main]

#[path = "../bodies/linter.rs"]
#[allow(dead_code, reason = "each target is one of the bodies")]
mod bodies;

libfuzzer_sys::fuzz_target!(|data: &[u8]| bodies::reader(data));
