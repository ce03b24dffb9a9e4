//! The rules: one file each, by family, and the one registry that names them all.
//!
//! A rule is data and a function. The data is what `cortexkey explain` and the documentation
//! print; its examples are run as tests. A rule reports through a [`Sink`] and can do nothing
//! else: it opens no file, and sees the policy only through its settings.

mod corpus;
mod expiry;
mod level;
mod naming;
mod options;
mod policy;
mod roles;
mod sample;
mod schema;
mod scope;
mod secret;
mod sink;
mod table;
mod yaml;

pub use options::{OptionDoc, OptionType, Tighter};
pub(crate) use policy::p009_waiver_incomplete as waivers;
pub use sample::Example;
pub(crate) use sink::finish;
pub use sink::{CorpusContext, Draft, FileContext, KeyContext, PolicyContext, Sink};
pub(crate) use table::{GIVES_WAY, UNYIELDING};
pub use table::{TABLE, all_ids, code_of, label, name_of};

use cortexkey_manifest::Problem;
use cortexkey_manifest::policy::Severity;

use crate::settings::Settings;

/// How a rule is asked.
#[derive(Clone, Copy)]
pub enum Check {
    /// It takes over mistakes that a reader found, where this says so.
    Problems(fn(&Problem) -> bool),
    /// It looks at one file.
    File(fn(&FileContext<'_>, &Settings, &mut Sink<'_>)),
    /// It looks at one key.
    Key(fn(&KeyContext<'_>, &Settings, &mut Sink<'_>)),
    /// It looks at all files.
    Corpus(fn(&CorpusContext<'_>, &Settings, &mut Sink<'_>)),
    /// It looks at the policy itself.
    Policy(fn(&PolicyContext<'_>, &Settings, &mut Sink<'_>)),
    /// The policy is checked against the registry before any rule runs; this rule names that.
    Registry,
}

/// One rule: what it is called, why it is there, and how it is checked.
pub struct Rule {
    /// Letter and number; never reused.
    pub code: &'static str,
    /// The readable name; as good as the code everywhere.
    pub name: &'static str,
    /// How grave it is unless a policy says otherwise.
    pub severity: Severity,
    /// What it finds, in one line.
    pub summary: &'static str,
    /// Why that matters for Cortex API keys.
    pub why: &'static str,
    /// A definition in which it finds something.
    pub bad: Example,
    /// The same one mended.
    pub good: Example,
    /// How to mend it.
    pub mend: &'static str,
    /// What a policy can set beside `enabled`, `severity`, `locked`, `waivable`, `overrides`.
    pub options: &'static [OptionDoc],
    /// How it is checked.
    pub check: Check,
}

/// All rules that this version checks, in order of their codes within each family.
pub static RULES: &[&Rule] = &[
    &yaml::y001_syntax::RULE,
    &yaml::y002_duplicate_key::RULE,
    &yaml::y003_parser_disagreement::RULE,
    &yaml::y006_alias_in_key::RULE,
    &schema::s001_unknown_field::RULE,
    &schema::s002_missing_field::RULE,
    &schema::s003_wrong_type::RULE,
    &schema::s004_bad_value::RULE,
    &schema::s005_unsupported_version::RULE,
    &naming::n004_owner_missing::RULE,
    &naming::n005_owner_not_allowed::RULE,
    &naming::n009_tenant_unknown::RULE,
    &level::l001_standard_forbidden::RULE,
    &level::l002_implicit::RULE,
    &roles::r001_unknown::RULE,
    &roles::r003_duplicate::RULE,
    &roles::r004_too_many::RULE,
    &roles::r007_empty::RULE,
    &scope::a001_missing::RULE,
    &scope::a003_empty_selection::RULE,
    &scope::a005_mode_conflict::RULE,
    &expiry::e001_missing::RULE,
    &expiry::e002_past::RULE,
    &expiry::e003_too_long::RULE,
    &expiry::e004_soon::RULE,
    &expiry::e005_invalid::RULE,
    &expiry::e007_beyond_product::RULE,
    &secret::x004_field_present::RULE,
    &corpus::c001_duplicate_name::RULE,
    &policy::p001_waiver_expired::RULE,
    &policy::p004_suppression_not_allowed::RULE,
    &policy::p006_unknown_rule::RULE,
    &policy::p007_weakened::RULE,
    &policy::p009_waiver_incomplete::RULE,
];

/// The rule of a code or a name, where this version checks it.
#[must_use]
pub fn find(written: &str) -> Option<&'static Rule> {
    RULES.iter().copied().find(|rule| rule.code == written || rule.name == written)
}
