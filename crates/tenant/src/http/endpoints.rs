//! `endpoints`: the machines with an agent that the caller's scope allows; list and isolate.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use axum::routing::{MethodRouter, post};
use cortexkey_api::Reply;
use cortexkey_api::filter::{Condition, Sort};
use cortexkey_core::access::{Permission, Question};
use serde::Deserialize;
use serde_json::{Value, json};

use super::App;
use super::api_keys::{access, refused};
use super::body::RequestBody;
use super::gate::Caller;
use super::list::{self, JsonObject};
use crate::access::CallerAccess;
use crate::hidden::{Filtered, Hidden};
use crate::inventory::{Agent, CREATED_MS};
use crate::options::Licence;
use crate::page::Page;
use crate::refusal::Refusal;
use crate::store::{AuditEvent, Store};
use crate::view::View;

const PAGE_MAX: u64 = 100;
const FIELDS: [(&str, &str); 8] = [
    ("endpoint_id_list", "endpoint_id"),
    ("endpoint_id", "endpoint_id"),
    ("hostname", "endpoint_name"),
    ("group_name", "group_name"),
    ("platform", "os_type"),
    ("isolate", "is_isolated"),
    ("first_seen", "first_seen"),
    ("last_seen", "last_seen"),
];

/// The parameters of a list of endpoints.
#[derive(Default, Deserialize)]
#[serde(default)]
struct ListRequest {
    filters: Vec<Condition>,
    search_from: Option<u64>,
    search_to: Option<u64>,
    sort: Option<Sort>,
}

/// The endpoints to isolate.
#[derive(Deserialize)]
struct IsolateRequest {
    endpoint_id: Option<String>,
    #[serde(default)]
    filters: Vec<Condition>,
}

pub(super) fn list_calls() -> MethodRouter<Arc<App>> {
    post(search)
}

pub(super) fn isolate_calls() -> MethodRouter<Arc<App>> {
    post(async |state, caller, asked| isolate(state, caller, asked, true))
}

pub(super) fn unisolate_calls() -> MethodRouter<Arc<App>> {
    post(async |state, caller, asked| isolate(state, caller, asked, false))
}

async fn search(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    RequestBody(request): RequestBody<ListRequest>,
) -> Result<Filtered<Reply<Value>>, Refusal> {
    let store = app.store();
    let access = may_look(&app, &store, caller)?;
    let page = Page::checked(request.search_from, request.search_to, PAGE_MAX)?;
    let conditions = list::older(&request.filters, &FIELDS)?;
    let order = list::older_order(request.sort.as_ref(), &FIELDS)?;
    let (place, descending) = order.unwrap_or(("endpoint_id", false));
    let mut hidden = Hidden::default();
    let view = View::new(&store.inventory);
    let agents = store.inventory.endpoints.iter().enumerate();
    let visible = agents.filter(|(at, agent)| {
        access.sees(&agent.id, &Question::Endpoint(view.endpoint(*at)), &mut hidden)
    });
    let mut seen: Vec<_> = visible.map(|(_, agent)| shown(agent, &store.isolated)).collect();
    seen.retain(|object| list::all_match(&conditions, object));
    list::sort(&mut seen, place, descending);
    let total_count = seen.len();
    let endpoints: Vec<_> = page.of(seen.into_iter()).collect();
    let reply = json!({
        "total_count": total_count, "result_count": endpoints.len(), "endpoints": endpoints,
    });
    Ok(Filtered(Reply { reply }, hidden))
}

fn isolate(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    RequestBody(request): RequestBody<IsolateRequest>,
    on: bool,
) -> Result<Json<Reply<Value>>, Refusal> {
    let now_ms = app.clock.now_ms();
    let reply = app.change(|store| {
        let what = if on { "isolate" } else { "unisolate" };
        let may = may_isolate(&app, store, caller, &request);
        let event = |subject: String, description, done| AuditEvent {
            entity: "RESPONSE",
            subtype: "Isolate Endpoint",
            subject,
            description,
            done,
        };
        if may.as_ref().is_err_and(Refusal::is_forbidden) {
            store.note(caller.0.key_id(), now_ms, event(String::new(), refused(what), false));
        }
        let agents = may?;
        let names = agents.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>().join(", ");
        let said = format!("{what}: {names}");
        store.note(caller.0.key_id(), now_ms, event(names, said, true));
        for (id, _) in &agents {
            if on {
                store.isolated.insert(id.clone());
            } else {
                store.isolated.remove(id);
            }
        }
        store.actions += 1;
        Ok(json!({
            "action_id": store.actions.to_string(),
            "status": "1",
            "endpoints_count": agents.len().to_string(),
        }))
    })?;
    Ok(Json(Reply { reply }))
}

/// The ids and names of the selected endpoints, if the caller may manage all of them.
fn may_isolate(
    app: &App,
    store: &Store,
    caller: Caller,
    request: &IsolateRequest,
) -> Result<Vec<(String, String)>, Refusal> {
    let access = may_look(app, store, caller)?;
    access.require_action("Isolate")?;
    let conditions = list::older(&request.filters, &FIELDS)?;
    if request.endpoint_id.is_none() && conditions.is_empty() {
        return Err(Refusal::invalid("endpoint_id is missing")
            .with_extra("set endpoint_id, or filters with endpoint_id_list"));
    }
    let mut hidden = Hidden::default();
    let mut meant = Vec::new();
    let view = View::new(&store.inventory);
    for (at, agent) in store.inventory.endpoints.iter().enumerate() {
        let by_id = request.endpoint_id.as_ref().is_none_or(|id| agent.id == *id);
        if !by_id || !list::all_match(&conditions, &shown(agent, &store.isolated)) {
            continue;
        }
        // An object out of scope is treated as missing.
        let question = Question::ManageEndpoint(view.endpoint(at));
        if access.sees(&agent.id, &question, &mut hidden) {
            meant.push((agent.id.clone(), agent.name.clone()));
        }
    }
    if meant.is_empty() {
        let refusal = Refusal::invalid("No endpoint was found");
        return Err(match hidden.reasons.pop() {
            Some(reason) => refusal.with_remedy(reason),
            None => refusal,
        });
    }
    Ok(meant)
}

fn may_look<'a>(app: &App, store: &'a Store, caller: Caller) -> Result<CallerAccess<'a>, Refusal> {
    app.licensed(Licence::Endpoints)?;
    let access = access(store, caller)?;
    access.require("Agent Administrations", Permission::View)?;
    Ok(access)
}

/// An endpoint in a list: its record, and the common members.
fn shown(agent: &Agent, isolated: &BTreeSet<String>) -> JsonObject {
    let is_isolated = isolated.contains(&agent.id);
    let mut object = list::object(&json!({
        "endpoint_name": agent.name,
        "endpoint_status": "CONNECTED",
        "ip": [],
        "ipv6": [],
        "users": [],
        "domain": "WORKGROUP",
        "alias": "",
        "first_seen": CREATED_MS,
        "last_seen": CREATED_MS,
        "group_name": [],
        "operational_status": "PROTECTED",
        "scan_status": "SCAN_STATUS_NONE",
    }));
    object.extend(agent.record.clone());
    object.insert("endpointTags".to_owned(), agent.tags.join(",").into());
    let state = if is_isolated { "AGENT_ISOLATED" } else { "AGENT_UNISOLATED" };
    object.insert("is_isolated".to_owned(), state.into());
    object
}
