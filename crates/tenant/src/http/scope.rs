//! `platform/iam/v1/scope/api-key/{id}`: what a key may see, read and replaced.
//!
//! It refuses names that the tenant does not have and selections that select nothing, and keeps
//! scopes without enforcing them: like a new tenant of the product, this one has SBAC off.

use std::sync::{Arc, PoisonError};

use axum::Json;
use axum::extract::{Extension, FromRequest, Path, Request, State};
use axum::http::StatusCode;
use axum::routing::{MethodRouter, get};
use cortexkey_api::scope::{
    AssetGroup, AssetsRead, AssetsWrite, AxisMode, AxisWrite, CasesIssuesWrite, EndpointsRead,
    Mode, ScopeRead, ScopeWrite, Tag, Tagged,
};
use cortexkey_core::access::{Permission, Rights};
use cortexkey_core::auth::KeyId;
use serde_json::{Value, json};

use super::App;
use super::api_keys::role_names;
use super::body::Asked;
use super::gate::Caller;
use super::refusal::Refusal;
use crate::inventory;
use crate::roles;
use crate::store::Store;

const ACCESS_MANAGEMENT: &str = "Access Management";

pub(super) fn calls() -> MethodRouter<Arc<App>> {
    get(read).put(write)
}

async fn read(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path((entity, id)): Path<(String, String)>,
) -> Result<Json<Value>, Refusal> {
    let store = app.store.read().unwrap_or_else(PoisonError::into_inner);
    let held = app.roles.all(role_names(&store, caller)?);
    if Rights(&held).component(ACCESS_MANAGEMENT).0 < Some(Permission::View) {
        return Err(needs("View"));
    }
    let id = key_of(&store, &entity, &id)?;
    let scope = store.get(id).and_then(|entry| entry.scope.as_ref());
    Ok(Json(json!({ "data": scope.map(shown) })))
}

async fn write(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path((entity, id)): Path<(String, String)>,
    AskedIam(scope): AskedIam<ScopeWrite>,
) -> Result<Json<Value>, Refusal> {
    let mut store = app.store.write().unwrap_or_else(PoisonError::into_inner);
    let held = app.roles.all(role_names(&store, caller)?);
    if Rights(&held).component(ACCESS_MANAGEMENT).0 < Some(Permission::Edit) {
        return Err(needs("View/Edit"));
    }
    let id = key_of(&store, &entity, &id)?;
    let touched = store.get(id).map(|entry| app.roles.all(&entry.record.roles));
    if !roles::may_handle(&held, &touched.unwrap_or_default()) {
        return Err(Refusal::forbidden(
            "only a key with the role Instance Administrator changes keys that have it",
        ));
    }
    check(&scope)?;
    store.set_scope(id, scope);
    Ok(Json(json!({ "data": { "message": "The scope was updated successfully." } })))
}

/// As [`Asked`], with the errors of the platform's own calls.
struct AskedIam<T>(T);

impl<T, S: Send + Sync> FromRequest<S> for AskedIam<T>
where
    Asked<T>: FromRequest<S, Rejection = Refusal>,
{
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        match Asked::from_request(request, state).await {
            Ok(Asked(asked)) => Ok(Self(asked)),
            Err(refusal) => Err(refusal.of_platform()),
        }
    }
}

fn needs(level: &str) -> Refusal {
    Refusal::forbidden(
        "the key needs a role that holds Access Management, as Instance Administrator",
    )
    .with_extra(format!("scopes need Access Management at {level}"))
}

fn key_of(store: &Store, entity: &str, id: &str) -> Result<KeyId, Refusal> {
    let unknown = |what: &str| {
        Refusal::new(StatusCode::NOT_FOUND, what)
            .with_remedy("this tenant has scopes of keys: /platform/iam/v1/scope/api-key/{id}")
            .of_platform()
    };
    if entity != "api-key" {
        return Err(unknown("this tenant has no users and no user groups"));
    }
    let id: KeyId = id.parse().map_err(|_| unknown("the id is no key id"))?;
    if store.get(id).is_some() { Ok(id) } else { Err(unknown("no key has this id")) }
}

fn check(scope: &ScopeWrite) -> Result<(), Refusal> {
    check_assets(&scope.assets)?;
    check_cases(&scope.cases_issues)?;
    let endpoints = &scope.endpoints;
    check_axis("endpoint_groups", &endpoints.endpoint_groups, inventory::endpoint_group)?;
    check_axis("endpoint_tags", &endpoints.endpoint_tags, inventory::endpoint_tag)?;
    match &scope.datasets_rows {
        Some(_) => Err(invalid("datasets_rows: this tenant has no scopes for rows of datasets")),
        None => Ok(()),
    }
}

fn check_assets(assets: &AssetsWrite) -> Result<(), Refusal> {
    let ids = &assets.asset_group_ids;
    check_selection("assets", assets.mode == Mode::Scope, ids.is_empty())?;
    match ids.iter().find(|id| inventory::asset_group(**id).is_none()) {
        Some(id) => Err(invalid(&format!("assets: no asset group has the id {id}"))),
        None => Ok(()),
    }
}

fn check_cases(cases: &CasesIssuesWrite) -> Result<(), Refusal> {
    check_selection("cases_issues", cases.mode == Mode::Scope, cases.names.is_empty())?;
    check_names("cases_issues", &cases.names, inventory::domain)?;
    if cases.mode == Mode::NoScope && cases.include_cases_issues_empty_entities {
        return Err(invalid(
            "cases_issues: include_cases_issues_empty_entities goes with see_all and scope",
        ));
    }
    Ok(())
}

fn check_axis(
    area: &str,
    axis: &AxisWrite,
    known: fn(&str) -> Option<usize>,
) -> Result<(), Refusal> {
    check_selection(area, axis.mode == AxisMode::Scope, axis.names.is_empty())?;
    check_names(area, &axis.names, known)
}

/// Names go with `scope`, and `scope` needs at least one.
fn check_selection(area: &str, selects: bool, is_empty: bool) -> Result<(), Refusal> {
    match (selects, is_empty) {
        (true, true) => Err(invalid(&format!("{area}: the mode scope needs at least one"))),
        (false, false) => Err(invalid(&format!("{area}: a selection goes with the mode scope"))),
        _ => Ok(()),
    }
}

fn check_names(
    area: &str,
    names: &[String],
    known: fn(&str) -> Option<usize>,
) -> Result<(), Refusal> {
    // The name is not repeated: anything may have been sent.
    match names.iter().position(|name| known(name).is_none()) {
        Some(at) => Err(invalid(&format!("{area}: the tenant does not have name {}", at + 1))),
        None => Ok(()),
    }
}

fn invalid(what: &str) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, "Invalid input").with_extra(what).of_platform()
}

/// The shape that is read, which is another than the one that is written.
fn shown(scope: &ScopeWrite) -> ScopeRead {
    let groups = scope.assets.asset_group_ids.iter().map(|id| AssetGroup {
        asset_group_id: *id,
        asset_group_name: inventory::asset_group(*id).unwrap_or_default().to_owned(),
    });
    let cases = &scope.cases_issues;
    let endpoints = &scope.endpoints;
    ScopeRead {
        assets: AssetsRead { mode: scope.assets.mode, asset_groups: groups.collect() },
        cases_issues: Tagged { mode: cases.mode, tags: tags(&cases.names, inventory::domain) },
        endpoints: EndpointsRead {
            endpoint_groups: axis(&endpoints.endpoint_groups, inventory::endpoint_group),
            endpoint_tags: axis(&endpoints.endpoint_tags, inventory::endpoint_tag),
        },
        datasets_rows: None,
    }
}

fn axis(axis: &AxisWrite, place: fn(&str) -> Option<usize>) -> Tagged<AxisMode> {
    Tagged { mode: axis.mode, tags: tags(&axis.names, place) }
}

fn tags(names: &[String], place: fn(&str) -> Option<usize>) -> Vec<Tag> {
    let tag = |name: &String| Tag { tag_id: json!(place(name)), tag_name: name.clone() };
    names.iter().map(tag).collect()
}
