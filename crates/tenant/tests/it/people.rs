//! Users and user groups, through the platform's own calls and through `rbac`, and their scopes.

use cortexkey_core::access::Permission;
use cortexkey_core::auth::Level;
use cortexkey_tenant::CustomRole;
use serde_json::{Value, json};

use crate::common::{Answer, Fixture, start};

const USER: &str = "/platform/iam/v1/user";
const GROUP: &str = "/platform/iam/v1/user-group";
const ANALYST: &str = "analyst@tenant.example";

fn get(f: &Fixture, path: &str) -> Value {
    let answer = f.get(&f.sign(&f.advanced()), path);
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()["data"].clone()
}

fn patch(f: &Fixture, path: &str, request: &Value) -> Answer {
    f.patch(&f.sign(&f.advanced()), path, &json!({ "request_data": request }))
}

fn role_id(f: &Fixture, name: &str) -> Value {
    let roles = get(f, "/platform/iam/v1/role");
    let role = roles.as_array().unwrap().iter().find(|role| role["pretty_name"] == name);
    role.unwrap()["role_id"].clone()
}

fn rbac(f: &Fixture, call: &str, request: &Value) -> (u16, Value) {
    let answer = f.call(&f.advanced(), &format!("/public_api/v1/rbac/{call}"), request);
    (answer.status, answer.json()["reply"].clone())
}

/// The text of a 400 of the platform's own calls.
fn refused(answer: &Answer) -> String {
    assert_eq!(answer.status, 400, "{}", answer.body);
    let error = answer.json()["data"].clone();
    assert_eq!(error["err_msg"], "The request contains invalid or missing parameters.");
    error["metadata"]["err_extra"].as_str().unwrap().to_owned()
}

#[test]
fn a_user_is_listed_read_and_edited() {
    let f = start(|_| {});
    let users = get(&f, USER);
    assert_eq!(users.as_array().unwrap().len(), 3);
    let analyst = get(&f, &format!("{USER}/{ANALYST}"));
    assert_eq!(users[1], analyst);
    assert_eq!(
        (&analyst["role_name"], &analyst["status"]),
        (&json!("Investigator"), &json!("Active"))
    );
    assert_eq!(analyst["groups"], json!([{ "group_id": "group-1", "group_name": "soc" }]));

    let path = format!("{USER}/{ANALYST}");
    let edit = json!({ "role_id": role_id(&f, "Viewer"), "phone_number": "1", "user_groups": [] });
    let answer = patch(&f, &path, &edit);
    assert_eq!(answer.json(), json!({ "data": { "message": "User updated successfully" } }));
    let after = get(&f, &path);
    assert_eq!((&after["role_name"], &after["groups"]), (&json!("Viewer"), &json!([])));
    assert_eq!(after["user_first_name"], analyst["user_first_name"], "what is not said stays");
    assert_eq!(patch(&f, &path, &json!({ "role_id": "" })).status, 200);
    assert_eq!(get(&f, &path)["role_name"], Value::Null);

    let none = "No update performed. All fields are null or empty.";
    assert_eq!(refused(&patch(&f, &path, &json!({}))), none);
    assert_eq!(refused(&patch(&f, &path, &json!({ "status": null }))), none);
    let no_role = "Role name provided is not valid";
    assert_eq!(refused(&patch(&f, &path, &json!({ "role_id": "Viewer" }))), no_role);
    assert!(refused(&patch(&f, &path, &json!({ "user_groups": ["x"] }))).contains("['x']"));
    assert!(refused(&patch(&f, &path, &json!({ "role": "x" }))).contains("`role`"));
    refused(&patch(&f, &format!("{USER}/nobody@tenant.example"), &json!({ "status": "x" })));
    let nobody = f.get(&f.sign(&f.advanced()), &format!("{USER}/nobody@tenant.example"));
    assert_eq!(nobody.status, 500, "this call has no 400 in the description");
}

#[test]
fn a_user_group_is_created_edited_and_deleted() {
    let f = start(|_| {});
    let create = |request: &Value| f.call(&f.advanced(), GROUP, request);
    let wanted = json!({
        "group_name": "night watch", "role_id": role_id(&f, "Responder"), "users": [ANALYST],
        "nested_group_ids": ["group-2"], "idp_groups": ["idp"], "description": "d",
    });
    let made = create(&wanted);
    assert_eq!(made.status, 201, "{}", made.body);
    let message = made.json()["data"]["message"].as_str().unwrap().to_owned();
    let id = message.split_whitespace().nth(5).unwrap().to_owned();
    assert_eq!(message, format!("user group with group id {id} created successfully"));
    let group = |id: &str| {
        let groups = get(&f, GROUP);
        groups.as_array().unwrap().iter().find(|group| group["group_id"] == id).cloned()
    };
    let seen = group(&id).unwrap();
    assert_eq!(seen["pretty_role_name"], "Responder");
    assert_eq!(seen["role_id"], role_id(&f, "Responder"));
    assert_eq!(seen["users"], json!([ANALYST]));
    assert_eq!(seen["nested_groups"], json!([{ "group_id": "group-2", "group_name": "night" }]));
    assert_eq!(
        (&seen["group_type"], &seen["created_by"]),
        (&json!("custom"), &json!("Public API - 2"))
    );
    let of_user = get(&f, &format!("{USER}/{ANALYST}"));
    assert_eq!(of_user["groups"].as_array().unwrap().len(), 2);

    let path = format!("{GROUP}/{id}");
    assert_eq!(patch(&f, &path, &json!({ "users": [], "description": "" })).status, 200);
    let seen = group(&id).unwrap();
    assert_eq!((&seen["users"], &seen["description"]), (&json!([]), &Value::Null));
    assert_eq!(seen["group_name"], "night watch");

    let taken = "This user group name is already being used in the tenant for soc.";
    assert_eq!(refused(&create(&json!({ "group_name": "soc" }))), taken);
    assert_eq!(refused(&patch(&f, &path, &json!({ "group_name": "soc" }))), taken);
    refused(&create(&json!({ "description": "without a name" })));
    refused(&patch(&f, &path, &json!({ "nested_group_ids": [id] })));
    refused(&patch(&f, &path, &json!({ "users": ["nobody"] })));

    assert_eq!(f.delete(&f.sign(&f.advanced()), &path).status, 200);
    assert!(group(&id).is_none());
    let again = refused(&f.delete(&f.sign(&f.advanced()), &path));
    assert_eq!(again, format!("Could not find group for ['{id}'] in tenant: local"));
}

#[test]
fn rbac_names_the_same_users() {
    let f = start(|_| {});
    let (_, users) = rbac(&f, "get_users", &json!({}));
    assert_eq!(users[1]["user_email"], ANALYST);
    let two =
        json!({ "user_emails": [ANALYST, "viewer@tenant.example"], "role_name": "Responder" });
    assert_eq!(rbac(&f, "set_user_role", &two), (200, json!({ "update_count": "2" })));
    let (_, roles) = rbac(&f, "get_roles", &json!({ "role_names": ["Responder", "Viewer"] }));
    assert_eq!(roles[0][0]["users"], two["user_emails"]);
    assert_eq!(roles[1][0]["pretty_name"], "Viewer");
    assert!(roles[1][0]["permissions"].as_array().unwrap().contains(&json!("Public API")));
    let (_, groups) = rbac(&f, "get_user_group", &json!({ "group_names": ["soc"] }));
    assert_eq!(groups[0]["user_email"], json!([ANALYST]));
    assert_eq!(groups[0]["pretty_name"], "Investigator");
    let take = json!({ "user_emails": [ANALYST], "role_name": "" });
    assert_eq!(rbac(&f, "set_user_role", &take).0, 200);
    assert_eq!(get(&f, &format!("{USER}/{ANALYST}"))["role_name"], Value::Null);
    for (call, request) in [
        ("get_roles", json!({ "role_names": ["nobody"] })),
        ("get_user_group", json!({ "group_names": ["nobody"] })),
        ("get_user_group", json!({})),
        ("set_user_role", json!({ "user_emails": ["nobody"], "role_name": "Viewer" })),
        ("set_user_role", json!({ "user_emails": [ANALYST], "role_name": "Account Admin" })),
    ] {
        assert_eq!(rbac(&f, call, &request).0, 500, "{call} {request}");
    }
}

#[test]
fn users_and_groups_have_scopes_of_their_own() {
    let f = start(|_| {});
    let scope = json!({
        "assets": { "mode": "scope", "asset_group_ids": [16] },
        "cases_issues": { "mode": "scope", "names": ["Health", "IT"] },
        "endpoints": { "endpoint_groups": { "mode": "see_all" }, "endpoint_tags": { "mode": "see_all" } },
    });
    for (entity, words) in [
        ("user/analyst@tenant.example", "user analyst@tenant.example"),
        ("user-group/group-1", "user group group-1"),
        ("api-key/1", "API key 1"),
    ] {
        let path = format!("/platform/iam/v1/scope/{entity}");
        let answer = f.put(&f.sign(&f.advanced()), &path, &json!({ "request_data": scope }));
        let said = answer.json()["data"]["message"].clone();
        assert_eq!(said, format!("Scope updated for {words} successfully"));
        let read = get(&f, &path);
        let tags = [("DOM:4", "Health"), ("DOM:3", "IT")];
        let tags = tags.map(|(id, name)| json!({ "tag_id": id, "tag_name": name }));
        assert_eq!(read["cases_issues"]["tags"], json!(tags));
    }
    let groups = f.call(&f.advanced(), "/public_api/v1/asset-groups/delete/16", &json!({}));
    assert_eq!(groups.status, 500, "some scope names it");
}

#[test]
fn only_administrators_give_users_their_role() {
    let manager = CustomRole::new("Manager").unwrap().with("Access Management", Permission::Edit);
    let f = start(|options| options.custom_roles.push(manager.unwrap()));
    let request = json!({ "roles": ["Manager"], "security_level": "advanced" });
    let manager = f.generate(&request, Level::Advanced);
    let edit = |email: &str, id: Value| {
        let body = json!({ "request_data": { "role_id": id } });
        f.patch(&f.sign(&manager), &format!("{USER}/{email}"), &body).status
    };
    let viewer = role_id(&f, "Viewer");
    let admin = role_id(&f, "Instance Administrator");
    assert_eq!(edit(ANALYST, viewer.clone()), 200);
    assert_eq!(edit(ANALYST, admin), 403, "given");
    assert_eq!(edit("admin@tenant.example", viewer), 403, "taken");
    let rbac = json!({ "user_emails": [ANALYST], "role_name": "Instance Administrator" });
    assert_eq!(f.call(&manager, "/public_api/v1/rbac/set_user_role", &rbac).status, 403);
}

#[test]
fn a_role_that_a_user_has_is_not_deleted() {
    let f = start(|_| {});
    let request = json!({ "pretty_name": "R", "component_permissions": ["auditing_view"] });
    assert_eq!(f.call(&f.advanced(), "/platform/iam/v1/role", &request).status, 201);
    let id = role_id(&f, "R");
    let path = format!("/platform/iam/v1/role/{}", id.as_str().unwrap());
    assert_eq!(patch(&f, &format!("{USER}/{ANALYST}"), &json!({ "role_id": id })).status, 200);
    let said = refused(&f.delete(&f.sign(&f.advanced()), &path));
    let assigned = "Role name provided is assigned to a user or user group and therefore cannot be";
    assert_eq!(said, format!("{assigned} deleted."));
    assert_eq!(patch(&f, &format!("{USER}/{ANALYST}"), &json!({ "role_id": "" })).status, 200);
    assert_eq!(f.delete(&f.sign(&f.advanced()), &path).status, 200);
}

#[test]
fn a_role_has_datasets_and_actions_below_its_components() {
    let f = start(|_| {});
    let create = |request: Value| f.call(&f.advanced(), "/platform/iam/v1/role", &request);
    let role = |name: &str, permissions: Value, datasets: Value| {
        json!({ "pretty_name": name, "component_permissions": permissions,
            "dataset_permissions": datasets })
    };
    let lookup = json!([{ "category": "Lookup", "access_all": true, "permissions": [] }]);
    assert_eq!(create(role("A", json!(["rules_action"]), lookup)).status, 201);
    let (_, roles) = rbac(&f, "get_roles", &json!({ "role_names": ["A"] }));
    assert_eq!(roles[0][0]["permissions"], json!(["Detection Rules", "Datasets Access Control"]));
    let system = json!([{ "category": "System", "permissions": ["cases"], "access_all": null }]);
    assert_eq!(create(role("B", json!(["dashboard_view"]), system)).status, 201);
    for datasets in [
        json!([{ "category": "Nothing" }]),
        json!([{ "category": "System", "permissions": ["secrets"] }]),
        json!([{ "permissions": [] }]),
        json!([{ "category": "Lookup", "access_all": true, "permissions": ["assets_of_value"] }]),
        json!([{ "category": "Lookup", "all": true }]),
    ] {
        refused(&create(role("C", json!(["rules_action"]), datasets)));
    }
    // An action needs the component that it belongs to.
    refused(&create(role("C", json!(["isolate"]), Value::Null)));
    refused(&create(role("C", json!(["actions_center", "isolate"]), Value::Null)));
    let all = json!(["isolate", "actions_center_action"]);
    assert_eq!(create(role("C", all, Value::Null)).status, 201);
    let config = get(&f, "/platform/iam/v1/role/permission-config");
    assert_eq!(config["datasetGroups"][0]["dataset_category"], "System");
    assert_eq!(
        config["rbac_permissions"][0]["sub_categories"][0]["sub_category_name"],
        Value::Null
    );
}
