//! The guard in memory that lets each Advanced request through once.
//!
//! It refuses to be asked by anybody but a verifier, so that strangers cannot fill it.

use std::sync::Arc;

use cortexkey_core::auth::Skew;
use cortexkey_core::replay::{MemoryGuard, MemoryGuardConfig, Quota, Start};

use crate::handle::{self, Handle};
use crate::input::{self, Extensible};
use crate::output::{self, ZeroIsValid};
use crate::status::{CXK_INVALID_OPTION, CXK_RNG_FAILED, cxk_status};

/// Remembers which requests were accepted, within one process. It takes all its memory when it is
/// made, at most 20 bytes an entry from 40,000 entries on; when it is full it refuses, and it
/// drops nothing that could still be replayed. An insert takes constant time.
///
/// Capacity: any mix of timestamps is accepted up to `entries`, also a burst within one millisecond.
/// For 1,000 requests a second and a skew of 60 seconds set `entries` to 1,000 * (2 * 60) = 120,000,
/// which takes 2.4 MB: 60,000 are remembered where the clients' clocks agree, and 120,000 where each
/// is ahead by the skew.
///
/// Quota: with `uses_per_key` 60,000 one key has half of those entries at most. What it sends beyond
/// is refused as `replay-guard-quota`, and the other half is left for all other keys, whatever
/// timestamps the key chooses. Where several keys flood, each of 100 `keys` is still sure of
/// `entries` / 8 / `keys` = 150.
///
/// A guard in another process does not know what this one accepted: then use a guard of your own
/// with `CXK_VERIFIER_OWN_GUARD`.
#[allow(non_camel_case_types, reason = "C's name")]
pub struct cxk_replay_guard {
    _private: [u8; 0],
}

/// The most entries of a guard.
pub const CXK_REPLAY_GUARD_ENTRIES_MAX: u64 = 100_000_000;
/// The most keys that a guard counts for.
pub const CXK_REPLAY_GUARD_KEYS_MAX: u64 = 1_000_000;
/// Nothing can have been accepted before: the first guard ever of these keys, or a test.
pub const CXK_REPLAY_GUARD_FIRST: u32 = 1;

/// How a replay guard is made. Begin with
/// `cxk_replay_guard_options options = CXK_REPLAY_GUARD_OPTIONS_INIT;`.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(non_camel_case_types, reason = "C's name")]
pub struct cxk_replay_guard_options {
    /// `sizeof(cxk_replay_guard_options)`
    pub struct_size: u32,
    /// 0 or `CXK_REPLAY_GUARD_FIRST`.
    pub flags: u32,
    /// How many requests it can remember, whatever their timestamps, 1 to
    /// `CXK_REPLAY_GUARD_ENTRIES_MAX`: requests a second times twice the skew in seconds.
    pub entries: u64,
    /// The largest skew of the verifiers that ask it, in milliseconds, 1,000 to 300,000; 0 is
    /// 60,000.
    pub skew_ms: u64,
    /// The time now, in milliseconds since 1970. Requests that may have been accepted before the
    /// guard was made are refused as `replay-guard-starting` for as long as the skew. 0 only
    /// with `CXK_REPLAY_GUARD_FIRST`.
    pub started_ms: u64,
    /// How many requests of one key it may hold, so that one key cannot fill it; more are refused
    /// as `replay-guard-quota`. 0 is no limit.
    pub uses_per_key: u32,
    /// Always 0.
    pub reserved: u32,
    /// With `uses_per_key`: how many keys can have requests in it, 1 to
    /// `CXK_REPLAY_GUARD_KEYS_MAX`; 110 bytes each. Else 0.
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

/// Makes a replay guard, and takes its memory.
///
/// - Ownership: `*out` is the caller's, who gives it to `cxk_replay_guard_free()`; NULL when the
///   call fails.
/// - Threads: any.
/// - Errors: `CXK_NULL_ARG`, `CXK_BAD_ARG`, `CXK_INVALID_STRUCT`, `CXK_INVALID_OPTION` (a number
///   out of its range), `CXK_RNG_FAILED`, `CXK_NO_MEMORY`.
///
/// For 100 requests a second and a skew of 60 seconds:
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
/// `options` points to a structure of the size that it states. `out` may be written.
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

/// Ends a replay guard. Verifiers that were made with it keep it until they end, too.
///
/// - Ownership: the guard is gone. NULL, and what is no live guard, is left alone; freeing one
///   twice is nevertheless a mistake that cannot always be seen.
/// - Threads: when no other uses the guard itself; verifiers may go on.
/// - Errors: none.
///
/// ```c
/// cxk_replay_guard_free(NULL);
/// ```
///
/// # Safety
///
/// `guard` is NULL, or comes from `cxk_replay_guard_new()` and lives.
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

/// No less than a guard takes.
fn bytes(entries: usize, keys: usize) -> usize {
    entries.max(40_000).saturating_mul(20).saturating_add(keys.saturating_mul(200))
}
