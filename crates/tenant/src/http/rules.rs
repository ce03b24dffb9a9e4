//! `platform/notifications/v1`: forwarding rules; list, create, change, delete.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::routing::{MethodRouter, get, patch, post};
use cortexkey_api::Data;
use cortexkey_core::access::Permission;
use serde::Deserialize;
use serde_json::{Value, json};

use super::App;
use super::api_keys::{access, refused};
use super::body::PlatformBody;
use super::gate::Caller;
use super::path::Parts;
use crate::forwarding::{Format, ForwardType, RULES_MAX, Rule, Source};
use crate::refusal::Refusal;
use crate::store::{AuditEvent, Store, creator};

const COMPONENT: &str = "Alert Notifications";
const AUDITED: &str = "ALERT_NOTIFICATIONS";
const NAME_CHARS_MAX: usize = 200;
const TEXT_BYTES_MAX: usize = 4096;
const LIST_MAX: usize = 1_000;
const AGGREGATION_MAX: u32 = 1440;

pub(super) fn list_calls() -> MethodRouter<Arc<App>> {
    get(list)
}

pub(super) fn create_calls() -> MethodRouter<Arc<App>> {
    post(create)
}

pub(super) fn one_calls() -> MethodRouter<Arc<App>> {
    get(read).put(edit).delete(remove)
}

pub(super) fn status_calls() -> MethodRouter<Arc<App>> {
    patch(set_status)
}

/// The body of a request for a rule; a PUT replaces all of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleWrite {
    name: String,
    #[serde(default)]
    description: String,
    forward_type: ForwardType,
    filter: Option<Value>,
    #[serde(default)]
    forward_source: Source,
    #[serde(default)]
    applications: Option<Vec<String>>,
    time_zone: Option<String>,
    #[serde(default)]
    mail_format: Format,
    #[serde(default)]
    syslog_format: Format,
    #[serde(default)]
    slack_format: Format,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StatusRequest {
    status: Status,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Enable,
    Disable,
}

async fn list(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Value>, Refusal> {
    let store = app.store();
    may(&store, caller, Permission::View).map_err(Refusal::of_notifications)?;
    let rules = &store.forwarding.rules;
    Ok(Json(json!({ "data": rules, "metadata": { "total_count": rules.len() } })))
}

async fn read(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Parts(uuid): Parts<String>,
) -> Result<Json<Data<Rule>>, Refusal> {
    let store = app.store();
    let found = may(&store, caller, Permission::View)
        .and_then(|()| store.forwarding.find(&uuid).cloned().ok_or_else(|| no_rule(&uuid)));
    found.map(|data| Json(Data { data })).map_err(Refusal::of_notifications)
}

async fn create(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    PlatformBody(wanted): PlatformBody<RuleWrite>,
) -> Result<(StatusCode, Json<Data<Rule>>), Refusal> {
    let rule = change(&app, caller, "Create", |store, now_ms| {
        if store.forwarding.rules.len() >= RULES_MAX {
            return Err(Refusal::invalid("The maximum number of rules is reached"));
        }
        check(&wanted)?;
        let uuid = store.forwarding.next_uuid();
        let (created_by, _) = creator(caller.0.key_id());
        let rule = rule(wanted, uuid, created_by, (now_ms, now_ms), true);
        store.forwarding.rules.push(rule.clone());
        Ok(rule)
    })?;
    Ok((StatusCode::CREATED, Json(Data { data: rule })))
}

async fn edit(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Parts(uuid): Parts<String>,
    PlatformBody(wanted): PlatformBody<RuleWrite>,
) -> Result<Json<Data<Rule>>, Refusal> {
    let rule = change(&app, caller, "Edit", |store, now_ms| {
        let known = store.forwarding.find_mut(&uuid).ok_or_else(|| no_rule(&uuid))?;
        if known.forward_type != wanted.forward_type {
            return Err(Refusal::invalid("forward_type cannot be changed"));
        }
        check(&wanted)?;
        let created_by = known.created_by.clone();
        let created_at = known.created_at;
        *known = rule(wanted, uuid, created_by, (created_at, now_ms), known.enabled);
        Ok(known.clone())
    })?;
    Ok(Json(Data { data: rule }))
}

async fn remove(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Parts(uuid): Parts<String>,
) -> Result<StatusCode, Refusal> {
    change(&app, caller, "Delete", |store, _| {
        let rules = &mut store.forwarding.rules;
        let at = rules.iter().position(|rule| rule.uuid == uuid);
        at.map(|at| rules.remove(at)).ok_or_else(|| no_rule(&uuid))
    })?;
    Ok(StatusCode::NO_CONTENT)
}

async fn set_status(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Parts(uuid): Parts<String>,
    PlatformBody(StatusRequest { status }): PlatformBody<StatusRequest>,
) -> Result<StatusCode, Refusal> {
    change(&app, caller, "Status", |store, now_ms| {
        let rule = store.forwarding.find_mut(&uuid).ok_or_else(|| no_rule(&uuid))?;
        rule.enabled = status == Status::Enable;
        rule.modified_at = now_ms;
        Ok(rule.clone())
    })?;
    Ok(StatusCode::NO_CONTENT)
}

/// Changes the rules if the caller may, and logs it; returns the rule.
fn change(
    app: &App,
    caller: Caller,
    subtype: &'static str,
    work: impl FnOnce(&mut Store, u64) -> Result<Rule, Refusal>,
) -> Result<Rule, Refusal> {
    let now_ms = app.clock.now_ms();
    let by = caller.0.key_id();
    let changed = app.change(|store| {
        let event = |subject: String, description, done| AuditEvent {
            entity: AUDITED,
            subtype,
            subject,
            description,
            done,
        };
        if let Err(refusal) = may(store, caller, Permission::Edit) {
            store.note(by, now_ms, event(String::new(), refused("change rules"), false));
            return Err(refusal);
        }
        let rule = work(store, now_ms)?;
        store.keep_forwarding();
        let said = format!("{subtype}: rule {}", rule.uuid);
        store.note(by, now_ms, event(rule.name.clone(), said, true));
        Ok(rule)
    });
    changed.map_err(Refusal::of_notifications)
}

fn may(store: &Store, caller: Caller, level: Permission) -> Result<(), Refusal> {
    access(store, caller)?.require(COMPONENT, level)
}

fn no_rule(uuid: &str) -> Refusal {
    let uuid: String = uuid.chars().take(NAME_CHARS_MAX).collect();
    Refusal::invalid(&format!("Alert notification with rule uuid {uuid} was not found."))
}

fn check(wanted: &RuleWrite) -> Result<(), Refusal> {
    let bad = |why: &str| Err(Refusal::invalid(why));
    let chars = wanted.name.trim().chars().count();
    if chars == 0 || chars > NAME_CHARS_MAX {
        return bad("name has 1 to 200 characters");
    }
    if wanted.description.len() > TEXT_BYTES_MAX {
        return bad("description is too long");
    }
    if wanted
        .filter
        .as_ref()
        .is_some_and(|filter| filter.as_object().is_none_or(serde_json::Map::is_empty))
    {
        return bad("filter is an object that is not empty");
    }
    if wanted.time_zone.as_ref().is_some_and(|zone| zone.len() > NAME_CHARS_MAX) {
        return bad("The time zone field provided is invalid.");
    }
    let fits = |list: &Vec<String>| {
        (1..=LIST_MAX).contains(&list.len()) && list.iter().all(|text| text.len() <= TEXT_BYTES_MAX)
    };
    if wanted.applications.as_ref().is_some_and(|list| !fits(list)) {
        return bad("applications has 1 to 1000 ids");
    }
    let source = &wanted.forward_source;
    if let Some(email) = &source.email {
        if !fits(&email.distribution_list) {
            return bad("distribution_list has 1 to 1000 addresses");
        }
        if email.aggregation > AGGREGATION_MAX {
            return bad("aggregation is 0 to 1440 minutes");
        }
    }
    if source.slack.as_ref().is_some_and(|slack| !fits(&slack.channels)) {
        return bad("channels has 1 to 1000 names");
    }
    if wanted.slack_format == Format::LegacyAlert {
        return bad("The slack format field provided is invalid.");
    }
    Ok(())
}

fn rule(
    wanted: RuleWrite,
    uuid: String,
    created_by: String,
    (created_at, modified_at): (u64, u64),
    enabled: bool,
) -> Rule {
    Rule {
        name: wanted.name,
        uuid,
        description: wanted.description,
        forward_type: wanted.forward_type,
        filter: wanted.filter,
        forward_source: wanted.forward_source,
        applications: wanted.applications.unwrap_or_default(),
        time_zone: wanted.time_zone.unwrap_or_else(|| "UTC".to_owned()),
        mail_format: wanted.mail_format,
        syslog_format: wanted.syslog_format,
        slack_format: wanted.slack_format,
        created_by,
        created_at,
        modified_at,
        enabled,
    }
}
