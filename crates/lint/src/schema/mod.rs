//! JSON Schemas (draft 07) of definitions, policies and the linter's JSON, for editors and programs.
//!
//! Those of definitions and policies derive from the field tables of the reader, so they accept and
//! reject the same forms. What only the linter can check, such as whether a role exists, is not in
//! them; a value that YAML readers retype is accepted, because editors check the retyped value.

mod organisation;

pub use organisation::of_policy;

use cortexkey_manifest::format::{FieldKind, FieldSpec, KEY, MATCH, Mapping, POLICY, Presence};
use serde_json::{Map, Value, json};

use crate::report::Format;
use crate::rules::{OptionType, RULES, WEEKDAYS};

/// Name and text of each schema's file.
#[must_use]
pub fn files() -> [(&'static str, String); 3] {
    let text = |schema: &Value| format!("{schema:#}\n");
    [
        ("key.v1.json", text(&definition())),
        ("policy.v1.json", text(&policy())),
        ("lint.v1.json", text(&report())),
    ]
}

const DRAFT: &str = "http://json-schema.org/draft-07/schema#";

fn id(file: &str) -> String {
    format!("{}/raw/main/schemas/{file}", env!("CARGO_PKG_REPOSITORY"))
}

/// The schema of a key definition.
fn definition() -> Value {
    titled(object(&KEY, &[]), "key.v1.json", "cortexkey key definition")
}

/// The schema of a policy. Rules and their options are those of the registry.
fn policy() -> Value {
    let mut out = object(&POLICY, &[]);
    let mut selection = object(&MATCH, &[]);
    selection["minProperties"] = json!(1);
    selection["properties"]["labels"]["minProperties"] = json!(1);
    out["definitions"] = json!({ "match": selection });
    titled(out, "policy.v1.json", "cortexkey policy")
}

fn titled(mut schema: Value, file: &str, title: &str) -> Value {
    schema["$schema"] = json!(DRAFT);
    schema["$id"] = json!(id(file));
    schema["title"] = json!(title);
    schema
}

/// Names and schemas of a rule's options.
type Options = [(&'static str, Value)];

/// A mapping. Open ones accept a rule's options.
fn object(mapping: &'static Mapping, options: &Options) -> Value {
    let mut properties = Map::new();
    if mapping.is_open {
        properties
            .extend(options.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone())));
    }
    for field in mapping.fields {
        let mut schema = described(value(field.kind, options), field.doc);
        schema["markdownDescription"] = json!(hover(field));
        properties.insert(field.name.to_owned(), schema);
    }
    let mut out =
        json!({ "type": "object", "additionalProperties": false, "properties": properties });
    let required: Vec<&str> = names(mapping, |field| matches!(field.presence, Presence::Required));
    if !required.is_empty() {
        out["required"] = json!(required);
    }
    let condition = mapping.fields.iter().find_map(|field| match field.presence {
        Presence::RequiredWhen(name, words) => Some((name, words)),
        _ => None,
    });
    if let Some((name, words)) = condition {
        out["if"] = json!({ "properties": { name: { "enum": words } }, "required": [name] });
        let then = names(mapping, |field| matches!(field.presence, Presence::RequiredWhen(..)));
        out["then"] = json!({ "required": then });
    }
    out
}

fn names(mapping: &Mapping, is: fn(&FieldSpec) -> bool) -> Vec<&'static str> {
    mapping.fields.iter().filter(|field| is(field)).map(|field| field.name).collect()
}

/// What a field accepts.
fn value(kind: FieldKind, options: &Options) -> Value {
    match kind {
        FieldKind::Const(text) => json!({ "const": text }),
        FieldKind::Text | FieldKind::Expiry => text(),
        FieldKind::Pattern(pattern) => json!({ "type": "string", "pattern": pattern }),
        FieldKind::Flag => json!({ "type": "boolean" }),
        FieldKind::Number => json!({ "type": "integer", "minimum": 0 }),
        FieldKind::Choice(words) => {
            json!({ "enum": words().into_iter().map(word).collect::<Vec<_>>() })
        }
        FieldKind::Moment => json!({ "type": "string" }),
        FieldKind::Duration => json!({ "type": "string", "pattern": DURATION }),
        FieldKind::List(item) => json!({ "type": "array", "items": value(*item, options) }),
        FieldKind::OneOrMore => {
            json!({ "anyOf": [text(), { "type": "array", "items": text(), "minItems": 1 }] })
        }
        FieldKind::Map(item) => {
            json!({ "type": "object", "additionalProperties": value(*item, options) })
        }
        FieldKind::Fields(inner) if core::ptr::eq(inner, &raw const MATCH) => {
            json!({ "allOf": [{ "$ref": "#/definitions/match" }] })
        }
        FieldKind::Fields(inner) => object(inner, options),
        FieldKind::NameOr(inner) => json!({ "anyOf": [text(), object(inner, options)] }),
        FieldKind::Rules(settings) => rules(settings),
    }
}

/// The description that an editor shows for a field.
fn hover(field: &FieldSpec) -> String {
    match (field.kind, field.example) {
        (FieldKind::Fields(_) | FieldKind::Const(_), _) | (_, "" | "[]" | "{}") => {
            field.doc.to_owned()
        }
        (_, example) => format!("{}\n\n```yaml\n{}: {example}\n```", field.doc, field.name),
    }
}

/// `true` and `false` are not strings for editors.
fn word(word: &str) -> Value {
    word.parse::<bool>().map_or_else(|_| json!(word), Value::from)
}

/// A string; editors read plain numbers and flags as other types.
fn text() -> Value {
    json!({ "type": ["string", "number", "boolean"] })
}

fn described(mut schema: Value, words: &str) -> Value {
    schema["description"] = json!(words);
    schema
}

const DURATION: &str = "^[0-9]+[dhm]$";

/// The settings of each rule, by name and by code.
fn rules(settings: &'static Mapping) -> Value {
    let mut properties = Map::new();
    for rule in RULES {
        let option = |option: &crate::rules::OptionDoc| {
            (option.name, described(option_value(option.kind), option.what))
        };
        let options: Vec<_> = rule.options.iter().map(option).collect();
        let schema = described(object(settings, &options), rule.summary);
        properties.insert(rule.name.to_owned(), schema);
        properties.insert(
            rule.code.to_owned(),
            json!({ "$ref": format!("#/properties/rules/properties/{}", rule.name) }),
        );
    }
    json!({
        "type": "object", "additionalProperties": false, "properties": properties,
        // Custom rules of a policy, by code.
        "patternProperties": { "^[A-Z]{2,12}[0-9]+$": object(settings, &[]) },
    })
}

fn option_value(kind: OptionType) -> Value {
    let duration = value(FieldKind::Duration, &[]);
    match kind {
        OptionType::Duration => duration,
        OptionType::Durations => json!({ "type": "array", "items": duration }),
        OptionType::Flag => value(FieldKind::Flag, &[]),
        OptionType::Number => value(FieldKind::Number, &[]),
        OptionType::Text => text(),
        OptionType::Texts => value(FieldKind::List(&FieldKind::Text), &[]),
        OptionType::Pattern => json!({ "type": "string" }),
        OptionType::Offset => {
            json!({ "type": "string", "pattern": "^(Z|[+-][0-9]{2}:[0-9]{2})$" })
        }
        OptionType::Weekdays => json!({ "type": "array", "items": { "enum": WEEKDAYS } }),
        OptionType::Dates => json!({ "type": "array", "items": { "type": "string" } }),
        OptionType::Digests => {
            json!({ "type": "array", "items": { "type": "string", "pattern": "^[0-9a-f]{64}$" } })
        }
    }
}

/// The schema of `--format json`. Programs must accept fields that it does not name.
fn report() -> Value {
    let finding = finding_fields();
    let mut waived = finding.clone();
    waived.push(("by", json!({ "enum": ["waiver", "comment", "baseline"] })));
    let report = open(&[
        ("version", json!({ "const": 1 })),
        ("findings", list(&open(&finding))),
        ("waived", list(&open(&waived))),
        ("summary", open(&summary_fields())),
    ]);
    let title = format!("cortexkey lint --format {}", Format::Json.as_str());
    titled(report, "lint.v1.json", &title)
}

fn finding_fields() -> Vec<(&'static str, Value)> {
    let string = json!({ "type": "string" });
    let text_or_null = json!({ "type": ["string", "null"] });
    let place = json!({ "type": "integer", "minimum": 1 });
    let related = open(&[
        ("file", string.clone()),
        ("line", place.clone()),
        ("column", place.clone()),
        ("message", string.clone()),
    ]);
    vec![
        ("code", string.clone()),
        ("name", string.clone()),
        ("severity", json!({ "enum": ["error", "warning", "info"] })),
        ("file", string.clone()),
        ("line", place.clone()),
        ("column", place.clone()),
        ("endLine", place.clone()),
        ("endColumn", place),
        ("message", string),
        ("help", text_or_null.clone()),
        ("key", text_or_null),
        ("fix", json!({ "anyOf": [{ "type": "null" }, fix()] })),
        ("fingerprint", json!({ "type": "string", "pattern": "^[0-9a-f]{64}$" })),
        ("related", list(&related)),
    ]
}

fn fix() -> Value {
    let edit = open(&[("start", count()), ("end", count()), ("text", json!({ "type": "string" }))]);
    open(&[("safe", value(FieldKind::Flag, &[])), ("edits", list(&edit))])
}

fn summary_fields() -> [(&'static str, Value); 10] {
    [
        "files",
        "passedOver",
        "errors",
        "warnings",
        "infos",
        "waived",
        "known",
        "suppressed",
        "unselected",
        "excluded",
    ]
    .map(|name| (name, count()))
}

fn count() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

fn list(items: &Value) -> Value {
    json!({ "type": "array", "items": items })
}

/// An object that has all of these fields, and may have more.
fn open(fields: &[(&str, Value)]) -> Value {
    let properties: Map<String, Value> =
        fields.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect();
    let required: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
    json!({ "type": "object", "additionalProperties": true, "properties": properties,
            "required": required })
}
