//! Waivers and custom rules, as written.
//!
//! An incomplete waiver is read: the fields that it lacks are findings of their own rule.

use super::rules::{self, Match, RuleEntry, matching};
use crate::definition::moment;
use crate::reader::{Fields, Reader};
use crate::{Field, ProblemKind, Span};

/// A finding that is accepted until a date.
#[derive(Clone, Debug)]
pub struct Waiver {
    /// Its position.
    pub span: Span,
    /// The rule, by name or code.
    pub rule: Field<String>,
    /// The key, as `name` or `tenant/name`.
    pub key: Field<String>,
    /// Why it is accepted.
    pub reason: Field<String>,
    /// Who accepted it.
    pub approved_by: Field<String>,
    /// When the waiver expires.
    pub expires: Field<jiff::Timestamp>,
}

/// A custom rule of the organisation.
#[derive(Clone, Debug)]
pub struct CustomRule {
    /// Its position.
    pub span: Span,
    /// Its code.
    pub id: Field<String>,
    /// Its name.
    pub name: Field<String>,
    /// The keys that it applies to.
    pub matches: Field<Match>,
    /// The expression that must hold.
    pub assert: Field<String>,
    /// The message of a finding.
    pub message: Field<String>,
    /// Its own severity and locks, as an entry of `rules`; absent without a code.
    pub entry: Option<RuleEntry>,
}

/// Reads one entry of `waivers`.
pub(super) fn waiver<'t>(reader: &mut Reader<'t>, fields: &Fields<'t>) -> Waiver {
    Waiver {
        span: fields.span,
        rule: reader.text(fields, "rule"),
        key: reader.text(fields, "key"),
        expires: reader.time(fields, "expires", ProblemKind::BadExpiry, moment),
        reason: reader.text(fields, "reason"),
        approved_by: reader.text(fields, "approvedBy"),
    }
}

/// Reads one entry of `customRules`.
pub(super) fn custom<'t>(reader: &mut Reader<'t>, fields: &Fields<'t>) -> CustomRule {
    let id = reader.text(fields, "id");
    CustomRule {
        span: fields.span,
        name: reader.text(fields, "name"),
        assert: reader.text(fields, "assert"),
        message: reader.text(fields, "message"),
        matches: matching(reader, fields),
        entry: id.spanned().map(|id| rules::own_entry(reader, fields, id)),
        id,
    }
}
