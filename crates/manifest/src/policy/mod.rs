//! Policies: what an organisation asks of its keys, in layers.
//!
//! A policy file is read as strictly as a key definition. Which rules and options exist is not
//! known here: a rule's settings are kept with their places, and the linter holds them against
//! its registry. Nothing is fetched; a parent is a built-in policy or a file.

mod builtin;
mod cases;
mod catalog;
mod facts;
mod layers;
mod merge;
mod read;
mod rules;
mod waivers;

pub use crate::format::{CASES_KIND, POLICY_KIND as KIND};
pub use crate::words::{Open, Severity};
pub use builtin::{BUILTINS, builtin};
pub use cases::{Case, Expected, LoweredCases, read_cases};
pub use catalog::{AssetGroupEntry, Catalog, Deprecation, Role, Tenant};
pub use facts::{Facts, RefusedFact};
pub use layers::{Layer, LayerFault, Layers, load, load_as};
pub use merge::{Merged, Refused, ResolvedOverride, ResolvedRule, Rules, Setting, Source};
pub use read::{is_policy, read};
pub use rules::{Match, OptionKind, OptionValue, Override, RuleEntry, RuleSettings};
pub use waivers::{CustomRule, Waiver};

use jiff::SignedDuration;

use crate::{Field, Problem, Span, Spanned};

/// One policy file.
#[derive(Clone, Debug)]
pub struct PolicyFile {
    /// Where a field missing at the top is reported.
    pub place: Span,
    /// The policy's name.
    pub name: Field<String>,
    /// Its parents, in order; a later one is laid over an earlier one.
    pub extends: Vec<Spanned<String>>,
    /// Patterns of the files that hold its keys; `None` where it says nothing.
    pub keys: Option<Vec<Spanned<String>>>,
    /// Tenants by name.
    pub tenants: Vec<(Spanned<String>, Tenant)>,
    /// How long before its end a key with a lifetime is due to be rotated.
    pub rotate_before: Field<SignedDuration>,
    /// What it says about rules, by the name or code written.
    pub rules: Vec<RuleEntry>,
    /// Roles, teams, domains and conflicts.
    pub catalog: Catalog,
    /// Rules of its own.
    pub custom_rules: Vec<CustomRule>,
    /// Findings that are accepted for a while.
    pub waivers: Vec<Waiver>,
    /// Files with cases of this policy.
    pub tests: Vec<Spanned<String>>,
}

/// What came of a policy's document.
#[derive(Clone, Debug)]
pub struct Lowered {
    /// The policy, unless the document is of another kind or version.
    pub policy: Option<PolicyFile>,
    /// All mistakes of the document.
    pub problems: Vec<Problem>,
}
