//! Child processes: a single constructor, so that no program gets a secret of ours.
//!
//! `clippy.toml` forbids `Command::new` elsewhere, except in tests and `xtask`.

use std::ffi::{OsStr, OsString};
use std::process::Command;

/// Prefixes of the variables that this project and the vendor's tools read.
const PREFIXES: [&str; 8] =
    ["CORTEXKEY_", "CORTEXCLOUD_", "CORTEX_", "DEMISTO_", "XSOAR_", "XSIAM_", "XDR_", "PRISMA_"];
/// Suffixes of the variables that contain a secret.
const SUFFIXES: [&str; 5] = ["KEY", "TOKEN", "SECRET", "PASSWORD", "PASS"];
/// A server's address, which may contain its password.
const REPLAY: &str = "CORTEXKEY_TENANT_REPLAY";

/// A command whose environment contains none of the secret variables.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    #[expect(clippy::disallowed_methods, reason = "this is the only constructor")]
    let mut command = Command::new(program);
    for (name, _) in secret_variables() {
        command.env_remove(name);
    }
    command
}

/// This process's variables that may contain a secret, with their values.
pub fn secret_variables() -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os().filter(|(name, _)| is_secret(name))
}

/// Whether a variable of this name may contain a secret.
pub fn is_secret(name: &OsStr) -> bool {
    let name = name.to_string_lossy().to_ascii_uppercase();
    let ours = PREFIXES.iter().any(|prefix| name.starts_with(prefix));
    name == REPLAY || ours && SUFFIXES.iter().any(|suffix| name.ends_with(suffix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_tokens_and_passwords_are_secret_and_ids_are_not() {
        for name in [
            "CORTEXKEY_API_KEY",
            "CORTEXKEY_SEAL_KEY",
            "CORTEXKEY_TENANT_REPLAY",
            "CORTEXCLOUD_API_KEY",
            "cortexcloud_api_key",
            "CORTEX_TOKEN",
            "DEMISTO_API_KEY",
            "DEMISTO_PASSWORD",
            "XSIAM_API_KEY",
        ] {
            assert!(is_secret(OsStr::new(name)), "{name}");
        }
        for name in [
            "PATH",
            "HOME",
            "VAULT_TOKEN",
            "CORTEXKEY_FQDN",
            "CORTEXKEY_API_KEY_ID",
            "CORTEXKEY_API_KEY_TYPE",
            "CORTEXKEY_PROFILE",
            "SSH_AUTH_SOCK",
        ] {
            assert!(!is_secret(OsStr::new(name)), "{name}");
        }
    }
}
