//! The rules: one file each, by family. [`RULES`] registers them; a rule's own `RULE` contains
//! everything else.

pub(crate) mod corpus;
mod expiry;
mod level;
mod naming;
pub mod page;
pub(crate) mod policy;
mod roles;
mod schema;
pub(crate) mod scope;
mod secret;
pub(crate) mod yaml;

use std::sync::LazyLock;

use cortexkey_manifest::Problem;
use cortexkey_manifest::policy::{PolicyLayers, load};
use cortexkey_manifest::yaml::YamlLimits;

use crate::policy::{Fact, MistakeKind, Policy, RuleSpec, Settings};
pub use crate::policy::{OptionDoc, OptionType, StricterWhen, WEEKDAYS};
use crate::rule::RuleCheck;
pub use crate::rule::{Fixes, Rule, RuleExample};
pub(crate) use roles::r001_unknown::may_have;

/// All rules, in order of their codes within each family.
pub static RULES: &[&Rule] = &[
    &yaml::y001_syntax::RULE,
    &yaml::y002_duplicate_key::RULE,
    &yaml::y003_parser_disagreement::RULE,
    &yaml::y004_ambiguous_scalar::RULE,
    &yaml::y005_invisible_character::RULE,
    &yaml::y006_alias_in_key::RULE,
    &yaml::y007_multiple_documents::RULE,
    &yaml::y008_line_endings::RULE,
    &schema::s001_unknown_field::RULE,
    &schema::s002_missing_field::RULE,
    &schema::s003_wrong_type::RULE,
    &schema::s004_bad_value::RULE,
    &schema::s005_unsupported_version::RULE,
    &schema::s006_field_order::RULE,
    &schema::s007_outside_corpus::RULE,
    &schema::s008_modeline::RULE,
    &naming::n001_pattern::RULE,
    &naming::n002_length::RULE,
    &naming::n003_file_mismatch::RULE,
    &naming::n004_owner_missing::RULE,
    &naming::n005_owner_not_allowed::RULE,
    &naming::n006_comment_missing::RULE,
    &naming::n007_ticket_missing::RULE,
    &naming::n008_environment_mismatch::RULE,
    &naming::n009_tenant_unknown::RULE,
    &level::l001_standard_forbidden::RULE,
    &level::l002_implicit::RULE,
    &level::l003_with_privileged_role::RULE,
    &level::l004_without_expiry::RULE,
    &level::l005_unfit_for_consumer::RULE,
    &roles::r001_unknown::RULE,
    &roles::r002_forbidden::RULE,
    &roles::r003_duplicate::RULE,
    &roles::r004_too_many::RULE,
    &roles::r005_toxic_combination::RULE,
    &roles::r006_redundant::RULE,
    &roles::r007_empty::RULE,
    &roles::r008_deprecated::RULE,
    &roles::r009_privileged_without_approval::RULE,
    &roles::r010_generates_keys::RULE,
    &roles::r011_by_id::RULE,
    &scope::a001_missing::RULE,
    &scope::a002_all_assets::RULE,
    &scope::a003_empty_selection::RULE,
    &scope::a004_unknown_group::RULE,
    &scope::a005_mode_conflict::RULE,
    &scope::a006_unreferenced_cases::RULE,
    &scope::a007_ineffective::RULE,
    &scope::a008_not_enforced::RULE,
    &scope::a009_datasets_unset::RULE,
    &scope::a010_bypassable::RULE,
    &scope::a011_group_not_scopable::RULE,
    &scope::a012_dataset_filter::RULE,
    &scope::a013_on_product_without::RULE,
    &expiry::e001_missing::RULE,
    &expiry::e002_past::RULE,
    &expiry::e003_too_long::RULE,
    &expiry::e004_soon::RULE,
    &expiry::e005_invalid::RULE,
    &expiry::e006_off_hours::RULE,
    &expiry::e007_beyond_product::RULE,
    &expiry::e008_minutes::RULE,
    &secret::x001_cortex_key::RULE,
    &secret::x002_high_entropy::RULE,
    &secret::x003_known_format::RULE,
    &secret::x004_field_present::RULE,
    &secret::x005_placeholder_reference::RULE,
    &corpus::c001_duplicate_name::RULE,
    &corpus::c002_duplicate_grant::RULE,
    &corpus::c003_role_unused::RULE,
    &corpus::c004_owner_quota::RULE,
    &corpus::c006_widened::RULE,
    &corpus::c007_dropped::RULE,
    &corpus::c008_id_reuse::RULE,
    &policy::p001_waiver_expired::RULE,
    &policy::p002_waiver_unused::RULE,
    &policy::p003_waiver_too_long::RULE,
    &policy::p004_suppression_not_allowed::RULE,
    &policy::p005_suppression_unused::RULE,
    &policy::p006_unknown_rule::RULE,
    &policy::p007_weakened::RULE,
    &policy::p008_rule_never_matches::RULE,
    &policy::p009_waiver_incomplete::RULE,
];

/// The rules whose findings are suppressed by another rule's finding at the same location, so that
/// one mistake causes one finding. A waived finding suppresses nothing.
pub(crate) static SUPPRESSED_BY: &[(&Rule, &[&Rule])] = &[
    // A field named like a secret is more urgent than an unknown one.
    (&schema::s001_unknown_field::RULE, &[&secret::x004_field_present::RULE]),
    (
        &expiry::e007_beyond_product::RULE,
        &[&expiry::e001_missing::RULE, &expiry::e003_too_long::RULE],
    ),
    // If the level or role is forbidden, further findings about it add nothing.
    (&level::l003_with_privileged_role::RULE, &[&level::l001_standard_forbidden::RULE]),
    (&level::l004_without_expiry::RULE, &[&expiry::e001_missing::RULE]),
    (&roles::r009_privileged_without_approval::RULE, &[&roles::r002_forbidden::RULE]),
    (&roles::r010_generates_keys::RULE, &[&roles::r002_forbidden::RULE]),
    // Readers disagree because of a character that should not be there.
    (&yaml::y003_parser_disagreement::RULE, &[&yaml::y005_invisible_character::RULE]),
];

/// The rule with a code, name or former name.
#[must_use]
pub fn find(written: &str) -> Option<&'static Rule> {
    RULES.iter().copied().find(|rule| rule.id().matches(written))
}

/// The rule that reports a mistake of a reader.
pub(crate) fn of_problem(problem: &Problem) -> Option<&'static Rule> {
    RULES.iter().copied().find(|rule| rule.reports(problem))
}

/// The rule that reports a mistake of a policy.
pub(crate) fn of_mistake(kind: MistakeKind) -> &'static Rule {
    match kind {
        MistakeKind::UnknownRule => &policy::p006_unknown_rule::RULE,
        MistakeKind::BadValue => &schema::s004_bad_value::RULE,
        MistakeKind::Duplicate => &yaml::y002_duplicate_key::RULE,
    }
}

/// Names and codes of all rules, for suggestions.
#[must_use]
pub fn all_ids() -> Vec<&'static str> {
    RULES.iter().flat_map(|rule| [rule.name, rule.code]).collect()
}

/// The address of a rule's page.
#[must_use]
pub fn page_url(name: &str) -> String {
    format!("{}/blob/main/docs/rules/{name}.md", env!("CARGO_PKG_REPOSITORY"))
}

/// What policies can change about the rules.
static SPECS: LazyLock<Vec<RuleSpec>> =
    LazyLock::new(|| RULES.iter().map(|rule| rule.spec()).collect());

impl Rule {
    /// True if each of its findings reports that a part of a file could not be checked. Such
    /// findings cannot be suppressed, waived, lowered, turned off or put into a baseline: no rule
    /// has checked what the reader could not read. For unknown fields, each problem decides
    /// ([`Problem::leaves_unchecked`]).
    #[must_use]
    pub fn leaves_unchecked(&self) -> bool {
        matches!(self.check, RuleCheck::Problems(..))
            && self.id() != schema::s001_unknown_field::RULE.id()
    }

    fn spec(&self) -> RuleSpec {
        // While one of these has findings, the policy's intent is not certain.
        let of_policy = [&policy::p006_unknown_rule::RULE, &policy::p007_weakened::RULE];
        RuleSpec {
            id: self.id(),
            severity: self.severity,
            options: self.options,
            leaves_unchecked: self.leaves_unchecked(),
            is_waivable: !self.leaves_unchecked()
                && of_policy.iter().all(|rule| rule.id() != self.id()),
        }
    }
}

impl Policy {
    /// Merges layers that were read, and checks their rule settings.
    #[must_use]
    pub fn new(layers: PolicyLayers) -> Self {
        Self::numbered(layers, 0)
    }

    /// Like [`new`](Self::new), for the policy with this number in a run over several.
    #[must_use]
    pub(crate) fn numbered(layers: PolicyLayers, number: usize) -> Self {
        Self::with_rules(layers, &SPECS, number)
    }

    /// A built-in policy; `None` if there is none with this name.
    #[must_use]
    pub fn builtin(name: &str) -> Option<Self> {
        let mut none = |path: &str| Err(format!("cannot read {path}").into());
        load(name, &YamlLimits::default(), &mut none).ok().map(Self::new)
    }

    /// Reads a policy from its text. It can extend only built-in policies.
    #[must_use]
    pub fn from_text(path: &str, text: &str) -> Self {
        let mut read = |wanted: &str| {
            let found = wanted == path;
            found
                .then(|| text.as_bytes().to_vec())
                .ok_or_else(|| format!("cannot read {wanted}").into())
        };
        Self::new(load(path, &YamlLimits::default(), &mut read).unwrap_or_default())
    }

    /// The settings of a rule for keys that no override matches.
    #[must_use]
    pub fn settings(&self, rule: &Rule) -> &Settings {
        self.rule_settings(&rule.id()).base()
    }

    /// All settings of a rule, in the order in which they apply.
    #[must_use]
    pub fn facts(&self, rule: &Rule) -> Vec<Fact> {
        self.rule_facts(&rule.spec())
    }
}
