//! [`RenewError`]: why no new key is in place, and what is left of the try.

use core::fmt;

use cortexkey_core::auth::KeyId;

use super::super::lock_file::LockFileError;
use crate::resources::Permission;
use crate::sink::SinkError;
use crate::transport::CallError;

/// Where a renewal was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stage {
    /// Finishing what an interrupted run left.
    Settle,
    /// Looking at the tenant before anything is changed.
    Prepare,
    /// Seeing whether the new key can be scoped, before it is made.
    Permission,
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
    /// The key that the tenant made is not what was asked for.
    NotAsked {
        /// What is different.
        what: &'static str,
    },
    /// The key has no place to go, or did not get there.
    Sink(SinkError),
    /// The state could not be written.
    Journal(LockFileError),
    /// The system gives no random bytes.
    NoRandom,
    /// The key was delivered, and the state could not be written.
    Delivered {
        /// The new key.
        id: KeyId,
        /// Why the state could not be written.
        error: Box<Self>,
    },
    /// The try failed, and the tenant may have made a key that nobody has, or may do so yet.
    NotKnown {
        /// Why it failed.
        error: Box<Self>,
    },
    /// The try failed, and what came of it could not be taken back.
    NotUndone {
        /// Why it failed.
        error: Box<Self>,
        /// The key that nobody has, where its id arrived.
        id: Option<KeyId>,
        /// Why it could not be taken back.
        later: Box<Self>,
    },
}

impl RenewError {
    pub(crate) fn at(stage: Stage) -> impl Fn(CallError) -> Self {
        move |error| Self::Call { stage, error }
    }

    pub(super) fn no_random(_: getrandom::Error) -> Self {
        Self::NoRandom
    }

    /// Whether something of the try is left for a later run to finish.
    pub fn leaves_something(&self) -> bool {
        match self {
            Self::Call { stage, .. } => matches!(stage, Stage::Settle | Stage::Retire),
            Self::Delivered { .. } | Self::NotKnown { .. } | Self::NotUndone { .. } => true,
            _ => false,
        }
    }

    /// The permission that is missing, where the tenant says that one is.
    pub fn missing_permission(&self) -> Option<Permission> {
        match self {
            Self::Call { stage, error } if error.status() == Some(403) => match stage {
                Stage::Settle | Stage::Generate | Stage::Retire => Some(Permission::PublicApiEdit),
                Stage::Scope | Stage::Permission => Some(Permission::AccessManagementEdit),
                _ => None,
            },
            Self::NotKnown { error } | Self::NotUndone { error, .. } => error.missing_permission(),
            _ => None,
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Settle => "what an interrupted run left could not be finished",
            Self::Prepare => "no key was made, since the tenant could not be read",
            Self::Permission => "no key was made, since nobody could scope it",
            Self::Generate => "no key was made",
            Self::Scope => "the new key got no scope",
            Self::ReadBack => "the new key could not be read back",
            Self::Ping => "the tenant does not take the new key",
            Self::Retire => "the new key is in place, and what it replaces is still there",
        })
    }
}

impl fmt::Display for RenewError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call { stage, error } => write!(f, "{stage}: {error}"),
            Self::NotAsked { what } => {
                write!(f, "the new key is not what was asked for: {what}")
            }
            Self::Sink(error) => fmt::Display::fmt(error, f),
            Self::Journal(error) => fmt::Display::fmt(error, f),
            Self::NoRandom => f.write_str("the system gives no random bytes"),
            Self::Delivered { id, error } => {
                write!(f, "key {id} was made and delivered, but this was not recorded: {error}")
            }
            Self::NotKnown { error } => write!(
                f,
                "{error}\nwhether the tenant made a key is not known; nobody has it, and the next \
                 run looks for it and deletes it"
            ),
            Self::NotUndone { error, id: Some(id), later } => write!(
                f,
                "{error}\nkey {id} exists and nobody has it; it could not be deleted: {later}"
            ),
            Self::NotUndone { error, id: None, later } => write!(
                f,
                "{error}\nthe tenant may have made a key that nobody has; it could not be looked \
                 for: {later}"
            ),
        }
    }
}

impl core::error::Error for RenewError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Call { error, .. } => Some(error),
            Self::Sink(error) => Some(error),
            Self::Journal(error) => Some(error),
            Self::Delivered { error, .. }
            | Self::NotKnown { error }
            | Self::NotUndone { error, .. } => Some(error),
            _ => None,
        }
    }
}
