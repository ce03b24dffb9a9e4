//! `case/search`: the cases that the caller's scope allows.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::routing::{MethodRouter, post};
use cortexkey_api::Reply;
use cortexkey_api::filter::{Condition, Sort};
use cortexkey_core::access::Permission;
use serde::Deserialize;
use serde_json::{Value, json};

use super::App;
use super::api_keys::access;
use super::body::RequestBody;
use super::gate::Caller;
use super::list::{self, JsonObject};
use crate::access::CallerAccess;
use crate::hidden::{Filtered, Hidden};
use crate::inventory::{CREATED_MS, Case, Inventory, IssueSubject};
use crate::options::Licence;
use crate::page::Page;
use crate::refusal::Refusal;
use crate::store::Store;
use crate::view::View;

const PAGE_MAX: u64 = 100;
const FIELDS: [(&str, &str); 7] = [
    ("case_id", "case_id"),
    ("case_name", "case_name"),
    ("case_domain", "case_domain"),
    ("severity", "severity"),
    ("status_progress", "status_progress"),
    ("creation_time", "creation_time"),
    ("modification_time", "modification_time"),
];

/// The parameters of a search for cases or issues.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct SearchRequest {
    filters: Vec<Condition>,
    search_from: Option<u64>,
    search_to: Option<u64>,
    sort: Option<Sort>,
    /// Additional members to return.
    include_fields: Vec<String>,
}

impl SearchRequest {
    /// Whether to return a member that is omitted by default.
    pub(super) fn includes(&self, name: &str) -> bool {
        self.include_fields.iter().any(|asked| asked == name)
    }
}

pub(super) fn calls() -> MethodRouter<Arc<App>> {
    post(search)
}

async fn search(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    RequestBody(request): RequestBody<SearchRequest>,
) -> Result<Filtered<Reply<Value>>, Refusal> {
    let store = app.store();
    let access = may_look(&app, &store, caller)?;
    let mut hidden = Hidden::default();
    let view = View::new(&store.inventory);
    let cases = store.inventory.cases.iter();
    let seen = cases.filter(|case| view.sees_case(&access, case, &mut hidden));
    let things = seen.map(|case| shown(case, &store.inventory, &view, &access)).collect();
    let reply = page_of(&request, &FIELDS, "case_id", things)?;
    Ok(Filtered(Reply { reply }, hidden))
}

/// Cases and issues are one component.
pub(super) fn may_look<'a>(
    app: &App,
    store: &'a Store,
    caller: Caller,
) -> Result<CallerAccess<'a>, Refusal> {
    app.licensed(Licence::CasesAndIssues)?;
    let access = access(store, caller)?;
    access.require("Cases and Issues", Permission::View)?;
    Ok(access)
}

/// The requested page of what the caller sees.
pub(super) fn page_of(
    request: &SearchRequest,
    fields: &[(&str, &'static str)],
    unless_said: &'static str,
    mut seen: Vec<JsonObject>,
) -> Result<Value, Refusal> {
    let page = Page::checked(request.search_from, request.search_to, PAGE_MAX)?;
    let conditions = list::older(&request.filters, fields)?;
    let order = list::older_order(request.sort.as_ref(), fields)?;
    let (place, descending) = order.unwrap_or((unless_said, false));
    let total_count = seen.len();
    seen.retain(|object| list::all_match(&conditions, object));
    let filter_count = seen.len();
    list::sort(&mut seen, place, descending);
    let data: Vec<_> = page.of(seen.into_iter()).collect();
    Ok(json!({ "DATA": data, "FILTER_COUNT": filter_count, "TOTAL_COUNT": total_count }))
}

/// A case lists only what the caller sees of it.
fn shown(
    case: &Case,
    inventory: &Inventory,
    view: &View<'_>,
    access: &CallerAccess<'_>,
) -> JsonObject {
    let issues = case.issues.iter().map(|at| &inventory.issues[*at]);
    let issues: Vec<_> =
        issues.filter(|issue| view.sees_issue(access, issue, &mut Hidden::default())).collect();
    let issue_ids: Vec<_> = issues.iter().map(|issue| issue.id).collect();
    let assets = issues.iter().flat_map(|issue| &issue.about).filter_map(IssueSubject::asset);
    let assets = assets.filter(|at| access.may_see(&view.asset(*at)));
    let asset_ids: BTreeSet<_> = assets.map(|at| inventory.assets[at].id.as_str()).collect();
    list::object(&json!({
        "case_id": case.id,
        "case_name": case.name,
        "description": case.name,
        "case_domain": case.domain,
        "severity": case.severity,
        "creation_time": CREATED_MS,
        "modification_time": CREATED_MS,
        "status_progress": "New",
        "issue_count": issue_ids.len(),
        "issue_ids": issue_ids,
        "asset_ids": asset_ids,
        "starred": false,
        "tags": [],
    }))
}
