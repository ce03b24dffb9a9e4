//! `assets`: the part of the inventory that the caller's scope allows.
//!
//! An asset out of scope gets the same response as one that does not exist.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::routing::{MethodRouter, get, post};
use cortexkey_api::Reply;
use cortexkey_api::asset_group::ListRequest;
use cortexkey_core::access::Permission;
use serde_json::{Value, json};

use cortexkey_api::asset_group::SCOPING_ATTRIBUTES;

use super::App;
use super::api_keys::access;
use super::body::BareBody;
use super::gate::Caller;
use super::list::{self, JsonObject, Newer};
use super::path::Parts;
use crate::access::CallerAccess;
use crate::hidden::{Filtered, Hidden};
use crate::inventory::Asset;
use crate::options::Licence;
use crate::page::Page;
use crate::refusal::Refusal;
use crate::store::Store;
use crate::view::View;

const PAGE_MAX: u64 = 1_000;
/// The fields for filters on assets and for predicates of asset groups.
pub(super) const FIELDS: [(&str, &str); 17] = [
    ("xdm.asset.id", "xdm.asset.id"),
    ("xdm.asset.name", "xdm.asset.name"),
    ("xdm.asset.group_ids", "xdm.asset.group_ids"),
    ("xdm.asset.first_observed", "xdm.asset.first_observed"),
    ("xdm.asset.last_observed", "xdm.asset.last_observed"),
    (SCOPING_ATTRIBUTES[0], SCOPING_ATTRIBUTES[0]),
    (SCOPING_ATTRIBUTES[1], SCOPING_ATTRIBUTES[1]),
    (SCOPING_ATTRIBUTES[2], SCOPING_ATTRIBUTES[2]),
    (SCOPING_ATTRIBUTES[3], SCOPING_ATTRIBUTES[3]),
    (SCOPING_ATTRIBUTES[4], SCOPING_ATTRIBUTES[4]),
    (SCOPING_ATTRIBUTES[5], SCOPING_ATTRIBUTES[5]),
    (SCOPING_ATTRIBUTES[6], SCOPING_ATTRIBUTES[6]),
    (SCOPING_ATTRIBUTES[7], SCOPING_ATTRIBUTES[7]),
    (SCOPING_ATTRIBUTES[8], SCOPING_ATTRIBUTES[8]),
    (SCOPING_ATTRIBUTES[9], SCOPING_ATTRIBUTES[9]),
    (SCOPING_ATTRIBUTES[10], SCOPING_ATTRIBUTES[10]),
    (SCOPING_ATTRIBUTES[11], SCOPING_ATTRIBUTES[11]),
];

pub(super) fn list_calls() -> MethodRouter<Arc<App>> {
    post(search)
}

pub(super) fn one_calls() -> MethodRouter<Arc<App>> {
    get(one)
}

async fn search(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    BareBody(request): BareBody<ListRequest>,
) -> Result<Filtered<Reply<Value>>, Refusal> {
    let store = app.store();
    let access = may_look(&app, &store, caller)?;
    let page = Page::checked(request.search_from, request.search_to, PAGE_MAX)?;
    let filter = request.filters.as_ref().map(|filter| Newer::new(filter, &FIELDS)).transpose()?;
    let order = list::newer_order(&request.sort, &FIELDS)?;
    let (place, descending) = order.unwrap_or(("xdm.asset.id", false));
    let mut hidden = Hidden::default();
    let view = View::new(&store.inventory);
    let assets = store.inventory.assets.iter().enumerate();
    let visible =
        assets.filter(|(at, asset)| access.sees(&asset.id, &view.asset(*at), &mut hidden));
    let mut seen: Vec<_> = visible.map(|(_, asset)| shown(asset)).collect();
    let total_count = seen.len();
    seen.retain(|object| filter.as_ref().is_none_or(|filter| filter.matches(object)));
    let filter_count = seen.len();
    list::sort(&mut seen, place, descending);
    let data: Vec<_> = page.of(seen.into_iter()).collect();
    let metadata = json!({ "filter_count": filter_count, "total_count": total_count });
    Ok(Filtered(Reply { reply: json!({ "data": data, "metadata": metadata }) }, hidden))
}

async fn one(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Parts(id): Parts<String>,
) -> Result<Filtered<Reply<Value>>, Refusal> {
    let store = app.store();
    let access = may_look(&app, &store, caller)?;
    let mut hidden = Hidden::default();
    let view = View::new(&store.inventory);
    let found = store.inventory.assets.iter().enumerate().find(|(_, asset)| asset.id == id);
    let visible = found.filter(|(at, asset)| access.sees(&asset.id, &view.asset(*at), &mut hidden));
    let Some((_, asset)) = visible else {
        let refusal = Refusal::not_found("Asset was not found");
        return Err(match hidden.reasons.pop() {
            Some(reason) => refusal.with_remedy(reason),
            None => refusal,
        });
    };
    Ok(Filtered(Reply { reply: json!({ "data": [shown(asset)] }) }, hidden))
}

fn may_look<'a>(app: &App, store: &'a Store, caller: Caller) -> Result<CallerAccess<'a>, Refusal> {
    app.licensed(Licence::Assets)?;
    let access = access(store, caller)?;
    access.require("Asset Inventory", Permission::View)?;
    Ok(access)
}

/// An asset in a list: its record, and its current groups.
pub(super) fn shown(asset: &Asset) -> JsonObject {
    let mut record = asset.record.clone();
    let ids: Vec<_> = asset.group_ids().collect();
    record.insert("xdm.asset.group_ids".to_owned(), ids.into());
    record
}
