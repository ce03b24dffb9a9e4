//! [`Action`]: one step of a plan, its reason, and its changes.

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
    /// The key's id; `None` if there is no key yet.
    pub id: Option<u64>,
    /// The kind of action.
    pub action: ActionKind,
    /// The reason, in words.
    pub reason: String,
    /// What the user can do about it, mostly for a refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// The fields that change.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<FieldChange>,
    /// What the key gains, by the core's comparison.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub widens: Vec<PlannedGain>,
    /// Whether the tenant was changed from outside: the definition equals the one applied last.
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    pub drift: bool,
    #[serde(skip)]
    pub(super) step: ActionStep,
}

/// Splits a reason from its remedy, which follows on a line that begins with `help: `.
pub(super) fn split_help(text: impl Into<String>) -> (String, Option<String>) {
    let text = text.into();
    match text.split_once("\nhelp: ") {
        Some((reason, help)) => (reason.to_owned(), Some(help.to_owned())),
        None => (text, None),
    }
}

/// The kinds of actions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ActionKind {
    /// Generates a key.
    Generate,
    /// Replaces a key with a new one.
    Replace,
    /// Edits roles or comment.
    Edit,
    /// Replaces the scope.
    Scope,
    /// Deletes a key.
    Delete,
    /// Deletes replaced keys whose grace period is over.
    Retire,
    /// Removes a lock file entry that has neither key nor definition.
    Forget,
    /// The API cannot do it, or the definition does not allow it.
    Refuse,
}

/// A field that changes, with values in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FieldChange {
    /// The field's name.
    pub field: &'static str,
    /// The current value.
    pub from: String,
    /// The new value.
    pub to: String,
}

/// Something that a key gains.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PlannedGain {
    /// The stable name of the kind of gain, such as `role-added`.
    pub code: &'static str,
    /// The gain, in words.
    pub message: String,
}

/// How the action is carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ActionStep {
    Renew(NewKey),
    Edit { roles: Vec<String>, comment: Option<String> },
    Scope(ScopeWrite),
    Delete(Vec<u64>),
    Retire,
    Forget,
    Nothing,
}

impl ActionKind {
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

impl fmt::Display for ActionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Action {
    pub(crate) fn step(&self) -> &ActionStep {
        &self.step
    }

    /// The keys that it deletes, except those of a rotation.
    pub(super) fn deletes(&self) -> impl Iterator<Item = u64> {
        let ids = match &self.step {
            ActionStep::Delete(ids) => ids.as_slice(),
            _ => &[],
        };
        ids.iter().copied()
    }

    /// Whether it needs confirmation: it widens, replaces or deletes.
    pub fn needs_confirmation(&self) -> bool {
        !self.widens.is_empty()
            || matches!(self.action, ActionKind::Replace | ActionKind::Delete | ActionKind::Retire)
    }
}
