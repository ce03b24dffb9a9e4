//! [`AllowList`]: the calls that a program may make through the proxy.

use core::str::FromStr;

use cortexkey_client::Method;
use globset::{GlobBuilder, GlobMatcher};

use crate::administration::administers_access;

/// A method and a pattern of paths, such as `POST /public_api/v1/incidents/*`. `*` stands for any
/// characters within a segment, `**` also for segments.
#[derive(Clone, Debug)]
pub struct Allow {
    method: Option<Method>,
    path: GlobMatcher,
    pattern: String,
}

/// Why an entry of the list is invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AllowError {
    /// The word before the path is not a method of the API.
    #[error("expected GET, POST, PUT, PATCH or DELETE before the path, got `{0}`")]
    Method(String),
    /// The path does not start with a slash.
    #[error("expected a path that starts with `/`, got `{0}`")]
    Path(String),
    /// The path is not a valid pattern.
    #[error("`{path}` is not a valid path pattern: {reason}")]
    Pattern {
        /// The entry.
        path: String,
        /// The reason.
        reason: String,
    },
}

impl FromStr for Allow {
    type Err = AllowError;

    fn from_str(text: &str) -> Result<Self, AllowError> {
        let text = text.trim();
        let (method, path) = match text.split_once(char::is_whitespace) {
            None => (None, text),
            Some((method, path)) => {
                let unknown = |_| AllowError::Method(method.to_owned());
                (Some(method.parse().map_err(unknown)?), path.trim_start())
            }
        };
        if !path.starts_with('/') {
            return Err(AllowError::Path(path.to_owned()));
        }
        let glob = GlobBuilder::new(path).literal_separator(true).build().map_err(|error| {
            AllowError::Pattern { path: path.to_owned(), reason: error.kind().to_string() }
        })?;
        Ok(Self { method, path: glob.compile_matcher(), pattern: path.to_owned() })
    }
}

impl Allow {
    /// Whether the entry allows a call. A call that administers access must be named: wildcards
    /// alone do not allow it.
    fn allows(&self, method: Method, path: &str) -> bool {
        self.method.is_none_or(|allowed| allowed == method)
            && self.path.is_match(path)
            && (!administers_access(method, path) || administers_access(method, &self.pattern))
    }
}

/// The allowed calls; an empty list allows everything except the administration of access.
#[derive(Clone, Debug, Default)]
pub struct AllowList(Vec<Allow>);

impl AllowList {
    /// A list of these entries.
    pub fn new(entries: Vec<Allow>) -> Self {
        Self(entries)
    }

    /// Whether a call is allowed. The path has no query.
    pub(crate) fn allows(&self, method: Method, path: &str) -> bool {
        if self.0.is_empty() {
            return !administers_access(method, path);
        }
        self.0.iter().any(|entry| entry.allows(method, path))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn list(entries: &[&str]) -> AllowList {
        AllowList::new(entries.iter().map(|entry| entry.parse().unwrap()).collect())
    }

    #[test]
    fn an_empty_list_allows_all_calls_except_access_administration() {
        let all = AllowList::default();
        assert!(all.allows(Method::Post, "/public_api/v1/incidents/get_incidents"));
        assert!(!all.allows(Method::Post, "/public_api/v1/api_keys/generate"));
    }

    #[test]
    fn wildcards_do_not_allow_access_administration() {
        let generate = "/public_api/v1/api_keys/generate";
        for (entry, path, allowed) in [
            ("/public_api/v1/**", "/public_api/v1/incidents/get_incidents", true),
            ("/public_api/v1/**", generate, false),
            ("POST /**", generate, false),
            ("/public_api/v1/api_keys/*", generate, true),
            ("GET /public_api/v1/api_keys/*", generate, false),
            ("/public_api/v1/rbac/*", "/public_api/v1/rbac/set_user_role", true),
            ("/platform/**", "/platform/iam/v1/role", false),
            ("/platform/iam/**", "/platform/iam/v1/role", true),
        ] {
            assert_eq!(list(&[entry]).allows(Method::Post, path), allowed, "{entry} {path}");
        }
    }

    #[test]
    fn an_entry_is_a_method_and_a_pattern() {
        let list = list(&["GET /public_api/v1/*", "/xsoar/**"]);
        assert!(list.allows(Method::Get, "/public_api/v1/healthcheck"));
        assert!(!list.allows(Method::Post, "/public_api/v1/healthcheck"));
        assert!(!list.allows(Method::Get, "/public_api/v1/api_keys/generate"));
        assert!(list.allows(Method::Put, "/xsoar/a/b/c"));
        assert!(!list.allows(Method::Get, "/other"));
    }

    #[test]
    fn an_invalid_entry_is_an_error() {
        for text in ["", "GET", "FETCH /x", "x/y", "GET x", "/a[", "/{a"] {
            assert!(text.parse::<Allow>().is_err(), "{text}");
        }
    }
}
