//! Policies: an organisation's requirements for its keys, in layers.
//!
//! A policy file is read as strictly as a key definition. The linter owns the rules and their
//! options, so a rule's settings are kept as written, with their places, and checked there. Nothing
//! is fetched: a parent is a built-in policy or a file, which may be the copy of a remote policy.

mod builtin;
mod cases;
mod catalog;
mod facts;
mod layers;
mod merge;
pub mod pinned;
mod read;
mod rules;
mod waivers;

pub use crate::format::{CASES_KIND, POLICY_KIND as KIND};
pub use crate::keyword::{Open, Severity};
pub use builtin::{BUILTINS, builtin, is_builtin};
pub use cases::{ExpectedFinding, LoweredCases, PolicyCase, read_cases};
pub use catalog::{AssetGroupEntry, Catalog, CatalogRole, CatalogTenant, Deprecation};
pub use facts::{Facts, RefusedFact};
pub use layers::{
    LayerFault, LoadError, PolicyLayer, PolicyLayers, PolicyReadError, load, load_as,
};
pub use merge::{
    LockViolation, Merged, ResolvedOverride, ResolvedRule, Rules, SettingSource, SourcedValue,
};
pub use pinned::{Pinned, PolicyParent};
pub use read::{is_policy, read};
pub use rules::{Match, OptionKind, OptionValue, Override, RuleEntry, RuleSettings};
pub use waivers::{CustomRule, Waiver};

use jiff::SignedDuration;

use crate::{Field, Problem, Span, Spanned};

/// One policy file.
#[derive(Clone, Debug)]
pub struct PolicyFile {
    /// The position at which missing top-level fields are reported.
    pub place: Span,
    /// The policy's name.
    pub name: Field<String>,
    /// Its parents, in order. A later one overrides an earlier one.
    pub extends: Vec<Spanned<PolicyParent>>,
    /// Patterns of the files that hold its keys; `None` if the policy has none.
    pub keys: Option<Vec<Spanned<String>>>,
    /// Tenants by name.
    pub tenants: Vec<(Spanned<String>, CatalogTenant)>,
    /// How long before its expiry a key with a lifetime is due for rotation.
    pub rotate_before: Field<SignedDuration>,
    /// How long before an expiry `cortexkey keys watch` sends a notice.
    pub notify_before: Field<Vec<SignedDuration>>,
    /// Settings of rules, by name or code as written.
    pub rules: Vec<RuleEntry>,
    /// Roles, teams, domains and conflicts.
    pub catalog: Catalog,
    /// Custom rules.
    pub custom_rules: Vec<CustomRule>,
    /// Findings that are accepted until a date.
    pub waivers: Vec<Waiver>,
    /// Patterns of files with cases of this policy.
    pub tests: Vec<Spanned<String>>,
}

/// The result of reading a policy's document.
#[derive(Clone, Debug)]
pub struct Lowered {
    /// The policy, unless the document is of another kind or version.
    pub policy: Option<PolicyFile>,
    /// All mistakes of the document.
    pub problems: Vec<Problem>,
}
