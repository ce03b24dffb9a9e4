//! Any bytes as compiled definitions, sealed as somebody who forges a file would: no panic, and
//! what is read has one form.
//!
//! It refuses to look for collisions: without the seal, damage is seen by the digest.

#![no_main]

use cortexkey_core::access::compiled::{CompiledKey, Compiler, Definitions, Found};
use libfuzzer_sys::fuzz_target;
use sha2::{Digest as _, Sha256};

/// Magic and version, as in the form's documentation.
const HEAD_BYTES: usize = 12;

fuzz_target!(|body: &[u8]| {
    let _ = Definitions::read(body);
    let Ok(len) = u32::try_from(body.len()) else { return };
    let head = Compiler::new().finish();
    let sealed = [&head[..HEAD_BYTES], &len.to_le_bytes(), &Sha256::digest(body), body].concat();
    let Ok(read) = Definitions::read(&sealed) else { return };
    for at in 0..read.len() {
        holds(&read, at);
    }
    Definitions::compare(&read, &read, |gains| assert!(gains.is_empty()));
});

fn holds(read: &Definitions, at: usize) {
    let entry = read.entry(at).expect("an entry below the count");
    assert_ne!(read.find(entry.name), Found::Nowhere);
    let again = read.lend(at, |key| {
        let mut compiler = Compiler::new();
        compiler.add(key).map(|()| compiler.finish())
    });
    let again = again.expect("a key below the count").expect("a key that was read");
    let again = Definitions::read(&again).expect("what was compiled");
    let shown = |key: &CompiledKey<'_>| format!("{key:?}");
    assert_eq!(again.lend(0, shown), read.lend(at, shown));
}
