//! Proxies that the environment sets and that cannot be used.
//!
//! The HTTP library reads the same variables, skips what it cannot use, and then calls the host
//! directly. That is an error here: a user who sets a proxy may rely on nothing bypassing it.

use std::ffi::OsString;

use cortexkey_core::address::Address;
use ureq::http::Uri;
use ureq::{Proxy, ProxyProtocol};

/// In the order of the HTTP library.
const VARIABLES: [&str; 6] =
    ["ALL_PROXY", "all_proxy", "HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"];
const EXCEPTIONS: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// The variable with an unusable proxy; `None` if the host needs no proxy, or the first proxy that
/// is set can be used.
pub(super) fn unusable(
    address: &Address,
    environment: &dyn Fn(&str) -> Option<OsString>,
) -> Option<&'static str> {
    unusable_for(&address.to_string().parse().ok()?, environment)
}

/// Like [`unusable`], for a host that is not a tenant.
pub(crate) fn unusable_for(
    uri: &Uri,
    environment: &dyn Fn(&str) -> Option<OsString>,
) -> Option<&'static str> {
    let (name, value) = first(environment)?;
    (!is_usable(&value) && !is_exception(uri, environment)).then_some(name)
}

/// The variable with the proxy for a host.
pub(crate) fn in_force(
    address: &Address,
    environment: &dyn Fn(&str) -> Option<OsString>,
) -> Option<&'static str> {
    let (name, _) = first(environment)?;
    let uri = address.to_string().parse().ok()?;
    (!is_exception(&uri, environment)).then_some(name)
}

fn first(environment: &dyn Fn(&str) -> Option<OsString>) -> Option<(&'static str, OsString)> {
    VARIABLES.into_iter().find_map(|name| {
        let value = environment(name)?;
        // An empty value means none, as in curl.
        (!value.is_empty()).then_some((name, value))
    })
}

fn is_usable(value: &OsString) -> bool {
    if !value.to_str().is_some_and(has_possible_port) {
        return false;
    }
    let proxy = value.to_str().and_then(|text| Proxy::new(text).ok());
    proxy.is_some_and(|proxy| {
        matches!(proxy.protocol(), ProxyProtocol::Http | ProxyProtocol::Https)
            && !proxy.host().is_empty()
    })
}

/// If the given port is invalid, the HTTP library uses the scheme's default port.
fn has_possible_port(value: &str) -> bool {
    let rest = value.split_once("://").map_or(value, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    // Colons within brackets belong to the address.
    let after = host.rsplit_once(']').map_or(host, |(_, after)| after);
    match after.rsplit_once(':') {
        None => after.is_empty() || host == after,
        Some((_, port)) => {
            let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
            digits && port.parse::<u16>().is_ok_and(|port| port != 0)
        }
    }
}

/// Whether `NO_PROXY` names the host, by the HTTP library's rules.
fn is_exception(uri: &Uri, environment: &dyn Fn(&str) -> Option<OsString>) -> bool {
    let text = |name| environment(name).and_then(|value| value.into_string().ok());
    let Some(exceptions) = EXCEPTIONS.into_iter().find_map(text) else { return false };
    let rules = Proxy::builder(ProxyProtocol::Http);
    let rules = exceptions.split(',').fold(rules, ureq::ProxyBuilder::no_proxy);
    rules.build().is_ok_and(|rules| rules.is_no_proxy(uri))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn unusable_of(entries: &[(&str, &str)]) -> Option<&'static str> {
        let environment = |name: &str| {
            entries.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).into())
        };
        unusable(&Address::parse("api-acme.example").unwrap(), &environment)
    }

    #[test]
    fn the_first_variable_that_is_set_must_name_a_usable_proxy() {
        for value in ["http://p.example:3128", "http://u:p@p.example", "https://p", "p.example:1"] {
            assert_eq!(unusable_of(&[("https_proxy", value)]), None, "{value}");
        }
        for port in ["0", "65536", "99999999999999999999", "", "x", "-1", "+80", "8 0"] {
            for value in [format!("http://p.example:{port}"), format!("http://[::1]:{port}")] {
                assert_eq!(unusable_of(&[("https_proxy", &value)]), Some("https_proxy"), "{value}");
            }
        }
        assert_eq!(unusable_of(&[("https_proxy", "http://[::1]:8080/")]), None);
        for value in ["socks5://p:1080", "socks4://p", "ftp://p", "http://", "://", "not a proxy"] {
            for name in VARIABLES {
                assert_eq!(unusable_of(&[(name, value)]), Some(name), "{value}");
            }
        }
        assert_eq!(unusable_of(&[]), None);
        assert_eq!(unusable_of(&[("ALL_PROXY", ""), ("HTTP_PROXY", "http://p")]), None);
        let both = [("ALL_PROXY", "socks5://p"), ("HTTPS_PROXY", "http://p")];
        assert_eq!(unusable_of(&both), Some("ALL_PROXY"));
    }

    #[test]
    fn a_host_that_needs_no_proxy_is_called() {
        let with = |rules| unusable_of(&[("ALL_PROXY", "socks5://p"), ("NO_PROXY", rules)]);
        for rules in ["*", "api-acme.example", "other.example,.example", "*.example"] {
            assert_eq!(with(rules), None, "{rules}");
        }
        for rules in ["", "other.example", "acme.example"] {
            assert_eq!(with(rules), Some("ALL_PROXY"), "{rules}");
        }
    }
}
