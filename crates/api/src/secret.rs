//! [`Secret`]: a string that a response shows once, such as a generated key.
//!
//! It cannot be printed or cloned, and is wiped on drop. It can be serialized, since the emulator
//! returns it in a response.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Secret text of an answer, wiped on drop.
///
/// ```
/// use cortexkey_api::Secret;
///
/// let secret = Secret::new("DCdIeow0xm73EwnxjPza".to_owned());
/// assert_eq!(secret.expose().len(), 20);
/// ```
///
/// ```compile_fail
/// // It cannot be printed.
/// println!("{:?}", cortexkey_api::Secret::new(String::new()));
/// ```
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text; it is wiped with the secret.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text. Named so that its uses can be found.
    pub fn expose(&self) -> &str {
        &self.0
    }
}
