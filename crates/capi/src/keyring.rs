//! The keys that a verifier accepts, which can change while it verifies.

use core::ffi::c_char;
use std::sync::Arc;

use cortexkey_core::auth::{KEY_BYTES_MAX, Key, KeyId, StoredKey};

use crate::expiry::expiry_of;
use crate::handle::{self, FEW_BYTES, Handle};
use crate::input::{self, Extensible};
use crate::keys::Keys;
use crate::output::{self, ZeroIsValid};
use crate::panic::caught;
use crate::signer::{cxk_level, level_of};
use crate::status::{
    CXK_INVALID_KEY, CXK_INVALID_KEY_ID, CXK_INVALID_OPTION, CXK_NOT_FOUND, cxk_status,
};

/// The keys that verifiers know, by id. Any number of threads may change it at once while others
/// verify. A change takes effect immediately. Verifiers read the keyring without a lock.
///
/// For a Standard key, it stores the SHA-256, from which a short, human-chosen key could be
/// guessed. For an Advanced key, it stores a SHA-256 midstate, which can sign. Both are wiped once
/// the keyring and every verifier that uses it are freed.
#[allow(non_camel_case_types, reason = "C's name")]
pub struct cxk_keyring {
    _private: [u8; 0],
}

/// The key is revoked: its requests are refused as `key-revoked`.
pub const CXK_KEY_REVOKED: u32 = 1;

/// A key for a keyring. Start with `cxk_key key = CXK_KEY_INIT;`.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(non_camel_case_types, reason = "C's name")]
pub struct cxk_key {
    /// `sizeof(cxk_key)`
    pub struct_size: u32,
    /// The key's security level.
    pub level: cxk_level,
    /// The key's numeric id, above 0.
    pub key_id: u64,
    /// The key: 1 to 256 bytes of visible ASCII. A terminating NUL is not needed.
    pub key: *const c_char,
    /// The length of the key in bytes.
    pub key_len: usize,
    /// When the key expires, in milliseconds since 1970; `CXK_NEVER` if it does not.
    pub expires_ms: u64,
    /// When the key was generated, in milliseconds since 1970, if that was after the replay guard
    /// was created; otherwise 0. The guard then accepts the key's requests even while it is
    /// starting.
    pub created_ms: u64,
    /// 0 or `CXK_KEY_REVOKED`.
    pub flags: u32,
    /// Always 0.
    pub reserved: u32,
}

impl Handle for Arc<Keys> {
    type Opaque = cxk_keyring;
    const TAG: u64 = u64::from_be_bytes(*b"cxkkeyrg");
}

// SAFETY: NULL is a pointer.
unsafe impl ZeroIsValid for *mut cxk_keyring {}
// SAFETY: numbers and a pointer; zeros are both.
unsafe impl ZeroIsValid for cxk_key {}
// SAFETY: it begins with its size.
unsafe impl Extensible for cxk_key {}

/// Creates an empty keyring.
///
/// - Ownership: the caller owns `*out` and frees it with `cxk_keyring_free()`; it is NULL if the
///   call fails.
/// - Threads: any.
/// - Errors: `CXK_NULL_ARG`, `CXK_BAD_ARG`, `CXK_NO_MEMORY`.
///
/// ```c
/// cxk_keyring *mine = NULL;
/// if (cxk_keyring_new(&mine) != CXK_OK) exit(2);
/// cxk_keyring_free(mine);
/// ```
///
/// # Safety
///
/// `out` is writable.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn cxk_keyring_new(out: *mut *mut cxk_keyring) -> cxk_status {
    let make = |out: &mut *mut cxk_keyring| {
        handle::has_memory(FEW_BYTES)?;
        *out = handle::new(Arc::new(Keys::default()))?;
        Ok(())
    };
    // SAFETY: this function's contract.
    unsafe { output::fill(out, make) }
}

/// Adds a key, or replaces the key with the same id.
///
/// - Ownership: the key is hashed, so the caller may wipe it immediately.
/// - Threads: any number may call it at once, while others verify.
/// - Errors: `CXK_NULL_ARG`, `CXK_BAD_ARG`, `CXK_WRONG_HANDLE`, `CXK_INVALID_STRUCT`,
///   `CXK_INVALID_KEY_ID`, `CXK_INVALID_LEVEL`, `CXK_INVALID_KEY`, `CXK_INVALID_OPTION` (unknown
///   flags), `CXK_NO_MEMORY`. The keyring is unchanged then.
///
/// ```c
/// cxk_key key = CXK_KEY_INIT;
/// key.key_id = 7;
/// key.level = CXK_LEVEL_ADVANCED;
/// key.key = getenv("CORTEXKEY_API_KEY");
/// key.key_len = key.key == NULL ? 0 : strlen(key.key);
/// if (cxk_keyring_put(keyring, &key) != CXK_OK) exit(2);
/// ```
///
/// # Safety
///
/// `keyring` comes from `cxk_keyring_new()` and was not freed. `key` points to a structure of the
/// size in `struct_size`, whose `key` points to `key_len` readable bytes.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn cxk_keyring_put(
    keyring: *mut cxk_keyring,
    key: *const cxk_key,
) -> cxk_status {
    caught(|| {
        // SAFETY: this function's contract.
        let keyring: &Arc<Keys> = unsafe { handle::get(keyring) }?;
        // SAFETY: as above.
        let key = unsafe { input::structure(key) }?;
        handle::has_memory(FEW_BYTES)?;
        // SAFETY: as above.
        let stored = unsafe { stored(&key) }?;
        keyring.put(stored)
    })
}

/// Revokes a key. Its requests are refused as `key-revoked` until the key is removed, or put again
/// without `CXK_KEY_REVOKED`.
///
/// - Threads: any number may call it at once, while others verify. After the call, no request of
///   the key is accepted.
/// - Errors: `CXK_NULL_ARG`, `CXK_WRONG_HANDLE`, `CXK_NOT_FOUND`.
///
/// ```c
/// if (cxk_keyring_revoke(keyring, 7) != CXK_OK) puts("there is no key 7");
/// ```
///
/// # Safety
///
/// `keyring` comes from `cxk_keyring_new()` and was not freed.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn cxk_keyring_revoke(keyring: *mut cxk_keyring, key_id: u64) -> cxk_status {
    caught(|| {
        // SAFETY: this function's contract.
        let keyring: &Arc<Keys> = unsafe { handle::get(keyring) }?;
        let key_id = KeyId::new(key_id).ok_or(CXK_NOT_FOUND)?;
        keyring.revoke(key_id)
    })
}

/// Removes and wipes a key. Its requests are refused as `unknown-key`.
///
/// - Threads: any number may call it at once, while others verify. After the call, no request of
///   the key is accepted.
/// - Errors: `CXK_NULL_ARG`, `CXK_WRONG_HANDLE`, `CXK_NOT_FOUND`.
///
/// ```c
/// if (cxk_keyring_remove(keyring, 7) == CXK_NOT_FOUND) puts("there is no key 7");
/// ```
///
/// # Safety
///
/// `keyring` comes from `cxk_keyring_new()` and was not freed.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn cxk_keyring_remove(keyring: *mut cxk_keyring, key_id: u64) -> cxk_status {
    caught(|| {
        // SAFETY: this function's contract.
        let keyring: &Arc<Keys> = unsafe { handle::get(keyring) }?;
        let key_id = KeyId::new(key_id).ok_or(CXK_NOT_FOUND)?;
        keyring.remove(key_id)
    })
}

/// Frees a keyring. Verifiers that use it keep its keys until they are freed; then the keys are
/// wiped.
///
/// - Ownership: the keyring must not be used afterwards. NULL is ignored.
/// - Threads: only when no other thread uses the keyring itself; its verifiers may continue.
/// - Errors: none.
///
/// # Safety
///
/// `keyring` is NULL, or comes from `cxk_keyring_new()` and was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cxk_keyring_free(keyring: *mut cxk_keyring) {
    // SAFETY: this function's contract.
    unsafe { handle::free::<Arc<Keys>>(keyring) };
}

/// The stored form of a key.
///
/// # Safety
///
/// The key's own pointer is NULL or points to as many bytes as it says.
unsafe fn stored(key: &cxk_key) -> Result<StoredKey, cxk_status> {
    let key_id = KeyId::new(key.key_id).ok_or(CXK_INVALID_KEY_ID)?;
    let level = level_of(key.level)?;
    if key.flags & !CXK_KEY_REVOKED != 0 || key.reserved != 0 {
        return Err(CXK_INVALID_OPTION);
    }
    // SAFETY: this function's contract.
    let bytes = unsafe { input::bytes(key.key, key.key_len, KEY_BYTES_MAX, CXK_INVALID_KEY) }?;
    let bytes = Key::new(bytes).map_err(|_| CXK_INVALID_KEY)?;
    let stored = StoredKey::new(key_id, level, bytes)
        .expiring(expiry_of(key.expires_ms))
        .created_at(key.created_ms);
    if key.flags & CXK_KEY_REVOKED != 0 {
        stored.revoke();
    }
    Ok(stored)
}
