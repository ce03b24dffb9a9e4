//! An organisation's inventory, read from one tenant and loaded by another.

use std::fs;
use std::path::Path;

use cortexkey_api::api_keys::{GenerateRequest, SecurityLevel};
use cortexkey_api::inventory::Inventory;
use cortexkey_client::{Client, ClientOptions, Method};
use cortexkey_core::access::Permission;
use cortexkey_core::auth::{Key, KeyId, Level, Signer};
use cortexkey_tenant::{CustomRole, Options, Tenant};
use serde_json::{Value, json};

fn start(inventory: &Path) -> (Tenant, Client) {
    let reader = CustomRole::new("Asset reader").unwrap();
    let reader = reader.with("Asset Inventory", Permission::View).unwrap();
    let reader = reader.with("Asset Groups", Permission::View).unwrap();
    let options = Options {
        inventory: Some(inventory.to_owned()),
        custom_roles: vec![reader],
        ..Options::default()
    };
    let tenant = Tenant::start(options).unwrap();
    let seeded = tenant.seeded_keys().unwrap();
    let key = Key::new(seeded.standard.expose().as_bytes()).unwrap();
    let signer = Signer::new(seeded.standard.id(), Level::Standard, key);
    let client = Client::new(tenant.url().parse().unwrap(), signer, ClientOptions::default());
    (tenant, client)
}

/// More than one page of endpoints and assets, and names that occur only in scopes.
fn organisation() -> Value {
    let endpoint = |n: u32| {
        json!({ "endpoint_id": format!("e{n:03}"), "endpoint_name": format!("host-{n}"),
                "group_name": ["tills"], "tags": { "server_tags": ["pci"], "endpoint_tags": [] } })
    };
    let asset = |n: u32| {
        json!({ "xdm.asset.id": format!("a{n:03}"), "xdm.asset.tags": ["vault"],
                "xdm.asset.agent_id": format!("e{n:03}") })
    };
    json!({
        "assetGroups": [{
            "XDM.ASSET_GROUP.ID": 7, "XDM.ASSET_GROUP.NAME": "vault",
            "XDM.ASSET_GROUP.TYPE": "Dynamic", "XDM.ASSET_GROUP.MEMBERSHIP_PREDICATE":
                { "SEARCH_FIELD": "xdm.asset.tags", "SEARCH_TYPE": "EQ", "SEARCH_VALUE": "vault" },
        }],
        "domains": ["Security", "Posture", "Health", "Hunting", "IT", "Finance"],
        "endpointGroups": ["kiosks"], "endpointTags": ["vip"],
        "endpoints": (0..205).map(endpoint).collect::<Vec<_>>(),
        "assets": (0..205).map(asset).collect::<Vec<_>>(),
        "users": [{ "user_email": "a@b.example", "role_name": "Viewer",
                    "groups": [{ "group_id": "g1", "group_name": "soc" }] }],
        "userGroups": [
            { "group_id": "g1", "group_name": "soc", "pretty_role_name": "Viewer",
              "nested_groups": [{ "group_id": "g2", "group_name": "night" }] },
            { "group_id": "g2", "group_name": "night", "idp_groups": ["idp"] },
        ],
        "datasetGroups": [{ "dataset_category": "Lookup", "datasets": ["tills"] }],
    })
}

/// A new key whose scope has names that no list contains.
fn scope_a_key(client: &Client) {
    let id = KeyId::new(generate(client, "Viewer").0).unwrap();
    let scope = json!({
        "assets": { "mode": "scope", "asset_group_ids": [7] },
        "cases_issues": { "mode": "scope", "names": ["Finance"] },
        "endpoints": { "endpoint_groups": { "mode": "scope", "names": ["kiosks"] },
                       "endpoint_tags": { "mode": "scope", "names": ["vip"] } },
    });
    client.set_scope(id, &serde_json::from_value(scope).unwrap()).unwrap();
}

fn generate(client: &Client, role: &str) -> (u64, Client) {
    let request = json!({ "roles": [role], "security_level": "standard" });
    let request: GenerateRequest = serde_json::from_value(request).unwrap();
    assert_eq!(request.security_level, SecurityLevel::Standard);
    let made = client.generate_key(&request).unwrap();
    let key = Key::new(made.key.expose().as_bytes()).unwrap();
    let signer = Signer::new(KeyId::new(made.id).unwrap(), Level::Standard, key);
    (made.id, Client::new(client.address().clone(), signer, ClientOptions::default()))
}

fn names(records: &Value, member: &str) -> Vec<String> {
    let records = records.as_array().unwrap();
    records.iter().map(|record| record[member].as_str().unwrap().to_owned()).collect()
}

#[test]
fn an_exported_tenant_starts_an_equal_emulator() {
    let folder = tempfile::tempdir().unwrap();
    let given = folder.path().join("given");
    let written = folder.path().join("written");
    let organisation = organisation();
    fs::write(&given, organisation.to_string()).unwrap();
    let first = {
        let (_tenant, client) = start(&given);
        scope_a_key(&client);
        client.inventory().unwrap()
    };
    assert_eq!(first.incomplete, []);
    // Compared with the organisation's own file, not only with the first reading.
    let read = serde_json::to_value(&first).unwrap();
    for (section, id) in [
        ("endpoints", "endpoint_id"),
        ("assets", "xdm.asset.id"),
        ("assets", "xdm.asset.agent_id"),
        ("assetGroups", "XDM.ASSET_GROUP.NAME"),
        ("users", "user_email"),
        ("userGroups", "group_id"),
    ] {
        assert_eq!(names(&read[section], id), names(&organisation[section], id), "{section}");
    }
    for section in ["domains", "endpointGroups", "endpointTags", "datasetGroups"] {
        assert_eq!(read[section], organisation[section], "{section}");
    }
    fs::write(&written, serde_json::to_vec(&first).unwrap()).unwrap();
    let (_tenant, client) = start(&written);
    scope_a_key(&client);
    assert_eq!(client.inventory().unwrap(), first);
}

#[test]
fn a_section_that_may_not_be_read_is_left_out_and_marked_with_the_permission() {
    let folder = tempfile::tempdir().unwrap();
    let given = folder.path().join("given");
    let written = folder.path().join("written");
    fs::write(&given, organisation().to_string()).unwrap();
    let (_tenant, client) = start(&given);
    let read = generate(&client, "Asset reader").1.inventory().unwrap();
    let sections: Vec<_> = read.incomplete.iter().map(|mark| mark.section.as_str()).collect();
    assert_eq!(
        sections,
        ["endpoints", "assets", "users", "userGroups", "datasetGroups", "domains"]
    );
    let marks: Vec<_> =
        read.incomplete.iter().map(|mark| format!("{}: {}", mark.section, mark.reason)).collect();
    insta::assert_snapshot!("incomplete sections", marks.join("\n"));
    assert_eq!((read.assets.len(), read.asset_groups.len()), (205, 1));
    let json = serde_json::to_value(&read).unwrap();
    assert!(json.get("endpoints").is_none() && json.get("users").is_none());
    // It still loads, including its own marks.
    fs::write(&written, json.to_string()).unwrap();
    assert_eq!(serde_json::from_value::<Inventory>(json).unwrap(), read);
    let (_tenant, client) = start(&written);
    assert_eq!(client.inventory().unwrap().assets.len(), 205);
}

#[test]
fn a_scoped_key_does_not_report_its_part_as_complete() {
    let folder = tempfile::tempdir().unwrap();
    let given = folder.path().join("given");
    fs::write(&given, organisation().to_string()).unwrap();
    let (_tenant, client) = start(&given);
    let (id, scoped) = generate(&client, "Instance Administrator");
    let scope = json!({
        "assets": { "mode": "scope", "asset_group_ids": [7] },
        "cases_issues": { "mode": "see_all" },
        "endpoints": { "endpoint_groups": { "mode": "scope", "names": ["kiosks"] },
                       "endpoint_tags": { "mode": "any" } },
    });
    let scope = serde_json::from_value(scope).unwrap();
    client.set_scope(KeyId::new(id).unwrap(), &scope).unwrap();
    let read = scoped.inventory().unwrap();
    let marked: Vec<_> = read.incomplete.iter().map(|mark| mark.section.as_str()).collect();
    assert_eq!(marked, ["endpoints", "assets"]);
}

#[test]
fn a_failure_other_than_a_refusal_stops_the_read() {
    let folder = tempfile::tempdir().unwrap();
    let given = folder.path().join("given");
    fs::write(&given, "{}").unwrap();
    let (_tenant, client) = start(&given);
    let (id, gone) = generate(&client, "Instance Administrator");
    assert!(gone.call(Method::Get, "/platform/iam/v1/user", None).is_ok());
    client.delete_keys(&[KeyId::new(id).unwrap()]).unwrap();
    assert_eq!(gone.inventory().unwrap_err().status(), Some(401));
}
