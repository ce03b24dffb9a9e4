//! `platform/iam/v1/scope/api-key/{id}`: what a key may see, read and replaced.
//!
//! It refuses names that the tenant does not have and selections that select nothing, and keeps
//! scopes without enforcing them: like a new tenant of the product, this one has SBAC off.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::routing::{MethodRouter, get};
use cortexkey_api::scope::{
    AssetGroup, AssetsRead, AssetsWrite, AxisMode, AxisWrite, CasesIssuesWrite, DatasetsRows,
    EndpointsRead, EndpointsWrite, Mode, ScopeRead, ScopeWrite, Tag, Tagged,
};
use cortexkey_api::{Data, Envelope, Message};
use cortexkey_core::access::{Permission, RowFilter};
use cortexkey_core::auth::KeyId;

use super::App;
use super::api_key::key_of;
use super::api_keys::{access, refused};
use super::body::AskedPlatform;
use super::gate::Caller;
use super::path::Parts;
use super::refusal::Refusal;
use super::role::{ACCESS_MANAGEMENT, PERMISSIONS};
use crate::inventory;
use crate::store::{Deed, Store};

const DATASET_FILTERS_MAX: usize = 100;

pub(super) fn calls() -> MethodRouter<Arc<App>> {
    get(read).put(write)
}

async fn read(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Parts((entity, id)): Parts<(String, String)>,
) -> Result<Json<Data<ScopeRead>>, Refusal> {
    let store = app.store();
    may_read(&store, caller, &entity, &id)
        .map(|data| Json(Data { data }))
        .map_err(Refusal::of_platform_without_400)
}

fn may_read(store: &Store, caller: Caller, entity: &str, id: &str) -> Result<ScopeRead, Refusal> {
    access(store, caller)?.require(ACCESS_MANAGEMENT, Permission::View)?;
    let id = entity_of(store, entity, id)?;
    let scope = store.get(id).and_then(|entry| entry.scope.as_ref());
    // A key without a scope sees nothing where scopes are enforced, and that is what is shown.
    Ok(scope.map_or_else(|| shown(&nothing()), shown))
}

async fn write(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Parts((entity, id)): Parts<(String, String)>,
    AskedPlatform(scope): AskedPlatform<ScopeWrite>,
) -> Result<Json<Data<Message>>, Refusal> {
    let now_ms = app.clock.now_ms();
    let set = app.change(|store| {
        let may = may_write(store, caller, &entity, &id, &scope);
        let done = may.is_ok();
        if done || may.as_ref().is_err_and(Refusal::is_forbidden) {
            let subject = format!("API key {}", id.parse::<KeyId>().map_or(0, KeyId::get));
            let description = if done {
                format!("the scope of {subject} was set")
            } else {
                refused("set a scope")
            };
            let subtype = "Scope Edit";
            let deed = Deed { entity: PERMISSIONS, subtype, subject, description, done };
            store.note(caller.0.key_id(), now_ms, deed);
        }
        store.set_scope(may?, scope);
        Ok(())
    });
    set.map_err(Refusal::of_platform)?;
    let message = "The scope was updated successfully.".to_owned();
    Ok(Json(Data { data: Message { message } }))
}

fn may_write(
    store: &Store,
    caller: Caller,
    entity: &str,
    id: &str,
    scope: &ScopeWrite,
) -> Result<KeyId, Refusal> {
    let access = access(store, caller)?;
    access.require(ACCESS_MANAGEMENT, Permission::Edit)?;
    let id = entity_of(store, entity, id)?;
    if let Some(entry) = store.get(id) {
        access.require_handling(&store.roles.all(&entry.record.roles))?;
    }
    check(scope, store.settings.datasets)?;
    Ok(id)
}

/// The key that a path names; there are no other entities here.
fn entity_of(store: &Store, entity: &str, id: &str) -> Result<KeyId, Refusal> {
    let remedy = "this tenant has scopes of keys: /platform/iam/v1/scope/api-key/{id}";
    if !store.roles.product().has_scopes() {
        // The call is not there at all.
        return Err(Refusal::not_found("this product has no scopes")
            .with_extra("this product has no scopes")
            .with_remedy("start the tenant as another product")
            .in_envelope(Envelope::Platform));
    }
    match entity {
        "api-key" => key_of(store, id).map_err(|refusal| refusal.with_remedy(remedy)),
        "user" | "user-group" => {
            Err(Refusal::not_found("this tenant has no users and no user groups")
                .with_remedy(remedy))
        }
        _ => Err(Refusal::invalid("the entity is none of user, user-group, api-key")),
    }
}

/// The scope of a key that nobody gave one.
fn nothing() -> ScopeWrite {
    let axis = || AxisWrite { mode: AxisMode::NoScope, names: Vec::new() };
    ScopeWrite {
        assets: AssetsWrite { mode: Mode::NoScope, asset_group_ids: Vec::new() },
        cases_issues: CasesIssuesWrite {
            mode: Mode::NoScope,
            names: Vec::new(),
            include_cases_issues_empty_entities: false,
        },
        endpoints: EndpointsWrite { endpoint_groups: axis(), endpoint_tags: axis() },
        datasets_rows: None,
    }
}

fn check(scope: &ScopeWrite, datasets: bool) -> Result<(), Refusal> {
    check_assets(&scope.assets)?;
    check_cases(&scope.cases_issues)?;
    let endpoints = &scope.endpoints;
    check_axis("endpoint_groups", &endpoints.endpoint_groups, inventory::endpoint_group)?;
    check_axis("endpoint_tags", &endpoints.endpoint_tags, inventory::endpoint_tag)?;
    check_datasets(scope.datasets_rows.as_ref(), datasets)
}

/// Each PUT holds them where the tenant has such scopes, and none does where it has not.
fn check_datasets(rows: Option<&DatasetsRows>, datasets: bool) -> Result<(), Refusal> {
    match (rows, datasets) {
        (None, false) => Ok(()),
        (Some(_), false) => {
            Err(invalid("datasets_rows: this tenant has no scopes for rows of datasets"))
        }
        (None, true) => Err(invalid("datasets_rows: this tenant requires it in every PUT")),
        (Some(rows), true) => {
            if rows.default_filter_mode == Mode::Scope {
                return Err(invalid("datasets_rows: default_filter_mode is no_scope or see_all"));
            }
            if rows.filters.len() > DATASET_FILTERS_MAX {
                return Err(invalid("datasets_rows: too many filters"));
            }
            rows.filters.iter().try_for_each(|filter| {
                RowFilter::parse(&filter.filter)
                    .map(drop)
                    .map_err(|error| invalid(&format!("datasets_rows: {error}")))
            })
        }
    }
}

fn check_assets(assets: &AssetsWrite) -> Result<(), Refusal> {
    let ids = &assets.asset_group_ids;
    check_selection("assets", assets.mode == Mode::Scope, ids.is_empty())?;
    for id in ids {
        match inventory::asset_group(*id) {
            None => return Err(invalid(&format!("assets: no asset group has the id {id}"))),
            Some(group) if !group.scopable => {
                return Err(invalid(&format!(
                    "assets: asset group {id} is built from an attribute that no scope takes"
                )));
            }
            Some(_) => {}
        }
    }
    Ok(())
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
    Refusal::new(StatusCode::BAD_REQUEST, "Invalid input").with_extra(what)
}

/// The shape that is read, which is another than the one that is written.
fn shown(scope: &ScopeWrite) -> ScopeRead {
    let groups = scope.assets.asset_group_ids.iter().map(|id| AssetGroup {
        asset_group_id: *id,
        asset_group_name: inventory::asset_group(*id)
            .map_or_else(String::new, |group| group.name.to_owned()),
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
        datasets_rows: scope.datasets_rows.clone(),
    }
}

fn axis(axis: &AxisWrite, place: fn(&str) -> Option<usize>) -> Tagged<AxisMode> {
    Tagged { mode: axis.mode, tags: tags(&axis.names, place) }
}

fn tags(names: &[String], place: fn(&str) -> Option<usize>) -> Vec<Tag> {
    // Text, as the vendor's own client reads it.
    let id = |name: &String| place(name).map_or_else(String::new, |place| place.to_string());
    let tag = |name: &String| Tag { tag_id: id(name).into(), tag_name: name.clone() };
    names.iter().map(tag).collect()
}
