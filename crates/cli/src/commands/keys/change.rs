//! What the commands that make and replace keys share: finding a key, the state between two runs,
//! and telling the steps.
//!
//! It refuses to go on with a key that is not there.

use std::path::{Path, PathBuf};

use cortexkey_api::api_keys::ApiKeyRecord;
use cortexkey_api::scope::ScopeWrite;
use cortexkey_client::{
    Client, Desired, LockFile, LockFileError, RenewError, Sink, Step, state_folder,
};
use cortexkey_core::auth::KeyId;
use cortexkey_core::lifecycle::KeyRecord;
use cortexkey_lint::CorpusFile;
use cortexkey_manifest::Span;
use cortexkey_manifest::lock::FILE_NAME;
use cortexkey_manifest::yaml::Limits;
use serde_json::Value;

use super::output::record_of;
use crate::change::say;
use crate::commands::call::failed;
use crate::exit::{Exit, Failure};
use crate::input;
use crate::text::DIM;

const SCOPE_BYTES_MAX: u64 = 16 * 1024 * 1024;

const SCOPE_FORMS: &str = "a scope is written as in a key definition, or as PUT \
                           /platform/iam/v1/scope takes it; docs/client.md shows both (A scope file)";

/// What stands above a scope in a definition.
const SCOPE_HEAD: &str = "\
apiVersion: cortexkey/v1
kind: ApiKey
metadata: { name: scope }
spec:
  securityLevel: advanced
  lifetime: 1d
  roles: [Viewer]
  scope:
";

/// A key of the tenant.
pub(super) fn find(client: &Client, id: KeyId) -> Result<(ApiKeyRecord, KeyRecord), Failure> {
    let found = client.find_key(id).map_err(|error| failed(&error))?;
    found.and_then(|key| record_of(&key).map(|record| (key, record))).ok_or_else(|| {
        Failure::new(Exit::Findings, format!("{} has no key {id}", client.address()))
            .help("`cortexkey keys list` shows those that there are")
    })
}

/// The file that remembers, between two runs, what is under way without a definition: one for each
/// tenant and key, so that a run never waits for that of another key.
pub(super) fn state_file(client: &Client, name: &str) -> Result<LockFile, Failure> {
    let environment = |name: &str| std::env::var_os(name);
    let folder: PathBuf = state_folder(&environment).ok_or_else(|| {
        Failure::wrong_use("neither XDG_STATE_HOME nor HOME is set, so nothing can be remembered")
            .help("set one of them to a folder of yours")
    })?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c);
    let child = client.child().map(|child| format!("@{}", child.as_str())).unwrap_or_default();
    // A port has a colon before it, which not every system takes in a name.
    let tenant = (client.address().to_string() + &child).replace(|c| !is_plain(c), "_");
    let folder = folder.join(tenant).join(name);
    std::fs::create_dir_all(&folder).map_err(|error| {
        Failure::wrong_use(format!("cannot make the folder {}: {error}", folder.display()))
    })?;
    LockFile::hold(&folder.join(FILE_NAME)).map_err(|error| lock_failure(&error))
}

/// A scope from a file, in either of its two forms.
pub(super) enum ScopeFile {
    /// As the product's PUT takes it.
    Product(ScopeWrite),
    /// As a key definition has it under `spec.scope`, in a definition of its own.
    Definition(Box<Desired>),
}

impl ScopeFile {
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let bytes = input::read(path, "the scope", SCOPE_BYTES_MAX)?;
        match serde_json::from_slice::<Value>(&bytes) {
            Ok(body) if body.get("casesAndIssues").is_none() => of_product(body, path),
            _ => of_definition(&bytes, path),
        }
    }

    /// As the product's PUT takes it. Names of asset groups are looked up in the tenant.
    pub(super) fn resolve(&self, client: &Client) -> Result<ScopeWrite, Failure> {
        let desired = match self {
            Self::Product(scope) => return Ok(scope.clone()),
            Self::Definition(desired) => desired,
        };
        let groups = if desired.selects_groups() {
            client.asset_groups().map_err(|error| failed(&error))?
        } else {
            Vec::new()
        };
        let scope = desired.scope_with(&groups).map_err(Failure::wrong_use)?;
        scope.ok_or_else(|| Failure::wrong_use("the file has no scope"))
    }
}

/// The product's form; also within the call's whole body.
fn of_product(mut body: Value, path: &Path) -> Result<ScopeFile, Failure> {
    let scope = body.get_mut("request_data").map_or(Value::Null, Value::take);
    let scope = if scope.is_null() { body } else { scope };
    serde_json::from_value(scope).map(ScopeFile::Product).map_err(|error| {
        Failure::wrong_use(format!("{} holds no scope: {error}", path.display())).help(SCOPE_FORMS)
    })
}

/// The form of a key definition. It is read as the scope of a definition, by the one reader that
/// definitions have.
fn of_definition(bytes: &[u8], path: &Path) -> Result<ScopeFile, Failure> {
    let text = std::str::from_utf8(bytes).map_err(|_| {
        Failure::wrong_use(format!("{} is not UTF-8", path.display())).help(SCOPE_FORMS)
    })?;
    let lines = text.lines().map(|line| format!("    {line}\n"));
    let whole = SCOPE_HEAD.to_owned() + &lines.collect::<String>();
    let file = CorpusFile::new("scope", whole.into_bytes(), &Limits::default());
    let at = |span: Span, message: &str| {
        let at = file.tree.position(span.start);
        let (head, indent) = (SCOPE_HEAD.lines().count(), 4);
        let (line, column) = (at.line.saturating_sub(head), at.column.saturating_sub(indent));
        let place = format!("{}:{}:{}", path.display(), line.max(1), column.max(1));
        Failure::wrong_use(format!("{place}: {message}")).help(SCOPE_FORMS)
    };
    let [document] = file.documents.as_slice() else {
        return Err(at(Span::default(), "expected one scope, and nothing else"));
    };
    if let Some(problem) = file.problems.first().or(document.problems.first()) {
        return Err(at(problem.span, &problem.message));
    }
    let Some(definition) = &document.definition else {
        return Err(at(document.span, "no scope can be read"));
    };
    let desired = Desired::of(definition, &[], None, "scope", 1);
    let desired = desired.map_err(|gap| at(gap.span, &gap.message))?;
    if !desired.has_scope() {
        return Err(at(document.span, "expected a scope, and the file has none"));
    }
    Ok(ScopeFile::Definition(Box::new(desired)))
}

pub(crate) fn lock_failure(error: &LockFileError) -> Failure {
    let exit = match error {
        LockFileError::Mistake { .. } => Exit::WrongUse,
        _ => Exit::Findings,
    };
    Failure::new(exit, error.to_string())
}

/// A renewal that failed. `sink` is where its key would be, and `finish` the command that finishes
/// what is left.
pub(crate) fn renew_failure(error: &RenewError, sink: &Sink, finish: &str) -> Failure {
    if let RenewError::Journal(error) = error {
        return lock_failure(error);
    }
    let mut message = error.to_string();
    if let Some(permission) = error.missing_permission() {
        message += &format!("\nthis key lacks {permission}");
    }
    if let RenewError::Delivered { id, .. } = error {
        message += &format!("\nkey {id} went to {sink}");
    }
    let failure = Failure::new(Exit::Findings, message);
    if error.leaves_something() {
        failure.help(format!("`{finish}` finishes what is left, and makes no other key"))
    } else {
        failure.help("no new key is left, and the old one, if any, is as it was")
    }
}

/// Says each step on standard error.
pub(crate) fn tell(step: Step) {
    let text = match step {
        Step::Swept(id) => {
            format!("deleted key {id}, which an interrupted run had made for nobody")
        }
        Step::Unclear(id) => format!(
            "key {id} looks like one that an interrupted run made, and may be somebody else's; it \
             is left: `cortexkey keys show {id}`, and `cortexkey keys delete {id}` if nobody has it"
        ),
        Step::TakenBack(id) => format!("deleted key {id} again"),
        Step::Generated(id) => format!("made key {id}, without a scope yet"),
        Step::Scoped(id) => format!("scoped key {id}"),
        Step::Checked(id) => format!("key {id} is what was asked for, and the tenant takes it"),
        Step::Delivered(id) => format!("delivered key {id}"),
        Step::InPlace(id) => format!("key {id} is in place"),
        Step::Deleted(id) => format!("deleted key {id}"),
        _ => return,
    };
    say(&format!("{DIM}{text}{DIM:#}"));
}
