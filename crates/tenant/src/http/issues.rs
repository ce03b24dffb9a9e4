//! `issue/search`: issues, as far as the caller's scope lets them be seen.
//!
//! It refuses to change them.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::routing::{MethodRouter, post};
use cortexkey_api::Reply;
use serde_json::{Value, json};

use super::App;
use super::body::Asked;
use super::cases::{SearchRequest, may_look, page_of};
use super::gate::Caller;
use super::hidden::{Hidden, Seen};
use super::list::{self, Thing};
use super::refusal::Refusal;
use crate::access::Access;
use crate::data::{About, Asset, CASES, CREATED_MS, Case, ISSUES, Issue};

const FIELDS: [(&str, &str); 9] = [
    ("id", "id"),
    ("external_id", "external_id"),
    ("name", "name"),
    ("domain", "domain"),
    ("severity", "severity"),
    ("case_ids", "case_ids"),
    ("asset_ids", "asset_ids"),
    ("observation_time", "observation_time"),
    ("_insert_time", "_insert_time"),
];

pub(super) fn calls() -> MethodRouter<Arc<App>> {
    post(search)
}

async fn search(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Asked(request): Asked<SearchRequest>,
) -> Result<Seen<Reply<Value>>, Refusal> {
    let store = app.store();
    let access = may_look(&app, &store, caller)?;
    let mut hidden = Hidden::default();
    let sees = |issue: &&Issue| {
        access.sees(&format!("issue {}", issue.id), &issue.question(), &mut hidden)
    };
    let things = ISSUES.iter().filter(sees).map(|issue| shown(issue, &access)).collect();
    let reply = page_of(&request, &FIELDS, "id", things)?;
    Ok(Seen(Reply { reply }, hidden))
}

/// An issue names what the caller sees of what it is about, and what no scope limits.
fn shown(issue: &Issue, access: &Access<'_>) -> Thing {
    let sees = |asset: &Asset| access.may_see(&asset.question());
    let about = issue.about.iter().filter(|about| about.asset().is_none_or(sees));
    let assets = about.clone().filter_map(About::asset);
    let of = |case: &&Case| case.issues.iter().any(|part| part.id == issue.id);
    let cases = CASES.iter().filter(of).filter(|case| access.may_see(&case.question()));
    list::thing(&json!({
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
        "asset_ids": assets.map(|asset| asset.id).collect::<Vec<_>>(),
        "asset_names": about.map(About::name).collect::<Vec<_>>(),
        "tags": [],
    }))
}
