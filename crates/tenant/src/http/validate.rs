//! `api_keys/validate`: shows that a key is valid.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::routing::{MethodRouter, get};
use cortexkey_api::validate::Validated;

use super::{App, body};
use crate::refusal::Refusal;

pub(super) fn calls() -> MethodRouter<Arc<App>> {
    get(|| async { Json(Validated::YES) }).post(post)
}

async fn post(headers: HeaderMap, bytes: Bytes) -> Result<Json<Validated>, Refusal> {
    if !bytes.is_empty() {
        body::check_type(&headers)?;
        serde_json::from_slice::<serde::de::IgnoredAny>(&bytes)
            .map_err(|_| body::invalid_json())?;
    }
    Ok(Json(Validated::YES))
}
