//! A parent tenant with child tenants, and keys as the console generates them.

use cortexkey_core::auth::{Key, KeyId, Level, Signer};
use cortexkey_tenant::{ChildTenant, ConsoleKeys, StartError, Tenant};
use serde_json::{Value, json};

use crate::common::{
    Answer, DELETE, Fixture, GENERATE, Headers, LIST, NOW_MS, VALIDATE, signer_of, start,
};

fn family() -> Fixture {
    start(|options| {
        options.explain = true;
        options.children = vec!["north".into(), "south".into()];
    })
}

fn call(f: &Fixture, signer: &Signer, child: &str, path: &str, request: &Value) -> Answer {
    let mut headers = f.sign(signer);
    headers.push(("x-child-tenant-id".to_owned(), child.to_owned()));
    f.send(&headers, path, &json!({ "request_data": request }).to_string())
}

fn ids(answer: &Answer) -> Vec<u64> {
    assert_eq!(answer.status, 200, "{}", answer.body);
    let keys = answer.json()["reply"]["DATA"].clone();
    keys.as_array().unwrap().iter().map(|key| key["id"].as_u64().unwrap()).collect()
}

/// Whether a child tenant accepts a request with these headers.
fn child_takes(f: &Fixture, child: &ChildTenant, headers: &Headers) -> u16 {
    let mut request = f.agent.get(child.url().to_owned() + VALIDATE);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    request.call().unwrap().status().as_u16()
}

#[test]
fn a_key_of_the_parent_acts_on_the_keys_of_a_child() {
    let f = family();
    let [north, south] = f.tenant.children() else { panic!("two children") };
    assert_eq!((north.id(), south.id()), ("north", "south"));
    let viewer = json!({ "roles": ["Viewer"], "security_level": "advanced" });
    let made = call(&f, &f.advanced(), "north", GENERATE, &viewer);
    assert_eq!(made.status, 200, "{}", made.body);
    let reply = made.json()["reply"].clone();
    let id = reply["id"].as_u64().unwrap();
    let list = |child| ids(&call(&f, &f.advanced(), child, LIST, &json!({})));
    assert_eq!((list("north"), list("south")), (vec![1, 2, 3], vec![1, 2]));
    assert_eq!(ids(&f.call(&f.advanced(), LIST, &json!({}))), [1, 2], "the parent has its own");

    let key = Key::new(reply["key"].as_str().unwrap().as_bytes()).unwrap();
    let key = Signer::new(KeyId::new(id).unwrap(), Level::Advanced, key);
    assert_eq!(child_takes(&f, north, &f.sign(&key)), 200);
    assert_eq!(child_takes(&f, south, &f.sign(&key)), 401, "each child has keys of its own");
    assert_eq!(f.send(&f.sign(&key), VALIDATE, "{}").status, 401, "and so has the parent");
    let of_child = signer_of(&north.seeded_keys().unwrap().advanced);
    assert_eq!(child_takes(&f, north, &f.sign(&of_child)), 200);

    let filter = json!({ "filters": [{ "field": "id", "operator": "in", "value": [1, id] }] });
    let deleted = call(&f, &f.advanced(), "north", DELETE, &filter);
    assert_eq!(deleted.json()["reply"]["update_count"], 2);
    assert_eq!((list("north"), list("south")), (vec![2], vec![1, 2]));
    assert_eq!(ids(&f.call(&f.advanced(), LIST, &json!({}))), [1, 2]);
}

#[test]
fn the_parents_roles_decide_about_a_childs_keys() {
    let f = family();
    let viewer = json!({ "roles": ["Viewer"], "security_level": "advanced" });
    let key = f.generate(&viewer, Level::Advanced);
    assert_eq!(call(&f, &key, "north", LIST, &json!({})).status, 200);
    assert_eq!(call(&f, &key, "north", GENERATE, &viewer).status, 403);
    let all = json!({ "filters": [{ "field": "id", "operator": "in", "value": [1] }] });
    assert_eq!(call(&f, &key, "north", DELETE, &all).status, 403);
    assert_eq!(ids(&call(&f, &key, "north", LIST, &json!({}))), [1, 2]);
}

#[test]
fn calls_not_meant_for_a_child_are_not_carried_out() {
    let f = family();
    let all = json!({ "filters": [{ "field": "id", "operator": "in", "value": [1, 2] }] });
    assert_eq!(call(&f, &f.advanced(), "west", DELETE, &all).status, 400);
    let mut twice = f.sign(&f.advanced());
    twice.push(("x-child-tenant-id".to_owned(), "north".to_owned()));
    twice.push(("x-child-tenant-id".to_owned(), "south".to_owned()));
    let body = json!({ "request_data": all }).to_string();
    assert_eq!(f.send(&twice, DELETE, &body).status, 400);
    let mut headers = f.sign(&f.advanced());
    headers.push(("x-child-tenant-id".to_owned(), "north".to_owned()));
    let role = f.get(&headers, "/platform/iam/v1/role");
    assert_eq!(
        (role.status, &role.json()["data"]["err_msg"]),
        (400, &json!("Invalid child tenant"))
    );
    for child in ["north", "south"] {
        assert_eq!(ids(&call(&f, &f.advanced(), child, LIST, &json!({}))), [1, 2]);
    }
    assert_eq!(ids(&f.call(&f.advanced(), LIST, &json!({}))), [1, 2]);
}

#[test]
fn the_ready_line_names_the_children() {
    let f = family();
    let line: Value = serde_json::from_str(&f.tenant.ready_line()).unwrap();
    assert_eq!(line["children"][0]["id"], "north");
    assert_eq!(line["children"][1]["url"], f.tenant.children()[1].url());
    assert!(line["children"][0]["keys"]["standard"]["key"].is_string());
    for ids in [vec!["../x".to_owned()], vec![String::new()], vec!["a".into(), "a".into()]] {
        let options = cortexkey_tenant::Options { children: ids, ..Default::default() };
        assert!(matches!(Tenant::start(options), Err(StartError::Child)));
    }
}

#[test]
fn children_keep_their_keys() {
    let folder = tempfile::tempdir().unwrap();
    let run = |made: bool| {
        let f = start(|options| {
            options.data = Some(folder.path().to_owned());
            options.children = vec!["north".into()];
            options.new_admin_keys = cortexkey_tenant::NewAdminKeys::Always;
        });
        let viewer =
            json!({ "roles": ["Viewer"], "security_level": "advanced", "comment": "mine" });
        if made {
            assert_eq!(call(&f, &f.standard(), "north", GENERATE, &viewer).status, 200);
        }
        call(&f, &f.standard(), "north", LIST, &json!({})).body.contains("mine")
    };
    assert!(run(true));
    assert!(run(false));
}

#[test]
fn the_console_generates_keys_without_expiry_on_request() {
    let f = start(|options| options.console_keys = ConsoleKeys::On);
    let post = |body: &Value| f.send(&vec![], "/_cortexkey/keys", &body.to_string());
    let request = json!({ "roles": ["Responder"], "securityLevel": "standard", "comment": "old" });
    let made = post(&request);
    assert_eq!((made.status, made.header("cache-control")), (201, Some("no-store")));
    let reply = made.json();
    let id = reply["id"].as_u64().unwrap();
    let key = Key::new(reply["key"].as_str().unwrap().as_bytes()).unwrap();
    let key = Signer::new(KeyId::new(id).unwrap(), Level::Standard, key);
    f.clock.advance(400 * 24 * 60 * 60 * 1000);
    assert_eq!(f.send(&f.sign(&key), VALIDATE, "{}").status, 200);
    let listed = f.call(&f.standard(), LIST, &json!({})).json()["reply"]["DATA"].clone();
    let listed = listed.as_array().unwrap().iter().find(|key| key["id"] == id).unwrap().clone();
    assert_eq!(
        (&listed["expiration"], &listed["user_name"]),
        (&Value::Null, &json!("Local tenant"))
    );

    for bad in [
        json!({ "roles": [], "securityLevel": "standard" }),
        json!({ "roles": ["nobody"], "securityLevel": "standard" }),
        json!({ "roles": ["Viewer"], "securityLevel": "standard", "expiration": NOW_MS }),
    ] {
        assert_eq!(post(&bad).status, 500, "{bad}");
    }
    let foreign = vec![("Origin".to_owned(), "https://evil.example".to_owned())];
    assert_eq!(f.send(&foreign, "/_cortexkey/keys", &request.to_string()).status, 403);
    let off = start(|_| {});
    assert_eq!(off.send(&vec![], "/_cortexkey/keys", &request.to_string()).status, 401);
}
