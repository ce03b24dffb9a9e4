//! [`Parts`]: the parameters of a call's path, such as an id.
//!
//! Invalid UTF-8 is refused in the error format of the call.

use axum::extract::{FromRequestParts, Path};
use axum::http::request;
use cortexkey_api::Envelope;
use serde::de::DeserializeOwned;

use super::envelope_of;
use crate::refusal::Refusal;

/// The parameters of a path.
pub(super) struct Parts<T>(pub(super) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Parts<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut request::Parts, state: &S) -> Result<Self, Refusal> {
        let path = parts.uri.path().to_owned();
        if let Ok(Path(found)) = Path::from_request_parts(parts, state).await {
            return Ok(Self(found));
        }
        let refusal = Refusal::not_found("the path is not UTF-8");
        let is_platform = envelope_of(&path) == Envelope::Platform;
        Err(if is_platform { refusal.of_platform() } else { refusal })
    }
}
