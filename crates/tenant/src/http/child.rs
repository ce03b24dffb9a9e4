//! Calls for a child tenant: this tenant has none.
//!
//! It refuses to carry out on this tenant what was meant for another: that could delete its keys.

use axum::http::request::Parts;
use axum::http::{HeaderName, StatusCode};

use super::{Refusal, envelope_of};

const CHILD: HeaderName = HeaderName::from_static("x-child-tenant-id");

/// Refuses a call that names a child tenant, whichever.
pub(super) fn check(request: &Parts) -> Result<(), Refusal> {
    if !request.headers.contains_key(CHILD) {
        return Ok(());
    }
    Err(Refusal::new(StatusCode::BAD_REQUEST, "Invalid child tenant")
        .with_extra("x-child-tenant-id: this tenant has no child tenants; nothing was done")
        .with_remedy("leave x-child-tenant-id out; a local tenant has no child tenants")
        .in_envelope(envelope_of(request.uri.path())))
}
