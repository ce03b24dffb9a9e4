//! The server's loop: messages in, responses and diagnostics out.
//!
//! Waiting messages are processed together, so that a burst of keystrokes is checked once. After a
//! keystroke, the findings of the file come first; then, before a request is answered or when no message
//! is waiting, those of the files that rules compare with it; and those in the policy, which depend on all
//! files, once the editor is quiet.
//!
//! A change of a policy or of files on disk needs all files again, which takes too long for the loop: a
//! thread reads them. Requests whose answer depends on it wait, and may be cancelled while they do.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cortexkey_lint::Finding;
use cortexkey_lint::files::POLICY_NAMES;
use crossbeam_channel::{Receiver, at, never, select};
use lsp_server::{Connection, ErrorCode, Message, Notification, Request, RequestId, Response};
use lsp_types::notification::{
    Cancel, DidChangeTextDocument, DidChangeWatchedFiles, DidChangeWorkspaceFolders,
    DidCloseTextDocument, DidOpenTextDocument, DidSaveTextDocument, Exit, Initialized,
    Notification as _, PublishDiagnostics, ShowMessage,
};
use lsp_types::request::{
    CodeActionRequest, CodeLensRequest, Completion, DocumentLinkRequest, DocumentSymbolRequest,
    Formatting, GotoDefinition, HoverRequest, Initialize, InlayHintRequest, PrepareRenameRequest,
    References, RegisterCapability, Rename, Request as _, Shutdown,
};
use lsp_types::{
    CodeActionKind, CodeActionOptions, CodeActionProviderCapability, CodeLensOptions,
    CompletionOptions, Diagnostic, DidChangeWatchedFilesRegistrationOptions, DocumentLinkOptions,
    FileChangeType, FileSystemWatcher, GlobPattern, HoverProviderCapability, InitializeResult,
    MessageType, OneOf, PositionEncodingKind, PublishDiagnosticsParams, Registration,
    RegistrationParams, RenameOptions, SaveOptions, ServerCapabilities, ServerInfo,
    ShowMessageParams, TextDocumentSyncCapability, TextDocumentSyncKind, TextDocumentSyncOptions,
    TextDocumentSyncSaveOptions, Url, WorkDoneProgressOptions, WorkspaceFoldersServerCapabilities,
    WorkspaceServerCapabilities,
};
use serde_json::{Value, json, to_value};

use crate::features;
use crate::loading::Loader;
use crate::position::{Encoding, Text};
use crate::transport;
use crate::workspace::Root;

/// The maximum number of open texts; an editor has fewer.
const DOCUMENTS_MAX: usize = 10_000;
/// Longer texts are not checked, as on the command line.
const DOCUMENT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The most requests that wait for the folders to be read; an editor has a few for each open file.
const WAITING_MAX: usize = 10_000;

/// All files are compared when no message has come for this long.
const QUIET: Duration = Duration::from_millis(500);

/// Why the server stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// A message could not be read or written.
    #[error("cannot exchange messages with the editor")]
    Io(#[from] std::io::Error),
    /// A message cannot be written as JSON.
    #[error("cannot write a message to the editor")]
    Json(#[from] serde_json::Error),
    /// The client closed the connection.
    #[error("the editor closed the connection")]
    Gone,
    /// The system has no thread to read the folders.
    #[error("cannot start a thread to read the editor's folders")]
    Thread(#[source] std::io::Error),
    /// The thread that reads the folders ended without a result.
    #[error("cannot read the editor's folders: the thread that reads them failed")]
    Load,
}

/// Serves on standard input and output until the client asks it to exit.
pub fn serve_stdio() -> Result<(), ServerError> {
    let (connection, threads) = transport::stdio();
    let served = serve(&connection);
    drop(connection);
    // A read error says more than that the connection is closed.
    threads.join()?;
    served
}

/// Serves a connection until the client asks it to exit.
pub fn serve(connection: &Connection) -> Result<(), ServerError> {
    let (id, params) = first_request(connection)?;
    let params = Client::of(&params);
    let encoding = params.encoding;
    let result = InitializeResult {
        capabilities: capabilities(encoding.kind()),
        server_info: Some(ServerInfo {
            name: "cortexkey".to_owned(),
            version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        }),
    };
    let response = Response::new_ok(id, to_value(result)?);
    connection.sender.send(response.into()).map_err(|_| ServerError::Gone)?;
    let mut server = Server {
        connection,
        encoding,
        folders: params.folders,
        unusable: params.unusable,
        capabilities: params.capabilities,
        roots: Vec::new(),
        documents: HashMap::new(),
        published: BTreeMap::new(),
        faults: BTreeSet::new(),
        loader: Loader::new(),
        waiting: Vec::new(),
        is_to_compare: false,
        last: Instant::now(),
        typed: BTreeSet::new(),
        changed: BTreeSet::new(),
        is_shut_down: false,
    };
    match server.run() {
        // Some clients close the connection instead of sending `exit`.
        Err(ServerError::Gone) if server.is_shut_down => Ok(()),
        ended => ended,
    }
}

/// Waits for the request `initialize`. Others are refused until then.
fn first_request(connection: &Connection) -> Result<(RequestId, Value), ServerError> {
    for message in &connection.receiver {
        match message {
            Message::Request(request) if request.method == Initialize::METHOD => {
                return Ok((request.id, request.params));
            }
            Message::Request(request) => {
                let why = "expected the request `initialize` first".to_owned();
                let code = ErrorCode::ServerNotInitialized as i32;
                let refusal = Response::new_err(request.id, code, why);
                connection.sender.send(refusal.into()).map_err(|_| ServerError::Gone)?;
            }
            Message::Notification(it) if it.method == Exit::METHOD => break,
            Message::Notification(_) | Message::Response(_) => {}
        }
    }
    Err(ServerError::Gone)
}

/// What the server uses of the parameters of `initialize`. Other fields, and values that a later
/// version of the protocol adds, are ignored.
struct Client {
    encoding: Encoding,
    folders: Vec<Folder>,
    /// Addresses of folders that are not on this machine.
    unusable: Vec<String>,
    capabilities: ClientCapabilities,
}

/// What the client can do.
#[derive(Clone, Copy)]
struct ClientCapabilities {
    /// Whether it reports changed files.
    reports_files: bool,
    /// Whether it compares the versions of an edit with its own.
    compares_versions: bool,
}

impl Client {
    fn of(params: &Value) -> Self {
        let capabilities = &params["capabilities"];
        let offered = &capabilities["general"]["positionEncodings"];
        let offered = offered.as_array().into_iter().flatten().filter_map(Value::as_str);
        let watched = &capabilities["workspace"]["didChangeWatchedFiles"];
        let mut client = Self {
            encoding: Encoding::choose(offered),
            folders: Vec::new(),
            unusable: Vec::new(),
            capabilities: ClientCapabilities {
                reports_files: watched["dynamicRegistration"] == true,
                compares_versions: capabilities["workspace"]["workspaceEdit"]["documentChanges"]
                    == true,
            },
        };
        let several = params["workspaceFolders"].as_array().into_iter().flatten();
        let mut named: Vec<&str> = several.filter_map(|folder| folder["uri"].as_str()).collect();
        if named.is_empty() {
            // Older clients send nothing else.
            let single = ["rootUri", "rootPath"].iter().find_map(|name| params[name].as_str());
            named.extend(single);
        }
        for name in named {
            match Folder::of(name) {
                Some(folder) => folder.add_to(&mut client.folders),
                None => client.unusable.push(name.to_owned()),
            }
        }
        client
    }
}

/// A folder of the editor.
struct Folder {
    /// Its path with links resolved.
    path: PathBuf,
    /// Its path as the editor sent it.
    shown: PathBuf,
    /// Whether the editor opened only a file in it, and not the folder itself.
    is_of_file: bool,
}

impl Folder {
    /// The folder at an address, or at an absolute path.
    fn of(name: &str) -> Option<Self> {
        let of_uri = || Url::parse(name).ok()?.to_file_path().ok();
        let path = Path::new(name);
        let shown = if path.is_absolute() { Some(path.to_owned()) } else { of_uri() }?;
        Some(Self { path: resolved(&shown), shown, is_of_file: false })
    }

    fn add_to(self, folders: &mut Vec<Self>) {
        match folders.iter_mut().find(|known| known.path == self.path) {
            Some(known) if known.is_of_file => *known = self,
            Some(_) => {}
            None => folders.push(self),
        }
    }
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
        rename_provider: Some(OneOf::Right(RenameOptions {
            prepare_provider: Some(true),
            work_done_progress_options: WorkDoneProgressOptions::default(),
        })),
        document_symbol_provider: Some(OneOf::Left(true)),
        document_formatting_provider: Some(OneOf::Left(true)),
        document_link_provider: Some(DocumentLinkOptions {
            resolve_provider: Some(false),
            work_done_progress_options: WorkDoneProgressOptions::default(),
        }),
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

/// The path of a file's address, with links resolved.
fn path_of(uri: &Url) -> Option<PathBuf> {
    Some(resolved(&uri.to_file_path().ok()?))
}

/// A path with links resolved.
fn resolved(path: &Path) -> PathBuf {
    // A new text has no file yet; its folder exists.
    let new = || Some(std::fs::canonicalize(path.parent()?).ok()?.join(path.file_name()?));
    let resolved = std::fs::canonicalize(path).ok().or_else(new);
    resolved.unwrap_or_else(|| path.to_owned())
}

/// The nearest folder above a file that has a policy.
fn policy_folder(path: &Path) -> Option<PathBuf> {
    let has_policy = |folder: &&Path| POLICY_NAMES.iter().any(|name| folder.join(name).is_file());
    path.ancestors().skip(1).find(has_policy).map(Path::to_path_buf)
}

struct Document {
    text: String,
    version: i32,
    uri: Url,
}

struct Server<'c> {
    connection: &'c Connection,
    encoding: Encoding,
    folders: Vec<Folder>,
    /// Addresses of folders that are not on this machine.
    unusable: Vec<String>,
    capabilities: ClientCapabilities,
    roots: Vec<Root>,
    documents: HashMap<PathBuf, Document>,
    /// The diagnostics that the client shows, by file.
    published: BTreeMap<PathBuf, (Url, Vec<Diagnostic>)>,
    /// Errors that were reported.
    faults: BTreeSet<String>,
    loader: Loader,
    /// The requests that are answered once the folders have been read.
    waiting: Vec<Request>,
    /// Whether texts changed since all files were compared.
    is_to_compare: bool,
    /// When the last messages were processed.
    last: Instant,
    /// The files whose text changed since their own findings were shown.
    typed: BTreeSet<PathBuf>,
    /// The files whose findings may differ from those that the client shows.
    changed: BTreeSet<PathBuf>,
    /// Whether the client has sent `shutdown`; only `exit` may follow.
    is_shut_down: bool,
}

/// The next event for the main loop.
enum Event {
    Message(Message),
    /// The folders have been read.
    Loaded(Vec<Root>),
    /// It is time to read the folders.
    Due,
    /// It is time to compare all files.
    Quiet,
}

impl Server<'_> {
    fn run(&mut self) -> Result<(), ServerError> {
        loop {
            match self.next()? {
                Event::Message(first) => {
                    if self.process(first)? {
                        return Ok(());
                    }
                }
                Event::Loaded(roots) => self.take_roots(roots)?,
                Event::Due => self.load()?,
                Event::Quiet => {
                    self.roots.iter_mut().for_each(Root::compare_all);
                    self.is_to_compare = false;
                    self.show_all()?;
                }
            }
        }
    }

    /// Waits for the next event. Messages come first, since they may make a reading of the folders
    /// obsolete.
    fn next(&self) -> Result<Event, ServerError> {
        if let Ok(message) = self.connection.receiver.try_recv() {
            return Ok(Event::Message(message));
        }
        let is_to_compare = self.is_to_compare && self.loader.is_current();
        let quiet = timer(is_to_compare.then(|| self.last + QUIET));
        let due = timer(self.loader.due());
        let loaded = self.loader.loaded();
        select! {
            recv(self.connection.receiver) -> it => it.map(Event::Message).map_err(|_| ServerError::Gone),
            recv(loaded) -> it => it.map(Event::Loaded).map_err(|_| ServerError::Load),
            recv(due) -> _ => Ok(Event::Due),
            recv(quiet) -> _ => Ok(Event::Quiet),
        }
    }

    /// Processes a message and those that wait behind it. Returns true at the end of the session.
    fn process(&mut self, first: Message) -> Result<bool, ServerError> {
        let messages: Vec<_> =
            core::iter::once(first).chain(self.connection.receiver.try_iter()).collect();
        let cancelled = cancelled(&messages);
        self.cancel_waiting(|request| cancelled.contains(&request.id))?;
        for message in messages {
            match message {
                Message::Request(request) => {
                    let is_cancelled = cancelled.contains(&request.id);
                    self.respond(request, is_cancelled)?;
                }
                Message::Notification(it) if it.method == Exit::METHOD => {
                    return if self.is_shut_down { Ok(true) } else { Err(ServerError::Gone) };
                }
                Message::Notification(it) if it.method == Initialized::METHOD => {
                    self.watch_files()?;
                }
                Message::Notification(notification) => self.note(notification),
                // The response to the registration of watched files. Without it, folders are read
                // again when a file is saved.
                Message::Response(_) => {}
            }
        }
        self.show_typed()?;
        if self.connection.receiver.is_empty() {
            self.update()?;
        }
        self.last = Instant::now();
        Ok(false)
    }

    /// Responds to a request, or keeps it until the folders have been read.
    fn respond(&mut self, request: Request, is_cancelled: bool) -> Result<(), ServerError> {
        if request.method == Shutdown::METHOD {
            self.is_shut_down = true;
            self.cancel_waiting(|_| true)?;
            return self.send(Response::new_ok(request.id, ()).into());
        }
        let refusal = if self.is_shut_down {
            Some((ErrorCode::InvalidRequest, "the server is shut down"))
        } else if request.method == Initialize::METHOD {
            Some((ErrorCode::InvalidRequest, "the server is already initialized"))
        } else if is_cancelled {
            Some((ErrorCode::RequestCanceled, "cancelled"))
        } else if self.waiting.len() == WAITING_MAX {
            Some((ErrorCode::RequestFailed, "too many requests wait"))
        } else {
            None
        };
        if let Some((code, why)) = refusal {
            return self.refuse(request.id, code, why);
        }
        if !self.loader.is_current() && !self.needs_text_only(&request) {
            self.waiting.push(request);
            return Ok(());
        }
        self.update()?;
        let response = self.answer(request);
        self.send(response.into())
    }

    fn refuse(&self, id: RequestId, code: ErrorCode, why: &str) -> Result<(), ServerError> {
        self.send(Response::new_err(id, code as i32, why.to_owned()).into())
    }

    /// Cancels waiting requests.
    fn cancel_waiting(&mut self, is_meant: impl Fn(&Request) -> bool) -> Result<(), ServerError> {
        let (cancelled, waiting) =
            core::mem::take(&mut self.waiting).into_iter().partition(is_meant);
        self.waiting = waiting;
        let cancelled: Vec<Request> = cancelled;
        cancelled
            .into_iter()
            .try_for_each(|it| self.refuse(it.id, ErrorCode::RequestCanceled, "cancelled"))
    }

    /// Whether a request can be answered from a policy's text, while the folders are read because of
    /// what is being typed there. Other answers contain places that may have moved.
    fn needs_text_only(&self, request: &Request) -> bool {
        let uri = request.params["textDocument"]["uri"].as_str();
        let path = uri.and_then(|uri| path_of(&Url::parse(uri).ok()?));
        let is_policy = |path: &PathBuf| {
            self.roots.iter().any(|root| root.is_policy(path) && root.contains(path))
        };
        let is_of_text = [Completion::METHOD, HoverRequest::METHOD].contains(&&*request.method);
        is_of_text && path.as_ref().is_some_and(is_policy)
    }

    /// Shows the findings of the changed files by themselves. Those across files stay as they were
    /// until the files have been compared.
    fn show_typed(&mut self) -> Result<(), ServerError> {
        for path in core::mem::take(&mut self.typed) {
            let Some(root) = self.root_of(&path) else { continue };
            let text = self.documents.get(&path).map_or("", |document| &document.text);
            let report = if root.is_policy(&path) {
                root.report_of_policy(&path, text)
            } else {
                root.report_of(&path)
            };
            let (Some(report), Some(uri)) = (report, self.uri(&path)) else { continue };
            let is_here = |finding: &&Finding| {
                let place = root.path_of(&report, finding.location.source);
                place.as_ref() == Some(&path) && !root.is_known(finding)
            };
            let own = report.findings.iter().filter(is_here).map(|finding| (finding, &report));
            let own: Vec<_> = own.collect();
            let mut diagnostics =
                features::diagnostics::diagnostics(root, &own, self.encoding, &|path| {
                    self.uri(path)
                });
            if let Some((_, shown)) = self.published.get(&path) {
                let across = shown.iter().filter(|it| features::diagnostics::needs_other_files(it));
                diagnostics.extend(across.cloned());
            }
            self.publish(&path, uri, diagnostics)?;
        }
        Ok(())
    }

    /// Sends the diagnostics of a file, for its open version.
    fn publish(
        &mut self,
        path: &Path,
        uri: Url,
        diagnostics: Vec<Diagnostic>,
    ) -> Result<(), ServerError> {
        if let Some((shown, _)) = self.published.get(path).filter(|(shown, _)| *shown != uri) {
            // The client knows the file by another address now.
            let params = PublishDiagnosticsParams::new(shown.clone(), Vec::new(), None);
            self.notify::<PublishDiagnostics>(&params)?;
        }
        let version = self.documents.get(path).map(|document| document.version);
        let params = PublishDiagnosticsParams { uri, diagnostics, version };
        self.notify::<PublishDiagnostics>(&params)?;
        let PublishDiagnosticsParams { uri, diagnostics, .. } = params;
        self.published.insert(path.to_path_buf(), (uri, diagnostics));
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
    fn watch_files(&self) -> Result<(), ServerError> {
        if !self.capabilities.reports_files {
            return Ok(());
        }
        let of_glob = |glob: &str| FileSystemWatcher {
            glob_pattern: GlobPattern::String(glob.to_owned()),
            kind: None,
        };
        let options = DidChangeWatchedFilesRegistrationOptions {
            watchers: [
                "**/*.yaml",
                "**/*.yml",
                "**/*.json",
                "**/cortexkey.lock",
                "**/.cortexkey/policies.lock",
            ]
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
            DidSaveTextDocument::METHOD => self.save(params),
            DidChangeWatchedFiles::METHOD => self.change_files(params),
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
            let is_in_folder = self.folders.iter().any(|folder| path.starts_with(&folder.path));
            let folder = if is_in_folder { None } else { policy_folder(&path) };
            if let Some(folder) = folder {
                // A file that was opened without its folder.
                let shown = folder.clone();
                self.folders.push(Folder { path: folder, shown, is_of_file: true });
                self.loader.request();
            } else if path.symlink_metadata().is_err() {
                // A definition that is not saved yet may be part of the corpus.
                self.loader.request();
            }
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
        let Some(path) = path_of(&params.text_document.uri) else { return };
        let Some(document) = self.documents.remove(&path) else { return };
        let is_saved = std::fs::read(&path).is_ok_and(|bytes| bytes == document.text.as_bytes());
        if !is_saved {
            // Unsaved text no longer counts.
            self.loader.request();
        }
        // A folder that is not open itself is checked as long as a file in it is open.
        let count = self.folders.len();
        let is_open =
            |folder: &Folder| self.documents.keys().any(|path| path.starts_with(&folder.path));
        self.folders.retain(|folder| !folder.is_of_file || is_open(folder));
        if self.folders.len() < count {
            self.loader.request();
        }
    }

    fn save(&mut self, params: Value) {
        let params = serde_json::from_value::<lsp_types::DidSaveTextDocumentParams>(params);
        let path = params.ok().and_then(|params| path_of(&params.text_document.uri));
        if !path.is_some_and(|path| self.is_in_force(&path)) {
            self.loader.request();
        }
    }

    fn change_files(&mut self, params: Value) {
        let params = serde_json::from_value::<lsp_types::DidChangeWatchedFilesParams>(params);
        let is_known = |change: &lsp_types::FileEvent| {
            let path = path_of(&change.uri);
            change.typ == FileChangeType::CHANGED
                && path.is_some_and(|path| self.is_in_force(&path))
        };
        let is_known = params.is_ok_and(|params| params.changes.iter().all(is_known));
        if !is_known {
            self.loader.request();
        }
    }

    /// Whether a file's open text counts, so that its file on disk does not matter.
    fn is_in_force(&self, path: &Path) -> bool {
        let is_read = |root: &Root| root.is_policy(path) || root.file(path).is_some();
        self.documents.contains_key(path) && self.roots.iter().any(is_read)
    }

    fn change_folders(&mut self, params: Value) {
        let Ok(params) =
            serde_json::from_value::<lsp_types::DidChangeWorkspaceFoldersParams>(params)
        else {
            return;
        };
        for removed in params.event.removed {
            self.unusable.retain(|name| *name != removed.uri.as_str());
            let Some(path) = path_of(&removed.uri) else { continue };
            self.folders.retain(|folder| folder.path != path);
        }
        for added in params.event.added {
            match Folder::of(added.uri.as_str()) {
                Some(folder) => folder.add_to(&mut self.folders),
                None => self.unusable.push(added.uri.into()),
            }
        }
        self.loader.request();
    }

    /// Uses an open text instead of its file.
    fn take(&mut self, path: &Path) {
        let Some(document) = self.documents.get(path) else { return };
        self.loader.note(path.to_path_buf());
        for root in self.roots.iter_mut().filter(|root| root.contains(path)) {
            if root.is_policy(path) {
                if root.policy_text(path) != Some(&*document.text) || self.loader.is_due() {
                    // Another policy may be in force for every file.
                    self.loader.request();
                    self.typed.insert(path.to_path_buf());
                }
            } else if root.fault.is_some() {
                // Until the folder is read, it is unknown what the file is.
                self.loader.request();
            } else if root.set_text(path, &document.text) {
                self.typed.insert(path.to_path_buf());
                self.is_to_compare = true;
            }
        }
    }

    /// Starts to read the folders again.
    fn load(&mut self) -> Result<(), ServerError> {
        let texts = self.documents.iter();
        let texts = texts.map(|(path, document)| (path.clone(), document.text.clone())).collect();
        let folders = self.folders.iter().map(|folder| folder.path.clone()).collect();
        self.loader.start(folders, texts).map_err(ServerError::Thread)
    }

    /// Uses folders that were read, unless a change since then makes them outdated.
    fn take_roots(&mut self, roots: Vec<Root>) -> Result<(), ServerError> {
        let changed = self.loader.finish();
        if self.loader.is_due() {
            return Ok(());
        }
        self.roots = roots;
        self.typed.clear();
        self.is_to_compare = false;
        let shown = self.published.keys().cloned();
        let found = self.roots.iter().flat_map(Root::files_with_findings).cloned();
        self.changed = shown.chain(found).collect();
        for path in changed {
            self.take(&path);
        }
        self.update()?;
        if self.loader.is_current() {
            for request in core::mem::take(&mut self.waiting) {
                let response = self.answer(request);
                self.send(response.into())?;
            }
        }
        Ok(())
    }

    /// Compares the files whose text changed, and shows what differs; later, if the folders are read
    /// again.
    fn update(&mut self) -> Result<(), ServerError> {
        if !self.loader.is_current() {
            return Ok(());
        }
        self.changed.extend(self.roots.iter_mut().flat_map(Root::compare_changed));
        self.show_changed()?;
        self.report_faults()
    }

    fn show_all(&mut self) -> Result<(), ServerError> {
        let found = self.roots.iter().flat_map(Root::files_with_findings).cloned();
        self.changed = self.published.keys().cloned().chain(found).collect();
        self.show_changed()
    }

    /// Sends the diagnostics of the changed files that differ from what the client shows.
    fn show_changed(&mut self) -> Result<(), ServerError> {
        for path in core::mem::take(&mut self.changed) {
            let Some(uri) = self.uri(&path) else { continue };
            let mut diagnostics: Vec<Diagnostic> = Vec::new();
            // Several folders may have a file in common: the innermost one has all of its findings.
            let own = self.root_of(&path);
            for root in self.roots.iter().filter(|root| own.is_none_or(|own| own.is_same(root))) {
                let found = root.findings(&path);
                let found =
                    features::diagnostics::diagnostics(root, &found, self.encoding, &|path| {
                        self.uri(path)
                    });
                // A policy above several folders is part of each.
                let new: Vec<_> =
                    found.into_iter().filter(|it| !diagnostics.contains(it)).collect();
                diagnostics.extend(new);
            }
            let is_shown = match self.published.get(&path) {
                Some((at, shown)) => *at == uri && *shown == diagnostics,
                None => diagnostics.is_empty(),
            };
            // A new version gets its findings even if they are the same as those of the previous
            // version.
            if is_shown && !self.typed.remove(&path) {
                continue;
            }
            let is_clean = diagnostics.is_empty();
            self.publish(&path, uri, diagnostics)?;
            if is_clean {
                self.published.remove(&path);
            }
        }
        Ok(())
    }

    /// A folder that cannot be checked must not look clean.
    fn report_faults(&mut self) -> Result<(), ServerError> {
        let of_roots = self.roots.iter().filter_map(|root| root.fault.clone());
        let unusable = self
            .unusable
            .iter()
            .map(|name| format!("the folder {name} is not on this machine, so it is not checked"));
        let faults: BTreeSet<String> = of_roots.chain(unusable).collect();
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
        let folders = self.folders.iter().filter(|folder| path.starts_with(&folder.path));
        let folder = folders.max_by_key(|folder| folder.path.components().count());
        let shown = || {
            let folder = folder?;
            Url::from_file_path(folder.shown.join(path.strip_prefix(&folder.path).ok()?)).ok()
        };
        open.or_else(shown).or_else(|| Url::from_file_path(path).ok())
    }

    /// The innermost folder with a file.
    fn root_of(&self, path: &Path) -> Option<&Root> {
        let roots = self.roots.iter().filter(|root| root.contains(path));
        roots.max_by_key(|root| root.folder.components().count())
    }

    fn answer(&self, request: Request) -> Response {
        let id = request.id.clone();
        match self.dispatch(&request.method, request.params) {
            Ok(result) => Response::new_ok(id, result),
            Err(RequestError::Method) => {
                let code = ErrorCode::MethodNotFound as i32;
                Response::new_err(id, code, format!("{} is not supported", request.method))
            }
            Err(RequestError::Params(error)) => {
                Response::new_err(id, ErrorCode::InvalidParams as i32, error.to_string())
            }
            Err(RequestError::Request(message)) => {
                Response::new_err(id, ErrorCode::RequestFailed as i32, message)
            }
        }
    }

    fn dispatch(&self, method: &str, params: Value) -> Result<Value, RequestError> {
        match method {
            CodeActionRequest::METHOD => {
                let params: lsp_types::CodeActionParams = serde_json::from_value(params)?;
                self.at(&params.text_document.uri, |place| {
                    features::actions::code_actions(place, &params)
                })
            }
            HoverRequest::METHOD => {
                let params: lsp_types::HoverParams = serde_json::from_value(params)?;
                let at = params.text_document_position_params;
                self.at(&at.text_document.uri, |place| features::hover::hover(place, at.position))
            }
            Completion::METHOD => {
                let params: lsp_types::CompletionParams = serde_json::from_value(params)?;
                let at = params.text_document_position;
                self.at(&at.text_document.uri, |place| {
                    features::completion::completions(place, at.position)
                })
            }
            DocumentSymbolRequest::METHOD => {
                let params: lsp_types::DocumentSymbolParams = serde_json::from_value(params)?;
                self.at(&params.text_document.uri, features::symbols::document_symbols)
            }
            InlayHintRequest::METHOD => {
                let params: lsp_types::InlayHintParams = serde_json::from_value(params)?;
                let range = params.range;
                self.at(&params.text_document.uri, |place| {
                    features::hints::inlay_hints(place, range)
                })
            }
            DocumentLinkRequest::METHOD => {
                let params: lsp_types::DocumentLinkParams = serde_json::from_value(params)?;
                self.at(&params.text_document.uri, features::links::document_links)
            }
            CodeLensRequest::METHOD => {
                let params: lsp_types::CodeLensParams = serde_json::from_value(params)?;
                self.at(&params.text_document.uri, features::lens::code_lenses)
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
            PrepareRenameRequest::METHOD => {
                let at: lsp_types::TextDocumentPositionParams = serde_json::from_value(params)?;
                self.at(&at.text_document.uri, |place| {
                    features::names::renameable(place, at.position)
                })
            }
            Rename::METHOD => {
                let params: lsp_types::RenameParams = serde_json::from_value(params)?;
                let at = &params.text_document_position;
                let uri = at.text_document.uri.clone();
                let Some(place) = self.open_document(&uri) else { return Ok(Value::Null) };
                features::names::rename(&place, at.position, &params.new_name)
                    .map_err(|error| RequestError::Request(error.to_string()))
                    .and_then(|edit| Ok(to_value(edit)?))
            }
            _ => Err(RequestError::Method),
        }
    }

    fn at<T: serde::Serialize>(
        &self,
        uri: &Url,
        feature: impl FnOnce(&features::OpenDocument<'_>) -> T,
    ) -> Result<Value, RequestError> {
        match self.open_document(uri) {
            Some(place) => Ok(to_value(feature(&place))?),
            None => Ok(json!(null)),
        }
    }

    /// An open document in its folder.
    fn open_document(&self, uri: &Url) -> Option<features::OpenDocument<'_>> {
        let path = path_of(uri)?;
        let document = self.documents.get(&path)?;
        let root = self.root_of(&path)?;
        let text = Text::new(&document.text, self.encoding);
        let uris = Box::new(|path: &Path| self.uri(path));
        let version = |uri: &Url| Some(self.documents.get(&path_of(uri)?)?.version);
        let versions = self
            .capabilities
            .compares_versions
            .then(|| Box::new(version) as features::Versions<'_>);
        Some(features::OpenDocument {
            root,
            path,
            uri: uri.clone(),
            text,
            encoding: self.encoding,
            uris,
            versions,
        })
    }
}

/// Fires at a time, if there is one.
fn timer(time: Option<Instant>) -> Receiver<Instant> {
    time.map_or_else(never, at)
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

enum RequestError {
    Method,
    Params(serde_json::Error),
    Request(String),
}

impl From<serde_json::Error> for RequestError {
    fn from(error: serde_json::Error) -> Self {
        Self::Params(error)
    }
}
