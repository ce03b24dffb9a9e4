//! `issue/search`: the issues that the caller's scope allows.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::routing::{MethodRouter, post};
use cortexkey_api::Reply;
use serde_json::{Value, json};

use super::App;
use super::body::RequestBody;
use super::cases::{SearchRequest, may_look, page_of};
use super::gate::Caller;
use super::list::{self, JsonObject};
use crate::access::CallerAccess;
use crate::hidden::{Filtered, Hidden};
use crate::inventory::{CREATED_MS, Case, Inventory, Issue, IssueSubject};
use crate::refusal::Refusal;
use crate::view::View;

const FIELDS: [(&str, &str); 11] = [
    ("id", "id"),
    ("external_id", "external_id"),
    ("name", "name"),
    ("domain", "domain"),
    ("issue_domain", "domain"),
    ("severity", "severity"),
    ("case_ids", "case_ids"),
    ("asset_ids", "asset_ids"),
    ("asset_names", "asset_names"),
    ("observation_time", "observation_time"),
    ("_insert_time", "_insert_time"),
];

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
    let issues = store.inventory.issues.iter();
    let seen = issues.filter(|issue| view.sees_issue(&access, issue, &mut hidden));
    let normalized = request.includes("normalized_fields");
    let things = seen.map(|issue| shown(issue, &store.inventory, &view, &access, normalized));
    let reply = page_of(&request, &FIELDS, "id", things.collect())?;
    Ok(Filtered(Reply { reply }, hidden))
}

/// An issue lists the visible objects that it references, and those that no scope limits.
fn shown(
    issue: &Issue,
    inventory: &Inventory,
    view: &View<'_>,
    access: &CallerAccess<'_>,
    normalized: bool,
) -> JsonObject {
    let sees = |at: usize| access.may_see(&view.asset(at));
    let about: Vec<_> = issue.about.iter().filter(|about| about.asset().is_none_or(sees)).collect();
    let assets: Vec<_> = about.iter().filter_map(|about| about.asset()).collect();
    let of = |case: &&Case| case.issues.iter().any(|at| inventory.issues[*at].id == issue.id);
    let cases = inventory.cases.iter().filter(of);
    let cases = cases.filter(|case| view.sees_case(access, case, &mut Hidden::default()));
    let asset = |id: &str| inventory.assets.iter().position(|asset| asset.id == id);
    let findings = inventory.findings.iter().filter(|finding| {
        finding.issue == Some(issue.id)
            && asset(&finding.asset).is_some_and(|at| access.may_see(&view.finding(at)))
    });
    let names = about.iter().map(|about| match about {
        IssueSubject::Asset(at) => inventory.assets[*at].name.as_str(),
        IssueSubject::Deleted(name) | IssueSubject::Unknown(name) => name,
    });
    let mut object = list::object(&json!({
        "id": issue.id,
        "external_id": format!("issue-{}", issue.id),
        "name": issue.name,
        "description": issue.name,
        "_insert_time": CREATED_MS,
        "observation_time": CREATED_MS,
        "domain": issue.domain,
        "category": issue.domain,
        "severity": issue.severity,
        "status.progress": "New",
        "case_ids": cases.map(|case| case.id).collect::<Vec<_>>(),
        "asset_ids": assets.iter().map(|at| &inventory.assets[*at].id).collect::<Vec<_>>(),
        "asset_names": names.collect::<Vec<_>>(),
        "finding_ids": findings.map(|finding| &finding.id).collect::<Vec<_>>(),
        "tags": [],
    }));
    if normalized {
        // The agents at both ends: of the first asset with an agent, and of the second.
        let mut agents =
            assets.iter().filter_map(|at| inventory.agent_of(*at)).map(|agent| &agent.id);
        object.insert(
            "normalized_fields".to_owned(),
            json!({
                "xdm.source.agent.identifier": agents.next(),
                "xdm.target.agent.identifier": agents.next(),
            }),
        );
    }
    object
}
