//! Completes fields, with their documentation, and the values that a field accepts.

use cortexkey_core::access::PREDEFINED_ROLES;
use cortexkey_lint::Policy;
use cortexkey_lint::rules::{OptionDoc, OptionType, WEEKDAYS, all_ids, find};
use cortexkey_manifest::format::{FieldKind, FieldSpec};
use cortexkey_manifest::policy::BUILTINS;
use lsp_types::{CompletionItem, CompletionItemKind, Documentation, Position};

use super::OpenDocument;
use super::catalogue::CatalogueEntry;
use super::subject::Subject;
use crate::cursor::Cursor;

pub(crate) fn completions(place: &OpenDocument<'_>, position: Position) -> Vec<CompletionItem> {
    let number = position.line as usize;
    let line = place.text.line(number);
    let start = place.text.offset(Position::new(position.line, 0));
    let column = place.text.offset(position) - start;
    let before = &line[..column];
    if let Some((_, comment)) = before.split_once('#') {
        let is_list =
            comment.contains("cortexkey:") && comment.contains('[') && !comment.contains(']');
        return if is_list { rule_names(place) } else { Vec::new() };
    }
    let cursor = Cursor::at(place.text.whole, number, column);
    if let Some(field) = cursor.field {
        return values(place, &cursor, field);
    }
    if cursor.is_value {
        return option_values(&cursor);
    }
    if cursor.path.first().is_some_and(|name| name == "rules") && cursor.path.len() == 1 {
        return rule_names(place);
    }
    let Some(mapping) = cursor.mapping else { return Vec::new() };
    let options = options(&cursor.path).iter().map(|it| (it.name, it.what));
    let fields = mapping.fields.iter().map(|field| (field.name, field.doc));
    let missing = options
        .chain(fields)
        .filter(|(name, _)| !cursor.present.iter().any(|present| present == name));
    missing.enumerate().map(|(at, (name, doc))| key(at, name, doc)).collect()
}

/// The values of an option that has few.
fn option_values(cursor: &Cursor) -> Vec<CompletionItem> {
    let Some((name, path)) = cursor.path.split_last() else { return Vec::new() };
    let option = options(path).iter().find(|option| option.name == name);
    match option.map(|option| option.kind) {
        Some(OptionType::Flag) => vec![value("true", ""), value("false", "")],
        Some(OptionType::Weekdays) => WEEKDAYS.map(|day| value(day, "")).to_vec(),
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

fn key(at: usize, name: &str, doc: &str) -> CompletionItem {
    CompletionItem {
        label: name.to_owned(),
        kind: Some(CompletionItemKind::FIELD),
        documentation: Some(Documentation::String(doc.to_owned())),
        insert_text: Some(format!("{name}: ")),
        // In the customary order.
        sort_text: Some(format!("{at:03}")),
        ..Default::default()
    }
}

fn value(label: &str, detail: &str) -> CompletionItem {
    CompletionItem {
        label: label.to_owned(),
        kind: Some(CompletionItemKind::VALUE),
        detail: (!detail.is_empty()).then(|| detail.to_owned()),
        insert_text: Some(cortexkey_manifest::scalar(label)),
        ..Default::default()
    }
}

fn rule_names(place: &OpenDocument<'_>) -> Vec<CompletionItem> {
    let rules = all_ids().into_iter().filter_map(find);
    let mut items: Vec<_> = rules.map(|rule| value(rule.name, rule.summary)).collect();
    let policy = place.root.policy(&place.path).map(|(policy, _)| policy);
    let own = policy.into_iter().flat_map(Policy::custom_rules);
    items.extend(own.map(|rule| value(rule.id().name(), rule.message())));
    items.dedup_by(|one, other| one.label == other.label);
    items
}

fn values(place: &OpenDocument<'_>, cursor: &Cursor, field: &FieldSpec) -> Vec<CompletionItem> {
    match field.kind {
        FieldKind::Const(text) => return vec![value(text, "")],
        FieldKind::Choice(words) => {
            return words().into_iter().map(|word| value(word, "")).collect();
        }
        FieldKind::Flag => return vec![value("true", ""), value("false", "")],
        _ => {}
    }
    let policy = place.root.policy(&place.path).map(|(policy, _)| policy);
    let path: Vec<&str> = cursor.path.iter().map(String::as_str).collect();
    if path == ["extends"] {
        return BUILTINS.iter().map(|(name, _)| value(name, "")).collect();
    }
    let Some(subject) = Subject::for_field(&path) else { return Vec::new() };
    match subject {
        Subject::Role => {
            let own = policy.into_iter().flat_map(Policy::roles);
            let own = own.map(|role| value(&role.name.value, "in the policy's catalogue"));
            let predefined = PREDEFINED_ROLES.iter().map(|role| value(role.name, "predefined"));
            let mut all: Vec<_> = own.chain(predefined).collect();
            all.sort_by(|one, other| one.label.cmp(&other.label));
            all.dedup_by(|one, other| one.label == other.label);
            all
        }
        Subject::Team => {
            let teams = policy.into_iter().flat_map(Policy::teams);
            teams.map(|team| value(team, "a team of the policy")).collect()
        }
        Subject::Tenant => {
            let tenants = policy.into_iter().flat_map(Policy::tenants);
            tenants.map(|(name, _)| value(&name.value, "a tenant of the policy")).collect()
        }
        Subject::Rule => rule_names(place),
        Subject::Key => {
            let names = place.root.definitions().filter_map(|(_, it)| it.name());
            names.map(|name| value(name, "a key of this folder")).collect()
        }
        Subject::CatalogueEntry(kind) => listed(place, policy, kind),
    }
}

/// What the policy lists for the document's tenants; for all tenants if it names none.
fn listed(
    place: &OpenDocument<'_>,
    policy: Option<&Policy>,
    kind: CatalogueEntry,
) -> Vec<CompletionItem> {
    let Some(policy) = policy else { return Vec::new() };
    let own: Vec<&str> =
        place.definitions().filter_map(|it| it.tenant().or(policy.only_tenant())).collect();
    let is_own = |name: &str| own.is_empty() || own.contains(&name);
    let tenants = policy.tenants().filter(|(name, _)| is_own(&name.value));
    let names = tenants.flat_map(|(tenant, facts)| {
        let detail = format!("{} of {}", kind.title().to_lowercase(), tenant.value);
        kind.names(facts).into_iter().map(move |name| value(name, &detail)).collect::<Vec<_>>()
    });
    let mut all: Vec<_> = names.collect();
    all.sort_by(|one, other| one.label.cmp(&other.label));
    all.dedup_by(|one, other| one.label == other.label);
    all
}
