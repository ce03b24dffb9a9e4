//! The verifier handle and the functions that verify requests.

use core::cell::Cell;
use core::ffi::c_char;
use std::sync::Arc;

use cortexkey_core::auth::{KeyId, NonceLengths, Principal, Request, Verdict, Verifier};
use cortexkey_core::replay::{GuardRefusal, MemoryGuard, ReplayGuard, VerifiedUse};

use crate::expiry::expires_ms_of;
use crate::handle::{self, Handle};
use crate::input::{self, Extensible};
use crate::keyring::cxk_keyring;
use crate::keys::{FoundKey, Keys};
use crate::output::{self, ZeroIsValid};
use crate::replay_guard::{cxk_replay_guard, skew};
use crate::signer::{CXK_BATCH_MAX, cxk_level, number_of};
use crate::status::{
    CXK_INVALID_OPTION, CXK_NO_MEMORY, CXK_NULL_ARG, CXK_OK, CXK_SOME_REFUSED, cxk_status,
};

/// Verifies requests against the keys of a keyring, and checks them with a replay guard last. It
/// never changes, so any number of threads may use it at once.
#[allow(non_camel_case_types, reason = "C's name")]
pub struct cxk_verifier {
    _private: [u8; 0],
}

/// The caller has its own replay guard. Before it processes a request, the caller must check and
/// store the principal's `replay_tag`, if there is one, in one atomic step.
pub const CXK_VERIFIER_OWN_GUARD: u32 = 1;
/// Accepts nonces of 16 to 128 letters and digits. Without this flag, a nonce must have exactly 64.
pub const CXK_VERIFIER_LENIENT_NONCES: u32 = 2;
/// The largest number of headers of one request.
pub const CXK_HEADERS_MAX: usize = 4_096;
/// Size in bytes of a tag for the caller's own replay guard.
pub const CXK_REPLAY_TAG_SIZE: usize = 16;

/// Options of a verifier. Start with `cxk_verifier_options options = CXK_VERIFIER_OPTIONS_INIT;`.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(non_camel_case_types, reason = "C's name")]
pub struct cxk_verifier_options {
    /// `sizeof(cxk_verifier_options)`
    pub struct_size: u32,
    /// 0, or a combination of `CXK_VERIFIER_OWN_GUARD` and `CXK_VERIFIER_LENIENT_NONCES`.
    pub flags: u32,
    /// How far a timestamp may differ from `now_ms` in either direction, in milliseconds, 1,000 to
    /// 300,000; 0 means 60,000.
    pub skew_ms: u64,
}

/// A header of a request: the name in any case, and the value as received, without surrounding
/// white space (HTTP requires stripping it). Neither needs a terminating NUL. If a header was sent
/// several times, pass each occurrence.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(non_camel_case_types, reason = "C's name")]
pub struct cxk_header {
    /// The name. It may be NULL if `name_len` is 0.
    pub name: *const c_char,
    /// The length of the name in bytes.
    pub name_len: usize,
    /// The value. It may be NULL if `value_len` is 0.
    pub value: *const c_char,
    /// The length of the value in bytes.
    pub value_len: usize,
}

/// A request of a batch: all its headers, or only the authentication headers.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(non_camel_case_types, reason = "C's name")]
pub struct cxk_request {
    /// The headers, in any order. It may be NULL if there are none.
    pub headers: *const cxk_header,
    /// The number of headers, at most `CXK_HEADERS_MAX`.
    pub count: usize,
}

/// The sender of an accepted request; all zeros otherwise. No key has the id 0.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(non_camel_case_types, reason = "C's name")]
pub struct cxk_principal {
    /// The key's numeric id.
    pub key_id: u64,
    /// When the key expires, in milliseconds since 1970; `CXK_NEVER` if it does not.
    pub expires_ms: u64,
    /// The request's timestamp, in milliseconds since 1970; 0 with a Standard key.
    pub signed_ms: u64,
    /// With `CXK_VERIFIER_OWN_GUARD`: the time until which the tag must be remembered, in
    /// milliseconds since 1970. 0 for a Standard request, which has no tag because it can be sent
    /// any number of times.
    pub remember_until_ms: u64,
    /// The key's security level.
    pub level: cxk_level,
    /// Always 0.
    pub reserved: u32,
    /// With `CXK_VERIFIER_OWN_GUARD`: identifies this use of the key, and is the same in every
    /// process. Check whether it is known and store it in one atomic step; if it is known, the
    /// request is a replay.
    ///
    /// A Redis key that expires at `remember_until_ms` is not a replay guard: the server's clock
    /// may differ from the verifiers', and a request whose entry was lost is accepted again. Use
    /// `replay_guard.lua`; the example `shared_guard.c` shows how.
    pub replay_tag: [u8; CXK_REPLAY_TAG_SIZE],
}

/// The value behind the handle.
struct Verifying {
    verifier: Verifier,
    keyring: Arc<Keys>,
    /// `None` if the caller has its own guard.
    guard: Option<Arc<MemoryGuard>>,
}

impl Handle for Verifying {
    type Opaque = cxk_verifier;
    const TAG: u64 = u64::from_be_bytes(*b"cxkverif");
}

// SAFETY: NULL is a pointer.
unsafe impl ZeroIsValid for *mut cxk_verifier {}
// SAFETY: numbers; zeros are numbers.
unsafe impl ZeroIsValid for cxk_verifier_options {}
// SAFETY: it begins with its size.
unsafe impl Extensible for cxk_verifier_options {}
// SAFETY: numbers; zeros are numbers.
unsafe impl ZeroIsValid for cxk_principal {}
// SAFETY: zero is a number.
unsafe impl ZeroIsValid for cxk_status {}

/// Creates a verifier. With NULL for `options`, it has the defaults.
///
/// - Ownership: the caller owns `*out` and frees it with `cxk_verifier_free()`; it is NULL if the
///   call fails. The keyring and the guard still belong to the caller, who may free them before the
///   verifier.
/// - Threads: any.
/// - Errors: `CXK_NULL_ARG` (also if `guard` is NULL without `CXK_VERIFIER_OWN_GUARD`),
///   `CXK_BAD_ARG`, `CXK_WRONG_HANDLE`, `CXK_INVALID_STRUCT`, `CXK_INVALID_OPTION` (also a guard
///   with `CXK_VERIFIER_OWN_GUARD`), `CXK_NO_MEMORY`.
///
/// ```c
/// cxk_verifier *mine = NULL;
/// if (cxk_verifier_new(NULL, keyring, guard, &mine) != CXK_OK) exit(2);
/// cxk_verifier_free(mine);
/// ```
///
/// # Safety
///
/// `options` is NULL for the defaults, or points to a structure of the size in `struct_size`.
/// `keyring` comes from `cxk_keyring_new()` and was not freed. `guard` is NULL, or comes from
/// `cxk_replay_guard_new()` and was not freed. `out` is writable.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn cxk_verifier_new(
    options: *const cxk_verifier_options,
    keyring: *const cxk_keyring,
    guard: *mut cxk_replay_guard,
    out: *mut *mut cxk_verifier,
) -> cxk_status {
    let make = |out: &mut *mut cxk_verifier| {
        let options = if options.is_null() {
            None
        } else {
            // SAFETY: this function's contract.
            Some(unsafe { input::structure(options) }?)
        };
        let flags = options.map_or(0, |options| options.flags);
        if flags & !(CXK_VERIFIER_OWN_GUARD | CXK_VERIFIER_LENIENT_NONCES) != 0 {
            return Err(CXK_INVALID_OPTION);
        }
        // SAFETY: this function's contract.
        let keyring: &Arc<Keys> = unsafe { handle::get(keyring) }?;
        let guard = match (flags & CXK_VERIFIER_OWN_GUARD != 0, guard.is_null()) {
            (true, true) => None,
            (true, false) => return Err(CXK_INVALID_OPTION),
            // SAFETY: this function's contract.
            (false, _) => Some(unsafe { handle::get::<Arc<MemoryGuard>>(guard) }?.clone()),
        };
        let mut verifier =
            Verifier::new().with_skew(skew(options.map_or(0, |options| options.skew_ms))?);
        if flags & CXK_VERIFIER_LENIENT_NONCES != 0 {
            verifier = verifier.with_nonce_lengths(NonceLengths::LENIENT);
        }
        *out = handle::new(Verifying { verifier, keyring: keyring.clone(), guard })?;
        Ok(())
    };
    // SAFETY: this function's contract.
    unsafe { output::fill(out, make) }
}

/// Verifies a request: returns `CXK_OK` and its sender, or the reason for a refusal. Answer every
/// refusal with the same 401; the status is for your log.
///
/// - Ownership: the headers stay the caller's. `out` is the caller's memory; all zeros unless the
///   request is accepted.
/// - Threads: any number may call it at once, while keys change.
/// - Errors: the `CXK_VERDICT_...`; `CXK_NULL_ARG`, `CXK_BAD_ARG`, `CXK_WRONG_HANDLE`,
///   `CXK_TOO_LARGE` (more than `CXK_HEADERS_MAX` headers).
///
/// ```c
/// cxk_header headers[] = {{"x-xdr-auth-id", 13, "7", 1}, {"Authorization", 13, "a-key", 5}};
/// cxk_principal principal;
/// cxk_status status =
///     cxk_verify(verifier, headers, 2, (uint64_t)time(NULL) * 1000, &principal);
/// if (status != CXK_OK) fprintf(stderr, "refused: %s\n", cxk_status_name(status));
/// ```
///
/// # Safety
///
/// `verifier` comes from `cxk_verifier_new()` and was not freed. `headers` points to `count`
/// headers with readable names and values; it may be NULL if `count` is 0. `out` is writable.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn cxk_verify(
    verifier: *const cxk_verifier,
    headers: *const cxk_header,
    count: usize,
    now_ms: u64,
    out: *mut cxk_principal,
) -> cxk_status {
    let verify = |out: &mut cxk_principal| {
        // SAFETY: this function's contract.
        let verifying: &Verifying = unsafe { handle::get(verifier) }?;
        // SAFETY: this function's contract.
        let request = unsafe { verifying.request(headers, count) }?;
        let tap = Tap::new(verifying.guard.as_deref());
        let stored = verifying.keyring.get(request.key_id());
        let answer = verifying.verifier.verify(&request, stored.as_deref(), now_ms, &tap);
        *out = tap.principal(&answer.map_err(Verdict::number)?);
        Ok(())
    };
    // SAFETY: this function's contract.
    unsafe { output::fill(out, verify) }
}

/// Verifies many requests in order, all as of `now_ms`. If two Advanced requests are identical,
/// only the first is accepted. Each gets the status that `cxk_verify()` would return.
///
/// - Ownership: as with `cxk_verify()`. `statuses` and `principals` are the caller's arrays of
///   `count`. If the call itself fails, every status is the call's status, and every principal is
///   all zeros. If `count` is above `CXK_BATCH_MAX`, neither array is written.
/// - Threads: any number may call it at once, while keys change.
/// - Errors: `CXK_SOME_REFUSED` if at least one request is refused; `CXK_NULL_ARG`, `CXK_BAD_ARG`,
///   `CXK_WRONG_HANDLE`, `CXK_TOO_LARGE` (above `CXK_BATCH_MAX` requests), `CXK_NO_MEMORY`.
///
/// ```c
/// cxk_header headers[] = {{"x-xdr-auth-id", 13, "7", 1}, {"Authorization", 13, "a-key", 5}};
/// cxk_request requests[] = {{headers, 2}, {headers, 1}};
/// cxk_status statuses[2];
/// cxk_principal principals[2];
/// if (cxk_verify_batch(verifier, requests, 2, 1700000000000u, statuses, principals) != CXK_OK)
///   puts(cxk_status_name(statuses[1]));
/// ```
///
/// # Safety
///
/// `verifier` comes from `cxk_verifier_new()` and was not freed. `requests` points to `count`
/// requests as in `cxk_verify()`; it may be NULL if `count` is 0. `statuses` and `principals` have
/// `count` writable elements.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn cxk_verify_batch(
    verifier: *const cxk_verifier,
    requests: *const cxk_request,
    count: usize,
    now_ms: u64,
    statuses: *mut cxk_status,
    principals: *mut cxk_principal,
) -> cxk_status {
    let verify = |statuses: &mut [cxk_status], principals: &mut [cxk_principal]| {
        // SAFETY: this function's contract.
        let verifying: &Verifying = unsafe { handle::get(verifier) }?;
        // SAFETY: this function's contract.
        let requests = unsafe { input::array(requests, count, CXK_BATCH_MAX) }?;
        let mut chunk = Chunk::new()?;
        for ((requests, statuses), principals) in
            requests.chunks(CHUNK).zip(statuses.chunks_mut(CHUNK)).zip(principals.chunks_mut(CHUNK))
        {
            // SAFETY: this function's contract.
            unsafe { chunk.read(verifying, requests, statuses) };
            chunk.verify(verifying, now_ms, statuses, principals);
        }
        Ok(())
    };
    // SAFETY: this function's contract.
    unsafe { output::clear(principals, count, CXK_BATCH_MAX) };
    let mut refused = false;
    let fill_statuses = |statuses: &mut [cxk_status]| {
        let fill_principals = |principals: &mut [cxk_principal]| {
            let done = verify(statuses, principals);
            refused = statuses.iter().any(|status| *status != CXK_OK);
            done
        };
        // SAFETY: this function's contract.
        match unsafe { output::fill_all(principals, count, CXK_BATCH_MAX, fill_principals) } {
            CXK_OK => Ok(()),
            status => Err(status),
        }
    };
    // SAFETY: this function's contract.
    let status = unsafe { output::fill_all(statuses, count, CXK_BATCH_MAX, fill_statuses) };
    if status != CXK_OK && count <= CXK_BATCH_MAX && !statuses.is_null() && statuses.is_aligned() {
        // A status of zero would mean success.
        // SAFETY: `fill_all` wrote here, too.
        unsafe { core::slice::from_raw_parts_mut(statuses, count) }.fill(status);
    }
    if status == CXK_OK && refused { CXK_SOME_REFUSED } else { status }
}

/// Frees a verifier.
///
/// - Ownership: the verifier must not be used afterwards. NULL is ignored.
/// - Threads: only when no other thread uses the verifier.
/// - Errors: none.
///
/// # Safety
///
/// `verifier` is NULL, or comes from `cxk_verifier_new()` and was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cxk_verifier_free(verifier: *mut cxk_verifier) {
    // SAFETY: this function's contract.
    unsafe { handle::free::<Verifying>(verifier) };
}

/// Names and values are read up to this length. No accepted one is longer, so the rest does not
/// matter.
const VALUE_BYTES_SEEN: usize = 257;

/// How many requests of a batch are processed together.
const CHUNK: usize = 64;

/// A part of a batch: the requests that could be parsed, and their keys.
struct Chunk<'a> {
    requests: Vec<Request<'a>>,
    /// The position of each request in its part of the batch.
    places: Vec<usize>,
    /// Each key once, so that all requests of the part see the same version of it.
    keys: Vec<(KeyId, FoundKey)>,
}

impl Chunk<'_> {
    fn new() -> Result<Self, cxk_status> {
        let mut chunk = Self { requests: Vec::new(), places: Vec::new(), keys: Vec::new() };
        let reserved = [
            chunk.requests.try_reserve_exact(CHUNK),
            chunk.places.try_reserve_exact(CHUNK),
            chunk.keys.try_reserve_exact(CHUNK),
        ];
        let is_reserved = reserved.iter().all(Result::is_ok);
        if is_reserved { Ok(chunk) } else { Err(CXK_NO_MEMORY) }
    }

    /// Parses at most `CHUNK` requests, and sets the status of those that cannot be parsed.
    ///
    /// # Safety
    ///
    /// The headers of the requests are as [`Verifying::request`] takes them.
    unsafe fn read(
        &mut self,
        verifying: &Verifying,
        requests: &[cxk_request],
        statuses: &mut [cxk_status],
    ) {
        self.requests.clear();
        self.places.clear();
        self.keys.clear();
        for (place, (request, status)) in requests.iter().zip(statuses).enumerate() {
            // SAFETY: this function's contract.
            match unsafe { verifying.request(request.headers, request.count) } {
                Ok(request) => {
                    let key_id = request.key_id();
                    if !self.keys.iter().any(|(known, _)| *known == key_id) {
                        self.keys.push((key_id, verifying.keyring.get(key_id)));
                    }
                    self.requests.push(request);
                    self.places.push(place);
                }
                Err(refused) => *status = refused,
            }
        }
    }

    /// Verifies the parsed requests. Before the call, their statuses and all principals are zeros.
    fn verify(
        &self,
        verifying: &Verifying,
        now_ms: u64,
        statuses: &mut [cxk_status],
        principals: &mut [cxk_principal],
    ) {
        let tap = Tap::new(verifying.guard.as_deref());
        let stored = |key_id| {
            let found = self.keys.iter().find(|(known, _)| *known == key_id);
            found.and_then(|(_, key)| key.as_deref())
        };
        verifying.verifier.verify_batch(&self.requests, stored, now_ms, &tap, |read, answer| {
            let principal = answer.map(|principal| tap.principal(&principal));
            let Some(place) = self.places.get(read) else { return };
            match (principal, principals.get_mut(*place), statuses.get_mut(*place)) {
                (Ok(principal), Some(out), _) => *out = principal,
                (Err(verdict), _, Some(status)) => *status = verdict.number(),
                _ => {}
            }
        });
    }
}

impl Verifying {
    /// Reads the headers that authenticate a request.
    ///
    /// # Safety
    ///
    /// `headers` is NULL or points to `count` headers, whose names and values are readable.
    unsafe fn request<'a>(
        &self,
        headers: *const cxk_header,
        count: usize,
    ) -> Result<Request<'a>, cxk_status> {
        // SAFETY: this function's contract.
        let headers = unsafe { input::array(headers, count, CXK_HEADERS_MAX) }?;
        let has_null = |header: &cxk_header| {
            (header.name.is_null() && header.name_len > 0)
                || (header.value.is_null() && header.value_len > 0)
        };
        if headers.iter().any(has_null) {
            return Err(CXK_NULL_ARG);
        }
        let pairs = headers.iter().map(|header| {
            // SAFETY: this function's contract; NULL was refused.
            let name = unsafe { seen(header.name, header.name_len) };
            // SAFETY: as above.
            (name, unsafe { seen(header.value, header.value_len) })
        });
        Request::parse(pairs, self.verifier.nonce_lengths()).map_err(Verdict::number)
    }
}

/// The bytes, truncated to what a verifier needs.
///
/// # Safety
///
/// `start` points to `len` readable bytes, or `len` is 0.
unsafe fn seen<'a>(start: *const c_char, len: usize) -> &'a [u8] {
    match len {
        0 => &[],
        // SAFETY: this function's contract; the length is small.
        _ => unsafe { core::slice::from_raw_parts(start.cast(), len.min(VALUE_BYTES_SEEN)) },
    }
}

/// Calls the guard. If the caller has its own, records what that guard needs instead.
struct Tap<'g> {
    guard: Option<&'g MemoryGuard>,
    seen: Cell<Option<([u8; CXK_REPLAY_TAG_SIZE], u64)>>,
}

impl<'g> Tap<'g> {
    fn new(guard: Option<&'g MemoryGuard>) -> Self {
        Self { guard, seen: Cell::new(None) }
    }

    /// The principal as a C structure, with the replay tag of this request and not of an earlier
    /// one.
    fn principal(&self, principal: &Principal) -> cxk_principal {
        let (replay_tag, remember_until_ms) = self.seen.take().unwrap_or_default();
        cxk_principal {
            key_id: principal.key_id().get(),
            expires_ms: expires_ms_of(principal.expiry()),
            signed_ms: principal.signed_ms().unwrap_or(0),
            remember_until_ms,
            level: number_of(principal.level()),
            reserved: 0,
            replay_tag,
        }
    }
}

impl ReplayGuard for Tap<'_> {
    fn check_and_insert(&self, verified: &VerifiedUse) -> Result<(), GuardRefusal> {
        if let Some(guard) = self.guard {
            return guard.check_and_insert(verified);
        }
        self.seen.set(Some((verified.shared_tag(), verified.remember_until_ms())));
        Ok(())
    }
}
