//! The server as an editor sees it: messages in, messages out.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "what is measured is printed")]

mod editor;
mod features;
mod protocol;

use serde_json::json;

use editor::Editor;

const POLICY: &str = "\
apiVersion: cortexkey/v1
kind: Policy
metadata: { name: acme }
extends: [builtin:recommended]
keys: [keys/**/*.yaml]
tenants:
  prod: { product: xsiam }
catalog:
  teams: [team-detection]
  roles:
    - name: SIEM Export
waivers:
  - rule: ticket-missing
    key: svc-export
    reason: SEC-1
    approvedBy: ciso@example.com
    expires: 2099-01-01
";

const KEY: &str = "\
apiVersion: cortexkey/v1
kind: ApiKey
metadata:
  name: svc-export
  owner: team-detection
  tenant: prod
spec:
  securityLevel: advanced
  comment: Exports incidents to the SIEM
  expires: 2099-01-01
  roles: [SIEM Export]
";

fn editor() -> Editor {
    Editor::start(&[("cortexkey.yaml", POLICY), ("keys/a.yaml", KEY)], &["utf-16"])
}

#[test]
fn findings_are_those_of_the_buffer() {
    let mut editor = editor();
    editor.open("keys/a.yaml", KEY);
    let first = editor.diagnostics("keys/a.yaml");
    assert!(first.iter().any(|found| found["code"] == "expiry-too-long"), "{first:?}");
    let at = first.iter().find(|found| found["code"] == "expiry-too-long").unwrap();
    assert_eq!(at["range"]["start"], json!({ "line": 9, "character": 11 }));
    assert!(at["codeDescription"]["href"].as_str().unwrap().contains("expiry-too-long"));

    // One keystroke at a time; the file on disk stays as it was.
    editor.change("keys/a.yaml", 2, (9, 11, 9, 21), "never");
    let second = editor.diagnostics("keys/a.yaml");
    assert!(!second.iter().any(|found| found["code"] == "expiry-too-long"), "{second:?}");
    assert!(
        second.iter().any(|found| found["code"] == "expiry-missing"
            || found["code"].as_str().is_some_and(|code| code.starts_with("expiry"))),
        "{second:?}"
    );
    editor.close("keys/a.yaml");
    assert_eq!(editor.diagnostics("keys/a.yaml"), first);
}

#[test]
fn a_burst_of_changes_ends_with_the_findings_of_the_last() {
    let mut editor = editor();
    editor.open("keys/a.yaml", KEY);
    let clean = editor.diagnostics("keys/a.yaml");
    for version in 2..50 {
        editor.replace("keys/a.yaml", version, &format!("{KEY}# {version}\nbroken: [\n"));
    }
    editor.replace("keys/a.yaml", 50, KEY);
    assert_eq!(editor.settled("keys/a.yaml"), clean);
}

#[test]
fn fixes_and_suppressions_are_offered_at_their_findings() {
    let mut editor = editor();
    let duplicate = KEY.replace("[SIEM Export]", "[SIEM Export, SIEM Export]");
    editor.open("keys/a.yaml", &duplicate);
    let actions = editor.request(
        "textDocument/codeAction",
        &json!({
            "textDocument": { "uri": editor.uri("keys/a.yaml") },
            "range": { "start": { "line": 10, "character": 0 }, "end": { "line": 10, "character": 40 } },
            "context": { "diagnostics": [] },
        }),
    );
    let titles: Vec<_> = actions
        .as_array()
        .unwrap()
        .iter()
        .map(|action| action["title"].as_str().unwrap())
        .collect();
    assert!(titles.iter().any(|title| title.starts_with("Fix role-duplicate")), "{titles:?}");
    assert!(titles.iter().any(|title| title.starts_with("Suppress role-duplicate")), "{titles:?}");
    let all = editor.request(
        "textDocument/formatting",
        &json!({
            "textDocument": { "uri": editor.uri("keys/a.yaml") },
            "options": { "tabSize": 2, "insertSpaces": true },
        }),
    );
    let fixed = editor::apply(&duplicate, all.as_array().unwrap());
    editor.replace("keys/a.yaml", 2, &fixed);
    let left = editor.settled("keys/a.yaml");
    assert!(!left.iter().any(|found| found["code"] == "role-duplicate"), "{left:?}");
}

#[test]
fn no_suppression_is_offered_for_a_secret() {
    let mut editor = editor();
    let secret = KEY.replace("Exports incidents", &format!("api_key={}", "k7Qz".repeat(32)));
    editor.open("keys/a.yaml", &secret);
    let found = editor.diagnostics("keys/a.yaml");
    let secrets: Vec<_> = found
        .iter()
        .filter(|found| found["code"].as_str().is_some_and(|code| code.starts_with("secret")))
        .collect();
    assert!(!secrets.is_empty(), "{found:?}");
    assert!(!format!("{found:?}").contains("k7Qzk7Qz"), "a secret is repeated");
    let actions = editor.request(
        "textDocument/codeAction",
        &json!({
            "textDocument": { "uri": editor.uri("keys/a.yaml") },
            "range": secrets[0]["range"],
            "context": { "diagnostics": [] },
        }),
    );
    assert!(!actions.to_string().contains("Suppress secret"), "{actions}");
}

#[test]
fn names_link_to_their_occurrences() {
    let mut editor = editor();
    editor.open("keys/a.yaml", KEY);
    let at = |editor: &mut Editor, method: &str, line: u32, character: u32| {
        let params = json!({
            "textDocument": { "uri": editor.uri("keys/a.yaml") },
            "position": { "line": line, "character": character },
            "context": { "includeDeclaration": true },
            "newName": "svc-siem",
        });
        editor.request(method, &params)
    };
    let role = at(&mut editor, "textDocument/definition", 10, 12);
    assert_eq!(role[0]["uri"], editor.uri("cortexkey.yaml"));
    assert_eq!(role[0]["range"]["start"]["line"], 10);
    let tenant = at(&mut editor, "textDocument/definition", 5, 12);
    assert_eq!(tenant[0]["range"]["start"]["line"], 6);
    let key = at(&mut editor, "textDocument/references", 3, 10);
    assert_eq!(key.as_array().unwrap().len(), 2, "{key}");
    let edit = at(&mut editor, "textDocument/rename", 3, 10);
    let changes = edit["changes"].as_object().unwrap();
    assert_eq!(changes.len(), 2, "{edit}");
    assert!(changes.values().all(|edits| edits[0]["newText"] == "svc-siem"));
}

#[test]
fn hover_completion_symbols_hints_and_lenses() {
    let mut editor = editor();
    editor.open("keys/a.yaml", KEY);
    let uri = editor.uri("keys/a.yaml");
    let at = |line: u32, character: u32| json!({ "textDocument": { "uri": uri }, "position": { "line": line, "character": character } });
    let hover = editor.request("textDocument/hover", &at(7, 4));
    assert!(hover.to_string().contains("`standard`"), "{hover}");
    let hover = editor.request("textDocument/hover", &at(10, 12));
    assert!(hover.to_string().contains("SIEM Export"), "{hover}");
    let labels = |items: &serde_json::Value| -> Vec<String> {
        let items = items.as_array().unwrap().iter();
        items.map(|item| item["label"].as_str().unwrap().to_owned()).collect()
    };
    let levels = editor.request("textDocument/completion", &at(7, 17));
    assert_eq!(labels(&levels), ["standard", "advanced"]);
    let owners = editor.request("textDocument/completion", &at(4, 9));
    assert_eq!(labels(&owners), ["team-detection"]);
    let fields = editor.request("textDocument/completion", &at(5, 2));
    assert!(labels(&fields).contains(&"labels".to_owned()), "{fields}");
    assert!(!labels(&fields).contains(&"name".to_owned()), "{fields}");
    let document = json!({ "textDocument": { "uri": uri } });
    let symbols = editor.request("textDocument/documentSymbol", &document);
    assert_eq!(symbols[0]["name"], "svc-export");
    let range = json!({
        "textDocument": { "uri": uri },
        "range": { "start": { "line": 0, "character": 0 }, "end": { "line": 99, "character": 0 } },
    });
    let hints = editor.request("textDocument/inlayHint", &range);
    let days = hints[0]["label"].as_str().unwrap().split(' ').next().unwrap();
    assert!(days.parse::<u32>().is_ok(), "{hints}");
    let lenses = editor.request("textDocument/codeLens", &document);
    assert!(lenses[0]["command"]["title"].as_str().unwrap().contains("SIEM Export"));
}

#[test]
fn columns_use_the_negotiated_encoding() {
    // Characters of two UTF-16 units and four bytes before the finding.
    let key = KEY.replace("roles: [SIEM Export]", "roles: [\"𝕏𝕏\", Nowhere]");
    for (encoding, column) in [("utf-16", 18), ("utf-8", 22)] {
        let mut editor =
            Editor::start(&[("cortexkey.yaml", POLICY), ("keys/a.yaml", &key)], &[encoding]);
        editor.open("keys/a.yaml", &key);
        let found = editor.diagnostics("keys/a.yaml");
        let unknown = |it: &&serde_json::Value| {
            it["code"] == "role-unknown" && it["range"]["start"]["character"] == column
        };
        assert!(found.iter().any(|it| unknown(&it)), "{encoding}: {found:?}");
    }
}

#[test]
fn an_invalid_message_is_reported_and_the_server_continues() {
    let mut editor = editor();
    let error = editor.raw("textDocument/hover", &json!({ "textDocument": 7 }));
    assert_eq!(error["code"], -32602);
    let error = editor.raw("workspace/unheardOf", &json!({}));
    assert_eq!(error["code"], -32601);
    editor.open("keys/a.yaml", KEY);
    assert!(!editor.diagnostics("keys/a.yaml").is_empty());
}

#[test]
fn a_folder_that_cannot_be_checked_is_reported() {
    let broken =
        "kind: Policy\napiVersion: cortexkey/v1\nmetadata: { name: a }\nextends: [nowhere.yaml]\n";
    let mut editor = Editor::start(&[("cortexkey.yaml", broken), ("keys/a.yaml", KEY)], &["utf-8"]);
    let reported = editor.next("window/showMessage", "textDocument/publishDiagnostics");
    assert_eq!(reported["type"], 1, "{reported}");
}

#[test]
fn an_unsaved_policy_counts_for_every_file() {
    let mut editor = editor();
    editor.open("keys/a.yaml", KEY);
    let has = |found: &[serde_json::Value], rule: &str| found.iter().any(|it| it["code"] == rule);
    assert!(has(&editor.diagnostics("keys/a.yaml"), "expiry-too-long"));
    editor.open("cortexkey.yaml", POLICY);
    let off = format!("{POLICY}rules:\n  expiry-too-long: {{ enabled: false }}\n");
    editor.replace("cortexkey.yaml", 2, &off);
    assert!(!has(&editor.diagnostics("keys/a.yaml"), "expiry-too-long"));
    // A mistake is shown in the policy's own buffer.
    editor.replace("cortexkey.yaml", 3, &off.replace("expiry-too-long", "expiry-to-long"));
    assert!(has(&editor.diagnostics("cortexkey.yaml"), "policy-unknown-rule"));
    assert!(has(&editor.diagnostics("keys/a.yaml"), "expiry-too-long"));
    // Unsaved text does not count once its buffer is closed.
    editor.replace("cortexkey.yaml", 4, &off);
    editor.close("cortexkey.yaml");
    assert!(has(&editor.diagnostics("keys/a.yaml"), "expiry-too-long"));
}

/// How often a test runs whose message order depends on thread scheduling.
const ROUNDS: i32 = 50;

#[test]
fn typing_in_a_policy_does_not_wait_for_the_folder() {
    let mut editor = editor();
    editor.open("keys/a.yaml", KEY);
    editor.open("cortexkey.yaml", POLICY);
    let before = editor.settled("keys/a.yaml");
    let uri = editor.uri("cortexkey.yaml");
    let role = json!({ "textDocument": { "uri": uri }, "position": { "line": 10, "character": 15 },
        "context": { "includeDeclaration": true } });
    let field =
        json!({ "textDocument": { "uri": uri }, "position": { "line": 19, "character": 0 } });
    let is_overtaken = (2..ROUNDS).any(|version| {
        editor.replace(
            "cortexkey.yaml",
            version,
            &format!("{POLICY}rules:\n  expiry-to-long: {{}}\n"),
        );
        // The findings of the policy alone arrive before the folder is read.
        let shown = editor.next("textDocument/publishDiagnostics", "window/showMessage");
        assert_eq!((&shown["uri"], &shown["version"]), (&json!(uri), &json!(version)));
        assert!(shown["diagnostics"].to_string().contains("policy-unknown-rule"), "{shown}");
        let references = editor.send("textDocument/references", &role);
        let completion = editor.send("textDocument/completion", &field);
        let mut first = editor.answer();
        let is_overtaken = first.0 == completion;
        if is_overtaken {
            assert!(first.1.to_string().contains("notifyBefore"), "{first:?}");
            first = editor.answer();
        } else {
            assert_eq!(editor.answer().0, completion);
        }
        assert_eq!(first.0, references);
        assert_eq!(first.1.as_array().map(Vec::len), Some(2), "{first:?}");
        editor.replace("cortexkey.yaml", version, POLICY);
        assert_eq!(editor.settled("keys/a.yaml"), before);
        is_overtaken
    });
    assert!(is_overtaken, "no completion came before an answer that needs the folder");
}

#[test]
fn a_request_that_waits_can_be_cancelled() {
    let mut editor = editor();
    editor.open("cortexkey.yaml", POLICY);
    editor.settled("cortexkey.yaml");
    let document = json!({ "textDocument": { "uri": editor.uri("cortexkey.yaml") } });
    let is_cancelled = (2..ROUNDS).any(|version| {
        editor.replace("cortexkey.yaml", version, &format!("{POLICY}# {version}\n"));
        let first = editor.send("textDocument/documentLink", &document);
        let second = editor.send("textDocument/documentLink", &document);
        editor.notify("$/cancelRequest", json!({ "id": first }));
        let answers = [editor.answer(), editor.answer()];
        let of = |id: i32| answers.iter().find(|answer| answer.0 == id).unwrap();
        assert_eq!(of(second).2, json!(null), "only the first one was cancelled");
        of(first).2["code"] == -32800
    });
    assert!(is_cancelled, "no waiting request was cancelled");
}

#[test]
fn an_unchanged_policy_is_opened_and_closed_without_reading_the_folder() {
    let mut editor = editor();
    editor.settled("cortexkey.yaml");
    // A new, unreported file shows whether the folder was read.
    editor.write("keys/b.yaml", &KEY.replace("svc-export", "svc-other"));
    editor.open("cortexkey.yaml", POLICY);
    editor.settled("cortexkey.yaml");
    editor.close("cortexkey.yaml");
    assert_eq!(editor.settled("keys/b.yaml"), Vec::<serde_json::Value>::new());
    editor.open("cortexkey.yaml", &format!("{POLICY}# changed\n"));
    assert!(!editor.settled("keys/b.yaml").is_empty());
}

#[test]
fn a_waiver_is_offered_for_the_policy() {
    let mut editor = editor();
    editor.open("keys/a.yaml", KEY);
    let actions = editor.request(
        "textDocument/codeAction",
        &json!({
            "textDocument": { "uri": editor.uri("keys/a.yaml") },
            "range": { "start": { "line": 9, "character": 0 }, "end": { "line": 9, "character": 40 } },
            "context": { "diagnostics": [] },
        }),
    );
    let all = actions.as_array().unwrap();
    let waive = all.iter().find(|it| it["title"] == "Waive expiry-too-long in the policy").unwrap();
    let uri = editor.uri("cortexkey.yaml");
    let edits = waive["edit"]["changes"][&uri].as_array().unwrap();
    let text = editor::apply(POLICY, edits);
    assert!(text.starts_with(POLICY.trim_end()), "{text}");
    let end = &text[POLICY.trim_end().len()..];
    assert!(end.starts_with("\n  - rule: expiry-too-long\n    key: svc-export\n"), "{end}");
    // The policy with the waiver is a policy, in which the finding does not count.
    editor.open("cortexkey.yaml", &text);
    let found = editor.diagnostics("keys/a.yaml");
    assert!(!found.iter().any(|it| it["code"] == "expiry-too-long"), "{found:?}");
}

#[test]
fn a_keystroke_is_cheap_in_a_large_corpus() {
    use std::time::Instant;
    let wanted = std::env::var("CORTEXKEY_LSP_FILES").ok().and_then(|it| it.parse().ok());
    let count: usize = wanted.unwrap_or(300);
    let names: Vec<String> = (0..count).map(|n| format!("keys/{}/svc-{n}.yaml", n % 50)).collect();
    let texts: Vec<String> =
        (0..count).map(|n| KEY.replace("svc-export", &format!("svc-{n}"))).collect();
    let mut files = vec![("cortexkey.yaml", POLICY)];
    files.extend(names.iter().map(String::as_str).zip(texts.iter().map(String::as_str)));
    let began = Instant::now();
    let mut editor = Editor::start(&files, &["utf-8"]);
    editor.settled("keys/0/svc-0.yaml");
    let whole = began.elapsed();
    editor.open("keys/0/svc-0.yaml", &texts[0]);
    editor.settled("keys/0/svc-0.yaml");
    let mut taken = Vec::new();
    for version in 2..13 {
        let began = Instant::now();
        let date = format!("2{version:03}-01-01");
        editor.change("keys/0/svc-0.yaml", version, (9, 11, 9, 21), &date);
        let shown =
            editor.next("textDocument/publishDiagnostics", "textDocument/publishDiagnostics");
        taken.push(began.elapsed());
        assert_eq!(shown["uri"], editor.uri("keys/0/svc-0.yaml"));
        assert_eq!(shown["version"], version);
        editor.settled("keys/0/svc-0.yaml");
    }
    taken.sort();
    let keystroke = taken[taken.len() / 2];
    println!("{count} files: {whole:?} for all, {keystroke:?} for a keystroke");
    assert!(keystroke * 10 < whole, "{keystroke:?} of {whole:?}");
}
