//! A minimal editor: writes files, speaks the protocol, and records what the server shows.

use std::collections::HashMap;
use std::fs;
use std::thread::JoinHandle;
use std::time::Duration;

use lsp_server::{Connection, Message, Notification, Request, RequestId};
use serde_json::{Value, json};

/// Only ends a test whose server hangs: a busy machine may take long.
const PATIENCE: Duration = Duration::from_secs(600);

pub(crate) struct Editor {
    folder: tempfile::TempDir,
    client: Option<Connection>,
    server: Option<JoinHandle<Result<(), String>>>,
    shown: HashMap<String, Vec<Value>>,
    next: i32,
}

impl Editor {
    pub(crate) fn start(files: &[(&str, &str)], encodings: &[&str]) -> Self {
        Self::start_in(files, encodings, &[""])
    }

    /// Starts with several folders open.
    pub(crate) fn start_in(files: &[(&str, &str)], encodings: &[&str], roots: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let (client, server) = Connection::memory();
        let serve = move || cortexkey_lsp::serve(&server).map_err(|error| error.to_string());
        let server = std::thread::spawn(serve);
        let mut editor = Self {
            folder,
            client: Some(client),
            server: Some(server),
            shown: HashMap::new(),
            next: 0,
        };
        let folder = |root: &&str| json!({ "uri": editor.uri(root), "name": root });
        let folders: Vec<Value> = roots.iter().map(folder).collect();
        let capabilities = editor.request(
            "initialize",
            &json!({
                "processId": null,
                "workspaceFolders": folders,
                "capabilities": { "general": { "positionEncodings": encodings } },
            }),
        );
        assert_eq!(capabilities["capabilities"]["positionEncoding"], encodings[0]);
        editor.notify("initialized", json!({}));
        editor
    }

    pub(crate) fn uri(&self, path: &str) -> String {
        let folder = fs::canonicalize(self.folder.path()).unwrap();
        let uri = format!("file://{}/{path}", folder.display());
        uri.trim_end_matches('/').to_owned()
    }

    /// Writes a file on disk.
    pub(crate) fn write(&self, path: &str, text: &str) {
        fs::write(self.folder.path().join(path), text).unwrap();
    }

    fn client(&self) -> &Connection {
        self.client.as_ref().unwrap()
    }

    pub(crate) fn notify(&self, method: &str, params: Value) {
        let notification = Notification { method: method.to_owned(), params };
        self.client().sender.send(notification.into()).unwrap();
    }

    pub(crate) fn open(&mut self, path: &str, text: &str) {
        self.notify(
            "textDocument/didOpen",
            json!({ "textDocument": {
                "uri": self.uri(path), "languageId": "yaml", "version": 1, "text": text,
            } }),
        );
    }

    pub(crate) fn replace(&mut self, path: &str, version: i32, text: &str) {
        self.notify(
            "textDocument/didChange",
            json!({
                "textDocument": { "uri": self.uri(path), "version": version },
                "contentChanges": [{ "text": text }],
            }),
        );
    }

    pub(crate) fn change(
        &mut self,
        path: &str,
        version: i32,
        at: (u32, u32, u32, u32),
        text: &str,
    ) {
        let start = (at.0, at.1);
        let end = (at.2, at.3);
        self.notify(
            "textDocument/didChange",
            json!({
                "textDocument": { "uri": self.uri(path), "version": version },
                "contentChanges": [{
                    "range": {
                        "start": { "line": start.0, "character": start.1 },
                        "end": { "line": end.0, "character": end.1 },
                    },
                    "text": text,
                }],
            }),
        );
    }

    pub(crate) fn close(&mut self, path: &str) {
        let params = json!({ "textDocument": { "uri": self.uri(path) } });
        self.notify("textDocument/didClose", params);
    }

    /// The result of a request.
    pub(crate) fn request(&mut self, method: &str, params: &Value) -> Value {
        let (result, error) = self.exchange(method, params);
        assert_eq!(error, Value::Null, "{method}");
        result
    }

    /// The error of a request.
    pub(crate) fn raw(&mut self, method: &str, params: &Value) -> Value {
        self.exchange(method, params).1
    }

    fn exchange(&mut self, method: &str, params: &Value) -> (Value, Value) {
        let id = self.send(method, params);
        loop {
            let (answered, result, error) = self.answer();
            if answered == id {
                return (result, error);
            }
        }
    }

    /// Sends a request without waiting for its response; returns its id.
    pub(crate) fn send(&mut self, method: &str, params: &Value) -> i32 {
        self.next += 1;
        let id = RequestId::from(self.next);
        let request = Request { id, method: method.to_owned(), params: params.clone() };
        self.client().sender.send(request.into()).unwrap();
        self.next
    }

    /// The next response to any request: its id, result and error.
    pub(crate) fn answer(&mut self) -> (i32, Value, Value) {
        loop {
            match self.receive() {
                Message::Response(response) => {
                    let id = response.id.to_string().parse().unwrap();
                    let error = response.error.map(|error| json!({ "code": error.code }));
                    return (id, response.result.unwrap_or_default(), error.unwrap_or_default());
                }
                message => self.keep(message),
            }
        }
    }

    fn receive(&self) -> Message {
        self.client().receiver.recv_timeout(PATIENCE).unwrap()
    }

    fn keep(&mut self, message: Message) {
        let Message::Notification(it) = message else { return };
        if it.method == "textDocument/publishDiagnostics" {
            let uri = it.params["uri"].as_str().unwrap().to_owned();
            self.shown.insert(uri, it.params["diagnostics"].as_array().unwrap().clone());
        }
    }

    /// The diagnostics of a file once everything sent has been processed: the server shows what is new
    /// before it answers a request.
    pub(crate) fn settled(&mut self, path: &str) -> Vec<Value> {
        self.raw("cortexkey/settled", &json!({}));
        self.shown.get(&self.uri(path)).cloned().unwrap_or_default()
    }

    pub(crate) fn diagnostics(&mut self, path: &str) -> Vec<Value> {
        self.settled(path)
    }

    /// The next notification of a kind; others are kept for later.
    pub(crate) fn next(&mut self, method: &str, aside: &str) -> Value {
        loop {
            if let Message::Notification(it) = self.receive() {
                if it.method == method {
                    return it.params;
                }
                assert_eq!(it.method, aside);
            }
        }
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        self.exchange("shutdown", &Value::Null);
        self.notify("exit", Value::Null);
        self.client = None;
        self.server.take().unwrap().join().unwrap().unwrap();
    }
}

/// A test's ASCII text after edits, which are applied from the last to the first.
pub(crate) fn apply(text: &str, edits: &[Value]) -> String {
    let offset = |place: &Value| {
        let line = usize::try_from(place["line"].as_u64().unwrap()).unwrap();
        let column = usize::try_from(place["character"].as_u64().unwrap()).unwrap();
        text.split_inclusive('\n').take(line).map(str::len).sum::<usize>() + column
    };
    let mut edits: Vec<_> = edits
        .iter()
        .map(|edit| {
            let range = &edit["range"];
            (offset(&range["start"]), offset(&range["end"]), edit["newText"].as_str().unwrap())
        })
        .collect();
    edits.sort_by_key(|(start, ..)| core::cmp::Reverse(*start));
    let mut text = text.to_owned();
    for (start, end, new) in edits {
        text.replace_range(start..end, new);
    }
    text
}
