//! Waivers and an organisation's own rules, as written.
//!
//! Refuses nothing that is incomplete: which fields a waiver lacks is a finding of its own.

use super::read::refill;
use super::rules::{MATCH_FIELDS, Match, SEVERITIES, Severity, matching};
use crate::definition::moment;
use crate::reader::Reader;
use crate::yaml::NodeId;
use crate::{Field, ProblemKind, Span, quote_refused};

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
pub(super) fn waiver(reader: &mut Reader<'_>, id: NodeId, path: &str) -> Option<Waiver> {
    let known = ["rule", "key", "reason", "approvedBy", "expires"];
    let fields = reader.mapping(id, reader.span(id), path, &known)?;
    let rule = reader.text(&fields, "rule");
    let rule = reader.required(rule, &fields, "rule", "rule: expiry-too-long");
    let key = reader.text(&fields, "key");
    let key = reader.required(key, &fields, "key", "key: prod-eu/svc-export-prod");
    let expires = reader.field(&fields, "expires", |reader, entry, path| {
        let text = reader.text_at(entry.value, path)?;
        moment(text)
            .map_err(|error| {
                let message = format!("{} in `{path}`: {}", quote_refused(text), error.message);
                let span = reader.span(entry.value);
                reader.report_help(ProblemKind::BadExpiry, span, message, error.help);
            })
            .ok()
    });
    Some(Waiver {
        span: fields.span,
        rule,
        key,
        reason: reader.text(&fields, "reason"),
        approved_by: reader.text(&fields, "approvedBy"),
        expires,
    })
}

/// Reads one entry of `customRules`.
pub(super) fn custom(reader: &mut Reader<'_>, id: NodeId, path: &str) -> Option<CustomRule> {
    let known = ["id", "name", "match", "assert", "message", "severity", "locked", "waivable"];
    let fields = reader.mapping(id, reader.span(id), path, &known)?;
    let mut text = |name: &str, example: &str| {
        let field = reader.text(&fields, name);
        reader.required(field, &fields, name, example)
    };
    let id = text("id", "id: ORG001");
    let name = text("name", "name: prod-holds-few-roles");
    let assert = text("assert", "assert: \"size(key.spec.roles) <= 3\"");
    let message = text("message", "message: production keys hold at most three roles");
    let inner = reader.child(&fields, "match", &MATCH_FIELDS);
    let inner = reader.filled(inner, &fields, "match");
    let matches = crate::reader::map(inner, |fields| matching(reader, &fields));
    let severity = refill(reader, &fields, "severity", SEVERITIES);
    let (locked, waivable) = (reader.flag(&fields, "locked"), reader.flag(&fields, "waivable"));
    let span = fields.span;
    Some(CustomRule { span, id, name, matches, assert, message, severity, locked, waivable })
}
