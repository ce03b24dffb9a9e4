//! The cases that valgrind watches: the key is marked as a secret, and everything that depends on
//! it stays one until a comparison has answered.
//!
//! It refuses to mark before the bytes were found to be a key: whether they are one is no secret.

use core::hint::black_box;

use cortexkey_core::auth::{Nonce, Request, Signer, StoredKey, Timestamp, Verdict, Verifier};
use cortexkey_core::ctgrind::{MARK_PUBLIC, MarkPublic};
use cortexkey_core::replay::Unguarded;

use crate::{ProbeHeaders, ProbeKey};

/// Marks so many bytes from an address on as a secret.
type MarkSecret = extern "C" fn(*const u8, usize);

/// How valgrind is told that a secret is public from now on.
#[unsafe(no_mangle)]
pub extern "C" fn probe_set_public(mark: MarkPublic) {
    let _ = MARK_PUBLIC.set(mark);
}

/// Signs with a key that is a secret. The headers are made, not read: they are public once sent.
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

/// Verifies against a key that is a secret, stored with a fixed level, an editable one, or not at
/// all. A key that was presented is a secret, too; a digest is not, whoever sent it knows it.
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
    let answer = Verifier::new().verify(request, stored, now_ms, &Unguarded);
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

/// A planted mistake: a table that is asked for a byte of the secret.
#[unsafe(no_mangle)]
pub extern "C" fn probe_table(key: &ProbeKey, table: &ProbeKey, secret: MarkSecret) -> i32 {
    secret(key.bytes.as_ptr(), key.len);
    i32::from(table.bytes[usize::from(key.bytes[0])])
}
