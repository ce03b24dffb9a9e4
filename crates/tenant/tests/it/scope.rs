//! Scopes of keys: replaced completely, returned in another form, and refused if they name unknown
//! objects.

use cortexkey_core::auth::Level;
use serde_json::{Value, json};

use crate::common::start;

const SCOPE_1: &str = "/platform/iam/v1/scope/api-key/1";

fn scope() -> Value {
    json!({
        "assets": { "mode": "scope", "asset_group_ids": [16, 17] },
        "cases_issues": {
            "mode": "scope", "names": ["Security"], "include_cases_issues_empty_entities": false,
        },
        "endpoints": {
            "endpoint_groups": { "mode": "scope", "names": ["servers-eu"] },
            "endpoint_tags": { "mode": "any", "names": [] },
        },
    })
}

#[test]
fn a_scope_is_replaced_as_a_whole_and_read_back() {
    let fixture = start(|_| {});
    let admin = fixture.advanced();
    let answer = fixture.get(&fixture.sign(&admin), SCOPE_1);
    // It has no scope, so it would see nothing.
    let none = json!({ "mode": "no_scope", "tags": [] });
    assert_eq!(
        (answer.status, answer.json()),
        (
            200,
            json!({ "data": {
                "assets": { "mode": "no_scope", "asset_groups": [] },
                "cases_issues": none,
                "endpoints": { "endpoint_groups": none, "endpoint_tags": none },
            } })
        )
    );

    let answer = fixture.put(&fixture.sign(&admin), SCOPE_1, &json!({ "request_data": scope() }));
    assert_eq!(answer.status, 200, "{}", answer.body);
    let answer = fixture.get(&fixture.sign(&admin), &format!("{SCOPE_1}/"));
    assert_eq!(
        answer.json(),
        json!({ "data": {
            "assets": { "mode": "scope", "asset_groups": [
                { "asset_group_id": 16, "asset_group_name": "prod-eu" },
                { "asset_group_id": 17, "asset_group_name": "prod-us" },
            ] },
            "cases_issues": {
                "mode": "scope", "tags": [{ "tag_id": "DOM:1", "tag_name": "Security" }],
            },
            "endpoints": {
                "endpoint_groups": {
                    "mode": "scope", "tags": [{ "tag_id": "EG:1", "tag_name": "servers-eu" }],
                },
                "endpoint_tags": {
                    "mode": "any", "tags": [{ "tag_id": null, "tag_name": "Any" }],
                },
            },
        } })
    );
}

#[test]
fn an_unknown_name_is_refused() {
    let fixture = start(|_| {});
    let admin = fixture.advanced();
    for (change, said) in [
        ("/assets/asset_group_ids", "no asset group has the id 99"),
        ("/cases_issues/names", "The scope name nothing does not exist."),
        ("/endpoints/endpoint_groups/names", "The scope name nothing does not exist."),
        ("/assets", "an attribute that scopes do not support"),
        ("/assets/mode", "a selection is valid only with the mode scope"),
        ("/endpoints/endpoint_tags/mode", "the mode scope needs at least one"),
    ] {
        let mut changed = scope();
        *changed.pointer_mut(change).unwrap() = match change {
            "/assets/asset_group_ids" => json!([16, 99]),
            "/assets" => json!({ "mode": "scope", "asset_group_ids": [19] }),
            "/assets/mode" => json!("see_all"),
            "/endpoints/endpoint_tags/mode" => json!("scope"),
            _ => json!(["nothing"]),
        };
        let body = json!({ "request_data": changed });
        let answer = fixture.put(&fixture.sign(&admin), SCOPE_1, &body);
        assert_eq!(answer.status, 400, "{change}");
        let extra = answer.json()["data"]["metadata"]["err_extra"].clone();
        assert!(extra.as_str().unwrap().contains(said), "{change}: {extra}");
    }
    for (path, status) in [
        ("/platform/iam/v1/scope/user/1", 500),
        ("/platform/iam/v1/scope/api-key/99", 500),
        ("/platform/iam/v1/scope/api-key/x", 500),
    ] {
        assert_eq!(fixture.get(&fixture.sign(&admin), path).status, status, "{path}");
    }
    let unknown = json!({ "request_data": { "assets": {} } });
    assert_eq!(fixture.put(&fixture.sign(&admin), SCOPE_1, &unknown).status, 400);
}

#[test]
fn a_key_without_access_management_does_not_touch_scopes() {
    let fixture = start(|_| {});
    let request = json!({ "roles": ["Generic Collector"], "security_level": "advanced" });
    let viewer = fixture.generate(&request, Level::Advanced);
    assert_eq!(fixture.get(&fixture.sign(&viewer), SCOPE_1).status, 403);
    let body = json!({ "request_data": scope() });
    assert_eq!(fixture.put(&fixture.sign(&viewer), SCOPE_1, &body).status, 403);
}

#[test]
fn datasets_are_in_every_put_where_the_tenant_scopes_them() {
    let fixture = start(|options| options.scoped_datasets = true);
    let admin = fixture.advanced();
    let put = |rows: Value| {
        let mut scope = scope();
        if !rows.is_null() {
            scope["datasets_rows"] = rows;
        }
        let body = json!({ "request_data": scope });
        fixture.put(&fixture.sign(&admin), SCOPE_1, &body).status
    };
    let rows = |filter: &str| {
        json!({
            "default_filter_mode": "no_scope",
            "filters": [{ "dataset": "xdr_data", "filter": filter }],
        })
    };
    assert_eq!(put(Value::Null), 400);
    assert_eq!(put(rows("_vendor like x")), 400);
    assert_eq!(put(json!({ "default_filter_mode": "scope", "filters": [] })), 400);
    assert_eq!(put(rows("_vendor = acme")), 200);
    let read = fixture.get(&fixture.sign(&admin), SCOPE_1).json();
    assert_eq!(read["data"]["datasets_rows"], rows("_vendor = acme"));
}
