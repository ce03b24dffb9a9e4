//! A request as a command that sends it again.

use cortexkey_core::address::Address;
use cortexkey_core::auth::KeyId;

/// `cortexkey curl` with the method and path of a request, for a shell: it signs again, with the key in
/// the environment. `None` where the path was shortened, or holds what a shell would read as more than
/// a path.
#[must_use]
pub fn curl_command(
    address: &Address,
    key_id: Option<KeyId>,
    method: &str,
    path: &str,
) -> Option<String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/_-.:@%".contains(c);
    let is_whole = path.starts_with('/') && !path.contains("...") && path.chars().all(is_plain);
    let is_method = !method.is_empty() && method.chars().all(|c| c.is_ascii_uppercase());
    if !is_whole || !is_method || method == "OTHER" {
        return None;
    }
    let key = key_id.map_or_else(String::new, |id| format!(" --key-id {id}"));
    let body = match method {
        "GET" | "HEAD" => "",
        _ => " --json '{\"request_data\":{}}'",
    };
    Some(format!("cortexkey curl --fqdn {address}{key} -- {path} --request {method}{body}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_request_becomes_a_command_or_nothing() {
        let address = Address::parse("tenant.example").unwrap();
        let of = |method, path| curl_command(&address, KeyId::new(7), method, path);
        assert_eq!(
            of("GET", "/public_api/v1/healthcheck").unwrap(),
            "cortexkey curl --fqdn https://api-tenant.example --key-id 7 -- \
             /public_api/v1/healthcheck --request GET"
        );
        assert!(of("POST", "/a").unwrap().ends_with(" --json '{\"request_data\":{}}'"));
        for path in ["/a;rm", "/a'b", "/a$(b)", "/a b", "/keys/.../x", "a", "/a`b`", "/a\nb"] {
            assert_eq!(of("GET", path), None, "{path}");
        }
        assert_eq!(of("OTHER", "/a"), None);
    }
}
