//! What the commands that make and replace keys share: finding a key, the state between two runs,
//! and telling the steps.
//!
//! It refuses to go on with a key that is not there.

use std::path::PathBuf;

use cortexkey_api::api_keys::ApiKeyRecord;
use cortexkey_client::{Client, LockFile, LockFileError, RenewError, Sink, Step, state_folder};
use cortexkey_core::auth::KeyId;
use cortexkey_core::lifecycle::KeyRecord;
use cortexkey_manifest::lock::FILE_NAME;

use super::output::record_of;
use crate::change::say;
use crate::commands::call::failed;
use crate::exit::{Exit, Failure};
use crate::text::DIM;

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
