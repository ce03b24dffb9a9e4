//! The meaning of a field, the permissions of a role, the expiry of a key, what a key may see, and the
//! reason for a rule.

use cortexkey_core::access::{PREDEFINED_ROLES, Sbac};
use cortexkey_lint::rules::find;
use cortexkey_manifest::access::describe::areas;
use cortexkey_manifest::access::{KeyAccess, ResolvedRole, ScopeModel, losses};
use cortexkey_manifest::definition::{Definition, ExpirySpec};
use cortexkey_manifest::format::{FieldKind, FieldSpec};
use cortexkey_manifest::{Span, Spanned};
use lsp_types::{Hover, HoverContents, MarkupContent, MarkupKind, Position};

use super::OpenDocument;
use super::catalog::CatalogEntry;
use crate::cursor::Cursor;
use crate::features::hints::time_left;

pub(crate) fn hover(place: &OpenDocument<'_>, position: Position) -> Option<Hover> {
    let offset = place.text.offset(position);
    let contains = |span: Span| span.range().contains(&offset);
    let word = word(place, position);
    let role = place.definitions().flat_map(Definition::roles).find(|role| contains(role.span));
    let explained = find(&word).map(|rule| {
        format!("### {} `{}`\n\n{}\n\n{}", rule.code, rule.name, rule.summary, rule.why)
    });
    let explained = explained.or_else(|| of_own_rule(place, &word));
    let expiry = place
        .definitions()
        .filter_map(|definition| definition.spec.as_ref()?.end())
        .find(|end| contains(end.span));
    let text = match (role, expiry, explained) {
        (Some(role), _, _) => of_role(place, role),
        (_, Some(end), _) => of_expiry(&end.value),
        (_, _, Some(text)) => text,
        _ => {
            let key = place.definitions().find_map(|it| of_key(place, it, &contains));
            let name = || place.definitions().find_map(|it| of_name(place, it, &contains));
            key.or_else(name).or_else(|| of_line(place, position))?
        }
    };
    let contents = HoverContents::Markup(MarkupContent { kind: MarkupKind::Markdown, value: text });
    Some(Hover { contents, range: None })
}

/// A rule that the policy defines.
fn of_own_rule(place: &OpenDocument<'_>, name: &str) -> Option<String> {
    let (policy, _) = place.root.policy(&place.path)?;
    let rule = policy.custom_rules().find(|rule| rule.id().matches(name))?;
    let code = rule.id().code();
    let name = rule.id().name();
    Some(format!("### {code} `{name}`\n\n{}\n\nThe policy defines it.", rule.message()))
}

/// The field of a line: the whole line belongs to it.
fn of_line(place: &OpenDocument<'_>, position: Position) -> Option<String> {
    let line = place.text.line(position.line as usize);
    // What follows the field's value, or begins it, is not part of it.
    let end = line.trim_end_matches([',', ' ', '{', '[']).len();
    let cursor = Cursor::at(place.text.whole, position.line as usize, end);
    cursor.field.map(of_field)
}

fn word(place: &OpenDocument<'_>, position: Position) -> String {
    let line = place.text.line(position.line as usize);
    let start = place.text.offset(Position::new(position.line, 0));
    let at = place.text.offset(position) - start;
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let from = line[..at].rfind(|c| !is_part(c)).map_or(0, |at| at + 1);
    let to = line[at..].find(|c| !is_part(c)).map_or(line.len(), |end| at + end);
    line.get(from..to).unwrap_or_default().to_owned()
}

fn of_field(field: &FieldSpec) -> String {
    let mut text = format!("`{}`: {}", field.name, field.doc);
    if let FieldKind::Choice(words) = field.kind {
        text += &format!("\n\nOne of {}.", list(&words()));
    }
    if !field.example.is_empty() && !field.example.contains('…') {
        text += &format!("\n\n```yaml\n{}: {}\n```", field.name, field.example);
    }
    text
}

fn list(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

fn of_role(place: &OpenDocument<'_>, role: &Spanned<String>) -> String {
    let name = role.value.as_str();
    let mut parts = vec![format!("### {name}")];
    let predefined = PREDEFINED_ROLES.iter().find(|role| role.name == name);
    if let Some(role) = predefined {
        let products: Vec<_> = role.products.iter().map(|product| product.as_str()).collect();
        let mut text = format!("Predefined in {}.", list(&products));
        if role.privileged {
            text += " Privileged.";
        }
        if !role.note.is_empty() {
            text += &format!(" It {}.", role.note);
        }
        parts.push(text);
    }
    let in_catalog = place.root.policy(&place.path).and_then(|(policy, _)| {
        policy.roles().find(|role| role.name.value == name).map(|role| {
            let mut lines: Vec<String> = role
                .components
                .iter()
                .map(|(component, level)| format!("- {}: {level}", component.value))
                .collect();
            lines.extend(role.actions.iter().map(|action| format!("- {}", action.value)));
            lines.extend(role.implies.iter().map(|other| format!("- all of {}", other.value)));
            lines
        })
    });
    if in_catalog.is_none() {
        parts.extend(components(place, role));
    }
    match in_catalog {
        Some(lines) if lines.is_empty() => {
            parts.push("The policy's catalog lists it without components.".to_owned());
        }
        Some(lines) => parts.push(format!("In the policy's catalog:\n\n{}", lines.join("\n"))),
        None if predefined.is_none() => {
            parts.push("Neither predefined nor in the policy's catalog.".to_owned());
        }
        None => {}
    }
    parts.join("\n\n")
}

/// The known components of a predefined role, in the product of the key's tenant.
fn components(place: &OpenDocument<'_>, role: &Spanned<String>) -> Option<String> {
    let own = place.definitions().find(|it| it.roles().iter().any(|own| own.span == role.span))?;
    let (policy, _) = place.root.policy(&place.path)?;
    let catalog: Vec<_> = policy.roles().collect();
    let product = policy.product(own.tenant().or(policy.only_tenant()));
    let held = ResolvedRole::all([role.value.as_str()], &catalog, product);
    let grants = held.iter().flat_map(|held| &held.role.grants);
    let mut lines: Vec<_> =
        grants.map(|grant| format!("- {}: {}", grant.component, grant.level)).collect();
    lines.sort();
    lines.dedup();
    let list = lines.join("\n");
    (!lines.is_empty()).then(|| format!("Known components:\n\n{list}"))
}

/// What a key may see, at its name and at `scope`.
fn of_key(
    place: &OpenDocument<'_>,
    definition: &Definition,
    contains: &dyn Fn(Span) -> bool,
) -> Option<String> {
    let name = definition.metadata.as_ref().and_then(|it| it.name.spanned());
    let scope = definition.spec.as_ref().and_then(|spec| spec.scope.get());
    let is_here = name.is_some_and(|name| contains(name.span))
        || scope.is_some_and(|scope| contains(scope.place));
    let (policy, _) = place.root.policy(&place.path).filter(|_| is_here)?;
    let catalog: Vec<_> = policy.roles().collect();
    let tenant = definition.tenant().or(policy.only_tenant());
    let tenant = tenant.map(|name| (name, policy.tenant(name)));
    let access = match KeyAccess::from_definition(definition, &catalog, tenant) {
        Ok(access) => access,
        Err(error) => return Some(format!("What the key may see is unknown: {}.", error.message)),
    };
    let mut text = format!("### {}\n\n", name.map_or("(no name)", |name| name.value.as_str()));
    match (access.tenant.scopes, access.tenant.settings.sbac) {
        (ScopeModel::NoScopes, _) => text += "The product has no scopes: only roles limit the key.",
        (ScopeModel::Older, _) => text += "The product has scopes of an older form.",
        (ScopeModel::Areas, sbac) => {
            text += "With scopes enforced it sees:\n\n";
            for (area, seen) in areas(&access) {
                text += &format!("- {area}: {seen}\n");
            }
            let lost = losses(&access);
            text += match sbac {
                Sbac::Enforced => "\nThe tenant enforces scopes.",
                _ if lost.is_empty() => "\nIt would lose nothing if the tenant enforced scopes.",
                _ => "\nIf the tenant enforced scopes, it would lose:\n\n",
            };
            if sbac != Sbac::Enforced {
                for lost in lost {
                    text += &format!("- {lost}\n");
                }
            }
        }
    }
    Some(text)
}

/// A group, tag or domain of the scope, and the policy's facts about it.
fn of_name(
    place: &OpenDocument<'_>,
    definition: &Definition,
    contains: &dyn Fn(Span) -> bool,
) -> Option<String> {
    let (kind, name) = CatalogEntry::selected(definition).find(|(_, name)| contains(name.span))?;
    let (policy, _) = place.root.policy(&place.path)?;
    let tenant = definition.tenant().or(policy.only_tenant());
    let Some(facts) = tenant.and_then(|tenant| policy.tenant(tenant)) else {
        return Some(format!("{} `{}`; the policy lists no tenant.", kind.title(), name.value));
    };
    let is_listed = kind.names(facts).contains(&name.value.as_str());
    let listed = if is_listed { "The policy lists it" } else { "The policy does not list it" };
    let tenant = tenant.unwrap_or_default();
    Some(format!("{} `{}`. {listed} for tenant `{tenant}`.", kind.title(), name.value))
}

fn of_expiry(expiry: &ExpirySpec) -> String {
    match expiry {
        ExpirySpec::At(moment) => format!("Expires {moment}: {}.", time_left(*moment)),
        ExpirySpec::After(lifetime) => {
            let until = jiff::Timestamp::now().checked_add(*lifetime);
            let until = until.map(|until| format!(": {until} if it is generated now"));
            format!("Expires after its lifetime{}.", until.unwrap_or_default())
        }
        ExpirySpec::Never => "Never expires.".to_owned(),
    }
}
