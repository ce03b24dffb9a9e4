//! `assets`: the inventory, as far as the caller's scope lets it be seen.
//!
//! It refuses to tell an asset that is out of scope from one that there is not.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::routing::{MethodRouter, get, post};
use cortexkey_api::Reply;
use cortexkey_api::asset_group::ListRequest;
use cortexkey_core::access::Permission;
use serde_json::{Value, json};

use super::App;
use super::api_keys::access;
use super::body::AskedBare;
use super::gate::Caller;
use super::hidden::{Hidden, Seen};
use super::list::{self, Newer, Page, Thing};
use super::path::Parts;
use super::refusal::Refusal;
use crate::access::Access;
use crate::data::{ASSETS, Asset, CREATED_MS};
use crate::inventory::ASSET_GROUPS;
use crate::options::Licence;
use crate::store::Store;

const PAGE_MAX: u64 = 1_000;
const FIELDS: [(&str, &str); 8] = [
    ("xdm.asset.id", "xdm.asset.id"),
    ("xdm.asset.name", "xdm.asset.name"),
    ("xdm.asset.type.class", "xdm.asset.type.class"),
    ("xdm.asset.provider", "xdm.asset.provider"),
    ("xdm.asset.cloud.region", "xdm.asset.cloud.region"),
    ("xdm.asset.tags", "xdm.asset.tags"),
    ("xdm.asset.group_ids", "xdm.asset.group_ids"),
    ("xdm.asset.first_observed", "xdm.asset.first_observed"),
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
    AskedBare(request): AskedBare<ListRequest>,
) -> Result<Seen<Reply<Value>>, Refusal> {
    let store = app.store();
    let access = may_look(&app, &store, caller)?;
    let page = Page::checked(request.search_from, request.search_to, PAGE_MAX)?;
    let filter = request.filters.as_ref().map(|filter| Newer::new(filter, &FIELDS)).transpose()?;
    let order = list::newer_order(&request.sort, &FIELDS)?;
    let (place, descending) = order.unwrap_or(("xdm.asset.id", false));
    let mut hidden = Hidden::default();
    let mut seen: Vec<_> = visible(&access, &mut hidden).map(shown).collect();
    let total_count = seen.len();
    seen.retain(|thing| filter.as_ref().is_none_or(|filter| filter.fits(thing)));
    let filter_count = seen.len();
    list::sort(&mut seen, place, descending);
    let data: Vec<_> = page.of(seen.into_iter()).collect();
    let metadata = json!({ "filter_count": filter_count, "total_count": total_count });
    Ok(Seen(Reply { reply: json!({ "data": data, "metadata": metadata }) }, hidden))
}

async fn one(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Parts(id): Parts<String>,
) -> Result<Seen<Reply<Value>>, Refusal> {
    let store = app.store();
    let access = may_look(&app, &store, caller)?;
    let mut hidden = Hidden::default();
    let found = ASSETS.iter().find(|asset| asset.id == id);
    let visible = found.filter(|asset| access.sees(asset.id, &asset.question(), &mut hidden));
    let Some(asset) = visible else {
        let refusal = Refusal::not_found("Asset was not found");
        return Err(match hidden.reasons.pop() {
            Some(reason) => refusal.with_remedy(reason),
            None => refusal,
        });
    };
    Ok(Seen(Reply { reply: json!({ "data": [shown(asset)] }) }, hidden))
}

fn may_look<'a>(app: &App, store: &'a Store, caller: Caller) -> Result<Access<'a>, Refusal> {
    app.licensed(Licence::Assets)?;
    let access = access(store, caller)?;
    access.require("Asset Inventory", Permission::View)?;
    Ok(access)
}

fn visible<'a>(
    access: &'a Access<'_>,
    hidden: &'a mut Hidden,
) -> impl Iterator<Item = &'static Asset> + use<'a> {
    ASSETS.iter().filter(move |asset| access.sees(asset.id, &asset.question(), hidden))
}

fn shown(asset: &Asset) -> Thing {
    let group_ids: Vec<_> = ASSET_GROUPS
        .iter()
        .filter(|group| asset.groups.contains(&group.name))
        .map(|group| group.id)
        .collect();
    list::thing(&json!({
        "xdm.asset.id": asset.id,
        "xdm.asset.name": asset.name,
        "xdm.asset.type.class": asset.class,
        "xdm.asset.provider": asset.provider,
        "xdm.asset.cloud.region": asset.region,
        "xdm.asset.tags": asset.groups,
        "xdm.asset.group_ids": group_ids,
        "xdm.asset.first_observed": CREATED_MS,
        "xdm.asset.agent_id": asset.agent.map(|agent| agent.id),
    }))
}

#[cfg(test)]
mod tests {
    use cortexkey_api::filter::{XdmCondition, XdmFilter};

    use super::*;

    #[test]
    fn a_group_holds_the_assets_that_its_predicate_says() {
        for group in &ASSET_GROUPS {
            let filter = XdmFilter::Condition(XdmCondition {
                search_field: group.attribute.to_owned(),
                search_type: "EQ".to_owned(),
                search_value: group.value.into(),
            });
            let filter = Newer::new(&filter, &FIELDS).ok().unwrap();
            for asset in &ASSETS {
                let is_in = asset.groups.contains(&group.name);
                assert_eq!(filter.fits(&shown(asset)), is_in, "{} {}", group.name, asset.id);
            }
        }
    }
}
