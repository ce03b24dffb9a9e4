//! `healthcheck` and `health_check`: shows that the tenant is running.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::routing::{MethodRouter, get};
use cortexkey_api::Reply;
use cortexkey_api::health::{Health, HealthCheck};

use super::App;

pub(super) fn calls() -> MethodRouter<Arc<App>> {
    get(|| async { Json(Health::available()) })
}

pub(super) fn check_calls() -> MethodRouter<Arc<App>> {
    get(async |State(app): State<Arc<App>>| {
        let reply = HealthCheck {
            service: "tenant".to_owned(),
            status: Health::available().status,
            reason: String::new(),
            timestamp: app.clock.now_ms(),
        };
        Json(Reply { reply })
    })
}
