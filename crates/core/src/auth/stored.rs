//! [`StoredKey`]: what a verifier keeps of a key.
//!
//! It refuses to keep the key itself, and to be printed, cloned or serialized.

mod material;

use core::fmt;
use core::sync::atomic::{AtomicBool, Ordering};

use zeroize::Zeroize;

pub use material::{BadKeyMaterial, KeyMaterial};

use super::absorbed::AbsorbedKey;
use super::kept::Kept;
use super::key::{Key, KeyId, Level};
use crate::lifecycle::Expiry;

/// A key as a verifier keeps it.
///
/// Of a Standard key it keeps a SHA-256. Keys are generated long and random, so that is enough; a
/// short key that a person made up can be guessed from it. Of an Advanced key, and of one whose
/// level may be edited, it keeps the absorbed state, which can still sign: seal it at rest.
///
/// The bytes are wiped on drop.
pub struct StoredKey {
    key_id: KeyId,
    parts: Parts,
    expiry: Expiry,
    revoked: AtomicBool,
    /// When the key was made, where the verifier's replay guard may know that it is younger than
    /// the guard itself.
    created_ms: u64,
}

/// What is kept follows from what may be asked, so no level lacks what checks it.
#[derive(Clone, Copy)]
pub(super) enum Material<'k> {
    Standard {
        digest: &'k [u8; 32],
    },
    Advanced {
        absorbed: &'k AbsorbedKey,
    },
    /// Both, so that checking takes as long as for a key whose level is fixed.
    Editable {
        level: Level,
        digest: &'k [u8; 32],
        absorbed: &'k AbsorbedKey,
    },
}

/// A [`Material`], owned, and but for padding without a byte that has no meaning. An enum has many:
/// what a variant does not use. A compiler fills them with whatever it has at hand, which was a part
/// of the key once. Without the feature `alloc` the absorbed key lies here, and so does its place
/// where there is none.
struct Parts {
    /// Zeros where the level is Advanced for good.
    digest: [u8; 32],
    /// None where the level is Standard for good.
    absorbed: Option<Kept<AbsorbedKey>>,
    level: Level,
    is_editable: bool,
}

impl StoredKey {
    /// What to keep of a key whose level never changes.
    pub fn new(key_id: KeyId, level: Level, key: Key<'_>) -> Self {
        let parts = match level {
            Level::Standard => Parts::standard(AbsorbedKey::digest_of(key).to_bytes()),
            Level::Advanced => Parts::advanced(AbsorbedKey::new(key)),
        };
        Self::with(key_id, parts)
    }

    /// What to keep of a key whose level may be edited later.
    pub fn editable(key_id: KeyId, level: Level, key: Key<'_>) -> Self {
        let absorbed = AbsorbedKey::new(key);
        let digest = absorbed.key_digest().to_bytes();
        Self::with(key_id, Parts::editable(level, digest, absorbed))
    }

    fn with(key_id: KeyId, parts: Parts) -> Self {
        Self {
            key_id,
            parts,
            expiry: Expiry::Never,
            revoked: AtomicBool::new(false),
            created_ms: 0,
        }
    }

    /// With an expiry. Without it the key lives until it is revoked.
    #[must_use]
    pub fn expiring(mut self, expiry: Expiry) -> Self {
        self.expiry = expiry;
        self
    }

    /// With the time at which it was made, in milliseconds since 1970. A replay guard that is
    /// older than the key need not fear that it forgot a request of it.
    ///
    /// Only for keys that are made while the guard lives: leave it out for keys that come from a
    /// store, since a clock that was set back may have given them a time that is still to come.
    #[must_use]
    pub fn created_at(mut self, created_ms: u64) -> Self {
        self.created_ms = created_ms;
        self
    }

    /// Revokes the key, for good. It may be shared: what is verified after the call sees it.
    pub fn revoke(&self) {
        self.revoked.store(true, Ordering::Release);
    }

    /// Changes the level. It breaks every client of the key, so it is seldom right.
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

    /// Until when it lives.
    pub fn expiry(&self) -> Expiry {
        self.expiry
    }

    /// Whether it was revoked.
    pub fn is_revoked(&self) -> bool {
        self.revoked.load(Ordering::Acquire)
    }

    /// When it was made, in milliseconds since 1970; 0 where nobody said.
    pub fn created_ms(&self) -> u64 {
        self.created_ms
    }

    pub(super) fn material(&self) -> Material<'_> {
        let Parts { digest, absorbed, level, is_editable } = &self.parts;
        match absorbed {
            None => Material::Standard { digest },
            Some(absorbed) if *is_editable => {
                Material::Editable { level: *level, digest, absorbed }
            }
            Some(absorbed) => Material::Advanced { absorbed },
        }
    }
}

impl Parts {
    fn standard(digest: [u8; 32]) -> Self {
        Self { digest, absorbed: None, level: Level::Standard, is_editable: false }
    }

    fn advanced(absorbed: Kept<AbsorbedKey>) -> Self {
        let absorbed = Some(absorbed);
        Self { digest: [0; 32], absorbed, level: Level::Advanced, is_editable: false }
    }

    fn editable(level: Level, digest: [u8; 32], absorbed: Kept<AbsorbedKey>) -> Self {
        Self { digest, absorbed: Some(absorbed), level, is_editable: true }
    }
}

impl Drop for Parts {
    fn drop(&mut self) {
        // An absorbed key wipes itself.
        self.digest.zeroize();
    }
}

/// The key was stored as one whose level is fixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LevelEditRefused;

impl fmt::Display for LevelEditRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the level of this key is fixed: only what its level needs was kept; store a key \
             whose level may change with `StoredKey::editable`",
        )
    }
}

impl core::error::Error for LevelEditRefused {}
