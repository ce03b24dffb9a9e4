//! [`KeyMaterial`]: a [`StoredKey`] as bytes, which the caller encrypts and stores.

use core::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use super::key::{KeyId, Level};
use super::midstate::HashMidstate;
use super::secret_box::SecretBox;
use super::stored::{Material, Parts, StoredKey};

const BYTES: usize = 1 + DIGEST_BYTES + HashMidstate::BYTES;
const DIGEST_BYTES: usize = 32;

/// The first byte: what is stored, and the current level if it may be edited.
const STANDARD: u8 = 1;
const ADVANCED: u8 = 2;
const EDITABLE_STANDARD: u8 = 3;
const EDITABLE_ADVANCED: u8 = 4;

/// What a verifier stores of a key, as bytes.
///
/// For an Advanced key, and for one whose level may be edited, they can sign. Encrypt them with an
/// authenticated cipher, and bind them to the key id, before you store them. For a Standard key they
/// are its SHA-256.
///
/// ```
/// use cortexkey_core::auth::{Key, KeyId, Level, StoredKey};
///
/// let id = KeyId::new(7).ok_or("a key id is never 0")?;
/// let stored = StoredKey::editable(id, Level::Advanced, Key::new(b"test-api-key")?);
/// let material = stored.to_material();
/// let sealed = material.expose().to_vec(); // encrypt it here
///
/// let restored = StoredKey::from_material(id, &sealed)?;
/// assert_eq!(restored.level(), Level::Advanced);
/// assert!(StoredKey::from_material(id, &sealed[1..]).is_err());
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub struct KeyMaterial(SecretBox<[u8; BYTES]>);

impl KeyMaterial {
    /// The secret bytes.
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
    /// Returns what is stored as bytes, without id, expiry and revocation.
    pub fn to_material(&self) -> KeyMaterial {
        let mut bytes = SecretBox::new([0; BYTES]);
        let (kind, rest) = bytes.split_at_mut(1);
        let (digest_part, midstate_part) = rest.split_at_mut(DIGEST_BYTES);
        kind[0] = match self.material() {
            Material::Standard { digest } => {
                digest_part.copy_from_slice(digest);
                STANDARD
            }
            Material::Advanced { midstate } => {
                midstate.write(midstate_part);
                ADVANCED
            }
            Material::Editable { level, digest, midstate } => {
                digest_part.copy_from_slice(digest);
                midstate.write(midstate_part);
                match level {
                    Level::Standard => EDITABLE_STANDARD,
                    Level::Advanced => EDITABLE_ADVANCED,
                }
            }
        };
        KeyMaterial(bytes)
    }

    /// Restores a key from its material, without an expiry and without a time of creation.
    pub fn from_material(key_id: KeyId, bytes: &[u8]) -> Result<Self, BadKeyMaterial> {
        let bytes: &[u8; BYTES] = bytes.try_into().map_err(|_| BadKeyMaterial)?;
        let (kind, rest) = bytes.split_at(1);
        let (digest, midstate) = rest.split_at(DIGEST_BYTES);
        let mut digest: [u8; DIGEST_BYTES] = digest.try_into().map_err(|_| BadKeyMaterial)?;
        let read = || HashMidstate::read(midstate).ok_or(BadKeyMaterial);
        let parts = match kind[0] {
            STANDARD => Ok(Parts::standard(digest)),
            ADVANCED => read().map(Parts::advanced),
            EDITABLE_STANDARD => {
                read().map(|midstate| Parts::editable(Level::Standard, digest, midstate))
            }
            EDITABLE_ADVANCED => {
                read().map(|midstate| Parts::editable(Level::Advanced, digest, midstate))
            }
            _ => Err(BadKeyMaterial),
        };
        digest.zeroize();
        Ok(Self::from_parts(key_id, parts?))
    }
}

/// The bytes are not the material of a key.
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
    use crate::auth::guard::NoReplayGuard;
    use crate::auth::{Key, Nonce, NonceLengths, Request, Signer, Timestamp, Verifier};

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
                    let verified = Verifier::new().verify(
                        &request,
                        Some(&restored),
                        time.as_ms(),
                        &NoReplayGuard,
                    );
                    assert!(verified.is_ok(), "{len} {level}");
                }
            }
        }
    }

    #[test]
    fn damaged_material_is_refused() {
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
        // The length of the key, and a byte after its tail.
        assert_eq!(changed(BYTES - 66, 9), Some(BadKeyMaterial));
        assert_eq!(changed(BYTES - 1, 1), Some(BadKeyMaterial));
        assert_eq!(StoredKey::from_material(id, &[]).err(), Some(BadKeyMaterial));
    }
}
