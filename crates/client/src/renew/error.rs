//! [`RenewError`]: why no new key is in place, and what is left of the try.
//!
//! It refuses to leave open whether somebody has a key.

use core::fmt;

use crate::CallError;
use crate::lock_file::LockFileError;
use crate::resources::EditError;
use crate::sink::SinkError;

/// Why the state could not be written.
pub type JournalError = LockFileError;

/// Where a renewal was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stage {
    /// Finishing what an interrupted run left.
    Settle,
    /// Making the key.
    Generate,
    /// Giving it its scope.
    Scope,
    /// Reading back what it is.
    ReadBack,
    /// Calling with it.
    Ping,
    /// Deleting what was replaced. The new key is in place.
    Retire,
}

/// Why no new key is in place.
#[derive(Debug)]
#[non_exhaustive]
pub enum RenewError {
    /// A call failed.
    Call {
        /// Where it was.
        stage: Stage,
        /// What the call said.
        error: CallError,
    },
    /// The mark could not be taken off the comment. The key is in place.
    Unmark(EditError),
    /// The key that the tenant made is not what was asked for.
    NotAsked {
        /// What is different.
        what: &'static str,
    },
    /// The key has no place to go, or did not get there.
    Sink(SinkError),
    /// The state could not be written.
    Journal(JournalError),
    /// The system gives no random bytes.
    NoRandom,
    /// The try failed, and what came of it could not be taken back.
    NotUndone {
        /// Why it failed.
        error: Box<Self>,
        /// Why it could not be taken back.
        later: String,
    },
}

impl RenewError {
    pub(crate) fn at(stage: Stage) -> impl Fn(CallError) -> Self {
        move |error| Self::Call { stage, error }
    }

    pub(super) fn no_random(_: getrandom::Error) -> Self {
        Self::NoRandom
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Settle => "what an interrupted run left could not be finished",
            Self::Generate => "no key was made",
            Self::Scope => "the new key got no scope, and was deleted",
            Self::ReadBack => "the new key could not be read back, and was deleted",
            Self::Ping => "the tenant does not take the new key, and it was deleted",
            Self::Retire => {
                "the new key is in place and was delivered, but what it replaces is still there; \
                 the same command deletes it"
            }
        })
    }
}

impl fmt::Display for RenewError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call { stage, error } => write!(f, "{stage}: {error}"),
            Self::Unmark(error) => write!(
                f,
                "the new key is in place and was delivered, but its comment still has its mark: \
                 {error}"
            ),
            Self::NotAsked { what } => write!(
                f,
                "the new key is not what was asked for, and was deleted: {what}; see what the \
                 tenant makes of the definition"
            ),
            Self::Sink(error) => write!(f, "{error}; there is no new key"),
            Self::Journal(error) => fmt::Display::fmt(error, f),
            Self::NoRandom => f.write_str("the system gives no random bytes"),
            Self::NotUndone { error, later } => write!(
                f,
                "{error}\nA key that nobody has may be left, with a mark [cortexkey:…] in its \
                 comment, since: {later}\nRun the same command again; it deletes such a key first"
            ),
        }
    }
}

impl core::error::Error for RenewError {}
