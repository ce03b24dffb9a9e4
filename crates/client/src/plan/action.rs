//! [`Action`]: one thing that a plan would do, why, and what it changes.

use core::fmt;

use cortexkey_api::scope::ScopeWrite;
use serde::Serialize;

use crate::resources::NewKey;

/// What a plan would do to one key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Action {
    /// The name of the definition; for a key without one, `key-ID`.
    pub key: String,
    /// The key's id; none where there is no key yet.
    pub id: Option<u64>,
    /// What.
    pub action: Kind,
    /// Why, in words.
    pub reason: String,
    /// What it changes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// What the key gains, by the core's comparison.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub widens: Vec<Gained>,
    /// Whether the tenant was changed by somebody else: the definition is what was applied last.
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    pub drift: bool,
    #[serde(skip)]
    pub(super) step: Step,
}

/// The kinds of actions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Kind {
    /// A key is made.
    Generate,
    /// A new key takes the place of an old one.
    Replace,
    /// Roles or comment are edited.
    Edit,
    /// The whole scope is put in place.
    Scope,
    /// A key is deleted.
    Delete,
    /// Keys that were replaced are deleted, their grace being over.
    Retire,
    /// An entry of the lock file without key and definition is taken out.
    Forget,
    /// It cannot be done by the API, or not as the definition stands.
    Refuse,
}

/// A field that changes. Values are for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Change {
    /// Which field.
    pub field: &'static str,
    /// What the tenant has.
    pub from: String,
    /// What it is to be.
    pub to: String,
}

/// Something that a key gains.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Gained {
    /// The stable name of the kind of gain, such as `role-added`.
    pub code: &'static str,
    /// What it is, in words.
    pub message: String,
}

/// How it is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Renew(NewKey),
    Edit { roles: Vec<String>, comment: Option<String> },
    Scope(ScopeWrite),
    Delete(Vec<u64>),
    Retire,
    Forget,
    Nothing,
}

impl Kind {
    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Generate => "generate",
            Self::Replace => "replace",
            Self::Edit => "edit",
            Self::Scope => "scope",
            Self::Delete => "delete",
            Self::Retire => "retire",
            Self::Forget => "forget",
            Self::Refuse => "refuse",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Action {
    pub(crate) fn step(&self) -> &Step {
        &self.step
    }

    /// The keys that it deletes, but for those of a rotation.
    pub(super) fn deletes(&self) -> impl Iterator<Item = u64> {
        let ids = match &self.step {
            Step::Delete(ids) => ids.as_slice(),
            _ => &[],
        };
        ids.iter().copied()
    }

    /// Whether somebody is asked before it is done: it widens, replaces or deletes.
    pub fn asks(&self) -> bool {
        !self.widens.is_empty()
            || matches!(self.action, Kind::Replace | Kind::Delete | Kind::Retire)
    }
}
