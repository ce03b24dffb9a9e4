//! Runs `fix` of the linter's bodies.

#![no_main]

#[path = "../bodies/linter.rs"]
#[allow(dead_code, reason = "each target is one of the bodies")]
mod bodies;

libfuzzer_sys::fuzz_target!(|data: &[u8]| bodies::fixing(data));
