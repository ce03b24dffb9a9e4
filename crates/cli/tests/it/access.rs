//! `cortexkey access` and `cortexkey roles` through the binary: as text, as JSON, and with invalid
//! input.

#![allow(
    clippy::unwrap_used,
    clippy::format_push_string,
    reason = "a test fails by panicking, and a snapshot is a few lines of text"
)]

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::common::{CANARY, Ran, cortexkey, finish, finish_with};

const POLICY: &str = "\
apiVersion: cortexkey/v1
kind: Policy
metadata: { name: acme }
keys: [\"keys/*.yaml\"]
tenants:
  on: { product: xsiam, sbac: enforced, tags: permissive, datasets: true }
  off: { product: xsiam, sbac: disabled }
  unsaid: { product: cortex-cloud }
  soar: { product: xsoar-8 }
  old: { product: xpanse }
catalog:
  roles:
  - { name: Minter, components: { \"Public API\": edit, Jobs: edit }, actions: [Isolate] }
  - { name: Glass, privileged: true, actions: [Live Terminal], implies: [Minter] }
";

const SCOPE: &str = "  scope:
    assets: { mode: select, groups: [prod-eu] }
    casesAndIssues: { mode: select, domains: [Security, IT], unreferenced: false }
    endpoints: { mode: select, groups: [servers], tags: [vip] }
    datasets: { default: none, filters: [{ dataset: xdr_data, filter: '_vendor = \"acme\"' }] }
";

/// The repository's example.
fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies/quickstart")
}

/// A policy with one file of definitions: name, tenant, roles and scope of each.
fn corpus(keys: &[(&str, &str, &str, &str)]) -> tempfile::TempDir {
    let documents = keys.iter().map(|(name, tenant, roles, scope)| {
        format!(
            "apiVersion: cortexkey/v1\nkind: ApiKey\nmetadata: {{ name: {name}, tenant: {tenant} }}\n\
             spec:\n  securityLevel: advanced\n  lifetime: 90d\n  roles: {roles}\n{scope}"
        )
    });
    let text = documents.collect::<Vec<_>>().join("---\n");
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("cortexkey.yaml"), POLICY).unwrap();
    fs::create_dir(folder.path().join("keys")).unwrap();
    fs::write(folder.path().join("keys/all.yaml"), text).unwrap();
    folder
}

fn run_in(folder: &Path, args: &[&str]) -> Ran {
    finish(cortexkey(args).current_dir(folder))
}

fn ask_in(folder: &Path, args: &[&str], question: &str) -> Ran {
    let mut command = cortexkey(args);
    command.args(["--question", "-"]).current_dir(folder);
    finish_with(&mut command, question.as_bytes())
}

/// A command and all of its output, for a snapshot.
fn reported(all: &mut String, args: &[&str], ran: &Ran, code: i32) {
    assert_eq!(ran.code, code, "{args:?}: {ran:?}");
    assert!(!ran.stderr.contains("panicked"), "{args:?}: {ran:?}");
    assert!(!ran.stdout.contains("CANARY") && !ran.stderr.contains("CANARY"), "{args:?}: {ran:?}");
    assert!(!ran.stdout.contains('\u{1b}'), "colours in a pipe");
    let args = args.join(" ").replace(CANARY, "KEY");
    all.push_str(&format!("$ {args}\n{}{}exit {code}\n\n", ran.stdout, ran.stderr));
}

fn tell(all: &mut String, folder: &Path, args: &[&str], code: i32) {
    reported(all, args, &run_in(folder, args), code);
}

#[test]
fn the_example_in_words() {
    let mut all = String::new();
    for (args, code) in [
        (&["access", "svc-siem-export-prod"][..], 0),
        (&["access", "svc-siem-export-prod", "--asset", "prod-eu"], 0),
        (&["access", "svc-siem-export-prod", "--asset", "prod-us,prod-ap"], 1),
        (&["access", "svc-siem-export-prod", "--asset", ""], 1),
        (&["access", "prod-eu/bot-triage-prod", "--endpoint", "laptops", "--tag", "vip"], 1),
        (&["access", "keys/bot-triage-prod.yaml", "--component", "Public API=edit"], 1),
        (&["access", "svc-siem-export-prod", "--component", "Cases and Issues=edit"], 1),
        (&["access", "svc-siem-export-prod", "--component", "Something of ours=view"], 1),
        (&["access", "bot-triage-prod", "--action", "Live Terminal"], 1),
    ] {
        tell(&mut all, &example(), args, code);
    }
    insta::assert_snapshot!(all);
}

#[test]
fn the_example_as_json() {
    let mut all = String::new();
    for (args, code) in [
        (&["access", "svc-siem-export-prod", "--format", "json"][..], 0),
        (&["access", "svc-siem-export-prod", "--asset", "prod-us", "--format", "json"], 1),
        (&["access", "bot-triage-prod", "--action", "Isolate", "--format", "json"], 0),
    ] {
        let ran = run_in(&example(), args);
        let _: Value = serde_json::from_str(&ran.stdout).unwrap();
        reported(&mut all, args, &ran, code);
    }
    insta::assert_snapshot!(all);
}

#[test]
fn all_keys_show_what_they_would_lose_with_scopes_enforced() {
    let open = "  scope:\n    assets: { mode: all }\n    \
                casesAndIssues: { mode: all, unreferenced: true }\n    endpoints: { mode: all }\n";
    let folder = corpus(&[
        ("scoped", "off", "[Viewer]", SCOPE),
        ("bare", "off", "[Viewer]", ""),
        ("open", "unsaid", "[Viewer]", open),
        ("limited", "on", "[Viewer]", SCOPE),
        ("soar", "soar", "[Analyst]", ""),
    ]);
    let args = ["access", "--all", "--if-enforced", "--format", "json"];
    let ran = run_in(folder.path(), &args);
    assert_eq!(ran.code, 0, "{ran:?}");
    let json: Value = serde_json::from_str(&ran.stdout).unwrap();
    let of = |name: &str| {
        let keys = json["keys"].as_array().unwrap();
        let key = keys.iter().find(|key| key["key"] == name).unwrap();
        let lost = key["loses"].as_array().unwrap().len();
        (key["scopes"].as_str().unwrap(), key["hasScope"].as_bool().unwrap(), lost)
    };
    assert_eq!(of("bare"), ("not-enforced", false, 1));
    assert_eq!(of("open"), ("not-enforced", true, 0));
    assert_eq!(of("limited"), ("enforced", true, 0));
    assert_eq!(of("soar"), ("not-scoped", false, 0));
    let (state, has_scope, lost) = of("scoped");
    assert!(state == "not-enforced" && has_scope && lost > 3, "{lost}");

    let mut all = String::new();
    tell(&mut all, folder.path(), &["access", "--all", "--if-enforced"], 0);
    tell(&mut all, folder.path(), &["access", "bare", "--if-enforced"], 0);
    for wrong in [
        &["access", "--all"][..],
        &["access"],
        &["access", "bare", "--all", "--if-enforced"],
        &["access", "bare", "--if-enforced", "--asset", "x"],
    ] {
        assert_eq!(run_in(folder.path(), wrong).code, 2, "{wrong:?}");
    }
    insta::assert_snapshot!(all);

    // One invalid definition is an error, because the answer covers all keys.
    let broken = fs::read_to_string(folder.path().join("keys/all.yaml")).unwrap();
    fs::write(folder.path().join("keys/broken.yaml"), broken.replace("roles:", "rules:")).unwrap();
    assert_eq!(run_in(folder.path(), &args).code, 2);
}

#[test]
fn scopes_are_not_mentioned_for_products_without_them() {
    let folder = corpus(&[("soar", "soar", "[Read-Only]", "")]);
    let ran = run_in(folder.path(), &["access", "soar"]);
    wording!(ran.stdout);
    let ask = ["access", "soar", "--component", "Playbooks=view", "--format", "json"];
    let ran = run_in(folder.path(), &ask);
    let json: Value = serde_json::from_str(&ran.stdout).unwrap();
    let step = &json["decision"]["steps"][0];
    assert_eq!((&json["answer"], &step["certainty"]), (&"allowed".into(), &"documented".into()));
}

#[test]
fn tenants_differ_in_what_scopes_do() {
    let keys = ["on", "off", "unsaid", "soar", "old", "elsewhere"];
    let keys: Vec<_> = keys.iter().map(|name| (*name, *name, "[Viewer, Glass]", SCOPE)).collect();
    let folder = corpus(&keys);
    let mut all = String::new();
    for name in ["on", "off"] {
        tell(&mut all, folder.path(), &["access", name], 0);
    }
    for (name, code) in
        [("on", 1), ("off", 0), ("unsaid", 1), ("soar", 0), ("old", 1), ("elsewhere", 1)]
    {
        tell(&mut all, folder.path(), &["access", name, "--asset", "x"], code);
    }
    insta::assert_snapshot!(all);

    let ran = run_in(folder.path(), &["access", "off", "--format", "json"]);
    let json: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(json["tenant"]["sbac"], "disabled");
    assert_eq!(json["rights"]["makesKeys"], true);
    assert!(json["withScopesOn"]["loses"].as_array().unwrap().len() > 3, "{json}");
}

#[test]
fn a_key_without_a_scope_and_one_that_does_not_know() {
    let unknown = SCOPE.replace("unreferenced: false", "unreferenced: unknown");
    let raw = SCOPE.replace(
        "{ mode: select, groups: [servers], tags: [vip] }",
        "{ mode: raw, groupsMode: see_all, tagsMode: scope, tags: [vip] }",
    );
    let folder = corpus(&[
        ("bare", "unsaid", "[Instance Administrator]", ""),
        ("unsure", "on", "[Nobody]", &unknown),
        ("raw", "on", "[Viewer]", &raw),
    ]);
    let mut all = String::new();
    for name in ["bare", "unsure", "raw"] {
        tell(&mut all, folder.path(), &["access", name], 0);
    }
    let question = r#"{"issue":{"domain":"IT","references":["unknown"]}}"#;
    let ran = ask_in(folder.path(), &["access", "unsure"], question);
    reported(&mut all, &["access unsure --question", question], &ran, 1);
    insta::assert_snapshot!(all);
}

#[test]
fn questions_as_json() {
    let folder = corpus(&[("on", "on", "[Viewer]", SCOPE)]);
    let mut all = String::new();
    let agent = r#"{"asset":{"groups":[],"endpoint":{"groups":["servers"],"tags":["vip"]}}}"#;
    let issue = format!(r#"{{"domain":"Security","references":[{agent},"deleted"]}}"#);
    let canary = format!(r#"{{"asset":{{"groups":["x"],"{CANARY}":1}}}}"#);
    for (question, code) in [
        (&*format!(r#"{{"issue":{issue}}}"#), 0),
        (&*format!(r#"{{"case":{{"domain":"Posture","issues":[{issue}]}}}}"#), 1),
        (r#"{"finding":{"assetGroups":["prod-eu"]}}"#, 0),
        (r#"{"manage-endpoint":{"groups":["servers"],"tags":[]}}"#, 1),
        (r#"{"dataset-row":{"dataset":"xdr_data","row":{"_vendor":"acme"}}}"#, 0),
        (r#"{"dataset-row":{"dataset":"xdr_data","row":{"_product":"x"}}}"#, 1),
        (r#"{"component":{"name":"Public API","permission":"edit"}}"#, 1),
        // Invalid questions.
        (r#"{"issue":{"domian":"Posture","references":[]}}"#, 2),
        (r#"{"isue":{"domain":"Posture","references":[]}}"#, 2),
        (r#"{"issue":{"domain":"Posture"}}"#, 2),
        (r#"{"asset":{"groups":"prod-eu"}}"#, 2),
        (r#"{"asset":{"groups":[]}"#, 2),
        ("", 2),
        (&canary, 2),
        (&format!("\"{}\"", " ".repeat(1 << 20)), 3),
    ] {
        let ran = ask_in(folder.path(), &["access", "on"], question);
        let shown = question.get(..300).unwrap_or(question).trim_end().replace(CANARY, "KEY");
        reported(&mut all, &["access on --question -", &shown], &ran, code);
    }
    insta::assert_snapshot!(all);
}

#[test]
fn common_mistakes() {
    let folder = corpus(&[("one", "on", "[Viewer]", SCOPE), ("two", "on", "[Viewer]", SCOPE)]);
    let path = folder.path();
    let again = "apiVersion: cortexkey/v1\nkind: ApiKey\nmetadata: { name: one, tenant: off }\n\
                 spec: { securityLevel: advanced, roles: [Viewer] }\n";
    fs::write(path.join("keys/again.yaml"), again).unwrap();
    fs::write(path.join("keys/broken.yaml"), again.replace("one", "b").replace("roles", "rols"))
        .unwrap();
    fs::write(path.join("keys/no.yaml"), "a: [").unwrap();
    let conflict = SCOPE.replace("assets: { mode: select", "assets: { mode: all");
    let (head, _) = again.split_once("spec:").unwrap();
    let spec = "spec:\n  securityLevel: advanced\n  roles: [Viewer]\n";
    let text = format!("{}{spec}{conflict}", head.replace("one", "c"));
    fs::write(path.join("keys/conflict.yaml"), text).unwrap();
    let mut all = String::new();
    for (args, code) in [
        (&["access", "thre"][..], 2),
        (&["access", "twoo"], 2),
        (&["access", CANARY], 2),
        (&["access", "one"], 2),
        (&["access", "on/one", "--asset", "prod-eu"], 0),
        (&["access", "off/one", "--asset", "prod-eu"], 0),
        (&["access", "b"], 2),
        (&["access", "c"], 2),
        (&["access", "keys/no.yaml"], 2),
        (&["access", "keys/none.yaml"], 3),
        (&["access", "keys"], 2),
        (&["access", "keys/all.yaml"], 2),
        (&["access", "keys/all.yaml", "--name", "tow"], 2),
        (&["access", "keys/all.yaml", "--name", "two", "--asset", "prod-eu"], 0),
        (&["access", "two", "--name", "two"], 2),
        (&["access", "two", "--component", "Public API"], 2),
        (&["access", "two", "--component", "Public API=edti"], 2),
        (&["access", "two", "--component", "Public API=none"], 2),
        (&["access", "two", "--component", "public api=edit"], 2),
        (&["access", "two", "--asset", "a", "--action", "b"], 2),
        (&["access", "two", "--asset", "a", "--tag", "b"], 2),
        (&["access", "two", "--question", "none.json"], 3),
        (&["access", "two", "--policy", "none.yaml"], 2),
        (&["access", "two", "--policy", "builtin:strct"], 2),
    ] {
        tell(&mut all, path, args, code);
    }
    fs::write(path.join("cortexkey.yaml"), POLICY.replace("catalog:", "catalogue:")).unwrap();
    tell(&mut all, path, &["access", "two"], 2);
    fs::write(path.join("cortexkey.yaml"), format!("{POLICY}rules: {{ expiry-to-long: {{}} }}\n"))
        .unwrap();
    tell(&mut all, path, &["access", "two"], 2);
    let empty = tempfile::tempdir().unwrap();
    tell(&mut all, empty.path(), &["access", "two"], 3);
    insta::assert_snapshot!(all);
}

#[test]
fn names_are_fit_for_a_terminal() {
    let folder = corpus(&[("x", "on", &format!("[\"a\\eb\", {CANARY}]"), SCOPE)]);
    for format in ["text", "json"] {
        let ran = run_in(folder.path(), &["access", "x", "--format", format]);
        reported(&mut String::new(), &[format], &ran, 0);
    }
}

#[test]
fn roles_are_listed_and_shown() {
    let folder = corpus(&[]);
    let mut all = String::new();
    for (args, code) in [
        (&["roles"][..], 0),
        (&["roles", "--product", "agentix"], 0),
        (&["roles", "Glass"], 0),
        (&["roles", "Minter", "--format", "json"], 0),
        (&["roles", "Account Admin"], 0),
        (&["roles", "CLI Read Only Role"], 0),
        (&["roles", "Analyst", "--product", "xsiam"], 2),
        (&["roles", "Minster"], 2),
        (&["roles", "Something else entirely"], 2),
        (&["roles", "--product", "xsoar"], 2),
    ] {
        tell(&mut all, folder.path(), args, code);
    }
    insta::assert_snapshot!(all);
    let ran = run_in(folder.path(), &["roles", "--format", "json"]);
    let json: Value = serde_json::from_str(&ran.stdout).unwrap();
    let roles = json["roles"].as_array().unwrap();
    assert!(roles.len() > 30);
    assert_eq!(roles.last().unwrap()["implies"], serde_json::json!(["Minter"]));
}
