//! `platform/iam/v1/user`: users; list, read, change.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use axum::routing::{MethodRouter, get};
use cortexkey_api::user::UserRecord;
use cortexkey_api::{Data, Message};
use cortexkey_core::access::Permission;
use serde::Deserialize;
use serde_json::{Value, json};

use super::App;
use super::api_keys::{access, refused};
use super::body::PlatformBody;
use super::gate::Caller;
use super::path::Parts;
use super::role::{ACCESS_MANAGEMENT, PERMISSIONS};
use crate::refusal::Refusal;
use crate::store::{AuditEvent, Store};

const TEXT_CHARS_MAX: usize = 200;
const GROUPS_MAX: usize = 1_000;

pub(super) fn list_calls() -> MethodRouter<Arc<App>> {
    get(list)
}

pub(super) fn one_calls() -> MethodRouter<Arc<App>> {
    get(read).patch(edit)
}

/// The body of a PATCH. `null` and omitted members stay unchanged; empty ones are removed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EditRequest {
    user_first_name: Option<String>,
    user_last_name: Option<String>,
    role_id: Option<String>,
    phone_number: Option<String>,
    status: Option<String>,
    is_hidden: Option<bool>,
    user_groups: Option<Vec<String>>,
}

async fn list(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Value>, Refusal> {
    let store = app.store();
    may(&store, caller, Permission::View).map_err(Refusal::of_platform)?;
    let users: Vec<_> =
        store.directory.users.iter().map(|user| store.directory.shown(user)).collect();
    Ok(Json(json!({ "data": users, "metadata": { "total_count": users.len() } })))
}

async fn read(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Parts(email): Parts<String>,
) -> Result<Json<Data<UserRecord>>, Refusal> {
    let store = app.store();
    let found = may(&store, caller, Permission::View).and_then(|()| {
        let user = store.directory.user(&email).ok_or_else(no_user)?;
        Ok(store.directory.shown(user))
    });
    found.map(|data| Json(Data { data })).map_err(Refusal::of_platform_without_400)
}

async fn edit(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Parts(email): Parts<String>,
    PlatformBody(request): PlatformBody<EditRequest>,
) -> Result<Json<Data<Message>>, Refusal> {
    let now_ms = app.clock.now_ms();
    let by = caller.0.key_id();
    let edited = app.change(|store| {
        if let Err(refusal) = may(store, caller, Permission::Edit) {
            let said = refused("edit a user");
            store.note(by, now_ms, event("User Edit", String::new(), said, false));
            return Err(refusal);
        }
        apply(store, caller, &email, request)?;
        store.keep_directory();
        let said = format!("the user {email} was edited");
        store.note(by, now_ms, event("User Edit", email.clone(), said, true));
        Ok(())
    });
    edited.map_err(Refusal::of_platform)?;
    let message = "User updated successfully".to_owned();
    Ok(Json(Data { data: Message { message } }))
}

fn apply(
    store: &mut Store,
    caller: Caller,
    email: &str,
    request: EditRequest,
) -> Result<(), Refusal> {
    let user = store.directory.user(email).ok_or_else(no_user)?;
    let email = user.record.user_email.clone();
    let before = user.record.role_name.clone();
    let role = request.role_id.as_deref().map(|id| role_of(store, id)).transpose()?;
    if let Some(role) = &role {
        let touched: Vec<_> = before.iter().chain(role).cloned().collect();
        access(store, caller)?.require_handling(&store.roles.all(&touched))?;
    }
    let EditRequest { user_first_name, user_last_name, phone_number, status, .. } = request;
    let texts = [&user_first_name, &user_last_name, &phone_number, &status];
    if texts.iter().copied().flatten().any(|text| text.chars().count() > TEXT_CHARS_MAX) {
        return Err(Refusal::invalid("a string has at most 200 characters"));
    }
    let says_nothing = texts.iter().all(|text| text.is_none())
        && (role.is_none() && request.is_hidden.is_none() && request.user_groups.is_none());
    if says_nothing {
        return Err(Refusal::invalid("No update performed. All fields are null or empty."));
    }
    if let Some(ids) = &request.user_groups {
        if ids.len() > GROUPS_MAX {
            return Err(Refusal::invalid("user_groups has too many groups"));
        }
        if let Some(id) = ids.iter().find(|id| store.directory.group(id).is_none()) {
            return Err(no_group(id));
        }
        store.directory.set_groups(&email, ids);
    }
    let Some(user) = store.directory.user_mut(&email) else { return Ok(()) };
    let record = &mut user.record;
    let or_none = |text: String| Some(text).filter(|text| !text.is_empty());
    if let Some(text) = user_first_name {
        record.user_first_name = or_none(text);
    }
    if let Some(text) = user_last_name {
        record.user_last_name = or_none(text);
    }
    if let Some(text) = phone_number {
        record.phone_number = or_none(text);
    }
    if let Some(text) = status {
        record.status = or_none(text);
    }
    if let Some(hidden) = request.is_hidden {
        record.is_hidden = hidden;
    }
    if let Some(role) = role {
        record.role_name = role;
    }
    Ok(())
}

/// The display name of a role by its id; `None` for the empty id, which removes a role.
pub(super) fn role_of(store: &Store, id: &str) -> Result<Option<String>, Refusal> {
    if id.is_empty() {
        return Ok(None);
    }
    let name = store.roles.name_of(id).map(str::to_owned);
    name.map(Some).ok_or_else(|| Refusal::invalid("Role name provided is not valid"))
}

pub(super) fn no_group(id: &str) -> Refusal {
    let id: String = id.chars().take(TEXT_CHARS_MAX).collect();
    Refusal::invalid(&format!("Could not find group for ['{id}'] in tenant: local"))
}

fn no_user() -> Refusal {
    Refusal::invalid("No user has this e-mail address")
}

pub(super) fn may(store: &Store, caller: Caller, level: Permission) -> Result<(), Refusal> {
    access(store, caller)?.require(ACCESS_MANAGEMENT, level)
}

pub(super) fn event(
    subtype: &'static str,
    subject: String,
    description: String,
    done: bool,
) -> AuditEvent {
    AuditEvent { entity: PERMISSIONS, subtype, subject, description, done }
}
