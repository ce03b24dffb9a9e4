//! `rbac`: roles with their permissions, users and user groups, by the console's names.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use axum::routing::{MethodRouter, post};
use cortexkey_core::access::{Component, Permission, Rights};
use serde::Deserialize;
use serde_json::{Value, json};

use super::App;
use super::api_keys::{access, refused};
use super::body::{OptionalMemberBody, RequestBody};
use super::gate::Caller;
use super::users::{event, may};
use crate::inventory::CREATED_MS;
use crate::refusal::Refusal;
use crate::store::Store;

const NAMES_MAX: usize = 1_000;

pub(super) fn users_calls() -> MethodRouter<Arc<App>> {
    post(users)
}

pub(super) fn roles_calls() -> MethodRouter<Arc<App>> {
    post(roles)
}

pub(super) fn groups_calls() -> MethodRouter<Arc<App>> {
    post(groups)
}

pub(super) fn set_role_calls() -> MethodRouter<Arc<App>> {
    post(set_role)
}

#[derive(Default, Deserialize)]
struct EmptyRequest {}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RolesRequest {
    role_names: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct GroupsRequest {
    group_names: Vec<String>,
}

#[derive(Deserialize)]
struct SetRequest {
    user_emails: Vec<String>,
    role_name: String,
}

async fn users(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    OptionalMemberBody(EmptyRequest {}): OptionalMemberBody<EmptyRequest>,
) -> Result<Json<Value>, Refusal> {
    let store = app.store();
    may(&store, caller, Permission::View)?;
    let user = |user| {
        let record = store.directory.shown(user);
        json!({
            "user_email": record.user_email,
            "user_first_name": record.user_first_name.unwrap_or_default(),
            "user_last_name": record.user_last_name.unwrap_or_default(),
            "role_name": record.role_name.unwrap_or_default(),
            "last_logged_in": record.last_logged_in,
            "user_type": record.user_type.unwrap_or_default(),
            "groups": record.groups,
            "scope": [],
        })
    };
    let users: Vec<_> = store.directory.users.iter().map(user).collect();
    Ok(Json(json!({ "reply": users })))
}

/// Each role is a separate list, as in the product's example.
async fn roles(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    OptionalMemberBody(RolesRequest { role_names }): OptionalMemberBody<RolesRequest>,
) -> Result<Json<Value>, Refusal> {
    let store = app.store();
    may(&store, caller, Permission::View)?;
    let names = role_names.unwrap_or_else(|| {
        let predefined = store.roles.predefined().map(|role| role.name.to_owned());
        predefined.chain(store.roles.custom.iter().map(|entry| entry.role.name.clone())).collect()
    });
    check_count(&names)?;
    let roles: Vec<_> =
        names.iter().map(|name| role(&store, name).map(|role| [role])).collect::<Result<_, _>>()?;
    Ok(Json(json!({ "reply": roles })))
}

fn role(store: &Store, name: &str) -> Result<Value, Refusal> {
    let role = store.roles.find(name).ok_or_else(|| Refusal::invalid("Role was not found"))?;
    let rights = Rights(std::slice::from_ref(role));
    let held = |component: &&Component| {
        let level = rights.component(component.name);
        level.reaches(Permission::View) == Some(true)
    };
    let components = Component::for_product(store.roles.product()).iter().filter(held);
    let mut permissions: Vec<&str> = components.map(|component| component.name).collect();
    permissions.extend(role.actions.held.iter().map(String::as_str));
    let entry = store.roles.custom.iter().find(|entry| entry.role.name == name);
    if entry.is_some_and(|entry| !entry.datasets.is_empty()) {
        permissions.push("Datasets Access Control");
    }
    let directory = &store.directory;
    let users = directory.users.iter().map(|user| &user.record);
    let users = users.filter(|user| user.role_name.as_deref() == Some(name));
    let groups = directory.groups.iter().map(|group| &group.record);
    let groups = groups.filter(|group| group.pretty_role_name.as_deref() == Some(name));
    Ok(json!({
        "pretty_name": name,
        "permissions": permissions,
        "insert_time": entry.map_or(CREATED_MS, |entry| entry.created_ms),
        "update_time": null,
        "created_by": entry.map_or("Palo Alto Networks", |entry| &entry.created_by),
        "description": entry.and_then(|entry| entry.description.as_deref()).unwrap_or_default(),
        "groups": groups.map(|group| &group.group_name).collect::<Vec<_>>(),
        "users": users.map(|user| &user.user_email).collect::<Vec<_>>(),
    }))
}

async fn groups(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    RequestBody(GroupsRequest { group_names }): RequestBody<GroupsRequest>,
) -> Result<Json<Value>, Refusal> {
    let store = app.store();
    may(&store, caller, Permission::View)?;
    check_count(&group_names)?;
    let group = |name: &String| {
        let mut groups = store.directory.groups.iter().map(|group| &group.record);
        let group = groups
            .find(|group| group.group_name == *name)
            .ok_or_else(|| Refusal::invalid("User group was not found"))?;
        Ok(json!({
            "group_name": group.group_name,
            "description": group.description,
            "pretty_name": group.pretty_role_name.as_deref().unwrap_or_default(),
            "insert_time": group.created_ts.unwrap_or(CREATED_MS),
            "update_time": group.updated_ts.unwrap_or(CREATED_MS),
            "user_email": group.users,
            "source": match group.group_type.as_deref() {
                Some("ad_type") => "AD",
                _ => "Custom",
            },
        }))
    };
    let groups: Vec<_> = group_names.iter().map(group).collect::<Result<_, Refusal>>()?;
    Ok(Json(json!({ "reply": groups })))
}

async fn set_role(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    RequestBody(request): RequestBody<SetRequest>,
) -> Result<Json<Value>, Refusal> {
    let now_ms = app.clock.now_ms();
    let by = caller.0.key_id();
    let count = app.change(|store| {
        if let Err(refusal) = may(store, caller, Permission::Edit) {
            let said = refused("set a user's role");
            store.note(by, now_ms, event("User Edit", String::new(), said, false));
            return Err(refusal);
        }
        let count = apply(store, caller, &request)?;
        store.keep_directory();
        let names = request.user_emails.join(", ");
        let said = format!("the role of {count} users was set");
        store.note(by, now_ms, event("User Edit", names, said, true));
        Ok(count)
    })?;
    Ok(Json(json!({ "reply": { "update_count": count.to_string() } })))
}

/// All of the users or none.
fn apply(store: &mut Store, caller: Caller, request: &SetRequest) -> Result<usize, Refusal> {
    check_count(&request.user_emails)?;
    let role = Some(request.role_name.clone()).filter(|name| !name.is_empty());
    if role.as_ref().is_some_and(|name| store.roles.find(name).is_none()) {
        return Err(Refusal::invalid("Role was not found"));
    }
    if role.as_deref() == Some("Account Admin") {
        let why = "Account Admin is assigned in the vendor's portal, not here";
        return Err(Refusal::invalid("Role cannot be assigned").with_extra(why));
    }
    let mut touched: Vec<_> = role.iter().cloned().collect();
    for email in &request.user_emails {
        let user = store.directory.user(email);
        let user = user.ok_or_else(|| Refusal::invalid("User was not found"))?;
        touched.extend(user.record.role_name.clone());
    }
    access(store, caller)?.require_handling(&store.roles.all(&touched))?;
    for email in &request.user_emails {
        if let Some(user) = store.directory.user_mut(email) {
            user.record.role_name.clone_from(&role);
        }
    }
    Ok(request.user_emails.len())
}

fn check_count(names: &[String]) -> Result<(), Refusal> {
    if names.len() > NAMES_MAX {
        return Err(Refusal::invalid("too many names")
            .with_extra(format!("a request has at most {NAMES_MAX} names")));
    }
    Ok(())
}
