//! [`Seal`]: encrypts the rows of the store's file.

use std::io::{self, Read as _};
use std::path::Path;

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use cortexkey_system::{Links, WriteOptions, replace};
use zeroize::{Zeroize as _, Zeroizing};

use super::disk_error::{DiskError, KEY_VARIABLE};
use super::private;

const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;
/// The key file next to the data, if the environment does not provide the key.
const KEY_FILE: &str = "seal.key";

/// XChaCha20-Poly1305 with a key of this data folder.
pub(super) struct Seal(XChaCha20Poly1305);

impl Seal {
    /// The key from the environment; otherwise from the folder's own file, which is created if
    /// there is no data yet.
    pub(super) fn open(folder: &Path, is_new: bool) -> Result<Self, DiskError> {
        let mut key = Zeroizing::new([0_u8; KEY_BYTES]);
        if let Ok(text) = std::env::var(KEY_VARIABLE).map(Zeroizing::new) {
            hex::decode_to_slice(text.trim(), &mut *key).map_err(|_| DiskError::BadSealKey)?;
            return Ok(Self::with(&key));
        }
        match private::open_secret(&folder.join(KEY_FILE))? {
            Some(file) => {
                let mut text = Zeroizing::new(String::new());
                file.take(1024).read_to_string(&mut text)?;
                hex::decode_to_slice(text.trim(), &mut *key).map_err(|_| DiskError::BadSealKey)?;
            }
            None if is_new => {
                getrandom::fill(&mut *key).map_err(|_| DiskError::NoRandom)?;
                let mut text = Zeroizing::new(hex::encode(*key));
                text.push('\n');
                write_private(folder, KEY_FILE, text.as_bytes())?;
            }
            None => return Err(DiskError::NoSealKey),
        }
        Ok(Self::with(&key))
    }

    /// Whether a folder has its own key, whatever the file is.
    pub(super) fn has_file(folder: &Path) -> bool {
        folder.join(KEY_FILE).symlink_metadata().is_ok()
    }

    fn with(key: &[u8; KEY_BYTES]) -> Self {
        let mut key = Key::from(*key);
        let cipher = XChaCha20Poly1305::new(&key);
        key.zeroize();
        Self(cipher)
    }

    /// Seals bytes for one place.
    pub(super) fn seal(&self, place: &str, plain: &[u8]) -> Result<Vec<u8>, DiskError> {
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).map_err(|_| DiskError::NoRandom)?;
        let payload = Payload { msg: plain, aad: place.as_bytes() };
        // It fails only for messages of many gigabytes.
        let sealed =
            self.0.encrypt(&XNonce::from(nonce), payload).map_err(|_| DiskError::Damaged)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Opens what was sealed for this place.
    pub(super) fn unseal(
        &self,
        place: &str,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, DiskError> {
        let (nonce, sealed) =
            sealed.split_first_chunk::<NONCE_BYTES>().ok_or(DiskError::Damaged)?;
        let payload = Payload { msg: sealed, aad: place.as_bytes() };
        let plain = self.0.decrypt(&XNonce::from(*nonce), payload);
        plain.map(Zeroizing::new).map_err(|_| DiskError::Damaged)
    }
}

/// Creates a file that only its owner can read, completely or not at all, and ensures that it is on
/// disk.
fn write_private(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    // Nothing is written through another user's link.
    let how = WriteOptions::new(Links::Replace).private().durable();
    Ok(replace(&folder.join(name), bytes, how)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealed_rows_open_only_in_their_place() {
        let seal = Seal::with(&[7; 32]);
        let sealed = seal.seal("keys/1", b"secret").unwrap();
        assert!(!sealed.windows(6).any(|part| part == b"secret"));
        assert_eq!(*seal.unseal("keys/1", &sealed).unwrap(), b"secret");
        assert_ne!(sealed, seal.seal("keys/1", b"secret").unwrap());
        assert!(seal.unseal("keys/2", &sealed).is_err());
        assert!(Seal::with(&[8; 32]).unseal("keys/1", &sealed).is_err());
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(seal.unseal("keys/1", &changed).is_err(), "{at}");
        }
        for len in 0..sealed.len() {
            assert!(seal.unseal("keys/1", &sealed[..len]).is_err(), "{len}");
        }
    }
}
