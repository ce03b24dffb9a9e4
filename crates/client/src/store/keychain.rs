//! The system's keychain: the Secret Service through `secret-tool`, or the macOS keychain through
//! `security`.

use core::fmt::Write as _;

use serde_json::Value;
use zeroize::Zeroizing;

use super::content::{Content, Json};
use super::program::StoreTool;
use super::url::StoreUrl;
use super::{Backend, Held, StoreError};

/// The name under which entries are kept.
const SERVICE: &str = "cortexkey";
/// The exit code of `security` if there is no such entry.
const MACOS_NOT_FOUND: i32 = 44;

pub(super) fn open(url: &StoreUrl) -> Result<Box<dyn Backend>, StoreError> {
    let profile = url.path();
    if cfg!(target_os = "macos") {
        return Ok(Box::new(MacOs { tool: StoreTool::find("security")?, profile }));
    }
    if cfg!(windows) {
        let problem = "the keychain is supported on Linux and macOS; use sink_command and \
                       key_command on Windows";
        return Err(StoreError::Setting(problem.to_owned()));
    }
    Ok(Box::new(SecretService { tool: StoreTool::find("secret-tool")?, profile }))
}

/// An entry of the Secret Service, as GNOME Keyring and `KWallet` provide it.
struct SecretService {
    tool: StoreTool,
    profile: String,
}

impl Backend for SecretService {
    fn read(&self) -> Result<Option<Held>, StoreError> {
        let arguments = ["lookup", "service", SERVICE, "profile", &self.profile];
        let ran = self.tool.run(&arguments, b"")?;
        if ran.is_silent(1) {
            // A locked entry looks the same as a missing one.
            let arguments = ["search", "--all", "service", SERVICE, "profile", &self.profile];
            let found = self.tool.run(&arguments, b"")?;
            let is_missing = found.is_silent(1) || found.output()?.trim().is_empty();
            return if is_missing { Ok(None) } else { Err(StoreError::Locked("keychain")) };
        }
        held(&ran.output()?).map(Some)
    }

    fn write(&self, fields: &Json, _: Option<&Held>) -> Result<(), StoreError> {
        let label = format!("{SERVICE} {}", self.profile);
        let arguments = ["store", "--label", &label, "service", SERVICE, "profile", &self.profile];
        self.tool.done(&arguments, text(fields).as_bytes())
    }
}

/// A generic password of the macOS keychain.
struct MacOs {
    tool: StoreTool,
    profile: String,
}

impl Backend for MacOs {
    fn read(&self) -> Result<Option<Held>, StoreError> {
        let arguments = ["find-generic-password", "-a", &self.profile, "-s", SERVICE, "-w"];
        let ran = self.tool.run(&arguments, b"")?;
        if ran.code() == Some(MACOS_NOT_FOUND) {
            return Ok(None);
        }
        held(&ran.output()?).map(Some)
    }

    fn write(&self, fields: &Json, previous: Option<&Held>) -> Result<(), StoreError> {
        // The value would be an argument, so the program reads its command from standard input.
        let update = if previous.is_some() { "-U " } else { "" };
        let value = Zeroizing::new(hex::encode(text(fields).as_bytes()));
        let line = Zeroizing::new(format!(
            "add-generic-password {update}-a {} -s {SERVICE} -X {}\n",
            self.profile,
            value.as_str()
        ));
        self.tool.done(&["-i"], line.as_bytes())
    }
}

fn held(value: &str) -> Result<Held, StoreError> {
    Ok(Held { content: Content::parse(value)?, context: Json(Value::Null) })
}

/// JSON in ASCII: `security` prints other characters as hexadecimal digits of the whole value.
fn text(fields: &Json) -> Zeroizing<String> {
    const BYTES_MAX: usize = "\\u0000\\u0000".len();
    let json = Zeroizing::new(fields.0.to_string());
    let mut text = Zeroizing::new(String::with_capacity(json.len() * BYTES_MAX));
    for c in json.chars() {
        if c.is_ascii() {
            text.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a string does not fail.
                let _ = write!(text, "\\u{unit:04x}");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn an_entry_is_ascii_and_reads_as_it_was() {
        let fields = Json(serde_json::json!({ "key": "a\"b", "key_owner": "tëam 𝕏" }));
        let text = text(&fields);
        assert!(text.is_ascii() && text.contains("t\\u00ebam"));
        assert!(Content::parse(&text).unwrap().is(&fields));
    }
}
