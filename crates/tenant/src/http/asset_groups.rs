//! `asset-groups`: which groups of assets a scope can name.
//!
//! It refuses to make or change them: they are the same in every tenant of this kind.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use axum::routing::{MethodRouter, post};
use cortexkey_api::Reply;
use cortexkey_api::asset_group::{AssetGroupRecord, ListCounts, ListReply, ListRequest};
use cortexkey_api::filter::{XdmCondition, XdmFilter};
use cortexkey_core::access::Permission;

use super::App;
use super::api_keys::access;
use super::body::AskedBare;
use super::gate::Caller;
use super::list::{self, Newer, Page};
use super::refusal::Refusal;
use crate::inventory::{ASSET_GROUPS, AssetGroup};

const PAGE_MAX: u64 = 1_000;
const FIELDS: [(&str, &str); 6] = [
    ("XDM.ASSET_GROUP.ID", "XDM.ASSET_GROUP.ID"),
    ("XDM.ASSET_GROUP.NAME", "XDM.ASSET_GROUP.NAME"),
    ("XDM.ASSET_GROUP.TYPE", "XDM.ASSET_GROUP.TYPE"),
    ("XDM.ASSET_GROUP.DESCRIPTION", "XDM.ASSET_GROUP.DESCRIPTION"),
    ("XDM.ASSET_GROUP.CREATION_TIME", "XDM.ASSET_GROUP.CREATION_TIME"),
    ("XDM.ASSET_GROUP.LAST_UPDATE_TIME", "XDM.ASSET_GROUP.LAST_UPDATE_TIME"),
];

pub(super) fn calls() -> MethodRouter<Arc<App>> {
    post(read)
}

async fn read(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    AskedBare(request): AskedBare<ListRequest>,
) -> Result<Json<Reply<ListReply>>, Refusal> {
    let store = app.store();
    access(&store, caller)?.require("Asset Groups", Permission::View)?;
    let page = Page::checked(request.search_from, request.search_to, PAGE_MAX)?;
    let filter = request.filters.as_ref().map(|filter| Newer::new(filter, &FIELDS)).transpose()?;
    let order = list::newer_order(&request.sort, &FIELDS)?;
    let (place, descending) = order.unwrap_or(("XDM.ASSET_GROUP.ID", false));
    let scopes = store.entries().filter_map(|entry| entry.scope.as_ref());
    let used: BTreeSet<u64> =
        scopes.flat_map(|scope| scope.assets.asset_group_ids.iter().copied()).collect();
    let things = ASSET_GROUPS.iter().map(|group| list::thing(&record(group, &used)));
    let fits = |thing: &list::Thing| filter.as_ref().is_none_or(|filter| filter.fits(thing));
    let mut found: Vec<_> = things.filter(fits).collect();
    list::sort(&mut found, place, descending);
    let metadata = ListCounts { filter_count: found.len() as u64 };
    let record = |thing| serde_json::from_value(serde_json::Value::Object(thing)).ok();
    let data = page.of(found.into_iter()).filter_map(record).collect();
    Ok(Json(Reply { reply: ListReply { data, metadata } }))
}

fn record(group: &AssetGroup, used: &BTreeSet<u64>) -> AssetGroupRecord {
    let condition = XdmFilter::Condition(XdmCondition {
        search_field: group.attribute.to_owned(),
        search_type: "CONTAINS".to_owned(),
        search_value: group.value.into(),
    });
    AssetGroupRecord {
        id: group.id,
        name: group.name.to_owned(),
        kind: "Dynamic".to_owned(),
        description: Some(group.description.to_owned()),
        filter: Vec::new(),
        creation_time: Some(group.created_ms),
        created_by: Some("tenant@localhost".to_owned()),
        created_by_pretty: Some("Local tenant".to_owned()),
        last_update_time: Some(group.created_ms),
        modified_by: Some("tenant@localhost".to_owned()),
        modified_by_pretty: Some("Local tenant".to_owned()),
        membership_predicate: Some(XdmFilter::And { all: vec![condition] }),
        is_used_by_sbac: used.contains(&group.id),
    }
}
