//! Any bytes as compiled definitions, with a valid digest as in a forged file: no panic, and valid
//! bytes have one form.  The digest is valid because it would otherwise catch the damage before the
//! parser runs.

#![no_main]

use cortexkey_core::access::compare;
use cortexkey_core::access::compiled::{CompiledDefinitions, CompiledRecord, Compiler, Lookup};
use libfuzzer_sys::fuzz_target;
use sha2::{Digest as _, Sha256};

/// Magic and version, as in the form's documentation.
const HEAD_BYTES: usize = 12;

fuzz_target!(|body: &[u8]| {
    let _ = CompiledDefinitions::read(body);
    let Ok(len) = u32::try_from(body.len()) else { return };
    let head = Compiler::new().finish();
    let sealed = [&head[..HEAD_BYTES], &len.to_le_bytes(), &Sha256::digest(body), body].concat();
    let Ok(read) = CompiledDefinitions::read(&sealed) else { return };
    for at in 0..read.len() {
        holds(&read, at);
    }
    let records: Vec<CompiledRecord<'_>> = read.records().collect();
    let keys: Vec<_> = records.iter().map(|record| record.key().definition).collect();
    assert!(compare(&keys, &keys).is_empty());
});

fn holds(read: &CompiledDefinitions, at: usize) {
    let entry = read.entry(at).expect("an entry below the count");
    assert_ne!(read.find(entry.name), Lookup::NotFound);
    let record = read.record(at).expect("a key below the count");
    let mut compiler = Compiler::new();
    compiler.add(&record.key()).expect("a key that was read");
    let again = CompiledDefinitions::read(&compiler.finish()).expect("what was compiled");
    let again = again.record(0).expect("the one key");
    assert_eq!(format!("{:?}", again.key()), format!("{:?}", record.key()));
}
