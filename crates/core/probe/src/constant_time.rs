//! The cases that valgrind watches: the key is marked as secret, and so is everything that depends
//! on it until a comparison returns. Whether the bytes are a valid key is public, so that is
//! checked before they are marked.

use core::hint::black_box;

use cortexkey_core::auth::{Nonce, Request, Signer, StoredKey, Timestamp, Verdict, Verifier};
use cortexkey_core::ctgrind::{MARK_PUBLIC, MarkPublic};
use cortexkey_core::replay::NoReplayGuard;

use crate::{ProbeHeaders, ProbeKey};

/// Marks bytes as secret.
type MarkSecret = extern "C" fn(*const u8, usize);

/// Sets the call that tells valgrind that bytes are public from now on.
#[unsafe(no_mangle)]
pub extern "C" fn probe_set_public(mark: MarkPublic) {
    let _ = MARK_PUBLIC.set(mark);
}

/// Signs with a secret key. Nothing reads the headers, which become public when they are sent.
#[unsafe(no_mangle)]
pub extern "C" fn probe_secret_sign(key: &ProbeKey, now_ms: u64, secret: MarkSecret) -> i32 {
    let (Some((id, bytes)), Ok(now)) = (key.parts(), Timestamp::from_ms(now_ms)) else { return -1 };
    let Ok(nonce) = Nonce::new(&[b'n'; 64]) else { return -1 };
    secret(key.bytes.as_ptr(), key.len);
    black_box(&Signer::new(id, key.level(), bytes).sign_with(nonce, now));
    0
}

/// How a key is stored.
const EDITABLE: u32 = 1;
const ABSENT: u32 = 2;

/// Verifies against a secret key that is stored with a fixed level, with an editable one, or not at all.
/// A presented key is secret too; a digest is known to its sender.
#[unsafe(no_mangle)]
pub extern "C" fn probe_secret_verify(
    key: &ProbeKey,
    stored_as: u32,
    now_ms: u64,
    headers: &ProbeHeaders,
    secret: MarkSecret,
) -> i32 {
    let (Some((id, bytes)), Ok(request)) = (key.parts(), headers.request()) else { return -1 };
    secret(key.bytes.as_ptr(), key.len);
    if headers.lens[2] == 0 {
        secret(headers.values[1].as_ptr(), headers.lens[1]);
    }
    let stored = match stored_as {
        ABSENT => None,
        EDITABLE => Some(StoredKey::editable(id, key.level(), bytes)),
        _ => Some(StoredKey::new(id, key.level(), bytes)),
    };
    let verdict = verdict(&request, stored.as_ref(), now_ms);
    black_box(stored);
    verdict
}

fn verdict(request: &Request<'_>, stored: Option<&StoredKey>, now_ms: u64) -> i32 {
    let answer = Verifier::new().verify(request, stored, now_ms, &NoReplayGuard);
    answer.err().unwrap_or(Verdict::Accept).number()
}

/// A planted mistake: a comparison that stops at the first difference.
#[unsafe(no_mangle)]
pub extern "C" fn probe_early_exit(key: &ProbeKey, other: &ProbeKey, secret: MarkSecret) -> i32 {
    secret(key.bytes.as_ptr(), key.len);
    for (a, b) in key.bytes.iter().zip(&other.bytes).take(key.len) {
        if black_box(*a) != *b {
            return 1;
        }
    }
    0
}

/// A planted mistake: a table lookup with a byte of the secret.
#[unsafe(no_mangle)]
pub extern "C" fn probe_table(key: &ProbeKey, table: &ProbeKey, secret: MarkSecret) -> i32 {
    secret(key.bytes.as_ptr(), key.len);
    i32::from(table.bytes[usize::from(key.bytes[0])])
}
