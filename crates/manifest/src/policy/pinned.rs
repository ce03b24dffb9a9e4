//! [`Pinned`]: a policy of another repository or of a registry, at a revision that cannot change.
//!
//! It is read from a copy next to the policy that extends it, below [`FOLDER`]; nothing is fetched
//! here. A copy has a name that no search for definitions or policies finds. [`LOCK`] contains the
//! digests of all copies, one line per file, in the format of `sha256sum --check`.

use core::fmt;
use std::collections::BTreeMap;

use super::builtin::is_builtin;
use crate::tokens::{COPIES, REVISION_CHARS};

/// The folder of the copies, next to the policy.
pub const FOLDER: &str = COPIES;
/// The file with their digests, next to the policy.
pub const LOCK: &str = ".cortexkey/policies.lock";
/// The suffix of a copy's name.
const END: &str = ".policy";
const URL_BYTES_MAX: usize = 1024;
const OCI: &str = "oci://";

/// A parent of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicyParent {
    /// A path relative to the file, or `builtin:…`.
    Local(String),
    /// A remote policy.
    Pinned(Pinned),
}

/// A remote policy at a fixed revision.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pinned {
    /// Its source.
    pub source: PinnedSource,
    /// Its path in the repository; empty for a registry.
    pub path: String,
}

/// The source of a remote policy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum PinnedSource {
    /// A git repository.
    Git {
        /// Its address, with `https`, `ssh` or `file`.
        url: String,
        /// A full commit id.
        rev: String,
    },
    /// A registry of OCI artifacts.
    Oci {
        /// The registry's host, and its port if it has one.
        registry: String,
        /// The repository in it.
        repository: String,
        /// The manifest's SHA-256, in hexadecimal.
        digest: String,
    },
}

impl Pinned {
    /// A policy in a git repository, or why the reference is invalid.
    pub fn git(url: &str, rev: &str, path: &str) -> Result<Self, &'static str> {
        let scheme = url.split_once("://");
        let Some((scheme, place)) =
            scheme.filter(|(scheme, _)| ["https", "ssh", "file"].contains(scheme))
        else {
            return Err("`git` takes an address that begins with `https://` or `ssh://`");
        };
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~/:@+".contains(c);
        let is_place = !place.is_empty() && !place.starts_with('-') && place.chars().all(is_plain);
        if url.len() > URL_BYTES_MAX || !is_place || has_dots(place) {
            return Err("`git` has an address with unusual characters, or with `..`");
        }
        let host = place.split('/').next().unwrap_or_default();
        if let Some((user, host)) = host.rsplit_once('@') {
            // A user name in an `https` address is usually a token.
            if scheme != "ssh" || user.contains([':', '@']) {
                return Err(
                    "`git` takes no address with a password or token; git finds it by itself",
                );
            }
            if host.starts_with('-') {
                return Err("`git` has an address with unusual characters, or with `..`");
            }
        }
        if !is_hex(rev, &[40, 64]) {
            return Err("`rev` takes a whole commit id: 40 hexadecimal digits, in lower case");
        }
        if !is_path(path) {
            return Err("`path` takes a path in the repository, without `..`");
        }
        let source = PinnedSource::Git { url: url.to_owned(), rev: rev.to_owned() };
        Ok(Self { source, path: path.to_owned() })
    }

    /// A policy in a registry, from `oci://REGISTRY/REPOSITORY@sha256:DIGEST`, or why the reference
    /// is invalid.
    pub fn oci(text: &str) -> Result<Self, &'static str> {
        const FORM: &str = "an artifact has the form `oci://REGISTRY/REPOSITORY@sha256:DIGEST`, with \
                            all 64 digits of its digest";
        let rest = text.strip_prefix(OCI).ok_or(FORM)?;
        let (place, digest) = rest.split_once("@sha256:").ok_or(FORM)?;
        let (registry, repository) = place.split_once('/').ok_or(FORM)?;
        let is_host = |c: char| c.is_ascii_alphanumeric() || "-.:".contains(c);
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-._/".contains(c);
        let fits = text.len() <= URL_BYTES_MAX
            && !registry.is_empty()
            && registry.chars().all(is_host)
            && is_path(repository)
            && repository.chars().all(is_name)
            && is_hex(digest, &[64]);
        if !fits {
            return Err(FORM);
        }
        let registry = registry.to_owned();
        let repository = repository.to_owned();
        let source = PinnedSource::Oci { registry, repository, digest: digest.to_owned() };
        Ok(Self { source, path: String::new() })
    }

    /// Another file of the same source, by its path relative to this one; `None` if that leads out
    /// of the source, or if the source has only one file.
    #[must_use]
    pub fn sibling(&self, path: &str) -> Option<Self> {
        let PinnedSource::Git { .. } = self.source else { return None };
        let path = join(&self.path, path);
        is_path(&path).then(|| Self { source: self.source.clone(), path })
    }

    /// The path of its copy, relative to the policy's folder.
    #[must_use]
    pub fn copy(&self) -> String {
        match &self.source {
            PinnedSource::Git { .. } => format!("{}/{}{END}", self.source.folder(), self.path),
            PinnedSource::Oci { .. } => format!("{}/artifact{END}", self.source.folder()),
        }
    }
}

impl PinnedSource {
    /// The folder of its copies, relative to the policy's folder.
    fn folder(&self) -> String {
        match self {
            Self::Git { url, rev } => {
                let place = url.split_once("://").map_or("", |(_, place)| place);
                format!("{FOLDER}/git/{}/{}", plain(place), revision(rev))
            }
            Self::Oci { registry, repository, digest } => {
                format!("{FOLDER}/oci/{}/{repository}/{}", plain(registry), revision(digest))
            }
        }
    }
}

impl fmt::Display for Pinned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            PinnedSource::Git { url, rev } => write!(f, "{url} at {rev}, {}", self.path),
            PinnedSource::Oci { registry, repository, digest } => {
                write!(f, "{OCI}{registry}/{repository}@sha256:{digest}")
            }
        }
    }
}

/// Whether a path is that of a copy.
#[must_use]
pub fn is_copy(path: &str) -> bool {
    base_of(path).is_some()
}

/// The folder of the policy that a copy belongs to, with a trailing `/`; `None` if the path is not
/// a copy's.
#[must_use]
pub fn base_of(path: &str) -> Option<&str> {
    let at = path.find(&format!("{FOLDER}/"))?;
    let base = &path[..at];
    (base.is_empty() || base.ends_with('/')).then_some(base)
}

/// The path of a parent, as seen from the file that names it.
pub(super) fn path_of(from: &str, parent: &PolicyParent) -> Result<String, &'static str> {
    let base = base_of(from);
    match parent {
        PolicyParent::Pinned(pinned) => {
            let own = from.rfind('/').map_or("", |at| &from[..=at]);
            Ok(format!("{}{}", base.unwrap_or(own), pinned.copy()))
        }
        PolicyParent::Local(name) if is_builtin(name) => Ok(name.clone()),
        PolicyParent::Local(name) => {
            let joined = join(from, name);
            let Some(base) = base else { return Ok(joined) };
            let inside = source_folder(from, base).is_some_and(|root| joined.starts_with(&root));
            if inside {
                Ok(joined + END)
            } else {
                Err("a remote policy extends only files of its own repository")
            }
        }
    }
}

/// The folder with the copies of one git source, up to its revision.
fn source_folder(path: &str, base: &str) -> Option<String> {
    let below = path.strip_prefix(base)?.strip_prefix(FOLDER)?.strip_prefix("/git/")?;
    let mut folder = format!("{base}{FOLDER}/git/");
    for part in below.split('/') {
        folder.push_str(part);
        folder.push('/');
        if part.strip_prefix('@').is_some_and(|part| is_hex(part, &[REVISION_CHARS])) {
            return Some(folder);
        }
    }
    None
}

/// The digests of copies, by their paths relative to the policy's folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyLock {
    /// Each file's SHA-256, in hexadecimal.
    pub digests: BTreeMap<String, String>,
}

const HEAD: &str = "# Written by `cortexkey policy update`. Commit it with the folder policies.\n";

impl PolicyLock {
    /// Parses a lock file; `None` if a line is invalid.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut digests = BTreeMap::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (digest, path) = line.split_once("  ")?;
            if !is_hex(digest, &[64]) || digests.insert(copy_of(path)?, digest.to_owned()).is_some()
            {
                return None;
            }
        }
        Some(Self { digests })
    }
}

impl fmt::Display for PolicyLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HEAD)?;
        for (path, digest) in &self.digests {
            // Relative to the lock file.
            let path = path.strip_prefix(".cortexkey/").unwrap_or(path);
            writeln!(f, "{digest}  {path}")?;
        }
        Ok(())
    }
}

fn copy_of(path: &str) -> Option<String> {
    let copy = format!(".cortexkey/{path}");
    (base_of(&copy) == Some("") && is_path(&copy)).then_some(copy)
}

/// A path relative to the folder of another, with `.` and `..` resolved.
fn join(from: &str, path: &str) -> String {
    let path = path.replace('\\', "/");
    if path.starts_with('/') {
        return path;
    }
    let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut parts: Vec<&str> = Vec::new();
    let absolute = from.starts_with('/');
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("{}{}", if absolute { "/" } else { "" }, parts.join("/"))
}

fn is_hex(text: &str, lengths: &[usize]) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    lengths.contains(&text.len()) && text.bytes().all(is_digit)
}

/// A relative path that never leads upwards.
fn is_path(path: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._+@ /".contains(c);
    let is_part = |part: &str| !part.is_empty() && part != "." && !part.starts_with('-');
    path.len() <= URL_BYTES_MAX
        && path.chars().all(is_plain)
        && path.split('/').all(is_part)
        && !has_dots(path)
}

fn has_dots(path: &str) -> bool {
    path.split('/').any(|part| part == ".." || part == ".git")
}

/// The name of a revision's folder. It is short, because long names look like secrets; the lock
/// file has the digests. No part of an address can collide with it, because `@` is replaced there.
fn revision(id: &str) -> String {
    format!("@{}", id.get(..REVISION_CHARS).unwrap_or(id))
}

/// A name that every system allows for files.
fn plain(place: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-._/".contains(c) { c } else { '_' };
    place.trim_matches('/').chars().map(plain).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    const REV: &str = "0123456789abcdef0123456789abcdef01234567";
    const HEX: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    #[test]
    fn a_copy_has_one_place() {
        let git = Pinned::git("https://git.example:8443/acme/policies", REV, "a/b.yaml").unwrap();
        let copy = format!(
            ".cortexkey/policies/git/git.example_8443/acme/policies/@{}/a/b.yaml.policy",
            &REV[..16]
        );
        assert_eq!(git.copy(), copy);
        let from = format!("team/{copy}");
        assert_eq!((base_of(&from), base_of("x.cortexkey/policies/a")), (Some("team/"), None));
        let local = |name: &str| path_of(&from, &PolicyParent::Local(name.to_owned()));
        let root = from.strip_suffix("a/b.yaml.policy").unwrap();
        assert_eq!(local("../c.yaml"), Ok(format!("{root}c.yaml.policy")));
        assert_eq!(local("builtin:strict"), Ok("builtin:strict".to_owned()));
        for outside in ["../../x.yaml", "/etc/passwd", "../../../../../../../../cortexkey.yaml"] {
            assert!(local(outside).is_err(), "{outside}");
        }
        let oci = Pinned::oci(&format!("oci://ghcr.io/acme/policy@sha256:{HEX}")).unwrap();
        let named = path_of(&from, &PolicyParent::Pinned(oci.clone())).unwrap();
        assert_eq!(named, format!("team/{}", oci.copy()));
        assert_eq!(path_of("team/cortexkey.yaml", &PolicyParent::Pinned(oci)).unwrap(), named);
        assert_eq!(git.sibling("../c.yaml").unwrap().path, "c.yaml");
        assert_eq!(git.sibling("../../c.yaml"), None);
    }

    #[test]
    fn an_unpinned_reference_is_refused() {
        assert!(Pinned::git("ssh://git@x:22/y", REV, "a.yaml").is_ok());
        for (url, rev, path) in [
            ("https://x/y", "main", "a.yaml"),
            ("https://x/y", "0123456", "a.yaml"),
            ("https://x/y", REV, "../a.yaml"),
            ("https://x/y", REV, "/a.yaml"),
            ("https://x/y", REV, ".git/config"),
            ("https://user:secret@x/y", REV, "a.yaml"),
            ("https://secret@x/y", REV, "a.yaml"),
            ("ssh://git:secret@x/y", REV, "a.yaml"),
            ("ssh://git@-x/y", REV, "a.yaml"),
            ("https://x/../y", REV, "a.yaml"),
            ("ext::sh -c id", REV, "a.yaml"),
            ("http://x/y", REV, "a.yaml"),
            ("git://x/y", REV, "a.yaml"),
            ("ssh://-oProxyCommand=x/y", REV, "a.yaml"),
        ] {
            let error = Pinned::git(url, rev, path).unwrap_err();
            assert!(!error.contains("secret"), "{url} {rev} {path}");
        }
        for text in [
            "oci://ghcr.io/acme/policy".to_owned(),
            "oci://ghcr.io/acme/policy:latest".to_owned(),
            format!("oci://ghcr.io/acme/policy@sha256:{}", &HEX[1..]),
            format!("oci://ghcr.io/../x@sha256:{HEX}"),
            format!("oci://ghcr.io@sha256:{HEX}"),
        ] {
            assert!(Pinned::oci(&text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_lock_is_read_as_it_is_written() {
        let git = Pinned::git("https://x/y", REV, "a.yaml").unwrap();
        let lock = PolicyLock { digests: [(git.copy(), HEX.to_owned())].into() };
        assert_eq!(PolicyLock::parse(&lock.to_string()), Some(lock));
        for text in
            ["x", "abc  policies/git/a.policy", &format!("{HEX}  ../a"), &format!("{HEX} a")]
        {
            assert_eq!(PolicyLock::parse(text), None, "{text}");
        }
    }
}
