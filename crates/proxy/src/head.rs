//! Checks a request's head before any of it is used: [`check_head`], and [`Denial`], the reason of a
//! refusal.

use core::net::SocketAddr;

use cortexkey_client::Method;
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::{StatusCode, Version};
use unicode_normalization::UnicodeNormalization as _;

use crate::allow::AllowList;
use crate::token::Token;

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Denial {
    /// The target is not a path, or the request is not plain HTTP/1.
    #[error("expected a path as the target, and HTTP/1.1")]
    Target,
    /// `Host` is not the proxy's address, as in a DNS rebinding attack.
    #[error("the Host header is not the address of this proxy")]
    Host,
    /// A browser sent the request.
    #[error("requests of browsers are not passed on")]
    Browser,
    /// The request asks for another protocol.
    #[error("another protocol, such as WebSocket, is not supported")]
    Upgrade,
    /// The token is missing or wrong.
    #[error(
        "the token is missing or wrong: send it as the API key, or as the first part of the path"
    )]
    Token,
    /// Another user's process sent it.
    #[error("the process belongs to another user")]
    User,
    /// The method is not one of the API.
    #[error("expected GET, POST, PUT, PATCH or DELETE")]
    Method,
    /// The path is ambiguous.
    #[error("the path is not in its normal form")]
    Path,
    /// The query contains a parameter that some servers take the method from.
    #[error("a parameter of the query sets another method")]
    Query,
    /// The call is not on the allow-list.
    #[error("the call is not allowed: start the proxy with --allow for it")]
    Call,
    /// The method has no body, but there is one.
    #[error("the method has no body")]
    Body,
    /// The body is larger than the limit.
    #[error("the body is larger than the proxy's limit")]
    TooLarge,
    /// The body has another transfer coding than `chunked`.
    #[error("the body has another transfer coding than chunked, which is not supported")]
    Coding,
    /// The body broke off, or its chunks are malformed.
    #[error("the body broke off or is malformed")]
    Broken,
    /// The body stopped arriving.
    #[error("the body did not arrive in time")]
    Slow,
    /// The largest number of concurrent requests is reached.
    #[error("too many requests at a time")]
    Busy,
}

impl Denial {
    /// A short name for programs, in the header `x-cortexkey-proxy-error`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Target => "target",
            Self::Host => "host",
            Self::Browser => "browser",
            Self::Upgrade => "upgrade",
            Self::Token => "token",
            Self::User => "user",
            Self::Method => "method",
            Self::Path => "path",
            Self::Query => "query",
            Self::Call => "call",
            Self::Body => "body",
            Self::TooLarge => "too-large",
            Self::Coding => "coding",
            Self::Broken => "broken",
            Self::Slow => "slow",
            Self::Busy => "busy",
        }
    }

    pub(crate) const fn status(self) -> StatusCode {
        match self {
            Self::Target | Self::Path | Self::Query | Self::Body | Self::Broken => {
                StatusCode::BAD_REQUEST
            }
            Self::Host => StatusCode::MISDIRECTED_REQUEST,
            // The client may sign with another key; 401 would mean that the tenant refused it.
            Self::Browser | Self::Token | Self::User | Self::Call => StatusCode::FORBIDDEN,
            Self::Upgrade | Self::Coding => StatusCode::NOT_IMPLEMENTED,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// How the client connected, and what it must present.
pub(crate) enum Transport<'a> {
    /// Over TCP: `Host` must be this address, and the token must be sent.
    Token { token: &'a Token, address: SocketAddr },
    /// Over a Unix socket whose peer belongs to the same user.
    SameUser,
}

/// A call that may be forwarded.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct AllowedCall {
    pub(crate) method: Method,
    /// Path and query for the tenant.
    pub(crate) path: String,
}

/// Checks the head of a request.
pub(crate) fn check_head(
    parts: &Parts,
    gate: &Transport<'_>,
    allow: &AllowList,
) -> Result<AllowedCall, Denial> {
    let uri = &parts.uri;
    let is_path =
        uri.scheme().is_none() && uri.authority().is_none() && uri.path().starts_with('/');
    if !is_path || !matches!(parts.version, Version::HTTP_10 | Version::HTTP_11) {
        return Err(Denial::Target);
    }
    if parts.headers.contains_key(header::UPGRADE) {
        return Err(Denial::Upgrade);
    }
    // The body would go on without the other coding's name, and mean something else.
    let mut codings = parts.headers.get_all(header::TRANSFER_ENCODING).iter();
    if codings.any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"chunked")) {
        return Err(Denial::Coding);
    }
    if BROWSER.iter().any(|name| parts.headers.contains_key(name)) {
        return Err(Denial::Browser);
    }
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let path = match gate {
        Transport::SameUser => path,
        Transport::Token { token, address } => {
            check_host(parts, *address)?;
            without_token(parts, path, token)?
        }
    };
    let method = parts.method.as_str().parse().map_err(|_| Denial::Method)?;
    let (bare, query) = path.split_once('?').unwrap_or((path, ""));
    if !is_normal(bare) {
        return Err(Denial::Path);
    }
    if sets_method(query) {
        return Err(Denial::Query);
    }
    if !allow.allows(method, bare) {
        return Err(Denial::Call);
    }
    Ok(AllowedCall { method, path: path.to_owned() })
}

/// Headers that browsers add and that scripts cannot remove.
const BROWSER: [HeaderName; 2] = [header::ORIGIN, HeaderName::from_static("sec-fetch-site")];

fn check_host(parts: &Parts, address: SocketAddr) -> Result<(), Denial> {
    let mut hosts = parts.headers.get_all(header::HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return Err(Denial::Host) };
    let expected = [address.to_string(), format!("localhost:{}", address.port())];
    if expected.iter().any(|expected| host.as_bytes().eq_ignore_ascii_case(expected.as_bytes())) {
        Ok(())
    } else {
        Err(Denial::Host)
    }
}

/// The path for the tenant, once the token was found: in `Authorization`, as programs send a
/// Standard key, or as the path's first segment.
fn without_token<'p>(parts: &Parts, path: &'p str, token: &Token) -> Result<&'p str, Denial> {
    let shown = parts.headers.get(header::AUTHORIZATION).map(HeaderValue::to_str);
    if let Some(Ok(shown)) = shown {
        let bearer =
            shown.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        if token.matches(bearer.map_or(shown, |(_, token)| token.trim())) {
            return Ok(path);
        }
    }
    let rest = &path[1..];
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (first, rest) = rest.split_at(end);
    if token.matches(first) && rest.starts_with('/') { Ok(rest) } else { Err(Denial::Token) }
}

/// Whether every server interprets the path alike: no empty segments, no dots, and nothing encoded
/// that a server could decode to another path. Otherwise a call could get past the list.
fn is_normal(path: &str) -> bool {
    let Some(decoded) = decoded(path) else { return false };
    !path.contains("//")
        && decoded.split('/').all(|segment| segment.is_empty() || is_name(segment))
        && decoded.nfkc().eq(decoded.chars())
        && decoded.chars().all(|character| character.is_ascii() || is_letter(character))
}

/// The path without its encoding; `None` if it contains a character that a path cannot have as it is,
/// an unnecessary encoding, or bytes that are not valid UTF-8.
fn decoded(path: &str) -> Option<String> {
    let mut bytes = path.bytes();
    let mut decoded = Vec::with_capacity(path.len());
    while let Some(byte) = bytes.next() {
        let byte = match byte {
            b'%' => needed(bytes.next()?, bytes.next()?)?,
            byte if is_plain(byte) || byte == b'/' => byte,
            _ => return None,
        };
        decoded.push(byte);
    }
    String::from_utf8(decoded).ok()
}

/// The byte with these two digits, if a path cannot have it as it is.
fn needed(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let byte = u8::try_from(digit(high)? * 16 + digit(low)?).ok()?;
    let is_needed = !is_unreserved(byte) && !byte.is_ascii_control() && !b"/\\%;?#".contains(&byte);
    is_needed.then_some(byte)
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

fn is_plain(byte: u8) -> bool {
    is_unreserved(byte) || b"!$&'()*+,:=@".contains(&byte)
}

/// Whether a segment stays as it is on a server that removes dots and spaces at its ends.
fn is_name(segment: &str) -> bool {
    segment.trim() == segment && !segment.trim_matches(['.', ' ']).is_empty()
}

/// Whether a character outside ASCII is a letter or digit that is not an ASCII letter in the other
/// case, as the Kelvin sign is.
fn is_letter(character: char) -> bool {
    character.is_alphanumeric()
        && !is_ascii(character.to_uppercase())
        && !is_ascii(character.to_lowercase())
}

fn is_ascii(mut cased: impl ExactSizeIterator<Item = char>) -> bool {
    cased.len() == 1 && cased.next().is_some_and(|cased| cased.is_ascii())
}

/// Whether a parameter replaces the method, as frameworks for HTML forms allow.
fn sets_method(query: &str) -> bool {
    form_urlencoded::parse(query.as_bytes()).any(|(name, _)| {
        let name = name.trim().to_ascii_lowercase().replace('_', "-");
        ["-method", "x-http-method", "method-override"].contains(&&*name)
            || name.ends_with("-method-override")
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use hyper::Request;

    use super::*;

    fn check(
        token: &Token,
        build: impl Fn(hyper::http::request::Builder) -> hyper::http::request::Builder,
    ) -> Result<AllowedCall, Denial> {
        let request = build(Request::builder().header("host", "127.0.0.1:9")).body(()).unwrap();
        let gate = Transport::Token { token, address: "127.0.0.1:9".parse().unwrap() };
        check_head(&request.into_parts().0, &gate, &AllowList::default())
    }

    #[test]
    fn the_token_is_accepted_as_a_key_or_in_the_path() {
        let token = Token::generate().unwrap();
        let value = token.expose().to_owned();
        let call = Ok(AllowedCall { method: Method::Get, path: "/x?y=1".to_owned() });
        assert_eq!(check(&token, |r| r.uri("/x?y=1").header("authorization", &value)), call);
        for scheme in ["Bearer", "bearer", "BEARER"] {
            let bearer = format!("{scheme} {value}");
            assert_eq!(check(&token, |r| r.uri("/x?y=1").header("authorization", &bearer)), call);
        }
        assert_eq!(check(&token, |r| r.uri(format!("/{value}/x?y=1"))), call);
        for uri in [format!("/{value}"), format!("/{value}?/x"), "/x".into(), format!("/x/{value}")]
        {
            assert_eq!(check(&token, |r| r.uri(&uri)), Err(Denial::Token), "{uri}");
        }
        let half = &value[..32];
        assert_eq!(check(&token, |r| r.uri(format!("/{half}/x"))), Err(Denial::Token));
    }

    #[test]
    fn ambiguous_paths_are_denied() {
        let token = Token::generate().unwrap();
        let signed =
            |uri: &str| check(&token, |r| r.uri(uri).header("authorization", token.expose()));
        for path in [
            "/a//b",
            "/a/../b",
            "/a/./b",
            "/%2e%2e/b",
            "/a%2Fb",
            "/a;b",
            "/a%3Bb",
            "/a%5cb",
            "/a%252e",
            "/a%00",
            "/a%0a",
            "/a%3Fb",
            "/public_api/v1/%61pi_keys/get_api_keys",
            "/public_api/v1/api%5Fkeys/get_api_keys",
            "/platform/iam/v1/api%2dkey/3",
            "/%41",
            "/%7A",
            "/%30",
            "/%7e",
            "/a%",
            "/a%4",
            "/a%g1",
            "/a%+1",
            "/a%u0061",
            "/public_api/v1/%C1%A1pi_keys/get_api_keys",
            "/public_api/v1/%E0%81%A1pi_keys/get_api_keys",
            "/%F0%80%81%A1",
            "/%C3",
            "/%ED%A0%80",
            "/%FF",
            "/public_api/v1/%EF%BD%81pi_keys/get_api_keys",
            "/public_api/v1/api_%E2%84%AAeys/get_api_keys",
            "/public_api/v1/api_key%C5%BF/get_api_keys",
            "/ap%C4%B1_keys",
            "/a%CC%88",
            "/a%C2%ADb",
            "/a%E2%80%8Bb",
            "/a%C2%A0",
            "/public_api/v1/api_keys%20/get_api_keys",
            "/%20a",
            "/.%20/b",
            "/.../b",
            "/a%7F",
            "/a{b}",
            "/a\"b",
            "/a|b",
            "/a^b",
        ] {
            assert_eq!(signed(path), Err(Denial::Path), "{path}");
        }
        for path in [
            "/a%20b",
            "/a%40example.com",
            "/%C3%A4",
            "/Stra%c3%9fe",
            "/%E6%9D%B1",
            "/v1.2/a.b",
            "/a%7Bb%7D",
            "/a%2Bb?c=%61&d=%",
            "/a?http_method=GET",
        ] {
            assert_eq!(signed(path).map(|call| call.path).as_deref(), Ok(path));
        }
        for query in ["_method=DELETE", "a=1&%5FMethod=PUT", "X-HTTP-Method-Override=PUT"] {
            assert_eq!(signed(&format!("/a?{query}")), Err(Denial::Query), "{query}");
        }
        for uri in ["http://127.0.0.1:9/x", "http://evil.example/x"] {
            assert_eq!(signed(uri), Err(Denial::Target), "{uri}");
        }
        for path in ["/public_api/v1/api_keys/delete", "/platform/iam/v1/api-key/3"] {
            assert_eq!(signed(path), Err(Denial::Call), "{path}");
        }
    }

    #[test]
    fn hosts_browsers_methods_and_upgrades_are_checked() {
        let token = Token::generate().unwrap();
        let with = |name: &'static str, value: &'static str| {
            check(&token, |r| {
                r.uri("/x").header("authorization", token.expose()).header(name, value)
            })
        };
        assert_eq!(with("origin", "http://127.0.0.1:9"), Err(Denial::Browser));
        assert_eq!(with("sec-fetch-site", "same-origin"), Err(Denial::Browser));
        assert_eq!(with("upgrade", "websocket"), Err(Denial::Upgrade));
        assert_eq!(with("transfer-encoding", "gzip, chunked"), Err(Denial::Coding));
        assert!(with("transfer-encoding", "Chunked").is_ok());
        assert_eq!(with("host", "127.0.0.1:9"), Err(Denial::Host));
        let of_host = |host: &'static str| {
            let request = Request::builder().uri("/x").header("host", host);
            let request = request.header("authorization", token.expose()).body(()).unwrap();
            let gate = Transport::Token { token: &token, address: "127.0.0.1:9".parse().unwrap() };
            check_head(&request.into_parts().0, &gate, &AllowList::default()).map(drop)
        };
        assert_eq!(of_host("localhost:9"), Ok(()));
        for host in ["localhost", "127.0.0.1", "127.0.0.1:90", "rebind.example:9", "[::1]:9"] {
            assert_eq!(of_host(host), Err(Denial::Host), "{host}");
        }
        let of_method = |method: &'static str| {
            check(&token, |r| r.method(method).uri("/x").header("authorization", token.expose()))
        };
        for method in ["HEAD", "OPTIONS", "TRACE", "BREW"] {
            assert_eq!(of_method(method), Err(Denial::Method), "{method}");
        }
    }
}
