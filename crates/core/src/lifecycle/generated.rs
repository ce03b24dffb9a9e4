//! [`GeneratedKey`]: a new key, which can be shown once.
//!
//! It cannot be printed, cloned or serialized, showing it consumes it, and it is wiped on drop.

use rand_core::TryCryptoRng;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::auth::secret_box::SecretBox;
use crate::auth::{Key, KeyId, Level, NONCE_BYTES, StoredKey, fill_key_part};

/// The length of a generated key, as in the product.
pub const GENERATED_KEY_BYTES: usize = 2 * NONCE_BYTES;

/// A new key: 128 characters of `[A-Za-z0-9]`, each equally likely.
///
/// ```
/// # #[cfg(feature = "system")] {
/// use cortexkey_core::auth::{KeyId, Level};
/// use cortexkey_core::lifecycle::GeneratedKey;
///
/// let key = GeneratedKey::from_system()?;
/// let id = KeyId::new(7).ok_or("a key id is never 0")?;
/// let stored = key.stored(id, Level::Advanced);
/// // Showing the key consumes it.
/// let shown = key.reveal(|text| text.len());
/// assert_eq!(shown, 128);
/// # }
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
///
/// ```compile_fail
/// let key = cortexkey_core::lifecycle::GeneratedKey::from_system().unwrap();
/// key.reveal(|text| println!("{text}"));
/// key.reveal(|text| println!("{text}")); // a key is shown once
/// ```
pub struct GeneratedKey(SecretBox<[[u8; NONCE_BYTES]; 2]>);

impl GeneratedKey {
    /// Draws a key from a cryptographic generator; its error is returned.
    pub fn try_generate<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<Self, R::Error> {
        let mut key = Self(SecretBox::new([[0; NONCE_BYTES]; 2]));
        key.0.iter_mut().try_for_each(|part| fill_key_part(rng, part))?;
        Ok(key)
    }

    /// Draws a key from the operating system.
    #[cfg(feature = "system")]
    pub fn from_system() -> Result<Self, getrandom::Error> {
        Self::try_generate(&mut getrandom::SysRng)
    }

    /// What a verifier stores of it; its level may be edited later.
    pub fn stored(&self, key_id: KeyId, level: Level) -> StoredKey {
        StoredKey::editable(key_id, level, Key::from_generated(self.0.as_flattened()))
    }

    /// Shows the key, once: to a terminal, a file, a secret store.
    pub fn reveal<T>(self, show: impl FnOnce(&str) -> T) -> T {
        show(core::str::from_utf8(self.0.as_flattened()).unwrap_or_default())
    }
}

impl Drop for GeneratedKey {
    fn drop(&mut self) {
        self.0.as_flattened_mut().zeroize();
    }
}

impl ZeroizeOnDrop for GeneratedKey {}
