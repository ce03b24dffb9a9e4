//! `healthcheck`: is the tenant there?
//!
//! It refuses nothing: it says what the product says when all is well.

use std::sync::Arc;

use axum::Json;
use axum::routing::{MethodRouter, get};
use cortexkey_api::health::Health;

use super::App;

pub(super) fn calls() -> MethodRouter<Arc<App>> {
    get(|| async { Json(Health::available()) })
}
