//! Child processes: a single constructor, so that no program gets one of our secrets.
//!
//! `clippy.toml` forbids `Command::new` elsewhere, except in tests and `xtask`.

use std::ffi::{OsStr, OsString};
use std::process::Command;

/// Prefixes of the variables that this project and the vendor's tools read.
const PREFIXES: [&str; 8] =
    ["CORTEXKEY_", "CORTEXCLOUD_", "CORTEX_", "DEMISTO_", "XSOAR_", "XSIAM_", "XDR_", "PRISMA_"];
/// Suffixes of the variables that contain a secret.
const SUFFIXES: [&str; 5] = ["KEY", "TOKEN", "SECRET", "PASSWORD", "PASS"];
/// Words in the names of variables that decide where requests go, or with which credentials. Those
/// that control the verification of certificates have none of them.
const STEERING: [&str; 19] = [
    "ADDRESS",
    "AUTH",
    "CONFIG",
    "CREDENTIAL",
    "DOMAIN",
    "ENDPOINT",
    "FQDN",
    "HEADER",
    "HOST",
    "KEY",
    "PROFILE",
    "PROXY",
    "REGION",
    "SERVER",
    "TENANT",
    "TOKEN",
    "URI",
    "URL",
    "USER",
];
/// The prefix of the vendor's variables for repositories of content, which are not about a tenant.
const REPOSITORY: &str = "DEMISTO_SDK_";
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
    let is_secret = |rest: &str| SUFFIXES.iter().any(|suffix| rest.ends_with(suffix));
    name == REPLAY || setting(&name).is_some_and(is_secret)
}

/// This process's variables that decide where this project and the vendor's tools send requests, and
/// with which credentials. A program that gets a key must not get them too: many tools prefer one
/// of several names, and would send the key to the tenant of another.
pub fn steering_variables() -> impl Iterator<Item = OsString> {
    std::env::vars_os().map(|(name, _)| name).filter(|name| is_steering(name))
}

/// Whether a variable of this name decides where requests go, or with which credentials.
pub fn is_steering(name: &OsStr) -> bool {
    let name = name.to_string_lossy().to_ascii_uppercase();
    !name.starts_with(REPOSITORY)
        && setting(&name).is_some_and(|rest| STEERING.iter().any(|word| rest.contains(word)))
}

/// The rest of a variable's name after the prefix of this project or of the vendor's tools.
fn setting(name: &str) -> Option<&str> {
    PREFIXES.iter().find_map(|prefix| name.strip_prefix(prefix))
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

    #[test]
    fn addresses_and_credentials_are_removed_and_certificate_settings_stay() {
        for name in [
            "CORTEXKEY_FQDN",
            "CORTEXKEY_PROFILE",
            "CORTEXKEY_API_KEY_ID",
            "CORTEX_CLOUD_FQDN",
            "CORTEX_CLOUD_API_URL",
            "CORTEX_API_KEY_TYPE",
            "cortexcloud_fqdn",
            "CORTEXCLOUD_CONFIG_FILE",
            "CORTEX_MCP_PAPI_AUTH_ID",
            "DEMISTO_BASE_URL",
            "DEMISTO_USERNAME",
            "DEMISTO_HTTP_HEADERS",
            "XSIAM_AUTH_ID",
            "XSOAR_HOST",
            "XDR_TENANT",
            "PRISMA_API_URL",
        ] {
            assert!(is_steering(OsStr::new(name)), "{name}");
        }
        for name in [
            "PATH",
            "HTTPS_PROXY",
            "SSL_CERT_FILE",
            "CORTEX_CLOUD_SKIP_SSL_VERIFY",
            "CORTEX_REQUEST_TIMEOUT",
            "CORTEXCLOUD_SDK_LOG_LEVEL",
            "DEMISTO_VERIFY_SSL",
            "DEMISTO_SDK_CONTENT_PATH",
            "DEMISTO_SDK_REPO_HOSTNAME",
            "MY_CORTEX_FQDN",
        ] {
            assert!(!is_steering(OsStr::new(name)), "{name}");
        }
    }
}
