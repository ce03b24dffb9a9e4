//! Vault and its successor `OpenBao`: the key-value engine, version 2.
//!
//! A write names the version that it replaces, so that two writers cannot overwrite each other. In
//! version 1 of the engine, the same paths mean something else, so the version is checked before a
//! first write.

use core::fmt;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cortexkey_core::address::Address;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::content::{Content, Json};
use super::program::detail;
use super::url::StoreUrl;
use super::{Backend, Held, SECRET_BYTES_MAX, StoreError};
use crate::transport::{ClientOptions, Roots, Web, WebCall, WebResponse};

const TIMEOUT: Duration = Duration::from_secs(30);
const TOKEN_BYTES_MAX: u64 = 16 * 1024;

/// The settings from Vault's own variables.
#[derive(Clone, Default)]
pub struct VaultSettings {
    address: Option<OsString>,
    token: Option<Zeroizing<String>>,
    /// The file in which `vault login` stores a token.
    token_file: Option<PathBuf>,
    namespace: Option<String>,
    ca_file: Option<PathBuf>,
}

/// Does not show the token.
impl fmt::Debug for VaultSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VaultSettings").field("namespace", &self.namespace).finish_non_exhaustive()
    }
}

impl VaultSettings {
    pub(super) fn from_env(environment: &dyn Fn(&str) -> Option<OsString>) -> Self {
        let set = |name: &str| environment(name).filter(|value| !value.is_empty());
        let text = |name: &str| set(name).and_then(|value| value.into_string().ok());
        Self {
            address: set("VAULT_ADDR").or_else(|| set("BAO_ADDR")),
            token: text("VAULT_TOKEN").or_else(|| text("BAO_TOKEN")).map(Zeroizing::new),
            token_file: set("HOME").map(|home| Path::new(&home).join(".vault-token")),
            namespace: text("VAULT_NAMESPACE").or_else(|| text("BAO_NAMESPACE")),
            ca_file: set("VAULT_CACERT").or_else(|| set("BAO_CACERT")).map(PathBuf::from),
        }
    }

    fn address(&self) -> Result<Address, StoreError> {
        let setting = |problem: &str| StoreError::Setting(problem.to_owned());
        let address = self.address.as_ref().ok_or_else(|| {
            setting("VAULT_ADDR is not set\nhelp: set it to the server's address, such as https://vault.example.com:8200")
        })?;
        let text = address.to_str().ok_or_else(|| setting("VAULT_ADDR is not text"))?;
        Address::parse_on_premises(text.trim_end_matches('/'))
            .map_err(|error| StoreError::Setting(format!("VAULT_ADDR: {error}")))
    }

    fn token(&self) -> Result<Zeroizing<String>, StoreError> {
        let kept = || {
            let path = self.token_file.as_ref()?;
            let token = cortexkey_system::read(path, TOKEN_BYTES_MAX).ok()?;
            String::from_utf8(token).ok().map(Zeroizing::new)
        };
        let token = self.token.clone().or_else(kept);
        let token = token.map(|token| Zeroizing::new(token.trim().to_owned()));
        token.filter(|token| !token.is_empty()).ok_or_else(|| {
            let problem = "no token is given\nhelp: set VAULT_TOKEN, or run `vault login`";
            StoreError::Setting(problem.to_owned())
        })
    }

    fn options(&self) -> Result<ClientOptions, StoreError> {
        let roots = self.ca_file.as_ref().map(|path| {
            Roots::from_file(path).map_err(|error| {
                StoreError::Setting(format!("VAULT_CACERT names {}, which {error}", path.display()))
            })
        });
        Ok(ClientOptions {
            timeout: TIMEOUT,
            max_answer_bytes: SECRET_BYTES_MAX as u64,
            roots: roots.transpose()?,
            ..ClientOptions::default()
        })
    }
}

/// One secret of a Vault.
pub(super) struct Vault {
    web: Web,
    token: Zeroizing<String>,
    namespace: Option<String>,
    mount: String,
    path: String,
}

impl Vault {
    pub(super) fn open(url: &StoreUrl, settings: &VaultSettings) -> Result<Self, StoreError> {
        let (mount, path) = url.parts.split_first().ok_or(StoreError::Missing)?;
        Ok(Self {
            web: Web::new(settings.address()?, settings.options()?),
            token: settings.token()?,
            namespace: settings.namespace.clone(),
            mount: mount.clone(),
            path: format!("/v1/{mount}/data/{}", path.join("/")),
        })
    }

    fn send(&self, path: &str, body: Option<&[u8]>) -> Result<WebResponse, StoreError> {
        let mut headers = vec![
            ("x-vault-token", self.token.as_str()),
            ("x-vault-request", "true"),
            ("content-type", "application/json"),
        ];
        if let Some(namespace) = &self.namespace {
            headers.push(("x-vault-namespace", namespace));
        }
        self.web.send(WebCall { path, headers: &headers, body }).map_err(StoreError::Call)
    }

    /// Checks that the mount is a key-value engine of version 2. In any other, this write would go
    /// elsewhere.
    fn check_engine(&self) -> Result<(), StoreError> {
        let answer = self.send(&format!("/v1/sys/internal/ui/mounts/{}", self.mount), None)?;
        if answer.status != 200 {
            return Err(refused(&answer));
        }
        let about = json_of(&answer)?;
        let about = &about.0["data"];
        if about["type"] == "kv" && about["options"]["version"] == "2" {
            return Ok(());
        }
        let problem = format!("the mount {} is not a key-value engine of version 2", self.mount);
        Err(StoreError::Setting(problem))
    }
}

impl Backend for Vault {
    fn read(&self) -> Result<Option<Held>, StoreError> {
        let answer = self.send(&self.path, None)?;
        if !matches!(answer.status, 200 | 404) {
            return Err(refused(&answer));
        }
        let mut body = json_of(&answer)?;
        let version = body.0["data"]["metadata"]["version"].as_u64();
        match (answer.status, version) {
            (200, Some(version)) => {
                let fields = body.0["data"]["data"].take();
                if !fields.is_object() {
                    return Err(StoreError::Answer { expected: "a secret of version 2" });
                }
                let context = Json(json!({ "version": version }));
                Ok(Some(Held { content: Content::Fields(Json(fields)), context }))
            }
            // The latest version was deleted; a write replaces it.
            (404, Some(version)) => {
                let context = Json(json!({ "version": version }));
                Ok(Some(Held { content: Content::Fields(Json(json!({}))), context }))
            }
            (404, None) if body.0["errors"].as_array().is_some_and(Vec::is_empty) => Ok(None),
            (404, None) => Err(refused(&answer)),
            _ => Err(StoreError::Answer { expected: "a secret of version 2" }),
        }
    }

    fn write(&self, fields: &Json, previous: Option<&Held>) -> Result<(), StoreError> {
        if previous.is_none() {
            self.check_engine()?;
        }
        let version = previous.map_or(json!(0), |held| held.context.0["version"].clone());
        let body = Json(json!({ "options": { "cas": version }, "data": fields.0.clone() }));
        let body = Zeroizing::new(serde_json::to_vec(&body.0).unwrap_or_default());
        let answer = self.send(&self.path, Some(&body))?;
        match answer.status {
            200 => Ok(()),
            400 if errors(&answer).contains("check-and-set") => Err(StoreError::Changed),
            _ => Err(refused(&answer)),
        }
    }

    fn detects_changes(&self) -> bool {
        true
    }
}

fn json_of(answer: &WebResponse) -> Result<Json, StoreError> {
    let value = serde_json::from_slice(&answer.body);
    value.map(Json).map_err(|_| StoreError::Answer { expected: "JSON of Vault" })
}

fn refused(answer: &WebResponse) -> StoreError {
    let advice = match answer.status {
        404 if errors(answer).contains("no handler for route") => {
            "\nhelp: no engine is mounted there; write `//` after a mount of several segments, such as \
             vault://team/kv//cortex/siem"
        }
        403 => " (the token lacks a permission on this path, or has expired)",
        503 => " (the server is sealed or not ready)",
        301..=308 => " (redirects are not followed)\nhelp: set VAULT_ADDR to the active server",
        _ => "",
    };
    let detail = detail(&errors(answer));
    StoreError::Refused { status: answer.status, detail: format!("{detail}{advice}") }
}

/// What the server reported.
fn errors(answer: &WebResponse) -> String {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let errors = body["errors"].as_array().into_iter().flatten();
    let errors: Vec<&str> = errors.filter_map(Value::as_str).collect();
    errors.join("; ").replace('\n', " ")
}
