//! JSON Schemas (draft 07) of definitions, policies and the linter's JSON, for editors and programs.
//!
//! They refuse what the reader refuses of a file's form. What only the linter can judge, such as
//! whether a role exists, is not theirs; a value that YAML readers retype is let through, since
//! editors see it retyped.

use cortexkey_core::access::Product;
use cortexkey_manifest::policy::Open;
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

/// An object with these fields and no others.
fn duration() -> Value {
    json!({ "type": "string", "pattern": "^[0-9]+[dhm]$" })
}

fn object(fields: &[(&str, Value)], required: &[&str]) -> Value {
    let properties: Map<String, Value> =
        fields.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect();
    let mut out =
        json!({ "type": "object", "additionalProperties": false, "properties": properties });
    if !required.is_empty() {
        out["required"] = json!(required);
    }
    out
}

/// A text; editors see plain numbers, flags and dates as something else.
fn text() -> Value {
    json!({ "type": ["string", "number", "boolean"] })
}

fn texts() -> Value {
    json!({ "type": "array", "items": text() })
}

fn one_of(words: &[&str]) -> Value {
    json!({ "enum": words })
}

fn described(mut schema: Value, words: &str) -> Value {
    schema["description"] = json!(words);
    schema
}

fn text_map() -> Value {
    json!({ "type": "object", "additionalProperties": text() })
}

fn moment() -> Value {
    json!({ "type": "string", "description": "RFC 3339 with an offset, or a date, which means its end in UTC" })
}

/// The schema of a key definition.
fn definition() -> Value {
    let approval = object(&[("by", text()), ("ticket", text())], &["by"]);
    let metadata = object(
        &[
            ("name", described(text(), "unique within its tenant")),
            ("owner", described(text(), "a team of the catalogue, or an e-mail address")),
            (
                "tenant",
                described(text(), "a tenant of the policy; may be left out where it has one"),
            ),
            ("labels", described(text_map(), "for `match` in policies")),
            ("annotations", described(text_map(), "for people")),
            ("approvals", json!({ "type": "array", "items": approval })),
        ],
        &["name"],
    );
    let spec = object(
        &[
            ("securityLevel", one_of(&["standard", "advanced"])),
            (
                "comment",
                described(text(), "what the key is for; all free text that the product keeps"),
            ),
            (
                "expires",
                described(text(), "RFC 3339 with an offset, a date (its end, UTC), or `never`"),
            ),
            ("lifetime", duration()),
            ("roles", described(texts(), "display names of roles")),
            ("scope", scope()),
        ],
        &[],
    );
    let mut out = object(
        &[
            ("apiVersion", json!({ "const": "cortexkey/v1" })),
            ("kind", json!({ "const": "ApiKey" })),
            ("metadata", metadata),
            ("spec", spec),
        ],
        &["apiVersion", "kind", "metadata", "spec"],
    );
    out["$schema"] = json!(DRAFT);
    out["$id"] = json!(id("key.v1.json"));
    out["title"] = json!("cortexkey key definition");
    out
}

fn scope() -> Value {
    let modes = ["none", "all", "select"];
    let raw = one_of(&["no_scope", "see_all", "scope", "any"]);
    let number = json!({ "type": "integer", "minimum": 0 });
    let named = object(&[("name", text()), ("id", number)], &["name"]);
    let groups = json!({ "type": "array", "items": { "anyOf": [text(), named] } });
    let unreferenced = json!({ "enum": [true, false, "unknown"] });
    let mut cases = object(
        &[("mode", one_of(&modes)), ("domains", texts()), ("unreferenced", unreferenced)],
        &["mode"],
    );
    cases["if"] = json!({ "properties": { "mode": { "enum": ["all", "select"] } } });
    cases["then"] = json!({ "required": ["unreferenced"] });
    let mut endpoints = object(
        &[
            ("mode", one_of(&["none", "all", "select", "raw"])),
            ("groups", texts()),
            ("tags", texts()),
            ("groupsMode", raw.clone()),
            ("tagsMode", raw),
        ],
        &["mode"],
    );
    endpoints["if"] = json!({ "properties": { "mode": { "const": "raw" } }, "required": ["mode"] });
    endpoints["then"] = json!({ "required": ["groupsMode", "tagsMode"] });
    let filter = object(&[("dataset", text()), ("filter", text())], &["dataset", "filter"]);
    let datasets = object(
        &[
            ("default", one_of(&["none", "all"])),
            ("filters", json!({ "type": "array", "items": filter })),
        ],
        &["default"],
    );
    object(
        &[
            ("assets", object(&[("mode", one_of(&modes)), ("groups", groups)], &["mode"])),
            ("casesAndIssues", cases),
            ("endpoints", endpoints),
            ("datasets", datasets),
        ],
        &["assets", "casesAndIssues", "endpoints"],
    )
}

/// One text, or any of several.
fn any_of() -> Value {
    json!({ "anyOf": [text(), texts()] })
}

fn matching() -> Value {
    object(
        &[
            ("labels", json!({ "type": "object", "additionalProperties": any_of() })),
            ("roles", any_of()),
            ("name", any_of()),
            ("owner", any_of()),
            ("tenant", any_of()),
            ("securityLevel", any_of()),
            ("path", described(any_of(), "patterns of files, from this policy's folder")),
        ],
        &[],
    )
}

/// The schema of a policy. Rules and their options are those of the registry.
fn policy() -> Value {
    let mut out = object(
        &[
            ("apiVersion", json!({ "const": "cortexkey/v1" })),
            ("kind", json!({ "const": "Policy" })),
            ("metadata", object(&[("name", text())], &["name"])),
            ("extends", described(texts(), "built-in policies, or paths relative to this file")),
            ("keys", described(texts(), "patterns of the files that hold key definitions")),
            ("tenants", json!({ "type": "object", "additionalProperties": tenant() })),
            (
                "rotateBefore",
                described(duration(), "how long before its end a key with a lifetime is due"),
            ),
            ("rules", rules()),
            ("catalog", catalog()),
            ("customRules", json!({ "type": "array", "items": custom_rule() })),
            ("waivers", json!({ "type": "array", "items": waiver() })),
            ("tests", described(texts(), "patterns of the files with this policy's cases")),
        ],
        &["apiVersion", "kind", "metadata"],
    );
    out["$schema"] = json!(DRAFT);
    out["$id"] = json!(id("policy.v1.json"));
    out["title"] = json!("cortexkey policy");
    out
}

fn flag() -> Value {
    json!({ "type": "boolean" })
}

fn tenant() -> Value {
    let number = json!({ "type": "integer", "minimum": 0 });
    let fields = [("name", text()), ("id", number), ("scopable", flag())];
    let group = object(&fields, &["name"]);
    object(
        &[
            ("product", one_of(&Product::ALL.map(Product::as_str))),
            ("sbac", one_of(&["enforced", "disabled", "unknown"])),
            ("tags", one_of(&["permissive", "restrictive"])),
            ("datasets", flag()),
            ("assetGroups", json!({ "type": "array", "items": group })),
            ("endpointGroups", texts()),
            ("endpointTags", texts()),
            ("domains", texts()),
        ],
        &["product"],
    )
}

fn catalog() -> Value {
    let open = Open::ALL.map(Open::word);
    let levels = json!({ "enum": ["none", "view", "edit"] });
    let role = object(
        &[
            ("name", text()),
            ("id", text()),
            ("components", json!({ "type": "object", "additionalProperties": levels })),
            ("actions", texts()),
            ("implies", texts()),
            ("privileged", flag()),
            ("deprecated", object(&[("use", text())], &[])),
        ],
        &["name"],
    );
    object(
        &[
            ("roles", json!({ "type": "array", "items": role })),
            ("teams", texts()),
            ("emailDomains", texts()),
            ("conflicts", json!({ "type": "array", "items": texts() })),
            (
                "open",
                described(
                    json!({ "type": "array", "items": one_of(&open) }),
                    "what policies that extend this one may widen",
                ),
            ),
        ],
        &[],
    )
}

fn custom_rule() -> Value {
    object(
        &[
            ("id", json!({ "type": "string", "pattern": "^[A-Z]{2,12}[0-9]+$" })),
            ("name", json!({ "type": "string", "pattern": "^[a-z0-9]+(-[a-z0-9]+)+$" })),
            ("match", matching()),
            ("assert", described(json!({ "type": "string" }), "a CEL expression over `key`")),
            ("message", text()),
            ("severity", one_of(&["error", "warning", "info"])),
            ("locked", flag()),
            ("waivable", flag()),
        ],
        &["id", "name", "assert", "message"],
    )
}

/// What a waiver lacks is a finding of its own, so little is required here.
fn waiver() -> Value {
    object(
        &[
            ("rule", text()),
            ("key", described(text(), "`name` or `tenant/name`")),
            ("reason", text()),
            ("approvedBy", text()),
            ("expires", moment()),
        ],
        &["rule", "key"],
    )
}

fn rules() -> Value {
    let mut properties = Map::new();
    for rule in RULES {
        let own: Vec<(&str, Value)> = rule
            .options
            .iter()
            .map(|option| (option.name, described(option_value(option.kind), option.what)))
            .collect();
        let common = [("enabled", flag()), ("severity", one_of(&["error", "warning", "info"]))];
        let of_key: Vec<(&str, Value)> =
            own.iter().cloned().chain(common.clone()).chain([("match", matching())]).collect();
        let overrides = json!({ "type": "array", "items": object(&of_key, &["match"]) });
        let all: Vec<(&str, Value)> = own
            .into_iter()
            .chain(common)
            .chain([("locked", flag()), ("waivable", flag()), ("overrides", overrides)])
            .collect();
        let schema = described(object(&all, &[]), rule.summary);
        properties.insert(rule.name.to_owned(), schema);
        properties.insert(
            rule.code.to_owned(),
            json!({ "$ref": format!("#/properties/rules/properties/{}", rule.name) }),
        );
    }
    // Rules of a policy's own, by code.
    let own = object(
        &[
            ("enabled", flag()),
            ("severity", one_of(&["error", "warning", "info"])),
            ("locked", flag()),
            ("waivable", flag()),
            ("overrides", json!({ "type": "array" })),
        ],
        &[],
    );
    let pattern = "^[A-Z]{2,12}[0-9]+$";
    json!({
        "type": "object", "additionalProperties": false, "properties": properties,
        "patternProperties": { pattern: own },
    })
}

fn option_value(kind: OptionType) -> Value {
    let duration = json!({ "type": "string", "pattern": "^[0-9]+[dhm]$" });
    match kind {
        OptionType::Duration => duration,
        OptionType::Durations => json!({ "type": "array", "items": duration }),
        OptionType::Flag => flag(),
        OptionType::Number => json!({ "type": "integer", "minimum": 0 }),
        OptionType::Texts => texts(),
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

/// The schema of `--format json`. Programs must take fields that it does not name.
fn report() -> Value {
    let count = json!({ "type": "integer", "minimum": 0 });
    let place = json!({ "type": "integer", "minimum": 1 });
    let open = |fields: &[(&str, Value)], required: &[&str]| {
        let mut out = object(fields, required);
        out["additionalProperties"] = json!(true);
        out
    };
    let related = [
        ("file", json!({ "type": "string" })),
        ("line", place.clone()),
        ("column", place.clone()),
        ("message", json!({ "type": "string" })),
    ];
    let edit =
        [("start", count.clone()), ("end", count.clone()), ("text", json!({ "type": "string" }))];
    let edits = json!({ "type": "array", "items": open(&edit, &["start", "end", "text"]) });
    let fix = open(&[("safe", flag()), ("edits", edits)], &["safe", "edits"]);
    let fields = [
        ("code", json!({ "type": "string" })),
        ("name", json!({ "type": "string" })),
        ("severity", one_of(&["error", "warning", "info"])),
        ("file", json!({ "type": "string" })),
        ("line", place.clone()),
        ("column", place.clone()),
        ("endLine", place.clone()),
        ("endColumn", place),
        ("message", json!({ "type": "string" })),
        ("help", json!({ "type": ["string", "null"] })),
        ("key", json!({ "type": ["string", "null"] })),
        ("fix", json!({ "anyOf": [{ "type": "null" }, fix] })),
        ("fingerprint", json!({ "type": "string", "pattern": "^[0-9a-f]{64}$" })),
        (
            "related",
            json!({ "type": "array", "items": open(&related, &["file", "line", "column", "message"]) }),
        ),
    ];
    let names: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
    let finding = open(&fields, &names);
    let mut waived = fields.to_vec();
    waived.push(("by", one_of(&["waiver", "comment", "baseline"])));
    let waived = open(&waived, &[&names[..], &["by"]].concat());
    let counts = ["files", "passedOver", "errors", "warnings", "infos", "waived"];
    let summary = open(&counts.map(|name| (name, count.clone())), &counts);
    let mut out = open(
        &[
            ("version", json!({ "const": 1 })),
            ("findings", json!({ "type": "array", "items": finding })),
            ("waived", json!({ "type": "array", "items": waived })),
            ("summary", summary),
        ],
        &["version", "findings", "waived", "summary"],
    );
    out["$schema"] = json!(DRAFT);
    out["$id"] = json!(id("lint.v1.json"));
    out["title"] = json!(format!("cortexkey lint --format {}", Format::Json.word()));
    out
}
