//! `platform/iam/v1/user-group`: user groups; list, create, change, delete.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::routing::{MethodRouter, get, patch};
use cortexkey_api::user::{GroupReference, UserGroupRecord};
use cortexkey_api::{Data, Message};
use cortexkey_core::access::Permission;
use serde::Deserialize;
use serde_json::{Value, json};

use super::App;
use super::api_keys::{access, refused};
use super::body::PlatformBody;
use super::gate::Caller;
use super::path::Parts;
use super::users::{event, may, no_group, role_of};
use crate::directory::{Directory, PEOPLE_MAX, reference};
use crate::refusal::Refusal;
use crate::store::{Store, creator};

const NAME_CHARS_MAX: usize = 200;
const DESCRIPTION_BYTES_MAX: usize = 1024;

pub(super) fn list_calls() -> MethodRouter<Arc<App>> {
    get(list).post(create)
}

pub(super) fn one_calls() -> MethodRouter<Arc<App>> {
    patch(edit).delete(remove)
}

/// The body of a POST or PATCH: `null` and omitted members stay unchanged, empty ones are removed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UserGroupWrite {
    group_name: Option<String>,
    role_id: Option<String>,
    description: Option<String>,
    users: Option<Vec<String>>,
    nested_group_ids: Option<Vec<String>>,
    idp_groups: Option<Vec<String>>,
}

async fn list(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Value>, Refusal> {
    let store = app.store();
    may(&store, caller, Permission::View).map_err(Refusal::of_platform)?;
    let groups: Vec<_> =
        store.directory.groups.iter().map(|group| shown(&store, &group.record)).collect();
    Ok(Json(json!({ "data": groups, "metadata": { "total_count": groups.len() } })))
}

/// A group with the current id of its role.
fn shown(store: &Store, record: &UserGroupRecord) -> UserGroupRecord {
    let role_id = record.pretty_role_name.as_deref().and_then(|name| store.roles.id_of(name));
    UserGroupRecord { role_id, ..record.clone() }
}

async fn create(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    PlatformBody(wanted): PlatformBody<UserGroupWrite>,
) -> Result<(StatusCode, Json<Data<Message>>), Refusal> {
    let id = change(&app, caller, "User Group Create", |store, now_ms| {
        if store.directory.groups.len() >= PEOPLE_MAX {
            return Err(Refusal::invalid("The maximum number of user groups is reached"));
        }
        let (created_by, _) = creator(caller.0.key_id());
        let mut record = UserGroupRecord {
            group_type: Some("custom".to_owned()),
            created_by: Some(created_by),
            created_ts: Some(now_ms),
            ..UserGroupRecord::default()
        };
        if wanted.group_name.is_none() {
            return Err(Refusal::invalid("group_name is missing"));
        }
        apply(store, caller, &mut record, wanted)?;
        record.updated_ts = Some(now_ms);
        Ok(store.directory.add_group(record))
    })?;
    let message = format!("user group with group id {id} created successfully");
    Ok((StatusCode::CREATED, Json(Data { data: Message { message } })))
}

async fn edit(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Parts(id): Parts<String>,
    PlatformBody(wanted): PlatformBody<UserGroupWrite>,
) -> Result<Json<Data<Message>>, Refusal> {
    let id = change(&app, caller, "User Group Edit", |store, now_ms| {
        let known = store.directory.group(&id).ok_or_else(|| no_group(&id))?;
        let mut record = known.record.clone();
        apply(store, caller, &mut record, wanted)?;
        record.updated_ts = Some(now_ms);
        if let Some(known) = store.directory.group_mut(&id) {
            known.record = record;
        }
        Ok(id)
    })?;
    let message = format!("user group with group id {id} updated successfully");
    Ok(Json(Data { data: Message { message } }))
}

async fn remove(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Parts(id): Parts<String>,
) -> Result<Json<Data<Message>>, Refusal> {
    let id = change(&app, caller, "User Group Delete", |store, _| {
        let group = store.directory.group(&id).ok_or_else(|| no_group(&id))?;
        let role: Vec<_> = group.record.pretty_role_name.iter().cloned().collect();
        access(store, caller)?.require_handling(&store.roles.all(&role))?;
        store.directory.remove_group(&id);
        Ok(id)
    })?;
    let message = format!("user group with group id {id} deleted successfully");
    Ok(Json(Data { data: Message { message } }))
}

/// Changes the groups if the caller may, and logs it; returns the group's id.
fn change(
    app: &App,
    caller: Caller,
    subtype: &'static str,
    work: impl FnOnce(&mut Store, u64) -> Result<String, Refusal>,
) -> Result<String, Refusal> {
    let now_ms = app.clock.now_ms();
    let by = caller.0.key_id();
    let changed = app.change(|store| {
        if let Err(refusal) = may(store, caller, Permission::Edit) {
            let said = refused("change user groups");
            store.note(by, now_ms, event(subtype, String::new(), said, false));
            return Err(refusal);
        }
        let id = work(store, now_ms)?;
        store.keep_directory();
        let said = format!("{subtype}: {id}");
        store.note(by, now_ms, event(subtype, id.clone(), said, true));
        Ok(id)
    });
    changed.map_err(Refusal::of_platform)
}

fn apply(
    store: &Store,
    caller: Caller,
    record: &mut UserGroupRecord,
    wanted: UserGroupWrite,
) -> Result<(), Refusal> {
    let directory = &store.directory;
    if let Some(name) = wanted.group_name {
        name.trim().clone_into(&mut record.group_name);
        check_name(directory, record)?;
    }
    if let Some(text) = wanted.description {
        if text.len() > DESCRIPTION_BYTES_MAX {
            return Err(Refusal::invalid("description is too long"));
        }
        record.description = Some(text).filter(|text| !text.is_empty());
    }
    if let Some(id) = wanted.role_id {
        let role = role_of(store, &id)?;
        let touched: Vec<_> = record.pretty_role_name.iter().chain(&role).cloned().collect();
        access(store, caller)?.require_handling(&store.roles.all(&touched))?;
        record.pretty_role_name = role;
    }
    if let Some(emails) = wanted.users {
        record.users = emails
            .iter()
            .map(|email| {
                let user = directory.user(email);
                user.map(|user| user.record.user_email.clone())
                    .ok_or_else(|| Refusal::invalid("users: no user has this e-mail address"))
            })
            .collect::<Result<_, _>>()?;
    }
    if let Some(ids) = wanted.nested_group_ids {
        let child = |id: &String| nested(directory, record, id);
        record.nested_groups = ids.iter().map(child).collect::<Result<_, _>>()?;
    }
    if let Some(groups) = wanted.idp_groups {
        if groups.len() > PEOPLE_MAX {
            return Err(Refusal::invalid("idp_groups has too many groups"));
        }
        record.idp_groups = groups;
    }
    Ok(())
}

fn check_name(directory: &Directory, record: &UserGroupRecord) -> Result<(), Refusal> {
    let name = &record.group_name;
    if name.is_empty() || name.chars().count() > NAME_CHARS_MAX {
        return Err(Refusal::invalid("group_name has 1 to 200 characters"));
    }
    let is_taken = directory
        .groups
        .iter()
        .any(|group| group.record.group_id != record.group_id && group.record.group_name == *name);
    if is_taken {
        let said = format!("This user group name is already being used in the tenant for {name}.");
        return Err(Refusal::invalid(&said));
    }
    Ok(())
}

fn nested(
    directory: &Directory,
    parent: &UserGroupRecord,
    id: &str,
) -> Result<GroupReference, Refusal> {
    if id == parent.group_id {
        return Err(Refusal::invalid("nested_group_ids: a group is not its own child"));
    }
    directory.group(id).map(|group| reference(&group.record)).ok_or_else(|| no_group(id))
}
