//! `system/get_tenant_info`: the tenant's licences, with invented figures.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use axum::routing::{MethodRouter, post};
use serde::Deserialize;
use serde_json::{Value, json};

use super::App;
use super::api_keys::access;
use super::body::OptionalMemberBody;
use super::gate::Caller;
use crate::refusal::Refusal;

const YEAR_MS: u64 = 365 * 24 * 60 * 60 * 1000;

#[derive(Default, Deserialize)]
struct EmptyRequest {}

pub(super) fn calls() -> MethodRouter<Arc<App>> {
    post(read)
}

/// The required permission is not published; any valid key gets it.
async fn read(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    OptionalMemberBody(EmptyRequest {}): OptionalMemberBody<EmptyRequest>,
) -> Result<Json<Value>, Refusal> {
    let store = app.store();
    access(&store, caller)?;
    let endpoints = store.inventory.endpoints.len();
    let ends_ms = app.clock.now_ms().saturating_add(YEAR_MS);
    Ok(Json(json!({ "reply": {
        "xsiam_premium_expiration": ends_ms,
        "purchased_xsiam_premium": { "users": 100, "gb": 100, "agents": 500 },
        "pro_per_endpoint_expiration": ends_ms,
        "purchased_pro_per_endpoint": { "agents": 200 },
        "data_enabled_pro_per_endpoint": endpoints,
        "prevent_expiration": 0,
        "purchased_prevent": 0,
        "installed_prevent": endpoints,
        "compute_unit_expiration": 0,
        "purchased_compute_unit": 0,
    } })))
}
