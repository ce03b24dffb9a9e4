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
pub mod page;
mod policy;
mod roles;
mod sample;
mod schema;
mod scope;
mod secret;
mod sink;
mod table;
mod yaml;

pub(crate) use expiry::words;
pub(crate) use options::WEEKDAYS;
pub use options::{OptionDoc, OptionType, Tighter};
pub use sample::Example;
pub(crate) use sink::finish;
pub use sink::{
    CorpusContext, Draft, FileContext, FoundToken, KeyContext, Listed, PolicyContext, Sink,
};
pub(crate) use table::GIVES_WAY;
pub use table::{TABLE, all_ids, code_of, label, name_of, page_url};

use cortexkey_manifest::Problem;
use cortexkey_manifest::policy::Severity;
use cortexkey_manifest::yaml::Tree;

use crate::finding::Fix;
use crate::settings::Settings;

/// How a rule is asked.
#[derive(Clone, Copy)]
pub enum Check {
    /// It takes over mistakes that a reader found, where this says so.
    Problems(fn(&Problem) -> bool, fn(&Tree, &Problem, &Settings) -> Option<Fix>),
    /// It looks at one file of the corpus.
    File(fn(&FileContext<'_>, &Settings, &mut Sink<'_>)),
    /// It looks at one file, of the corpus or of the policy.
    Text(fn(&FileContext<'_>, &Settings, &mut Sink<'_>)),
    /// It looks at one key.
    Key(fn(&KeyContext<'_>, &Settings, &mut Sink<'_>)),
    /// It looks at all files.
    Corpus(fn(&CorpusContext<'_>, &Settings, &mut Sink<'_>)),
    /// It looks at the policy itself.
    Policy(fn(&PolicyContext<'_>, &Settings, &mut Sink<'_>)),
    /// It is found before any rule runs, or when all others have run; this rule names that.
    Elsewhere,
}

/// Whether a rule's findings can be mended by edits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fixes {
    /// By people only.
    No,
    /// With `--fix`: nothing that the key may do changes.
    Safe,
    /// With `--unsafe-fixes`: somebody has to agree.
    Unsafe,
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
    /// Whether it can be mended by edits.
    pub fixes: Fixes,
    /// How it is checked.
    pub check: Check,
}

impl Rule {
    /// True when each of its findings says that a part of a file could not be checked. Nothing
    /// suppresses, waives, lowers, turns off or baselines them: what the reader could not read, no
    /// rule has seen. Unknown fields alone are told apart one by one
    /// ([`Problem::leaves_unchecked`]).
    #[must_use]
    pub fn leaves_unchecked(&self) -> bool {
        matches!(self.check, Check::Problems(..)) && self.code != "S001"
    }

    /// True for the family that looks for secrets.
    pub(crate) fn is_about_secrets(&self) -> bool {
        self.code.starts_with('X')
    }
}

/// All rules that this version checks, in order of their codes within each family.
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
    &roles::r010_mints_keys::RULE,
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

/// The rule of a code or a name, where this version checks it.
#[must_use]
pub fn find(written: &str) -> Option<&'static Rule> {
    RULES.iter().copied().find(|rule| rule.code == written || rule.name == written)
}
