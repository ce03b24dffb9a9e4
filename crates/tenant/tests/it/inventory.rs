//! The objects that scopes can name: changed through calls, loaded from a file, and stored.

use cortexkey_core::auth::Level;
use cortexkey_tenant::{StartError, Tenant};
use serde_json::{Value, json};

use crate::common::{Fixture, start};

const GROUPS: &str = "/public_api/v1/asset-groups";

fn predicate(field: &str, value: &str) -> Value {
    json!({ "AND": [{ "SEARCH_FIELD": field, "SEARCH_TYPE": "EQ", "SEARCH_VALUE": value }] })
}

/// Sends a body unchanged: in the description, these calls have no `request_data`.
fn post(f: &Fixture, path: &str, body: &Value) -> (u16, Value) {
    let answer = f.send(&f.sign(&f.advanced()), path, &body.to_string());
    (answer.status, answer.json()["reply"].clone())
}

/// The names of the assets in a group.
fn members(f: &Fixture, id: u64) -> Vec<String> {
    let filter =
        json!({ "SEARCH_FIELD": "xdm.asset.group_ids", "SEARCH_TYPE": "EQ", "SEARCH_VALUE": id });
    let (status, reply) =
        post(f, "/public_api/v1/assets", &json!({ "filters": { "AND": [filter] } }));
    assert_eq!(status, 200, "{reply}");
    let assets = reply["data"].as_array().unwrap();
    assets.iter().map(|asset| asset["xdm.asset.name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn an_asset_group_is_created_scoped_changed_and_deleted() {
    let f = start(|options| options.enforce_scopes = true);
    let open = json!({ "request_data": {
        "assets": { "mode": "see_all" }, "cases_issues": { "mode": "see_all" },
        "endpoints": { "endpoint_groups": { "mode": "see_all" }, "endpoint_tags": { "mode": "see_all" } },
    } });
    f.put(&f.sign(&f.advanced()), "/platform/iam/v1/scope/api-key/2", &open);
    let group = json!({ "asset_group": {
        "group_name": "data", "group_type": "Dynamic",
        "membership_predicate": predicate("xdm.asset.type.class", "Data"),
    } });
    let (status, reply) = post(&f, &format!("{GROUPS}/create"), &group);
    assert_eq!((status, &reply["data"]["success"]), (200, &json!(true)), "{reply}");
    let id = reply["data"]["asset_group_id"].as_u64().unwrap();
    assert_eq!(id, 20);
    assert_eq!(members(&f, id), ["bucket-eu", "unsorted"]);

    let key = json!({ "roles": ["Viewer"], "security_level": "standard" });
    let key = f.generate(&key, Level::Standard);
    let mut scope = open;
    scope["request_data"]["assets"] = json!({ "mode": "scope", "asset_group_ids": [id] });
    let put = f.put(&f.sign(&f.advanced()), "/platform/iam/v1/scope/api-key/3", &scope);
    assert_eq!(put.status, 200, "{}", put.body);
    let seen = || {
        let reply = f.call(&key, "/public_api/v1/assets", &json!({})).json();
        reply["reply"]["metadata"]["total_count"].clone()
    };
    assert_eq!(seen(), 2);
    let (_, list) = post(&f, GROUPS, &json!({ "search_from": 4, "search_to": 5 }));
    assert_eq!(list["data"][0]["IS_USED_BY_SBAC"], true);

    let update = json!({ "asset_group": {
        "membership_predicate": predicate("xdm.asset.name", "unsorted"), "group_description": "d",
    } });
    assert_eq!(post(&f, &format!("{GROUPS}/update/{id}"), &update).0, 200);
    assert_eq!(members(&f, id), ["unsorted"]);
    assert_eq!(seen(), 1, "a scope holds for what its group holds now");
    let again = f.put(&f.sign(&f.advanced()), "/platform/iam/v1/scope/api-key/3", &scope);
    assert_eq!(again.status, 400, "built from a name, which no scope takes");

    assert_eq!(post(&f, &format!("{GROUPS}/delete/{id}"), &json!({})).0, 500, "it is in use");
    scope["request_data"]["assets"] = json!({ "mode": "no_scope" });
    f.put(&f.sign(&f.advanced()), "/platform/iam/v1/scope/api-key/3", &scope);
    let (status, reply) = post(&f, &format!("{GROUPS}/delete/{id}"), &json!({}));
    assert_eq!((status, reply), (200, json!({ "data": { "success": true } })));
    assert_eq!(post(&f, &format!("{GROUPS}/delete/{id}"), &json!({})).0, 500);
    let (_, reply) = post(&f, &format!("{GROUPS}/create"), &group);
    assert_eq!(reply["data"]["asset_group_id"], 21, "an id is never given twice");
}

#[test]
fn asset_groups_that_are_invalid_are_refused() {
    let f = start(|_| {});
    let group = |name: &str, predicate: Value| {
        json!({ "asset_group": {
            "group_name": name, "group_type": "Dynamic", "membership_predicate": predicate,
        } })
    };
    for body in [
        group("", predicate("xdm.asset.tags", "x")),
        group("prod-eu", predicate("xdm.asset.tags", "x")),
        group("a", predicate("xdm.asset.colour", "x")),
        group("a", Value::Null),
        json!({ "asset_group": { "group_name": "a", "group_type": "Other" } }),
        json!({}),
    ] {
        assert_eq!(post(&f, &format!("{GROUPS}/create"), &body).0, 500, "{body}");
    }
    assert_eq!(post(&f, &format!("{GROUPS}/update/99"), &group("a", Value::Null)).0, 500);
}

#[test]
fn agents_report_and_licences_are_returned() {
    let f = start(|_| {});
    let reports = |request: Value| {
        let answer = f.call(&f.advanced(), "/public_api/v1/audits/agents_reports", &request);
        (answer.status, answer.json()["reply"]["total_count"].clone())
    };
    assert_eq!(reports(json!({})), (200, json!(5)));
    let domain = json!([{ "field": "domain", "operator": "in", "value": ["WORKGROUP"] }]);
    let sort = json!({ "field": "timestamp", "keyword": "asc" });
    assert_eq!(reports(json!({ "filters": domain, "sort": sort })), (200, json!(5)));
    let one = json!([{ "field": "endpoint_id", "operator": "in", "value": ["agent-2"] }]);
    assert_eq!(reports(json!({ "filters": one })), (200, json!(1)));
    assert_eq!(reports(json!({ "search_to": 101 })).0, 500);
    let (status, info) = post(&f, "/public_api/v1/system/get_tenant_info", &json!({}));
    assert_eq!((status, &info["installed_prevent"]), (200, &json!(5)));
}

#[test]
fn issues_name_their_findings_and_agents() {
    let f = start(|_| {});
    let search = |request: Value| {
        f.call(&f.advanced(), "/public_api/v1/issue/search", &request).json()["reply"]["DATA"]
            .clone()
    };
    let filter = json!([{ "field": "id", "operator": "in", "value": [103] }]);
    let plain = search(json!({ "filters": filter }));
    assert_eq!(plain[0].get("normalized_fields"), None);
    let both = search(json!({ "filters": filter, "include_fields": ["normalized_fields"] }));
    assert_eq!(
        both[0]["normalized_fields"],
        json!({ "xdm.source.agent.identifier": "agent-3", "xdm.target.agent.identifier": "agent-4" })
    );
    let filter = json!([{ "field": "issue_domain", "operator": "in", "value": ["Posture"] }]);
    let found = search(json!({ "filters": filter }));
    assert_eq!(found[0]["finding_ids"], json!(["finding-2"]));
}

#[test]
fn an_organisations_own_inventory_is_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("inventory.json");
    let inventory = json!({
        "domains": ["Security", "Finance"],
        "assetGroups": [{
            "XDM.ASSET_GROUP.ID": 7, "XDM.ASSET_GROUP.NAME": "vault", "XDM.ASSET_GROUP.TYPE": "Dynamic",
            "XDM.ASSET_GROUP.MEMBERSHIP_PREDICATE": predicate("xdm.asset.tags", "vault"),
        }],
        "endpoints": [{ "endpoint_id": "e1", "group_name": ["tills"], "tags": { "server_tags": ["pci"] } }],
        "assets": [
            { "xdm.asset.id": "a1", "xdm.asset.name": "till", "xdm.asset.tags": ["vault"], "xdm.asset.agent_id": "e1" },
            { "xdm.asset.id": "a2", "xdm.asset.name": "door", "xdm.asset.group_ids": [7] },
        ],
        "users": [{ "user_email": "a@b.example", "role_name": "Viewer" }],
    });
    std::fs::write(&path, inventory.to_string()).unwrap();
    let f = start(|options| options.inventory = Some(path.clone()));
    assert_eq!(members(&f, 7), ["till", "door"]);
    let scope = |domain: &str| {
        json!({ "request_data": {
        "assets": { "mode": "scope", "asset_group_ids": [7] },
        "cases_issues": { "mode": "scope", "names": [domain] },
        "endpoints": { "endpoint_groups": { "mode": "scope", "names": ["tills"] },
            "endpoint_tags": { "mode": "scope", "names": ["pci"] } },
    } })
    };
    let put = |domain: &str| {
        f.put(&f.sign(&f.advanced()), "/platform/iam/v1/scope/user/a@b.example", &scope(domain))
            .status
    };
    assert_eq!((put("Finance"), put("IT")), (200, 400));

    for broken in ["{", r#"{"assets":[{}]}"#, r#"{"colours":[]}"#] {
        std::fs::write(&path, broken).unwrap();
        let options =
            cortexkey_tenant::Options { inventory: Some(path.clone()), ..Default::default() };
        let error = Tenant::start(options).unwrap_err();
        assert!(matches!(error, StartError::Inventory(_)), "{error}");
    }
}

#[test]
fn changes_survive_a_restart_and_a_file_replaces_them() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let run = |inventory: Option<std::path::PathBuf>| {
        start(|options| {
            options.data = Some(data.clone());
            options.new_admin_keys = cortexkey_tenant::NewAdminKeys::Always;
            options.inventory = inventory;
        })
    };
    let group = |name: &str| {
        json!({ "asset_group": {
        "group_name": name, "membership_predicate": predicate("xdm.asset.tags", "dev"),
    } })
    };
    let names = |f: &Fixture| -> Vec<String> {
        let (_, reply) = post(f, GROUPS, &json!({}));
        let groups = reply["data"].as_array().unwrap();
        groups.iter().map(|g| g["XDM.ASSET_GROUP.NAME"].as_str().unwrap().to_owned()).collect()
    };
    let users = |f: &Fixture| f.get(&f.sign(&f.standard()), "/platform/iam/v1/user-group").json();
    {
        let f = run(None);
        assert_eq!(post(&f, &format!("{GROUPS}/create"), &group("mine")).0, 200);
        assert_eq!(post(&f, &format!("{GROUPS}/delete/19"), &json!({})).0, 200);
        let made =
            f.call(&f.standard(), "/platform/iam/v1/user-group", &json!({ "group_name": "g" }));
        assert_eq!(made.status, 201);
        let rule = json!({ "name": "r", "forward_type": "audit" });
        assert_eq!(f.call(&f.standard(), "/platform/notifications/v1/rule", &rule).status, 201);
    }
    {
        let f = run(None);
        assert_eq!(names(&f), ["prod-eu", "prod-us", "dev", "mine"]);
        assert_eq!(members(&f, 20), ["laptop-3"]);
        assert_eq!(users(&f)["metadata"]["total_count"], 3);
        let rules = f.get(&f.sign(&f.standard()), "/platform/notifications/v1/list-rules").json();
        assert_eq!(rules["metadata"]["total_count"], 1);
    }
    let path = folder.path().join("inventory.json");
    std::fs::write(&path, "{}").unwrap();
    let f = run(Some(path));
    assert_eq!(names(&f), [""; 0]);
    assert_eq!(users(&f)["metadata"]["total_count"], 0);
}
