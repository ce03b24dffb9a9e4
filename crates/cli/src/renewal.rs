//! Reports the steps of a renewal, and why no new key is in place.

use std::path::PathBuf;

use cortexkey_client::{LockFile, LockFileError, RenewError, RenewalStep, Sink};

use crate::change::print_note;
use crate::exit::{Exit, Failure};
use crate::text::DIM;

/// A lock file or state that cannot be used.
pub(crate) fn lock_failure(error: &LockFileError) -> Failure {
    let exit = match error {
        LockFileError::Mistake { .. } => Exit::UsageError,
        _ => Exit::Findings,
    };
    Failure::from_error(exit, error)
}

/// A renewal that failed. `sink` is where its key would go, and `finish` is the command that
/// completes it.
pub(crate) fn renew_failure(error: &RenewError, sink: Option<&Sink>, finish: &str) -> Failure {
    if let RenewError::Journal(error) = error {
        return lock_failure(error);
    }
    if let RenewError::Expiry(error) = error {
        return Failure::from_error(Exit::UsageError, error)
            .help("give another one, such as --lifetime 90d");
    }
    if let RenewError::System(id) | RenewError::NotShown(id) = error {
        return Failure::from_error(Exit::Findings, error).help(format!(
            "remove it from the lock file, or delete it with `cortexkey keys delete {id}`"
        ));
    }
    let mut failure = Failure::from_error(Exit::Findings, error);
    if let Some(permission) = error.missing_permission() {
        failure = failure.after(format!("this key lacks {permission}"));
    }
    if let (RenewError::Delivered { id, .. }, Some(sink)) = (error, sink) {
        failure = failure.after(format!("key {id} was written to {sink}"));
    }
    if error.leaves_something() {
        failure.help(format!("`{finish}` completes it without generating another key"))
    } else {
        failure.after("no new key was left behind, and nothing else has changed")
    }
}

/// The nearest lock file, from the current folder upwards.
pub(crate) fn nearest_lock_file() -> Option<PathBuf> {
    LockFile::nearest(&std::env::current_dir().ok()?)
}

/// Reports each step on standard error.
pub(crate) fn on_step(step: RenewalStep) {
    let text = match step {
        RenewalStep::LeftoverDeleted(id) => {
            format!("deleted key {id}, left undelivered by an interrupted run")
        }
        RenewalStep::Unclear(id) => format!(
            "key {id} looks like one that an interrupted run generated, but may belong to somebody \
             else, so it is kept: look at it with `cortexkey keys show {id}`, and delete it with \
             `cortexkey keys delete {id}` if nobody uses it"
        ),
        RenewalStep::Unfinished(id) => format!(
            "the rotation of key {id} is unfinished, so that key may still work: `cortexkey keys \
             rotate {id} --finish` deletes it"
        ),
        RenewalStep::DeletedAgain(id) => format!("deleted key {id} again"),
        RenewalStep::Generated(id) => format!("generated key {id}, without a scope yet"),
        RenewalStep::Scoped(id) => format!("set the scope of key {id}"),
        RenewalStep::Checked(id) => {
            format!("checked key {id}: it matches the request, and the tenant accepts it")
        }
        RenewalStep::Delivered(id) => format!("delivered key {id}"),
        RenewalStep::Deleted(id) => format!("deleted key {id}"),
        _ => return,
    };
    print_note(&format!("{DIM}{text}{DIM:#}"));
}
