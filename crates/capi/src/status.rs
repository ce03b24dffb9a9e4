//! The status that every call returns, its name and its message.
//!
//! Numbers are never reused. Verdicts and their constants in the header come from the core's
//! table.

use core::ffi::{CStr, c_char};

use cortexkey_core::auth::Verdict;

/// The result of a call: `CXK_OK`, or a number below zero.
///
/// -1 to -99: a usage error, or a failure of the environment. -101 to -199: a verifier refused a
/// request (`CXK_VERDICT_...`). -201 to -299: a decision that is not "allowed"
/// (`CXK_DECISION_...`). -900: an internal error. A number never changes its meaning.
#[allow(non_camel_case_types, reason = "C's name")]
pub type cxk_status = i32;

/// Success.
pub const CXK_OK: cxk_status = 0;
/// A pointer that must not be NULL is NULL.
pub const CXK_NULL_ARG: cxk_status = -1;
/// An argument is invalid, such as a pointer that is not aligned.
pub const CXK_BAD_ARG: cxk_status = -2;
/// The pointer is not a live handle of the expected type.
pub const CXK_WRONG_HANDLE: cxk_status = -3;
/// The key is not 1 to 256 bytes of visible ASCII.
pub const CXK_INVALID_KEY: cxk_status = -4;
/// The key id is 0.
pub const CXK_INVALID_KEY_ID: cxk_status = -5;
/// The security level is neither `CXK_LEVEL_STANDARD` nor `CXK_LEVEL_ADVANCED`.
pub const CXK_INVALID_LEVEL: cxk_status = -6;
/// The nonce is not 64 ASCII letters and digits.
pub const CXK_INVALID_NONCE: cxk_status = -7;
/// The time is not Unix time in milliseconds with 13 digits.
pub const CXK_INVALID_TIMESTAMP: cxk_status = -8;
/// The operating system returned no random bytes.
pub const CXK_RNG_FAILED: cxk_status = -9;
/// The system time is not 13 digits of milliseconds: the clock is before 2001 or after 2286.
pub const CXK_CLOCK_FAILED: cxk_status = -10;
/// Out of memory.
pub const CXK_NO_MEMORY: cxk_status = -11;
/// Header and library have different ABIs.
pub const CXK_ABI_MISMATCH: cxk_status = -12;
/// A buffer is too small for the result.
pub const CXK_BUFFER_TOO_SMALL: cxk_status = -13;
/// A count or a length is above its limit.
pub const CXK_TOO_LARGE: cxk_status = -14;
/// A structure's `struct_size` was not set, or a field is set that this library does not know.
pub const CXK_INVALID_STRUCT: cxk_status = -15;
/// An option is out of its range.
pub const CXK_INVALID_OPTION: cxk_status = -16;
/// A string is not UTF-8, or is too long.
pub const CXK_INVALID_TEXT: cxk_status = -17;
/// No such key or definition exists.
pub const CXK_NOT_FOUND: cxk_status = -18;
/// Several definitions have this name; give `tenant/name`.
pub const CXK_AMBIGUOUS_NAME: cxk_status = -19;
/// The bytes are not compiled definitions, or are damaged.
pub const CXK_INVALID_DEFINITIONS: cxk_status = -20;
/// The definitions were compiled by another release, in a format that this library does not read.
pub const CXK_UNSUPPORTED_FORMAT: cxk_status = -21;
/// The signer has a Standard key, which is sent unchanged and cannot sign a batch.
pub const CXK_NOT_ADVANCED: cxk_status = -22;
/// At least one request of a batch was refused; see the statuses.
pub const CXK_SOME_REFUSED: cxk_status = -23;
/// The key is not allowed to do this.
pub const CXK_DECISION_REFUSED: cxk_status = -201;
/// The answer depends on a fact that the definitions do not list. Treat it as a refusal.
pub const CXK_DECISION_UNKNOWN: cxk_status = -202;
/// An internal error was caught, and outputs are cleared. A change to a keyring may have taken
/// effect. The library remains usable.
pub const CXK_INTERNAL: cxk_status = -900;

/// Returns the stable code of a status, such as "invalid-nonce" or "timestamp-stale", for logs and
/// comparisons; "unknown-status" for an unknown number.
///
/// - Ownership: the string belongs to the library and stays valid for the whole run.
/// - Threads: any.
/// - Errors: none; never NULL.
///
/// ```c
/// fprintf(stderr, "refused: %s\n", cxk_status_name(CXK_VERDICT_TIMESTAMP_STALE));
/// ```
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn cxk_status_name(status: cxk_status) -> *const c_char {
    texts(status).0.as_ptr()
}

/// Returns a description of a status for people, without a full stop. The wording may change.
///
/// - Ownership: the string belongs to the library and stays valid for the whole run.
/// - Threads: any.
/// - Errors: none; never NULL.
///
/// ```c
/// fprintf(stderr, "cannot sign: %s\n", cxk_status_message(CXK_INVALID_KEY));
/// ```
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn cxk_status_message(status: cxk_status) -> *const c_char {
    texts(status).1.as_ptr()
}

/// The name and message of a status.
fn texts(status: cxk_status) -> (&'static CStr, &'static CStr) {
    let own = OWN.iter().find(|row| row.0 == status).map(|row| (row.1, row.2));
    let verdict = || VERDICTS.iter().find(|row| row.number == status).and_then(VerdictText::texts);
    own.or_else(verdict).unwrap_or((
        c"unknown-status",
        c"this library does not know the status; look it up in a newer header",
    ))
}

const OWN: &[(cxk_status, &CStr, &CStr)] = &[
    (CXK_OK, c"ok", c"done"),
    (
        CXK_NULL_ARG,
        c"null-arg",
        c"a pointer argument is NULL; only what the header marks CXK_NULLABLE may be",
    ),
    (
        CXK_BAD_ARG,
        c"bad-arg",
        c"an argument is invalid; pointers must be aligned for their type",
    ),
    (
        CXK_WRONG_HANDLE,
        c"wrong-handle",
        c"the pointer is not a live handle of the type that this function takes",
    ),
    (CXK_INVALID_KEY, c"invalid-key", c"the key is not 1 to 256 bytes of visible ASCII; remove surrounding spaces and line endings"),
    (CXK_INVALID_KEY_ID, c"invalid-key-id", c"the key id is 0; take the number in the ID column of the API Keys table"),
    (CXK_INVALID_LEVEL, c"invalid-level", c"the level is neither CXK_LEVEL_STANDARD nor CXK_LEVEL_ADVANCED; the API Keys table shows it as Security Level"),
    (CXK_INVALID_NONCE, c"invalid-nonce", c"the nonce is not 64 characters of A-Z, a-z and 0-9"),
    (CXK_INVALID_TIMESTAMP, c"invalid-timestamp", c"the time is not 13 digits; give Unix time in milliseconds, not in seconds"),
    (CXK_RNG_FAILED, c"rng-failed", c"the operating system returned no random bytes for a nonce"),
    (CXK_CLOCK_FAILED, c"clock-failed", c"the system clock is before 2001-09-09 or after 2286-11-20; set the clock"),
    (CXK_NO_MEMORY, c"no-memory", c"out of memory"),
    (CXK_ABI_MISMATCH, c"abi-mismatch", c"the program was built with the header of another ABI; rebuild it with this library's header"),
    (CXK_BUFFER_TOO_SMALL, c"buffer-too-small", c"a buffer is too small; the header states a sufficient size"),
    (CXK_TOO_LARGE, c"too-large", c"a count or a length is above the limit that the header states"),
    (CXK_INVALID_STRUCT, c"invalid-struct", c"a structure was not initialised with its _INIT macro, or sets a field that this library does not know"),
    (CXK_INVALID_OPTION, c"invalid-option", c"an option is out of its range; the header states the ranges"),
    (CXK_INVALID_TEXT, c"invalid-text", c"a string is not UTF-8, or longer than 4096 bytes"),
    (CXK_NOT_FOUND, c"not-found", c"no such key or definition exists"),
    (CXK_AMBIGUOUS_NAME, c"ambiguous-name", c"several definitions have this name; use tenant/name"),
    (CXK_INVALID_DEFINITIONS, c"invalid-definitions", c"the bytes are not compiled definitions, or are damaged; create them with `cortexkey compile`"),
    (CXK_UNSUPPORTED_FORMAT, c"unsupported-format", c"the definitions were compiled by another release, in a format that this library does not read; compile them with this library's release"),
    (CXK_NOT_ADVANCED, c"not-advanced", c"the key is Standard and is sent in the clear; only Advanced keys sign in batches"),
    (CXK_SOME_REFUSED, c"some-refused", c"at least one request of the batch was refused; see the statuses"),
    (CXK_DECISION_REFUSED, c"refused", c"the key may not"),
    (CXK_DECISION_UNKNOWN, c"unknown", c"the answer depends on a fact that the definitions do not \
                        list; treat it as a refusal"),
    (CXK_INTERNAL, c"internal", c"an internal error; the library remains usable; please report it"),
];

/// A verdict's texts with the NUL that C needs, laid out at compile time.
struct VerdictText {
    number: cxk_status,
    name: [u8; 32],
    message: [u8; 160],
}

impl VerdictText {
    const fn of(verdict: Verdict) -> Self {
        Self {
            number: verdict.number(),
            name: terminated(verdict.code()),
            message: terminated(verdict.message()),
        }
    }

    fn texts(&self) -> Option<(&CStr, &CStr)> {
        let name = CStr::from_bytes_until_nul(&self.name).ok()?;
        Some((name, CStr::from_bytes_until_nul(&self.message).ok()?))
    }
}

static VERDICTS: [VerdictText; Verdict::ALL.len()] = {
    let mut rows = [const { VerdictText::of(Verdict::Accept) }; Verdict::ALL.len()];
    let mut left = Verdict::ALL;
    let mut at = 0;
    while let [verdict, rest @ ..] = left {
        #[allow(clippy::indexing_slicing, reason = "as many rows as verdicts, or no build")]
        {
            rows[at] = VerdictText::of(*verdict);
        }
        left = rest;
        at += 1;
    }
    rows
};

/// The text followed by zeros; a string that does not fit does not compile.
const fn terminated<const N: usize>(text: &str) -> [u8; N] {
    assert!(text.len() < N, "a verdict's text is longer than its place in the C library");
    let mut bytes = [0; N];
    let (head, _) = bytes.split_at_mut(text.len());
    head.copy_from_slice(text.as_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_verdict_has_its_own_words() {
        for verdict in Verdict::ALL.iter().filter(|verdict| !verdict.is_accept()) {
            let (name, message) = texts(verdict.number());
            assert_eq!(name.to_str(), Ok(verdict.code()));
            assert_eq!(message.to_str(), Ok(verdict.message()));
        }
    }

    #[test]
    fn names_and_numbers_are_unique() {
        let verdicts = Verdict::ALL.iter().filter(|verdict| !verdict.is_accept());
        let numbers: Vec<i32> =
            OWN.iter().map(|row| row.0).chain(verdicts.map(|v| v.number())).collect();
        let names: BTreeSet<_> = numbers.iter().map(|number| texts(*number).0).collect();
        assert_eq!(numbers.iter().collect::<BTreeSet<_>>().len(), numbers.len());
        assert_eq!(names.len(), numbers.len());
        assert!(!names.contains(c"unknown-status"));
    }

    #[test]
    fn other_numbers_are_unknown() {
        for number in [1, -99, -100, -199, -200, -299, -901, i32::MIN, i32::MAX] {
            assert_eq!(texts(number).0, c"unknown-status", "{number}");
        }
    }

    #[test]
    fn own_numbers_keep_to_their_band() {
        for (number, name, _) in OWN {
            assert!(matches!(number, 0 | -99..=-1 | -299..=-201 | -900), "{name:?}");
        }
    }
}
