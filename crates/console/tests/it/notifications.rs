//! Notifications: those that are due by the core's rule, those that the emulator sent, and the
//! tenant's forwarding rules.

use cortexkey_api::api_keys::{GenerateRequest, SecurityLevel};
use cortexkey_client::Method;
use serde_json::json;

use crate::site::{Site, client};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

#[test]
fn notices_are_due_and_sent_at_their_times() {
    let site = Site::start();
    let browser = site.enter();
    let controls = site.tenant.controls();
    let request = GenerateRequest {
        roles: vec!["Viewer".to_owned()],
        security_level: SecurityLevel::Advanced,
        expiration: Some(controls.now_ms() + 30 * DAY_MS),
        comment: Some("<b>Jira</b>".to_owned()),
    };
    let id = client(&site.tenant).generate_key(&request).unwrap().id;
    let page = || browser.get("/notifications").body;
    let rows = |page: &str| page.matches(&format!("data-notice=\"{id}\"")).count();
    let due = |page: &str| page.matches(">due<").count();
    let given = |page: &str| page.matches("data-given=").count();
    let first = page();
    assert_eq!((rows(&first), due(&first), given(&first)), (2, 0, 0));
    assert!(!first.contains("<b>Jira"), "a comment stays a text");
    controls.advance_clock(24 * DAY_MS).unwrap();
    let week = page();
    assert_eq!((rows(&week), due(&week), given(&week)), (2, 1, 1));
    controls.advance_clock(5 * DAY_MS + 1).unwrap();
    let day = page();
    assert_eq!((rows(&day), due(&day), given(&day)), (2, 2, 2));
    assert_eq!(given(&day), controls.notifications().len());
    controls.advance_clock(2 * DAY_MS).unwrap();
    assert_eq!(rows(&page()), 0, "the key has expired");
}

#[test]
fn forwarding_rules_are_those_of_the_tenant() {
    let site = Site::start();
    let browser = site.enter();
    assert!(!browser.get("/notifications").body.contains("&lt;team&gt;"));
    let rule = json!({ "request_data": {
        "name": "to the <team>", "forward_type": "audit",
        "forward_source": { "email": { "distribution_list": ["team@example.com"] } },
    } });
    let rule = serde_json::to_vec(&rule).unwrap();
    let path = "/platform/notifications/v1/rule";
    client(&site.tenant).call(Method::Post, path, Some(&rule)).unwrap();
    let page = browser.get("/notifications").body;
    assert!(page.contains("&lt;team&gt;") && page.contains("team@example.com"));
    let fault = cortexkey_tenant::Fault::new(cortexkey_tenant::FaultKind::Truncated);
    let fault = fault.on_path("/platform/notifications").times(9);
    site.tenant.set_faults(vec![fault]).unwrap();
    assert!(browser.get("/notifications").body.contains("role=\"alert\""));
}
