//! `audits/management_logs`: the audit log.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use axum::routing::{MethodRouter, post};
use cortexkey_api::Reply;
use cortexkey_api::audit::{AuditRecord, ListReply, ListRequest};
use cortexkey_core::access::Permission;

use super::App;
use super::api_keys::access;
use super::body::OptionalMemberBody;
use super::gate::Caller;
use super::list;
use crate::page::Page;
use crate::refusal::Refusal;

const PAGE_MAX: u64 = 100;
const FIELDS: [(&str, &str); 6] = [
    ("email", "AUDIT_OWNER_EMAIL"),
    ("type", "AUDIT_ENTITY"),
    ("sub_type", "AUDIT_ENTITY_SUBTYPE"),
    ("result", "AUDIT_RESULT"),
    ("timestamp", "AUDIT_INSERT_TIME"),
    ("audit_id", "AUDIT_ID"),
];

/// Like [`FIELDS`], with the other spelling that orders use.
const SORT_FIELDS: [(&str, &str); 7] =
    [FIELDS[0], FIELDS[1], FIELDS[2], ("sub-type", FIELDS[2].1), FIELDS[3], FIELDS[4], FIELDS[5]];

pub(super) fn calls() -> MethodRouter<Arc<App>> {
    post(read)
}

async fn read(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    OptionalMemberBody(request): OptionalMemberBody<ListRequest>,
) -> Result<Json<Reply<ListReply>>, Refusal> {
    access(&app.store(), caller)?.require("Auditing", Permission::View)?;
    let page = Page::checked(request.search_from, request.search_to, PAGE_MAX)?;
    let conditions = list::documented(&request.filters, &FIELDS)?;
    let order = list::older_order(request.sort.as_ref(), &SORT_FIELDS)?;
    let (place, descending) = order.unwrap_or(("AUDIT_ID", true));
    // In small batches, and without the store's lock, so that others can continue.
    let _place = app.searches.acquire().await;
    let entries: Vec<Arc<AuditRecord>> = app.store().audit.entries().cloned().collect();
    let reply = tokio::task::block_in_place(|| {
        let fits = |(_, object): &(_, list::JsonObject)| list::all_match(&conditions, object);
        let things = entries.iter().map(|entry| (entry, list::object(entry.as_ref())));
        let mut found: Vec<_> = things.filter(fits).collect();
        list::sort_by(&mut found, |(_, object)| object.get(place), descending);
        let total_count = found.len() as u64;
        let data: Vec<AuditRecord> =
            page.of(found.into_iter()).map(|(entry, _)| entry.as_ref().clone()).collect();
        ListReply { total_count, result_count: data.len() as u64, data }
    });
    Ok(Json(Reply { reply }))
}
