//! Forwarding rules, at `platform/notifications/v1`.

use cortexkey_core::auth::Level;
use serde_json::{Value, json};

use crate::common::{Fixture, NOW_MS, start};

const RULE: &str = "/platform/notifications/v1/rule";

fn wanted() -> Value {
    json!({
        "name": "Audit by mail",
        "description": "d",
        "forward_type": "audit",
        "filter": { "filter": { "AND": [
            { "SEARCH_FIELD": "severity", "SEARCH_TYPE": "EQ", "SEARCH_VALUE": "SEV_040_HIGH" },
        ] } },
        "forward_source": {
            "email": { "distribution_list": ["soc@tenant.example"], "aggregation": 1000 },
            "slack": { "channels": ["soc"] },
            "syslog": { "id": 1 },
        },
        "applications": ["63e3ad1f"],
        "syslog_format": "standard_alert",
    })
}

fn create(f: &Fixture, request: &Value) -> (u16, Value) {
    let answer = f.call(&f.advanced(), RULE, request);
    (answer.status, answer.json())
}

#[test]
fn a_rule_is_created_read_edited_and_deleted() {
    let f = start(|_| {});
    let (status, made) = create(&f, &wanted());
    assert_eq!(status, 201, "{made}");
    let rule = &made["data"];
    let uuid = rule["rule_uuid"].as_str().unwrap().to_owned();
    assert_eq!((&rule["enabled"], &rule["time_zone"]), (&json!(true), &json!("UTC")));
    assert_eq!((&rule["mail_format"], &rule["created_at"]), (&json!("issue"), &json!(NOW_MS)));
    assert_eq!(rule["forward_source"]["email"]["legacy_mail_format"], false);
    assert_eq!(rule["filter"], wanted()["filter"]);
    let path = format!("{RULE}/{uuid}");
    let read = || f.get(&f.sign(&f.advanced()), &path);
    assert_eq!(read().json()["data"], *rule);
    let list = f.get(&f.sign(&f.advanced()), "/platform/notifications/v1/list-rules").json();
    assert_eq!((&list["data"][0], &list["metadata"]["total_count"]), (rule, &json!(1)));

    f.clock.advance(1000);
    let mut other = wanted();
    other["name"] = json!("Other");
    other.as_object_mut().unwrap().remove("filter");
    let put = |body: &Value| f.put(&f.sign(&f.advanced()), &path, &json!({ "request_data": body }));
    let edited = put(&other).json()["data"].clone();
    assert_eq!((&edited["name"], edited.get("filter")), (&json!("Other"), None));
    assert_eq!(
        (&edited["created_at"], &edited["modified_at"]),
        (&json!(NOW_MS), &json!(NOW_MS + 1000))
    );
    other["forward_type"] = json!("case");
    assert_eq!(put(&other).status, 400, "its type is not changed");

    let status = |status: &str| {
        let path = format!("/platform/notifications/v1/update-rule-status/{uuid}");
        let body = json!({ "request_data": { "status": status } });
        let answer = f.patch(&f.sign(&f.advanced()), &path, &body);
        (answer.status, answer.body)
    };
    assert_eq!(status("disable"), (204, String::new()));
    assert_eq!(read().json()["data"]["enabled"], false);
    assert_eq!(status("enable").0, 204);
    assert_eq!(status("off").0, 400);

    let delete = || f.delete(&f.sign(&f.advanced()), &path);
    assert_eq!((delete().status, delete().status), (204, 400));
    let gone = read();
    assert_eq!(gone.status, 400);
    let said = &gone.json()["data"]["metadata"]["err_extra"];
    assert_eq!(*said, format!("Alert notification with rule uuid {uuid} was not found."));
}

#[test]
fn rules_that_are_invalid_are_refused() {
    let f = start(|_| {});
    for (place, value) in [
        ("/name", json!("")),
        ("/forward_type", json!("mail")),
        ("/filter", json!({})),
        ("/forward_source/email/distribution_list", json!([])),
        ("/forward_source/email/aggregation", json!(1441)),
        ("/forward_source/slack/channels", json!([])),
        ("/applications", json!([])),
        ("/syslog_format", json!("cef")),
    ] {
        let mut request = wanted();
        *request.pointer_mut(place).unwrap() = value;
        let (status, said) = create(&f, &request);
        assert_eq!((status, &said["data"]["metadata"]["err_code"]), (400, &json!(400)), "{place}");
    }
    let mut more = wanted();
    more["priority"] = json!(1);
    assert_eq!(create(&f, &more).0, 400);
}

#[test]
fn rules_need_alert_notifications_and_return_the_public_403() {
    let f = start(|_| {});
    let viewer = json!({ "roles": ["Responder"], "security_level": "advanced" });
    let viewer = f.generate(&viewer, Level::Advanced);
    let answer = f.get(&f.sign(&viewer), "/platform/notifications/v1/list-rules");
    assert_eq!(answer.status, 403);
    assert_eq!(answer.json()["reply"]["err_extra"], "Insufficient permissions for api key");
}
