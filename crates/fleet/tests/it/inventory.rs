//! The inventory: lineage, audit log, scopes, and what remains unknown.

use cortexkey_api::scope::{
    AreaMode, AssetsWrite, AxisMode, AxisWrite, CasesIssuesWrite, EndpointsWrite, ScopeWrite,
};
use cortexkey_client::Method;
use cortexkey_client::time::now_ms;
use cortexkey_core::auth::KeyId;
use cortexkey_fleet::{InventoryKey, KeyInventory, KeyScope, LIMITS, Scopes, Snapshot, Visibility};
use serde_json::Value;

use crate::world::{World, client_of, generate, generate_key};

fn key(inventory: &KeyInventory, id: u64) -> &InventoryKey {
    inventory.keys.iter().find(|key| key.facts.id == Some(id)).unwrap()
}

#[test]
fn lineage_and_last_action_are_those_of_the_tenant() {
    let world = World::new();
    let (parent, secret) = generate_key(&world.client, "Instance Administrator", "ci", 60);
    let ci = client_of(&world.tenant, parent, &secret);
    let child = generate(&ci, "Viewer", "made by ci", 60);
    let idle = world.generate("Viewer", "idle", 60);
    let inventory = world.inventory(None, 0);
    assert_eq!(key(&inventory, child).facts.created_by_key, Some(parent));
    assert_eq!(key(&inventory, child).has_creator, Some(true));
    assert_eq!(key(&inventory, parent).created_keys, [child]);
    assert_eq!(key(&inventory, parent).actions, Some(1));
    let last = key(&inventory, parent).last_action.as_ref().unwrap();
    assert!(last.description.contains(&format!("API key {child}")), "{last:?}");
    assert_eq!(key(&inventory, idle).last_action, None);
    assert_eq!(key(&inventory, idle).actions, Some(0));
    // The creator may be deleted; its keys remain.
    world.client.delete_keys(&[KeyId::new(parent).unwrap()]).unwrap();
    let inventory = world.inventory(None, 0);
    assert_eq!(key(&inventory, child).has_creator, Some(false));
    assert_eq!(key(&inventory, child).creator_words(), format!("{parent} (gone)"));
}

#[test]
fn the_range_is_stated_and_excludes_everything_else() {
    let world = World::new();
    world.generate("Viewer", "x", 60);
    let all = world.inventory(None, 0);
    let range = all.audit.unwrap();
    assert_eq!((range.from_ms, range.entries > 0, range.is_cut), (0, true, false));
    let later = world.inventory(None, now_ms() + 1000);
    assert_eq!(later.audit.as_ref().unwrap().entries, 0);
    assert!(later.keys.iter().all(|key| key.actions == Some(0)));
    for limit in LIMITS {
        assert!(later.limits().contains(&limit.to_owned()));
    }
    assert!(later.to_json()["audit"]["from"].is_string());
    let csv = later.to_csv();
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let headings = reader.headers().unwrap().clone();
    let row = reader.records().next().unwrap().unwrap();
    for heading in ["Audit From", "Audit To"] {
        let at = headings.iter().position(|known| known == heading).unwrap();
        assert!(row[at].ends_with('Z'), "{heading}: {}", &row[at]);
    }
}

#[test]
fn many_entries_are_read_page_after_page() {
    let world = World::new();
    let made: Vec<u64> =
        (0..130).map(|at| world.generate("Viewer", &format!("k{at}"), 60)).collect();
    let inventory = world.inventory(None, 0);
    let by = &key(&inventory, 2);
    assert_eq!(by.actions, Some(130));
    assert_eq!(by.created_keys, made);
    let log = world.client.audit_log(0, now_ms() + 1000, 100).unwrap();
    assert!(log.is_cut);
    assert_eq!(log.entries.len(), 100);
    assert_eq!(log.from_ms, log.entries.last().unwrap().audit_insert_time);
    assert!(log.entries.is_sorted_by_key(|entry| core::cmp::Reverse(entry.audit_insert_time)));
}

#[test]
fn a_key_without_access_to_scopes_and_log_is_reported() {
    let world = World::new();
    let role =
        br#"{"request_data":{"pretty_name":"Lister","component_permissions":["public_api_view"]}}"#;
    world.client.call(Method::Post, "/platform/iam/v1/role", Some(role)).unwrap();
    let (id, secret) = generate_key(&world.client, "Lister", "limited", 60);
    let limited = client_of(&world.tenant, id, &secret);
    let snapshot = Snapshot::read(&limited, None, now_ms()).unwrap();
    let ids = snapshot.rows.iter().map(|row| row.record.key_id);
    let scopes = Scopes::read(&limited, ids, &|| {}).unwrap();
    let inventory = KeyInventory::read(&limited, &snapshot, &scopes, None, 0).unwrap();
    assert_eq!(inventory.faults.len(), 2, "{:?}", inventory.faults);
    assert!(inventory.audit.is_err());
    for key in &inventory.keys {
        assert!(matches!(key.facts.scope, KeyScope::Unread(_)));
        assert_eq!((key.actions, &key.losses, &key.areas), (None, &None, &None));
    }
}

#[test]
fn scopes_show_what_would_be_lost() {
    let world = World::new();
    let [all, none, part] =
        ["all", "none", "part"].map(|comment| world.generate("Viewer", comment, 60));
    let scope = |mode: AreaMode, axis: AxisMode| ScopeWrite {
        assets: AssetsWrite { mode, asset_group_ids: Vec::new() },
        cases_issues: CasesIssuesWrite {
            mode,
            names: Vec::new(),
            include_cases_issues_empty_entities: mode == AreaMode::All,
        },
        endpoints: EndpointsWrite {
            endpoint_groups: AxisWrite { mode: axis, names: Vec::new() },
            endpoint_tags: AxisWrite { mode: axis, names: Vec::new() },
        },
        datasets_rows: None,
    };
    let set = |id: u64, scope: &ScopeWrite| {
        world.client.set_scope(KeyId::new(id).unwrap(), scope).unwrap();
    };
    set(all, &scope(AreaMode::All, AxisMode::SeeAll));
    set(part, &scope(AreaMode::All, AxisMode::NoScope));
    let inventory = world.inventory(None, 0);
    // The tenant does not return whether the first key sees issues that reference no known object.
    for (id, reach, losses) in [
        (all, Visibility::Everything, 1),
        (none, Visibility::Unscoped, 1),
        (part, Visibility::Limited, 2),
    ] {
        let key = key(&inventory, id);
        assert_eq!(key.facts.scope, KeyScope::Known(reach));
        assert_eq!(key.losses.as_ref().map(Vec::len), Some(losses), "{id}: {:?}", key.losses);
    }
    let json = inventory.to_json();
    let keys = json["keys"].as_array().unwrap();
    assert!(keys.iter().all(|key| key["losesUnderSbac"] != Value::Null));
    assert!(keys.iter().all(|key| key["holds"][0]["name"].is_string()));
}
