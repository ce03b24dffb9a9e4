//! [`Secret`]: a string that only one response contains, such as a generated key.
//!
//! It cannot be printed or cloned, and is wiped on drop. It can be serialized, because the emulator
//! returns it in a response.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// A secret string in a response, wiped on drop.
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
    /// Takes the string, which is wiped with the secret.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The string. Named so that its uses can be found.
    pub fn expose(&self) -> &str {
        &self.0
    }
}
