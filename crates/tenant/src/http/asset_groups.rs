//! `asset-groups`: the asset groups that a scope can name; list, create, change, delete.
//!
//! A group that a scope names cannot be deleted.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use axum::routing::{MethodRouter, post};
use cortexkey_api::Reply;
use cortexkey_api::asset_group::{AssetGroupRecord, ListCounts, ListReply, ListRequest};
use cortexkey_api::filter::XdmFilter;
use cortexkey_core::access::Permission;
use cortexkey_core::auth::KeyId;
use serde::Deserialize;
use serde_json::{Value, json};

use super::App;
use super::api_keys::{access, refused};
use super::assets;
use super::body::{BareBody, Member};
use super::gate::Caller;
use super::list::{self, JsonObject, Newer};
use super::path::Parts;
use crate::inventory::{AssetGroup, Inventory};
use crate::page::Page;
use crate::refusal::Refusal;
use crate::store::{AuditEvent, Store, creator};

const COMPONENT: &str = "Asset Groups";
const AUDITED: &str = "ASSET_INVENTORY";
const PAGE_MAX: u64 = 1_000;
const GROUPS_MAX: usize = 10_000;
const NAME_CHARS_MAX: usize = 200;
const DESCRIPTION_BYTES_MAX: usize = 4096;
const FIELDS: [(&str, &str); 6] = [
    ("XDM.ASSET_GROUP.ID", "XDM.ASSET_GROUP.ID"),
    ("XDM.ASSET_GROUP.NAME", "XDM.ASSET_GROUP.NAME"),
    ("XDM.ASSET_GROUP.TYPE", "XDM.ASSET_GROUP.TYPE"),
    ("XDM.ASSET_GROUP.DESCRIPTION", "XDM.ASSET_GROUP.DESCRIPTION"),
    ("XDM.ASSET_GROUP.CREATION_TIME", "XDM.ASSET_GROUP.CREATION_TIME"),
    ("XDM.ASSET_GROUP.LAST_UPDATE_TIME", "XDM.ASSET_GROUP.LAST_UPDATE_TIME"),
];

pub(super) fn list_calls() -> MethodRouter<Arc<App>> {
    post(read)
}

pub(super) fn create_calls() -> MethodRouter<Arc<App>> {
    post(create)
}

pub(super) fn update_calls() -> MethodRouter<Arc<App>> {
    post(update)
}

pub(super) fn delete_calls() -> MethodRouter<Arc<App>> {
    post(delete)
}

/// Reassigns all assets to the groups.
pub(crate) fn regroup(inventory: &mut Inventory) {
    let filters: Vec<_> =
        inventory.groups.iter().map(|group| (group.record.id, filter(group))).collect();
    inventory.regroup(|group, asset| {
        let found = filters.iter().find(|(id, _)| *id == group.record.id);
        found
            .and_then(|(_, filter)| filter.as_ref())
            .is_some_and(|filter| filter.matches(&asset.record))
    });
}

/// The filter for a group's assets; `None` if the predicate is not understood.
fn filter(group: &AssetGroup) -> Option<Newer> {
    let predicate = group.record.membership_predicate.as_ref()?;
    Newer::new(predicate, &assets::FIELDS).ok()
}

/// The body of a request that creates or changes a group.
#[derive(Default, Deserialize)]
#[serde(default)]
struct GroupWrite {
    asset_group: Members,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Members {
    group_name: Option<String>,
    group_type: Option<Kind>,
    group_description: Member<String>,
    membership_predicate: Option<XdmFilter>,
}

#[derive(Clone, Copy, Deserialize)]
enum Kind {
    #[serde(alias = "dynamic", alias = "DYNAMIC")]
    Dynamic,
    #[serde(alias = "static", alias = "STATIC")]
    Static,
}

async fn read(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    BareBody(request): BareBody<ListRequest>,
) -> Result<Json<Reply<ListReply>>, Refusal> {
    let store = app.store();
    access(&store, caller)?.require(COMPONENT, Permission::View)?;
    let page = Page::checked(request.search_from, request.search_to, PAGE_MAX)?;
    let filter = request.filters.as_ref().map(|filter| Newer::new(filter, &FIELDS)).transpose()?;
    let order = list::newer_order(&request.sort, &FIELDS)?;
    let (place, descending) = order.unwrap_or(("XDM.ASSET_GROUP.ID", false));
    let used = used(&store);
    let shown = |group: &AssetGroup| {
        let is_used_by_sbac = used.contains(&group.record.id);
        list::object(&AssetGroupRecord { is_used_by_sbac, ..group.record.clone() })
    };
    let things = store.inventory.groups.iter().map(shown);
    let matches = |object: &JsonObject| filter.as_ref().is_none_or(|filter| filter.matches(object));
    let mut found: Vec<_> = things.filter(matches).collect();
    list::sort(&mut found, place, descending);
    let metadata = ListCounts { filter_count: found.len() as u64 };
    let record = |object| serde_json::from_value(Value::Object(object)).ok();
    let data = page.of(found.into_iter()).filter_map(record).collect();
    Ok(Json(Reply { reply: ListReply { data, metadata } }))
}

/// The ids of the groups that a scope names.
fn used(store: &Store) -> BTreeSet<u64> {
    store.scopes().flat_map(|scope| scope.assets.asset_group_ids.iter().copied()).collect()
}

async fn create(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    BareBody(GroupWrite { asset_group }): BareBody<GroupWrite>,
) -> Result<Json<Value>, Refusal> {
    let id = change(&app, caller, "Create", |store, by, now_ms| {
        let id = store.inventory.last_group + 1;
        let (name, _) = creator(by);
        let record = AssetGroupRecord {
            id,
            name: String::new(),
            kind: "Dynamic".to_owned(),
            description: None,
            filter: Vec::new(),
            creation_time: Some(now_ms),
            created_by: Some(name.clone()),
            created_by_pretty: Some(name),
            last_update_time: None,
            modified_by: None,
            modified_by_pretty: None,
            membership_predicate: None,
            is_used_by_sbac: false,
        };
        put(store, record, asset_group, by, now_ms)?;
        Ok(id)
    })?;
    Ok(Json(json!({ "reply": { "data": { "success": true, "asset_group_id": id } } })))
}

async fn update(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Parts(id): Parts<String>,
    BareBody(GroupWrite { asset_group }): BareBody<GroupWrite>,
) -> Result<Json<Value>, Refusal> {
    change(&app, caller, "Edit", |store, by, now_ms| {
        let record = known(store, &id)?.record.clone();
        let group = record.id;
        put(store, record, asset_group, by, now_ms)?;
        Ok(group)
    })?;
    Ok(success())
}

async fn delete(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Parts(id): Parts<String>,
) -> Result<Json<Value>, Refusal> {
    change(&app, caller, "Delete", |store, _, _| {
        let id = known(store, &id)?.record.id;
        if used(store).contains(&id) {
            return Err(Refusal::invalid("The asset group is used by a scope"));
        }
        store.inventory.groups.retain(|group| group.record.id != id);
        Ok(id)
    })?;
    Ok(success())
}

fn success() -> Json<Value> {
    Json(json!({ "reply": { "data": { "success": true } } }))
}

/// Changes the groups if the caller may, and logs it.
fn change(
    app: &App,
    caller: Caller,
    subtype: &'static str,
    work: impl FnOnce(&mut Store, KeyId, u64) -> Result<u64, Refusal>,
) -> Result<u64, Refusal> {
    let now_ms = app.clock.now_ms();
    let by = caller.0.key_id();
    app.change(|store| {
        let may = access(store, caller)?.require(COMPONENT, Permission::Edit);
        let event = |subject: String, description, done| AuditEvent {
            entity: AUDITED,
            subtype,
            subject,
            description,
            done,
        };
        if let Err(refusal) = may {
            store.note(by, now_ms, event(String::new(), refused("change asset groups"), false));
            return Err(refusal);
        }
        let id = work(store, by, now_ms)?;
        regroup(&mut store.inventory);
        store.keep_groups();
        let subject = format!("asset group {id}");
        store.note(by, now_ms, event(subject.clone(), format!("{subject}: {subtype}"), true));
        Ok(id)
    })
}

fn known<'a>(store: &'a Store, id: &str) -> Result<&'a AssetGroup, Refusal> {
    let found = id.parse().ok().and_then(|id| store.inventory.group(id));
    found.ok_or_else(|| Refusal::invalid("No asset group has this id"))
}

/// Changes a group as requested; other properties stay.
fn put(
    store: &mut Store,
    mut record: AssetGroupRecord,
    wanted: Members,
    by: KeyId,
    now_ms: u64,
) -> Result<(), Refusal> {
    if let Some(name) = wanted.group_name {
        name.trim().clone_into(&mut record.name);
    }
    if let Some(kind) = wanted.group_type {
        record.kind = match kind {
            Kind::Dynamic => "Dynamic".to_owned(),
            Kind::Static => "Static".to_owned(),
        };
    }
    match wanted.group_description {
        Member::Absent => {}
        Member::Null => record.description = None,
        Member::Value(text) => record.description = Some(text),
    }
    if let Some(predicate) = wanted.membership_predicate {
        record.membership_predicate = Some(predicate);
    }
    let (name, _) = creator(by);
    record.last_update_time = Some(now_ms);
    record.modified_by = Some(name.clone());
    record.modified_by_pretty = Some(name);
    check(store, &record)?;
    let group = AssetGroup::new(record);
    let groups = &mut store.inventory.groups;
    if let Some(known) = groups.iter_mut().find(|known| known.record.id == group.record.id) {
        *known = group;
    } else {
        store.inventory.last_group = group.record.id;
        groups.push(group);
    }
    Ok(())
}

fn check(store: &Store, record: &AssetGroupRecord) -> Result<(), Refusal> {
    let bad = |why: &str| Err(Refusal::invalid("Invalid input").with_extra(why));
    let chars = record.name.chars().count();
    if chars == 0 || chars > NAME_CHARS_MAX {
        return bad("group_name has 1 to 200 characters");
    }
    let others = store.inventory.groups.iter().filter(|known| known.record.id != record.id);
    if others.clone().any(|known| known.record.name == record.name) {
        return bad("another asset group has this name");
    }
    if others.count() >= GROUPS_MAX {
        return bad("there are as many asset groups as there may be");
    }
    if record.description.as_ref().is_some_and(|text| text.len() > DESCRIPTION_BYTES_MAX) {
        return bad("group_description is too long");
    }
    match &record.membership_predicate {
        Some(predicate) => Newer::new(predicate, &assets::FIELDS).map(drop),
        None if record.kind == "Dynamic" => bad("a dynamic group has a membership_predicate"),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory;

    #[test]
    fn a_group_contains_the_assets_of_its_predicate() {
        let (mut inventory, _) = inventory::seeded().unwrap();
        regroup(&mut inventory);
        let groups = |id: &str| -> Vec<u64> {
            let asset = inventory.assets.iter().find(|asset| asset.id == id).unwrap();
            asset.group_ids().collect()
        };
        assert_eq!(groups("asset-1"), [16, 19]);
        assert_eq!(groups("asset-6"), [16, 17]);
        assert_eq!(groups("asset-4"), [0; 0]);
    }
}
