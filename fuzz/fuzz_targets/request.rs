//! Any headers: no panic, and only requests that the key signed are accepted.

#![no_main]

use cortexkey_core::auth::{Key, KeyId, Level, NonceLengths, Request, StoredKey, Verifier};
use cortexkey_core::replay::NoReplayGuard;
use libfuzzer_sys::fuzz_target;

const NAMES: [&str; 4] = ["x-xdr-auth-id", "authorization", "x-xdr-nonce", "x-xdr-timestamp"];

fuzz_target!(|data: &[u8]| {
    let headers = NAMES.into_iter().zip(data.split(|byte| *byte == b'\n'));
    let Ok(request) = Request::parse(headers, NonceLengths::LENIENT) else { return };
    let (Some(id), Ok(key)) = (KeyId::new(7), Key::new(&[b'k'; 128])) else { return };
    let stored = StoredKey::new(id, Level::Advanced, key);
    let verdict =
        Verifier::new().verify(&request, Some(&stored), 1_790_611_732_512, &NoReplayGuard);
    assert!(verdict.is_err(), "a request was accepted that no key signed");
});
