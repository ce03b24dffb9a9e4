//! A policy's settings of rules: those that all rules take, and options as written.
//!
//! The linter owns rules and options, so options are kept here as they are and checked there.

use std::collections::HashSet;

use super::Severity;
use crate::format::{Mapping, OVERRIDE, SETTINGS};
use crate::reader::{Fields, Reader};
use crate::yaml::{NodeId, NodeKind};
use crate::{Field, ProblemKind, Span, Spanned};

/// The value of a rule's option, as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionValue {
    /// Its position.
    pub span: Span,
    /// Its value.
    pub kind: OptionKind,
}

/// The shape of an option's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OptionKind {
    /// A string.
    Text(String),
    /// A list.
    List(Vec<OptionValue>),
    /// A mapping.
    Map(Vec<(Spanned<String>, OptionValue)>),
    /// No value, or one that cannot be read.
    Nothing,
}

/// Settings of a rule, for all keys or in an override.
#[derive(Clone, Debug)]
pub struct RuleSettings {
    /// Whether the rule runs.
    pub enabled: Field<bool>,
    /// The severity of its findings.
    pub severity: Field<Severity>,
    /// Its own options, in the order written.
    pub options: Vec<(Spanned<String>, OptionValue)>,
}

/// Settings for some keys.
#[derive(Clone, Debug)]
pub struct Override {
    /// Its position.
    pub span: Span,
    /// The keys that it applies to.
    pub matches: Match,
    /// The settings for these keys.
    pub settings: RuleSettings,
}

/// Selects keys: all fields must match; for a list, any item.
#[derive(Clone, Debug, Default)]
pub struct Match {
    /// Labels with the values that match.
    pub labels: Vec<(Spanned<String>, Vec<Spanned<String>>)>,
    /// Roles, one of which the key has.
    pub roles: Vec<Spanned<String>>,
    /// Names of keys.
    pub name: Vec<Spanned<String>>,
    /// Owners.
    pub owner: Vec<Spanned<String>>,
    /// Tenants.
    pub tenant: Vec<Spanned<String>>,
    /// Security levels.
    pub security_level: Vec<Spanned<String>>,
    /// Patterns of the files that define keys.
    pub path: Vec<Spanned<String>>,
}

/// One entry of `rules`.
#[derive(Clone, Debug)]
pub struct RuleEntry {
    /// The name or code as written.
    pub rule: Spanned<String>,
    /// Settings for all keys.
    pub settings: RuleSettings,
    /// Whether children may loosen it.
    pub locked: Field<bool>,
    /// Whether waivers and comments may suppress it.
    pub waivable: Field<bool>,
    /// Settings for some keys.
    pub overrides: Vec<Override>,
}

/// Reads one entry of `rules`.
pub(super) fn entry(
    reader: &mut Reader<'_>,
    rule: &Spanned<String>,
    id: NodeId,
    path: &str,
) -> Option<RuleEntry> {
    let (fields, settings) = settings(reader, id, rule.span, path, &SETTINGS)?;
    let overrides = reader.list(&fields, "overrides", |reader, id, path| {
        let span = reader.span(id);
        let (fields, settings) = self::settings(reader, id, span, path, &OVERRIDE)?;
        let matches = matching(reader, &fields);
        Some(Override { span, matches: matches.get()?.clone(), settings })
    });
    Some(RuleEntry {
        rule: rule.clone(),
        settings,
        locked: reader.choice(&fields, "locked"),
        waivable: reader.choice(&fields, "waivable"),
        overrides: overrides.into_list(),
    })
}

/// Reads the settings in a custom rule's own definition.
pub(super) fn own_entry<'t>(
    reader: &mut Reader<'t>,
    fields: &Fields<'t>,
    id: &Spanned<String>,
) -> RuleEntry {
    let severity = reader.choice(fields, "severity");
    RuleEntry {
        rule: id.clone(),
        settings: RuleSettings { enabled: Field::Absent, severity, options: Vec::new() },
        locked: reader.choice(fields, "locked"),
        waivable: reader.choice(fields, "waivable"),
        overrides: Vec::new(),
    }
}

/// Splits a mapping into the fields that any rule takes and the rest, which are options.
fn settings<'t>(
    reader: &mut Reader<'t>,
    id: NodeId,
    place: Span,
    path: &str,
    mapping: &'static Mapping,
) -> Option<(Fields<'t>, RuleSettings)> {
    let tree = reader.tree;
    if !matches!(tree.node(id).kind, NodeKind::Mapping { .. }) {
        reader.wrong_type(id, path, "settings, as in `{ enabled: false }`");
        return None;
    }
    let fields = reader.mapping(id, place, path, mapping)?;
    let mut options: Vec<(Spanned<String>, OptionValue)> = Vec::new();
    let mut seen: HashSet<&str> = HashSet::new();
    for (name, entry) in fields.others().filter(|(name, _)| *name != "<<") {
        if seen.insert(name) {
            let name = Spanned::new(name.to_owned(), reader.span(entry.key));
            options.push((name, option(reader, entry.value)));
        }
    }
    let settings = RuleSettings {
        enabled: reader.choice(&fields, "enabled"),
        severity: reader.choice(&fields, "severity"),
        options,
    };
    Some((fields, settings))
}

fn option(reader: &Reader<'_>, id: NodeId) -> OptionValue {
    let tree = reader.tree;
    let node = tree.node(id);
    let kind = match &node.kind {
        NodeKind::Scalar { .. } if tree.is_empty_value(id) => OptionKind::Nothing,
        NodeKind::Scalar { .. } => {
            OptionKind::Text(tree.text_of(id).unwrap_or_default().to_owned())
        }
        NodeKind::Sequence { items, .. } => {
            OptionKind::List(items.iter().map(|item| option(reader, *item)).collect())
        }
        NodeKind::Mapping { entries, .. } => OptionKind::Map(
            entries
                .iter()
                .filter_map(|entry| {
                    let name = tree.text_of(entry.key)?.to_owned();
                    Some((Spanned::new(name, reader.span(entry.key)), option(reader, entry.value)))
                })
                .collect(),
        ),
        NodeKind::Alias { .. } => OptionKind::Nothing,
    };
    OptionValue { span: node.span, kind }
}

/// Reads a `match`. One with a mistake selects no key, rather than more than were meant.
pub(super) fn matching<'t>(reader: &mut Reader<'t>, fields: &Fields<'t>) -> Field<Match> {
    let before = reader.problems.len();
    let field = reader.child_as(fields, "match", |reader, fields| {
        let wanted = selection(reader, fields);
        if fields.is_empty() && reader.problems.len() == before {
            selects_nothing(reader, fields.span, "`match` has no field");
        }
        wanted
    });
    match field {
        Field::Present { value, .. } if reader.problems.len() > before => Field::Bad(value.span),
        field => field,
    }
}

fn selection<'t>(reader: &mut Reader<'t>, fields: &Fields<'t>) -> Match {
    let before = reader.problems.len();
    let labels =
        reader.entries(fields, "labels", |reader, _, id, path| reader.one_or_more_at(id, path));
    if let Some(key) = fields.key_of(reader.tree, "labels")
        && labels.is_empty()
        && reader.problems.len() == before
    {
        selects_nothing(reader, key, "`labels` has no label");
    }
    let mut any_of = |name| reader.one_or_more(fields, name).into_list();
    Match {
        labels,
        roles: any_of("roles"),
        name: any_of("name"),
        owner: any_of("owner"),
        tenant: any_of("tenant"),
        security_level: any_of("securityLevel"),
        path: any_of("path"),
    }
}

/// Reports a `match` that could mean all keys or none.
fn selects_nothing(reader: &mut Reader<'_>, span: Span, message: &str) {
    let help = "write what selects the keys, or remove it";
    reader.report_help(ProblemKind::BadValue, span, message, help);
}
