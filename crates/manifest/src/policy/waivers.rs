//! Waivers and an organisation's own rules, as written.
//!
//! Refuses nothing that is incomplete: which fields a waiver lacks is a finding of its own.

use super::Severity;
use super::rules::{Match, matching};
use crate::definition::moment;
use crate::reader::{Fields, Reader};
use crate::{Field, ProblemKind, Span};

/// A finding that is accepted for a while.
#[derive(Clone, Debug)]
pub struct Waiver {
    /// Where it stands.
    pub span: Span,
    /// Of which rule, by name or code.
    pub rule: Field<String>,
    /// For which key: `name` or `tenant/name`.
    pub key: Field<String>,
    /// Why.
    pub reason: Field<String>,
    /// Who agreed.
    pub approved_by: Field<String>,
    /// Until when.
    pub expires: Field<jiff::Timestamp>,
}

/// A rule that the organisation wrote.
#[derive(Clone, Debug)]
pub struct CustomRule {
    /// Where it stands.
    pub span: Span,
    /// Its code.
    pub id: Field<String>,
    /// Its name.
    pub name: Field<String>,
    /// For which keys.
    pub matches: Field<Match>,
    /// The expression that must hold.
    pub assert: Field<String>,
    /// What to say where it does not.
    pub message: Field<String>,
    /// How grave that is.
    pub severity: Field<Severity>,
    /// Whether children may loosen it.
    pub locked: Field<bool>,
    /// Whether waivers and comments may suppress it.
    pub waivable: Field<bool>,
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
    CustomRule {
        span: fields.span,
        id: reader.text(fields, "id"),
        name: reader.text(fields, "name"),
        assert: reader.text(fields, "assert"),
        message: reader.text(fields, "message"),
        matches: reader.child_as(fields, "match", matching),
        severity: reader.choice(fields, "severity"),
        locked: reader.choice(fields, "locked"),
        waivable: reader.choice(fields, "waivable"),
    }
}
