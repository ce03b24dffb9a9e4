//! The server's loop: messages in, responses and diagnostics out.
//!
//! Waiting messages are processed together, so that a burst of keystrokes is checked once. The findings
//! of a file that changed are shown at once, and those across files when no message is waiting. A
//! request that was cancelled before its turn gets that response.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use cortexkey_lint::Finding;
use lsp_server::{Connection, ErrorCode, Message, Notification, Request, RequestId, Response};
use lsp_types::notification::{
    Cancel, DidChangeTextDocument, DidChangeWatchedFiles, DidChangeWorkspaceFolders,
    DidCloseTextDocument, DidOpenTextDocument, DidSaveTextDocument, Notification as _,
    PublishDiagnostics, ShowMessage,
};
use lsp_types::request::{
    CodeActionRequest, CodeLensRequest, Completion, DocumentSymbolRequest, Formatting,
    GotoDefinition, HoverRequest, InlayHintRequest, References, RegisterCapability, Rename,
    Request as _,
};
use lsp_types::{
    CodeActionKind, CodeActionOptions, CodeActionProviderCapability, CodeLensOptions,
    CompletionOptions, Diagnostic, DidChangeWatchedFilesRegistrationOptions, FileSystemWatcher,
    GlobPattern, HoverProviderCapability, InitializeParams, InitializeResult, MessageType, OneOf,
    PositionEncodingKind, PublishDiagnosticsParams, Registration, RegistrationParams, SaveOptions,
    ServerCapabilities, ServerInfo, ShowMessageParams, TextDocumentSyncCapability,
    TextDocumentSyncKind, TextDocumentSyncOptions, TextDocumentSyncSaveOptions, Url,
    WorkspaceFoldersServerCapabilities, WorkspaceServerCapabilities,
};
use serde_json::{Value, json, to_value};

use crate::features;
use crate::position::{Encoding, Text};
use crate::transport;
use crate::workspace::Root;

/// The most texts that are kept; an editor has fewer open.
const DOCUMENTS_MAX: usize = 10_000;
/// A longer text is not checked, as on the command line.
const DOCUMENT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Why the server stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The client violates the protocol, or is gone.
    #[error("the editor violates the language server protocol")]
    Protocol(#[from] lsp_server::ProtocolError),
    /// A message could not be read or written.
    #[error("cannot exchange messages with the editor")]
    Io(#[from] std::io::Error),
    /// The client's first message is invalid.
    #[error("cannot read the editor's first message")]
    Initialize(#[from] serde_json::Error),
    /// The client is gone.
    #[error("the editor closed the connection")]
    Gone,
}

/// Serves on standard input and output until the client asks it to exit.
pub fn serve_stdio() -> Result<(), ServerError> {
    let (connection, threads) = transport::stdio();
    let served = serve(&connection);
    drop(connection);
    // A read error explains more than that the editor is gone.
    threads.join()?;
    served
}

/// Serves a connection until the client asks it to exit.
pub fn serve(connection: &Connection) -> Result<(), ServerError> {
    let (id, params) = connection.initialize_start()?;
    let params: InitializeParams = serde_json::from_value(params)?;
    let offered = params
        .capabilities
        .general
        .as_ref()
        .and_then(|general| general.position_encodings.as_deref());
    let encoding = Encoding::choose(offered);
    let result = InitializeResult {
        capabilities: capabilities(encoding.kind()),
        server_info: Some(ServerInfo {
            name: "cortexkey".to_owned(),
            version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        }),
    };
    connection.initialize_finish(id, to_value(result)?)?;
    let mut server = Server {
        connection,
        encoding,
        folders: folders(&params),
        roots: Vec::new(),
        documents: HashMap::new(),
        published: BTreeMap::new(),
        faults: BTreeSet::new(),
        is_stale: true,
        is_dirty: true,
        changed: BTreeSet::new(),
    };
    server.watch_files(&params)?;
    server.run()
}

fn capabilities(encoding: PositionEncodingKind) -> ServerCapabilities {
    ServerCapabilities {
        position_encoding: Some(encoding),
        text_document_sync: Some(TextDocumentSyncCapability::Options(TextDocumentSyncOptions {
            open_close: Some(true),
            change: Some(TextDocumentSyncKind::INCREMENTAL),
            save: Some(TextDocumentSyncSaveOptions::SaveOptions(SaveOptions {
                include_text: Some(false),
            })),
            ..Default::default()
        })),
        hover_provider: Some(HoverProviderCapability::Simple(true)),
        completion_provider: Some(CompletionOptions {
            trigger_characters: Some([":", " ", "-", "["].map(str::to_owned).to_vec()),
            ..Default::default()
        }),
        definition_provider: Some(OneOf::Left(true)),
        references_provider: Some(OneOf::Left(true)),
        rename_provider: Some(OneOf::Left(true)),
        document_symbol_provider: Some(OneOf::Left(true)),
        document_formatting_provider: Some(OneOf::Left(true)),
        inlay_hint_provider: Some(OneOf::Left(true)),
        code_lens_provider: Some(CodeLensOptions { resolve_provider: Some(false) }),
        code_action_provider: Some(CodeActionProviderCapability::Options(CodeActionOptions {
            code_action_kinds: Some(vec![
                CodeActionKind::QUICKFIX,
                CodeActionKind::SOURCE_FIX_ALL,
                features::actions::FIX_ALL,
            ]),
            ..Default::default()
        })),
        workspace: Some(WorkspaceServerCapabilities {
            workspace_folders: Some(WorkspaceFoldersServerCapabilities {
                supported: Some(true),
                change_notifications: Some(OneOf::Left(true)),
            }),
            file_operations: None,
        }),
        ..Default::default()
    }
}

/// The folders of the editor.
fn folders(params: &InitializeParams) -> Vec<PathBuf> {
    #[allow(deprecated, reason = "older clients send nothing else")]
    let single = params.root_uri.iter();
    let several = params.workspace_folders.iter().flatten().map(|folder| &folder.uri);
    let mut folders: Vec<_> = several.filter_map(path_of).collect();
    if folders.is_empty() {
        folders.extend(single.filter_map(path_of));
    }
    folders.dedup();
    folders
}

/// The path of a file's address, without links on the way.
fn path_of(uri: &Url) -> Option<PathBuf> {
    let path = uri.to_file_path().ok()?;
    Some(std::fs::canonicalize(&path).unwrap_or(path))
}

struct Document {
    text: String,
    version: i32,
    uri: Url,
}

struct Server<'c> {
    connection: &'c Connection,
    encoding: Encoding,
    folders: Vec<PathBuf>,
    roots: Vec<Root>,
    documents: HashMap<PathBuf, Document>,
    /// The diagnostics that the client shows, by file.
    published: BTreeMap<PathBuf, (Url, Vec<Diagnostic>)>,
    /// Errors that were reported.
    faults: BTreeSet<String>,
    /// Whether files changed on disk, so that folders must be read again.
    is_stale: bool,
    /// Whether findings may differ from those that the client shows.
    is_dirty: bool,
    /// The files whose text changed since their findings were shown.
    changed: BTreeSet<PathBuf>,
}

impl Server<'_> {
    fn run(&mut self) -> Result<(), ServerError> {
        self.update()?;
        loop {
            let first = self.connection.receiver.recv().map_err(|_| ServerError::Gone)?;
            let messages: Vec<_> =
                core::iter::once(first).chain(self.connection.receiver.try_iter()).collect();
            let cancelled = cancelled(&messages);
            for message in messages {
                match message {
                    Message::Request(request) => {
                        if self.connection.handle_shutdown(&request)? {
                            return Ok(());
                        }
                        self.bring_up();
                        let response = if cancelled.contains(&request.id) {
                            let code = ErrorCode::RequestCanceled as i32;
                            Response::new_err(request.id, code, "cancelled".to_owned())
                        } else {
                            self.answer(request)
                        };
                        self.send(response.into())?;
                    }
                    Message::Notification(notification) => self.note(notification),
                    // The response to our registration; without it, files are read again when one
                    // is saved.
                    Message::Response(_) => {}
                }
            }
            let is_typing = !self.changed.is_empty();
            self.show_changed()?;
            if !is_typing || self.connection.receiver.is_empty() {
                self.update()?;
            }
        }
    }

    /// Shows the findings of the changed files by themselves. Those across files stay as they were
    /// until all files have been compared.
    fn show_changed(&mut self) -> Result<(), ServerError> {
        for path in core::mem::take(&mut self.changed) {
            let Some(root) = self.roots.iter().find(|root| root.holds(&path)) else { continue };
            let Some(report) = root.report_of(&path).filter(|_| !self.is_stale) else { continue };
            let Some(uri) = self.uri(&path) else { continue };
            let is_here = |finding: &&Finding| {
                let place = root.path_of(&report, finding.location.source);
                place.as_ref() == Some(&path) && !root.is_known(finding)
            };
            let own = report.findings.iter().filter(is_here).map(|finding| (finding, &report));
            let own: Vec<_> = own.collect();
            let mut diagnostics = features::diagnostics::of(root, &own, self.encoding);
            if let Some((_, shown)) = self.published.get(&path) {
                let across = shown.iter().filter(|it| features::diagnostics::is_across_files(it));
                diagnostics.extend(across.cloned());
            }
            let version = self.documents.get(&path).map(|document| document.version);
            let params = PublishDiagnosticsParams {
                uri: uri.clone(),
                diagnostics: diagnostics.clone(),
                version,
            };
            self.notify::<PublishDiagnostics>(&params)?;
            self.published.insert(path, (uri, diagnostics));
        }
        Ok(())
    }

    fn send(&self, message: Message) -> Result<(), ServerError> {
        self.connection.sender.send(message).map_err(|_| ServerError::Gone)
    }

    fn notify<N: lsp_types::notification::Notification>(
        &self,
        params: &N::Params,
    ) -> Result<(), ServerError> {
        let notification = Notification { method: N::METHOD.to_owned(), params: to_value(params)? };
        self.send(notification.into())
    }

    /// Asks the client to report changed files, if it can.
    fn watch_files(&self, params: &InitializeParams) -> Result<(), ServerError> {
        let watched = params.capabilities.workspace.as_ref();
        let watched = watched.and_then(|workspace| workspace.did_change_watched_files.as_ref());
        if watched.and_then(|files| files.dynamic_registration) != Some(true) {
            return Ok(());
        }
        let of_glob = |glob: &str| FileSystemWatcher {
            glob_pattern: GlobPattern::String(glob.to_owned()),
            kind: None,
        };
        let options = DidChangeWatchedFilesRegistrationOptions {
            watchers: ["**/*.yaml", "**/*.yml", "**/cortexkey-baseline.json", "**/cortexkey.lock"]
                .map(of_glob)
                .to_vec(),
        };
        let registration = Registration {
            id: "files".to_owned(),
            method: DidChangeWatchedFiles::METHOD.to_owned(),
            register_options: Some(to_value(options)?),
        };
        let params = RegistrationParams { registrations: vec![registration] };
        let id = RequestId::from("files".to_owned());
        self.send(Request::new(id, RegisterCapability::METHOD.to_owned(), params).into())
    }

    fn note(&mut self, notification: Notification) {
        let params = notification.params;
        match notification.method.as_str() {
            DidOpenTextDocument::METHOD => self.open(params),
            DidChangeTextDocument::METHOD => self.change(params),
            DidCloseTextDocument::METHOD => self.close(params),
            DidSaveTextDocument::METHOD | DidChangeWatchedFiles::METHOD => self.is_stale = true,
            DidChangeWorkspaceFolders::METHOD => self.change_folders(params),
            _ => {}
        }
    }

    fn open(&mut self, params: Value) {
        let Ok(params) = serde_json::from_value::<lsp_types::DidOpenTextDocumentParams>(params)
        else {
            return;
        };
        let document = params.text_document;
        let Some(path) = path_of(&document.uri) else { return };
        let fits =
            document.text.len() <= DOCUMENT_BYTES_MAX && self.documents.len() < DOCUMENTS_MAX;
        if fits {
            let text = document.text;
            let version = document.version;
            let uri = document.uri;
            self.documents.insert(path.clone(), Document { text, version, uri });
            self.take(&path);
        }
    }

    fn change(&mut self, params: Value) {
        let Ok(params) = serde_json::from_value::<lsp_types::DidChangeTextDocumentParams>(params)
        else {
            return;
        };
        let Some(path) = path_of(&params.text_document.uri) else { return };
        let encoding = self.encoding;
        let Some(document) = self.documents.get_mut(&path) else { return };
        for change in params.content_changes {
            match change.range {
                None => document.text = change.text,
                Some(range) => {
                    let lines = Text::new(&document.text, encoding);
                    let start = lines.offset(range.start);
                    let end = lines.offset(range.end);
                    document.text.replace_range(start..end.max(start), &change.text);
                }
            }
        }
        document.version = params.text_document.version;
        self.take(&path);
    }

    fn close(&mut self, params: Value) {
        let Ok(params) = serde_json::from_value::<lsp_types::DidCloseTextDocumentParams>(params)
        else {
            return;
        };
        let path = path_of(&params.text_document.uri);
        if path.is_some_and(|path| self.documents.remove(&path).is_some()) {
            // Unsaved text no longer counts.
            self.is_stale = true;
        }
    }

    fn change_folders(&mut self, params: Value) {
        let Ok(params) =
            serde_json::from_value::<lsp_types::DidChangeWorkspaceFoldersParams>(params)
        else {
            return;
        };
        let removed: Vec<_> =
            params.event.removed.iter().filter_map(|folder| path_of(&folder.uri)).collect();
        self.folders.retain(|folder| !removed.contains(folder));
        self.folders.extend(params.event.added.iter().filter_map(|folder| path_of(&folder.uri)));
        self.is_stale = true;
    }

    /// Uses an open text instead of its file.
    fn take(&mut self, path: &Path) {
        self.is_dirty = true;
        let Some(document) = self.documents.get(path) else { return };
        for root in self.roots.iter_mut().filter(|root| root.holds(path)) {
            if root.is_policy(path) {
                // Another policy may be in force for every file.
                self.is_stale = true;
            } else if root.set_text(path, &document.text) {
                self.changed.insert(path.to_path_buf());
            }
        }
    }

    /// Reads changed files again, and updates the findings across files.
    fn bring_up(&mut self) {
        if self.is_stale {
            let texts = self.documents.iter();
            let texts =
                texts.map(|(path, document)| (path.clone(), document.text.clone())).collect();
            self.roots = self.folders.iter().map(|folder| Root::load(folder, &texts)).collect();
            self.is_dirty = true;
        }
        if self.is_dirty {
            self.roots.iter_mut().for_each(Root::refresh);
        }
        self.is_stale = false;
    }

    /// Sends the diagnostics of files that differ from what the client shows.
    fn update(&mut self) -> Result<(), ServerError> {
        self.bring_up();
        if !self.is_dirty {
            return Ok(());
        }
        self.is_dirty = false;
        let mut current: BTreeMap<PathBuf, (Url, Vec<Diagnostic>)> = BTreeMap::new();
        for root in &self.roots {
            for (path, findings) in root.findings() {
                let Some(uri) = self.uri(&path) else { continue };
                let diagnostics = features::diagnostics::of(root, &findings, self.encoding);
                current.entry(path).or_insert_with(|| (uri, Vec::new())).1.extend(diagnostics);
            }
        }
        let gone = self.published.iter().filter(|(path, _)| !current.contains_key(*path));
        let gone: Vec<_> = gone.map(|(_, (uri, _))| (uri.clone(), None, Vec::new())).collect();
        let new = current.iter().filter(|(path, shown)| self.published.get(*path) != Some(shown));
        let new = new.map(|(path, (uri, diagnostics))| {
            let version = self.documents.get(path).map(|document| document.version);
            (uri.clone(), version, diagnostics.clone())
        });
        for (uri, version, diagnostics) in gone.into_iter().chain(new) {
            let params = PublishDiagnosticsParams { uri, diagnostics, version };
            self.notify::<PublishDiagnostics>(&params)?;
        }
        self.published = current;
        self.tell_faults()
    }

    /// A folder that cannot be checked must not look clean.
    fn tell_faults(&mut self) -> Result<(), ServerError> {
        let faults: BTreeSet<String> =
            self.roots.iter().filter_map(|root| root.fault.clone()).collect();
        for fault in faults.difference(&self.faults) {
            let message = format!("cortexkey: {fault}");
            self.notify::<ShowMessage>(&ShowMessageParams { typ: MessageType::ERROR, message })?;
        }
        self.faults = faults;
        Ok(())
    }

    /// The URI of a file, in the client's own form if it has the file open.
    fn uri(&self, path: &Path) -> Option<Url> {
        let open = self.documents.get(path).map(|document| document.uri.clone());
        open.or_else(|| Url::from_file_path(path).ok())
    }

    fn answer(&self, request: Request) -> Response {
        let id = request.id.clone();
        match self.dispatch(&request.method, request.params) {
            Ok(result) => Response::new_ok(id, result),
            Err(Failed::Method) => {
                let code = ErrorCode::MethodNotFound as i32;
                Response::new_err(id, code, format!("{} is not supported", request.method))
            }
            Err(Failed::Params(error)) => {
                Response::new_err(id, ErrorCode::InvalidParams as i32, error.to_string())
            }
            Err(Failed::Request(message)) => {
                Response::new_err(id, ErrorCode::RequestFailed as i32, message)
            }
        }
    }

    fn dispatch(&self, method: &str, params: Value) -> Result<Value, Failed> {
        match method {
            CodeActionRequest::METHOD => {
                let params: lsp_types::CodeActionParams = serde_json::from_value(params)?;
                self.at(&params.text_document.uri, |place| features::actions::of(place, &params))
            }
            HoverRequest::METHOD => {
                let params: lsp_types::HoverParams = serde_json::from_value(params)?;
                let at = params.text_document_position_params;
                self.at(&at.text_document.uri, |place| features::hover::of(place, at.position))
            }
            Completion::METHOD => {
                let params: lsp_types::CompletionParams = serde_json::from_value(params)?;
                let at = params.text_document_position;
                self.at(&at.text_document.uri, |place| features::completion::of(place, at.position))
            }
            DocumentSymbolRequest::METHOD => {
                let params: lsp_types::DocumentSymbolParams = serde_json::from_value(params)?;
                self.at(&params.text_document.uri, features::symbols::of)
            }
            InlayHintRequest::METHOD => {
                let params: lsp_types::InlayHintParams = serde_json::from_value(params)?;
                self.at(&params.text_document.uri, features::hints::of)
            }
            CodeLensRequest::METHOD => {
                let params: lsp_types::CodeLensParams = serde_json::from_value(params)?;
                self.at(&params.text_document.uri, features::lens::of)
            }
            Formatting::METHOD => {
                let params: lsp_types::DocumentFormattingParams = serde_json::from_value(params)?;
                self.at(&params.text_document.uri, features::actions::format)
            }
            GotoDefinition::METHOD => {
                let params: lsp_types::GotoDefinitionParams = serde_json::from_value(params)?;
                let at = params.text_document_position_params;
                self.at(&at.text_document.uri, |place| {
                    features::names::definition(place, at.position)
                })
            }
            References::METHOD => {
                let params: lsp_types::ReferenceParams = serde_json::from_value(params)?;
                let at = params.text_document_position;
                self.at(&at.text_document.uri, |place| {
                    features::names::references(place, at.position)
                })
            }
            Rename::METHOD => {
                let params: lsp_types::RenameParams = serde_json::from_value(params)?;
                let at = &params.text_document_position;
                let uri = at.text_document.uri.clone();
                let Some(place) = self.place(&uri) else { return Ok(Value::Null) };
                features::names::rename(&place, at.position, &params.new_name)
                    .map_err(|error| Failed::Request(error.to_string()))
                    .and_then(|edit| Ok(to_value(edit)?))
            }
            _ => Err(Failed::Method),
        }
    }

    fn at<T: serde::Serialize>(
        &self,
        uri: &Url,
        feature: impl FnOnce(&features::Place<'_>) -> T,
    ) -> Result<Value, Failed> {
        match self.place(uri) {
            Some(place) => Ok(to_value(feature(&place))?),
            None => Ok(json!(null)),
        }
    }

    /// An open document in its folder.
    fn place(&self, uri: &Url) -> Option<features::Place<'_>> {
        let path = path_of(uri)?;
        let document = self.documents.get(&path)?;
        let root = self.roots.iter().find(|root| root.holds(&path))?;
        let text = Text::new(&document.text, self.encoding);
        let uris = Box::new(|path: &Path| self.uri(path));
        Some(features::Place { root, path, uri: uri.clone(), text, encoding: self.encoding, uris })
    }
}

/// The cancelled requests among these messages.
fn cancelled(messages: &[Message]) -> BTreeSet<RequestId> {
    let params = messages.iter().filter_map(|message| match message {
        Message::Notification(it) if it.method == Cancel::METHOD => Some(it.params.clone()),
        _ => None,
    });
    let params = params.filter_map(|it| serde_json::from_value::<lsp_types::CancelParams>(it).ok());
    params
        .map(|params| match params.id {
            lsp_types::NumberOrString::Number(id) => RequestId::from(id),
            lsp_types::NumberOrString::String(id) => RequestId::from(id),
        })
        .collect()
}

enum Failed {
    Method,
    Params(serde_json::Error),
    Request(String),
}

impl From<serde_json::Error> for Failed {
    fn from(error: serde_json::Error) -> Self {
        Self::Params(error)
    }
}
