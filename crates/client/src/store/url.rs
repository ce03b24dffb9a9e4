//! [`StoreUrl`]: the address of a secret in a store.
//!
//! One table names the schemes and their forms. A part of an address becomes a path or an argument
//! of another program. It may therefore contain only plain characters, and may not begin with `-`.
//!
//! Where the mount of a Vault ends cannot be seen from a path, so a mount of several segments is
//! followed by `//`; without it, the mount is the first segment.

use core::fmt;

use thiserror::Error;

/// The field that holds the key by default.
const FIELD: &str = "key";
const URL_BYTES_MAX: usize = 1024;
const FIELD_BYTES_MAX: usize = 64;

/// A kind of store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Vault,
    Aws,
    Azure,
    Gcp,
    OnePassword,
    Kubernetes,
    Keychain,
    Pass,
    File,
}

/// How many parts follow the scheme.
#[derive(Clone, Copy)]
enum Parts {
    Exactly(usize),
    AtLeast(usize),
}

struct Scheme {
    kind: Kind,
    name: &'static str,
    form: &'static str,
    parts: Parts,
    /// Whether `#field` may follow.
    has_field: bool,
}

const SCHEMES: [Scheme; 9] = [
    scheme(Kind::Vault, "vault", "vault://MOUNT/PATH[#FIELD]", Parts::AtLeast(2), true),
    scheme(Kind::Aws, "aws-sm", "aws-sm://NAME[#FIELD]", Parts::AtLeast(1), true),
    scheme(Kind::Azure, "azure-kv", "azure-kv://VAULT/NAME[#FIELD]", Parts::Exactly(2), true),
    scheme(Kind::Gcp, "gcp-sm", "gcp-sm://PROJECT/NAME[#FIELD]", Parts::Exactly(2), true),
    scheme(Kind::OnePassword, "op", "op://VAULT/ITEM/FIELD", Parts::Exactly(3), false),
    scheme(Kind::Kubernetes, "k8s", "k8s://NAMESPACE/SECRET[#FIELD]", Parts::Exactly(2), true),
    scheme(Kind::Keychain, "keychain", "keychain://PROFILE[#FIELD]", Parts::Exactly(1), true),
    scheme(Kind::Pass, "pass", "pass://PATH", Parts::AtLeast(1), false),
    scheme(Kind::File, "file", "file:///PATH[#FIELD]", Parts::AtLeast(1), true),
];

const fn scheme(
    kind: Kind,
    name: &'static str,
    form: &'static str,
    parts: Parts,
    has_field: bool,
) -> Scheme {
    Scheme { kind, name, form, parts, has_field }
}

/// The address of a secret in a store.
///
/// ```
/// use cortexkey_client::StoreUrl;
///
/// let url: StoreUrl = "vault://secret/cortex/siem#key".parse()?;
/// assert_eq!(url.to_string(), "vault://secret/cortex/siem#key");
/// # Ok::<(), cortexkey_client::StoreUrlError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreUrl {
    pub(super) kind: Kind,
    pub(super) parts: Vec<String>,
    pub(super) field: String,
    text: String,
}

/// Why a string is not the address of a secret. The message does not repeat the string, which may
/// contain a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum StoreUrlError {
    /// It names no known kind of store.
    #[error("names no known secret store; expected one of {}", forms())]
    Scheme,
    /// It has too few or too many parts.
    #[error("is not of the form {0}")]
    Form(&'static str),
    /// It has a character that is not allowed.
    #[error(
        "has a part that is empty, starts with `-` or has other characters than letters, digits \
         and `-_.@+=:`; expected {0}"
    )]
    Part(&'static str),
    /// The field's name is not allowed.
    #[error("names a field with other characters than letters, digits and `-_.`; expected {0}")]
    Field(&'static str),
}

impl core::str::FromStr for StoreUrl {
    type Err = StoreUrlError;

    fn from_str(text: &str) -> Result<Self, StoreUrlError> {
        let (name, rest) = text.split_once("://").ok_or(StoreUrlError::Scheme)?;
        let scheme = SCHEMES.iter().find(|scheme| scheme.name == name);
        let scheme = scheme.ok_or(StoreUrlError::Scheme)?;
        let form = scheme.form;
        if text.len() > URL_BYTES_MAX {
            return Err(StoreUrlError::Form(form));
        }
        let (path, field) = match rest.split_once('#') {
            Some(_) if !scheme.has_field => return Err(StoreUrlError::Form(form)),
            Some((path, field)) => (path, field),
            None => (rest, FIELD),
        };
        let path = match (scheme.kind, path.strip_prefix('/')) {
            (Kind::File, Some(path)) => path,
            (Kind::File, None) => return Err(StoreUrlError::Form(form)),
            (_, _) => path,
        };
        let (mount, path) = match path.split_once("//") {
            Some((mount, path)) if scheme.kind == Kind::Vault => (Some(mount), path),
            _ => (None, path),
        };
        let mut parts: Vec<String> = path.split('/').map(str::to_owned).collect();
        let is_mount = |mount: &str| mount.split('/').all(|part| is_part(part, false));
        if let Some(mount) = mount {
            if !is_mount(mount) {
                return Err(StoreUrlError::Part(form));
            }
            parts.insert(0, mount.to_owned());
        }
        let fits = match scheme.parts {
            Parts::Exactly(count) => parts.len() == count,
            Parts::AtLeast(count) => parts.len() >= count,
        };
        if !fits {
            return Err(StoreUrlError::Form(form));
        }
        let spaces = matches!(scheme.kind, Kind::OnePassword | Kind::Pass | Kind::File);
        let checked = parts.get(usize::from(mount.is_some())..).unwrap_or_default();
        if !checked.iter().all(|part| is_part(part, spaces)) {
            return Err(StoreUrlError::Part(form));
        }
        let field = match scheme.kind {
            Kind::OnePassword => parts.pop().unwrap_or_default(),
            _ => field.to_owned(),
        };
        if !is_field(&field, spaces) {
            return Err(StoreUrlError::Field(form));
        }
        Ok(Self { kind: scheme.kind, parts, field, text: text.to_owned() })
    }
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl StoreUrl {
    /// The parts as one path.
    pub(super) fn path(&self) -> String {
        self.parts.join("/")
    }
}

fn is_part(part: &str, spaces: bool) -> bool {
    let is_plain =
        |c: char| c.is_ascii_alphanumeric() || "-_.@+=:".contains(c) || (spaces && c == ' ');
    !matches!(part, "" | "." | "..") && !part.starts_with('-') && part.chars().all(is_plain)
}

fn is_field(field: &str, spaces: bool) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c) || (spaces && c == ' ');
    (1..=FIELD_BYTES_MAX).contains(&field.len())
        && !field.starts_with(['-', '.'])
        && field.chars().all(is_plain)
}

fn forms() -> String {
    let forms: Vec<&str> = SCHEMES.iter().map(|scheme| scheme.form).collect();
    forms.join(", ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn parse(text: &str) -> Result<StoreUrl, StoreUrlError> {
        text.parse()
    }

    #[test]
    fn each_scheme_has_its_parts() {
        for (text, parts, field) in [
            ("vault://secret/cortex/siem", &["secret", "cortex", "siem"][..], "key"),
            ("vault://secret/cortex#prod", &["secret", "cortex"], "prod"),
            ("vault://team/kv//cortex/siem", &["team/kv", "cortex", "siem"], "key"),
            ("vault://secret//cortex#prod", &["secret", "cortex"], "prod"),
            ("aws-sm://cortex/siem", &["cortex", "siem"], "key"),
            ("azure-kv://ops/cortex-siem", &["ops", "cortex-siem"], "key"),
            ("gcp-sm://my-project/cortex", &["my-project", "cortex"], "key"),
            ("op://My Vault/Cortex/api key", &["My Vault", "Cortex"], "api key"),
            ("k8s://monitoring/cortex#token", &["monitoring", "cortex"], "token"),
            ("keychain://prod", &["prod"], "key"),
            ("pass://cortex/siem", &["cortex", "siem"], "key"),
            ("file:///var/lib/cortex.json", &["var", "lib", "cortex.json"], "key"),
        ] {
            let url = parse(text).unwrap();
            assert_eq!((url.parts.as_slice(), url.field.as_str()), (&*to_owned(parts), field));
            assert_eq!(url.to_string(), text);
        }
    }

    fn to_owned(parts: &[&str]) -> Vec<String> {
        parts.iter().map(|part| (*part).to_owned()).collect()
    }

    #[test]
    fn option_like_and_escaping_names_are_refused() {
        for text in [
            "vault://secret",
            "vault://secret/",
            "vault:///secret/x",
            "vault:////x",
            "vault://a/..//x",
            "vault://a//",
            "vault://a//b//c",
            "vault://a///b",
            "pass://a//b",
            "vault://secret/../sys/raw",
            "vault://secret/a?b",
            "vault://secret/a%2Fb",
            "vault://user:pass word@host/a",
            "aws-sm://--debug",
            "azure-kv://ops/a/b",
            "gcp-sm://p",
            "op://v/i",
            "op://v/i/s/f",
            "op://v/i/f#g",
            "k8s://ns/name#-x",
            "k8s://ns/name#",
            "keychain://a/b",
            "pass://a#b",
            "file://relative",
            "file:///a/../b",
            "https://example.com/x",
            "plain",
            "",
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(text.len() < 6 || !error.contains(text), "{error}");
        }
        assert!(parse(&format!("vault://secret/{}", "x".repeat(2000))).is_err());
    }
}
