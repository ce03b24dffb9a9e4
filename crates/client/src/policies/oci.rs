//! Reads an artifact from an OCI registry: a manifest by its digest, and its one layer.
//!
//! The address contains the manifest's digest, and the manifest contains the layer's, so nobody on
//! the network can change either. A redirect to another host is followed only for the layer, and
//! without the token.

use std::path::{Path, PathBuf};
use std::time::Duration;

use cortexkey_core::address::Address;
use cortexkey_system::text_with_help;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::transport::{CallError, ClientOptions, Web, WebCall, WebResponse};

const TIMEOUT: Duration = Duration::from_secs(60);
const MANIFEST_BYTES_MAX: usize = 1024 * 1024;
const CONFIG_BYTES_MAX: u64 = 1024 * 1024;
const ACCEPT: &str = "application/vnd.oci.image.manifest.v1+json, \
                      application/vnd.docker.distribution.manifest.v2+json";

/// Why an artifact could not be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OciError {
    /// The address of the registry or of its login service is not usable.
    #[error("{0} is not a registry address with https, or with http on this machine")]
    Address(String),
    /// A call failed.
    #[error("{}", text_with_help(.0))]
    Call(CallError),
    /// The registry answered with an error status.
    #[error("the registry answered {status}{}", advice(*status))]
    Refused {
        /// The HTTP status.
        status: u16,
    },
    /// The received data has another digest.
    #[error("the registry's data does not have the digest {digest}")]
    Digest {
        /// The expected digest.
        digest: String,
    },
    /// The artifact does not consist of exactly one file.
    #[error("the artifact must be one file: its manifest must have exactly one layer")]
    Form,
    /// The layer is too large.
    #[error("the file has more than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
}

fn advice(status: u16) -> &'static str {
    match status {
        401 | 403 => "\nhelp: log in with `docker login` or `oras login`",
        404 => ": there is no such artifact, or it is not public",
        429 => ": it limits the rate of calls\nhelp: try again later",
        _ => "",
    }
}

/// The file of an artifact.
pub(super) fn fetch(
    registry: &str,
    repository: &str,
    digest: &str,
    limit: usize,
) -> Result<Vec<u8>, OciError> {
    let address = address_of(registry)?;
    let is_local = address.is_loopback();
    let mut session = Session { web: web(address, limit), registry, repository, token: None };
    let manifest = session.get(&format!("/v2/{repository}/manifests/sha256:{digest}"))?;
    let manifest = checked(manifest, digest)?;
    let manifest: Value = serde_json::from_slice(&manifest.body).map_err(|_| OciError::Form)?;
    let layers = manifest["layers"].as_array();
    let [layer] = layers.map(Vec::as_slice).unwrap_or_default() else {
        return Err(OciError::Form);
    };
    let digest = layer["digest"].as_str().and_then(|digest| digest.strip_prefix("sha256:"));
    let digest = digest.filter(|digest| is_digest(digest)).ok_or(OciError::Form)?;
    if layer["size"].as_u64().is_none_or(|size| size > limit as u64) {
        return Err(OciError::TooLarge { limit });
    }
    let blob = session.get(&format!("/v2/{repository}/blobs/sha256:{digest}"))?;
    let blob = match location(&blob) {
        Some(location) => elsewhere(&location, limit, is_local)?,
        None => blob,
    };
    Ok(checked(blob, digest)?.body.to_vec())
}

/// Calls to one registry, with the token that it issued.
struct Session<'a> {
    web: Web,
    registry: &'a str,
    repository: &'a str,
    token: Option<Zeroizing<String>>,
}

impl Session<'_> {
    fn get(&mut self, path: &str) -> Result<WebResponse, OciError> {
        let answer = self.send(path)?;
        if answer.status != 401 || self.token.is_some() {
            return Ok(answer);
        }
        let asked = answer.headers.get("www-authenticate").and_then(|value| value.to_str().ok());
        let Some(token) = asked.and_then(|asked| self.login(asked).transpose()) else {
            return Ok(answer);
        };
        self.token = Some(token?);
        self.send(path)
    }

    fn send(&self, path: &str) -> Result<WebResponse, OciError> {
        let mut headers = vec![("accept", ACCEPT)];
        headers.extend(self.token.as_ref().map(|token| ("authorization", token.as_str())));
        self.web.send(WebCall { path, headers: &headers, body: None }).map_err(OciError::Call)
    }

    /// The `Authorization` of further calls, if the registry requires one and issues it.
    fn login(&self, asked: &str) -> Result<Option<Zeroizing<String>>, OciError> {
        let password = stored_login(self.registry);
        let (scheme, fields) = asked.split_once(' ').unwrap_or((asked, ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Ok(password);
        }
        let Some(realm) = field(fields, "realm") else { return Ok(None) };
        let (address, path) = split(realm)?;
        let scope = format!("repository:{}:pull", self.repository);
        let service = field(fields, "service").unwrap_or_default();
        let service = encoded(service);
        let scope = encoded(&scope);
        let and = if path.contains('?') { '&' } else { '?' };
        let path = format!("{path}{and}service={service}&scope={scope}");
        let headers: Vec<(&str, &str)> =
            password.iter().map(|password| ("authorization", password.as_str())).collect();
        let call = WebCall { path: &path, headers: &headers, body: None };
        let answer = web(address, MANIFEST_BYTES_MAX).send(call).map_err(OciError::Call)?;
        if answer.status != 200 {
            return Err(OciError::Refused { status: answer.status });
        }
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let token = body["token"].as_str().or_else(|| body["access_token"].as_str());
        Ok(token.map(|token| Zeroizing::new(format!("Bearer {token}"))))
    }
}

/// A successful answer whose body has the digest.
fn checked(answer: WebResponse, digest: &str) -> Result<WebResponse, OciError> {
    if answer.status != 200 {
        return Err(OciError::Refused { status: answer.status });
    }
    if hex::encode(Sha256::digest(&answer.body)) != digest {
        return Err(OciError::Digest { digest: digest.to_owned() });
    }
    Ok(answer)
}

fn location(answer: &WebResponse) -> Option<String> {
    let is_redirect = matches!(answer.status, 301 | 302 | 303 | 307 | 308);
    let location = answer.headers.get("location").filter(|_| is_redirect)?;
    location.to_str().ok().map(str::to_owned)
}

/// Gets a layer from the storage that a registry redirects to. Only a registry on this machine may
/// redirect to this machine.
fn elsewhere(location: &str, limit: usize, is_local: bool) -> Result<WebResponse, OciError> {
    let (address, path) = split(location)?;
    if address.is_loopback() && !is_local {
        return Err(OciError::Address(address.to_string()));
    }
    let call = WebCall { path, headers: &[], body: None };
    web(address, limit).send(call).map_err(OciError::Call)
}

fn web(address: Address, limit: usize) -> Web {
    let max_answer_bytes = limit.max(MANIFEST_BYTES_MAX) as u64;
    Web::new(
        address,
        ClientOptions { timeout: TIMEOUT, max_answer_bytes, ..ClientOptions::default() },
    )
}

/// A registry on this machine is called without TLS, as Docker does.
fn address_of(registry: &str) -> Result<Address, OciError> {
    let plain = Address::parse_on_premises(&format!("http://{registry}"));
    let address = plain.or_else(|_| Address::parse_on_premises(&format!("https://{registry}")));
    address.map_err(|_| OciError::Address(registry.to_owned()))
}

/// The address of a URL, and its path with the query.
fn split(url: &str) -> Result<(Address, &str), OciError> {
    let invalid = || OciError::Address(url.split('?').next().unwrap_or_default().to_owned());
    let host = url.find("://").ok_or_else(invalid)? + 3;
    let at = url[host..].find('/').map_or(url.len(), |at| host + at);
    let address = Address::parse_on_premises(&url[..at]).map_err(|_| invalid())?;
    Ok((address, if at == url.len() { "/" } else { &url[at..] }))
}

/// A field of `WWW-Authenticate`, such as `realm="…"`.
fn field<'f>(fields: &'f str, name: &str) -> Option<&'f str> {
    let at = fields.find(&format!("{name}=\""))? + name.len() + 2;
    fields[at..].split('"').next()
}

fn encoded(value: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/".contains(&byte);
    let one = |byte: u8| {
        if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    let parts: Vec<String> = value.bytes().map(one).collect();
    parts.concat()
}

fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The login that `docker login` or `oras login` stored in its file.
fn stored_login(registry: &str) -> Option<Zeroizing<String>> {
    let own = std::env::var_os("DOCKER_CONFIG").map(PathBuf::from);
    let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".docker"));
    let path = own.or_else(home)?.join("config.json");
    let config = cortexkey_system::read(&path, CONFIG_BYTES_MAX).ok()?;
    let config: Value = serde_json::from_slice(&config).ok()?;
    let auths = config["auths"].as_object()?;
    let auth = auths.get(registry).or_else(|| auths.get(&format!("https://{registry}")))?;
    let auth = auth["auth"].as_str().filter(|auth| !auth.is_empty())?;
    Some(Zeroizing::new(format!("Basic {auth}")))
}
