//! `platform/iam/v1/api-key/{id}`: one key, read and edited.
//!
//! The PUT's request is parsed here according to the product's description, and not with the
//! client's type: otherwise a mistake in one would also be in the other.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use axum::routing::{MethodRouter, get};
use cortexkey_api::api_keys::{ApiKeyRecord, SecurityLevel};
use cortexkey_api::{Data, Message};
use cortexkey_core::access::Permission;
use cortexkey_core::auth::KeyId;
use serde::{Deserialize, Serialize};

use super::App;
use super::api_keys::{AUDITED, access, check_comment, check_roles, refused};
use super::body::{Member, PlatformBody};
use super::gate::Caller;
use super::path::Parts;
use super::role::ACCESS_MANAGEMENT;
use crate::access::CallerAccess;
use crate::options::EditRoles;
use crate::refusal::Refusal;
use crate::store::{AuditEvent, Edit, Store};

pub(super) fn calls() -> MethodRouter<Arc<App>> {
    get(read).put(write)
}

/// The contents of a PUT.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EditRequest {
    roles: Vec<String>,
    security_level: SecurityLevel,
    #[serde(default)]
    comment: Member<String>,
}

/// A key, with the additional member from the product's documents.
#[derive(Serialize)]
struct Read {
    data: ApiKeyRecord,
    metadata: serde_json::Map<String, serde_json::Value>,
}

async fn read(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Parts(id): Parts<String>,
) -> Result<Json<Read>, Refusal> {
    let store = app.store();
    may_read(&store, caller, &id)
        .map(|data| Json(Read { data, metadata: serde_json::Map::new() }))
        .map_err(Refusal::of_platform)
}

fn may_read(store: &Store, caller: Caller, id: &str) -> Result<ApiKeyRecord, Refusal> {
    access(store, caller)?.require(ACCESS_MANAGEMENT, Permission::View)?;
    let id = number(id)?;
    let entry = id.and_then(|id| store.get(id)).ok_or_else(|| {
        let id = id.map_or(0, KeyId::get);
        Refusal::not_found(&format!("Api Key fetch failed: api_key_id does not exist, id={id}."))
    })?;
    Ok(ApiKeyRecord::from(&*entry.record))
}

async fn write(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Parts(id): Parts<String>,
    PlatformBody(request): PlatformBody<EditRequest>,
) -> Result<Json<Data<Message>>, Refusal> {
    let now_ms = app.clock.now_ms();
    let edited = app.change(|store| {
        let may = may_write(store, caller, &id, request, app.edit_roles);
        let done = may.is_ok();
        if done || may.as_ref().is_err_and(Refusal::is_forbidden) {
            let subject = format!("API key {}", id.parse::<KeyId>().map_or(0, KeyId::get));
            let description = if done { format!("{subject} was edited") } else { refused("edit") };
            let event = AuditEvent { entity: AUDITED, subtype: "Edit", subject, description, done };
            store.note(caller.0.key_id(), now_ms, event);
        }
        let (id, edit) = may?;
        store.edit(id, edit);
        Ok(())
    });
    edited.map_err(Refusal::of_platform)?;
    let message = "API key updated successfully".to_owned();
    Ok(Json(Data { data: Message { message } }))
}

fn may_write(
    store: &Store,
    caller: Caller,
    id: &str,
    request: EditRequest,
    edit_roles: EditRoles,
) -> Result<(KeyId, Edit), Refusal> {
    let access = access(store, caller)?;
    access.require(ACCESS_MANAGEMENT, Permission::Edit)?;
    let id = key_of(store, id)?;
    let entry = store.get(id).ok_or_else(no_key)?;
    // The old and the new state.
    access.require_handling(&store.roles.all(&entry.record.roles))?;
    let roles = wanted_roles(store, &access, request.roles, edit_roles)?;
    let comment = match request.comment {
        Member::Value(comment) => check_comment(Some(comment))?,
        Member::Null => None,
        Member::Absent => entry.record.comment.clone(),
    };
    Ok((id, Edit { roles, level: request.security_level.into(), comment }))
}

/// The display names of the roles in a PUT, given by id or, in the other reading of the product's
/// documents, by name.
fn wanted_roles(
    store: &Store,
    access: &CallerAccess<'_>,
    roles: Vec<String>,
    edit_roles: EditRoles,
) -> Result<Vec<String>, Refusal> {
    let names = match edit_roles {
        EditRoles::Name => roles,
        EditRoles::Id => {
            let name = |id: &String| {
                store.roles.name_of(id).map(str::to_owned).ok_or_else(|| {
                    Refusal::invalid("Unknown custom roles")
                        .with_extra("roles are given by the role_id that GET role shows")
                })
            };
            roles.iter().map(name).collect::<Result<_, _>>()?
        }
    };
    check_roles(store, access, names)
}

/// The key that a path names, for a change.
pub(super) fn key_of(store: &Store, id: &str) -> Result<KeyId, Refusal> {
    let id = number(id)?;
    id.filter(|id| store.get(*id).is_some()).ok_or_else(no_key)
}

/// The id that a path names; zero is a number, but never a key's id.
fn number(id: &str) -> Result<Option<KeyId>, Refusal> {
    if id == "0" { Ok(None) } else { id.parse().map(Some).map_err(|_| no_key()) }
}

fn no_key() -> Refusal {
    Refusal::not_found("Invalid api_key_id")
}
