//! The boundary cases of each rule's condition, one file per family: cases that the examples of the
//! pages do not cover.
//!
//! If a changed condition passes these tests, a case is missing; `cargo xtask campaign mutants`
//! looks for such changes.

use cortexkey_lint::{Corpus, CorpusFile, Finding, Location, Policy, Related, Report, lint};
use cortexkey_manifest::yaml::YamlLimits;

mod corpus;
mod expiry;
mod level;
mod naming;
mod policy;
mod roles;
mod schema;
mod scope;
mod secret;
mod yaml;

const POLICY: &str = "apiVersion: cortexkey/v1\nkind: Policy\nmetadata: { name: t }\n\
    extends: ['builtin:recommended']\n";
const NOW: &str = "2026-01-01T00:00:00Z";

/// A definition without findings.
const KEY: &str = "apiVersion: cortexkey/v1
kind: ApiKey
metadata:
  name: svc-a
  owner: team-a
spec:
  securityLevel: advanced
  comment: For this test
  lifetime: 90d
  roles: [Viewer]
  scope:
    assets: { mode: none }
    casesAndIssues: { mode: none }
    endpoints: { mode: none }
";

/// The definition with one part of its text replaced; the part must exist.
fn key(old: &str, new: &str) -> String {
    assert!(KEY.contains(old), "{old}");
    KEY.replace(old, new)
}

fn parsed(files: &[(&str, &str)]) -> Vec<CorpusFile> {
    let limits = YamlLimits::default();
    let file =
        |(path, text): &(&str, &str)| CorpusFile::new(*path, text.as_bytes().to_vec(), &limits);
    files.iter().map(file).collect()
}

/// Checks a corpus against the recommended policy with these additional lines.
fn lint_corpus(policy: &str, corpus: &Corpus) -> Report {
    let policy = Policy::from_text("cortexkey.yaml", &format!("{POLICY}{policy}"));
    assert!(policy.is_usable(), "a policy that cannot be read finds nothing");
    lint(corpus, &policy, NOW.parse().unwrap())
}

fn lint_files(policy: &str, files: &[(&str, &str)]) -> Report {
    lint_corpus(policy, &Corpus { files: parsed(files), ..Corpus::default() })
}

fn lint_text(policy: &str, text: &str) -> Report {
    lint_files(policy, &[("svc-a.yaml", text)])
}

/// The messages of a rule's findings for a definition.
fn messages(rule: &str, policy: &str, text: &str) -> Vec<String> {
    let findings = lint_text(policy, text).findings;
    let of_rule = findings.into_iter().filter(|finding| finding.rule.code() == rule);
    of_rule.map(|finding| finding.message).collect()
}

/// A rule's findings in a report: each with its position, then its help and the other
/// positions; a position is a file, a line and its columns.
fn reported(rule: &str, report: &Report) -> Vec<String> {
    let at = |place: Location| {
        let source = &report.sources[place.source];
        let (from, to) = source.positions(place.span);
        format!("{}:{}:{}-{}", source.path, from.line, from.column, to.column)
    };
    let mut lines = Vec::new();
    for finding in report.findings.iter().filter(|finding| finding.rule.code() == rule) {
        lines.push(format!("{} {}", at(finding.location), finding.message));
        lines.extend(finding.help.iter().map(|help| format!("help: {help}")));
        let related = finding.related.iter();
        lines.extend(related.map(|other| format!("{} {}", at(other.location), other.message)));
    }
    lines
}

/// A rule's findings for a definition: the line and the text at the position, the message, the
/// help, and each second position.
fn shown(rule: &str, policy: &str, text: &str) -> Vec<String> {
    let report = lint_text(policy, text);
    let at = |place: Location| {
        let source = &report.sources[place.source];
        (source.positions(place.span).0.line, place.span.slice(&source.masked()).to_owned())
    };
    let whole = |finding: &Finding| {
        let (line, text) = at(finding.location);
        let help = finding.help.as_deref().unwrap_or("-");
        let second =
            |second: &Related| format!(" | `{}`: {}", at(second.location).1, second.message);
        let seconds: String = finding.related.iter().map(second).collect();
        format!("{line} `{text}` | {} | {help}{seconds}", finding.message)
    };
    report.findings.iter().filter(|finding| finding.rule.code() == rule).map(whole).collect()
}

/// The definition after the fix of a rule's first finding, if it has one.
fn fixed(rule: &str, policy: &str, text: &str) -> Option<String> {
    let findings = lint_text(policy, text).findings;
    let fix = findings.into_iter().find(|finding| finding.rule.code() == rule)?.fix?;
    let mut edits = fix.edits;
    edits.sort_by_key(|edit| std::cmp::Reverse(edit.span.start));
    let mut text = text.to_owned();
    for edit in edits {
        text.replace_range(edit.span.range(), &edit.text);
    }
    Some(text)
}

#[test]
fn the_definition_that_others_change_is_not_reported() {
    assert_eq!(lint_text("", KEY).findings, []);
}
