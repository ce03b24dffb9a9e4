//! Keeps keys out of the output, on both streams and in every format.
//!
//! Three kinds of strings are masked: every key that this process knows, in each encoding that a
//! format may use; what looks like a key among the arguments and settings, because users sometimes
//! put a key where a name or file belongs; and any run of characters that is longer than names are.
//! Only output that is meant to show a key (`sign`, `tenant`, `--show`) bypasses this.

use std::borrow::Cow;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use zeroize::Zeroizing;

/// Printed in place of a key.
const HIDDEN: &str = "[hidden]";
/// A shorter key would mask ordinary words and numbers.
const KNOWN_BYTES_MIN: usize = 8;
/// An argument of this length may be a key: the shortest keys that tools of the field generate have
/// 16 characters.
const SUSPECT_BYTES_MIN: usize = 16;
/// Longer than any part of a name, such as a SHA-256 digest.
const RUN_BYTES_MIN: usize = 65;
/// A command uses at most two keys.
const KNOWN_MAX: usize = 64;

/// Masked everywhere, the longest first.
static NEEDLES: OnceLock<Mutex<Vec<Zeroizing<String>>>> = OnceLock::new();

fn needles() -> MutexGuard<'static, Vec<Zeroizing<String>>> {
    let needles = NEEDLES.get_or_init(Mutex::default);
    needles.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Remembers the secrets in this process's environment, and possible keys among its arguments and
/// settings.
pub(crate) fn start() {
    for (name, value) in cortexkey_system::secret_variables() {
        let value = Zeroizing::new(value.to_string_lossy().into_owned());
        if name == "CORTEXKEY_TENANT_REPLAY" {
            // An address, of which only the password is secret.
            let password = value.split_once('@').and_then(|(before, _)| before.rsplit(':').next());
            remember_key(password.unwrap_or_default().as_bytes());
        } else {
            remember_key(value.trim().as_bytes());
        }
    }
    let settings = std::env::vars_os().filter(|(name, _)| is_setting(&name.to_string_lossy()));
    let arguments = std::env::args_os().skip(1);
    for value in arguments.chain(settings.map(|(_, value)| value)) {
        for suspect in suspects(&value.to_string_lossy()) {
            remember_key(suspect.as_bytes());
        }
    }
}

/// Masks a key from now on.
pub(crate) fn remember_key(key: &[u8]) {
    let key = Zeroizing::new(String::from_utf8_lossy(key).into_owned());
    // Whitespace around it by mistake may be missing in the output.
    let key = key.trim().trim_matches(['"', '\'']).trim_start_matches("Bearer ");
    let key = Zeroizing::new(key.to_owned());
    if key.len() < KNOWN_BYTES_MIN {
        return;
    }
    let mut needles = needles();
    let json = Zeroizing::new(serde_json::Value::from(key.as_str()).to_string());
    let json = Zeroizing::new(json.trim_matches('"').to_owned());
    let debug = Zeroizing::new(format!("{:?}", key.as_str()).trim_matches('"').to_owned());
    for form in [key, json, debug] {
        if needles.len() < KNOWN_MAX && !needles.contains(&form) {
            needles.push(form);
        }
    }
    needles.sort_by_key(|needle| std::cmp::Reverse(needle.len()));
}

/// The text without keys.
pub(crate) fn hide(text: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(text);
    for needle in needles().iter().filter(|needle| !needle.is_empty()) {
        if text.contains(needle.as_str()) {
            text = Cow::Owned(text.replace(needle.as_str(), HIDDEN));
        }
    }
    match hide_runs(&text, RUN_BYTES_MIN) {
        Some(hidden) => Cow::Owned(hidden),
        None => text,
    }
}

/// A response as received, without the keys that this process knows.
pub(crate) fn hide_known(bytes: &[u8]) -> Cow<'_, [u8]> {
    let mut bytes = Cow::Borrowed(bytes);
    for needle in needles().iter().map(|needle| needle.as_bytes()) {
        if let Some(hidden) = without(&bytes, needle) {
            bytes = Cow::Owned(hidden);
        }
    }
    bytes
}

/// The bytes without a needle, in one pass; `None` if it does not occur.
fn without(bytes: &[u8], needle: &[u8]) -> Option<Vec<u8>> {
    let find = |from: usize| {
        let rest = bytes.get(from..)?;
        Some(from + rest.windows(needle.len()).position(|window| window == needle)?)
    };
    let mut next = Some(find(0)?);
    let mut hidden = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(start) = next {
        hidden.extend_from_slice(&bytes[at..start]);
        hidden.extend_from_slice(HIDDEN.as_bytes());
        at = start + needle.len();
        next = find(at);
    }
    hidden.extend_from_slice(&bytes[at..]);
    Some(hidden)
}

/// Masks every run of key characters that is long enough and does not look like words. Separators
/// of paths, options and sentences end a run. None if there is no such run.
pub(crate) fn hide_runs(text: &str, bytes_min: usize) -> Option<String> {
    let is_key = |run: &&str| run.len() >= bytes_min && !is_word(run);
    // The usual case does not allocate.
    runs(text).find(is_key)?;
    let mut hidden = String::with_capacity(text.len());
    let mut at = 0;
    for run in runs(text).filter(is_key) {
        let start = run.as_ptr() as usize - text.as_ptr() as usize;
        hidden += &text[at..start];
        hidden += HIDDEN;
        at = start + run.len();
    }
    hidden += &text[at..];
    Some(hidden)
}

fn runs(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || "+=_$!%&".contains(c)))
}

fn is_word(run: &str) -> bool {
    run.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

/// The parts of an argument or setting that may be a key. An existing file is not one.
fn suspects(value: &str) -> Vec<&str> {
    let (_, after) = value.split_once('=').unwrap_or(("", value));
    if [value, after].iter().any(|path| Path::new(path).exists()) {
        return Vec::new();
    }
    let long = |part: &&str| part.len() >= RUN_BYTES_MIN && !is_word(part);
    value
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|part| long(part) || part.len() >= SUSPECT_BYTES_MIN && is_mixed(part))
        .collect()
}

/// Whether letters and digits look random: the kind (lower case, upper case, digit) then changes at
/// about every second character, and rarely in names, hosts and dates.
fn is_mixed(part: &str) -> bool {
    let kind = |byte: &u8| (byte.is_ascii_digit(), byte.is_ascii_uppercase());
    let bytes = part.as_bytes();
    let changes = bytes.windows(2).filter(|pair| kind(&pair[0]) != kind(&pair[1])).count();
    changes * 4 >= bytes.len()
}

/// Variables whose values messages may repeat.
fn is_setting(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    name.starts_with("CORTEX")
        || name.starts_with("XDG_")
        || name.ends_with("_PROXY")
        || matches!(name.as_str(), "HOME" | "EDITOR" | "VISUAL" | "SSL_CERT_FILE" | "SSL_CERT_DIR")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_long_runs_are_masked() {
        let mask = |text: &str| hide_runs(text, 24).unwrap_or_else(|| text.to_owned());
        let key = "k7".repeat(64);
        assert_eq!(mask(&format!("unexpected '{key}' found\n")), "unexpected '[hidden]' found\n");
        assert_eq!(mask("--allow-readable-key-file é"), "--allow-readable-key-file é");
        assert_eq!(mask(&key), "[hidden]");
        let option = "--averyveryverylongoptionname";
        assert_eq!(mask(option), option);
    }

    #[test]
    fn keys_of_any_length_are_masked_and_names_are_not() {
        let all = "Xq7rV2mB9pK4sT8wZ1cF6hJ3nL5dG0yR7uE2iA9oP4kS8lM1bN6vC3xW5z".repeat(5);
        for length in SUSPECT_BYTES_MIN..=256 {
            let key = &all[..length];
            assert_eq!(suspects(key), [key]);
            assert_eq!(suspects(&format!("--key-file={key}")), [key]);
            assert_eq!(suspects(&format!("/nowhere/{key}.key")), [key]);
        }
        for hexadecimal in ["9F2C61D07BA34E5890D1FE27C3B8A645", "9f2c61d07ba34e5890d1fe27c3b8a645"]
        {
            assert_eq!(suspects(hexadecimal), [hexadecimal]);
        }
        for name in [
            "--role=Instance Administrator",
            "InstanceAdministrator",
            "api-acmecorporation2027.xdr.us.paloaltonetworks.com",
            "svc-siem-export-production-2027",
            "2027-03-01T00:00:00Z",
            "siemexportproduction20270301",
            "/nowhere/configuration/cortexkey.yaml",
            "a5f1d3e7-4c2b-4f0a-9d6e-1b2c3d4e5f60",
        ] {
            assert_eq!(suspects(name), Vec::<&str>::new());
        }
    }

    #[test]
    fn a_known_key_is_hidden_in_every_form() {
        let key = r#"se"cret\key+with/odd.chars-1234"#;
        remember_key(key.as_bytes());
        let json = serde_json::json!({ "file": key }).to_string();
        for text in [key.to_owned(), json, format!("{key:?}"), format!("a {key}: no such file")] {
            let hidden = hide(&text);
            assert!(hidden.contains(HIDDEN) && !hidden.contains("with/odd"), "{hidden}");
            assert_eq!(hide_known(text.as_bytes()), hidden.as_bytes());
        }
        assert_eq!(hide("nothing of it"), "nothing of it");
    }
}
