//! Injects a panic into every function: it becomes `CXK_INTERNAL`, outputs are cleared, and the
//! library stays usable.

use core::ffi::c_char;
use core::ptr::{null, null_mut};
use std::collections::BTreeSet;

use crate::panic::fault;
use crate::*;

const KEY: &[u8] = b"a-test-key-of-no-tenant";
const NONCE: [u8; 64] = [b'n'; 64];
const NOW_MS: u64 = 1_700_000_000_000;

/// Functions that only return constants, or write zeros: nothing in them can panic.
const CANNOT_PANIC: [&str; 5] =
    ["cxk_abi_version", "cxk_version", "cxk_status_name", "cxk_status_message", "cxk_wipe"];

/// The data that all calls share.
struct Handles {
    signer: *mut cxk_signer,
    keyring: *mut cxk_keyring,
    guard: *mut cxk_replay_guard,
    verifier: *mut cxk_verifier,
    definitions: *mut cxk_definitions,
}

const DEFINITIONS: &[u8] = include_bytes!("../../../vectors/definitions/after.ckc");

fn key() -> cxk_key {
    cxk_key {
        struct_size: size_of::<cxk_key>().try_into().unwrap(),
        level: CXK_LEVEL_STANDARD,
        key_id: 7,
        key: KEY.as_ptr().cast(),
        key_len: KEY.len(),
        expires_ms: CXK_NEVER,
        created_ms: 0,
        flags: 0,
        reserved: 0,
    }
}

fn guard_options() -> cxk_replay_guard_options {
    cxk_replay_guard_options {
        struct_size: size_of::<cxk_replay_guard_options>().try_into().unwrap(),
        flags: CXK_REPLAY_GUARD_FIRST,
        entries: 10,
        skew_ms: 0,
        started_ms: 0,
        uses_per_key: 0,
        reserved: 0,
        keys: 0,
    }
}

/// The headers of a request of key 7.
fn request() -> [cxk_header; 2] {
    let header = |name: &'static str, value: &'static [u8]| cxk_header {
        name: name.as_ptr().cast(),
        name_len: name.len(),
        value: value.as_ptr().cast(),
        value_len: value.len(),
    };
    [header("x-xdr-auth-id", b"7"), header("Authorization", KEY)]
}

/// Calls a function with an output full of sevens; returns its status, and whether the output is
/// zeros.
fn with_output<T>(call: impl FnOnce(*mut T) -> cxk_status) -> (cxk_status, bool) {
    let mut output = core::mem::MaybeUninit::<T>::uninit();
    // SAFETY: the memory is as large as a `T`.
    unsafe { output.as_mut_ptr().write_bytes(7, 1) };
    let status = call(output.as_mut_ptr());
    // SAFETY: every byte was written above.
    let bytes =
        unsafe { core::slice::from_raw_parts(output.as_ptr().cast::<u8>(), size_of::<T>()) };
    (status, bytes.iter().all(|byte| *byte == 0))
}

type Call = (&'static str, fn(&Handles) -> (cxk_status, bool));

/// Every function that can fail, with valid arguments.
const CALLS: &[Call] = &[
    // SAFETY: here and below, handles live, lengths are those of the arrays, outputs are local.
    ("cxk_nonce", |_| with_output(|out: *mut [c_char; 65]| unsafe { cxk_nonce(out.cast(), 65) })),
    ("cxk_signer_new", |_| {
        let mut made = null_mut();
        let status = unsafe {
            cxk_signer_new(7, CXK_LEVEL_ADVANCED, KEY.as_ptr().cast(), KEY.len(), &raw mut made)
        };
        let is_null = made.is_null();
        unsafe { cxk_signer_free(made) };
        (status, is_null)
    }),
    ("cxk_signer_headers", |h| with_output(|out| unsafe { cxk_signer_headers(h.signer, out) })),
    ("cxk_signer_headers_at", |h| {
        let nonce = NONCE.as_ptr().cast();
        with_output(|out| unsafe { cxk_signer_headers_at(h.signer, nonce, 64, NOW_MS, out) })
    }),
    ("cxk_signer_header_lines", |h| {
        with_output(|out| unsafe { cxk_signer_header_lines(h.signer, out) })
    }),
    ("cxk_signer_sign_batch", |h| {
        with_output(|out: *mut [cxk_signature; 5]| unsafe {
            cxk_signer_sign_batch(h.signer, out.cast(), 5)
        })
    }),
    ("cxk_expiry_at", |_| with_output(|out| unsafe { cxk_expiry_at(NOW_MS, NOW_MS, out) })),
    ("cxk_keyring_new", |_| {
        let mut made = null_mut();
        let status = unsafe { cxk_keyring_new(&raw mut made) };
        let is_null = made.is_null();
        unsafe { cxk_keyring_free(made) };
        (status, is_null)
    }),
    ("cxk_keyring_put", |h| (unsafe { cxk_keyring_put(h.keyring, &key()) }, true)),
    ("cxk_keyring_revoke", |h| {
        let other = cxk_key { key_id: 8, ..key() };
        assert_ne!(unsafe { cxk_keyring_put(h.keyring, &raw const other) }, CXK_NOT_FOUND);
        (unsafe { cxk_keyring_revoke(h.keyring, 8) }, true)
    }),
    ("cxk_keyring_remove", |h| (unsafe { cxk_keyring_remove(h.keyring, 8) }, true)),
    ("cxk_replay_guard_new", |_| {
        let mut made = null_mut();
        let status = unsafe { cxk_replay_guard_new(&guard_options(), &raw mut made) };
        let is_null = made.is_null();
        unsafe { cxk_replay_guard_free(made) };
        (status, is_null)
    }),
    ("cxk_verifier_new", |h| {
        let mut made = null_mut();
        let status = unsafe { cxk_verifier_new(null(), h.keyring, h.guard, &raw mut made) };
        let is_null = made.is_null();
        unsafe { cxk_verifier_free(made) };
        (status, is_null)
    }),
    ("cxk_verify", |h| {
        with_output(|out| unsafe { cxk_verify(h.verifier, request().as_ptr(), 2, NOW_MS, out) })
    }),
    ("cxk_verify_batch", |h| {
        let headers = request();
        let requests = [cxk_request { headers: headers.as_ptr(), count: 2 }; 2];
        let mut statuses = [7; 2];
        let (status, is_zero) = with_output(|out: *mut [cxk_principal; 2]| unsafe {
            let requests = requests.as_ptr();
            let statuses = statuses.as_mut_ptr();
            cxk_verify_batch(h.verifier, requests, 2, NOW_MS, statuses, out.cast())
        });
        assert_eq!(statuses, [status; 2], "no status reports success if the call failed");
        (status, is_zero)
    }),
    ("cxk_definitions_load", |_| {
        let mut made = null_mut();
        let bytes = DEFINITIONS.as_ptr().cast();
        let len = DEFINITIONS.len();
        let status = unsafe { cxk_definitions_load(bytes, len, &raw mut made) };
        let is_null = made.is_null();
        unsafe { cxk_definitions_free(made) };
        (status, is_null)
    }),
    ("cxk_definitions_get", |h| {
        with_output(|out| unsafe { cxk_definitions_get(h.definitions, 0, out) })
    }),
    ("cxk_definitions_find", |h| {
        let name = c"old/lab".as_ptr();
        let mut at = 7;
        let status = unsafe { cxk_definitions_find(h.definitions, name, 7, &raw mut at) };
        (status, at == CXK_NOWHERE)
    }),
    ("cxk_definitions_find_id", |h| {
        let mut at = 7;
        let status = unsafe { cxk_definitions_find_id(h.definitions, 17, &raw mut at) };
        (status, at == CXK_NOWHERE)
    }),
    ("cxk_decide", |h| {
        let mut text: [c_char; 90] = [7; 90];
        let mut out = cxk_decision { answer: 7, if_enforced: 7, decided: 7, scopes_off: 7 };
        let place = text.as_mut_ptr();
        let len = text.len();
        let status = unsafe { cxk_decide(h.definitions, 0, &question(), &raw mut out, place, len) };
        let is_status = [out.answer, out.if_enforced] == [CXK_INTERNAL; 2];
        (status, is_status && out.decided == 0 && text == [0; 90])
    }),
    ("cxk_compare", |h| {
        let mut text: [c_char; 90] = [7; 90];
        let place = text.as_mut_ptr();
        let len = text.len();
        let mut gains = 7;
        let status =
            unsafe { cxk_compare(h.definitions, h.definitions, place, len, &raw mut gains) };
        (status, gains == CXK_NOWHERE && text == [0; 90])
    }),
];

/// A question about an action that the first key holds.
pub(crate) fn question() -> cxk_question {
    cxk_question {
        struct_size: size_of::<cxk_question>().try_into().unwrap(),
        kind: CXK_ASK_ACTION,
        name: c"Isolate".as_ptr(),
        groups: null(),
        group_count: 0,
        tags: null(),
        tag_count: 0,
        references: null(),
        reference_count: 0,
        issues: null(),
        issue_count: 0,
        fields: null(),
        field_count: 0,
        permission: 0,
        reserved: 0,
    }
}

/// Creates a handle of each kind and frees it, with a panic on the way.
fn free_each(arm: impl Fn()) {
    let handles = handles();
    arm();
    // SAFETY: here and below, the last use of the handle.
    unsafe { cxk_signer_free(handles.signer) };
    arm();
    unsafe { cxk_verifier_free(handles.verifier) };
    arm();
    unsafe { cxk_replay_guard_free(handles.guard) };
    arm();
    unsafe { cxk_keyring_free(handles.keyring) };
    arm();
    unsafe { cxk_definitions_free(handles.definitions) };
}

fn handles() -> Handles {
    let mut signer = null_mut();
    let mut keyring = null_mut();
    let mut guard = null_mut();
    let mut verifier = null_mut();
    let mut definitions = null_mut();
    let level = CXK_LEVEL_ADVANCED;
    // SAFETY: as in `CALLS`.
    unsafe {
        let key_bytes = KEY.as_ptr().cast();
        let len = KEY.len();
        assert_eq!(cxk_signer_new(7, level, key_bytes, len, &raw mut signer), CXK_OK);
        assert_eq!(cxk_keyring_new(&raw mut keyring), CXK_OK);
        assert_eq!(cxk_keyring_put(keyring, &key()), CXK_OK);
        assert_eq!(cxk_replay_guard_new(&guard_options(), &raw mut guard), CXK_OK);
        assert_eq!(cxk_verifier_new(null(), keyring, guard, &raw mut verifier), CXK_OK);
        let bytes = DEFINITIONS.as_ptr().cast();
        let len = DEFINITIONS.len();
        assert_eq!(cxk_definitions_load(bytes, len, &raw mut definitions), CXK_OK);
    }
    Handles { signer, keyring, guard, verifier, definitions }
}

#[test]
fn a_panic_becomes_a_status_and_the_library_stays_usable() {
    let handles = handles();
    for (name, call) in CALLS {
        if *name == "cxk_keyring_revoke" {
            // Its key is put first, and that must succeed.
            assert_eq!(call(&handles).0, CXK_OK);
            fault::panic_at(2);
        } else {
            fault::panic_at(1);
        }
        let (status, is_zero) = call(&handles);
        assert_eq!(status, CXK_INTERNAL, "{name}");
        assert!(is_zero, "{name}: what was written before the panic is cleared");
        let (status, is_zero) = call(&handles);
        // The panic comes after the work, so what was to be removed is gone.
        let gone = *name == "cxk_keyring_remove" && status == CXK_NOT_FOUND;
        assert!(status == CXK_OK || gone, "{name}: {status}");
        let has_output = !name.starts_with("cxk_keyring_") || *name == "cxk_keyring_new";
        assert!(!is_zero || !has_output, "{name}: an answer");
    }
    // SAFETY: the last use of the handles.
    unsafe {
        cxk_verifier_free(handles.verifier);
        cxk_replay_guard_free(handles.guard);
        cxk_keyring_free(handles.keyring);
        cxk_signer_free(handles.signer);
        cxk_definitions_free(handles.definitions);
    }
}

#[test]
fn a_panic_while_freeing_stays_inside() {
    free_each(|| fault::panic_at(1));
    free_each(|| {});
}

#[test]
fn a_panic_while_comparing_is_not_equal() {
    fault::panic_at(1);
    // SAFETY: both are as long as the key.
    let equal = |len| unsafe { cxk_equal(KEY.as_ptr().cast(), KEY.as_ptr().cast(), len) };
    assert_eq!(equal(KEY.len()), 0);
    assert_eq!(equal(KEY.len()), 1);
}

#[test]
fn every_function_of_the_header_is_tested() {
    let header = include_str!("../../../include/cortexkey.h");
    let declared: BTreeSet<&str> = header
        .split("\nCXK_API")
        .skip(1)
        .filter_map(|prototype| prototype.split('(').next()?.rsplit([' ', '*', '\n']).next())
        .filter(|name| !name.ends_with("_free") && *name != "cxk_equal")
        .collect();
    let here: BTreeSet<&str> = CALLS.iter().map(|(name, _)| *name).chain(CANNOT_PANIC).collect();
    assert_eq!(declared, here);
}
