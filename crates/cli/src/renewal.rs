//! How commands report the steps of a new key, and why one is not in place.

use std::path::PathBuf;

use cortexkey_client::{LockFile, LockFileError, RenewError, Sink, Step};
use cortexkey_system::chain;

use crate::change::say;
use crate::exit::{Exit, Failure};
use crate::text::DIM;

/// A lock file or state that cannot be used.
pub(crate) fn lock_failure(error: &LockFileError) -> Failure {
    let exit = match error {
        LockFileError::Mistake { .. } => Exit::UsageError,
        _ => Exit::Findings,
    };
    Failure::of(exit, error)
}

/// A renewal that failed. `sink` is where its key would go, and `finish` is the command that
/// completes it.
pub(crate) fn renew_failure(error: &RenewError, sink: Option<&Sink>, finish: &str) -> Failure {
    if let RenewError::Journal(error) = error {
        return lock_failure(error);
    }
    if let RenewError::Expiry(error) = error {
        return Failure::of(Exit::UsageError, error)
            .help("give a later or shorter one, such as --lifetime 90d");
    }
    let mut message = chain(error);
    if let Some(permission) = error.missing_permission() {
        message += &format!("\nthis key lacks {permission}");
    }
    if let (RenewError::Delivered { id, .. }, Some(sink)) = (error, sink) {
        message += &format!("\nkey {id} was written to {sink}");
    }
    let failure = Failure::new(Exit::Findings, message);
    if error.leaves_something() {
        failure.help(format!("`{finish}` completes it without generating another key"))
    } else {
        failure.help("no new key remains, and an old key is unchanged")
    }
}

/// The nearest lock file, from the current folder upwards.
pub(crate) fn nearest_lock_file() -> Option<PathBuf> {
    LockFile::nearest(&std::env::current_dir().ok()?)
}

/// Reports each step on standard error.
pub(crate) fn on_step(step: Step) {
    let text = match step {
        Step::Swept(id) => {
            format!("deleted key {id}, left undelivered by an interrupted run")
        }
        Step::Unclear(id) => format!(
            "key {id} looks like one that an interrupted run made, and may be somebody else's; it \
             is left: `cortexkey keys show {id}`, and `cortexkey keys delete {id}` if nobody has it"
        ),
        Step::TakenBack(id) => format!("deleted key {id} again"),
        Step::Generated(id) => format!("generated key {id}, without a scope yet"),
        Step::Scoped(id) => format!("set the scope of key {id}"),
        Step::Checked(id) => {
            format!("checked key {id}: it matches the request, and the tenant accepts it")
        }
        Step::Delivered(id) => format!("wrote key {id} to its place"),
        Step::Deleted(id) => format!("deleted key {id}"),
        _ => return,
    };
    say(&format!("{DIM}{text}{DIM:#}"));
}
