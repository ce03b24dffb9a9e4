//! What a policy says about rules: settings that all rules take, and options kept as written.
//!
//! Which rules and options exist is for the linter to say; here nothing is dropped and nothing
//! is believed.

use std::collections::HashSet;

use super::read::refill;
use crate::reader::{Fields, Reader, into_list};
use crate::yaml::{Entry, NodeId, NodeKind};
use crate::{Field, Span, Spanned};

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Should be mended.
    Warning,
    /// Must be mended.
    Error,
}

impl Severity {
    /// The word in policies and output.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

pub(super) const SEVERITIES: &[(&str, Severity)] =
    &[("error", Severity::Error), ("warning", Severity::Warning), ("info", Severity::Info)];

/// The value of a rule's option, as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionValue {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub kind: OptionKind,
}

/// The shape of an option's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OptionKind {
    /// A text.
    Text(String),
    /// A list.
    List(Vec<OptionValue>),
    /// A mapping.
    Map(Vec<(Spanned<String>, OptionValue)>),
    /// Nothing, or what cannot be read.
    Nothing,
}

/// What a rule is told, at its top or in an override.
#[derive(Clone, Debug)]
pub struct RuleSettings {
    /// Whether it runs.
    pub enabled: Field<bool>,
    /// How grave its findings are.
    pub severity: Field<Severity>,
    /// Its own options, in the order written.
    pub options: Vec<(Spanned<String>, OptionValue)>,
}

/// Settings for some keys.
#[derive(Clone, Debug)]
pub struct Override {
    /// Where it stands.
    pub span: Span,
    /// For which keys.
    pub matches: Match,
    /// What they change.
    pub settings: RuleSettings,
}

/// Which keys: all that is named must fit, and of a list any.
#[derive(Clone, Debug, Default)]
pub struct Match {
    /// Labels with the values that fit.
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
    /// Patterns of the files that keys are defined in.
    pub path: Vec<Spanned<String>>,
}

/// The fields of a `match`.
pub(super) const MATCH_FIELDS: [&str; 7] =
    ["labels", "roles", "name", "owner", "tenant", "securityLevel", "path"];

/// One entry of `rules`.
#[derive(Clone, Debug)]
pub struct RuleEntry {
    /// The name or code written.
    pub rule: Spanned<String>,
    /// What holds for all keys.
    pub settings: RuleSettings,
    /// Whether children may loosen it.
    pub locked: Field<bool>,
    /// Whether waivers and comments may silence it.
    pub waivable: Field<bool>,
    /// What holds for some keys.
    pub overrides: Vec<Override>,
}

/// Reads one entry of `rules`.
pub(super) fn entry(
    reader: &mut Reader<'_>,
    rule: &Spanned<String>,
    id: NodeId,
    path: &str,
) -> Option<RuleEntry> {
    let own = ["enabled", "severity", "locked", "waivable", "overrides"];
    let (fields, settings) = settings(reader, id, rule.span, path, &own)?;
    let overrides = reader.list(&fields, "overrides", |reader, id, path| {
        let span = reader.span(id);
        let own = ["match", "enabled", "severity"];
        let (fields, settings) = self::settings(reader, id, span, path, &own)?;
        let inner = reader.child(&fields, "match", &MATCH_FIELDS);
        let example = "match: { labels: { env: prod } }";
        let inner = reader.required(inner, &fields, "match", example);
        let matches = matching(reader, &inner.spanned()?.value);
        Some(Override { span, matches, settings })
    });
    Some(RuleEntry {
        rule: rule.clone(),
        settings,
        locked: reader.flag(&fields, "locked"),
        waivable: reader.flag(&fields, "waivable"),
        overrides: into_list(reader.filled(overrides, &fields, "overrides")),
    })
}

/// Splits a mapping into the fields that any rule takes and the rest, which are options.
fn settings<'t>(
    reader: &mut Reader<'t>,
    id: NodeId,
    place: Span,
    path: &str,
    own: &[&str],
) -> Option<(Fields<'t>, RuleSettings)> {
    let tree = reader.tree;
    let NodeKind::Mapping { entries, .. } = &tree.node(id).kind else {
        reader.wrong_type(id, path, "settings, as in `{ enabled: false }`");
        return None;
    };
    let fields = reader.mapping_of(id, place, path, None)?;
    let mut options: Vec<(Spanned<String>, OptionValue)> = Vec::new();
    let mut seen: HashSet<&str> = HashSet::new();
    for Entry { key, value } in entries {
        let Some(name) = tree.text_of(*key).filter(|name| !own.contains(name)) else { continue };
        if name == "<<" || !seen.insert(name) {
            continue;
        }
        options.push((Spanned::new(name.to_owned(), reader.span(*key)), option(reader, *value)));
    }
    let settings = RuleSettings {
        enabled: reader.flag(&fields, "enabled"),
        severity: refill(reader, &fields, "severity", SEVERITIES),
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

/// Reads a `match`.
pub(super) fn matching<'t>(reader: &mut Reader<'t>, fields: &Fields<'t>) -> Match {
    Match {
        labels: reader.entries(fields, "labels", |reader, _, id, path| any_of(reader, id, path)),
        roles: one_or_more(reader, fields, "roles"),
        name: one_or_more(reader, fields, "name"),
        owner: one_or_more(reader, fields, "owner"),
        tenant: one_or_more(reader, fields, "tenant"),
        security_level: one_or_more(reader, fields, "securityLevel"),
        path: one_or_more(reader, fields, "path"),
    }
}

fn one_or_more<'t>(
    reader: &mut Reader<'t>,
    fields: &Fields<'t>,
    name: &str,
) -> Vec<Spanned<String>> {
    let field = reader.field(fields, name, |reader, entry, path| any_of(reader, entry.value, path));
    into_list(reader.filled(field, fields, name))
}

fn any_of(reader: &mut Reader<'_>, id: NodeId, path: &str) -> Option<Vec<Spanned<String>>> {
    let tree = reader.tree;
    match &tree.node(id).kind {
        NodeKind::Sequence { items, .. } => {
            Some(items.iter().filter_map(|item| reader.spanned_text(*item, path)).collect())
        }
        _ => reader.spanned_text(id, path).map(|text| vec![text]),
    }
}
