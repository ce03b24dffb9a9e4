//! [`administers_access`]: whether a call creates, changes or shows what gives access to a tenant.
//! Such calls are refused by default: a program that can create keys, or grant a key or user more
//! permissions, keeps that access after the proxy stops. The decision depends on the words of the
//! path, because the product serves the same calls at several base paths, and also serves calls
//! that no document lists. The tests compare it with the table of operations.

use cortexkey_client::Method;

/// The only call on keys that just reports whether the key is valid.
const VALIDATE: [&str; 2] = ["api_keys", "validate"];
/// Words for users, roles and credentials. The start of a word is enough.
const PRINCIPALS: [&str; 6] = ["user", "role", "rbac", "iam", "invit", "passw"];
/// Words for signing in, which are never part of an ordinary call.
const SIGN_IN: [&str; 7] = ["authentication", "sso", "saml", "idp", "oidc", "ldap", "scim"];
/// Words with which the name of a call that only reads begins, such as `get_users`.
const READING: [&str; 3] = ["get", "list", "search"];

/// Whether a call administers access. The path has no query; it may be a pattern.
pub(crate) fn administers_access(method: Method, path: &str) -> bool {
    if path.split('/').filter(|segment| !segment.is_empty()).eq(VALIDATE) {
        return false;
    }
    let segments: Vec<Vec<String>> =
        path.split('/').map(words).filter(|words| !words.is_empty()).collect();
    let is_iam = segments.iter().any(|words| words == &["iam"]);
    let shows_scope = is_iam && segments.iter().any(|words| words[0].starts_with("scope"));
    shows_scope
        || segments.iter().any(|words| is_about_keys(words) || is_about_sign_in(words))
        || method != Method::Get && changes_principals(method, &segments)
}

fn is_about_keys(words: &[String]) -> bool {
    let is_key = |pair: &[String]| pair[0] == "api" && pair[1].starts_with("key");
    words.windows(2).any(is_key) || words.iter().any(|word| word.contains("apikey"))
}

fn is_about_sign_in(words: &[String]) -> bool {
    words.iter().any(|word| SIGN_IN.contains(&word.as_str()))
}

/// Whether a segment is about users or roles, unless its own name says that it reads them. What
/// follows such a segment is not considered, because it may be a name that an attacker chose. Only
/// below `rbac`, it is the name of the call.
fn changes_principals(method: Method, segments: &[Vec<String>]) -> bool {
    let reads =
        |words: &[String]| method == Method::Post && READING.iter().any(|verb| words[0] == *verb);
    segments.iter().enumerate().any(|(at, words)| {
        if words == &["rbac"] {
            return !segments.get(at + 1).is_some_and(|call| reads(call));
        }
        !reads(words) && words.iter().any(|word| is_principal(word))
    })
}

fn is_principal(word: &str) -> bool {
    PRINCIPALS.iter().any(|start| word.starts_with(start))
        || ["user", "users", "role", "roles"].iter().any(|end| word.ends_with(end))
}

/// The words of a segment in lower case, however they are separated: `api_keys`, `api-keys`,
/// `apiKeys` and `api%20keys` have the same.
fn words(segment: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut characters = segment.chars();
    let mut was_lower = false;
    while let Some(character) = characters.next() {
        if character == '%' {
            // The two digits of an encoded character.
            let _ = (characters.next(), characters.next());
        }
        let is_start = was_lower && character.is_ascii_uppercase();
        if is_start || !character.is_alphanumeric() {
            words.push(String::new());
        }
        if character.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.push(character.to_ascii_lowercase());
        }
        was_lower = character.is_ascii_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use cortexkey_client::operations::operations;

    use super::*;

    const METHODS: [Method; 5] =
        [Method::Get, Method::Post, Method::Put, Method::Patch, Method::Delete];

    /// A parameter of a path, replaced by a value that contains none of these words.
    fn filled(path: &str) -> String {
        let fill = |segment: &str| if segment.starts_with('{') { "17" } else { segment }.to_owned();
        path.split('/').map(fill).collect::<Vec<_>>().join("/")
    }

    #[test]
    fn the_table_of_operations_agrees() {
        for operation in operations() {
            let method = operation.method.parse().unwrap();
            let path = filled(operation.path);
            let bases = ["/xsoar/public/v1/", "/xsiam/public/v1/", "/agentix/public/v1/", "/x/"];
            let elsewhere = bases.map(|base| path.replacen("/public_api/v1/", base, 1));
            let forms = [
                path.clone(),
                format!("{path}/"),
                format!("/prefix{path}"),
                path.to_ascii_uppercase(),
                path.replace('_', "-"),
                path.replace('-', "_"),
            ];
            for form in forms.into_iter().chain(elsewhere) {
                let administers = administers_access(method, &form);
                assert_eq!(administers, operation.administers_access, "{method} {form}");
            }
        }
    }

    #[test]
    fn keys_and_the_sign_in_are_refused_with_any_method() {
        for path in [
            "/public_api/v1/api_keys/generate",
            "/public_api/v1/API_keys/delete/",
            "/public_api/v1/api_keys/",
            "/public_api/v1/api_keys",
            "/public_api/v1/api-keys/generate",
            "/public_api/v1/api_key",
            "/public_api/v1/apiKeys",
            "/public_api/v1/api_keys%20",
            "/public_api/v1/api_keys.json",
            "/public_api/v1/api_keys,x",
            "/public_api/v1/api_keys_of_mine",
            "//public_api/v1/api_keys/generate",
            "/xsoar/public/v1/api_keys/generate",
            "/agentix/public/v1/api_keys/get_api_keys",
            "/api_keys/generate",
            "/public_api/v1/api_keys/validate",
            "/xsoar/apikeys",
            "/xsoar/apikeys/revoke/user/ana",
            "/platform/iam/v1/api-key/3",
            "/Platform/IAM/v1/Api-Key/3/",
            "/gateway/platform/iam/v2/scope/api-key/3",
            "/platform//iam/v1/scope/user/a@example.com",
            "/iam/v1/scope/user/a@example.com",
            "/public_api/v1/authentication-settings/create",
            "/public_api/v1/authentication_settings/get/settings",
            "/xsoar/public/v1/saml",
        ] {
            for method in METHODS {
                assert!(administers_access(method, path), "{method} {path}");
            }
        }
        for path in ["/api_keys/validate", "/api_keys/validate/"] {
            assert!(!administers_access(Method::Post, path), "{path}");
        }
    }

    #[test]
    fn users_and_roles_may_be_read_and_not_changed() {
        for path in [
            "/platform/iam/v1",
            "/platform/iam/v1/role/custom_role_1",
            "/platform/iam/v1/user/a@example.com",
            "/platform/iam/v1/user-group/1",
            "/x/platform/iam/v9/permission",
            "/public_api/v1/rbac/set_user_role",
            "/public_api/v1/rbac/set_users_role",
            "/public_api/v1/rbac/create",
            "/public_api/v1/rbac",
            "/public_api/v1/setUserRole",
            "/public_api/v1/setuserrole",
            "/public_api/v1/users/add_to_group",
            "/public_api/v1/usergroups",
            "/xsoar/public/v1/users/update",
            "/xsoar/public/v1/users/get-ana",
            "/xsoar/public/v1/roles",
            "/xsoar/public/v1/userGroups/update",
            "/xsoar/public/v1/invites",
        ] {
            assert!(!administers_access(Method::Get, path), "{path}");
            for method in METHODS.into_iter().filter(|method| *method != Method::Get) {
                assert!(administers_access(method, path), "{method} {path}");
            }
        }
        for path in [
            "/public_api/v1/rbac/get_roles",
            "/public_api/v1/rbac/get_users",
            "/public_api/v1/rbac/get_user_group",
            "/public_api/v1/get_risky_users",
            "/platform/notifications/v1/rule",
            "/public_api/v1/compliance/add_control",
            "/public_api/v1/asset-groups/create",
            "/public_api/v1/xql/start_xql_query",
        ] {
            assert!(!administers_access(Method::Post, path), "{path}");
        }
        assert!(administers_access(Method::Delete, "/public_api/v1/rbac/get_users"));
    }
}
