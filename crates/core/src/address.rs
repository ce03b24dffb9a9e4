//! [`Address`]: the address of a tenant's API, parsed from what users paste.
//!
//! Plain `http` is accepted for loopback addresses only. Names are not resolved.

use alloc::string::{String, ToString};
use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::str::FromStr;

/// The path of the first API call, which shows whether a key works. Its response is the JSON string
/// `"true"`.
pub const VALIDATE_PATH: &str = "/api_keys/validate/";

/// The longest path of a call, with its query. HTTP libraries and servers have such limits too.
const CALL_PATH_MAX: usize = 16 * 1024;

/// Paths that are dropped from pasted addresses, because calls add their own.
const BASES: [&str; 10] = [
    "/agentix/public/v1",
    "/api_keys/validate",
    "/platform/iam/v1",
    "/platform",
    "/public_api/v1",
    "/public_api/v2",
    "/public_api",
    "/xsiam/public/v1",
    "/xsoar/public/v1",
    "/xsoar",
];

/// The address of a tenant's API: scheme, host and port, no path.
///
/// ```
/// use cortexkey_core::address::Address;
///
/// for pasted in [
///     "acme.xdr.us.paloaltonetworks.com",
///     "api-acme.xdr.us.paloaltonetworks.com",
///     "https://api-acme.xdr.us.paloaltonetworks.com/",
///     "https://acme.xdr.us.paloaltonetworks.com/public_api/v1/",
/// ] {
///     let address: Address = pasted.parse()?;
///     assert_eq!(address.to_string(), "https://api-acme.xdr.us.paloaltonetworks.com");
/// }
/// assert_eq!("http://127.0.0.1:8080".parse::<Address>()?.to_string(), "http://127.0.0.1:8080");
/// assert!("http://acme.example.com".parse::<Address>().is_err(), "keys never go in the clear");
/// # Ok::<(), cortexkey_core::address::AddressError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    https: bool,
    host: String,
    port: Option<u16>,
}

impl Address {
    /// Parses the address of a cloud tenant: `api-` is added to a name that lacks it, but never to
    /// an IP address or a loopback name.
    pub fn parse(pasted: &str) -> Result<Self, AddressError> {
        Self::read(pasted, true)
    }

    /// Parses the address of an on-premises tenant, whose host is used unchanged.
    pub fn parse_on_premises(pasted: &str) -> Result<Self, AddressError> {
        Self::read(pasted, false)
    }

    /// The host, without port.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether the host is this machine.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.host)
    }

    /// The address of a call: this address and an absolute path.
    ///
    /// The path must start with `/`, so that it can never become part of the host. It has no
    /// fragment, which would not be sent.
    pub fn join(&self, path: &str) -> Result<String, AddressError> {
        let fits = path.starts_with('/')
            && !path.starts_with("//")
            && path.len() <= CALL_PATH_MAX
            && path.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'#'));
        if fits { Ok(self.to_string() + path) } else { Err(AddressError(Problem::CallPath)) }
    }

    fn read(pasted: &str, cloud: bool) -> Result<Self, AddressError> {
        let pasted = pasted.trim();
        let (https, rest) = scheme(pasted)?;
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        check_path(path)?;
        let (host, port) = split_port(authority)?;
        let mut host = check_host(host)?;
        if !https && !is_loopback(&host) {
            return Err(AddressError(Problem::PlainHttp));
        }
        if cloud && !is_ip(&host) && !is_loopback(&host) && !host.starts_with("api-") {
            host = check_host(&alloc::format!("api-{host}"))?;
        }
        Ok(Self { https, host, port })
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(pasted: &str) -> Result<Self, AddressError> {
        Self::parse(pasted)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.https { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.host)?;
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

/// Why a string is not an address. The error does not repeat the string, which may contain a
/// password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressError(Problem);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Problem {
    Empty,
    Scheme,
    PlainHttp,
    UserInfo,
    Host,
    Port,
    Path,
    CallPath,
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Problem::Empty => {
                "the address is empty; expected the tenant's FQDN, such as \
                 acme.xdr.us.paloaltonetworks.com, or what Copy API URL gives"
            }
            Problem::Scheme => "the address has an unknown scheme; expected https, or none",
            Problem::PlainHttp => {
                "expected https: plain http is accepted only for this machine (127.0.0.1, [::1], \
                 localhost)"
            }
            Problem::UserInfo => "expected an address without a user name and password",
            Problem::Host => {
                "the address has no valid host name: letters, digits, dots and hyphens, or an IP \
                 address ([::1] in brackets)"
            }
            Problem::Port => "the port of the address is not a number from 1 to 65535",
            Problem::Path => {
                "the address has a path that is not a base path of the product's API; expected only \
                 the host, because the call adds its path"
            }
            Problem::CallPath => {
                "the path of a call starts with one / and contains only visible ASCII without # and \
                 backslashes, at most 16,384 characters, such as /public_api/v1/api_keys/get_api_keys"
            }
        })
    }
}

impl core::error::Error for AddressError {}

fn scheme(pasted: &str) -> Result<(bool, &str), AddressError> {
    if pasted.is_empty() {
        return Err(AddressError(Problem::Empty));
    }
    let Some((scheme, rest)) = pasted.split_once("://") else {
        // Certificates for this machine exist only where a user has set them up.
        let host_end = pasted.find(['/', '?', '#']).unwrap_or(pasted.len());
        let host = split_port(&pasted[..host_end]).map_or("", |(host, _)| host);
        return Ok((!is_loopback(host), pasted));
    };
    match scheme {
        _ if scheme.eq_ignore_ascii_case("https") => Ok((true, rest)),
        _ if scheme.eq_ignore_ascii_case("http") => Ok((false, rest)),
        _ => Err(AddressError(Problem::Scheme)),
    }
}

/// Suffixes that carry no information are dropped: the product's base path, and the query and
/// fragment of an address copied from a browser.
fn check_path(path: &str) -> Result<(), AddressError> {
    let path = &path[..path.find(['?', '#']).unwrap_or(path.len())];
    let path = path.trim_end_matches('/');
    if path.is_empty() || BASES.contains(&path) { Ok(()) } else { Err(AddressError(Problem::Path)) }
}

fn split_port(authority: &str) -> Result<(&str, Option<u16>), AddressError> {
    if authority.contains('@') {
        return Err(AddressError(Problem::UserInfo));
    }
    let host_end = authority.rfind(']').map_or(0, |bracket| bracket + 1);
    let Some(colon) = authority[host_end..].rfind(':').map(|at| host_end + at) else {
        return Ok((authority, None));
    };
    let digits = &authority[colon + 1..];
    let port = digits.parse().ok().filter(|port| *port != 0 && !digits.starts_with('+'));
    port.map(|port| (&authority[..colon], Some(port))).ok_or(AddressError(Problem::Port))
}

fn check_host(host: &str) -> Result<String, AddressError> {
    let bad = AddressError(Problem::Host);
    if let Some(inner) = host.strip_prefix('[') {
        let ip: Ipv6Addr = inner.strip_suffix(']').and_then(|ip| ip.parse().ok()).ok_or(bad)?;
        return Ok(alloc::format!("[{ip}]"));
    }
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    // Only digits and dots: an IP address in canonical form.
    if host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return host.parse::<Ipv4Addr>().map(|ip| ip.to_string()).map_err(|_| bad);
    }
    let label_fits = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    if host.len() <= 253 && host.split('.').all(label_fits) { Ok(host) } else { Err(bad) }
}

fn is_ip(host: &str) -> bool {
    ip_of(host).is_some()
}

fn is_loopback(host: &str) -> bool {
    // Not `*.localhost`: it depends on the resolver whether such names stay on this machine.
    host == "localhost" || ip_of(host).is_some_and(|ip| ip.is_loopback())
}

fn ip_of(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(pasted: &str) -> Result<String, Problem> {
        Address::parse(pasted).map(|a| a.to_string()).map_err(|e| e.0)
    }

    #[test]
    fn pasted_values() {
        let api = "https://api-acme.xdr.us.paloaltonetworks.com";
        for pasted in [
            "acme.xdr.us.paloaltonetworks.com",
            "  ACME.xdr.us.paloaltonetworks.com.\n",
            "https://acme.xdr.us.paloaltonetworks.com/?lang=en#/settings",
            "https://api-acme.xdr.us.paloaltonetworks.com/xsoar/public/v1",
            "https://api-acme.xdr.us.paloaltonetworks.com/api_keys/validate/",
        ] {
            assert_eq!(read(pasted).as_deref(), Ok(api), "{pasted}");
        }
        assert_eq!(read("acme.example:8443").as_deref(), Ok("https://api-acme.example:8443"));
        assert_eq!(read("http://localhost:80").as_deref(), Ok("http://localhost:80"));
        assert_eq!(read("http://[::1]:9").as_deref(), Ok("http://[::1]:9"));
        assert_eq!(read("10.0.0.7").as_deref(), Ok("https://10.0.0.7"));
        assert_eq!(read("127.0.0.1:8080/").as_deref(), Ok("http://127.0.0.1:8080"));
        assert_eq!(read("https://localhost").as_deref(), Ok("https://localhost"));
    }

    #[test]
    fn what_is_refused() {
        for (pasted, problem) in [
            ("", Problem::Empty),
            ("ftp://acme.example", Problem::Scheme),
            ("http://acme.example", Problem::PlainHttp),
            ("http://127.0.0.1.example", Problem::PlainHttp),
            ("http://x.localhost", Problem::PlainHttp),
            ("http://localhost@acme.example", Problem::UserInfo),
            ("https://user:secret@acme.example", Problem::UserInfo),
            ("https://", Problem::Host),
            ("acme..example", Problem::Host),
            ("-acme.example", Problem::Host),
            ("acme.example\\@evil.example", Problem::UserInfo),
            ("acmé.example", Problem::Host),
            ("300.0.0.1", Problem::Host),
            ("acme.example:0", Problem::Port),
            ("acme.example:+80", Problem::Port),
            ("acme.example:65536", Problem::Port),
            ("https://acme.example/dashboard", Problem::Path),
        ] {
            assert_eq!(read(pasted), Err(problem), "{pasted}");
        }
    }

    #[test]
    fn a_label_that_grows_too_long_is_refused() {
        let label = "a".repeat(60);
        assert_eq!(read(&alloc::format!("{label}.example")), Err(Problem::Host));
        let label = "a".repeat(59);
        let address = read(&alloc::format!("{label}.example")).unwrap();
        assert_eq!(read(&address), Ok(address.clone()));
    }

    #[test]
    fn on_premises_hosts_stay_as_they_are() {
        let address = Address::parse_on_premises("xsoar.corp.example").unwrap();
        assert_eq!(address.to_string(), "https://xsoar.corp.example");
    }

    #[test]
    fn a_path_cannot_change_the_host() {
        let address = Address::parse("acme.example").unwrap();
        for path in ["@evil.example", "//evil.example", "/a b", "/\\evil", "", "x", "/a#b"] {
            assert!(address.join(path).is_err(), "{path}");
        }
        let longest = alloc::format!("/{}", "a".repeat(CALL_PATH_MAX - 1));
        assert!(address.join(&longest).is_ok());
        assert!(address.join(&(longest + "a")).is_err());
        assert!(address.join(VALIDATE_PATH).is_ok());
    }

    proptest! {
        #[test]
        fn no_text_panics_and_what_is_read_is_stable(pasted in ".{0,80}") {
            if let Ok(address) = Address::parse(&pasted) {
                prop_assert_eq!(Address::parse(&address.to_string()), Ok(address));
            }
        }
    }
}
