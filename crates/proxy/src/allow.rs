//! [`AllowList`]: the calls that a program may make through the proxy.

use core::str::FromStr;

use cortexkey_client::Method;
use globset::{GlobBuilder, GlobMatcher};

/// Segments of a path that manage keys, whatever comes before or after them: every interface of the
/// product has `api_keys` under its own base path, and older ones have `apikeys`. `set_user_role`
/// does to users what an edit does to keys.
const KEY_MANAGEMENT: [&str; 4] = ["api_keys", "apikeys", "api-key", "set_user_role"];
/// Segments below which roles, scopes, users and keys are managed. Only reading is harmless.
const IAM: [&str; 2] = ["platform", "iam"];
/// The one call that only says whether the key is valid.
const VALIDATE: [&str; 2] = ["api_keys", "validate"];

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

/// The allowed calls; an empty list allows everything except the management of keys, roles and
/// scopes.
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
            return !manages_keys(method, path);
        }
        self.0.iter().any(|entry| {
            entry.method.is_none_or(|allowed| allowed == method) && entry.path.is_match(path)
        })
    }
}

/// Whether a call manages keys or what they may do. Such calls are refused by default: a program
/// that can create keys, or give more power to one, keeps it after the proxy has stopped.
fn manages_keys(method: Method, path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    if segments == VALIDATE {
        return false;
    }
    let is_iam = segments.starts_with(&IAM);
    is_iam && (method != Method::Get || segments.contains(&"scope"))
        || segments.iter().any(|segment| KEY_MANAGEMENT.contains(segment))
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
            "/public_api/v1/api_keys",
            "/public_api//v1//api_keys/generate",
            "//public_api/v1/api_keys/generate",
            "/xsoar/public/v1/api_keys/generate",
            "/xsiam/public/v1/api_keys/delete",
            "/agentix/public/v1/api_keys/get_api_keys",
            "/api_keys/generate",
            "/xsoar/apikeys",
            "/platform/iam/v1/api-key/3",
            "/Platform/IAM/v1/Api-Key/3/",
            "/platform/iam/v2/api-key",
            "/platform//iam/v1/scope/api-key/3",
            "/platform/iam/v1/scope/user/a@example.com",
            "/public_api/v1/rbac/set_user_role",
        ] {
            for method in [Method::Get, Method::Post, Method::Put, Method::Patch, Method::Delete] {
                assert!(!all.allows(method, path), "{method} {path}");
            }
        }
        for path in ["/role", "/role/custom_role_1", "/user/a@example.com", "/user-group/1", ""] {
            let path = format!("/platform/iam/v1{path}");
            assert!(all.allows(Method::Get, &path), "{path}");
            for method in [Method::Post, Method::Put, Method::Patch, Method::Delete] {
                assert!(!all.allows(method, &path), "{method} {path}");
            }
        }
        for path in [
            "/api_keys/validate",
            "/api_keys/validate/",
            "/public_api/v1/rbac/get_roles",
            "/platform/notifications/v1/rules",
            "/public_api/v1/api_keys_of_mine",
        ] {
            assert!(all.allows(Method::Post, path), "{path}");
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
