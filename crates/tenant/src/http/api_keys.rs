//! `api_keys`: list, generate, delete.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use axum::response::Response;
use axum::routing::{MethodRouter, post};
use cortexkey_api::Reply;
use cortexkey_api::api_keys::{
    ApiKeyRecord, DeleteReply, DeleteRequest, Filter, GenerateReply, GenerateRequest,
    LIFETIME_MS_MAX, ListRequest, Sort,
};
use cortexkey_core::access::Permission;
use cortexkey_core::auth::KeyId;
use cortexkey_core::lifecycle::Expiry;
use serde::Deserialize;

use super::App;
use super::body::{OptionalBody, RequestBody};
use super::child::Target;
use super::gate::Caller;
use super::streamed::streamed;
use crate::access::CallerAccess;
use crate::page::check_order;
use crate::refusal::Refusal;
use crate::settings::ConsoleKey;
use crate::store::{AuditEvent, GenerateError, Listing, NewKeyInfo, Store, creator};

/// The component for managing keys.
pub(super) const PUBLIC_API: &str = "Public API";
/// The type of changes to keys in the audit log.
pub(super) const AUDITED: &str = "API_KEY";

const DAY_MS: u64 = 24 * 60 * 60 * 1000;
/// One week: the default lifetime of a key.
const DEFAULT_LIFE_MS: u64 = 7 * DAY_MS;
/// Numbers that are a present time in seconds, as one of the product's own pages sends.
const SECONDS: core::ops::Range<u64> = 1_000_000_000..10_000_000_000;
const COMMENT_BYTES_MAX: usize = 1024;
const ROLES_MAX: usize = 100;
const FILTERS_MAX: usize = 100;
/// The largest number of filter values, or of keys to delete, since other requests wait meanwhile.
const FILTER_VALUES_MAX: usize = 10_000;

/// The parameters of `get_api_keys`; without filters, all keys are returned.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Listed {
    filters: Vec<Filter>,
    search_from: Option<u64>,
    search_to: Option<u64>,
    sort: Option<Sort>,
}

impl From<Listed> for ListRequest {
    fn from(asked: Listed) -> Self {
        let Listed { filters, search_from, search_to, sort } = asked;
        Self { filters, search_from, search_to, sort }
    }
}

type Answer<T> = Result<Json<Reply<T>>, Refusal>;

/// How the members of a list of keys are named.
#[derive(Clone, Copy)]
pub(super) enum Names {
    /// `DATA`
    Upper,
    /// `data`
    Lower,
}

pub(super) fn list_calls(names: Names) -> MethodRouter<Arc<App>> {
    post(async move |state, caller, target, asked| list(state, caller, target, asked, names))
}

pub(super) fn generate_calls() -> MethodRouter<Arc<App>> {
    post(generate)
}

pub(super) fn delete_calls() -> MethodRouter<Arc<App>> {
    post(delete)
}

fn list(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Extension(target): Extension<Target>,
    OptionalBody(request): OptionalBody<Listed>,
    names: Names,
) -> Result<Response, Refusal> {
    let request = ListRequest::from(request);
    let Listing { records, filter_count, total_count } = {
        access(&app.store(), caller)?.require(PUBLIC_API, Permission::View)?;
        check_list(&request)?;
        target.0.store().list(&request)
    };
    let [data, filtered, total] = match names {
        Names::Lower => ["data", "filter_count", "total_count"],
        Names::Upper => ["DATA", "FILTER_COUNT", "TOTAL_COUNT"],
    };
    let head = format!("{{\"reply\":{{\"{data}\":[");
    let tail = format!("],\"{filtered}\":{filter_count},\"{total}\":{total_count}}}}}");
    let items = records.into_iter().map(|record| json_of(&ApiKeyRecord::from(&*record)));
    Ok(streamed(head, items, tail))
}

fn json_of(record: &ApiKeyRecord) -> Vec<u8> {
    // Strings and numbers can always be serialized.
    serde_json::to_vec(record).unwrap_or_default()
}

async fn generate(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Extension(target): Extension<Target>,
    RequestBody(request): RequestBody<GenerateRequest>,
) -> Answer<GenerateReply> {
    let now_ms = app.clock.now_ms();
    let parent = target.is_child_of(&app).then(|| app.store());
    let made = target.0.change(|store| {
        let made = make(store, parent.as_deref(), caller, request, now_ms);
        let (subject, done) = match &made {
            Ok(made) => (format!("API key {}", made.id), true),
            Err(refusal) if refusal.is_forbidden() => (String::new(), false),
            Err(_) => return made,
        };
        let description =
            if done { format!("{subject} was generated") } else { refused("generate") };
        let event = AuditEvent { entity: AUDITED, subtype: "Generate", description, subject, done };
        store.note(caller.0.key_id(), now_ms, event);
        made
    });
    made.map(reply)
}

/// Generates a key. The parent decides whether the caller may, if the key is a child's.
fn make(
    store: &mut Store,
    parent: Option<&Store>,
    caller: Caller,
    request: GenerateRequest,
    now_ms: u64,
) -> Result<GenerateReply, Refusal> {
    let access = access(parent.unwrap_or(store), caller)?;
    access.require(PUBLIC_API, Permission::Edit)?;
    let roles = check_roles(store, &access, request.roles)?;
    let expiry = expiry(request.expiration, now_ms)?;
    let comment = check_comment(request.comment)?;
    let (user_name, created_by) = creator(caller.0.key_id());
    let about = NewKeyInfo { roles, comment, created_by, user_name };
    let level = request.security_level.into();
    let (id, key) = store.generate(level, expiry, about, now_ms).map_err(no_key)?;
    Ok(GenerateReply { id: id.get(), key })
}

/// Generates a key like an administrator in the console: any role, and no expiry by default.
pub(crate) fn make_in_console(
    store: &mut Store,
    key: ConsoleKey,
    now_ms: u64,
) -> Result<GenerateReply, Refusal> {
    let ConsoleKey { roles, security_level: level, comment, expiration } = key;
    let roles = known_roles(store, roles)?;
    let comment = check_comment(comment)?;
    let expiry = match expiration {
        None => Expiry::Never,
        Some(ms) if ms > now_ms => Expiry::At { ms },
        Some(_) => return Err(Refusal::invalid("expiration is in the past")),
    };
    let user_name = "Local tenant".to_owned();
    let created_by = "tenant@localhost".to_owned();
    let by = (user_name.clone(), created_by.clone());
    let about = NewKeyInfo { roles, comment, created_by, user_name };
    let (id, key) = store.generate(level.into(), expiry, about, now_ms).map_err(no_key)?;
    let subject = format!("API key {id}");
    let description = format!("{subject} was generated in the console");
    let event =
        AuditEvent { entity: AUDITED, subtype: "Generate", description, subject, done: true };
    store.note_by(by, now_ms, event);
    Ok(GenerateReply { id: id.get(), key })
}

async fn delete(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Extension(target): Extension<Target>,
    RequestBody(request): RequestBody<DeleteRequest>,
) -> Answer<DeleteReply> {
    let now_ms = app.clock.now_ms();
    let parent = target.is_child_of(&app).then(|| app.store());
    let deleted = target.0.change(|store| {
        let may = may_delete(store, parent.as_deref(), caller, &request);
        if may.as_ref().is_err_and(Refusal::is_forbidden) {
            store.note(caller.0.key_id(), now_ms, delete_refused());
        }
        let ids = may?;
        for id in &ids {
            store.delete(*id);
            store.note(caller.0.key_id(), now_ms, deleted(format!("API key {id}")));
        }
        Ok(ids)
    })?;
    drop(parent);
    let mut notices = target.0.notices();
    for id in &deleted {
        notices.forget(*id);
    }
    Ok(reply(DeleteReply { update_count: deleted.len() as u64 }))
}

/// The existing keys of those to delete, if the caller may delete every one of them.
fn may_delete(
    store: &Store,
    parent: Option<&Store>,
    caller: Caller,
    request: &DeleteRequest,
) -> Result<Vec<KeyId>, Refusal> {
    let access = access(parent.unwrap_or(store), caller)?;
    access.require(PUBLIC_API, Permission::Edit)?;
    let ids = ids_to_delete(request)?;
    let entries: Vec<_> = ids.into_iter().filter_map(|id| store.get(id)).collect();
    for entry in &entries {
        access.require_handling(&store.roles.all(&entry.record.roles))?;
    }
    Ok(entries.iter().map(|entry| entry.record.key_id).collect())
}

fn delete_refused() -> AuditEvent {
    let description = refused("delete");
    AuditEvent {
        entity: AUDITED,
        subtype: "Delete",
        subject: String::new(),
        description,
        done: false,
    }
}

fn deleted(subject: String) -> AuditEvent {
    let description = format!("{subject} was deleted");
    AuditEvent { entity: AUDITED, subtype: "Delete", subject, description, done: true }
}

/// The audit log's text for a refused attempt.
pub(super) fn refused(what: &str) -> String {
    format!("the attempt to {what} was refused: insufficient permissions")
}

fn reply<T>(reply: T) -> Json<Reply<T>> {
    Json(Reply { reply })
}

/// The caller's permissions; a caller that was deleted meanwhile is unauthenticated.
pub(super) fn access(store: &Store, caller: Caller) -> Result<CallerAccess<'_>, Refusal> {
    store.access(caller.0.key_id()).ok_or_else(Refusal::unauthorized)
}

/// A comment within the size limit and without NUL; an empty one is none. The product's interface
/// names no other limit, so other control characters are stored, and tools have to cope with them.
pub(super) fn check_comment(comment: Option<String>) -> Result<Option<String>, Refusal> {
    let comment = comment.filter(|comment| !comment.is_empty());
    if comment.as_ref().is_some_and(|comment| comment.len() > COMMENT_BYTES_MAX) {
        return Err(Refusal::invalid("comment is too long")
            .with_extra(format!("a comment has at most {COMMENT_BYTES_MAX} bytes")));
    }
    if comment.as_ref().is_some_and(|comment| comment.contains('\0')) {
        return Err(Refusal::invalid("comment has a NUL character"));
    }
    Ok(comment)
}

/// The names without duplicates, if all roles exist and the caller may assign them.
pub(super) fn check_roles(
    store: &Store,
    access: &CallerAccess<'_>,
    names: Vec<String>,
) -> Result<Vec<String>, Refusal> {
    let names = known_roles(store, names)?;
    access.require_handling(&store.roles.all(&names))?;
    Ok(names)
}

/// The names without duplicates, if all roles exist.
fn known_roles(store: &Store, names: Vec<String>) -> Result<Vec<String>, Refusal> {
    if names.is_empty() || names.len() > ROLES_MAX {
        return Err(Refusal::invalid("roles param is missing")
            .with_extra(format!("a key has 1 to {ROLES_MAX} roles")));
    }
    let wanted = store.roles.all(&names);
    if wanted.len() < names.len() {
        return Err(Refusal::invalid("Unknown custom roles")
            .with_extra("roles are given by the names that the console shows, such as Viewer"));
    }
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
    } else if ms > now_ms.saturating_add(LIFETIME_MS_MAX) {
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
    check_order(request.search_from.unwrap_or(0), request.search_to)
}

/// The keys in a filter `id in […]`, without duplicates.
fn ids_to_delete(request: &DeleteRequest) -> Result<BTreeSet<KeyId>, Refusal> {
    match request.filters.as_slice() {
        [Filter::IdIn(ids)] if ids.len() > FILTER_VALUES_MAX => {
            Err(Refusal::invalid("too many filters")
                .with_extra(format!("a request names at most {FILTER_VALUES_MAX} keys")))
        }
        // Zero is not a key's id.
        [Filter::IdIn(ids)] => Ok(ids.iter().copied().filter_map(KeyId::new).collect()),
        _ => Err(Refusal::invalid("Invalid filters").with_extra(
            "keys are deleted by one filter: field `id`, operator `in`, a list of ids",
        )),
    }
}

fn no_key(error: GenerateError) -> Refusal {
    match error {
        GenerateError::Full => Refusal::invalid("The maximum number of API keys is reached")
            .with_remedy("delete keys, or start the emulator with a higher --max-keys"),
        GenerateError::NoDisk => Refusal::invalid("No API key can be kept: the disk is full")
            .with_remedy("delete keys, or free space where --data is"),
        GenerateError::NoRandom => Refusal::invalid("The system returned no random bytes"),
    }
}
