//! `platform/iam/v1/scope/{entity}/{id}`: the scope of a key, a user or a user group; read and
//! replace.
//!
//! Scopes are stored without being enforced: like a new tenant of the product, this one has SBAC
//! off. Those of users and user groups have no effect, since every request is signed by a key.

use core::fmt;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use axum::routing::{MethodRouter, get};
use cortexkey_api::scope::{
    AreaMode, AssetGroup, AssetsRead, AssetsWrite, AxisMode, AxisWrite, CasesIssuesWrite,
    DatasetsRows, EndpointsRead, EndpointsWrite, ScopeRead, ScopeWrite, Tag, Tagged,
};
use cortexkey_api::{Data, Envelope, Message};
use cortexkey_core::access::{Permission, RowFilter};
use cortexkey_core::auth::KeyId;
use serde_json::Value;

use super::App;
use super::api_key::key_of;
use super::api_keys::{access, refused};
use super::body::PlatformBody;
use super::gate::Caller;
use super::path::Parts;
use super::role::{ACCESS_MANAGEMENT, PERMISSIONS};
use super::users::no_group;
use crate::inventory::Inventory;
use crate::refusal::Refusal;
use crate::store::{AuditEvent, Store};

const DATASET_FILTERS_MAX: usize = 100;
const NAME_CHARS_MAX: usize = 200;

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
    let entity = Entity::of(store, entity, id)?;
    let scope = entity.scope(store);
    // An entity without a scope sees nothing if scopes are enforced, and is returned like that.
    Ok(shown(scope.unwrap_or(&nothing()), &store.inventory))
}

async fn write(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Parts((entity, id)): Parts<(String, String)>,
    PlatformBody(scope): PlatformBody<ScopeWrite>,
) -> Result<Json<Data<Message>>, Refusal> {
    let now_ms = app.clock.now_ms();
    let set = app.change(|store| {
        let may = may_write(store, caller, &entity, &id, &scope);
        let done = may.is_ok();
        if done || may.as_ref().is_err_and(Refusal::is_forbidden) {
            let subject = may.as_ref().map_or_else(|_| String::new(), Entity::to_string);
            let description = if done {
                format!("the scope of {subject} was set")
            } else {
                refused("set a scope")
            };
            let subtype = "Scope Edit";
            let event = AuditEvent { entity: PERMISSIONS, subtype, subject, description, done };
            store.note(caller.0.key_id(), now_ms, event);
        }
        let entity = may?;
        entity.set_scope(store, scope);
        Ok(entity)
    });
    let entity = set.map_err(Refusal::of_platform)?;
    let message = format!("Scope updated for {entity} successfully");
    Ok(Json(Data { data: Message { message } }))
}

fn may_write(
    store: &Store,
    caller: Caller,
    entity: &str,
    id: &str,
    scope: &ScopeWrite,
) -> Result<Entity, Refusal> {
    let access = access(store, caller)?;
    access.require(ACCESS_MANAGEMENT, Permission::Edit)?;
    let entity = Entity::of(store, entity, id)?;
    access.require_handling(&store.roles.all(&entity.roles(store)))?;
    check(scope, &store.inventory, store.settings.datasets)?;
    Ok(entity)
}

/// The entity.
enum Entity {
    Key(KeyId),
    /// By e-mail address.
    User(String),
    /// By id.
    Group(String),
}

impl Entity {
    /// The entity in a path.
    fn of(store: &Store, kind: &str, id: &str) -> Result<Self, Refusal> {
        if !store.roles.product().has_scopes() {
            // The product does not have this call.
            return Err(Refusal::not_found("this product has no scopes")
                .with_extra("this product has no scopes")
                .with_remedy("start the tenant as another product")
                .in_envelope(Envelope::Platform));
        }
        match kind {
            "api-key" => key_of(store, id).map(Self::Key),
            "user" => match store.directory.user(id) {
                Some(user) => Ok(Self::User(user.record.user_email.clone())),
                None => Err(Refusal::not_found("No user has this e-mail address")),
            },
            "user-group" => match store.directory.group(id) {
                Some(group) => Ok(Self::Group(group.record.group_id.clone())),
                None => Err(no_group(id)),
            },
            _ => Err(Refusal::invalid("entity_type is one of user, user-group, api-key")),
        }
    }

    fn scope<'a>(&self, store: &'a Store) -> Option<&'a ScopeWrite> {
        match self {
            Self::Key(id) => store.get(*id)?.scope.as_ref(),
            Self::User(email) => store.directory.user(email)?.scope.as_ref(),
            Self::Group(id) => store.directory.group(id)?.scope.as_ref(),
        }
    }

    /// The display names of its roles.
    fn roles(&self, store: &Store) -> Vec<String> {
        match self {
            Self::Key(id) => store.get(*id).map_or_else(Vec::new, |key| key.record.roles.clone()),
            Self::User(email) => {
                let user = store.directory.user(email);
                user.and_then(|user| user.record.role_name.clone()).into_iter().collect()
            }
            Self::Group(id) => {
                let group = store.directory.group(id);
                group.and_then(|group| group.record.pretty_role_name.clone()).into_iter().collect()
            }
        }
    }

    fn set_scope(&self, store: &mut Store, scope: ScopeWrite) {
        match self {
            Self::Key(id) => return store.set_scope(*id, scope),
            Self::User(email) => {
                if let Some(user) = store.directory.user_mut(email) {
                    user.scope = Some(scope);
                }
            }
            Self::Group(id) => {
                if let Some(group) = store.directory.group_mut(id) {
                    group.scope = Some(scope);
                }
            }
        }
        store.keep_directory();
    }
}

impl fmt::Display for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(id) => write!(f, "API key {id}"),
            Self::User(email) => write!(f, "user {email}"),
            Self::Group(id) => write!(f, "user group {id}"),
        }
    }
}

/// The scope of a key without one.
fn nothing() -> ScopeWrite {
    let axis = || AxisWrite { mode: AxisMode::NoScope, names: Vec::new() };
    ScopeWrite {
        assets: AssetsWrite { mode: AreaMode::None, asset_group_ids: Vec::new() },
        cases_issues: CasesIssuesWrite {
            mode: AreaMode::None,
            names: Vec::new(),
            include_cases_issues_empty_entities: false,
        },
        endpoints: EndpointsWrite { endpoint_groups: axis(), endpoint_tags: axis() },
        datasets_rows: None,
    }
}

fn check(scope: &ScopeWrite, inventory: &Inventory, datasets: bool) -> Result<(), Refusal> {
    check_assets(&scope.assets, inventory)?;
    check_cases(&scope.cases_issues, inventory)?;
    let endpoints = &scope.endpoints;
    check_axis("endpoint_groups", &endpoints.endpoint_groups, |name| {
        inventory.endpoint_group_id(name)
    })?;
    check_axis("endpoint_tags", &endpoints.endpoint_tags, |name| inventory.endpoint_tag_id(name))?;
    check_datasets(scope.datasets_rows.as_ref(), datasets)
}

/// Each PUT contains them if the tenant has such scopes, and none does otherwise.
fn check_datasets(rows: Option<&DatasetsRows>, datasets: bool) -> Result<(), Refusal> {
    match (rows, datasets) {
        (None, false) => Ok(()),
        (Some(_), false) => {
            Err(invalid("datasets_rows: this tenant has no scopes for rows of datasets"))
        }
        (None, true) => Err(invalid("datasets_rows: this tenant requires it in every PUT")),
        (Some(rows), true) => {
            if rows.default_filter_mode == AreaMode::Select {
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

fn check_assets(assets: &AssetsWrite, inventory: &Inventory) -> Result<(), Refusal> {
    let ids = &assets.asset_group_ids;
    check_selection("assets", assets.mode == AreaMode::Select, ids.is_empty())?;
    for id in ids {
        match inventory.group(*id) {
            None => return Err(invalid(&format!("assets: no asset group has the id {id}"))),
            Some(group) if !group.scopable => {
                return Err(invalid(&format!(
                    "assets: asset group {id} is built from an attribute that scopes do not support"
                )));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

fn check_cases(cases: &CasesIssuesWrite, inventory: &Inventory) -> Result<(), Refusal> {
    check_selection("cases_issues", cases.mode == AreaMode::Select, cases.names.is_empty())?;
    check_names(&cases.names, |name| inventory.domain_id(name))?;
    if cases.mode == AreaMode::None && cases.include_cases_issues_empty_entities {
        return Err(invalid(
            "cases_issues: include_cases_issues_empty_entities is valid only with see_all and scope",
        ));
    }
    Ok(())
}

fn check_axis(
    area: &str,
    axis: &AxisWrite,
    id: impl Fn(&str) -> Option<String>,
) -> Result<(), Refusal> {
    check_selection(area, axis.mode == AxisMode::Scope, axis.names.is_empty())?;
    check_names(&axis.names, id)
}

/// Names are valid only with `scope`, and `scope` needs at least one.
fn check_selection(area: &str, selects: bool, is_empty: bool) -> Result<(), Refusal> {
    match (selects, is_empty) {
        (true, true) => Err(invalid(&format!("{area}: the mode scope needs at least one"))),
        (false, false) => {
            Err(invalid(&format!("{area}: a selection is valid only with the mode scope")))
        }
        _ => Ok(()),
    }
}

fn check_names(names: &[String], id: impl Fn(&str) -> Option<String>) -> Result<(), Refusal> {
    match names.iter().find(|name| id(name).is_none()) {
        Some(name) => {
            let name: String = name.chars().take(NAME_CHARS_MAX).collect();
            Err(Refusal::invalid(&format!("The scope name {name} does not exist.")))
        }
        None => Ok(()),
    }
}

fn invalid(what: &str) -> Refusal {
    Refusal::invalid(what)
}

/// The shape for reading differs from the one for writing.
fn shown(scope: &ScopeWrite, inventory: &Inventory) -> ScopeRead {
    let groups = scope.assets.asset_group_ids.iter().map(|id| AssetGroup {
        asset_group_id: *id,
        asset_group_name: inventory
            .group(*id)
            .map_or_else(String::new, |group| group.record.name.clone()),
    });
    let cases = &scope.cases_issues;
    let endpoints = &scope.endpoints;
    let tags_of = |names: &[String], id: &dyn Fn(&str) -> Option<String>| {
        names.iter().map(|name| tag(name, id(name))).collect()
    };
    let axis = |axis: &AxisWrite, id: &dyn Fn(&str) -> Option<String>| Tagged {
        mode: axis.mode,
        tags: match axis.mode {
            AxisMode::Any => vec![tag("Any", None)],
            _ => tags_of(&axis.names, id),
        },
    };
    ScopeRead {
        assets: AssetsRead { mode: scope.assets.mode, asset_groups: groups.collect() },
        cases_issues: Tagged {
            mode: cases.mode,
            tags: tags_of(&cases.names, &|name| inventory.domain_id(name)),
        },
        endpoints: EndpointsRead {
            endpoint_groups: axis(&endpoints.endpoint_groups, &|name| {
                inventory.endpoint_group_id(name)
            }),
            endpoint_tags: axis(&endpoints.endpoint_tags, &|name| inventory.endpoint_tag_id(name)),
        },
        datasets_rows: scope.datasets_rows.clone(),
    }
}

fn tag(name: &str, id: Option<String>) -> Tag {
    Tag { tag_id: id.map_or(Value::Null, Value::String), tag_name: name.to_owned() }
}
