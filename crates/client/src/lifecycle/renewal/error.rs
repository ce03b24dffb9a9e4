//! [`RenewError`]: why no new key is in place, and what remains of the attempt.

use core::fmt;

use cortexkey_core::auth::KeyId;
use cortexkey_system::{chain, message_and_help, with_help};
use thiserror::Error;

use super::super::lock_file::LockFileError;
use crate::resources::{ApiPermission, ExpiryError};
use crate::sink::SinkError;
use crate::transport::CallError;

/// The stage that a renewal had reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stage {
    /// Finishing an interrupted run.
    Settle,
    /// Reading the tenant before anything is changed.
    Prepare,
    /// Checking that the new key can be scoped, before it is generated.
    Permission,
    /// Generating the key.
    Generate,
    /// Setting its scope.
    Scope,
    /// Reading it back.
    ReadBack,
    /// Calling with it.
    Ping,
    /// Deleting the replaced key. The new key is in place.
    Retire,
}

/// Why no new key is in place.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RenewError {
    /// A call failed.
    #[error("{stage}")]
    Call {
        /// The stage.
        stage: Stage,
        /// The call's error.
        #[source]
        error: CallError,
    },
    /// The API generates no key with this expiry. Nothing was sent.
    #[error(transparent)]
    Expiry(#[from] ExpiryError),
    /// The generated key is not as requested.
    #[error("the new key is not as requested: {what}")]
    NotAsRequested {
        /// The difference.
        what: &'static str,
    },
    /// A replaced key belongs to the product, so that it is not deleted.
    #[error("key {0} is not deleted, because the product uses it itself")]
    System(KeyId),
    /// The tenant does not show who uses a replaced key, so that it is not deleted.
    #[error("key {0} is not deleted, because its record does not show whether the product uses it")]
    NotShown(KeyId),
    /// The key has no sink, or was not delivered.
    #[error(transparent)]
    Sink(SinkError),
    /// The state could not be written.
    #[error(transparent)]
    Journal(LockFileError),
    /// The system returned no random bytes.
    #[error("the system returned no random bytes")]
    NoRandom,
    /// The key was delivered, but the state could not be written.
    #[error("key {id} was generated and delivered, but this was not recorded")]
    Delivered {
        /// The new key's id.
        id: KeyId,
        /// Why the state could not be written.
        #[source]
        error: Box<Self>,
    },
    /// The key may have reached its place, or may still reach it. The key and the one that it replaces
    /// are both kept.
    #[error(
        "{}",
        followed_by(error, &format!("key {id} may be in its place, so it is kept until a newer one is \
         delivered, and so is the key that it replaces"))
    )]
    MayBeDelivered {
        /// The new key.
        id: KeyId,
        /// Why this is not known.
        error: Box<Self>,
    },
    /// The attempt failed, and the tenant may have generated, or may still generate, a key that was
    /// not delivered.
    #[error(
        "{}",
        followed_by(
            error,
            "if the tenant generated a key nevertheless, it was not delivered; the next run \
         finds and deletes it"
        )
    )]
    NotKnown {
        /// Why it failed.
        error: Box<Self>,
    },
    /// The attempt failed, and could not be undone.
    #[error("{}", followed_by(error, &left(*id, later)))]
    NotUndone {
        /// Why it failed.
        error: Box<Self>,
        /// The undelivered key, if its id arrived.
        id: Option<KeyId>,
        /// Why it could not be undone.
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

    /// Whether a later run has to finish the attempt.
    pub fn leaves_something(&self) -> bool {
        match self {
            Self::Call { stage, .. } => matches!(stage, Stage::Settle | Stage::Retire),
            Self::Delivered { .. }
            | Self::MayBeDelivered { .. }
            | Self::NotKnown { .. }
            | Self::NotUndone { .. } => true,
            _ => false,
        }
    }

    pub(super) fn may_have_delivered(&self) -> bool {
        matches!(self, Self::Sink(error) if error.may_have_delivered())
    }

    /// The permission that is missing, where the tenant says that one is.
    pub fn missing_permission(&self) -> Option<ApiPermission> {
        match self {
            Self::Call { stage, error } if error.status() == Some(403) => match stage {
                Stage::Settle | Stage::Generate | Stage::Retire => {
                    Some(ApiPermission::PublicApiEdit)
                }
                Stage::Scope | Stage::Permission => Some(ApiPermission::AccessManagementEdit),
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
            Self::Settle => "an interrupted run could not be finished",
            Self::Prepare => "no key was generated, because the tenant could not be read",
            Self::Permission => "no key was generated, because its scope could not be set",
            Self::Generate => "the key could not be generated",
            Self::Scope => "the new key got no scope",
            Self::ReadBack => "the new key could not be read back",
            Self::Ping => "the tenant does not accept the new key",
            Self::Retire => "the new key is in place, but the old one still exists",
        })
    }
}

/// An error, then what follows from it, then the remedies.
fn followed_by(error: &RenewError, consequence: &str) -> String {
    let (message, remedies) = message_and_help(error);
    with_help(format!("{message}\n{consequence}"), &remedies)
}

/// What remains of an attempt that could not be undone.
fn left(id: Option<KeyId>, later: &RenewError) -> String {
    let why = chain(later);
    match id {
        Some(id) => {
            format!("key {id} exists but was not delivered, and could not be deleted: {why}")
        }
        None => format!(
            "the tenant may have generated a key that was not delivered; it could not be searched for: {why}"
        ),
    }
}
