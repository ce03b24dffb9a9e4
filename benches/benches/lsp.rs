//! The language server in a folder of ten thousand definitions: from a keystroke to the findings of the
//! file, and to those across files, beside a full run of the linter on the same texts.
//!
//! `cargo bench -p cortexkey-benches --bench lsp`. Messages go through memory, as an editor would send
//! them. Opening the folder is not measured: it happens once, and depends on git and the disk.

#![allow(missing_docs, clippy::unwrap_used, reason = "criterion's macros; a benchmark may panic")]

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use cortexkey_lint::{Corpus, CorpusFile, Policy, Timestamp, lint};
use cortexkey_manifest::yaml::YamlLimits;
use criterion::{Criterion, criterion_group, criterion_main};
use lsp_server::{Connection, Message, Notification, Request, RequestId};
use serde_json::{Value, json};

criterion_group!(benches, keystrokes);
criterion_main!(benches);

const FILES: usize = 10_000;

const POLICY: &str = "\
apiVersion: cortexkey/v1
kind: Policy
metadata: { name: acme }
extends: [builtin:recommended]
keys: [keys/**/*.yaml]
";

/// The definition of a key; half of the keys have an owner in common with 19 others.
fn definition(number: usize) -> String {
    let owner = if number.is_multiple_of(2) { number / 40 } else { 10_000 + number };
    format!(
        "apiVersion: cortexkey/v1\n\
         kind: ApiKey\n\
         metadata:\n  name: svc-siem-export-{number:05}\n  owner: team-{owner:05}\n\
         spec:\n  securityLevel: advanced\n\
         \x20 comment: Exports incidents to the SIEM. SEC-{number}\n\
         \x20 lifetime: 90d\n  roles: [Viewer]\n\
         \x20 scope:\n    assets: {{ mode: none }}\n\
         \x20   casesAndIssues: {{ mode: select, domains: [Security], unreferenced: false }}\n\
         \x20   endpoints: {{ mode: none }}\n"
    )
}

fn keystrokes(c: &mut Criterion) {
    let texts: Vec<String> = (0..FILES).map(definition).collect();
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &texts);
    let mut editor = Editor::start(folder.path());
    let mut group = c.benchmark_group("lsp, 10,000 files");
    group.sample_size(20);
    group.bench_function("keystroke to findings", |b| {
        b.iter_custom(|count| (0..count).map(|_| editor.keystroke(true)).sum());
    });
    group.bench_function("keystroke to hover", |b| {
        b.iter_custom(|count| (0..count).map(|_| editor.keystroke(false)).sum());
    });
    group.bench_function("keystroke in the policy to its findings", |b| {
        b.iter_custom(|count| (0..count).map(|_| editor.policy_keystroke(true)).sum());
    });
    group.bench_function("keystroke in the policy to completion", |b| {
        b.iter_custom(|count| (0..count).map(|_| editor.policy_keystroke(false)).sum());
    });
    group.sample_size(10);
    let policy = Policy::builtin("builtin:recommended").unwrap();
    group.bench_function("full run", |b| b.iter(|| lint_all(black_box(&texts), &policy)));
    group.finish();
}

fn write(folder: &Path, texts: &[String]) {
    fs::write(folder.join("cortexkey.yaml"), POLICY).unwrap();
    fs::create_dir(folder.join("keys")).unwrap();
    for (number, text) in texts.iter().enumerate() {
        fs::write(folder.join(format!("keys/{number}.yaml")), text).unwrap();
    }
}

/// From bytes to findings.
fn lint_all(texts: &[String], policy: &Policy) -> usize {
    let file = |(number, text): (usize, &String)| {
        CorpusFile::new(format!("keys/{number}.yaml"), text.clone().into(), &YamlLimits::default())
    };
    let files = texts.iter().enumerate().map(file).collect();
    let corpus = Corpus { files, ..Corpus::default() };
    let now = "2026-11-24T00:00:00Z".parse::<Timestamp>().unwrap();
    lint(&corpus, policy, now).findings.len()
}

/// An editor with one file open.
struct Editor {
    client: Connection,
    uri: String,
    policy: String,
    version: i32,
    requests: i32,
    server: Option<JoinHandle<()>>,
}

impl Editor {
    fn start(folder: &Path) -> Self {
        let folder = fs::canonicalize(folder).unwrap();
        let (client, server) = Connection::memory();
        let server = std::thread::spawn(move || cortexkey_lsp::serve(&server).unwrap());
        let uri = format!("file://{}/keys/0.yaml", folder.display());
        let root = format!("file://{}", folder.display());
        let policy = format!("{root}/cortexkey.yaml");
        let mut editor =
            Self { client, uri, policy, version: 1, requests: 0, server: Some(server) };
        let id = editor.request(
            "initialize",
            json!({ "processId": null, "rootUri": root, "capabilities": {} }),
        );
        editor.until_answer(&id);
        editor.notify("initialized", json!({}));
        let document =
            json!({ "uri": editor.uri, "languageId": "yaml", "version": 1, "text": definition(0) });
        editor.notify("textDocument/didOpen", json!({ "textDocument": document }));
        let document = json!({
            "uri": editor.policy, "languageId": "yaml", "version": 1, "text": POLICY,
        });
        editor.notify("textDocument/didOpen", json!({ "textDocument": document }));
        editor.settle();
        editor
    }

    /// Changes one character, and returns the time until the file's findings or the answer to a hover.
    fn keystroke(&mut self, is_for_findings: bool) -> Duration {
        self.settle();
        self.version += 1;
        let digit = (self.version % 9 + 1).to_string();
        let at = json!({ "line": 8, "character": 12 });
        let after = json!({ "line": 8, "character": 13 });
        let began = Instant::now();
        self.notify(
            "textDocument/didChange",
            json!({
                "textDocument": { "uri": self.uri, "version": self.version },
                "contentChanges": [{ "range": { "start": at, "end": after }, "text": digit }],
            }),
        );
        if is_for_findings {
            self.until_findings();
        } else {
            self.settle();
        }
        began.elapsed()
    }

    /// Changes one character of the policy, as while typing: the folder is not read in between.
    /// Returns the time until the policy's findings or the answer to a completion.
    fn policy_keystroke(&mut self, is_for_findings: bool) -> Duration {
        self.version += 1;
        let text = format!("{POLICY}# {}\n", self.version);
        let began = Instant::now();
        self.notify(
            "textDocument/didChange",
            json!({
                "textDocument": { "uri": self.policy, "version": self.version },
                "contentChanges": [{ "text": text }],
            }),
        );
        if is_for_findings {
            self.until_findings();
        } else {
            let place = json!({ "line": 5, "character": 0 });
            let document = json!({ "uri": self.policy });
            let params = json!({ "textDocument": document, "position": place });
            let id = self.request("textDocument/completion", params);
            self.until_answer(&id);
        }
        began.elapsed()
    }

    /// Waits until no findings are missing.
    fn settle(&mut self) {
        let place = json!({ "line": 8, "character": 3 });
        let document = json!({ "uri": self.uri });
        let id = self
            .request("textDocument/hover", json!({ "textDocument": document, "position": place }));
        self.until_answer(&id);
    }

    fn until_findings(&self) {
        loop {
            if let Message::Notification(it) = self.client.receiver.recv().unwrap()
                && it.method == "textDocument/publishDiagnostics"
                && it.params["version"] == self.version
            {
                return;
            }
        }
    }

    fn until_answer(&self, id: &RequestId) {
        loop {
            if let Message::Response(it) = self.client.receiver.recv().unwrap()
                && it.id == *id
            {
                return;
            }
        }
    }

    fn notify(&self, method: &str, params: Value) {
        let notification = Notification { method: method.to_owned(), params };
        self.client.sender.send(notification.into()).unwrap();
    }

    fn request(&mut self, method: &str, params: Value) -> RequestId {
        self.requests += 1;
        let id = RequestId::from(self.requests);
        let request = Request { id: id.clone(), method: method.to_owned(), params };
        self.client.sender.send(request.into()).unwrap();
        id
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        let id = self.request("shutdown", Value::Null);
        self.until_answer(&id);
        self.notify("exit", Value::Null);
        if let Some(server) = self.server.take() {
            server.join().unwrap();
        }
    }
}
