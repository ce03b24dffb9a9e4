//! `platform/iam/v1/role`: roles and the permissions that they can grant; list, create, delete.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::routing::{MethodRouter, delete, get};
use cortexkey_api::role::{
    CreateRequest, DatasetPermission, PermissionConfig, RoleCount, RoleId, RoleList, RoleName,
    RoleRecord, created_message,
};
use cortexkey_api::{Data, Message};
use cortexkey_core::access::{Grant, Permission};

use super::App;
use super::api_keys::{access, refused};
use super::body::PlatformBody;
use super::gate::Caller;
use super::path::Parts;
use crate::permissions;
use crate::refusal::Refusal;
use crate::roles::{CustomRole, RoleEntry, Roles};
use crate::store::{AuditEvent, Store, creator};

/// The component for managing roles and scopes.
pub(super) const ACCESS_MANAGEMENT: &str = "Access Management";
/// The type of changes to roles, scopes and users in the audit log.
pub(super) const PERMISSIONS: &str = "PERMISSIONS";
const NAME_CHARS_MAX: usize = 100;
const DESCRIPTION_BYTES_MAX: usize = 1024;
const PERMISSIONS_MAX: usize = 500;
const ROLES_MAX: usize = 500;

pub(super) fn list_calls() -> MethodRouter<Arc<App>> {
    get(list).post(create)
}

pub(super) fn delete_calls() -> MethodRouter<Arc<App>> {
    delete(remove)
}

pub(super) fn config_calls() -> MethodRouter<Arc<App>> {
    get(config)
}

async fn list(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<RoleList>, Refusal> {
    let store = app.store();
    require(&store, caller, Permission::View)?;
    let predefined = store.roles.predefined().map(|role| RoleRecord {
        role_id: RoleId::new(Roles::predefined_id(role)),
        pretty_name: RoleName::new(role.name),
        description: Some(role.note.to_owned()),
        is_custom: false,
        created_by: Some("Palo Alto Networks".to_owned()),
        created_ts: None,
        updated_ts: None,
    });
    let data: Vec<_> = predefined.chain(store.roles.custom.iter().map(custom)).collect();
    let metadata = RoleCount { total_count: data.len() as u64 };
    Ok(Json(RoleList { data, metadata }))
}

fn custom(entry: &RoleEntry) -> RoleRecord {
    RoleRecord {
        role_id: RoleId::new(&entry.role_id),
        pretty_name: RoleName::new(&entry.role.name),
        description: entry.description.clone(),
        is_custom: true,
        created_by: Some(entry.created_by.clone()),
        created_ts: Some(entry.created_ms),
        updated_ts: Some(entry.created_ms),
    }
}

async fn create(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    PlatformBody(request): PlatformBody<CreateRequest>,
) -> Result<(StatusCode, Json<Data<Message>>), Refusal> {
    let now_ms = app.clock.now_ms();
    let by = caller.0.key_id();
    let made = app.change(|store| {
        if let Err(refusal) = require(store, caller, Permission::Edit) {
            let said = refused("create a role");
            store.note(by, now_ms, event("Role Create", String::new(), said, false));
            return Err(refusal);
        }
        let role = check(store, &request)?;
        let said = format!("the role {} was created", role.name());
        store.note(by, now_ms, event("Role Create", role.name().to_owned(), said, true));
        let description = request.description.filter(|text| !text.is_empty());
        let datasets = request.dataset_permissions.unwrap_or_default();
        Ok(store.add_role(role, (description, datasets), &creator(by).0, now_ms))
    });
    let message = created_message(&made.map_err(Refusal::of_platform)?);
    Ok((StatusCode::CREATED, Json(Data { data: Message { message } })))
}

async fn remove(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Parts(role_id): Parts<String>,
) -> Result<Json<Data<Message>>, Refusal> {
    let now_ms = app.clock.now_ms();
    let by = caller.0.key_id();
    let removed = app.change(|store| {
        if let Err(refusal) = require(store, caller, Permission::Edit) {
            let said = refused("delete a role");
            store.note(by, now_ms, event("Role Delete", String::new(), said, false));
            return Err(refusal);
        }
        if store.roles.predefined().any(|role| Roles::predefined_id(role) == role_id) {
            return Err(Refusal::invalid("Non-custom and account-level roles cannot be deleted."));
        }
        if store.roles.name_of(&role_id).is_some_and(|name| store.directory.has_role(name)) {
            return Err(Refusal::invalid(
                "Role name provided is assigned to a user or user group and therefore cannot be \
                 deleted.",
            ));
        }
        let name = store.delete_role(&role_id);
        let name = name.ok_or_else(|| Refusal::invalid("Role name provided is not valid"))?;
        let said = format!("the role {name} was deleted");
        store.note(by, now_ms, event("Role Delete", name, said, true));
        Ok(())
    });
    removed.map_err(Refusal::of_platform)?;
    let message = format!("role_id {role_id} deleted successfully.");
    Ok(Json(Data { data: Message { message } }))
}

async fn config(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Data<PermissionConfig>>, Refusal> {
    let store = app.store();
    require(&store, caller, Permission::View)?;
    Ok(Json(Data { data: permissions::config(&store.inventory.datasets) }))
}

fn require(store: &Store, caller: Caller, level: Permission) -> Result<(), Refusal> {
    access(store, caller)
        .and_then(|access| access.require(ACCESS_MANAGEMENT, level))
        .map_err(Refusal::of_platform)
}

fn check(store: &Store, request: &CreateRequest) -> Result<CustomRole, Refusal> {
    let name = request.pretty_name.trim();
    if name.is_empty() || name.chars().count() > NAME_CHARS_MAX || name.contains(char::is_control) {
        return Err(Refusal::invalid("pretty_name is not valid")
            .with_extra(format!("a name has 1 to {NAME_CHARS_MAX} visible characters")));
    }
    let taken = |known: &str| known.to_lowercase() == name.to_lowercase();
    if store.roles.predefined().any(|role| taken(role.name))
        || store.roles.custom.iter().any(|entry| taken(&entry.role.name))
    {
        let message = format!("The role name {name} is already utilized by another role.");
        return Err(Refusal::invalid(&message));
    }
    if request.description.as_ref().is_some_and(|text| text.len() > DESCRIPTION_BYTES_MAX) {
        return Err(Refusal::invalid("description is too long")
            .with_extra(format!("a description has at most {DESCRIPTION_BYTES_MAX} bytes")));
    }
    if store.roles.custom.len() >= ROLES_MAX {
        return Err(Refusal::invalid("The maximum number of roles is reached"));
    }
    check_datasets(store, request.dataset_permissions.as_deref().unwrap_or_default())?;
    let names = &request.component_permissions;
    if names.is_empty() || names.len() > PERMISSIONS_MAX {
        return Err(Refusal::invalid("component_permissions is not valid")
            .with_extra(format!("a role has 1 to {PERMISSIONS_MAX} permissions")));
    }
    // Predefined roles of other products do not exist in this tenant.
    let role = CustomRole::new(name)
        .map_err(|error| Refusal::invalid(&cortexkey_system::chain(&error)))?;
    let role = names.iter().enumerate().try_fold(role, |role, (at, name)| {
        role.with_permission(name).ok_or_else(|| {
            // The name is not repeated, because anything may have been sent.
            Refusal::invalid("component_permissions is not valid").with_extra(format!(
                "permission {} does not exist: role/permission-config lists them",
                at + 1
            ))
        })
    })?;
    check_actions(&role)?;
    Ok(role)
}

/// A named action requires its component at View/Edit.
fn check_actions(role: &CustomRole) -> Result<(), Refusal> {
    let lacks = |action: &&String| {
        permissions::component_of(action).is_some_and(|component| {
            let grant = Grant::listed(component.to_owned(), Permission::Edit);
            !role.0.grants.contains(&grant)
        })
    };
    match role.0.actions.held.iter().find(lacks) {
        Some(action) => Err(Refusal::invalid("component_permissions is not valid")
            .with_extra(format!("{action} needs the action permission of its component"))),
        None => Ok(()),
    }
}

fn check_datasets(store: &Store, asked: &[DatasetPermission]) -> Result<(), Refusal> {
    let bad = |why: &str| Err(Refusal::invalid("dataset_permissions is not valid").with_extra(why));
    if asked.len() > PERMISSIONS_MAX {
        return bad("too many categories");
    }
    for DatasetPermission { category, access_all, permissions } in asked {
        let groups = &store.inventory.datasets;
        let Some(group) = groups.iter().find(|group| group.dataset_category == *category) else {
            return bad("role/permission-config lists the categories");
        };
        if *access_all && !permissions.is_empty() {
            return bad("access_all leaves no names to list");
        }
        if permissions.iter().any(|name| !group.datasets.contains(name)) {
            return bad("role/permission-config lists the datasets of each category");
        }
    }
    Ok(())
}

fn event(subtype: &'static str, subject: String, description: String, done: bool) -> AuditEvent {
    AuditEvent { entity: PERMISSIONS, subtype, subject, description, done }
}
