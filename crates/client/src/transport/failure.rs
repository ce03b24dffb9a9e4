//! Converts the HTTP library's errors to [`CallError`].

use std::io::ErrorKind;

use ureq::Error;

use super::{CallError, ClientOptions};

/// `host` is the server, and the proxy if there is one.
pub(super) fn classify(error: Error, host: String, options: &ClientOptions) -> CallError {
    match error {
        Error::HostNotFound => CallError::UnknownHost { host },
        Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => {
            CallError::ConnectTimeout { host, after: options.connect_timeout }
        }
        Error::Timeout(_) => CallError::Timeout { host, after: options.timeout },
        Error::Tls(detail) => CallError::Tls { host, detail: detail.to_owned() },
        Error::Rustls(error) => CallError::Tls { host, detail: error.to_string() },
        Error::Io(error) => of_io(&error, host, options),
        Error::BodyExceedsLimit(_) => CallError::TooLarge { limit: options.max_answer_bytes },
        Error::ConnectProxyFailed(_) | Error::InvalidProxyUrl => CallError::Proxy { host },
        Error::ConnectionFailed => {
            CallError::Unreachable { host, detail: "no connection".to_owned() }
        }
        Error::Protocol(_) | Error::LargeResponseHeader(..) | Error::Http(_) => {
            CallError::NotHttp { host }
        }
        _ => CallError::Broken { host, detail: "the HTTP library gave up".to_owned() },
    }
}

fn of_io(error: &std::io::Error, host: String, options: &ClientOptions) -> CallError {
    let detail = error.kind().to_string();
    if is_lookup(error) {
        return CallError::UnknownHost { host };
    }
    match error.kind() {
        ErrorKind::ConnectionRefused
        | ErrorKind::HostUnreachable
        | ErrorKind::NetworkUnreachable
        | ErrorKind::NetworkDown
        | ErrorKind::AddrNotAvailable
        | ErrorKind::PermissionDenied => CallError::Unreachable { host, detail },
        // The TLS library's own errors are wrapped like this.
        ErrorKind::InvalidData if error.get_ref().is_some() => {
            CallError::Tls { host, detail: error.to_string() }
        }
        ErrorKind::TimedOut => CallError::Timeout { host, after: options.timeout },
        _ => CallError::Broken { host, detail },
    }
}

/// A failed name lookup has no error kind: on Unix the standard library's text identifies it, on
/// Windows a number.
fn is_lookup(error: &std::io::Error) -> bool {
    const HOST_NOT_FOUND_WINDOWS: i32 = 11001;
    error.raw_os_error() == Some(HOST_NOT_FOUND_WINDOWS)
        || error.to_string().starts_with("failed to lookup address")
}
