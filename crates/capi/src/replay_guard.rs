//! The replay guard in memory, which accepts each Advanced request once.

use std::sync::Arc;

use cortexkey_core::auth::Skew;
use cortexkey_core::replay::{MemoryGuard, MemoryGuardConfig, Quota, Start};

use crate::handle::{self, Handle};
use crate::input::{self, Extensible};
use crate::output::{self, ZeroIsValid};
use crate::status::{CXK_INVALID_OPTION, CXK_RNG_FAILED, cxk_status};

/// Remembers which requests were accepted, within one process. It allocates all its memory when it
/// is created: at most 20 bytes per entry from 40,000 entries on. A full guard rejects new
/// requests and never drops an entry that could still be replayed. An insert takes constant time.
///
/// Capacity: any mix of timestamps is accepted up to `entries`, including a burst within one
/// millisecond. For 1,000 requests per second and a skew of 60 seconds, set `entries` to
/// `1000 * 2 * 60` = 120,000, which takes 2.4 MB. The guard then holds 60,000 entries if the
/// clients' clocks agree, and 120,000 if every clock is ahead by the skew.
///
/// Quota: with `uses_per_key` 60,000, one key uses at most half of these entries. Further requests
/// with that key are refused as `replay-guard-quota`, and the other half is left for all other
/// keys, whatever timestamps the key chooses. If several keys flood the guard, each of 100 `keys`
/// still has at least `entries` / 8 / `keys` = 150 entries.
///
/// Guards in different processes share no state. If several processes verify, use a shared guard of
/// your own with `CXK_VERIFIER_OWN_GUARD`.
#[allow(non_camel_case_types, reason = "C's name")]
pub struct cxk_replay_guard {
    _private: [u8; 0],
}

/// The largest number of entries of a replay guard.
pub const CXK_REPLAY_GUARD_ENTRIES_MAX: u64 = 100_000_000;
/// The largest number of keys for which a replay guard counts uses.
pub const CXK_REPLAY_GUARD_KEYS_MAX: u64 = 1_000_000;
/// No request can have been accepted before: this is the first guard for these keys, or a test.
pub const CXK_REPLAY_GUARD_FIRST: u32 = 1;

/// Options of a replay guard. Start with `cxk_replay_guard_options options =
/// CXK_REPLAY_GUARD_OPTIONS_INIT;`.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(non_camel_case_types, reason = "C's name")]
pub struct cxk_replay_guard_options {
    /// `sizeof(cxk_replay_guard_options)`
    pub struct_size: u32,
    /// 0 or `CXK_REPLAY_GUARD_FIRST`.
    pub flags: u32,
    /// How many requests the guard can remember, 1 to `CXK_REPLAY_GUARD_ENTRIES_MAX`: requests per
    /// second times twice the skew in seconds.
    pub entries: u64,
    /// The largest skew of the verifiers that use the guard, in milliseconds, 1,000 to 300,000; 0
    /// means 60,000.
    pub skew_ms: u64,
    /// The current time, in milliseconds since 1970. For the duration of the skew, the guard
    /// refuses requests that may have been accepted before it was created
    /// (`replay-guard-starting`). 0 is allowed only with `CXK_REPLAY_GUARD_FIRST`.
    pub started_ms: u64,
    /// The largest number of requests that the guard remembers for one key, so that one key cannot
    /// fill it; further ones are refused as `replay-guard-quota`. 0 means no limit.
    pub uses_per_key: u32,
    /// Always 0.
    pub reserved: u32,
    /// With `uses_per_key`: how many keys can have requests in the guard, 1 to
    /// `CXK_REPLAY_GUARD_KEYS_MAX`. Each takes 110 bytes. Otherwise 0.
    pub keys: u64,
}

impl Handle for Arc<MemoryGuard> {
    type Opaque = cxk_replay_guard;
    const TAG: u64 = u64::from_be_bytes(*b"cxkguard");
}

// SAFETY: NULL is a pointer.
unsafe impl ZeroIsValid for *mut cxk_replay_guard {}
// SAFETY: numbers; zeros are numbers.
unsafe impl ZeroIsValid for cxk_replay_guard_options {}
// SAFETY: it begins with its size.
unsafe impl Extensible for cxk_replay_guard_options {}

/// Creates a replay guard and allocates its memory.
///
/// - Ownership: the caller owns `*out` and frees it with `cxk_replay_guard_free()`; it is NULL if
///   the call fails.
/// - Threads: any.
/// - Errors: `CXK_NULL_ARG`, `CXK_BAD_ARG`, `CXK_INVALID_STRUCT`, `CXK_INVALID_OPTION` (a number
///   out of its range), `CXK_RNG_FAILED`, `CXK_NO_MEMORY`.
///
/// For 100 requests per second and a skew of 60 seconds:
///
/// ```c
/// cxk_replay_guard_options options = CXK_REPLAY_GUARD_OPTIONS_INIT;
/// cxk_replay_guard *mine = NULL;
/// options.entries = 100 * (2 * 60);
/// options.started_ms = (uint64_t)time(NULL) * 1000;
/// if (cxk_replay_guard_new(&options, &mine) != CXK_OK) exit(2);
/// cxk_replay_guard_free(mine);
/// ```
///
/// # Safety
///
/// `options` points to a structure of the size in `struct_size`. `out` is writable.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn cxk_replay_guard_new(
    options: *const cxk_replay_guard_options,
    out: *mut *mut cxk_replay_guard,
) -> cxk_status {
    let make = |out: &mut *mut cxk_replay_guard| {
        // SAFETY: this function's contract.
        let options = unsafe { input::structure(options) }?;
        *out = handle::new(Arc::new(guard(&options)?))?;
        Ok(())
    };
    // SAFETY: this function's contract.
    unsafe { output::fill(out, make) }
}

/// Frees a replay guard. Verifiers that use it keep it until they are freed.
///
/// - Ownership: the guard must not be used afterwards. NULL is ignored.
/// - Threads: only when no other thread uses the guard itself; its verifiers may continue.
/// - Errors: none.
///
/// # Safety
///
/// `guard` is NULL, or comes from `cxk_replay_guard_new()` and was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cxk_replay_guard_free(guard: *mut cxk_replay_guard) {
    // SAFETY: this function's contract.
    unsafe { handle::free::<Arc<MemoryGuard>>(guard) };
}

fn guard(options: &cxk_replay_guard_options) -> Result<MemoryGuard, cxk_status> {
    let is_first = match (options.flags, options.started_ms) {
        (CXK_REPLAY_GUARD_FIRST, _) => true,
        (0, 1..) => false,
        _ => return Err(CXK_INVALID_OPTION),
    };
    let entries = within(options.entries, CXK_REPLAY_GUARD_ENTRIES_MAX)?;
    let quota = match (options.uses_per_key, options.keys) {
        (0, 0) => None,
        (0, _) => return Err(CXK_INVALID_OPTION),
        (uses_per_key, keys) => {
            Some(Quota { uses_per_key, keys: within(keys, CXK_REPLAY_GUARD_KEYS_MAX)? })
        }
    };
    if options.reserved != 0 {
        return Err(CXK_INVALID_OPTION);
    }
    handle::has_memory(bytes(entries, quota.map_or(0, |quota| quota.keys)))?;
    let guard = MemoryGuard::new(MemoryGuardConfig {
        entries,
        skew: skew(options.skew_ms)?,
        start: if is_first { Start::First } else { Start::Fresh { at_ms: options.started_ms } },
        secret: MemoryGuardConfig::secret_from_system().map_err(|_| CXK_RNG_FAILED)?,
    });
    Ok(match quota {
        Some(quota) => guard.with_quota(quota),
        None => guard,
    })
}

/// A skew; 0 is the default.
pub(crate) fn skew(ms: u64) -> Result<Skew, cxk_status> {
    if ms == 0 { Ok(Skew::DEFAULT) } else { Skew::from_ms(ms).map_err(|_| CXK_INVALID_OPTION) }
}

fn within(number: u64, most: u64) -> Result<usize, cxk_status> {
    if (1..=most).contains(&number) {
        usize::try_from(number).map_err(|_| CXK_INVALID_OPTION)
    } else {
        Err(CXK_INVALID_OPTION)
    }
}

/// At least the memory that a guard takes.
fn bytes(entries: usize, keys: usize) -> usize {
    entries.max(40_000).saturating_mul(20).saturating_add(keys.saturating_mul(200))
}
