//! [`RequestExample`]: the first API call in several languages, as a starting point.
//!
//! Each text runs as printed. It contains the tenant, key id and level from the settings; what they
//! do not set, it reads from the environment, and fails without. No text contains a placeholder
//! host to which a key could be sent, and none contains a key: that comes from the environment,
//! where a secret store puts it. Tests run each of them against the emulator, except PowerShell's,
//! which says so.

mod ca_file;
mod request;

use core::fmt;
use core::str::FromStr;
use std::path::PathBuf;

use cortexkey_core::address::Address;
use cortexkey_core::auth::{KeyId, Level};

pub use ca_file::ExampleError;
pub use request::curl_command;

use crate::settings::{KnownSettings, known};
use crate::{Environment, ExplicitSettings, SettingsError};

/// Where a string reads a setting, and the code around a known value.
const PLACES: [(Setting, &str, [&str; 2]); 12] = [
    (Setting::Url, "${CORTEXKEY_API_URL:?set it to what the button Copy API URL gives}", ["", ""]),
    (
        Setting::KeyId,
        "${CORTEXKEY_API_KEY_ID:?set it to the number in the ID column of the API Keys table}",
        ["", ""],
    ),
    (Setting::Url, r#"os.environ["CORTEXKEY_API_URL"]"#, ["\"", "\""]),
    (Setting::KeyId, r#"os.environ["CORTEXKEY_API_KEY_ID"]"#, ["\"", "\""]),
    (Setting::Url, r#"os.Getenv("CORTEXKEY_API_URL")"#, ["\"", "\""]),
    (Setting::KeyId, r#"os.Getenv("CORTEXKEY_API_KEY_ID")"#, ["\"", "\""]),
    (Setting::Level, r#"os.Getenv("CORTEXKEY_API_KEY_TYPE")"#, ["\"", "\""]),
    (Setting::Url, r#"setting("CORTEXKEY_API_URL")"#, ["\"", "\""]),
    (Setting::KeyId, r#"setting("CORTEXKEY_API_KEY_ID")"#, ["\"", "\""]),
    (Setting::Level, r#"setting("CORTEXKEY_API_KEY_TYPE")"#, ["\"", "\""]),
    (Setting::Url, "= $env:CORTEXKEY_API_URL", ["= '", "'"]),
    (Setting::KeyId, "= $env:CORTEXKEY_API_KEY_ID", ["= '", "'"]),
];

/// The settings that a string may use.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Setting {
    Url,
    KeyId,
    Level,
}

/// A language with an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Language {
    /// A shell script around curl.
    Curl,
    /// Python 3, without packages.
    Python,
    /// Go, with this project's module.
    Go,
    /// C, with this project's library and libcurl.
    C,
    /// Rust, with this crate.
    Rust,
    /// PowerShell 7, untested.
    PowerShell,
}

impl Language {
    /// All languages.
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

    /// Whether this project's tests run the example.
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there are examples in curl, python, go, c, rust and powershell")]
pub struct UnknownLanguage;

/// The settings of an example; it reads missing ones from the environment.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct RequestExample {
    /// The address of the tenant's API.
    pub address: Option<Address>,
    /// The key's id.
    pub key_id: Option<KeyId>,
    /// The key's security level. An example for one level only is for Advanced by default: sending
    /// a digest by mistake is harmless, sending a key is not.
    pub level: Option<Level>,
    /// The file with certificates to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
}

impl RequestExample {
    /// Resolves the settings. An invalid setting is an error, not a missing one.
    pub fn resolve(
        given: &ExplicitSettings,
        environment: &Environment<'_>,
    ) -> Result<Self, SettingsError> {
        let KnownSettings { address, key_id, level, ca_file } = known(given, environment)?;
        Ok(Self { address, key_id, level, ca_file })
    }

    /// The example in a language. An error if it cannot respect a setting.
    ///
    /// ```
    /// use cortexkey_client::{RequestExample, ExplicitSettings, Language};
    ///
    /// let given = ExplicitSettings { key_id: Some("12".into()), ..ExplicitSettings::default() };
    /// let text = RequestExample::resolve(&given, &|_| None)?.text(Language::Curl)?;
    /// assert!(text.contains("KEY_ID=12\n") && text.contains("x-xdr-nonce"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn text(&self, language: Language) -> Result<String, ExampleError> {
        let mut text = template(language, self.level.unwrap_or(Level::Advanced)).to_owned();
        for (setting, place, [before, after]) in PLACES {
            if let Some(value) = self.value(setting) {
                text = text.replace(place, &format!("{before}{value}{after}"));
            }
        }
        text = text.replace("let given = ExplicitSettings::default();", &self.given_in_rust());
        match &self.ca_file {
            Some(file) => ca_file::with(&text, language, file),
            None => Ok(text),
        }
    }

    fn value(&self, setting: Setting) -> Option<String> {
        match setting {
            Setting::Url => self.address.as_ref().map(Address::to_string),
            Setting::KeyId => self.key_id.map(|id| id.to_string()),
            Setting::Level => self.level.map(|level| level.to_string()),
        }
    }

    fn given_in_rust(&self) -> String {
        let url = self.value(Setting::Url);
        let id = self.value(Setting::KeyId);
        let level = self.value(Setting::Level);
        let fields = [
            url.as_ref().map(|url| format!("fqdn: Some(\"{url}\".to_owned()),")),
            // The host is used unchanged: it was parsed before.
            url.as_ref().map(|_| "on_premises: true,".to_owned()),
            id.map(|id| format!("key_id: Some(\"{id}\".to_owned()),")),
            level.map(|level| format!("level: Some(\"{level}\".parse()?),")),
        ];
        let fields: Vec<String> =
            fields.into_iter().flatten().map(|field| format!("        {field}\n")).collect();
        let fields = fields.concat();
        if fields.is_empty() && self.ca_file.is_none() {
            return "let given = ExplicitSettings::default();".to_owned();
        }
        format!(
            "let given = ExplicitSettings {{\n{fields}        ..ExplicitSettings::default()\n    }};"
        )
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
    fn every_example_uses_the_settings() {
        let example = RequestExample {
            address: Some(Address::parse("tenant.example").unwrap()),
            key_id: KeyId::new(4711),
            level: Some(Level::Standard),
            ca_file: None,
        };
        for language in Language::ALL {
            let text = example.text(language).unwrap();
            assert!(text.contains("https://api-tenant.example"), "{language}");
            assert!(text.contains("4711") && !text.contains("acme"), "{language}");
            assert!(!text.contains("CORTEXKEY_API_URL"), "{language}");
            let others = RequestExample::default().text(language).unwrap();
            assert!(!others.contains("https://"), "{language}");
            assert_eq!(text.contains("UNTESTED"), !language.is_tested(), "{language}");
            assert_eq!(language.as_str().parse(), Ok(language));
        }
    }
}
