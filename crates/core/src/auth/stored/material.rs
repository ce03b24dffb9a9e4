//! [`KeyMaterial`]: what a verifier keeps of a key, as bytes to seal and store.
//!
//! It refuses to be printed or cloned, is wiped on drop, and knows no sealing itself.

use core::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use super::{Material, Parts, StoredKey};
use crate::auth::absorbed::AbsorbedKey;
use crate::auth::kept::Kept;
use crate::auth::key::{KeyId, Level};

/// How many bytes there are.
const BYTES: usize = 1 + DIGEST_BYTES + AbsorbedKey::BYTES;
const DIGEST_BYTES: usize = 32;

/// The first byte: what is kept, and the level where it may be edited.
const STANDARD: u8 = 1;
const ADVANCED: u8 = 2;
const EDITABLE_STANDARD: u8 = 3;
const EDITABLE_ADVANCED: u8 = 4;

/// What a verifier keeps of a key, as bytes.
///
/// Of an Advanced key, and of one whose level may be edited, they can sign: whoever stores them
/// seals them first, with a cipher that also authenticates, and binds them to the key id. Of a
/// Standard key they are a SHA-256 of it.
///
/// ```
/// use cortexkey_core::auth::{Key, KeyId, Level, StoredKey};
///
/// let id = KeyId::new(7).ok_or("a key id is never 0")?;
/// let stored = StoredKey::editable(id, Level::Advanced, Key::new(b"test-api-key")?);
/// let material = stored.to_material();
/// let sealed = material.expose().to_vec(); // here a cipher is put between
///
/// let restored = StoredKey::from_material(id, &sealed)?;
/// assert_eq!(restored.level(), Level::Advanced);
/// assert!(StoredKey::from_material(id, &sealed[1..]).is_err());
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub struct KeyMaterial(Kept<[u8; BYTES]>);

impl KeyMaterial {
    /// The bytes. Named so that its uses can be found.
    pub fn expose(&self) -> &[u8] {
        &*self.0
    }
}

impl Drop for KeyMaterial {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl ZeroizeOnDrop for KeyMaterial {}

impl StoredKey {
    /// What is kept, as bytes to seal and store. Id, expiry and revocation are not in it.
    pub fn to_material(&self) -> KeyMaterial {
        let mut bytes = Kept::new([0; BYTES]);
        let (kind, rest) = bytes.split_at_mut(1);
        let (digest_part, absorbed_part) = rest.split_at_mut(DIGEST_BYTES);
        kind[0] = match self.material() {
            Material::Standard { digest } => {
                digest_part.copy_from_slice(digest);
                STANDARD
            }
            Material::Advanced { absorbed } => {
                absorbed.write(absorbed_part);
                ADVANCED
            }
            Material::Editable { level, digest, absorbed } => {
                digest_part.copy_from_slice(digest);
                absorbed.write(absorbed_part);
                match level {
                    Level::Standard => EDITABLE_STANDARD,
                    Level::Advanced => EDITABLE_ADVANCED,
                }
            }
        };
        KeyMaterial(bytes)
    }

    /// A key from what was stored of it. It never expires until it is told to, and for a replay
    /// guard it is as old as can be.
    pub fn from_material(key_id: KeyId, bytes: &[u8]) -> Result<Self, BadKeyMaterial> {
        let bytes: &[u8; BYTES] = bytes.try_into().map_err(|_| BadKeyMaterial)?;
        let (kind, rest) = bytes.split_at(1);
        let (digest, absorbed) = rest.split_at(DIGEST_BYTES);
        let mut digest: [u8; DIGEST_BYTES] = digest.try_into().map_err(|_| BadKeyMaterial)?;
        let read = || AbsorbedKey::read(absorbed).ok_or(BadKeyMaterial);
        let parts = match kind[0] {
            STANDARD => Ok(Parts::standard(digest)),
            ADVANCED => read().map(Parts::advanced),
            EDITABLE_STANDARD => {
                read().map(|absorbed| Parts::editable(Level::Standard, digest, absorbed))
            }
            EDITABLE_ADVANCED => {
                read().map(|absorbed| Parts::editable(Level::Advanced, digest, absorbed))
            }
            _ => Err(BadKeyMaterial),
        };
        digest.zeroize();
        Ok(Self::with(key_id, parts?))
    }
}

/// Bytes are no material of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadKeyMaterial;

impl fmt::Display for BadKeyMaterial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "what was stored of a key is damaged, or of another version; restore it, or generate \
             a new key",
        )
    }
}

impl core::error::Error for BadKeyMaterial {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::{Key, Nonce, NonceLengths, Request, Signer, Timestamp, Verifier};
    use crate::replay::Unguarded;

    #[test]
    fn a_key_that_was_stored_checks_as_before() {
        let text = [b'k'; 200];
        let id = KeyId::new(7).unwrap();
        for len in [1, 63, 64, 65, 128, 200] {
            let key = Key::new(&text[..len]).unwrap();
            for level in [Level::Standard, Level::Advanced] {
                for stored in [StoredKey::new(id, level, key), StoredKey::editable(id, level, key)]
                {
                    let bytes = stored.to_material();
                    let restored = StoredKey::from_material(id, bytes.expose()).unwrap();
                    assert_eq!(restored.to_material().expose(), bytes.expose());
                    let signer = Signer::new(id, level, key);
                    let time = Timestamp::from_ms(1_790_611_727_783).unwrap();
                    let nonce = Nonce::new(&[b'n'; 64]).unwrap();
                    let headers = signer.sign_with(nonce, time);
                    let request = Request::parse(headers.iter(), NonceLengths::EXACT).unwrap();
                    let verified =
                        Verifier::new().verify(&request, Some(&restored), time.as_ms(), &Unguarded);
                    assert!(verified.is_ok(), "{len} {level}");
                }
            }
        }
    }

    #[test]
    fn what_is_no_material_is_refused() {
        let id = KeyId::new(7).unwrap();
        let key = Key::new(b"test-api-key").unwrap();
        let material = StoredKey::editable(id, Level::Advanced, key).to_material();
        let changed = |at: usize, byte: u8| {
            let mut bytes = material.expose().to_vec();
            bytes[at] = byte;
            StoredKey::from_material(id, &bytes).err()
        };
        assert_eq!(changed(0, 0), Some(BadKeyMaterial));
        assert_eq!(changed(0, 5), Some(BadKeyMaterial));
        // The length of the key, and what lies behind its tail.
        assert_eq!(changed(BYTES - 66, 9), Some(BadKeyMaterial));
        assert_eq!(changed(BYTES - 1, 1), Some(BadKeyMaterial));
        assert_eq!(StoredKey::from_material(id, &[]).err(), Some(BadKeyMaterial));
    }
}
