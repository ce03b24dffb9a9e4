//! `x-child-tenant-id`: a key of the parent manages the keys of a child tenant.
//!
//! The product's description has the header only for the calls on `api_keys`. Any other call with
//! it, or with an unknown child, is refused: carried out on the parent it could delete the wrong
//! keys.

use std::sync::Arc;

use axum::http::{HeaderName, StatusCode, request};

use super::{App, envelope_of};
use crate::refusal::Refusal;

const CHILD: HeaderName = HeaderName::from_static("x-child-tenant-id");
const CALLS: [&str; 3] = ["/api_keys/get_api_keys", "/api_keys/generate", "/api_keys/delete"];

/// The tenant that a call is for: this one, or a child of it.
#[derive(Clone)]
pub(super) struct Target(pub(super) Arc<App>);

impl Target {
    /// The tenant that the headers of a call select.
    pub(super) fn of(app: &Arc<App>, request: &request::Parts) -> Result<Self, Refusal> {
        let mut named = request.headers.get_all(CHILD).iter();
        let Some(child) = named.next() else { return Ok(Self(Arc::clone(app))) };
        let path = request.uri.path();
        let refused = |why: &'static str, remedy: &'static str| {
            Refusal::new(StatusCode::BAD_REQUEST, "Invalid child tenant")
                .with_extra(format!("x-child-tenant-id: {why}"))
                .with_remedy(remedy)
                .in_envelope(envelope_of(path))
        };
        if !CALLS.iter().any(|call| path.trim_end_matches('/').ends_with(call)) {
            return Err(refused(
                "only the calls on api_keys are for a child tenant",
                "make this call without the header",
            ));
        }
        if named.next().is_some() {
            return Err(refused("the header is given twice", "send the header once"));
        }
        let child = child.to_str().ok().and_then(|id| app.children.get(id));
        child.map(|child| Self(Arc::clone(child))).ok_or_else(|| {
            refused(
                "this tenant has no such child tenant",
                "start the emulator with --child ID for each child tenant",
            )
        })
    }

    /// Whether it is a child.
    pub(super) fn is_child_of(&self, app: &Arc<App>) -> bool {
        !Arc::ptr_eq(&self.0, app)
    }
}
