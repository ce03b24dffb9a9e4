//! What clients may send besides the usual: early, odd and repeated messages, and folders in any form.

use std::fs;
use std::path::Path;
use std::thread::JoinHandle;
use std::time::Duration;

use cortexkey_lsp::ServerError;
use lsp_server::{Connection, Message, Notification, Request, RequestId, Response};
use serde_json::{Value, json};

use crate::editor::Editor;
use crate::{KEY, POLICY};

const PATIENCE: Duration = Duration::from_secs(60);

/// A client that sends any messages in any order.
struct Client {
    connection: Connection,
    server: JoinHandle<Result<(), ServerError>>,
    shown: Vec<Value>,
}

impl Client {
    fn start() -> Self {
        let (connection, server) = Connection::memory();
        let server = std::thread::spawn(move || cortexkey_lsp::serve(&server));
        Self { connection, server, shown: Vec::new() }
    }

    fn notify(&self, method: &str, params: Value) {
        let notification = Notification { method: method.to_owned(), params };
        self.connection.sender.send(notification.into()).unwrap();
    }

    fn request(&mut self, method: &str, params: Value) -> Response {
        let id = RequestId::from(method.to_owned());
        let request = Request { id: id.clone(), method: method.to_owned(), params };
        self.connection.sender.send(request.into()).unwrap();
        loop {
            match self.connection.receiver.recv_timeout(PATIENCE).unwrap() {
                Message::Response(response) if response.id == id => return response,
                Message::Notification(it) if it.method == "textDocument/publishDiagnostics" => {
                    self.shown.push(it.params);
                }
                _ => {}
            }
        }
    }

    fn code(&mut self, method: &str, params: Value) -> Option<i32> {
        self.request(method, params).error.map(|error| error.code)
    }

    fn end(mut self) {
        assert_eq!(self.code("shutdown", Value::Null), None);
        self.notify("exit", Value::Null);
        self.server.join().unwrap().unwrap();
    }
}

fn address(path: &Path) -> String {
    format!("file://{}", path.display())
}

/// A folder with a policy and a key.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("cortexkey.yaml"), POLICY).unwrap();
    fs::create_dir(folder.path().join("keys")).unwrap();
    fs::write(folder.path().join("keys/a.yaml"), KEY).unwrap();
    folder
}

#[test]
fn messages_that_come_early_do_not_end_the_server() {
    let folder = folder();
    let uri = format!("{}/keys/a.yaml", address(&fs::canonicalize(folder.path()).unwrap()));
    let at = json!({ "textDocument": { "uri": uri }, "position": { "line": 7, "character": 4 } });
    let mut client = Client::start();
    client.notify("textDocument/didOpen", json!({}));
    assert_eq!(client.code("textDocument/hover", at.clone()), Some(-32002));
    let root = json!({ "rootUri": address(folder.path()), "capabilities": {} });
    assert_eq!(client.code("initialize", root.clone()), None);
    // The client has not said yet that it is initialized.
    client.notify("$/setTrace", json!({ "value": "off" }));
    let document = json!({ "uri": uri, "languageId": "yaml", "version": 1, "text": KEY });
    client.notify("textDocument/didOpen", json!({ "textDocument": document }));
    let hover = client.request("textDocument/hover", at).result.unwrap();
    assert!(hover.to_string().contains("`standard`"), "{hover}");
    client.notify("initialized", json!({}));
    assert_eq!(client.code("initialize", root), Some(-32600));
    client.end();
}

#[test]
fn what_the_server_does_not_need_to_know_is_ignored() {
    let folder = folder();
    let root = address(folder.path());
    let odd = json!({
        "workspace": {
            "workspaceEdit": { "failureHandling": "later", "resourceOperations": ["create", "new"] },
            "didChangeWatchedFiles": 7,
        },
        "general": { "positionEncodings": ["utf-64", 8] },
    });
    for (params, is_found) in [
        (json!({ "rootUri": root }), true),
        (json!({ "rootUri": root, "capabilities": odd, "trace": "compact" }), true),
        (json!({ "rootUri": root, "workspaceFolders": null, "processId": "x" }), true),
        (json!({ "rootUri": null, "rootPath": folder.path() }), true),
        (json!({ "rootUri": folder.path() }), true),
        (json!({ "workspaceFolders": [{ "uri": "vscode-vfs://x/y" }, { "uri": root }, 7] }), true),
        (json!({ "rootUri": "not an address" }), false),
        (json!(null), false),
        (json!([1]), false),
    ] {
        let mut client = Client::start();
        let response = client.request("initialize", params.clone());
        let encoding = &response.result.unwrap()["capabilities"]["positionEncoding"];
        assert_eq!(encoding, "utf-16", "{params}");
        client.notify("initialized", json!({}));
        client.code("cortexkey/settled", json!({}));
        assert_eq!(!client.shown.is_empty(), is_found, "{params}");
        client.end();
    }
}

#[test]
fn a_connection_that_ends_after_the_shutdown_is_not_an_error() {
    for is_asked in [true, false] {
        let mut client = Client::start();
        client.request("initialize", json!({ "capabilities": {} }));
        if is_asked {
            client.request("shutdown", Value::Null);
        }
        drop(client.connection);
        assert_eq!(client.server.join().unwrap().is_ok(), is_asked);
    }
}

#[test]
fn folders_within_each_other_report_each_finding_once() {
    let files = [("cortexkey.yaml", POLICY), ("keys/a.yaml", KEY)];
    let shown = |roots: &[&str]| {
        let mut editor = Editor::start_in(&files, &["utf-16"], roots);
        editor.open("cortexkey.yaml", POLICY);
        let shown = ["cortexkey.yaml", "keys/a.yaml"].map(|path| editor.settled(path));
        // One keystroke in the file, too.
        editor.open("keys/a.yaml", KEY);
        editor.change("keys/a.yaml", 2, (0, 0, 0, 0), "#\n");
        (shown, editor.settled("keys/a.yaml").len())
    };
    let expected = shown(&[""]);
    assert!(expected.0.iter().all(|found| !found.is_empty()), "{expected:?}");
    for roots in [&["", "keys"][..], &["keys", ""], &["", ""], &["keys", "", "keys"], &["keys"]] {
        assert_eq!(shown(roots), expected, "{roots:?}");
    }
}

#[cfg(unix)]
#[test]
fn addresses_are_below_the_editors_own_folder() {
    let real = folder();
    // A finding that also points to the policy.
    let policy = format!("{POLICY}rules:\n  expiry-too-long: {{ max: 90d }}\n");
    fs::write(real.path().join("cortexkey.yaml"), policy).unwrap();
    let links = tempfile::tempdir().unwrap();
    let link = fs::canonicalize(links.path()).unwrap().join("link");
    std::os::unix::fs::symlink(real.path(), &link).unwrap();
    let mut client = Client::start();
    let root = address(&link);
    client.request("initialize", json!({ "rootUri": root, "capabilities": {} }));
    client.notify("initialized", json!({}));
    client.code("cortexkey/settled", json!({}));
    let is_below = |uri: &str| uri.starts_with(&root);
    let shown: Vec<&str> = client.shown.iter().filter_map(|it| it["uri"].as_str()).collect();
    assert!(shown.len() == 2 && shown.iter().all(|uri| is_below(uri)), "{shown:?}");
    let found = client.shown.iter().flat_map(|it| it["diagnostics"].as_array().unwrap());
    let related = found.flat_map(|it| it["relatedInformation"].as_array().into_iter().flatten());
    let related: Vec<&str> =
        related.map(|place| place["location"]["uri"].as_str().unwrap()).collect();
    assert!(!related.is_empty() && related.iter().all(|uri| is_below(uri)), "{related:?}");

    let uri = format!("{root}/keys/a.yaml");
    let document = json!({ "uri": uri, "languageId": "yaml", "version": 1, "text": KEY });
    client.notify("textDocument/didOpen", json!({ "textDocument": document }));
    let rename = json!({
        "textDocument": { "uri": uri },
        "position": { "line": 3, "character": 10 },
        "newName": "svc-siem",
    });
    let edit = client.request("textDocument/rename", rename).result.unwrap();
    let changes = edit["changes"].as_object().unwrap();
    assert!(changes.len() == 2 && changes.keys().all(|uri| is_below(uri)), "{edit}");
    client.end();
}

#[test]
fn lines_that_end_with_a_carriage_return_are_lines() {
    let mut editor =
        Editor::start(&[("cortexkey.yaml", POLICY), ("keys/a.yaml", KEY)], &["utf-16"]);
    editor.open("keys/a.yaml", &KEY.replace('\n', "\r"));
    let found = editor.settled("keys/a.yaml");
    let at = found.iter().find(|found| found["code"] == "expiry-too-long").unwrap();
    assert_eq!(at["range"]["start"], json!({ "line": 9, "character": 11 }));
    editor.change("keys/a.yaml", 2, (9, 11, 9, 21), "never");
    let found = editor.settled("keys/a.yaml");
    assert!(!found.iter().any(|found| found["code"] == "expiry-too-long"), "{found:?}");
}

#[test]
fn a_key_gets_no_name_that_is_taken_or_cannot_be_read() {
    let other = KEY.replace("svc-export", "svc-other");
    let files = [("cortexkey.yaml", POLICY), ("keys/a.yaml", KEY), ("keys/b.yaml", &other)];
    let mut editor = Editor::start(&files, &["utf-16"]);
    editor.open("keys/a.yaml", KEY);
    let mut rename = |name: &str| {
        let params = json!({
            "textDocument": { "uri": editor.uri("keys/a.yaml") },
            "position": { "line": 3, "character": 10 },
            "newName": name,
        });
        editor.raw("textDocument/rename", &params)["code"].as_i64()
    };
    for name in ["svc-other", "", " ", "a/b", "a\nb", "a\rb", "a\tb", "a\u{0}", "a\u{85}b"] {
        assert_eq!(rename(name), Some(-32803), "{name:?}");
    }
    for name in ["svc-export", "svc-siem", "a: b", "null"] {
        assert_eq!(rename(name), None, "{name:?}");
    }
}

#[test]
fn what_is_completed_has_the_form_of_its_place() {
    let policy = POLICY.replace("[team-detection]", "[team-detection, 'a: b']");
    let files = [("cortexkey.yaml", &*policy), ("keys/a.yaml", KEY)];
    let mut editor = Editor::start(&files, &["utf-16"]);
    editor.open("keys/a.yaml", KEY);
    let mut version = 1;
    let mut inserted = |text: &str| -> Vec<String> {
        let (before, after) = text.split_once('|').unwrap();
        version += 1;
        editor.replace("keys/a.yaml", version, &format!("{before}{after}"));
        let line = before.matches('\n').count();
        let character = before.rsplit('\n').next().unwrap().len();
        let params = json!({
            "textDocument": { "uri": editor.uri("keys/a.yaml") },
            "position": { "line": line, "character": character },
        });
        let items = editor.request("textDocument/completion", &params);
        let items = items.as_array().unwrap().iter();
        items.map(|item| item["insertText"].as_str().unwrap().to_owned()).collect()
    };
    let metadata = "kind: ApiKey\nmetadata:\n  name: x\n";
    assert_eq!(inserted(&format!("{metadata}  owner: |\n")), ["team-detection", "\"a: b\""]);
    assert_eq!(inserted(&format!("{metadata}  owner: \"|\"\n")), ["team-detection", "a: b"]);
    assert_eq!(inserted(&format!("{metadata}  owner: '|'\n")), ["team-detection", "a: b"]);
    let names = inserted(&format!("{metadata}  ow|\n"));
    assert!(names.contains(&"owner: ".to_owned()), "{names:?}");
    let names = inserted(&format!("{metadata}  ow|: x\n"));
    assert!(names.contains(&"owner".to_owned()), "{names:?}");
    let values = inserted(&format!("{metadata}  labels: {{ a: '#' }}\n  owner: |\n"));
    assert_eq!(values.len(), 2);
    assert_eq!(
        inserted("kind: ApiKey\nspec: { comment: 'a # b', securityLevel: | }\n"),
        ["standard", "advanced"]
    );
    assert_eq!(inserted("kind: ApiKey\nspec: # c\n  comment: a # |\n"), Vec::<String>::new());

    let json = "{\n  \"kind\": \"ApiKey\",\n  \"metadata\": {\n    \"name\": \"x\",\n";
    assert_eq!(inserted(&format!("{json}    \"owner\": |\n  }}\n}}\n"))[1], "\"a: b\"");
    assert_eq!(inserted(&format!("{json}    \"owner\": \"|\"\n  }}\n}}\n"))[1], "a: b");
    let names = inserted(&format!("{json}    |\n  }}\n}}\n"));
    assert!(names.contains(&"\"owner\": ".to_owned()), "{names:?}");
    let roles = inserted("kind: ApiKey\nspec:\n  roles: [\n    Viewer,\n    |\n  ]\n");
    assert!(roles.contains(&"SIEM Export".to_owned()), "{roles:?}");

    let mut editor = Editor::start(&files, &["utf-16"]);
    let text = policy.replace("waivers:", "rules:\n  expiry-too-long: { locked: }\nwaivers:");
    editor.open("cortexkey.yaml", &text);
    let line = text.lines().position(|line| line.contains("locked")).unwrap();
    let params = json!({
        "textDocument": { "uri": editor.uri("cortexkey.yaml") },
        "position": { "line": line, "character": 29 },
    });
    let flags = editor.request("textDocument/completion", &params);
    assert_eq!(flags[0]["insertText"], "true", "{flags}");
}

#[test]
fn edits_name_the_version_that_they_are_for() {
    let folder = folder();
    let root = address(&fs::canonicalize(folder.path()).unwrap());
    let uri = format!("{root}/keys/a.yaml");
    let mut client = Client::start();
    let edits = json!({ "workspaceEdit": { "documentChanges": true } });
    let params = json!({ "rootUri": root, "capabilities": { "workspace": edits } });
    client.request("initialize", params);
    let text = KEY.replace("[SIEM Export]", "[SIEM Export, SIEM Export]");
    let document = json!({ "uri": uri, "languageId": "yaml", "version": 7, "text": text });
    client.notify("textDocument/didOpen", json!({ "textDocument": document }));
    let position = |line: u32, character: u32| json!({ "line": line, "character": character });
    let params = json!({
        "textDocument": { "uri": uri },
        "range": { "start": position(10, 0), "end": position(10, 40) },
        "context": { "diagnostics": [] },
    });
    let actions = client.request("textDocument/codeAction", params).result.unwrap();
    let versions = actions.as_array().unwrap().iter().map(|action| {
        assert_eq!(action["edit"]["changes"], Value::Null);
        &action["edit"]["documentChanges"][0]["textDocument"]
    });
    let versions: Vec<_> = versions.filter(|it| it["uri"] == *uri).collect();
    assert!(versions.len() > 1 && versions.iter().all(|it| it["version"] == 7), "{actions}");
    let params = json!({
        "textDocument": { "uri": uri }, "position": position(3, 10), "newName": "svc-siem",
    });
    let edit = client.request("textDocument/rename", params).result.unwrap();
    let changes = edit["documentChanges"].as_array().unwrap();
    let policy = changes.iter().find(|it| it["textDocument"]["uri"] != *uri).unwrap();
    assert_eq!((changes.len(), &policy["textDocument"]["version"]), (2, &Value::Null), "{edit}");
    client.end();
}

#[test]
fn a_file_without_its_folder_has_findings_until_it_is_closed() {
    let folder = folder();
    let uri = format!("{}/keys/a.yaml", address(&fs::canonicalize(folder.path()).unwrap()));
    let mut client = Client::start();
    client.request("initialize", json!({ "capabilities": {} }));
    let document = json!({ "uri": uri, "languageId": "yaml", "version": 1, "text": KEY });
    client.notify("textDocument/didOpen", json!({ "textDocument": document }));
    client.code("cortexkey/settled", json!({}));
    client.notify("textDocument/didClose", json!({ "textDocument": { "uri": uri } }));
    client.code("cortexkey/settled", json!({}));
    let counts = |client: &Client, end: &str| -> Vec<usize> {
        let own = client.shown.iter().filter(|it| it["uri"].as_str().unwrap().ends_with(end));
        own.map(|it| it["diagnostics"].as_array().unwrap().len()).collect()
    };
    for end in ["keys/a.yaml", "cortexkey.yaml"] {
        let counts = counts(&client, end);
        assert!(counts.first() > Some(&0) && counts.last() == Some(&0), "{end}: {counts:?}");
    }
    client.end();
}

#[test]
fn a_definition_in_json_stays_json() {
    let policy = POLICY.replace("keys/**/*.yaml", "keys/**");
    let json = "{\n  \"apiVersion\": \"cortexkey/v1\",\n  \"kind\": \"ApiKey\",\n  \"metadata\": {\n    \
                \"name\": \"svc-export\",\n    \"owner\": \"nobody\"\n  },\n  \"spec\": {\n    \
                \"securityLevel\": \"advanced\",\n    \"roles\": [\n      \"Viewer\"\n    ]\n  }\n}\n";
    let files = [("cortexkey.yaml", &*policy), ("keys/a.json", json)];
    let mut editor = Editor::start(&files, &["utf-16"]);
    editor.open("keys/a.json", json);
    let at = |editor: &Editor, line: u32, character: u32| {
        json!({
            "textDocument": { "uri": editor.uri("keys/a.json") },
            "position": { "line": line, "character": character },
            "newName": "svc-siem",
        })
    };
    for (line, field) in [(7, "spec"), (8, "securityLevel"), (9, "roles")] {
        let place = at(&editor, line, 6);
        let hover = editor.request("textDocument/hover", &place);
        let text = hover["contents"]["value"].as_str().unwrap_or_default();
        assert!(text.contains(&format!("`{field}`")), "{line}: {hover}");
    }
    let place = at(&editor, 4, 14);
    let edit = editor.request("textDocument/rename", &place);
    assert_eq!(edit["changes"][editor.uri("keys/a.json")][0]["newText"], "\"svc-siem\"", "{edit}");
    assert_eq!(edit["changes"][editor.uri("cortexkey.yaml")][0]["newText"], "svc-siem", "{edit}");
    let actions = json!({
        "textDocument": { "uri": editor.uri("keys/a.json") },
        "range": { "start": { "line": 0, "character": 0 }, "end": { "line": 14, "character": 0 } },
        "context": { "diagnostics": [] },
    });
    let actions = editor.request("textDocument/codeAction", &actions);
    let titles = actions.as_array().unwrap().iter().map(|it| it["title"].as_str().unwrap());
    let titles: Vec<_> = titles.collect();
    assert!(
        !titles.is_empty() && !titles.iter().any(|it| it.starts_with("Suppress")),
        "{titles:?}"
    );
}
