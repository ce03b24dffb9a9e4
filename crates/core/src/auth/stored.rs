//! [`StoredKey`]: what a verifier stores of a key, which is never the key itself.

use core::fmt;
use core::sync::atomic::{AtomicBool, Ordering};

use zeroize::Zeroize;

use super::key::{Key, KeyId, Level};
use super::midstate::HashMidstate;
use super::secret_box::SecretBox;
use crate::expiry::Expiry;

/// A key as a verifier stores it.
///
/// For a Standard key, that is its SHA-256, which suffices for long, random keys; a short key that a
/// person chose can be guessed from it. For an Advanced key, and for one whose level may be edited, it
/// is the state of SHA-256 after the key, which can sign: encrypt it at rest.
///
/// The bytes are wiped on drop.
pub struct StoredKey {
    key_id: KeyId,
    parts: Parts,
    expiry: Expiry,
    revoked: AtomicBool,
    /// When the key was created, in milliseconds since 1970, for keys that are younger than the
    /// replay guard; otherwise 0.
    created_ms: u64,
}

/// What is stored for each level: everything that is needed to check a request of that level.
#[derive(Clone, Copy)]
pub(super) enum Material<'k> {
    Standard {
        digest: &'k [u8; 32],
    },
    Advanced {
        midstate: &'k HashMidstate,
    },
    /// Both, so that a check takes as long as for a key whose level is fixed.
    Editable {
        level: Level,
        digest: &'k [u8; 32],
        midstate: &'k HashMidstate,
    },
}

/// An owned [`Material`] as a struct, in which every byte but padding is meaningful. An enum has
/// unused bytes in its smaller variants, and a compiler once filled them with a part of the key.
pub(super) struct Parts {
    /// Zeros if the level is always Advanced.
    digest: [u8; 32],
    /// `None` if the level is always Standard.
    midstate: Option<SecretBox<HashMidstate>>,
    level: Level,
    is_editable: bool,
}

impl StoredKey {
    /// Stores a key whose level never changes.
    pub fn new(key_id: KeyId, level: Level, key: Key<'_>) -> Self {
        let parts = match level {
            Level::Standard => Parts::standard(HashMidstate::digest_of(key).to_bytes()),
            Level::Advanced => Parts::advanced(HashMidstate::new(key)),
        };
        Self::from_parts(key_id, parts)
    }

    /// Stores a key whose level may be edited later.
    pub fn editable(key_id: KeyId, level: Level, key: Key<'_>) -> Self {
        let midstate = HashMidstate::new(key);
        let digest = midstate.key_digest().to_bytes();
        Self::from_parts(key_id, Parts::editable(level, digest, midstate))
    }

    pub(super) fn from_parts(key_id: KeyId, parts: Parts) -> Self {
        Self {
            key_id,
            parts,
            expiry: Expiry::Never,
            revoked: AtomicBool::new(false),
            created_ms: 0,
        }
    }

    /// Sets an expiry. Without one, the key is valid until it is revoked.
    #[must_use]
    pub fn expiring(mut self, expiry: Expiry) -> Self {
        self.expiry = expiry;
        self
    }

    /// Sets the time of creation, in milliseconds since 1970. A replay guard that is older than the
    /// key cannot have forgotten a request of it.
    ///
    /// Use it only for keys that are created while the guard runs, not for keys from a store: a clock
    /// that was set back may have given them a time in the future.
    #[must_use]
    pub fn created_at(mut self, created_ms: u64) -> Self {
        self.created_ms = created_ms;
        self
    }

    /// Revokes the key permanently. Other threads see it in every check that starts after the call.
    pub fn revoke(&self) {
        self.revoked.store(true, Ordering::Release);
    }

    /// Changes the level, which breaks every client of the key.
    pub fn set_level(&mut self, new: Level) -> Result<(), LevelEditRefused> {
        if self.parts.is_editable {
            self.parts.level = new;
        }
        if self.level() == new { Ok(()) } else { Err(LevelEditRefused) }
    }

    /// The key's id.
    pub fn key_id(&self) -> KeyId {
        self.key_id
    }

    /// The key's security level.
    pub fn level(&self) -> Level {
        self.parts.level
    }

    /// The key's expiry.
    pub fn expiry(&self) -> Expiry {
        self.expiry
    }

    /// Whether the key is revoked.
    pub fn is_revoked(&self) -> bool {
        self.revoked.load(Ordering::Acquire)
    }

    /// When the key was created, in milliseconds since 1970; 0 if unknown.
    pub fn created_ms(&self) -> u64 {
        self.created_ms
    }

    pub(super) fn material(&self) -> Material<'_> {
        let Parts { digest, midstate, level, is_editable } = &self.parts;
        match midstate {
            None => Material::Standard { digest },
            Some(midstate) if *is_editable => {
                Material::Editable { level: *level, digest, midstate }
            }
            Some(midstate) => Material::Advanced { midstate },
        }
    }
}

impl Parts {
    pub(super) fn standard(digest: [u8; 32]) -> Self {
        Self { digest, midstate: None, level: Level::Standard, is_editable: false }
    }

    pub(super) fn advanced(midstate: SecretBox<HashMidstate>) -> Self {
        let midstate = Some(midstate);
        Self { digest: [0; 32], midstate, level: Level::Advanced, is_editable: false }
    }

    pub(super) fn editable(
        level: Level,
        digest: [u8; 32],
        midstate: SecretBox<HashMidstate>,
    ) -> Self {
        Self { digest, midstate: Some(midstate), level, is_editable: true }
    }
}

impl Drop for Parts {
    fn drop(&mut self) {
        // The midstate wipes itself.
        self.digest.zeroize();
    }
}

/// The key was stored with a fixed level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LevelEditRefused;

impl fmt::Display for LevelEditRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the level of this key is fixed, because only the data for that level was stored; \
             use `StoredKey::editable` for a key whose level may change",
        )
    }
}

impl core::error::Error for LevelEditRefused {}
