//! The platform's own calls: one key, roles, and the audit log entries of all of them.

use cortexkey_core::auth::{Key, Level, Signer};
use cortexkey_tenant::EditRoles;
use serde_json::{Value, json};

use crate::common::{DELETE, Fixture, GENERATE, LIST, NOW_MS, VALIDATE, start};

const KEY: &str = "/platform/iam/v1/api-key";
const ROLE: &str = "/platform/iam/v1/role";
const AUDITS: &str = "/public_api/v1/audits/management_logs";
const GROUPS: &str = "/public_api/v1/asset-groups";

/// Edits a key, with roles by their display names, which are looked up.
fn edit(f: &Fixture, signer: &Signer, id: u64, request: &Value) -> (u16, Value) {
    let list = f.get(&f.sign(&f.advanced()), ROLE).json();
    let mut request = request.clone();
    let roles = request.get_mut("roles").and_then(Value::as_array_mut);
    for named in roles.into_iter().flatten() {
        let known = list["data"].as_array().unwrap().iter().find(|r| r["pretty_name"] == *named);
        if let Some(role) = known {
            *named = role["role_id"].clone();
        }
    }
    edit_as_it_is(f, signer, id, &request)
}

fn edit_as_it_is(f: &Fixture, signer: &Signer, id: u64, request: &Value) -> (u16, Value) {
    let body = json!({ "request_data": request });
    let answer = f.put(&f.sign(signer), &format!("{KEY}/{id}"), &body);
    (answer.status, answer.json())
}

/// A role with these permissions, by their names in the API; its id.
fn make_role(f: &Fixture, name: &str, permissions: &Value) -> String {
    let request = json!({ "pretty_name": name, "component_permissions": permissions });
    let answer = f.call(&f.advanced(), ROLE, &request);
    assert_eq!(answer.status, 201, "{}", answer.body);
    let message = answer.json()["data"]["message"].as_str().unwrap().to_owned();
    cortexkey_api::role::created_id(&message).unwrap().to_owned()
}

#[test]
fn a_key_is_read_and_edited_but_not_prolonged() {
    let f = start(|options| options.explain = true);
    let request = json!({ "roles": ["Viewer"], "security_level": "standard", "comment": "ci" });
    let made = f.generate(&request, Level::Standard);
    let id = made.key_id().get();
    let read = || f.get(&f.sign(&f.advanced()), &format!("{KEY}/{id}/")).json()["data"].clone();
    let before = read();
    assert_eq!(before["comment"], "ci");
    let listed = f.call(
        &f.advanced(),
        LIST,
        &json!({ "filters": [
        { "field": "id", "operator": "in", "value": [id] } ] }),
    );
    assert_eq!(listed.json()["reply"]["DATA"][0], before, "one record, wherever it is shown");

    let request = json!({ "roles": ["Responder"], "security_level": "standard" });
    let (status, said) = edit(&f, &f.advanced(), id, &request);
    assert_eq!((status, &said["data"]["message"]), (200, &json!("API key updated successfully")));
    let after = read();
    assert_eq!((&after["roles"], &after["comment"]), (&json!(["Responder"]), &json!("ci")));
    assert_eq!(after["expiration"], before["expiration"]);

    let request = json!({ "roles": ["Viewer"], "security_level": "standard", "comment": null });
    assert_eq!(edit(&f, &f.advanced(), id, &request).0, 200);
    assert_eq!(read()["comment"], Value::Null);

    for (request, said) in [
        (
            json!({ "roles": ["Viewer"], "security_level": "standard", "expiration": NOW_MS }),
            "unknown field",
        ),
        (json!({ "roles": [], "security_level": "standard" }), "roles param is missing"),
        (json!({ "roles": ["nobody"], "security_level": "standard" }), "Unknown custom roles"),
        (json!({ "security_level": "standard" }), "missing field"),
    ] {
        let (status, body) = edit(&f, &f.advanced(), id, &request);
        assert_eq!(
            (status, &body["data"]["metadata"]["err_code"]),
            (400, &json!(400)),
            "{request}"
        );
        assert!(body.to_string().contains(said), "{body}");
    }
    let said = |answer: &Value| {
        let error = &answer["data"];
        assert_eq!(error["err_msg"], "The request contains invalid or missing parameters.");
        error["metadata"]["err_extra"].as_str().unwrap().to_owned()
    };
    for id in ["0", "99", "x", "+3", "003", "%33%20"] {
        let body = json!({ "request_data": request });
        let answer = f.put(&f.sign(&f.advanced()), &format!("{KEY}/{id}"), &body);
        assert_eq!((answer.status, &*said(&answer.json())), (400, "Invalid api_key_id"), "{id}");
    }
    let answer = f.get(&f.sign(&f.advanced()), &format!("{KEY}/99"));
    assert_eq!(answer.status, 400);
    assert_eq!(said(&answer.json()), "Api Key fetch failed: api_key_id does not exist, id=99.");
    assert_eq!(f.get(&f.sign(&f.advanced()), &format!("{KEY}/x")).status, 400);
    let beside = json!({ "request_data": request, "expiration": NOW_MS });
    assert_eq!(f.put(&f.sign(&f.advanced()), &format!("{KEY}/{id}"), &beside).status, 400);
}

#[test]
fn roles_are_edited_by_id_or_name_but_never_both() {
    let request = |role: &str| json!({ "roles": [role], "security_level": "advanced" });
    for by in [EditRoles::Id, EditRoles::Name] {
        let f = start(|options| options.edit_roles = by);
        let made = f.generate(&request("Viewer"), Level::Advanced).key_id().get();
        let custom = make_role(&f, "Key maker", &json!(["public_api_action"]));
        let list = f.get(&f.sign(&f.advanced()), ROLE).json();
        let roles = list["data"].as_array().unwrap();
        let id = |name: &str| {
            let role = roles.iter().find(|role| role["pretty_name"] == name).unwrap();
            role["role_id"].as_str().unwrap().to_owned()
        };
        assert_eq!(id("Key maker"), custom);
        for role in roles {
            let name = &role["pretty_name"];
            let id = role["role_id"].as_str().unwrap();
            let letters = name.as_str().unwrap().to_lowercase().replace(' ', "_");
            assert!(!id.contains(&letters), "{id} resembles {name}");
        }
        for name in ["Responder", "Key maker", "Viewer"] {
            let (by_id, by_name) = match by {
                EditRoles::Id => (200, 400),
                EditRoles::Name => (400, 200),
            };
            let (status, said) = edit_as_it_is(&f, &f.advanced(), made, &request(&id(name)));
            assert_eq!(status, by_id, "{said}");
            let (status, said) = edit_as_it_is(&f, &f.advanced(), made, &request(name));
            assert_eq!(status, by_name, "{said}");
            let key = f.get(&f.sign(&f.advanced()), &format!("{KEY}/{made}")).json();
            assert_eq!(key["data"]["roles"], json!([name]), "read by display names");
        }
    }
}

#[test]
fn one_key_needs_access_management_and_the_list_public_api() {
    let f = start(|_| {});
    make_role(&f, "Keys", &json!(["public_api_action"]));
    make_role(&f, "Access", &json!(["access_management_action"]));
    let make = |role: &str| {
        f.generate(&json!({ "roles": [role], "security_level": "advanced" }), Level::Advanced)
    };
    let keys = make("Keys");
    let access = make("Access");
    let viewer = json!({ "roles": ["Viewer"], "security_level": "advanced" });
    let one = |signer: &Signer| f.get(&f.sign(signer), &format!("{KEY}/3")).status;
    assert_eq!((one(&keys), one(&access)), (403, 200));
    assert_eq!((edit(&f, &keys, 3, &viewer).0, edit(&f, &access, 3, &viewer).0), (403, 200));
    let list = |signer: &Signer| f.call(signer, LIST, &json!({})).status;
    assert_eq!((list(&make("Keys")), list(&access)), (200, 403));
}

#[test]
fn changing_the_level_breaks_one_client_and_fixes_another() {
    let f = start(|options| options.explain = true);
    let request = json!({ "roles": ["Viewer"], "security_level": "standard" });
    let answer = f.call(&f.advanced(), GENERATE, &request).json();
    let key = Key::new(answer["reply"]["key"].as_str().unwrap().as_bytes()).unwrap();
    let id = cortexkey_core::auth::KeyId::new(3).unwrap();
    let ping = |level| {
        let answer = f.send(&f.sign(&Signer::new(id, level, key)), VALIDATE, "{}");
        answer.header("x-cortexkey-verdict").unwrap().to_owned()
    };
    assert_eq!(ping(Level::Standard), "accept");
    assert_eq!(ping(Level::Advanced), "level-mismatch");
    let request = json!({ "roles": ["Viewer"], "security_level": "advanced" });
    assert_eq!(edit(&f, &f.advanced(), 3, &request).0, 200);
    assert_eq!(ping(Level::Standard), "level-mismatch");
    assert_eq!(ping(Level::Advanced), "accept");
}

#[test]
fn a_role_is_created_used_and_deleted() {
    let f = start(|_| {});
    let id = make_role(&f, "Key maker", &json!(["public_api_action", "access_management_view"]));
    let role = |f: &Fixture| {
        let list = f.get(&f.sign(&f.advanced()), ROLE).json();
        let all = list["data"].as_array().unwrap().clone();
        assert_eq!(list["metadata"]["total_count"], all.len());
        all.into_iter().find(|role| role["role_id"] == *id)
    };
    assert_eq!(
        role(&f).unwrap(),
        json!({
            "role_id": id, "pretty_name": "Key maker", "description": null, "is_custom": true,
            "created_by": "Public API - 2", "created_ts": NOW_MS, "updated_ts": NOW_MS,
        })
    );
    let request = json!({ "roles": ["Key maker", "Viewer"], "security_level": "advanced" });
    let maker = f.generate(&request, Level::Advanced);
    let viewer = json!({ "roles": ["Viewer"], "security_level": "standard" });
    assert_eq!(f.call(&maker, GENERATE, &viewer).status, 200);
    assert_eq!(f.get(&f.sign(&maker), ROLE).status, 200);
    assert_eq!(f.get(&f.sign(&maker), &format!("{ROLE}/permission-config/")).status, 200);
    // It may view roles, but not change them.
    let refused = f.delete(&f.sign(&maker), &format!("{ROLE}/{id}"));
    assert_eq!(refused.status, 403);
    assert_eq!(
        refused.json(),
        json!({ "data": { "reply": {
            "err_code": 403,
            "err_msg": "Forbidden. Access was denied to this resource.",
            "err_extra": "Insufficient permissions for api key",
        } } })
    );

    assert_eq!(f.delete(&f.sign(&f.advanced()), &format!("{ROLE}/{id}")).status, 200);
    assert!(role(&f).is_none());
    assert_eq!(f.call(&maker, GENERATE, &viewer).status, 403, "the role was all that let it");
    // A role of the same name is another role.
    make_role(&f, "Key maker", &json!(["public_api_action"]));
    assert_eq!(f.call(&maker, GENERATE, &viewer).status, 403);
    let again = f.delete(&f.sign(&f.advanced()), &format!("{ROLE}/{id}"));
    assert_eq!(again.status, 400);
    assert_eq!(again.json()["data"]["metadata"]["err_extra"], "Role name provided is not valid");
}

#[test]
fn invalid_roles_are_refused_with_the_reason() {
    let f = start(|_| {});
    for (request, said) in [
        (json!({ "pretty_name": "A", "component_permissions": [] }), "1 to 500 permissions"),
        (
            json!({ "pretty_name": "A", "component_permissions": ["auditing_view", "x"] }),
            "permission 2",
        ),
        (
            json!({ "pretty_name": "A", "component_permissions": ["auditing_action"] }),
            "permission 1",
        ),
        (json!({ "pretty_name": " ", "component_permissions": ["auditing_view"] }), "1 to 100"),
        (
            json!({ "pretty_name": "viewer", "component_permissions": ["auditing_view"] }),
            "The role name viewer is already utilized by another role.",
        ),
        (json!({ "component_permissions": ["auditing_view"] }), "missing field"),
    ] {
        let answer = f.call(&f.advanced(), ROLE, &request);
        assert_eq!(answer.status, 400, "{request}");
        assert!(answer.body.contains(said), "{}", answer.body);
    }
    let roles = f.get(&f.sign(&f.advanced()), ROLE).json();
    let viewer = roles["data"].as_array().unwrap().iter().find(|r| r["pretty_name"] == "Viewer");
    let id = viewer.unwrap()["role_id"].as_str().unwrap();
    let answer = f.delete(&f.sign(&f.advanced()), &format!("{ROLE}/{id}"));
    assert_eq!(answer.status, 400, "{}", answer.body);
    let why = "Non-custom and account-level roles cannot be deleted.";
    assert_eq!(answer.json()["data"]["metadata"]["err_extra"], why);
}

#[test]
fn only_administrators_assign_their_role_in_every_call() {
    let f = start(|_| {});
    make_role(&f, "Manager", &json!(["public_api_action", "access_management_action"]));
    let make = |role: &str| {
        let request = json!({ "roles": [role], "security_level": "advanced" });
        f.generate(&request, Level::Advanced)
    };
    let manager = make("Manager");
    let victim = make("Viewer");
    let victim = victim.key_id().get();
    let admin = json!({ "roles": ["Instance Administrator"], "security_level": "advanced" });
    let viewer = json!({ "roles": ["Viewer"], "security_level": "advanced" });
    assert_eq!(edit(&f, &manager, victim, &viewer).0, 200);
    assert_eq!(edit(&f, &manager, victim, &admin).0, 403, "given");
    assert_eq!(edit(&f, &manager, 1, &viewer).0, 403, "taken");
    assert_eq!(f.call(&manager, GENERATE, &admin).status, 403, "made");
    let delete =
        |id: u64| json!({ "filters": [{ "field": "id", "operator": "in", "value": [id] }] });
    assert_eq!(f.call(&manager, DELETE, &delete(1)).status, 403, "deleted");
    let scope = json!({ "request_data": {
        "assets": { "mode": "see_all", "asset_group_ids": [] },
        "cases_issues": { "mode": "see_all", "names": [] },
        "endpoints": { "endpoint_groups": { "mode": "see_all", "names": [] },
            "endpoint_tags": { "mode": "see_all", "names": [] } },
        "datasets_rows": null,
    } });
    let put = |id: u64| {
        let path = format!("/platform/iam/v1/scope/api-key/{id}");
        f.put(&f.sign(&manager), &path, &scope).status
    };
    assert_eq!((put(1), put(victim)), (403, 200), "scoped");
}

#[test]
fn the_audit_log_records_who_did_what() {
    let f = start(|_| {});
    let viewer = json!({ "roles": ["Viewer"], "security_level": "advanced" });
    let made = f.generate(&viewer, Level::Advanced);
    f.clock.advance(1000);
    assert_eq!(f.call(&made, GENERATE, &viewer).status, 403);
    let role = make_role(&f, "R", &json!(["auditing_view"]));
    f.delete(&f.sign(&f.advanced()), &format!("{ROLE}/{role}"));
    edit(&f, &f.advanced(), 3, &viewer);
    let delete = json!({ "filters": [{ "field": "id", "operator": "in", "value": [3] }] });
    // The viewer reads the log before the key is deleted.
    let log = |filters: Value| {
        let answer = f.call(&f.standard(), AUDITS, &json!({ "filters": filters }));
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()["reply"].clone()
    };
    assert_eq!(f.call(&made, AUDITS, &json!({})).status, 200);
    f.call(&f.advanced(), DELETE, &delete);
    let all = log(json!([]));
    assert_eq!((&all["total_count"], &all["result_count"]), (&json!(6), &json!(6)));
    let subtypes: Vec<_> = all["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            (
                entry["AUDIT_ENTITY_SUBTYPE"].as_str().unwrap(),
                entry["AUDIT_RESULT"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        subtypes,
        [
            ("Delete", "SUCCESS"),
            ("Edit", "SUCCESS"),
            ("Role Delete", "SUCCESS"),
            ("Role Create", "SUCCESS"),
            ("Generate", "FAIL"),
            ("Generate", "SUCCESS"),
        ],
        "the latest first"
    );
    let by = |field: &str, operator: &str, value: Value| {
        let filter = json!([{ "field": field, "operator": operator, "value": value }]);
        log(filter)["total_count"].clone()
    };
    assert_eq!(by("result", "in", json!(["fail"])), 1);
    assert_eq!(by("type", "in", json!(["PERMISSIONS"])), 2);
    assert_eq!(by("type", "in", json!(["API_KEY"])), 4);
    for keyword in ["asc", "ASC"] {
        let sort = json!({ "sort": { "field": "sub-type", "keyword": keyword } });
        let reply = f.call(&f.standard(), AUDITS, &sort).json()["reply"].clone();
        assert_eq!(reply["data"][0]["AUDIT_ENTITY_SUBTYPE"], "Delete");
    }
    assert_eq!(by("timestamp", "lte", json!(NOW_MS)), 1);
    assert_eq!(by("email", "in", json!(["N/A"])), 6);
    let names = |name: &str| {
        let owner = |entry: &&Value| entry["AUDIT_OWNER_NAME"] == name;
        all["data"].as_array().unwrap().iter().filter(owner).count()
    };
    assert_eq!((names("Public API - 2"), names("Public API - 3")), (5, 1));
    for request in [
        json!({ "filters": [{ "field": "name", "operator": "in", "value": [1] }] }),
        json!({ "filters": [{ "field": "email", "operator": "eq", "value": "N/A" }] }),
        json!({ "search_from": 0, "search_to": 101 }),
        json!({ "search_from": 5, "search_to": 5 }),
    ] {
        assert_eq!(f.call(&f.standard(), AUDITS, &request).status, 500, "{request}");
    }
}

#[test]
fn asset_groups_show_their_filter_and_use_in_scopes() {
    let f = start(|_| {});
    let groups = |request: Value| f.call(&f.advanced(), GROUPS, &request).json()["reply"].clone();
    let all = groups(json!({}));
    assert_eq!(all["metadata"]["filter_count"], 4);
    assert!(all["data"].as_array().unwrap().iter().all(|group| group["IS_USED_BY_SBAC"] == false));
    let scope = json!({ "request_data": {
        "assets": { "mode": "scope", "asset_group_ids": [17] },
        "cases_issues": { "mode": "no_scope" },
        "endpoints": { "endpoint_groups": { "mode": "no_scope" }, "endpoint_tags": { "mode": "no_scope" } },
    } });
    f.put(&f.sign(&f.advanced()), "/platform/iam/v1/scope/api-key/1", &scope);
    let one = groups(json!({ "filters": { "AND": [
        { "SEARCH_FIELD": "XDM.ASSET_GROUP.NAME", "SEARCH_TYPE": "EQ", "SEARCH_VALUE": "prod-us" },
    ] }, "search_from": 0, "search_to": 10 }));
    assert_eq!(one["metadata"]["filter_count"], 1);
    let group = &one["data"][0];
    assert_eq!(
        (&group["XDM.ASSET_GROUP.ID"], &group["IS_USED_BY_SBAC"]),
        (&json!(17), &json!(true))
    );
    assert_eq!(
        group["XDM.ASSET_GROUP.MEMBERSHIP_PREDICATE"]["AND"][0]["SEARCH_FIELD"],
        "xdm.asset.tags"
    );
    let last = groups(
        json!({ "sort": [{ "FIELD": "XDM.ASSET_GROUP.ID", "ORDER": "DESC" }], "search_to": 1 }),
    );
    assert_eq!(last["data"][0]["XDM.ASSET_GROUP.ID"], 19);
    for filters in [
        json!({ "AND": [{ "SEARCH_FIELD": "x", "SEARCH_TYPE": "EQ", "SEARCH_VALUE": 1 }] }),
        json!({ "NOT": [] }),
        json!({ "OR": [{ "SEARCH_FIELD": "XDM.ASSET_GROUP.ID", "SEARCH_TYPE": "NEAR" }] }),
    ] {
        assert_eq!(
            f.call(&f.advanced(), GROUPS, &json!({ "filters": filters })).status,
            500,
            "{filters}"
        );
    }
}

#[test]
fn unknown_calls_are_refused_in_the_form_of_their_part_of_the_product() {
    let f = start(|_| {});
    for (path, place) in [
        ("/public_api/v1/nothing", "/reply/err_code"),
        ("/platform/iam/v1/nothing", "/data/metadata/err_code"),
        ("/public_api/appsec/v1/nothing", "/errorCode"),
    ] {
        let answer = f.get(&f.sign(&f.advanced()), path);
        assert_eq!(
            (answer.status, answer.json().pointer(place)),
            (404, Some(&json!(404))),
            "{path}"
        );
    }
}

#[test]
fn a_path_that_is_not_utf_8_is_refused_as_the_product_does() {
    let f = start(|_| {});
    for path in ["/platform/iam/v1/scope/api-key/%ff", "/platform/iam/v1/api-key/%ff"] {
        let answer = f.get(&f.sign(&f.advanced()), path);
        assert_eq!(
            (answer.status, &answer.json()["data"]["metadata"]["err_code"]),
            (400, &json!(400))
        );
    }
    let answer = f.get(&f.sign(&f.advanced()), "/public_api/v1/assets/%ff");
    assert_eq!((answer.status, &answer.json()["reply"]["err_code"]), (404, &json!(404)));
}
