//! Each feature over the protocol, in a folder whose policy has everything that a feature can show.

use lsp_server::{Connection, Message, Notification, Request, RequestId};
use serde_json::{Value, json};

use crate::editor::{self, Editor};

const POLICY: &str = "\
apiVersion: cortexkey/v1
kind: Policy
metadata: { name: acme }
extends: [builtin:recommended]
keys: [keys/**/*.yaml]
tenants:
  prod:
    product: xsiam
    sbac: disabled
    assetGroups: [{ name: servers, id: 1 }, { name: laptops, id: 2 }]
    endpointGroups: [linux]
    endpointTags: [vip]
    domains: [Fraud]
catalog:
  teams: [team-detection]
  roles:
    - name: SIEM Export
      components: { Public API: view, Alerts: view }
rules:
  expiry-too-long:
    max: 90d
    overrides:
      - { match: { owner: team-detection }, max: 60d }
  ORG001: { severity: warning }
customRules:
  - { id: ORG001, name: few-roles, message: too many roles, severity: error, assert: size(key.spec.roles) < 3 }
waivers:
  - { rule: few-roles, key: prod/svc-a, reason: SEC-1, approvedBy: ciso, expires: 2099-01-01 }
";

const KEYS: &str = "\
apiVersion: cortexkey/v1
kind: ApiKey
metadata:
  name: svc-a
  owner: team-detection
  tenant: prod
spec:
  securityLevel: advanced
  comment: Exports incidents to the SIEM
  lifetime: 30d
  roles: [SIEM Export]  # cortexkey: ignore[few-roles] reason=\"SEC-1\" until=2099-01-01
  scope:
    assets:
      mode: select
      groups:
        - servers
        - 
    casesAndIssues: { mode: none }
    endpoints: { mode: none }
---
apiVersion: cortexkey/v1
kind: ApiKey
metadata: { name: svc-b, owner: team-detection, tenant: prod }
spec:
  securityLevel: advanced
  comment: Exports issues to the SIEM
  lifetime: 900d
  roles: [SIEM Export]
  scope:
    assets: { mode: none }
    casesAndIssues: { mode: none }
    endpoints: { mode: none }
";

/// The text without the item that is being typed.
fn whole() -> String {
    KEYS.replace("        - \n", "")
}

fn start() -> Editor {
    let text = whole();
    let mut editor =
        Editor::start(&[("cortexkey.yaml", POLICY), ("keys/a.yaml", &text)], &["utf-8"]);
    editor.open("keys/a.yaml", &text);
    editor.open("cortexkey.yaml", POLICY);
    editor
}

/// A request at the first occurrence of a text in a document.
fn at(editor: &mut Editor, method: &str, path: &str, text: &str, needle: &str) -> Value {
    let offset = text.find(needle).unwrap() + needle.len().min(1);
    let line = text[..offset].matches('\n').count();
    let column = offset - text[..offset].rfind('\n').map_or(0, |at| at + 1);
    let params = json!({
        "textDocument": { "uri": editor.uri(path) },
        "position": { "line": line, "character": column },
        "context": { "includeDeclaration": true },
        "newName": "svc-new",
    });
    editor.request(&format!("textDocument/{method}"), &params)
}

/// Locations, as the file's name and the text of the line.
fn lines(locations: &Value) -> Vec<(String, String)> {
    let whole = whole();
    let of = |it: &Value| {
        let file = it["uri"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
        let text = if file == "cortexkey.yaml" { POLICY } else { &whole };
        let line = usize::try_from(it["range"]["start"]["line"].as_u64().unwrap()).unwrap();
        (file, text.lines().nth(line).unwrap().trim().to_owned())
    };
    locations.as_array().unwrap().iter().map(of).collect()
}

fn in_policy(line: &str) -> (String, String) {
    let line = POLICY.lines().find(|it| it.trim().starts_with(line)).unwrap();
    ("cortexkey.yaml".to_owned(), line.trim().to_owned())
}

#[test]
fn rules_link_to_their_definition_and_settings() {
    let mut editor = start();
    let wanted = [in_policy("- { id: ORG001"), in_policy("ORG001:")];
    let text = whole();
    for (path, text, place) in [
        ("keys/a.yaml", text.as_str(), "few-roles]"),
        ("cortexkey.yaml", POLICY, "few-roles, key"),
        ("cortexkey.yaml", POLICY, "ORG001: {"),
    ] {
        let found = at(&mut editor, "definition", path, text, place);
        assert_eq!(lines(&found), wanted, "{place}");
    }
    let found = at(&mut editor, "references", "cortexkey.yaml", POLICY, "ORG001: {");
    let found = lines(&found);
    assert_eq!(found.len(), 4, "{found:?}");
    assert!(found.contains(&in_policy("- { rule: few-roles")));
    assert!(found[3].1.starts_with("roles: [SIEM Export]  # cortexkey"), "{found:?}");
    // A rule of the linter leads to where the policy sets it, with its overrides.
    let changed = text.replace("ignore[few-roles]", "ignore[E003]");
    editor.replace("keys/a.yaml", 2, &changed);
    let found = at(&mut editor, "definition", "keys/a.yaml", &changed, "E003]");
    assert!(lines(&found).contains(&in_policy("expiry-too-long:")), "{found}");
}

#[test]
fn keys_roles_and_tenants_link_to_each_other() {
    let mut editor = start();
    let text = whole();
    let key = at(&mut editor, "definition", "cortexkey.yaml", POLICY, "prod/svc-a");
    assert_eq!(lines(&key), [("a.yaml".to_owned(), "name: svc-a".to_owned())]);
    let key = at(&mut editor, "references", "keys/a.yaml", &text, "svc-a");
    assert_eq!(lines(&key)[1], in_policy("- { rule: few-roles"));
    let role = at(&mut editor, "definition", "keys/a.yaml", &text, "SIEM Export]");
    assert_eq!(lines(&role), [in_policy("- name: SIEM Export")]);
    let role = at(&mut editor, "references", "cortexkey.yaml", POLICY, "SIEM Export");
    assert_eq!(lines(&role).len(), 3, "{role}");
    let tenant = at(&mut editor, "definition", "keys/a.yaml", &text, "prod\nspec");
    assert_eq!(lines(&tenant), [in_policy("prod:")]);
    let tenant = at(&mut editor, "references", "cortexkey.yaml", POLICY, "prod:");
    assert_eq!(lines(&tenant).len(), 3, "{tenant}");
}

#[test]
fn a_key_is_renamed_with_its_waivers_which_keep_their_tenant() {
    let mut editor = start();
    let edit = at(&mut editor, "rename", "cortexkey.yaml", POLICY, "prod/svc-a");
    let new = |path: &str, text: &str| {
        let edits = edit["changes"][editor.uri(path)].as_array().unwrap();
        editor::apply(text, edits)
    };
    assert_eq!(new("cortexkey.yaml", POLICY), POLICY.replace("prod/svc-a", "prod/svc-new"));
    assert_eq!(new("keys/a.yaml", &whole()), whole().replace("name: svc-a", "name: svc-new"));
}

#[test]
fn hover_explains_groups_and_losses() {
    let mut editor = start();
    let text = whole();
    let mut hover = |place: &str| {
        let hover = at(&mut editor, "hover", "keys/a.yaml", &text, place);
        hover["contents"]["value"].as_str().unwrap().to_owned()
    };
    let hovers: String = ["servers", "svc-a", "scope:", "30d", "few-roles]"]
        .map(|needle| format!("# {needle}\n\n{}\n\n", without_dates(&hover(needle))))
        .concat();
    insta::assert_snapshot!(hovers);
    let viewer = text.replacen("[SIEM Export]", "[Viewer]", 1);
    editor.replace("keys/a.yaml", 2, &viewer);
    let hover = at(&mut editor, "hover", "keys/a.yaml", &viewer, "Viewer");
    assert!(hover.to_string().contains("\\n- Public API: "), "{hover}");
}

/// The completions at the end of a text in a document.
fn offered(editor: &mut Editor, path: &str, text: &str, before: &str) -> Vec<String> {
    let offset = text.find(before).unwrap() + before.len();
    let line = text[..offset].matches('\n').count();
    let column = offset - text[..offset].rfind('\n').map_or(0, |at| at + 1);
    let place = json!({ "line": line, "character": column });
    let params = json!({ "textDocument": { "uri": editor.uri(path) }, "position": place });
    let items = editor.request("textDocument/completion", &params);
    let items = items.as_array().unwrap().iter();
    items.map(|item| item["label"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn completion_works_between_brackets_of_a_line() {
    let mut editor = start();
    let text = whole().replace(
        "    assets: { mode: none }\n    casesAndIssues: { mode: none }\n    endpoints: { mode: none }\n",
        "    assets: { mode: select, groups: [servers, ] }\n    casesAndIssues: { mode: }\n    \
         endpoints: { tags: [ ], mode: select,  }\n",
    );
    editor.replace("keys/a.yaml", 2, &text);
    let mut of = |before: &str| offered(&mut editor, "keys/a.yaml", &text, before);
    assert_eq!(of("groups: [servers, "), ["laptops", "servers"]);
    assert_eq!(of("casesAndIssues: { mode:"), ["none", "all", "select"]);
    assert_eq!(of("tags: [ "), ["vip"]);
    assert_eq!(of("mode: select,  "), ["groups", "groupsMode", "tagsMode"]);
    assert_eq!(of("name: svc-b, owner: "), ["team-detection"]);
    let policy =
        POLICY.replace("match: { owner: team-detection }", "match: { owner: , roles: [] }");
    editor.replace("cortexkey.yaml", 2, &policy);
    let mut of = |before: &str| offered(&mut editor, "cortexkey.yaml", &policy, before);
    assert_eq!(of("match: { owner: "), ["team-detection"]);
    assert!(of("roles: [").contains(&"SIEM Export".to_owned()));
}

#[test]
fn completion_offers_the_options_of_a_rule() {
    let mut editor = start();
    let policy = POLICY.replace(
        "  expiry-too-long:\n    max: 90d\n",
        "  expiry-too-long:\n    max: 90d\n    \n  expiry-off-hours:\n    weekend: []\n  owner-missing: { }\n",
    );
    editor.replace("cortexkey.yaml", 2, &policy);
    let mut of = |before: &str| offered(&mut editor, "cortexkey.yaml", &policy, before);
    let options = of("max: 90d\n    ");
    assert!(options.contains(&"severity".to_owned()), "{options:?}");
    assert!(!options.contains(&"max".to_owned()), "{options:?}");
    assert_eq!(of("weekend: [")[0], "monday");
    assert!(of("expiry-off-hours:\n    ").contains(&"freezes".to_owned()));
    assert_eq!(of("max: 9"), Vec::<String>::new());
    assert!(of("owner-missing: { ").contains(&"enabled".to_owned()));
}

#[test]
fn teams_and_listed_names_lead_to_the_policy() {
    let mut editor = start();
    let text = whole();
    let team = at(&mut editor, "definition", "keys/a.yaml", &text, "team-detection");
    assert_eq!(lines(&team), [in_policy("teams: [team-detection]")]);
    let team = at(&mut editor, "references", "cortexkey.yaml", POLICY, "team-detection }, max");
    assert_eq!(lines(&team).len(), 3, "{team}");
    let group = at(&mut editor, "definition", "keys/a.yaml", &text, "servers");
    assert_eq!(lines(&group), [in_policy("assetGroups:")]);
    let group = at(&mut editor, "references", "keys/a.yaml", &text, "servers");
    assert_eq!(lines(&group).len(), 2, "{group}");
    let policy =
        POLICY.replace("match: { owner: team-detection }", "match: { roles: [ SIEM Export ] }");
    editor.replace("cortexkey.yaml", 2, &policy);
    let role = at(&mut editor, "definition", "cortexkey.yaml", &policy, "SIEM Export ]");
    assert_eq!(lines(&role), [in_policy("- name: SIEM Export")]);
}

#[test]
fn only_what_can_be_renamed_is_offered_for_it() {
    let mut editor = start();
    let text = whole();
    let key = at(&mut editor, "prepareRename", "keys/a.yaml", &text, "svc-a");
    assert_eq!(key["start"], json!({ "line": 3, "character": 8 }));
    let waived = at(&mut editor, "prepareRename", "cortexkey.yaml", POLICY, "prod/svc-a");
    assert_eq!(waived["end"]["character"], 38, "{waived}");
    let role = at(&mut editor, "prepareRename", "keys/a.yaml", &text, "SIEM Export");
    assert_eq!(role, Value::Null);
}

#[test]
fn no_suppression_is_offered_that_the_policy_forbids() {
    let mut editor = start();
    let text = whole().replace("lifetime: 30d", "lifetime: 400d");
    editor.replace("keys/a.yaml", 2, &text);
    let titles = |editor: &mut Editor| {
        let range = json!({ "start": { "line": 9, "character": 0 }, "end": { "line": 9, "character": 30 } });
        let params = json!({ "textDocument": { "uri": editor.uri("keys/a.yaml") }, "range": range,
            "context": { "diagnostics": [] } });
        editor.request("textDocument/codeAction", &params).to_string()
    };
    assert!(titles(&mut editor).contains("Suppress expiry-too-long"));
    let locked = POLICY.replace("    max: 90d\n", "    max: 90d\n    locked: true\n");
    editor.replace("cortexkey.yaml", 2, &locked);
    let left = titles(&mut editor);
    assert!(!left.contains("Suppress expiry-too-long"), "{left}");
    assert!(left.contains("Waive expiry-too-long"), "{left}");
}

#[test]
fn a_policy_without_any_definition_is_reported() {
    let mut editor = Editor::start(&[("cortexkey.yaml", POLICY)], &["utf-8"]);
    let reported = editor.next("window/showMessage", "textDocument/publishDiagnostics");
    assert_eq!(reported["type"], 1, "{reported}");
}

/// The text with `DATE` in place of each date and time.
fn without_dates(text: &str) -> String {
    let is_date = |word: &&str| word.len() >= 10 && word.starts_with("20") && word.contains('-');
    let words = text.split_inclusive([' ', '\n', '`', ',', ')']);
    words
        .map(|word| {
            let bare = word.trim_end_matches([' ', '\n', '`', ',', ')']);
            if is_date(&bare) { word.replace(bare, "DATE") } else { word.to_owned() }
        })
        .collect()
}

#[test]
fn completion_offers_names_of_the_tenant() {
    let mut editor = start();
    editor.replace("keys/a.yaml", 2, KEYS);
    let labels = |items: &Value| -> Vec<String> {
        let items = items.as_array().unwrap().iter();
        items.map(|item| item["label"].as_str().unwrap().to_owned()).collect()
    };
    let place = json!({ "line": 16, "character": 10 });
    let params = json!({ "textDocument": { "uri": editor.uri("keys/a.yaml") }, "position": place });
    let groups = editor.request("textDocument/completion", &params);
    assert_eq!(labels(&groups), ["laptops", "servers"]);
    for (old, field, wanted) in [
        (
            "endpoints: { mode: none }\n---",
            "endpoints:\n      mode: select\n      groups:\n        - \n---",
            "linux",
        ),
        (
            "endpoints: { mode: none }\n---",
            "endpoints:\n      mode: select\n      tags:\n        - \n---",
            "vip",
        ),
        (
            "casesAndIssues: { mode: none }\n    endpoints: { mode: none }\n---",
            "casesAndIssues:\n      mode: select\n      domains:\n        - \n---",
            "Fraud",
        ),
    ] {
        let text = whole().replacen(old, field, 1);
        editor.replace("keys/a.yaml", 3, &text);
        let line = text.lines().position(|line| line == "        - ").unwrap();
        let place = json!({ "line": line, "character": 10 });
        let params =
            json!({ "textDocument": { "uri": editor.uri("keys/a.yaml") }, "position": place });
        let offered = labels(&editor.request("textDocument/completion", &params));
        assert!(offered.contains(&wanted.to_owned()), "{field}: {offered:?}");
    }
    // The policy's own rules beside those of the linter.
    let text = whole().replace("ignore[few-roles]", "ignore[]");
    editor.replace("keys/a.yaml", 4, &text);
    let column = text.lines().nth(10).unwrap().find("ignore[").unwrap() + 7;
    let place = json!({ "line": 10, "character": column });
    let params = json!({ "textDocument": { "uri": editor.uri("keys/a.yaml") }, "position": place });
    let rules = labels(&editor.request("textDocument/completion", &params));
    assert!(rules.contains(&"few-roles".to_owned()), "{rules:?}");
    assert!(rules.contains(&"expiry-too-long".to_owned()), "{rules:?}");
}

#[test]
fn hints_lenses_symbols_and_links_cover_every_document() {
    let mut editor = start();
    let uri = editor.uri("keys/a.yaml");
    let document = json!({ "textDocument": { "uri": uri } });
    let symbols = editor.request("textDocument/documentSymbol", &document);
    assert_eq!((&symbols[0]["name"], &symbols[1]["name"]), (&json!("svc-a"), &json!("svc-b")));
    assert_eq!(symbols[1]["selectionRange"]["start"], json!({ "line": 21, "character": 18 }));
    let lenses = editor.request("textDocument/codeLens", &document);
    assert_eq!(lenses.as_array().unwrap().len(), 2, "{lenses}");
    assert_eq!(lenses[1]["command"]["title"], "svc-a also has SIEM Export");
    let several = ["svc-c", "svc-d", "svc-e"].map(|name| whole().replace("svc-a", name));
    editor.replace("keys/a.yaml", 2, &[vec![whole()], several.to_vec()].concat().join("---\n"));
    let lenses = editor.request("textDocument/codeLens", &document);
    let title = "svc-b, svc-b and 5 more keys also have SIEM Export";
    assert_eq!(lenses[0]["command"]["title"], title);
    editor.replace("keys/a.yaml", 3, &whole());
    let range = |first: u32, last: u32| {
        json!({
            "textDocument": { "uri": uri },
            "range": { "start": { "line": first, "character": 0 }, "end": { "line": last, "character": 0 } },
        })
    };
    let hints = editor.request("textDocument/inlayHint", &range(0, 99));
    let labels: Vec<&str> =
        hints.as_array().unwrap().iter().map(|it| it["label"].as_str().unwrap()).collect();
    assert_eq!(labels.iter().filter(|label| **label == "2 components").count(), 2, "{labels:?}");
    let expiries = labels.iter().filter(|label| without_dates(label).contains("DATE"));
    assert_eq!(expiries.count(), 2, "{labels:?}");
    let hints = editor.request("textDocument/inlayHint", &range(0, 15));
    assert_eq!(hints.as_array().unwrap().len(), 2, "{hints}");
    let policy = json!({ "textDocument": { "uri": editor.uri("cortexkey.yaml") } });
    let links = editor.request("textDocument/documentLink", &policy);
    assert_eq!(links.as_array().unwrap().len(), 1, "{links}");
    assert!(links[0]["target"].as_str().unwrap().ends_with("/expiry-too-long.md"));
}

#[test]
fn fixing_all_and_formatting_make_the_same_edits() {
    let mut editor = start();
    let text = whole().replace("[SIEM Export]\n", "[SIEM Export, SIEM Export]\n");
    editor.replace("keys/a.yaml", 2, &text);
    let uri = editor.uri("keys/a.yaml");
    let actions = editor.request(
        "textDocument/codeAction",
        &json!({
            "textDocument": { "uri": uri },
            "range": { "start": { "line": 0, "character": 0 }, "end": { "line": 0, "character": 0 } },
            "context": { "diagnostics": [], "only": ["source.fixAll"] },
        }),
    );
    let actions = actions.as_array().unwrap();
    assert_eq!(actions.len(), 1, "{actions:?}");
    assert_eq!(actions[0]["kind"], "source.fixAll.cortexkey");
    let fixed = editor::apply(&text, actions[0]["edit"]["changes"][&uri].as_array().unwrap());
    let format = json!({
        "textDocument": { "uri": uri }, "options": { "tabSize": 2, "insertSpaces": true },
    });
    let edits = editor.request("textDocument/formatting", &format);
    assert_eq!(editor::apply(&text, edits.as_array().unwrap()), fixed);
    assert_eq!(fixed.matches("SIEM Export").count(), 2, "{fixed}");
}

const NAMES: &str = "\
apiVersion: cortexkey/v1
kind: Policy
metadata: { name: acme }
extends: [builtin:recommended]
keys: [keys/**/*.yaml]
";

fn named(name: &str) -> String {
    format!(
        "apiVersion: cortexkey/v1\nkind: ApiKey\nmetadata:\n  name: {name}\n  owner: team-{name}\nspec: {{}}\n"
    )
}

fn has(found: &[Value], rule: &str) -> bool {
    found.iter().any(|it| it["code"] == rule)
}

#[test]
fn unsaved_texts_count_in_the_findings_of_other_files() {
    let a = named("svc-a");
    let b = named("svc-b");
    let files = [("cortexkey.yaml", NAMES), ("keys/svc-a.yaml", &a), ("keys/svc-b.yaml", &b)];
    let mut editor = Editor::start(&files, &["utf-16"]);
    editor.open("keys/svc-a.yaml", &a);
    let own = |editor: &mut Editor| {
        ["keys/svc-a.yaml", "keys/svc-b.yaml"].map(|it| has(&editor.settled(it), "duplicate-name"))
    };
    assert_eq!(own(&mut editor), [false, false]);
    editor.replace("keys/svc-a.yaml", 2, &named("SVC-b"));
    assert_eq!(own(&mut editor), [false, true]);
    // The other file's unsaved text counts too.
    editor.open("keys/svc-b.yaml", &b);
    editor.replace("keys/svc-b.yaml", 2, &named("svc-c"));
    assert_eq!(own(&mut editor), [false, false]);
    // So does an unsaved policy, together with both.
    editor.replace("keys/svc-b.yaml", 3, &b);
    editor.open("cortexkey.yaml", NAMES);
    let off = format!("{NAMES}rules: {{ duplicate-name: {{ enabled: false }} }}\n");
    editor.replace("cortexkey.yaml", 2, &off);
    assert_eq!(own(&mut editor), [false, false]);
    editor.replace("cortexkey.yaml", 3, NAMES);
    assert_eq!(own(&mut editor), [false, true]);
    editor.close("keys/svc-a.yaml");
    assert_eq!(own(&mut editor), [false, false]);
}

#[test]
fn findings_in_the_policy_are_sent_when_the_editor_is_idle() {
    let policy = format!("{NAMES}catalog: {{ roles: [{{ name: SIEM Export }}] }}\n");
    let a = named("svc-a");
    let files = [("cortexkey.yaml", policy.as_str()), ("keys/svc-a.yaml", &a)];
    let mut editor = Editor::start(&files, &["utf-16"]);
    editor.open("keys/svc-a.yaml", &a);
    assert!(has(&editor.settled("cortexkey.yaml"), "role-unused"));
    editor.replace("keys/svc-a.yaml", 2, &a.replace("{}", "{ roles: [SIEM Export] }"));
    loop {
        let shown = editor.next("textDocument/publishDiagnostics", "");
        let is_policy = shown["uri"] == editor.uri("cortexkey.yaml");
        if is_policy && !has(shown["diagnostics"].as_array().unwrap(), "role-unused") {
            break;
        }
    }
}

#[test]
fn several_folders_have_their_own_policies() {
    let a = named("svc-a");
    let lax = format!("{NAMES}rules: {{ comment-missing: {{ enabled: false }} }}\n");
    let files = [
        ("one/cortexkey.yaml", NAMES),
        ("one/keys/svc-a.yaml", &a),
        ("two/cortexkey.yaml", &lax),
        ("two/keys/svc-a.yaml", &a),
    ];
    let mut editor = Editor::start_in(&files, &["utf-16"], &["one", "two"]);
    let one = "one/keys/svc-a.yaml";
    let two = "two/keys/svc-a.yaml";
    assert!(has(&editor.settled(one), "comment-missing"));
    assert!(!has(&editor.settled(two), "comment-missing"));
    // The same name in another folder is another key.
    assert!(!has(&editor.settled(one), "duplicate-name"));
    let folder = json!({ "uri": editor.uri("one"), "name": "one" });
    editor.notify(
        "workspace/didChangeWorkspaceFolders",
        json!({ "event": { "added": [], "removed": [folder] } }),
    );
    assert!(editor.settled(one).is_empty());
    assert!(!editor.settled(two).is_empty());
}

#[test]
fn files_that_appear_on_disk_are_checked() {
    let a = named("svc-a");
    let files = [("cortexkey.yaml", NAMES), ("keys/svc-a.yaml", a.as_str())];
    let mut editor = Editor::start(&files, &["utf-16"]);
    editor.open("keys/svc-a.yaml", &a);
    assert!(!has(&editor.settled("keys/svc-b.yaml"), "duplicate-name"));
    editor.write("keys/svc-b.yaml", &a);
    let created = json!({ "uri": editor.uri("keys/svc-b.yaml"), "type": 1 });
    editor.notify("workspace/didChangeWatchedFiles", json!({ "changes": [created] }));
    assert!(has(&editor.settled("keys/svc-b.yaml"), "duplicate-name"));
    // The version on disk of an open file does not matter.
    editor.write("keys/svc-a.yaml", "kind: [");
    let changed = json!({ "uri": editor.uri("keys/svc-a.yaml"), "type": 2 });
    editor.notify("workspace/didChangeWatchedFiles", json!({ "changes": [changed] }));
    assert!(has(&editor.settled("keys/svc-b.yaml"), "duplicate-name"));
}

#[test]
fn a_cancelled_request_does_not_affect_others() {
    let folder = tempfile::tempdir().unwrap();
    let (client, server) = Connection::memory();
    let root = format!("file://{}", folder.path().display());
    let request = |id: i32, method: &str, params: Value| {
        let request = Request { id: RequestId::from(id), method: method.to_owned(), params };
        client.sender.send(request.into()).unwrap();
    };
    let notify = |method: &str, params: Value| {
        let notification = Notification { method: method.to_owned(), params };
        client.sender.send(notification.into()).unwrap();
    };
    // All messages wait before the server starts, as if it had been busy.
    request(1, "initialize", json!({ "processId": null, "rootUri": root, "capabilities": {} }));
    notify("initialized", json!({}));
    let hover = json!({
        "textDocument": { "uri": format!("{root}/a.yaml") },
        "position": { "line": 0, "character": 0 },
    });
    request(2, "textDocument/hover", hover.clone());
    request(3, "textDocument/hover", hover);
    notify("$/cancelRequest", json!({ "id": 2 }));
    let running = std::thread::spawn(move || cortexkey_lsp::serve(&server).unwrap());
    let mut codes = Vec::new();
    while codes.len() < 3 {
        if let Message::Response(it) = client.receiver.recv().unwrap() {
            codes.push((it.id.to_string(), it.error.map(|error| error.code)));
        }
    }
    let id = |number: &str| number.to_owned();
    assert_eq!(codes, [(id("1"), None), (id("2"), Some(-32800)), (id("3"), None)]);
    request(4, "shutdown", Value::Null);
    notify("exit", Value::Null);
    running.join().unwrap();
}

#[test]
fn a_definition_that_no_file_has_yet_is_checked() {
    let mut editor = start();
    let new = whole().replace("lifetime: 30d", "lifetime: 400d").replace("svc-", "new-");
    editor.open("keys/new.yaml", &new);
    assert!(has(&editor.settled("keys/new.yaml"), "expiry-too-long"));
    let fixed = new.replace("400d", "30d").replace("900d", "30d");
    editor.replace("keys/new.yaml", 2, &fixed);
    assert!(!has(&editor.settled("keys/new.yaml"), "expiry-too-long"));
    // Its names count for others until it is closed.
    let other = whole().replace("svc-a", "new-a");
    editor.replace("keys/a.yaml", 2, &other);
    assert!(has(&editor.settled("keys/new.yaml"), "duplicate-name"));
    editor.close("keys/new.yaml");
    assert_eq!(editor.settled("keys/new.yaml"), Vec::<Value>::new());
    // Files that the policy does not name are not part of it.
    editor.open("elsewhere.txt", &new);
    assert_eq!(editor.settled("elsewhere.txt"), Vec::<Value>::new());
}

#[test]
fn a_file_outside_the_open_folders_is_checked_by_its_own_policy() {
    let text = whole().replace("lifetime: 30d", "lifetime: 400d");
    let files = [
        ("one/cortexkey.yaml", POLICY),
        ("one/keys/a.yaml", KEYS),
        ("two/cortexkey.yaml", POLICY),
        ("two/keys/b.yaml", &text),
        ("three/b.yaml", &text),
    ];
    let mut editor = Editor::start_in(&files, &["utf-8"], &["one"]);
    assert_eq!(editor.settled("two/keys/b.yaml"), Vec::<Value>::new());
    editor.open("two/keys/b.yaml", &text);
    assert!(has(&editor.settled("two/keys/b.yaml"), "expiry-too-long"));
    // No policy, and no open folder: nothing is read.
    editor.open("three/b.yaml", &text);
    assert_eq!(editor.settled("three/b.yaml"), Vec::<Value>::new());
}
