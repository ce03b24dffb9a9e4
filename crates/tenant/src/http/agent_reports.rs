//! `audits/agents_reports`: the agents' reports that the caller's scope allows.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::routing::{MethodRouter, post};
use cortexkey_api::Reply;
use cortexkey_api::audit::ListRequest;
use cortexkey_core::access::{Permission, Question};
use serde_json::{Value, json};

use super::App;
use super::api_keys::access;
use super::body::OptionalMemberBody;
use super::gate::Caller;
use super::list::{self, JsonObject};
use crate::hidden::{Filtered, Hidden};
use crate::inventory::{Agent, CREATED_MS};
use crate::options::Licence;
use crate::page::Page;
use crate::refusal::Refusal;
use crate::view::View;

const PAGE_MAX: u64 = 100;
const FIELDS: [(&str, &str); 10] = [
    ("endpoint_id", "ENDPOINTID"),
    ("endpoint_name", "ENDPOINTNAME"),
    ("type", "TYPE"),
    ("sub_type", "SUBTYPE"),
    ("result", "RESULT"),
    ("timestamp", "TIMESTAMP"),
    ("domain", "DOMAIN"),
    ("xdr_version", "TRAPSVERSION"),
    ("category", "CATEGORY"),
    ("trapsversion", "TRAPSVERSION"),
];

pub(super) fn calls() -> MethodRouter<Arc<App>> {
    post(read)
}

async fn read(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    OptionalMemberBody(request): OptionalMemberBody<ListRequest>,
) -> Result<Filtered<Reply<Value>>, Refusal> {
    app.licensed(Licence::Endpoints)?;
    let store = app.store();
    let access = access(&store, caller)?;
    access.require("Auditing", Permission::View)?;
    let page = Page::checked(request.search_from, request.search_to, PAGE_MAX)?;
    let conditions = list::documented(&request.filters, &FIELDS)?;
    let order = list::older_order(request.sort.as_ref(), &FIELDS)?;
    let (place, descending) = order.unwrap_or(("TIMESTAMP", true));
    let mut hidden = Hidden::default();
    let view = View::new(&store.inventory);
    let agents = store.inventory.endpoints.iter().enumerate();
    let visible = agents.filter(|(at, agent)| {
        access.sees(&agent.id, &Question::Endpoint(view.endpoint(*at)), &mut hidden)
    });
    let mut found: Vec<_> = visible.map(|(_, agent)| report(agent)).collect();
    found.retain(|object| list::all_match(&conditions, object));
    list::sort(&mut found, place, descending);
    let total_count = found.len();
    let data: Vec<_> = page.of(found.into_iter()).collect();
    let reply = json!({
        "total_count": total_count, "result_count": data.len(), "data": data,
    });
    Ok(Filtered(Reply { reply }, hidden))
}

/// Each agent has one report: its installation.
fn report(agent: &Agent) -> JsonObject {
    let text = |member: &str| {
        agent.record.get(member).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let seen = agent.record.get("first_seen").and_then(Value::as_u64).unwrap_or(CREATED_MS);
    list::object(&json!({
        "TIMESTAMP": seen,
        "RECEIVEDTIME": seen,
        "ENDPOINTID": agent.id,
        "ENDPOINTNAME": agent.name,
        "DOMAIN": text("domain"),
        "TRAPSVERSION": text("endpoint_version"),
        "CATEGORY": "Audit",
        "TYPE": "Installation",
        "SUBTYPE": "Install",
        "RESULT": "Success",
        "REASON": "",
        "DESCRIPTION": format!("the agent of {} was installed", agent.name),
    }))
}
