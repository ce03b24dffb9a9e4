//! Codes and names of all rules, those included that this version does not check yet.
//!
//! A policy that names a rule of a later version is told so, instead of being told that there is
//! no such rule. A code is never given to another rule.

use super::find;

/// Code and name of each rule.
pub static TABLE: &[(&str, &str)] = &[
    ("Y001", "yaml-syntax"),
    ("Y002", "yaml-duplicate-key"),
    ("Y003", "yaml-parser-disagreement"),
    ("Y004", "yaml-ambiguous-scalar"),
    ("Y005", "yaml-invisible-character"),
    ("Y006", "yaml-alias-in-key"),
    ("Y007", "yaml-multiple-documents"),
    ("Y008", "yaml-line-endings"),
    ("S001", "schema-unknown-field"),
    ("S002", "schema-missing-field"),
    ("S003", "schema-wrong-type"),
    ("S004", "schema-bad-value"),
    ("S005", "schema-unsupported-version"),
    ("S006", "schema-field-order"),
    ("S007", "schema-outside-corpus"),
    ("N001", "name-pattern"),
    ("N002", "name-length"),
    ("N003", "name-file-mismatch"),
    ("N004", "owner-missing"),
    ("N005", "owner-not-allowed"),
    ("N006", "comment-missing"),
    ("N007", "ticket-missing"),
    ("N008", "name-environment-mismatch"),
    ("N009", "tenant-unknown"),
    ("L001", "level-standard-forbidden"),
    ("L002", "level-implicit"),
    ("L003", "level-standard-with-privileged-role"),
    ("L004", "level-standard-without-expiry"),
    ("L005", "level-unfit-for-consumer"),
    ("R001", "role-unknown"),
    ("R002", "role-forbidden"),
    ("R003", "role-duplicate"),
    ("R004", "role-too-many"),
    ("R005", "role-toxic-combination"),
    ("R006", "role-redundant"),
    ("R007", "role-empty"),
    ("R008", "role-deprecated"),
    ("R009", "role-privileged-without-approval"),
    ("R010", "role-mints-keys"),
    ("R011", "role-by-id"),
    ("A001", "scope-missing"),
    ("A002", "scope-all-assets"),
    ("A003", "scope-empty-selection"),
    ("A004", "scope-unknown-group"),
    ("A005", "scope-mode-conflict"),
    ("A006", "scope-unreferenced-cases"),
    ("A007", "scope-ineffective"),
    ("A008", "scope-not-enforced"),
    ("A009", "scope-datasets-unset"),
    ("A010", "scope-bypassable"),
    ("A011", "scope-group-not-scopable"),
    ("A012", "scope-dataset-filter"),
    ("A013", "scope-on-product-without"),
    ("E001", "expiry-missing"),
    ("E002", "expiry-past"),
    ("E003", "expiry-too-long"),
    ("E004", "expiry-soon"),
    ("E005", "expiry-invalid"),
    ("E006", "expiry-off-hours"),
    ("E007", "expiry-beyond-product"),
    ("E008", "expiry-in-minutes"),
    ("X001", "secret-cortex-key"),
    ("X002", "secret-high-entropy"),
    ("X003", "secret-known-format"),
    ("X004", "secret-field-present"),
    ("X005", "secret-placeholder-reference"),
    ("C001", "duplicate-name"),
    ("C002", "duplicate-grant"),
    ("C003", "role-unused"),
    ("C004", "owner-key-quota"),
    ("C006", "key-widened"),
    ("C007", "key-dropped"),
    ("C008", "key-id-reuse"),
    ("P001", "waiver-expired"),
    ("P002", "waiver-unused"),
    ("P003", "waiver-too-long"),
    ("P004", "suppression-not-allowed"),
    ("P005", "suppression-unused"),
    ("P006", "policy-unknown-rule"),
    ("P007", "policy-weakened"),
    ("P008", "policy-rule-never-matches"),
    ("P009", "waiver-incomplete"),
];

/// Rules that give way where another one has found something at the same place: one fault, one
/// finding. One that is waived holds nobody back.
pub(crate) static GIVES_WAY: &[(&str, &[&str])] = &[
    // A field that is named like a secret is something more urgent than an unknown one.
    ("S001", &["X004"]),
    ("E007", &["E001", "E003"]),
    // A level that is forbidden needs no further reasons against it, and neither does a role.
    ("L003", &["L001"]),
    ("L004", &["E001"]),
    ("R009", &["R002"]),
    ("R010", &["R002"]),
    // A character that readers see in two ways is one that should not be there.
    ("Y003", &["Y005"]),
];

/// The code of a written code or name.
#[must_use]
pub fn code_of(written: &str) -> Option<&'static str> {
    TABLE.iter().find(|(code, name)| *code == written || *name == written).map(|(code, _)| *code)
}

/// The name of a code.
#[must_use]
pub fn name_of(code: &str) -> Option<&'static str> {
    TABLE.iter().find(|(known, _)| *known == code).map(|(_, name)| *name)
}

/// Code and name together, as output has them.
#[must_use]
pub fn label(code: &str) -> String {
    format!("{code} {}", name_of(code).unwrap_or_default())
}

/// Where a rule's page can be read.
#[must_use]
pub fn page_url(name: &str) -> String {
    format!("{}/blob/main/docs/rules/{name}.md", env!("CARGO_PKG_REPOSITORY"))
}

/// Codes and names of the rules that can be named, checked ones first, for suggestions.
#[must_use]
pub fn all_ids() -> Vec<&'static str> {
    let checked = TABLE.iter().filter(|(code, _)| find(code).is_some());
    let others = TABLE.iter().filter(|(code, _)| find(code).is_none());
    checked.chain(others).flat_map(|(code, name)| [*name, *code]).collect()
}
