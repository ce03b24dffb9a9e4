//! Completes fields, with their documentation, and the values that a field accepts.

use cortexkey_core::access::PREDEFINED_ROLES;
use cortexkey_lint::Policy;
use cortexkey_lint::rules::{OptionDoc, OptionType, WEEKDAYS, all_ids, find};
use cortexkey_manifest::format::{FieldKind, FieldSpec};
use cortexkey_manifest::policy::BUILTINS;
use cortexkey_manifest::{quoted, scalar};
use lsp_types::{CompletionItem, CompletionItemKind, Documentation, Position};

use super::OpenDocument;
use super::catalog::CatalogEntry;
use super::subject::Subject;
use crate::cursor::{Cursor, Style, comment_at};

pub(crate) fn completions(place: &OpenDocument<'_>, position: Position) -> Vec<CompletionItem> {
    let number = position.line as usize;
    let line = place.text.line(number);
    let start = place.text.offset(Position::new(position.line, 0));
    let column = place.text.offset(position) - start;
    let before = &line[..column];
    if let Some(start) = comment_at(before) {
        let comment = &before[start..];
        let is_list =
            comment.contains("cortexkey:") && comment.contains('[') && !comment.contains(']');
        return if is_list { rule_names(place, Style::default()) } else { Vec::new() };
    }
    let cursor = Cursor::at(place.text.whole, number, column);
    if let Some(field) = cursor.field {
        return values(place, &cursor, field);
    }
    if cursor.is_value {
        return option_values(&cursor);
    }
    if cursor.path.first().is_some_and(|name| name == "rules") && cursor.path.len() == 1 {
        return rule_names(place, cursor.style);
    }
    let Some(mapping) = cursor.mapping else { return Vec::new() };
    let options = options(&cursor.path).iter().map(|it| (it.name, it.what));
    let fields = mapping.fields.iter().map(|field| (field.name, field.doc));
    let missing = options
        .chain(fields)
        .filter(|(name, _)| !cursor.present.iter().any(|present| present == name));
    missing.enumerate().map(|(at, (name, doc))| key(at, name, doc, cursor.style)).collect()
}

/// The values of an option that has only a few.
fn option_values(cursor: &Cursor) -> Vec<CompletionItem> {
    let Some((name, path)) = cursor.path.split_last() else { return Vec::new() };
    let option = options(path).iter().find(|option| option.name == name);
    match option.map(|option| option.kind) {
        Some(OptionType::Flag) => flags(),
        Some(OptionType::Weekdays) => WEEKDAYS.map(|day| value(day, "", cursor.style)).to_vec(),
        _ => Vec::new(),
    }
}

/// The options of the rule whose settings have this path.
fn options(path: &[String]) -> &'static [OptionDoc] {
    let rule = match path {
        [rules, rule] if rules == "rules" => rule,
        [rules, rule, overrides] if rules == "rules" && overrides == "overrides" => rule,
        _ => return &[],
    };
    find(rule).map_or(&[], |rule| rule.options)
}

fn key(at: usize, name: &str, doc: &str, style: Style) -> CompletionItem {
    let written =
        if style.is_json && style.quote.is_none() { quoted(name) } else { name.to_owned() };
    let colon = if style.has_colon || style.quote.is_some() { "" } else { ": " };
    CompletionItem {
        label: name.to_owned(),
        kind: Some(CompletionItemKind::FIELD),
        documentation: Some(Documentation::String(doc.to_owned())),
        insert_text: Some(written + colon),
        // In the customary order.
        sort_text: Some(format!("{at:03}")),
        ..Default::default()
    }
}

fn flags() -> Vec<CompletionItem> {
    let flag = |text: &str| CompletionItem {
        insert_text: Some(text.to_owned()),
        ..value(text, "", Style::default())
    };
    ["true", "false"].map(flag).to_vec()
}

/// A string in the form that it needs where it is inserted.
fn written(text: &str, style: Style) -> String {
    match style.quote {
        Some('"') => {
            let whole = quoted(text);
            whole[1..whole.len() - 1].to_owned()
        }
        Some(_) => text.replace('\'', "''"),
        None if style.is_json => quoted(text),
        None => scalar(text),
    }
}

fn value(label: &str, detail: &str, style: Style) -> CompletionItem {
    CompletionItem {
        label: label.to_owned(),
        kind: Some(CompletionItemKind::VALUE),
        detail: (!detail.is_empty()).then(|| detail.to_owned()),
        insert_text: Some(written(label, style)),
        ..Default::default()
    }
}

fn rule_names(place: &OpenDocument<'_>, style: Style) -> Vec<CompletionItem> {
    let rules = all_ids().into_iter().filter_map(find);
    let mut items: Vec<_> = rules.map(|rule| value(rule.name, rule.summary, style)).collect();
    let policy = place.root.policy(&place.path).map(|(policy, _)| policy);
    let own = policy.into_iter().flat_map(Policy::custom_rules);
    items.extend(own.map(|rule| value(rule.id().name(), rule.message(), style)));
    items.dedup_by(|one, other| one.label == other.label);
    items
}

fn values(place: &OpenDocument<'_>, cursor: &Cursor, field: &FieldSpec) -> Vec<CompletionItem> {
    let style = cursor.style;
    match field.kind {
        FieldKind::Const(text) => return vec![value(text, "", style)],
        FieldKind::Choice(words) => {
            return words().into_iter().map(|word| value(word, "", style)).collect();
        }
        FieldKind::Flag => return flags(),
        _ => {}
    }
    let policy = place.root.policy(&place.path).map(|(policy, _)| policy);
    let path: Vec<&str> = cursor.path.iter().map(String::as_str).collect();
    if path == ["extends"] {
        return BUILTINS.iter().map(|(name, _)| value(name, "", style)).collect();
    }
    let Some(subject) = Subject::for_field(&path) else { return Vec::new() };
    match subject {
        Subject::Role => {
            let own = policy.into_iter().flat_map(Policy::roles);
            let own = own.map(|role| value(&role.name.value, "in the policy's catalog", style));
            let predefined =
                PREDEFINED_ROLES.iter().map(|role| value(role.name, "predefined", style));
            let mut all: Vec<_> = own.chain(predefined).collect();
            all.sort_by(|one, other| one.label.cmp(&other.label));
            all.dedup_by(|one, other| one.label == other.label);
            all
        }
        Subject::Team => {
            let teams = policy.into_iter().flat_map(Policy::teams);
            teams.map(|team| value(team, "a team of the policy", style)).collect()
        }
        Subject::Tenant => {
            let tenants = policy.into_iter().flat_map(Policy::tenants);
            tenants.map(|(name, _)| value(&name.value, "a tenant of the policy", style)).collect()
        }
        Subject::Rule => rule_names(place, style),
        Subject::Key => {
            let names = place.root.definitions().filter_map(|(_, it)| it.name());
            names.map(|name| value(name, "a key of this folder", style)).collect()
        }
        Subject::CatalogEntry(kind) => listed(place, policy, kind, style),
    }
}

/// What the policy lists for the document's tenants; for all tenants if it names none.
fn listed(
    place: &OpenDocument<'_>,
    policy: Option<&Policy>,
    kind: CatalogEntry,
    style: Style,
) -> Vec<CompletionItem> {
    let Some(policy) = policy else { return Vec::new() };
    let own: Vec<&str> =
        place.definitions().filter_map(|it| it.tenant().or(policy.only_tenant())).collect();
    let is_own = |name: &str| own.is_empty() || own.contains(&name);
    let tenants = policy.tenants().filter(|(name, _)| is_own(&name.value));
    let names = tenants.flat_map(|(tenant, facts)| {
        let detail = format!("{} of {}", kind.title().to_lowercase(), tenant.value);
        kind.names(facts)
            .into_iter()
            .map(move |name| value(name, &detail, style))
            .collect::<Vec<_>>()
    });
    let mut all: Vec<_> = names.collect();
    all.sort_by(|one, other| one.label.cmp(&other.label));
    all.dedup_by(|one, other| one.label == other.label);
    all
}
