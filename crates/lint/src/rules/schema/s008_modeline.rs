//! S008 schema-modeline: a definition does not name the organisation's JSON schema for editors.

use cortexkey_manifest::policy::Severity;
use cortexkey_manifest::{Span, quote};

use crate::model::Fix;
use crate::policy::rule_options;
use crate::rule::{FileContext, FindingSink, Fixes, Rule, RuleCheck, RuleExample};

const POLICY: &str = "rules: { schema-modeline: { schema: schemas/key.json } }\n";

const GOOD: &str = "# yaml-language-server: $schema=../schemas/key.json
apiVersion: cortexkey/v1
kind: ApiKey
metadata:
  name: svc-siem-export-prod
  owner: team-detection
spec:
  securityLevel: advanced
  comment: Exports incidents to the SIEM
  lifetime: 90d
  roles: [Viewer]
  scope:
    assets: { mode: none }
    casesAndIssues: { mode: none }
    endpoints: { mode: none }
";

rule_options! {
    struct Options<'a> {
        /// the schema's path from the policy's folder, or its URL
        schema: Option<&'a String>, Neither;
    }
}

pub(crate) static RULE: Rule = Rule {
    code: "S008",
    name: "schema-modeline",
    severity: Severity::Info,
    summary: "a definition does not name the organisation's JSON schema",
    why: "An editor that knows the schema completes tenants, owners, roles and groups, explains \
        each field and marks mistakes as you type, without a cortexkey extension.",
    bad: RuleExample::fields("metadata:\n  name: svc-siem-export-prod\n")
        .policy(POLICY)
        .at("keys/svc-siem-export-prod.yaml"),
    good: RuleExample::file(GOOD).policy(POLICY).at("keys/svc-siem-export-prod.yaml"),
    remedy: "Run `cortexkey lint --fix`, which adds the line. `cortexkey policy schema --output FILE` \
           writes the schema. Nothing is reported until a policy sets `schema`.",
    options: Options::DOCS,
    fixes: Fixes::Safe,
    check: RuleCheck::File(check),
};

/// The comment that YAML language servers search for.
const SERVER: &str = "yaml-language-server:";

fn check(cx: &FileContext<'_>, sink: &mut FindingSink<'_>) {
    let options = Options::of(sink.settings);
    let Some(schema) = options.schema.value else { return };
    let Some(first) = cx.documents.iter().find(|document| document.definition.is_some()) else {
        return;
    };
    let text = cx.tree.source();
    let line = format!("# {SERVER} $schema={}", reach(cx.path, schema));
    let named = cx.tree.comments().iter().map(|comment| comment.span).find(|span| {
        let comment = span.slice(text);
        comment.contains(SERVER) && comment.contains("$schema=")
    });
    if named.is_some_and(|span| span.slice(text).trim_end() == line) {
        return;
    }
    let (span, message, fix) = if let Some(span) = named {
        (span, "this line names another JSON schema than the policy", Fix::safe(span, line.clone()))
    } else {
        // A byte order mark stays first.
        let start = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
        let place = first.definition.as_ref().map_or(first.span, |definition| definition.place);
        let fix = Fix::safe(Span::new(start, start), format!("{line}{end}"));
        (place, "the file does not name its JSON schema", fix)
    };
    let finding = cx.finding(span, message).help(format!("write {}", quote(&line)));
    finding.decided(options.schema.decided, "the schema").fix(Some(fix)).report(sink);
}

/// The schema's path from a file's folder; both are paths from the policy's folder.
fn reach(file: &str, schema: &str) -> String {
    if schema.contains("://") || schema.starts_with('/') {
        return schema.to_owned();
    }
    let schema = schema.strip_prefix("./").unwrap_or(schema);
    let mut folders: Vec<&str> = file.split('/').collect();
    folders.pop();
    let mut wanted: Vec<&str> = schema.split('/').collect();
    let shared = folders.iter().zip(&wanted).take_while(|(a, b)| a == b).count();
    let shared = shared.min(wanted.len() - 1);
    let up = "../".repeat(folders.len() - shared);
    format!("{up}{}", wanted.split_off(shared).join("/"))
}

#[cfg(test)]
mod tests {
    use super::reach;

    #[test]
    fn a_schema_is_reached_from_its_files_folder() {
        for (file, schema, expected) in [
            ("keys/a.yaml", "schemas/key.json", "../schemas/key.json"),
            ("a.yaml", "key.json", "key.json"),
            ("keys/eu/a.yaml", "keys/key.json", "../key.json"),
            ("keys/eu/a.yaml", "./keys/eu/key.json", "key.json"),
            ("keys/key.json/a.yaml", "keys/key.json", "../key.json"),
            ("keys/a.yaml", "../key.json", "../../key.json"),
            ("keys/a.yaml", "https://example.com/key.json", "https://example.com/key.json"),
        ] {
            assert_eq!(reach(file, schema), expected, "{file} {schema}");
        }
    }
}
