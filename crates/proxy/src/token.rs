//! [`Token`]: the secret that a program presents to use the proxy.

use core::fmt;

use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

const TOKEN_BYTES: usize = 32;

/// 256 random bits as 64 hexadecimal digits. `Debug` does not show them.
pub struct Token(Zeroizing<String>);

impl Token {
    /// A new token; an error if the system returns no random bytes.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut bytes = Zeroizing::new([0; TOKEN_BYTES]);
        getrandom::fill(bytes.as_mut())?;
        Ok(Self(Zeroizing::new(hex::encode(bytes.as_ref()))))
    }

    /// The token, for passing it to a program.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Compares in constant time.
    pub(crate) fn matches(&self, text: &str) -> bool {
        self.0.as_bytes().ct_eq(text.as_bytes()).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}
