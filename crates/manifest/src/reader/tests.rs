//! The tables of [`crate::format`] and the readers agree.

use crate::format::{CASES, FieldKind, FieldSpec, KEY, LOCK, Mapping, POLICY, Presence};
use crate::yaml::{YamlLimits, parse};
use crate::{Problem, ProblemKind, definition, lock, policy};

/// Whether the field is required in a sample, where every `mode` is `select`.
fn is_required(field: &FieldSpec) -> bool {
    match field.presence {
        Presence::Required => true,
        Presence::RequiredWhen("mode", words) => words.contains(&"select"),
        _ => false,
    }
}

type Read = fn(&str) -> Vec<Problem>;

/// Each format with its reader.
const FORMATS: [(&Mapping, Read); 4] = [
    (&KEY, |text| read_with(text, |tree, document| definition::read(tree, document).problems)),
    (&POLICY, |text| read_with(text, |tree, document| policy::read(tree, document).problems)),
    (&CASES, |text| read_with(text, |tree, document| policy::read_cases(tree, document).problems)),
    (&LOCK, |text| read_with(text, |tree, document| lock::read(tree, document).problems)),
];

fn read_with(
    text: &str,
    read: fn(&crate::yaml::Tree, crate::yaml::Document) -> Vec<Problem>,
) -> Vec<Problem> {
    let parsed = parse(text, &YamlLimits::default());
    assert!(parsed.complete, "{text}\n{:?}", parsed.problems);
    let problems = read(&parsed.tree, parsed.tree.documents()[0]);
    // The sample of a key definition has both, as it has every field.
    problems.into_iter().filter(|p| !p.message.starts_with("`expires` and `lifetime`")).collect()
}

/// What is found in a sample where one field is replaced by a string, or removed.
type With<'a> = &'a dyn Fn(Option<&str>) -> Vec<Problem>;

/// The path of each field in a sample, with its row of the table.
fn fields(mapping: &'static Mapping, path: &str, out: &mut Vec<(String, &'static FieldSpec)>) {
    for field in mapping.fields {
        let dot = if path.is_empty() { "" } else { "." };
        let path = format!("{path}{dot}{}", field.name);
        match field.kind {
            FieldKind::Fields(inner) | FieldKind::List(&FieldKind::Fields(inner)) => {
                fields(inner, &path, out);
            }
            FieldKind::Map(&FieldKind::Fields(inner)) => fields(inner, &format!("{path}.a"), out),
            _ => {}
        }
        out.push((path, field));
    }
}

/// Calls `check` with each field of each format, its path, and what is found where the field is
/// replaced by a string, or removed.
fn each_field(check: fn(&str, &'static FieldSpec, With<'_>)) {
    for (mapping, read) in FORMATS {
        assert_eq!(read(&mapping.sample()), [], "{}", mapping.sample());
        let mut all = Vec::new();
        fields(mapping, "", &mut all);
        for (path, field) in all {
            let with = |text: Option<&str>| {
                let mut edit = |at: &str, whole: String| {
                    if at == path { text.map(str::to_owned) } else { Some(whole) }
                };
                read(&mapping.sample_with(&mut edit))
            };
            check(&path, field, &with);
        }
    }
}

#[test]
fn every_required_field_is_missed() {
    each_field(|path, field, with| {
        let found = with(None);
        if is_required(field) {
            assert_eq!(found.len(), 1, "{path}: {found:?}");
            assert_eq!(found[0].kind, ProblemKind::MissingField, "{path}");
            assert_eq!(found[0].message, format!("`{path}` is missing"));
            assert!(found[0].help.as_ref().unwrap().contains(field.name), "{path}");
        } else {
            assert_eq!(found, [], "{path}");
        }
    });
}

#[test]
fn every_field_is_known_and_suggested_for_its_misspelling() {
    each_field(|path, field, with| {
        let value = with(Some(&format!("{}q: {{}}", field.name)));
        assert_eq!(value.len(), 1, "{path}: {value:?}");
        assert_eq!(value[0].kind, ProblemKind::UnknownField, "{path}");
        assert_eq!(value[0].meant.as_deref(), Some(field.name), "{path}");
    });
}

#[test]
fn every_field_accepts_exactly_the_values_of_its_table() {
    each_field(|path, field, with| {
        let words = match field.kind {
            FieldKind::Choice(words) => words(),
            FieldKind::Flag => vec!["true", "false"],
            _ => return,
        };
        for word in words {
            // The fields that a mode requires are tested elsewhere.
            let found = with(Some(&format!("{}: {word}", field.name)));
            assert!(found.iter().all(|p| p.kind == ProblemKind::MissingField), "{path}: {found:?}");
        }
        let found = with(Some(&format!("{}: Zq", field.name)));
        assert_eq!(found.len(), 1, "{path}: {found:?}");
        assert_eq!(found[0].kind, ProblemKind::BadValue, "{path}");
    });
}

#[test]
fn a_key_without_a_value_is_a_mistake_unless_a_rule_decides() {
    each_field(|path, field, with| {
        let found = with(Some(&format!("{}:", field.name)));
        let kinds: Vec<ProblemKind> = found.iter().map(|problem| problem.kind).collect();
        let expected = match field.presence {
            _ if is_required(field) => vec![ProblemKind::MissingField],
            Presence::Optional => vec![ProblemKind::WrongType],
            _ => vec![],
        };
        assert_eq!(kinds, expected, "{path}: {found:?}");
    });
}

#[test]
fn a_field_rejects_values_of_another_type() {
    each_field(|path, field, with| {
        let other = match field.kind {
            FieldKind::Map(_) | FieldKind::Fields(_) | FieldKind::Rules(_) => "[a]",
            _ => "{ a: b }",
        };
        let found = with(Some(&format!("{}: {other}", field.name)));
        assert_eq!(found.len(), 1, "{path}: {found:?}");
        assert_eq!(found[0].kind, ProblemKind::WrongType, "{path}");
    });
}

#[test]
fn every_field_has_a_doc_for_people() {
    each_field(|path, field, _| {
        assert!(field.doc.ends_with('.') && field.doc.len() > 10, "{path}: {}", field.doc);
    });
}
