//! The names of the authentication headers.

/// The header that names the key: its id, in decimal.
pub const HEADER_KEY_ID: &str = "x-xdr-auth-id";
/// The header that carries the key (Standard) or the digest (Advanced).
pub const HEADER_AUTHORIZATION: &str = "Authorization";
/// The header with the nonce of an Advanced request.
pub const HEADER_NONCE: &str = "x-xdr-nonce";
/// The header with the time of an Advanced request, in milliseconds since 1970.
pub const HEADER_TIMESTAMP: &str = "x-xdr-timestamp";
