//! Names that are written in several places: keys and their waivers, roles and tenants of a
//! definition and of the policy, and rules of the policy, its waivers and comments.

use std::collections::HashMap;
use std::path::PathBuf;

use cortexkey_lint::{CorpusFile, Policy, RuleId, SourceId};
use cortexkey_manifest::policy::pinned::is_copy;
use cortexkey_manifest::{Span, quoted, scalar};
use lsp_types::{Location, Position, Range, TextEdit, Url, WorkspaceEdit};
use thiserror::Error;

use super::OpenDocument;
use super::catalog::CatalogEntry;
use super::subject::Subject;
use crate::cursor::Cursor;

/// The object that is named at a position.
enum Named {
    Key(String),
    Role(String),
    Tenant(String),
    Team(String),
    CatalogEntry(CatalogEntry, String),
    Rule(RuleId),
}

fn named(place: &OpenDocument<'_>, position: Position) -> Option<Named> {
    let offset = place.text.offset(position);
    let holds = |span: Span| span.range().start <= offset && offset <= span.range().end;
    in_definition(place, &holds)
        .or_else(|| in_comment(place, &holds))
        .or_else(|| in_policy(place, &holds))
        .or_else(|| in_field(place, position))
}

/// The value of a field that is a name, wherever the format has such a field.
fn in_field(place: &OpenDocument<'_>, position: Position) -> Option<Named> {
    let number = position.line as usize;
    let line = place.text.line(number);
    let column = place.text.offset(position) - place.text.offset(Position::new(position.line, 0));
    let cursor = Cursor::at(place.text.whole, number, column);
    let path: Vec<&str> = cursor.path.iter().map(String::as_str).collect();
    let subject = cursor.field.and_then(|_| Subject::for_field(&path))?;
    let name = scalar_at(line, column)?.to_owned();
    Some(match subject {
        Subject::Role => Named::Role(name),
        Subject::Team => Named::Team(name),
        Subject::Tenant => Named::Tenant(name),
        Subject::Key => Named::Key(bare(&name).to_owned()),
        Subject::Rule => Named::Rule(place.root.policy(&place.path)?.0.rule_id(&name)?),
        Subject::CatalogEntry(kind) => Named::CatalogEntry(kind, name),
    })
}

/// The plain or quoted string around a byte of a line.
fn scalar_at(line: &str, column: usize) -> Option<&str> {
    const AROUND: [char; 7] = [',', '[', ']', '{', '}', '"', '\''];
    let (before, after) = line.split_at_checked(column)?;
    let start = before.rfind(AROUND).map_or(0, |at| at + 1);
    let start = [": ", "- "]
        .iter()
        .filter_map(|mark| Some(before.rfind(mark)? + 2))
        .fold(start, usize::max);
    let end = after.find(AROUND).into_iter().chain(after.find(" #")).min();
    let scalar = line.get(start..column + end.unwrap_or(after.len()))?.trim();
    (!scalar.is_empty()).then_some(scalar)
}

fn in_definition(place: &OpenDocument<'_>, holds: &dyn Fn(Span) -> bool) -> Option<Named> {
    for definition in place.definitions() {
        let metadata = definition.metadata.as_ref();
        if let Some(name) = metadata.and_then(|it| it.name.spanned()).filter(|it| holds(it.span)) {
            return Some(Named::Key(name.value.clone()));
        }
        if let Some(tenant) =
            metadata.and_then(|it| it.tenant.spanned()).filter(|it| holds(it.span))
        {
            return Some(Named::Tenant(tenant.value.clone()));
        }
        if let Some(role) = definition.roles().iter().find(|role| holds(role.span)) {
            return Some(Named::Role(role.value.clone()));
        }
    }
    None
}

/// A rule that a comment suppresses.
fn in_comment(place: &OpenDocument<'_>, holds: &dyn Fn(Span) -> bool) -> Option<Named> {
    let file = place.root.file(&place.path)?;
    let (policy, _) = place.root.policy(&place.path)?;
    let found = suppressed(file).find(|(_, span)| holds(*span));
    policy.rule_id(found?.0).map(Named::Rule)
}

fn in_policy(place: &OpenDocument<'_>, holds: &dyn Fn(Span) -> bool) -> Option<Named> {
    place.root.policies().find_map(|(at, policy, report)| {
        let is_at = |layer: usize, span: Span| {
            let source = SourceId::Policy { policy: at, layer };
            holds(span) && place.root.path_of(report, source).is_some_and(|it| it == place.path)
        };
        let key = policy.waivers().find_map(|(layer, waiver)| {
            let key = waiver.key.spanned().filter(|key| is_at(layer, key.span))?;
            Some(Named::Key(bare(&key.value).to_owned()))
        });
        let role = || {
            policy.roles_at().find_map(|(layer, role)| {
                let names = core::iter::once(&role.name).chain(&role.implies);
                let mut names = names.filter(|name| is_at(layer, name.span));
                Some(Named::Role(names.next()?.value.clone()))
            })
        };
        let tenant = || {
            policy.tenants().find_map(|(name, _)| {
                let (layer, _) = policy.tenant_at(&name.value)?;
                is_at(layer, name.span).then(|| Named::Tenant(name.value.clone()))
            })
        };
        let named = || {
            let mut all = rules_in(policy);
            all.find(|(layer, _, span)| is_at(*layer, *span)).map(|(_, rule, _)| Named::Rule(rule))
        };
        key.or_else(role).or_else(tenant).or_else(named)
    })
}

/// The names of rules in a policy: where it defines them, sets them, and waives them.
fn rules_in(policy: &Policy) -> impl Iterator<Item = (usize, RuleId, Span)> {
    let waived = policy.waivers().filter_map(|(layer, waiver)| {
        let rule = waiver.rule.spanned()?;
        Some((layer, policy.rule_id(&rule.value)?, rule.span))
    });
    declared(policy).into_iter().chain(waived)
}

/// The names of rules in the document, if it is a file of a policy.
pub(super) fn rules_here(place: &OpenDocument<'_>) -> Vec<(String, Span)> {
    let mut all = Vec::new();
    for (at, policy, report) in place.root.policies() {
        for (layer, rule, span) in rules_in(policy) {
            let source = SourceId::Policy { policy: at, layer };
            if place.root.path_of(report, source).is_some_and(|path| path == place.path) {
                all.push((rule.name().to_owned(), span));
            }
        }
    }
    all.sort_by_key(|(_, span)| span.start);
    all.dedup();
    all
}

/// Where a policy defines a rule, and where it sets one.
fn declared(policy: &Policy) -> Vec<(usize, RuleId, Span)> {
    let own = policy.custom_rules().map(|custom| {
        let (layer, span) = custom.place();
        (layer, custom.id().clone(), span)
    });
    let set = policy
        .rule_entries()
        .filter_map(|(layer, rule)| Some((layer, policy.rule_id(&rule.value)?, rule.span)));
    own.chain(set).collect()
}

/// The rules that the comments of a file suppress, as written.
pub(super) fn suppressed(file: &CorpusFile) -> impl Iterator<Item = (&str, Span)> {
    let text = file.tree.source();
    file.tree.comments().iter().flat_map(move |comment| {
        let start = comment.span.start as usize;
        let body = comment.span.slice(text);
        let list = body.find("cortexkey:").and_then(|_| {
            let begin = body.find("ignore[")? + "ignore[".len();
            Some((begin, body[begin..].split(']').next()?))
        });
        let (begin, list) = list.unwrap_or_default();
        let mut at = start + begin;
        list.split(',').filter_map(move |part| {
            let name = part.trim();
            let from = at + (part.len() - part.trim_start().len());
            at += part.len() + 1;
            (!name.is_empty()).then(|| (name, Span::new(from, from + name.len())))
        })
    })
}

/// The name of a key without its tenant.
fn bare(key: &str) -> &str {
    key.rsplit_once('/').map_or(key, |(_, name)| name)
}

pub(crate) fn definition(place: &OpenDocument<'_>, position: Position) -> Vec<Location> {
    match named(place, position) {
        Some(Named::Key(name)) => keys(place, &name),
        Some(Named::Role(name)) => role_in_catalog(place, &name),
        Some(Named::Tenant(name)) => tenant_in_policy(place, &name),
        Some(Named::Team(name)) => team_in_catalog(place, &name),
        Some(Named::CatalogEntry(kind, name)) => listed_in_policy(place, kind, &name),
        Some(Named::Rule(rule)) => of_policy(place, |policy| {
            let declared = declared(policy).into_iter().filter(|(_, it, _)| *it == rule);
            declared.map(|(layer, _, span)| (layer, span)).collect()
        }),
        None => Vec::new(),
    }
}

fn role_in_catalog(place: &OpenDocument<'_>, name: &str) -> Vec<Location> {
    of_policy(place, |policy| {
        let roles = policy.roles_at().filter(|(_, role)| role.name.value == name);
        roles.map(|(layer, role)| (layer, role.name.span)).collect()
    })
}

fn tenant_in_policy(place: &OpenDocument<'_>, name: &str) -> Vec<Location> {
    of_policy(place, |policy| {
        let layer = policy.tenant_at(name).map(|(layer, _)| layer);
        let span = policy.tenants().find(|(known, _)| known.value == name);
        layer.zip(span.map(|(known, _)| known.span)).into_iter().collect()
    })
}

fn team_in_catalog(place: &OpenDocument<'_>, name: &str) -> Vec<Location> {
    of_policy(place, |policy| {
        let teams = policy.teams_at().filter(|(_, team)| team.value == name);
        teams.map(|(layer, team)| (layer, team.span)).collect()
    })
}

/// Where the tenants of the document list a name; those of the policy if the document has none.
fn listed_in_policy(place: &OpenDocument<'_>, kind: CatalogEntry, name: &str) -> Vec<Location> {
    of_policy(place, |policy| {
        let mut own: Vec<&str> = place.definitions().filter_map(|it| it.tenant()).collect();
        if own.is_empty() {
            own.extend(policy.tenants().map(|(tenant, _)| tenant.value.as_str()));
        }
        own.sort_unstable();
        own.dedup();
        let facts = own.iter().filter_map(|tenant| policy.tenant_at(tenant));
        facts
            .flat_map(|(layer, facts)| {
                kind.places(facts, name).into_iter().map(move |span| (layer, span))
            })
            .collect()
    })
}

/// All places of a name, including those that declare it.
pub(crate) fn references(place: &OpenDocument<'_>, position: Position) -> Vec<Location> {
    match named(place, position) {
        Some(Named::Key(name)) => {
            let mut all = keys(place, &name);
            all.extend(waivers(place, &name).into_iter().filter_map(|it| it.location(place)));
            all
        }
        Some(Named::Role(name)) => {
            let mut all = role_in_catalog(place, &name);
            all.extend(in_definitions(place, |it| {
                it.roles().iter().filter(|role| role.value == name).map(|role| role.span).collect()
            }));
            all
        }
        Some(Named::Tenant(name)) => {
            let mut all = tenant_in_policy(place, &name);
            all.extend(in_definitions(place, |it| {
                let tenant = it.metadata.as_ref().and_then(|metadata| metadata.tenant.spanned());
                let tenant = tenant.filter(|tenant| tenant.value == name);
                tenant.map(|tenant| tenant.span).into_iter().collect()
            }));
            all
        }
        Some(Named::Team(name)) => {
            let mut all = team_in_catalog(place, &name);
            all.extend(in_definitions(place, |it| {
                let owner = it.metadata.as_ref().and_then(|metadata| metadata.owner.spanned());
                let owner = owner.filter(|owner| owner.value == name);
                owner.map(|owner| owner.span).into_iter().collect()
            }));
            all
        }
        Some(Named::CatalogEntry(kind, name)) => {
            let mut all = listed_in_policy(place, kind, &name);
            all.extend(in_definitions(place, |it| {
                let selected =
                    CatalogEntry::selected(it).filter(|it| it.0 == kind && it.1.value == name);
                selected.map(|(_, name)| name.span).collect()
            }));
            all
        }
        Some(Named::Rule(rule)) => {
            let mut all = of_policy(place, |policy| {
                let named = rules_in(policy).filter(|(_, it, _)| *it == rule);
                named.map(|(layer, _, span)| (layer, span)).collect()
            });
            all.extend(in_comments(place, &rule));
            all
        }
        None => Vec::new(),
    }
}

/// The comments that suppress a rule.
fn in_comments(place: &OpenDocument<'_>, rule: &RuleId) -> Vec<Location> {
    let of_file = |file: &CorpusFile| {
        let spans = suppressed(file).filter(|(written, _)| rule.matches(written));
        let spans: Vec<Span> = spans.map(|(_, span)| span).collect();
        let path = place.root.absolute(&file.path);
        let text = file.tree.source();
        let locations = spans.into_iter().filter_map(|span| place.location(&path, text, span));
        locations.collect::<Vec<_>>()
    };
    place.root.files().flat_map(of_file).collect()
}

fn keys(place: &OpenDocument<'_>, name: &str) -> Vec<Location> {
    in_definitions(place, |it| {
        let own = it.metadata.as_ref().and_then(|metadata| metadata.name.spanned());
        own.filter(|own| own.value == name).map(|own| own.span).into_iter().collect()
    })
}

fn in_definitions(
    place: &OpenDocument<'_>,
    spans: impl Fn(&cortexkey_manifest::definition::Definition) -> Vec<Span>,
) -> Vec<Location> {
    let definitions = place.root.definitions();
    definitions
        .flat_map(|(file, definition)| {
            let text = file.tree.source();
            let spans = spans(definition).into_iter();
            let location = |span| place.location(&place.root.absolute(&file.path), text, span);
            spans.filter_map(location).collect::<Vec<_>>()
        })
        .collect()
}

fn of_policy(
    place: &OpenDocument<'_>,
    find: impl Fn(&Policy) -> Vec<(usize, Span)>,
) -> Vec<Location> {
    let mut all = Vec::new();
    for (at, policy, report) in place.root.policies() {
        for (layer, span) in find(policy) {
            let source = SourceId::Policy { policy: at, layer };
            let text = report.sources.get(source).map_or("", |source| source.text());
            let path = place.root.path_of(report, source);
            all.extend(path.and_then(|path| place.location(&path, text, span)));
        }
    }
    all.dedup();
    all
}

/// The name by which a waiver refers to a key.
struct WaivedKey {
    path: PathBuf,
    text: String,
    span: Span,
    value: String,
    /// Whether it is in the copy of a remote policy.
    is_remote: bool,
}

impl WaivedKey {
    fn location(&self, place: &OpenDocument<'_>) -> Option<Location> {
        place.location(&self.path, &self.text, self.span)
    }
}

fn waivers(place: &OpenDocument<'_>, name: &str) -> Vec<WaivedKey> {
    let mut all: Vec<WaivedKey> = Vec::new();
    for (at, policy, report) in place.root.policies() {
        for (layer, waiver) in policy.waivers() {
            let source = SourceId::Policy { policy: at, layer };
            let Some(key) = waiver.key.spanned().filter(|key| bare(&key.value) == name) else {
                continue;
            };
            let Some(path) = place.root.path_of(report, source) else { continue };
            let is_known = all.iter().any(|it| it.path == path && it.span == key.span);
            if !is_known {
                let text = report.sources.get(source).map_or("", |source| source.text()).to_owned();
                let is_remote = report.sources.get(source).is_some_and(|it| is_copy(&it.path));
                let value = key.value.clone();
                all.push(WaivedKey { path, text, span: key.span, value, is_remote });
            }
        }
    }
    all
}

/// Why a name cannot be changed.
#[derive(Debug, Error)]
pub(crate) enum RenameError {
    #[error("only the name of a key can be changed")]
    NoKey,
    #[error("expected a name without slashes and control characters")]
    BadName,
    #[error("another key has the name {name}")]
    Taken { name: String },
    #[error("a remote policy waives a finding of this key: change the name there, too")]
    RemotePolicy,
    #[error("{count} keys have the name {name}: change each by hand")]
    SeveralKeys { count: usize, name: String },
}

/// The range of the key's name at a position, if it can be renamed there.
pub(crate) fn renameable(place: &OpenDocument<'_>, position: Position) -> Option<Range> {
    let Some(Named::Key(name)) = named(place, position) else { return None };
    let mut all = keys(place, &name);
    all.extend(waivers(place, &name).into_iter().filter_map(|it| it.location(place)));
    let ranges = all.into_iter().filter(|it| it.uri == place.uri).map(|it| it.range);
    ranges.into_iter().find(|range| range.start <= position && position <= range.end)
}

/// Renames a key, in its definition and in its waivers.
pub(crate) fn rename(
    place: &OpenDocument<'_>,
    position: Position,
    new: &str,
) -> Result<WorkspaceEdit, RenameError> {
    let Some(Named::Key(name)) = named(place, position) else {
        return Err(RenameError::NoKey);
    };
    if new.trim().is_empty() || new.contains(|c: char| c == '/' || c.is_control()) {
        return Err(RenameError::BadName);
    }
    let definitions = keys(place, &name);
    if definitions.len() != 1 {
        return Err(RenameError::SeveralKeys { count: definitions.len(), name });
    }
    if new != name && is_taken(place, &name, new) {
        return Err(RenameError::Taken { name: new.to_owned() });
    }
    let waivers = waivers(place, &name);
    if waivers.iter().any(|waiver| waiver.is_remote) {
        return Err(RenameError::RemotePolicy);
    }
    let mut changes: HashMap<Url, Vec<TextEdit>> = HashMap::new();
    let is_quoted = is_quoted(place, &name);
    for location in definitions {
        let edit = TextEdit::new(location.range, written(new, is_quoted));
        changes.entry(location.uri).or_default().push(edit);
    }
    for waiver in waivers {
        let Some(location) = waiver.location(place) else { continue };
        let tenant = waiver.value.strip_suffix(name.as_str()).unwrap_or_default();
        let is_quoted = waiver.span.slice(&waiver.text).starts_with('"');
        let edit = TextEdit::new(location.range, written(&format!("{tenant}{new}"), is_quoted));
        changes.entry(location.uri).or_default().push(edit);
    }
    Ok(place.workspace_edit(changes))
}

/// Whether another key of the tenant of a key has a name.
fn is_taken(place: &OpenDocument<'_>, name: &str, new: &str) -> bool {
    let named = |wanted: &str| {
        let own = place.root.definitions().filter(|(_, it)| it.name() == Some(wanted));
        own.map(|(_, it)| it.tenant().map(str::to_owned)).collect::<Vec<_>>()
    };
    let tenants = named(name);
    named(new).iter().any(|tenant| tenants.contains(tenant))
}

/// Whether a key's name is in double quotes, as in JSON.
fn is_quoted(place: &OpenDocument<'_>, name: &str) -> bool {
    place.root.definitions().any(|(file, it)| {
        let own = it.metadata.as_ref().and_then(|metadata| metadata.name.spanned());
        let own = own.filter(|own| own.value == name);
        own.is_some_and(|own| own.span.slice(file.tree.source()).starts_with('"'))
    })
}

/// A name in the form of the one that it replaces.
fn written(name: &str, is_quoted: bool) -> String {
    if is_quoted { quoted(name) } else { scalar(name) }
}
