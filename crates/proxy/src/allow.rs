//! [`AllowList`]: the calls that a program may make through the proxy.

use core::str::FromStr;

use cortexkey_client::Method;
use globset::{GlobBuilder, GlobMatcher};

/// Calls that manage keys. They are refused by default: a program that can create keys keeps their
/// power after the proxy has stopped.
const KEY_MANAGEMENT: &str = "/public_api/v1/api_keys/";

/// A method and a pattern of paths, such as `POST /public_api/v1/incidents/*`. `*` stands for any
/// characters within a segment, `**` also for segments.
#[derive(Clone, Debug)]
pub struct Allow {
    method: Option<Method>,
    path: GlobMatcher,
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
        Ok(Self { method, path: glob.compile_matcher() })
    }
}

/// The allowed calls; an empty list allows everything except the management of keys.
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
            return !path.to_ascii_lowercase().starts_with(KEY_MANAGEMENT);
        }
        self.0.iter().any(|entry| {
            entry.method.is_none_or(|allowed| allowed == method) && entry.path.is_match(path)
        })
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
    fn an_empty_list_allows_all_but_the_management_of_keys() {
        let all = AllowList::default();
        assert!(all.allows(Method::Post, "/public_api/v1/incidents/get_incidents"));
        for path in [
            "/public_api/v1/api_keys/generate",
            "/public_api/v1/API_keys/delete/",
            "/public_api/v1/api_keys/",
        ] {
            assert!(!all.allows(Method::Post, path), "{path}");
        }
        assert!(
            list(&["/public_api/v1/api_keys/*"])
                .allows(Method::Post, "/public_api/v1/api_keys/get_api_keys")
        );
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
    fn what_is_no_entry_is_an_error() {
        for text in ["", "GET", "FETCH /x", "x/y", "GET x", "/a[", "/{a"] {
            assert!(text.parse::<Allow>().is_err(), "{text}");
        }
    }
}
