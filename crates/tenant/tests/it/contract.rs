//! The emulator against the vendor's description of the interface: a table of facts, restated from
//! it. `cargo xtask campaign contract` checks the same operations against the description itself.

use cortexkey_core::auth::Level;
use cortexkey_tenant::CustomRole;
use serde_json::{Value, json};

use crate::common::{Answer, Fixture, Headers, start};

/// The description's facts about one operation.
struct Fact {
    method: &'static str,
    path: &'static str,
    /// A body from the description, in our words; `None` if it has none.
    body: fn() -> Option<Value>,
    status: u16,
    /// The members of the response, with their types.
    members: &'static [(&'static str, Kind)],
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Text,
    TextOrNull,
    Number,
    NumberOrNull,
    List,
    Object,
    Bool,
}

impl Kind {
    fn is_of(self, value: &Value) -> bool {
        match self {
            Self::Text => value.is_string(),
            Self::TextOrNull => value.is_string() || value.is_null(),
            Self::Number => value.is_number(),
            Self::NumberOrNull => value.is_number() || value.is_null(),
            Self::List => value.is_array(),
            Self::Object => value.is_object(),
            Self::Bool => value.is_boolean(),
        }
    }
}

use Kind::{Bool, List, Number, NumberOrNull, Object, Text, TextOrNull};

const MESSAGE: &[(&str, Kind)] = &[("/data/message", Text)];
const AUDIT: &[(&str, Kind)] =
    &[("/reply/total_count", Number), ("/reply/result_count", Number), ("/reply/data", List)];
const KEYS: &[(&str, Kind)] = &[
    ("/reply/DATA/0/id", Number),
    ("/reply/DATA/0/creation_time", Number),
    ("/reply/DATA/0/created_by", Text),
    ("/reply/DATA/0/user_name", Text),
    ("/reply/DATA/0/roles", List),
    ("/reply/DATA/0/security_level", Text),
    ("/reply/DATA/0/comment", TextOrNull),
    ("/reply/DATA/0/expiration", NumberOrNull),
    ("/reply/FILTER_COUNT", Number),
    ("/reply/TOTAL_COUNT", Number),
];
const RULE: &[(&str, Kind)] = &[
    ("/data/name", Text),
    ("/data/rule_uuid", Text),
    ("/data/description", Text),
    ("/data/forward_type", Text),
    ("/data/forward_source", Object),
    ("/data/time_zone", Text),
    ("/data/mail_format", Text),
    ("/data/syslog_format", Text),
    ("/data/slack_format", Text),
    ("/data/created_by", Text),
    ("/data/created_at", Number),
    ("/data/modified_at", Number),
    ("/data/enabled", Bool),
];

fn none() -> Option<Value> {
    None
}

#[allow(clippy::unnecessary_wraps, reason = "the form that a fact's body has")]
#[allow(clippy::needless_pass_by_value, reason = "callers make it where they pass it")]
fn asked(request_data: Value) -> Option<Value> {
    Some(json!({ "request_data": request_data }))
}

const fn fact(
    method: &'static str,
    path: &'static str,
    body: fn() -> Option<Value>,
    members: &'static [(&'static str, Kind)],
) -> Fact {
    Fact { method, path, body, status: 200, members }
}

/// Every operation of the description that the emulator claims, in an order in which what is created
/// is there when it is changed. Key 3 is a Viewer's.
const FACTS: &[Fact] = &[
    fact("GET", "/public_api/v1/healthcheck", none, &[("/status", Text)]),
    fact(
        "POST",
        "/public_api/v1/system/get_tenant_info",
        none,
        &[
            ("/reply/xsiam_premium_expiration", Number),
            ("/reply/purchased_xsiam_premium/agents", Number),
            ("/reply/data_enabled_pro_per_endpoint", Number),
        ],
    ),
    fact("POST", "/public_api/v1/audits/management_logs", none, AUDIT),
    fact("POST", "/public_api/v1/audits/management_logs", || asked(json!({})), AUDIT),
    fact(
        "POST",
        "/public_api/v1/audits/management_logs",
        || {
            let sort = json!({ "field": "timestamp", "keyword": "asc" });
            let filter = |field: &str, value: &str| json!({ "field": field, "operator": "in", "value": [value] });
            let since = json!({ "field": "timestamp", "operator": "gte", "value": 1 });
            let filters = [
                filter("type", "API_KEY"),
                filter("sub_type", "generate"),
                filter("result", "SUCCESS"),
                since,
            ];
            asked(json!({ "search_from": 0, "search_to": 100, "sort": sort, "filters": filters }))
        },
        &[
            ("/reply/data/0/AUDIT_ID", Number),
            ("/reply/data/0/AUDIT_OWNER_NAME", Text),
            ("/reply/data/0/AUDIT_OWNER_EMAIL", Text),
            ("/reply/data/0/AUDIT_RESULT", Text),
            ("/reply/data/0/AUDIT_ENTITY", Text),
            ("/reply/data/0/AUDIT_ENTITY_SUBTYPE", Text),
            ("/reply/data/0/AUDIT_INSERT_TIME", Number),
        ],
    ),
    fact(
        "POST",
        "/public_api/v1/audits/agents_reports",
        || asked(json!({})),
        &[
            ("/reply/data/0/TIMESTAMP", Number),
            ("/reply/data/0/RECEIVEDTIME", Number),
            ("/reply/data/0/ENDPOINTID", Text),
            ("/reply/data/0/ENDPOINTNAME", Text),
            ("/reply/data/0/DOMAIN", Text),
            ("/reply/data/0/TRAPSVERSION", Text),
            ("/reply/data/0/CATEGORY", Text),
            ("/reply/data/0/TYPE", Text),
            ("/reply/data/0/SUBTYPE", Text),
            ("/reply/data/0/RESULT", Text),
            ("/reply/data/0/REASON", Text),
            ("/reply/data/0/DESCRIPTION", Text),
        ],
    ),
    fact("POST", "/public_api/v1/api_keys/get_api_keys", none, KEYS),
    fact(
        "POST",
        "/public_api/v1/api_keys/get_api_keys",
        || {
            asked(json!({ "filters": [
                { "field": "roles", "operator": "contains", "value": ["Viewer"] },
            ] }))
        },
        KEYS,
    ),
    fact(
        "POST",
        "/public_api/v1/api_keys/get_api_keys",
        || asked(json!({ "filters": [{ "field": "id", "operator": "in", "value": [3] }] })),
        KEYS,
    ),
    fact(
        "POST",
        "/public_api/v1/api_keys/generate",
        || {
            let roles = ["Viewer"];
            asked(json!({ "roles": roles, "security_level": "standard", "comment": "for a test" }))
        },
        &[("/reply/id", Number), ("/reply/key", Text)],
    ),
    fact(
        "POST",
        "/public_api/v1/api_keys/delete",
        || asked(json!({ "filters": [{ "field": "id", "operator": "in", "value": [4, 134] }] })),
        &[("/reply/update_count", Number)],
    ),
    fact(
        "GET",
        "/platform/iam/v1/api-key/3",
        none,
        &[
            ("/data/id", Number),
            ("/data/creation_time", Number),
            ("/data/created_by", Text),
            ("/data/user_name", Text),
            ("/data/roles", List),
            ("/data/security_level", Text),
            ("/data/comment", TextOrNull),
            ("/data/expiration", NumberOrNull),
            ("/metadata", Object),
        ],
    ),
    fact(
        "GET",
        "/platform/iam/v1/role",
        none,
        &[
            ("/data/0/role_id", Text),
            ("/data/0/pretty_name", Text),
            ("/data/0/is_custom", Bool),
            ("/metadata/total_count", Number),
        ],
    ),
    Fact {
        status: 201,
        ..fact(
            "POST",
            "/platform/iam/v1/role",
            || {
                let datasets =
                    [json!({ "category": "Lookup", "access_all": true, "permissions": [] })];
                asked(json!({ "pretty_name": "R", "component_permissions": ["rules_action"],
                    "dataset_permissions": datasets, "description": null }))
            },
            MESSAGE,
        )
    },
    fact("DELETE", "/platform/iam/v1/role/custom_role_1", none, MESSAGE),
    fact(
        "GET",
        "/platform/iam/v1/role/permission-config",
        none,
        &[
            ("/data/rbac_permissions/0/category_name", Text),
            ("/data/rbac_permissions/0/sub_categories/0/permissions/0/name", Text),
            ("/data/rbac_permissions/0/sub_categories/0/permissions/0/sub_permissions", List),
            ("/data/datasetGroups/0/dataset_category", Text),
            ("/data/datasetGroups/0/datasets", List),
        ],
    ),
    fact(
        "GET",
        "/platform/iam/v1/scope/api-key/3",
        none,
        &[
            ("/data/assets/asset_groups", List),
            ("/data/cases_issues/tags", List),
            ("/data/endpoints/endpoint_groups/tags", List),
            ("/data/endpoints/endpoint_tags/mode", Text),
        ],
    ),
    fact(
        "PUT",
        "/platform/iam/v1/scope/user/analyst@tenant.example",
        || {
            asked(json!({
                "endpoints": {
                    "endpoint_groups": { "names": ["laptops"], "mode": "scope" },
                    "endpoint_tags": { "names": [], "mode": "any" },
                },
                "cases_issues": { "mode": "scope", "names": ["Health", "IT"] },
                "assets": { "mode": "scope", "asset_group_ids": [16, 17] },
            }))
        },
        MESSAGE,
    ),
    fact(
        "GET",
        "/platform/iam/v1/user",
        none,
        &[
            ("/data/0/user_email", Text),
            ("/data/0/user_first_name", Text),
            ("/data/0/status", Text),
            ("/data/0/is_hidden", Bool),
            ("/data/0/groups", List),
            ("/metadata/total_count", Number),
        ],
    ),
    fact(
        "GET",
        "/platform/iam/v1/user/analyst@tenant.example",
        none,
        &[("/data/role_name", Text), ("/data/groups/0/group_id", Text)],
    ),
    fact(
        "PATCH",
        "/platform/iam/v1/user/analyst@tenant.example",
        || asked(json!({ "phone_number": "1", "status": "Active", "is_hidden": true })),
        MESSAGE,
    ),
    fact(
        "GET",
        "/platform/iam/v1/user-group",
        none,
        &[
            ("/data/0/group_id", Text),
            ("/data/0/group_name", Text),
            ("/data/0/role_id", Text),
            ("/data/0/pretty_role_name", Text),
            ("/data/0/group_type", Text),
            ("/data/0/users", List),
            ("/data/0/nested_groups", List),
            ("/data/0/idp_groups", List),
        ],
    ),
    Fact {
        status: 201,
        ..fact(
            "POST",
            "/platform/iam/v1/user-group",
            || {
                asked(json!({ "group_name": "g", "description": "d", "idp_groups": ["idp"],
                    "users": ["analyst@tenant.example"], "nested_group_ids": ["group-2"] }))
            },
            MESSAGE,
        )
    },
    fact(
        "PATCH",
        "/platform/iam/v1/user-group/group-2",
        || asked(json!({ "description": "other", "users": [] })),
        MESSAGE,
    ),
    fact("DELETE", "/platform/iam/v1/user-group/group-2", none, MESSAGE),
    fact(
        "POST",
        "/public_api/v1/rbac/get_users",
        none,
        &[
            ("/reply/0/user_email", Text),
            ("/reply/0/role_name", Text),
            ("/reply/0/last_logged_in", NumberOrNull),
            ("/reply/0/groups", List),
            ("/reply/0/scope", List),
        ],
    ),
    fact(
        "POST",
        "/public_api/v1/rbac/get_roles",
        || asked(json!({ "role_names": ["Viewer", "Responder"] })),
        &[
            ("/reply/0/0/pretty_name", Text),
            ("/reply/1/0/permissions", List),
            ("/reply/1/0/insert_time", Number),
            ("/reply/1/0/users", List),
        ],
    ),
    fact(
        "POST",
        "/public_api/v1/rbac/get_user_group",
        || asked(json!({ "group_names": ["soc"] })),
        &[
            ("/reply/0/group_name", Text),
            ("/reply/0/pretty_name", Text),
            ("/reply/0/insert_time", Number),
            ("/reply/0/user_email", List),
            ("/reply/0/source", Text),
        ],
    ),
    fact(
        "POST",
        "/public_api/v1/rbac/set_user_role",
        || asked(json!({ "user_emails": ["viewer@tenant.example"], "role_name": "Viewer" })),
        &[("/reply/update_count", Text)],
    ),
    fact(
        "POST",
        "/public_api/v1/asset-groups",
        none,
        &[("/reply/data/0/XDM.ASSET_GROUP.ID", Number), ("/reply/metadata/filter_count", Number)],
    ),
    fact(
        "POST",
        "/public_api/v1/asset-groups/create",
        || {
            let class = json!({ "SEARCH_FIELD": "xdm.asset.type.class", "SEARCH_TYPE": "NEQ",
                "SEARCH_VALUE": "Other" });
            Some(json!({ "asset_group": { "group_name": "a", "group_type": "Dynamic",
                "group_description": "d", "membership_predicate": { "AND": [class] } } }))
        },
        &[("/reply/data/success", Bool), ("/reply/data/asset_group_id", Number)],
    ),
    fact(
        "POST",
        "/public_api/v1/asset-groups/update/20",
        || Some(json!({ "asset_group": { "group_name": "b" } })),
        &[("/reply/data/success", Bool)],
    ),
    fact("POST", "/public_api/v1/asset-groups/delete/20", none, &[("/reply/data/success", Bool)]),
    Fact {
        status: 201,
        ..fact(
            "POST",
            "/platform/notifications/v1/rule",
            || asked(json!({ "name": "r", "forward_type": "alert" })),
            RULE,
        )
    },
    fact(
        "GET",
        "/platform/notifications/v1/list-rules",
        none,
        &[("/data/0/rule_uuid", Text), ("/metadata/total_count", Number)],
    ),
    fact("GET", RULE_1, none, RULE),
    fact(
        "PUT",
        RULE_1,
        || asked(json!({ "name": "s", "forward_type": "alert", "slack_format": "issue" })),
        RULE,
    ),
    Fact {
        status: 204,
        ..fact(
            "PATCH",
            "/platform/notifications/v1/update-rule-status/3053ad1f-0000-4000-8000-000000000001",
            || asked(json!({ "status": "enable" })),
            &[],
        )
    },
    Fact { status: 204, ..fact("DELETE", RULE_1, none, &[]) },
];

const RULE_1: &str = "/platform/notifications/v1/rule/3053ad1f-0000-4000-8000-000000000001";

fn send(f: &Fixture, headers: &Headers, fact: &Fact) -> Answer {
    let body = (fact.body)();
    match (fact.method, body) {
        ("GET", _) => f.get(headers, fact.path),
        ("DELETE", _) => f.delete(headers, fact.path),
        ("PUT", Some(body)) => f.put(headers, fact.path, &body),
        ("PATCH", Some(body)) => f.patch(headers, fact.path, &body),
        (_, Some(body)) => f.send(headers, fact.path, &body.to_string()),
        (_, None) => f.post_nothing(headers, fact.path),
    }
}

#[test]
fn every_operation_responds_as_described() {
    let f = start(|_| {});
    let viewer = json!({ "roles": ["Viewer"], "security_level": "advanced" });
    assert_eq!(f.generate(&viewer, Level::Advanced).key_id().get(), 3);
    for fact in FACTS {
        let answer = send(&f, &f.sign(&f.advanced()), fact);
        let call = format!("{} {}", fact.method, fact.path);
        assert_eq!(answer.status, fact.status, "{call}: {}", answer.body);
        if fact.status == 204 {
            assert_eq!(answer.body, "", "{call}");
            continue;
        }
        let json = answer.json();
        for (place, kind) in fact.members {
            let value = json.pointer(place);
            let fits = value.is_some_and(|value| kind.is_of(value));
            assert!(fits, "{call}: {place} is {value:?}, not {kind:?}");
        }
    }
}

#[test]
fn an_edit_of_a_key_takes_role_ids() {
    let f = start(|_| {});
    let roles = f.get(&f.sign(&f.advanced()), "/platform/iam/v1/role").json();
    let role = roles["data"].as_array().unwrap().iter().find(|r| r["pretty_name"] == "Viewer");
    let id = role.unwrap()["role_id"].clone();
    let viewer = json!({ "roles": ["Viewer"], "security_level": "advanced" });
    f.generate(&viewer, Level::Advanced);
    let edit = json!({ "request_data": {
        "roles": [id], "security_level": "standard", "comment": "useful",
    } });
    let answer = f.put(&f.sign(&f.advanced()), "/platform/iam/v1/api-key/3", &edit);
    assert_eq!(answer.json(), json!({ "data": { "message": "API key updated successfully" } }));
}

#[test]
fn every_operation_refuses_unauthenticated_and_unpermitted_calls_alike() {
    let f = start(|options| options.custom_roles.push(CustomRole::new("Nothing").unwrap()));
    let nothing = json!({ "roles": ["Nothing"], "security_level": "advanced" });
    let nothing = f.generate(&nothing, Level::Advanced);
    for fact in FACTS {
        let call = format!("{} {}", fact.method, fact.path);
        let answer = send(&f, &vec![], fact);
        let body = json!({ "reply": {
            "err_code": 401, "err_msg": "Public API request unauthorized", "err_extra": null,
        } });
        assert_eq!((answer.status, answer.json()), (401, body), "{call}");
        let answer = send(&f, &f.sign(&nothing), fact);
        if fact.path.ends_with("healthcheck") || fact.path.ends_with("get_tenant_info") {
            assert_eq!(answer.status, 200, "{call}");
            continue;
        }
        let reply = json!({ "reply": {
            "err_code": 403,
            "err_msg": "Forbidden. Access was denied to this resource.",
            "err_extra": "Insufficient permissions for api key",
        } });
        let is_iam = fact.path.starts_with("/platform/iam/");
        let body = if is_iam { json!({ "data": reply }) } else { reply };
        assert_eq!((answer.status, answer.json()), (403, body), "{call}");
    }
}

#[test]
fn each_documented_error_has_its_text() {
    let f = start(|_| {});
    let iam = |method: &str, path: &str, request: Value| {
        let headers = f.sign(&f.advanced());
        let body = json!({ "request_data": request });
        let answer = match method {
            "GET" => f.get(&headers, path),
            "DELETE" => f.delete(&headers, path),
            "PUT" => f.put(&headers, path, &body),
            "PATCH" => f.patch(&headers, path, &body),
            _ => f.send(&headers, path, &body.to_string()),
        };
        let error = answer.json()["data"].clone();
        assert_eq!(answer.status, 400, "{method} {path}: {}", answer.body);
        assert_eq!(error["err_msg"], "The request contains invalid or missing parameters.");
        assert_eq!(error["metadata"]["err_code"], 400);
        error["metadata"]["err_extra"].as_str().unwrap().to_owned()
    };
    let key = json!({ "roles": [], "security_level": "standard" });
    let role = json!({ "pretty_name": "Viewer", "component_permissions": ["rules_action"] });
    let scope = json!({
        "assets": { "mode": "no_scope" }, "cases_issues": { "mode": "scope", "names": ["s"] },
        "endpoints": { "endpoint_groups": { "mode": "any" }, "endpoint_tags": { "mode": "any" } },
    });
    let format = json!({ "name": "r", "forward_type": "alert", "mail_format": "x" });
    for (method, path, request, said) in [
        (
            "GET",
            "/platform/iam/v1/api-key/99",
            json!({}),
            "Api Key fetch failed: api_key_id does not exist, id=99.",
        ),
        ("PUT", "/platform/iam/v1/api-key/99", key, "Invalid api_key_id"),
        (
            "POST",
            "/platform/iam/v1/role",
            role,
            "The role name Viewer is already utilized by another role.",
        ),
        ("DELETE", "/platform/iam/v1/role/none", json!({}), "Role name provided is not valid"),
        (
            "POST",
            "/platform/iam/v1/user-group",
            json!({ "group_name": "soc" }),
            "This user group name is already being used in the tenant for soc.",
        ),
        (
            "DELETE",
            "/platform/iam/v1/user-group/g",
            json!({}),
            "Could not find group for ['g'] in tenant: local",
        ),
        (
            "PATCH",
            "/platform/iam/v1/user/viewer@tenant.example",
            json!({}),
            "No update performed. All fields are null or empty.",
        ),
        ("PUT", "/platform/iam/v1/scope/api-key/1", scope, "The scope name s does not exist."),
        (
            "GET",
            "/platform/notifications/v1/rule/x",
            json!({}),
            "Alert notification with rule uuid x was not found.",
        ),
        ("POST", "/platform/notifications/v1/rule", format, "Invalid input: unknown variant `x`"),
    ] {
        let extra = iam(method, path, request);
        assert!(extra.starts_with(said), "{method} {path}: {extra}");
    }
}
