//! Names that are written in several places: keys and their waivers, roles and tenants of a
//! definition and of the policy.

use std::collections::HashMap;
use std::path::PathBuf;

use cortexkey_lint::SourceId;
use cortexkey_manifest::{Span, scalar};
use lsp_types::{Location, Position, TextEdit, Url, WorkspaceEdit};
use thiserror::Error;

use super::Place;

/// The object that is named at a position.
enum Named {
    Key(String),
    Role(String),
    Tenant(String),
}

fn named(place: &Place<'_>, position: Position) -> Option<Named> {
    let offset = place.text.offset(position);
    let holds = |span: Span| span.range().start <= offset && offset <= span.range().end;
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
    for (at, policy, report) in place.root.policies() {
        for (layer, waiver) in policy.waivers() {
            let source = SourceId::Policy { policy: at, layer };
            let is_here = place.root.path_of(report, source).is_some_and(|path| path == place.path);
            if let Some(key) = waiver.key.spanned().filter(|key| is_here && holds(key.span)) {
                return Some(Named::Key(bare(&key.value).to_owned()));
            }
        }
    }
    None
}

/// The name of a key without its tenant.
fn bare(key: &str) -> &str {
    key.rsplit_once('/').map_or(key, |(_, name)| name)
}

pub(crate) fn definition(place: &Place<'_>, position: Position) -> Vec<Location> {
    match named(place, position) {
        Some(Named::Key(name)) => keys(place, &name),
        Some(Named::Role(name)) => of_policy(place, |policy| {
            let roles = policy.roles_at().filter(|(_, role)| role.name.value == name);
            roles.map(|(layer, role)| (layer, role.name.span)).collect()
        }),
        Some(Named::Tenant(name)) => of_policy(place, |policy| {
            let layer = policy.tenant_at(&name).map(|(layer, _)| layer);
            let span = policy.tenants().find(|(known, _)| known.value == name);
            layer.zip(span.map(|(known, _)| known.span)).into_iter().collect()
        }),
        None => Vec::new(),
    }
}

pub(crate) fn references(place: &Place<'_>, position: Position) -> Vec<Location> {
    match named(place, position) {
        Some(Named::Key(name)) => {
            let mut all = keys(place, &name);
            all.extend(waivers(place, &name).into_iter().filter_map(|it| it.location(place)));
            all
        }
        Some(Named::Role(name)) => in_definitions(place, |it| {
            it.roles().iter().filter(|role| role.value == name).map(|role| role.span).collect()
        }),
        Some(Named::Tenant(name)) => in_definitions(place, |it| {
            let tenant = it.metadata.as_ref().and_then(|metadata| metadata.tenant.spanned());
            tenant
                .filter(|tenant| tenant.value == name)
                .map(|tenant| tenant.span)
                .into_iter()
                .collect()
        }),
        None => Vec::new(),
    }
}

fn keys(place: &Place<'_>, name: &str) -> Vec<Location> {
    in_definitions(place, |it| {
        let own = it.metadata.as_ref().and_then(|metadata| metadata.name.spanned());
        own.filter(|own| own.value == name).map(|own| own.span).into_iter().collect()
    })
}

fn in_definitions(
    place: &Place<'_>,
    spans: impl Fn(&cortexkey_manifest::definition::Definition) -> Vec<Span>,
) -> Vec<Location> {
    let definitions = place.root.definitions();
    definitions
        .flat_map(|(path, file, definition)| {
            let text = file.tree.source();
            let spans = spans(definition).into_iter();
            spans.filter_map(|span| place.location(&path, text, span)).collect::<Vec<_>>()
        })
        .collect()
}

fn of_policy(
    place: &Place<'_>,
    find: impl Fn(&cortexkey_lint::Policy) -> Vec<(usize, Span)>,
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

/// A waiver's name for a key.
struct WaivedKey {
    path: PathBuf,
    text: String,
    span: Span,
    value: String,
}

impl WaivedKey {
    fn location(&self, place: &Place<'_>) -> Option<Location> {
        place.location(&self.path, &self.text, self.span)
    }
}

fn waivers(place: &Place<'_>, name: &str) -> Vec<WaivedKey> {
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
                all.push(WaivedKey { path, text, span: key.span, value: key.value.clone() });
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
    #[error("expected a name without a slash")]
    BadName,
    #[error("{count} keys have the name {name}; change each by hand")]
    SeveralKeys { count: usize, name: String },
}

/// Renames a key, in its definition and in its waivers.
pub(crate) fn rename(
    place: &Place<'_>,
    position: Position,
    new: &str,
) -> Result<WorkspaceEdit, RenameError> {
    let Some(Named::Key(name)) = named(place, position) else {
        return Err(RenameError::NoKey);
    };
    if new.is_empty() || new.contains(['/', '\n']) {
        return Err(RenameError::BadName);
    }
    let definitions = keys(place, &name);
    if definitions.len() != 1 {
        return Err(RenameError::SeveralKeys { count: definitions.len(), name });
    }
    let mut changes: HashMap<Url, Vec<TextEdit>> = HashMap::new();
    for location in definitions {
        let edit = TextEdit::new(location.range, scalar(new));
        changes.entry(location.uri).or_default().push(edit);
    }
    for waiver in waivers(place, &name) {
        let Some(location) = waiver.location(place) else { continue };
        let tenant = waiver.value.strip_suffix(name.as_str()).unwrap_or_default();
        let edit = TextEdit::new(location.range, scalar(&format!("{tenant}{new}")));
        changes.entry(location.uri).or_default().push(edit);
    }
    Ok(WorkspaceEdit::new(changes))
}
