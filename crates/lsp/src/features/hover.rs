//! The meaning of a field, the permissions of a role, the expiry of a key, and the reason for a
//! rule.

use cortexkey_core::access::PREDEFINED_ROLES;
use cortexkey_lint::rules::find;
use cortexkey_manifest::definition::Expiry;
use cortexkey_manifest::format::{FieldSpec, Kind};
use lsp_types::{Hover, HoverContents, MarkupContent, MarkupKind, Position};

use super::Place;
use crate::cursor::Cursor;
use crate::features::hints::time_left;

pub(crate) fn of(place: &Place<'_>, position: Position) -> Option<Hover> {
    let offset = place.text.offset(position);
    let contains = |span: cortexkey_manifest::Span| span.range().contains(&offset);
    let word = word(place, position);
    let role = place
        .definitions()
        .flat_map(cortexkey_manifest::definition::Definition::roles)
        .find(|role| contains(role.span));
    let explained = find(&word).map(|rule| {
        format!("### {} `{}`\n\n{}\n\n{}", rule.code, rule.name, rule.summary, rule.why)
    });
    let expiry = place
        .definitions()
        .filter_map(|definition| definition.spec.as_ref()?.end())
        .find(|end| contains(end.span));
    let text = match (role, expiry, explained) {
        (Some(role), _, _) => of_role(place, &role.value),
        (_, Some(end), _) => of_expiry(&end.value),
        (_, _, Some(text)) => text,
        _ => {
            let line = place.text.line(position.line as usize);
            // The whole line belongs to its field.
            let cursor = Cursor::at(place.text.whole, position.line as usize, line.len());
            of_field(cursor.field?)
        }
    };
    let contents = HoverContents::Markup(MarkupContent { kind: MarkupKind::Markdown, value: text });
    Some(Hover { contents, range: None })
}

fn word(place: &Place<'_>, position: Position) -> String {
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
    if let Kind::Choice(words) = field.kind {
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

fn of_role(place: &Place<'_>, name: &str) -> String {
    let mut parts = vec![format!("### {name}")];
    let predefined = PREDEFINED_ROLES.iter().find(|role| role.name == name);
    if let Some(role) = predefined {
        let products: Vec<_> = role.products.iter().map(|product| product.as_str()).collect();
        let mut text = format!("Predefined in {}.", list(&products));
        if role.privileged {
            text += " Privileged.";
        }
        if !role.note.is_empty() {
            text += &format!(" {}", role.note);
        }
        parts.push(text);
    }
    let of_catalogue = place.root.policy(&place.path).and_then(|(policy, _)| {
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
    match of_catalogue {
        Some(lines) if lines.is_empty() => {
            parts.push("The policy's catalogue lists it without components.".to_owned());
        }
        Some(lines) => parts.push(format!("In the policy's catalogue:\n\n{}", lines.join("\n"))),
        None if predefined.is_none() => {
            parts.push("Neither predefined nor in the policy's catalogue.".to_owned());
        }
        None => {}
    }
    parts.join("\n\n")
}

fn of_expiry(expiry: &Expiry) -> String {
    match expiry {
        Expiry::At(moment) => format!("Expires {moment}: {}.", time_left(*moment)),
        Expiry::After(lifetime) => {
            let until = jiff::Timestamp::now().checked_add(*lifetime);
            let until = until.map(|until| format!(": {until} if it is generated now"));
            format!("Expires after its lifetime{}.", until.unwrap_or_default())
        }
        Expiry::Never => "Never expires.".to_owned(),
    }
}
