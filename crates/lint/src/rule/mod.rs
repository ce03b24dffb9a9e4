//! What a rule is: data and a function.
//!
//! The data is what `cortexkey explain` and the documentation print; its examples are run as tests. A
//! rule sees a context and its settings, and reports through a [`FindingSink`]; it opens no file.

mod context;
mod custom;
mod example;
mod sink;
mod tokens;

use cortexkey_manifest::policy::Severity;
use cortexkey_manifest::yaml::Tree;
use cortexkey_manifest::{Field, Problem, Span};

pub(crate) use context::{
    CorpusContext, FileContext, Included, KeyContext, PolicyContext, RoleIndex,
};
pub(crate) use custom::{CustomContext, check_custom};
pub use example::RuleExample;
pub(crate) use example::{COMPLETE, definition};
pub(crate) use sink::FindingSink;

use crate::model::{Fix, RuleId};
use crate::policy::{OptionDoc, Settings};

/// What a rule looks at.
#[derive(Clone, Copy)]
pub(crate) enum RuleCheck {
    /// The rule reports the mistakes of the reader that the first function selects; the second
    /// function fixes them.
    Problems(fn(&Problem) -> bool, fn(&Tree, &Problem, &Settings) -> Option<Fix>),
    /// One file of the corpus.
    File(fn(&FileContext<'_>, &mut FindingSink<'_>)),
    /// One file, of the corpus or of the policy.
    Text(fn(&FileContext<'_>, &mut FindingSink<'_>)),
    /// One key.
    Key(fn(&KeyContext<'_>, &mut FindingSink<'_>)),
    /// All files.
    Corpus(fn(&CorpusContext<'_>, &mut FindingSink<'_>)),
    /// The policy itself.
    Policy(fn(&PolicyContext<'_>, &mut FindingSink<'_>)),
    /// The engine reports it, before any rule runs or after all others.
    Engine,
}

/// Whether edits can fix a rule's findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fixes {
    /// Not automatically.
    No,
    /// With `--fix`: the key's permissions do not change.
    Safe,
    /// With `--unsafe-fixes`: the fix needs a review.
    Unsafe,
}

/// One rule: its page, its options, and how it checks.
pub struct Rule {
    /// Letter and number; never reused.
    pub code: &'static str,
    /// The readable name; it is accepted wherever the code is.
    pub name: &'static str,
    /// Its severity unless a policy sets another one.
    pub severity: Severity,
    /// What it finds, in one line.
    pub summary: &'static str,
    /// Why it matters for Cortex API keys.
    pub why: &'static str,
    /// A definition in which it finds something.
    pub bad: RuleExample,
    /// The bad example, fixed.
    pub good: RuleExample,
    /// How to fix it.
    pub remedy: &'static str,
    /// What a policy can set besides `enabled`, `severity`, `locked`, `waivable`, `overrides`.
    pub options: &'static [OptionDoc],
    /// Whether edits can fix it.
    pub fixes: Fixes,
    /// How it checks.
    pub(crate) check: RuleCheck,
}

impl Rule {
    /// Its code and name.
    #[must_use]
    pub const fn id(&self) -> RuleId {
        RuleId::new(self.code, self.name)
    }

    /// True when it reports this mistake, which the reader of definitions found.
    pub(crate) fn reports(&self, problem: &Problem) -> bool {
        matches!(self.check, RuleCheck::Problems(reports, _) if reports(problem))
    }
}

/// Where a missing field is reported: at its empty key, or at the key of its mapping.
pub(crate) fn missing_span<T>(field: &Field<T>, mapping: Span) -> Span {
    field.key().unwrap_or(mapping)
}
