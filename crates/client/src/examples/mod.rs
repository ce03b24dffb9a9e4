//! [`Example`]: the first API call in several languages, to begin one's own code with.
//!
//! It refuses to hold a key: each text reads it from the environment, where a secret store puts it.
//! It refuses texts that nobody ran: tests run each of them against a tenant, but for
//! PowerShell's, which say so themselves.

use core::fmt;
use core::str::FromStr;

use cortexkey_core::address::Address;
use cortexkey_core::auth::{KeyId, Level};

/// What stands in the texts, and is replaced by the user's own.
const URL: &str = "https://api-acme.xdr.us.paloaltonetworks.com";
const KEY_ID: (&str, &str) = ("CORTEXKEY_API_KEY_ID=7", "CORTEXKEY_API_KEY_ID=");
const KEY_ID_QUOTED: (&str, &str) = ("CORTEXKEY_API_KEY_ID = '7'", "CORTEXKEY_API_KEY_ID = ");
const LEVEL: (&str, &str) = ("CORTEXKEY_API_KEY_TYPE=advanced", "CORTEXKEY_API_KEY_TYPE=");

/// A language that there is an example in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Language {
    /// A shell script around curl.
    Curl,
    /// Python 3, without packages.
    Python,
    /// Go, with the module of this project.
    Go,
    /// C, with the library of this project and libcurl.
    C,
    /// Rust, with this crate.
    Rust,
    /// PowerShell 7, untested.
    PowerShell,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Curl, Self::Python, Self::Go, Self::C, Self::Rust, Self::PowerShell];

    /// The name on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Curl => "curl",
            Self::Python => "python",
            Self::Go => "go",
            Self::C => "c",
            Self::Rust => "rust",
            Self::PowerShell => "powershell",
        }
    }

    /// Whether the tests of this project run it.
    pub const fn is_tested(self) -> bool {
        !matches!(self, Self::PowerShell)
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Language {
    type Err = UnknownLanguage;

    fn from_str(text: &str) -> Result<Self, UnknownLanguage> {
        Self::ALL.into_iter().find(|language| language.as_str() == text).ok_or(UnknownLanguage)
    }
}

/// There is no example in this language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownLanguage;

impl fmt::Display for UnknownLanguage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there are examples in curl, python, go, c, rust and powershell")
    }
}

impl core::error::Error for UnknownLanguage {}

/// Whose key an example is for; what is `None` stays an example.
#[derive(Clone, Debug, Default)]
pub struct Example {
    /// Where the tenant's API is.
    pub address: Option<Address>,
    /// The key's id.
    pub key_id: Option<KeyId>,
    /// The key's security level; Advanced unless said.
    pub level: Option<Level>,
}

impl Example {
    /// The text in a language.
    ///
    /// ```
    /// use cortexkey_client::{Example, Language};
    ///
    /// let text = Example { key_id: "12".parse().ok(), ..Example::default() }.text(Language::Curl);
    /// assert!(text.contains("CORTEXKEY_API_KEY_ID=12\n") && text.contains("x-xdr-nonce"));
    /// ```
    pub fn text(&self, language: Language) -> String {
        let level = self.level.unwrap_or(Level::Advanced);
        let mut text = template(language, level).to_owned();
        let mut replace = |(known, before): (&str, &str), value: String| {
            text = text.replace(known, &format!("{before}{value}"));
        };
        if let Some(id) = self.key_id {
            replace(KEY_ID, id.to_string());
            replace(KEY_ID_QUOTED, format!("'{id}'"));
        }
        replace(LEVEL, level.to_string());
        if let Some(address) = &self.address {
            replace((URL, ""), address.to_string());
        }
        text
    }
}

const fn template(language: Language, level: Level) -> &'static str {
    match (language, level) {
        (Language::Curl, Level::Standard) => include_str!("standard.sh"),
        (Language::Curl, Level::Advanced) => include_str!("advanced.sh"),
        (Language::Python, Level::Standard) => include_str!("standard.py"),
        (Language::Python, Level::Advanced) => include_str!("advanced.py"),
        (Language::PowerShell, Level::Standard) => include_str!("standard.ps1"),
        (Language::PowerShell, Level::Advanced) => include_str!("advanced.ps1"),
        (Language::Go, _) => include_str!("first_call.go.txt"),
        (Language::C, _) => include_str!("first_call.c"),
        (Language::Rust, _) => include_str!("../../examples/first_call.rs"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn every_text_takes_the_users_settings() {
        let example = Example {
            address: Some(Address::parse("tenant.example").unwrap()),
            key_id: KeyId::new(4711),
            level: Some(Level::Standard),
        };
        for language in Language::ALL {
            let text = example.text(language);
            assert!(text.contains("https://api-tenant.example"), "{language}");
            assert!(text.contains("4711") && !text.contains("acme"), "{language}");
            assert!(!text.contains("ID=7") && !text.contains("'7'"), "{language}");
            assert_eq!(text.contains("UNTESTED"), !language.is_tested(), "{language}");
            assert_eq!(language.as_str().parse(), Ok(language));
        }
    }
}
