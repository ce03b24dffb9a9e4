//! `cortexkey access suggest`: from API calls to roles.

use std::fs;

use serde_json::{Value, json};

use crate::common::{Ran, cortexkey, finish, finish_with};

const POLICY: &str = "apiVersion: cortexkey/v1\nkind: Policy\nmetadata: { name: x }\n\
    extends: [builtin:minimal]\n\
    tenants: { prod: { product: xsiam } }\ncatalog:\n  roles:\n\
    \x20   - { name: Key Maker, components: { Public API: edit }, actions: [Live Terminal] }\n\
    \x20   - { name: Keys Only, components: { Public API: edit } }\n\
    \x20   - { name: Notifier, components: { Alert Notifications: edit, Playbooks: view } }\n";

fn suggest(args: &[&str], input: &str) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("cortexkey.yaml"), POLICY).unwrap();
    let args = [&["access", "suggest"], args].concat();
    finish_with(cortexkey(&args).current_dir(folder.path()), input.as_bytes())
}

fn json_of(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran:?}"))
}

const CALLS: &str = "POST /public_api/v1/api_keys/generate\n\
    POST https://api-x.example/public_api/v1/api_keys/get_api_keys?x=1\n";

#[test]
fn the_smallest_role_of_the_catalog_comes_first() {
    let ran = suggest(&["-", "--format", "json"], CALLS);
    assert_eq!(ran.code, 0, "{ran:?}");
    let found = json_of(&ran);
    let first = &found["roles"][0];
    assert_eq!((&first["name"], &first["holdsEverything"]), (&json!("Keys Only"), &json!("yes")));
    assert_eq!(found["roles"][1]["inAddition"], json!(["Live Terminal"]));
    assert_eq!(found["permissions"].as_array().unwrap().len(), 1);
    let permission = &found["permissions"][0];
    assert_eq!(permission["anyOf"], json!([{ "component": "Public API", "level": "edit" }]));
    assert_eq!(permission["evidence"], "documented");
    assert_eq!(found["customRole"]["components"], json!({ "Public API": "edit" }));
    let viewer = found["roles"].as_array().unwrap().iter().find(|role| role["name"] == "Viewer");
    assert_eq!(viewer.unwrap()["holdsEverything"], "no");

    let ran = suggest(&["-"], CALLS);
    assert!(ran.code == 0 && ran.stdout.contains("Keys Only"), "{ran:?}");
}

#[test]
fn roles_are_combined_where_none_alone_is_sufficient() {
    let calls = format!("{CALLS}POST /platform/notifications/v1/rule\n");
    let ran = suggest(&["-", "--format", "json"], &calls);
    let found = json_of(&ran);
    let best = &found["combinations"][0];
    assert_eq!(best["holdsEverything"], "yes", "{found:#}");
    let names: Vec<&Value> =
        best["roles"].as_array().unwrap().iter().map(|role| &role["name"]).collect();
    assert_eq!(names, ["Keys Only", "Notifier"]);
    assert_eq!(best["roles"][0]["holds"], json!(["Public API (edit)"]));
    assert_eq!(best["roles"][0]["inAddition"], json!([]));
    assert_eq!(best["roles"][1]["inAddition"], json!(["Playbooks (view)"]));
    assert_eq!(found["combinationsCut"], false);
    assert_eq!(json_of(&suggest(&["-", "--format", "json"], CALLS))["combinations"], json!([]));
    wording!(suggest(&["-"], &calls).stdout);
}

#[test]
fn a_call_that_is_not_known_is_reported_and_the_answer_is_incomplete() {
    for (call, field) in [
        ("GET /nowhere", "unlisted"),
        ("GET /public_api/appsec/v1/application", "unknown"),
        ("not a call", "unread"),
    ] {
        let ran = suggest(&["-", "--format", "json"], &format!("{CALLS}{call}\n"));
        let found = json_of(&ran);
        assert_eq!((ran.code, &found["complete"]), (1, &json!(false)), "{call}: {ran:?}");
        assert_eq!(found[field].as_array().unwrap().len(), 1, "{call}");
    }
    let ran = suggest(&["-"], "nothing here\n");
    assert_eq!((ran.code, ran.stdout.as_str()), (3, ""), "{ran:?}");
    assert!(ran.stderr.contains("-:1"), "{ran:?}");
    wording!(ran.stderr);
}

#[test]
fn a_roles_impossible_calls_are_listed() {
    let ran = suggest(&["--role", "Keys Only", "-", "--format", "json"], CALLS);
    assert_eq!(ran.code, 0, "{ran:?}");
    let ran = suggest(&["--role", "Viewer", "-", "--format", "json"], CALLS);
    let calls = json_of(&ran)["calls"].clone();
    let allowed: Vec<&Value> =
        calls.as_array().unwrap().iter().map(|call| &call["allowed"]).collect();
    assert!(ran.code == 1 && allowed[0] == "no", "{calls}");

    let ran = suggest(&["--role", "Instance Administrator", "--format", "json"], "");
    let calls = json_of(&ran)["calls"].clone();
    assert_eq!((ran.code, calls.as_array().unwrap().len()), (0, 332), "{ran:?}");
    let ran = suggest(&["--role", "No Such Role"], "");
    assert_eq!(ran.code, 2, "{ran:?}");
}

#[test]
fn the_emulators_own_log_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("tenant.log");
    let file = fs::File::create(&log).unwrap();
    let mut command = cortexkey(&["tenant", "--log-format", "json"]);
    let mut tenant = command.stdout(std::process::Stdio::piped()).stderr(file).spawn().unwrap();
    let mut line = String::new();
    std::io::BufRead::read_line(
        &mut std::io::BufReader::new(tenant.stdout.take().unwrap()),
        &mut line,
    )
    .unwrap();
    let ready: Value = serde_json::from_str(&line).unwrap();
    let mut list = cortexkey(&["keys", "list"]);
    list.env("CORTEXKEY_FQDN", ready["url"].as_str().unwrap())
        .env("CORTEXKEY_API_KEY_ID", "2")
        .env("CORTEXKEY_API_KEY_TYPE", "advanced")
        .env("CORTEXKEY_API_KEY", ready["keys"]["advanced"]["key"].as_str().unwrap());
    let listed = finish(&mut list);
    // The log is written on a thread of its own.
    let written = (0..100).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        fs::read_to_string(&log).unwrap().ends_with("}\n")
    });
    tenant.kill().unwrap();
    tenant.wait().unwrap();
    assert!(written && listed.code == 0, "{listed:?}");
    let ran = suggest(&[log.to_str().unwrap(), "--format", "json"], "");
    let found = json_of(&ran);
    assert_eq!(found["permissions"][0]["anyOf"][0]["component"], "Public API", "{ran:?}");
    assert_eq!(found["roles"][0]["holdsEverything"], "yes");
}
