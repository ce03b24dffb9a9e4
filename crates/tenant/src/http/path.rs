//! [`Parts`]: what a call's path holds, such as an id.
//!
//! It refuses, in the product's own words, what is no text.

use axum::extract::{FromRequestParts, Path};
use axum::http::request;
use serde::de::DeserializeOwned;

use super::{Refusal, envelope_of};

/// The parts of a path that are not the same in each call.
pub(super) struct Parts<T>(pub(super) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Parts<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut request::Parts, state: &S) -> Result<Self, Refusal> {
        let path = parts.uri.path().to_owned();
        match Path::from_request_parts(parts, state).await {
            Ok(Path(found)) => Ok(Self(found)),
            Err(_) => Err(Refusal::not_found("the path holds what is no text")
                .in_envelope(envelope_of(&path))),
        }
    }
}
