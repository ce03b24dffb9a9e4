//! Keys: generated, listed, used and deleted.

use cortexkey_core::access::Permission;
use cortexkey_core::auth::{Level, Signer};
use cortexkey_tenant::CustomRole;
use serde_json::{Value, json};

use crate::common::{DELETE, Fixture, GENERATE, LIST, NOW_MS, VALIDATE, start};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

fn ids(f: &Fixture, request_data: &Value) -> Vec<u64> {
    let answer = f.call(&f.standard(), LIST, request_data);
    assert_eq!(answer.status, 200, "{}", answer.body);
    let reply = &answer.json()["reply"];
    reply["DATA"].as_array().unwrap().iter().map(|key| key["id"].as_u64().unwrap()).collect()
}

fn refused(f: &Fixture, signer: &Signer, path: &str, request_data: &Value) -> (u16, Value) {
    let answer = f.call(signer, path, request_data);
    (answer.status, answer.json()["reply"].clone())
}

#[test]
fn a_key_is_generated_used_and_deleted() {
    let f = start(|options| options.explain = true);
    for level in [Level::Standard, Level::Advanced] {
        let request = json!({
            "roles": ["Viewer", "Responder", "Viewer"],
            "security_level": level.as_str(),
            "comment": "for the pipeline",
        });
        let made = f.generate(&request, level);
        assert_eq!(f.send(&f.sign(&made), VALIDATE, "{}").status, 200);
        let id = made.key_id().get();

        let filter = json!({"filters": [{"field": "id", "operator": "in", "value": [id]}]});
        let listed = f.call(&made, LIST, &filter).json();
        assert_eq!(
            listed["reply"]["DATA"],
            json!([{
                "id": id,
                "creation_time": NOW_MS,
                "created_by": "N/A",
                "user_name": "Public API - 2",
                "roles": ["Viewer", "Responder"],
                "security_level": level.as_str(),
                "comment": "for the pipeline",
                "expiration": NOW_MS + 7 * DAY_MS,
            }])
        );

        let deleted = f.call(&f.standard(), DELETE, &filter);
        assert_eq!(deleted.body, r#"{"reply":{"update_count":1}}"#);
        let after = f.send(&f.sign(&made), VALIDATE, "{}");
        assert_eq!((after.status, after.header("x-cortexkey-verdict")), (401, Some("unknown-key")));
        assert_eq!(f.call(&f.standard(), DELETE, &filter).json()["reply"]["update_count"], 0);
    }
}

#[test]
fn an_expired_key_is_refused_and_still_counted() {
    let f = start(|options| options.explain = true);
    let request = json!({"roles": ["Viewer"], "security_level": "advanced",
        "expiration": NOW_MS + 5_000});
    let made = f.generate(&request, Level::Advanced);
    f.clock.set(NOW_MS + 4_999);
    assert_eq!(f.send(&f.sign(&made), VALIDATE, "{}").status, 200);
    f.clock.set(NOW_MS + 5_000);
    let after = f.send(&f.sign(&made), VALIDATE, "{}");
    assert_eq!((after.status, after.header("x-cortexkey-verdict")), (401, Some("key-expired")));
    let listed = f.call(&f.advanced(), LIST, &json!({"filters": []})).json();
    assert_eq!(listed["reply"]["TOTAL_COUNT"], 3);
}

#[test]
fn lists_are_filtered_sorted_and_paged() {
    let f = start(|options| options.custom_roles.push(CustomRole::new("Analyst II").unwrap()));
    for (roles, days) in [(json!(["Viewer"]), 30), (json!(["Analyst II", "Viewer"]), 10)] {
        f.generate(
            &json!({"roles": roles, "security_level": "standard",
                "expiration": NOW_MS + days * DAY_MS}),
            Level::Standard,
        );
    }
    // The latest expiration first by default, and never is the latest.
    assert_eq!(ids(&f, &json!({"filters": []})), [1, 2, 3, 4]);
    assert_eq!(ids(&f, &json!({})), [1, 2, 3, 4]);
    let sort = |field: &str, keyword: &str| json!({"filters": [], "sort": {"field": field, "keyword": keyword}});
    assert_eq!(ids(&f, &sort("expiration", "asc")), [4, 3, 1, 2]);
    assert_eq!(ids(&f, &sort("roles", "asc")), [4, 1, 2, 3]);
    assert_eq!(ids(&f, &json!({"filters": [], "search_from": 1, "search_to": 3})), [2, 3]);
    assert_eq!(ids(&f, &json!({"filters": [], "search_from": 9, "search_to": 99})), [0; 0]);

    let later = json!({"field": "expiration", "operator": "gte", "value": NOW_MS + 10 * DAY_MS});
    let earlier = json!({"field": "expiration", "operator": "lte", "value": NOW_MS + 10 * DAY_MS});
    let viewers = json!({"field": "roles", "operator": "contains", "value": ["Viewer"]});
    assert_eq!(ids(&f, &json!({"filters": [later]})), [3, 4]);
    assert_eq!(ids(&f, &json!({"filters": [later, earlier]})), [4]);
    assert_eq!(ids(&f, &json!({"filters": [viewers]})), [3, 4]);
    let page = f.call(&f.standard(), LIST, &json!({"filters": [viewers], "search_to": 1})).json();
    assert_eq!(page["reply"]["FILTER_COUNT"], 2);
    assert_eq!(page["reply"]["TOTAL_COUNT"], 4);
    assert_eq!(page["reply"]["DATA"].as_array().unwrap().len(), 1);
}

#[test]
fn a_list_needs_no_body_and_is_lower_case_under_agentix() {
    let f = start(|_| {});
    for (path, names) in [
        (LIST, ["DATA", "FILTER_COUNT", "TOTAL_COUNT"]),
        ("/agentix/public/v1/api_keys/get_api_keys", ["data", "filter_count", "total_count"]),
    ] {
        let request = f.agent.post(f.tenant.url().to_owned() + path);
        let headers = f.sign(&f.advanced());
        let request = headers
            .iter()
            .fold(request, |request, (name, value)| request.header(name.as_str(), value.as_str()));
        let mut answer = request.send_empty().unwrap();
        assert_eq!(answer.status(), 200);
        let text = answer.body_mut().read_to_string().unwrap();
        let reply = serde_json::from_str::<Value>(&text).unwrap()["reply"].clone();
        let members: Vec<_> = reply.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(members, names);
        assert_eq!(reply[names[2]], 2);
    }
    let sorted = json!({"filters": [], "sort": {"field": "expiration", "keyword": "ASC"}});
    assert_eq!(ids(&f, &sorted), [1, 2]);
}

#[test]
fn invalid_requests_are_refused_with_the_reason() {
    let f = start(|_| {});
    let advanced = f.advanced();
    let key = |field: &str, value: Value| {
        let mut request = json!({"roles": ["Viewer"], "security_level": "advanced"});
        request[field] = value;
        request
    };
    for (path, request, said) in [
        (GENERATE, json!({"security_level": "advanced"}), "missing field `roles`"),
        (GENERATE, key("roles", json!([])), "roles param is missing"),
        (GENERATE, key("roles", json!(["instance_admin"])), "Unknown custom roles"),
        (GENERATE, key("security_level", json!("high")), "unknown variant `high`"),
        (GENERATE, key("expiration", json!(0)), "must be integer in epoch milliseconds"),
        (GENERATE, key("expiration", json!(1_773_147_108)), "looks like seconds"),
        (GENERATE, key("expiration", json!(NOW_MS)), "in the past"),
        (GENERATE, key("expiration", json!(NOW_MS + 185 * DAY_MS)), "six months"),
        (GENERATE, key("comment", json!("x".repeat(5000))), "comment is too long"),
        (GENERATE, key("comment", json!("a\u{0}b")), "comment has a NUL character"),
        (LIST, json!({"filters": [], "search_to": 0}), "search_to must be greater"),
        (DELETE, json!({"filters": []}), "one filter"),
    ] {
        let (status, reply) = refused(&f, &advanced, path, &request);
        assert_eq!(status, 500, "{request}");
        assert!(reply.to_string().contains(said), "{reply}");
        assert_eq!(reply["err_code"], 500);
    }
    assert_eq!(ids(&f, &json!({"filters": []})), [1, 2], "none of them did anything");
}

#[test]
fn a_list_in_place_of_an_object_is_refused_and_does_nothing() {
    let f = start(|_| {});
    let in_two_days = NOW_MS + 2 * DAY_MS;
    for (path, body) in [
        (GENERATE, json!({"request_data": [["Viewer"], "advanced", in_two_days, "x"]})),
        (GENERATE, json!([[["Viewer"], "advanced", in_two_days, "x"]])),
        (DELETE, json!({"request_data": [[["id", "in", [1]]]]})),
        (DELETE, json!({"request_data": {"filters": [["id", "in", [1]]]}})),
        (LIST, json!({"request_data": {"sort": ["roles", "asc"]}})),
        ("/public_api/v1/audits/management_logs", json!({"request_data": []})),
        ("/public_api/v1/audits/management_logs", json!([])),
        ("/public_api/v1/rbac/get_users", json!([])),
        ("/public_api/v1/system/get_tenant_info", json!([])),
        ("/public_api/v1/asset-groups", json!([])),
    ] {
        let answer = f.send(&f.sign(&f.advanced()), path, &body.to_string());
        assert_eq!(answer.status, 500, "{path} {body} {}", answer.body);
        assert_eq!(answer.json()["reply"]["err_msg"], "Invalid input", "{path} {body}");
    }
    assert_eq!(ids(&f, &json!({"filters": []})), [1, 2]);
}

#[test]
fn a_value_of_another_type_is_not_called_invalid_json() {
    let f = start(|_| {});
    let deep = serde_json::from_str(&format!("{}{}", "[".repeat(100), "]".repeat(100))).unwrap();
    for level in [json!(5), json!(null), json!([]), json!(true), json!({}), deep] {
        let request = json!({"roles": ["Viewer"], "security_level": level});
        let (status, reply) = refused(&f, &f.advanced(), GENERATE, &request);
        assert_eq!((status, &reply["err_msg"]), (500, &json!("Invalid input")), "{request}");
    }
}

#[test]
fn roles_decide_who_manages_keys() {
    let key_maker = CustomRole::new("Key maker").unwrap().with("Public API", Permission::Edit);
    let f = start(|options| {
        options.explain = true;
        options.custom_roles.push(key_maker.unwrap());
    });
    let make = |role: &str| {
        f.generate(&json!({"roles": [role], "security_level": "standard"}), Level::Standard)
    };
    let key_maker = make("Key maker");
    let viewer = make("Viewer");
    let responder = make("Responder");
    let list = json!({"filters": []});
    let viewer_key = json!({"roles": ["Viewer"], "security_level": "advanced"});
    let administrator_key =
        json!({"roles": ["Viewer", "Instance Administrator"], "security_level": "advanced"});
    let delete =
        |id: u64| json!({"filters": [{"field": "id", "operator": "in", "value": [5, id]}]});

    for (signer, path, request, status) in [
        (&responder, LIST, &list, 403),
        (&responder, GENERATE, &viewer_key, 403),
        (&viewer, LIST, &list, 200),
        (&viewer, GENERATE, &viewer_key, 403),
        (&viewer, DELETE, &delete(5), 403),
        (&key_maker, GENERATE, &viewer_key, 200),
        (&key_maker, GENERATE, &administrator_key, 403),
        (&key_maker, DELETE, &delete(1), 403),
        (&key_maker, DELETE, &delete(5), 200),
    ] {
        let answer = f.call(signer, path, request);
        assert_eq!(answer.status, status, "{path} {request} {}", answer.body);
        if status == 403 {
            let reply = &answer.json()["reply"];
            assert_eq!(reply["err_msg"], "Forbidden. Access was denied to this resource.");
            assert_eq!(reply["err_extra"], "Insufficient permissions for api key");
            assert!(answer.header("x-cortexkey-remedy").is_some());
        }
    }
    assert_eq!(f.call(&f.advanced(), GENERATE, &administrator_key).status, 200);
    // Refused calls had no effect, not even the allowed part: keys 1 to 4 and two new ones.
    assert_eq!(ids(&f, &list).len(), 6);
}

#[test]
fn the_number_of_keys_is_limited() {
    let f = start(|options| options.max_keys = 3);
    let request = json!({"roles": ["Viewer"], "security_level": "standard"});
    f.generate(&request, Level::Standard);
    let (status, reply) = refused(&f, &f.advanced(), GENERATE, &request);
    assert_eq!(status, 500);
    assert_eq!(reply["err_msg"], "The maximum number of API keys is reached");
}

#[test]
fn a_call_for_a_child_tenant_is_not_carried_out_on_this_one() {
    let f = start(|options| options.explain = true);
    let made =
        f.generate(&json!({"roles": ["Viewer"], "security_level": "advanced"}), Level::Advanced);
    let id = made.key_id().get();
    let delete =
        json!({"request_data": {"filters": [{"field": "id", "operator": "in", "value": [id]}]}});
    for child in ["child-9", "", "\u{e9}"] {
        let mut headers = f.sign(&f.advanced());
        headers.push(("X-Child-Tenant-Id".to_owned(), child.to_owned()));
        let answer = f.send(&headers, DELETE, &delete.to_string());
        assert_eq!(answer.status, 400, "{child}");
        let reply = &answer.json()["reply"];
        assert_eq!(reply["err_msg"], "Invalid child tenant");
        let extra = reply["err_extra"].as_str().unwrap();
        assert!(extra.starts_with("x-child-tenant-id: "), "{extra}");
        assert!(answer.header("x-cortexkey-remedy").unwrap().contains("--child ID"));
    }
    assert_eq!(f.send(&f.sign(&made), VALIDATE, "{}").status, 200, "still there");

    let child = |mut headers: crate::common::Headers| {
        headers.push(("x-child-tenant-id".to_owned(), "child-9".to_owned()));
        headers
    };
    // An unauthenticated client learns nothing of it, and the platform's calls report it in their own form.
    assert_eq!(f.send(&child(vec![]), DELETE, "{}").status, 401);
    let answer = f.get(&child(f.sign(&f.advanced())), "/platform/iam/v1/role");
    assert_eq!(
        (answer.status, &answer.json()["data"]["err_msg"]),
        (400, &json!("Invalid child tenant"))
    );
}
