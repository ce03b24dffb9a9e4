//! `api_keys`: list, generate, delete.
//!
//! It refuses what the caller's roles do not allow, and decides and acts under one lock: a key
//! that is deleted meanwhile does nothing any more.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};

use axum::Json;
use axum::extract::{Extension, State};
use axum::routing::{MethodRouter, post};
use cortexkey_api::Reply;
use cortexkey_api::api_keys::{
    DeleteReply, DeleteRequest, Filter, GenerateReply, GenerateRequest, ListReply, ListRequest,
    SecurityLevel,
};
use cortexkey_core::access::Role;
use cortexkey_core::auth::{KeyId, Level};
use cortexkey_core::lifecycle::Expiry;

use super::App;
use super::body::Asked;
use super::gate::Caller;
use super::refusal::Refusal;
use crate::roles;
use crate::store::{About, GenerateError, Store};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;
/// One week: how long a key lives when nothing is said.
const DEFAULT_LIFE_MS: u64 = 7 * DAY_MS;
/// Six months, at their longest.
const MAX_LIFE_MS: u64 = 184 * DAY_MS;
/// Numbers that are a time of our days in seconds, which one of the product's own pages sends.
const SECONDS: core::ops::Range<u64> = 1_000_000_000..10_000_000_000;
const COMMENT_BYTES_MAX: usize = 1024;
const ROLES_MAX: usize = 100;
const FILTERS_MAX: usize = 100;
/// Values of all filters together, or keys to delete: all else waits meanwhile.
const FILTER_VALUES_MAX: usize = 10_000;

type Answer<T> = Result<Json<Reply<T>>, Refusal>;

pub(super) fn list_calls() -> MethodRouter<Arc<App>> {
    post(list)
}

pub(super) fn generate_calls() -> MethodRouter<Arc<App>> {
    post(generate)
}

pub(super) fn delete_calls() -> MethodRouter<Arc<App>> {
    post(delete)
}

async fn list(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Asked(request): Asked<ListRequest>,
) -> Answer<ListReply> {
    let store = app.store.read().unwrap_or_else(PoisonError::into_inner);
    if !roles::may_list(&app.roles.all(role_names(&store, caller)?)) {
        return Err(Refusal::forbidden(
            "the key needs a role that is known to hold Public API at View, such as Viewer",
        ));
    }
    check_list(&request)?;
    Ok(reply(store.list(&request)))
}

async fn generate(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Asked(request): Asked<GenerateRequest>,
) -> Answer<GenerateReply> {
    let now_ms = app.clock.now_ms();
    let mut store = app.store.write().unwrap_or_else(PoisonError::into_inner);
    let held = makers_roles(&app, &store, caller)?;
    let roles = check_roles(&app, &held, request.roles)?;
    let expiry = expiry(request.expiration, now_ms)?;
    let comment = request.comment.filter(|comment| !comment.is_empty());
    if comment.as_ref().is_some_and(|comment| comment.len() > COMMENT_BYTES_MAX) {
        return Err(Refusal::invalid("comment is too long")
            .with_extra(format!("a comment has at most {COMMENT_BYTES_MAX} bytes")));
    }
    let level = match request.security_level {
        SecurityLevel::Standard => Level::Standard,
        SecurityLevel::Advanced => Level::Advanced,
    };
    let creator = caller.0.key_id();
    let about = About {
        roles,
        comment,
        created_by: format!("api-key-{creator}@localhost"),
        user_name: format!("API key {creator}"),
    };
    let (id, key) = store.generate(level, expiry, about, now_ms).map_err(no_key)?;
    Ok(reply(GenerateReply { id: id.get(), key }))
}

async fn delete(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Asked(request): Asked<DeleteRequest>,
) -> Answer<DeleteReply> {
    let mut store = app.store.write().unwrap_or_else(PoisonError::into_inner);
    let held = makers_roles(&app, &store, caller)?;
    let ids = ids_to_delete(&request)?;
    for id in &ids {
        if let Some(entry) = store.get(*id) {
            require_handling(&held, &app.roles.all(&entry.record.roles))?;
        }
    }
    let deleted = ids.into_iter().filter(|id| store.delete(*id)).count();
    Ok(reply(DeleteReply { update_count: deleted as u64 }))
}

fn reply<T>(reply: T) -> Json<Reply<T>> {
    Json(Reply { reply })
}

/// The names of the caller's roles; a caller that was deleted meanwhile is a stranger.
pub(super) fn role_names(store: &Store, caller: Caller) -> Result<&[String], Refusal> {
    let entry = store.get(caller.0.key_id()).ok_or_else(Refusal::unauthorized)?;
    Ok(&entry.record.roles)
}

/// The caller's roles, where they let it make and delete keys.
fn makers_roles<'a>(app: &'a App, store: &Store, caller: Caller) -> Result<Vec<Role<'a>>, Refusal> {
    let held = app.roles.all(role_names(store, caller)?);
    if roles::may_make(&held) {
        Ok(held)
    } else {
        Err(Refusal::forbidden(
            "the key needs a role that is known to hold Public API at View/Edit, such as Instance \
             Administrator",
        ))
    }
}

fn require_handling(held: &[Role<'_>], touched: &[Role<'_>]) -> Result<(), Refusal> {
    if roles::may_handle(held, touched) {
        return Ok(());
    }
    let remedy = "only a key with the role Instance Administrator gives or takes that role";
    Err(Refusal::forbidden(remedy).with_extra(remedy))
}

/// The names, each once, where there are such roles and the caller may give them.
fn check_roles(app: &App, held: &[Role<'_>], names: Vec<String>) -> Result<Vec<String>, Refusal> {
    if names.is_empty() || names.len() > ROLES_MAX {
        return Err(Refusal::invalid("roles param is missing")
            .with_extra(format!("a key has 1 to {ROLES_MAX} roles")));
    }
    let wanted = app.roles.all(&names);
    if wanted.len() < names.len() {
        return Err(Refusal::invalid("Unknown custom roles")
            .with_extra("roles are given by the names that the console shows, such as Viewer"));
    }
    require_handling(held, &wanted)?;
    let mut once: Vec<String> = Vec::new();
    for name in names {
        if !once.contains(&name) {
            once.push(name);
        }
    }
    Ok(once)
}

fn expiry(asked: Option<u64>, now_ms: u64) -> Result<Expiry, Refusal> {
    let refused = |why: &str| {
        let message = "expiration must be integer in epoch milliseconds";
        Err(Refusal::invalid(message).with_extra(why))
    };
    let Some(ms) = asked else {
        return Ok(Expiry::At { ms: now_ms.saturating_add(DEFAULT_LIFE_MS) });
    };
    if SECONDS.contains(&ms) {
        refused("it is in the past; it looks like seconds, not milliseconds")
    } else if ms <= now_ms {
        refused("it is in the past")
    } else if ms > now_ms.saturating_add(MAX_LIFE_MS) {
        refused("it is more than six months away")
    } else {
        Ok(Expiry::At { ms })
    }
}

fn check_list(request: &ListRequest) -> Result<(), Refusal> {
    let values = request.filters.iter().map(|filter| match filter {
        Filter::RolesContain(names) => names.len(),
        Filter::IdIn(ids) => ids.len(),
        Filter::ExpirationGte(_) | Filter::ExpirationLte(_) => 1,
    });
    if request.filters.len() > FILTERS_MAX || values.sum::<usize>() > FILTER_VALUES_MAX {
        return Err(Refusal::invalid("too many filters").with_extra(format!(
            "a request has at most {FILTERS_MAX} filters, with {FILTER_VALUES_MAX} values"
        )));
    }
    let from = request.search_from.unwrap_or(0);
    match request.search_to {
        Some(to) if to <= from => {
            Err(Refusal::invalid("search_to must be greater than search_from"))
        }
        _ => Ok(()),
    }
}

/// The keys that one filter `id in […]` names, each once.
fn ids_to_delete(request: &DeleteRequest) -> Result<BTreeSet<KeyId>, Refusal> {
    match request.filters.as_slice() {
        [Filter::IdIn(ids)] if ids.len() > FILTER_VALUES_MAX => {
            Err(Refusal::invalid("too many filters")
                .with_extra(format!("a request names at most {FILTER_VALUES_MAX} keys")))
        }
        // Zero names no key.
        [Filter::IdIn(ids)] => Ok(ids.iter().copied().filter_map(KeyId::new).collect()),
        _ => Err(Refusal::invalid("Invalid filters").with_extra(
            "keys are deleted by one filter: field `id`, operator `in`, a list of ids",
        )),
    }
}

fn no_key(error: GenerateError) -> Refusal {
    match error {
        GenerateError::Full => Refusal::invalid("The maximum number of API keys is reached")
            .with_remedy("delete keys, or start the tenant with a higher limit"),
        GenerateError::NoRandom => Refusal::invalid("The system gives no random bytes"),
    }
}
