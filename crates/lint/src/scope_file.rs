//! [`check_scope`]: checks a scope in a file of its own, with the rules that check its form in a
//! definition. What an organisation allows is not checked: there is no key and no policy.

use cortexkey_manifest::definition::{Definition, ScopeSpec, Spec, read_scope};
use cortexkey_manifest::policy::Severity;
use cortexkey_manifest::yaml::YamlLimits;
use cortexkey_manifest::{Field, Problem, ProblemKind, Span, Spanned};
use jiff::Timestamp;

use crate::engine::{LintOptions, lint_with};
use crate::model::{Corpus, CorpusFile, Family, KeyDocument, Report, RuleId, Summary};
use crate::policy::Policy;
use crate::rules::scope::{a003_empty_selection, a005_mode_conflict, a012_dataset_filter};

/// Whether a rule is about the form of a scope.
fn is_about_form(rule: &RuleId) -> bool {
    matches!(rule.family(), Some(Family::Yaml | Family::Schema))
        || *rule == a003_empty_selection::RULE.id()
        || *rule == a005_mode_conflict::RULE.id()
        || *rule == a012_dataset_filter::RULE.id()
}

/// Reads a scope as definitions have it under `spec.scope`, with or without the key `scope` above it.
/// Returns the report if the scope has errors.
pub fn check_scope(path: &str, bytes: Vec<u8>) -> Result<ScopeSpec, Box<Report>> {
    let mut file = CorpusFile::new(path, bytes, &YamlLimits::default());
    let scope = take_scope(&mut file);
    let corpus = Corpus { files: vec![file], ..Corpus::default() };
    // Suppressions have no use in a file for one command.
    let options = LintOptions { comments: false, ..LintOptions::at(Timestamp::UNIX_EPOCH) };
    let Some(policy) = Policy::builtin("builtin:recommended") else {
        return Err(Box::default());
    };
    let mut report = lint_with(&corpus, &policy, &options);
    report
        .findings
        .retain(|finding| is_about_form(&finding.rule) && finding.severity == Severity::Error);
    report.summary = Summary { files: 1, errors: report.findings.len(), ..Summary::default() };
    match scope {
        Some(scope) if report.findings.is_empty() => Ok(scope),
        _ => Err(Box::new(report)),
    }
}

/// Reads the file's only document as a scope, and puts it into a definition for the rules.
fn take_scope(file: &mut CorpusFile) -> Option<ScopeSpec> {
    let documents = if file.decoded { file.tree.documents() } else { &[] };
    let is_yaml = file.problems.iter().all(|problem| problem.kind == ProblemKind::MissingField);
    match documents {
        [document] if is_yaml => {
            let (scope, problems) = read_scope(&file.tree, *document);
            let span = file.tree.node(document.root).span;
            let definition = scope.clone().map(|scope| definition_of(scope, span));
            file.documents = vec![KeyDocument { span, definition, problems }];
            return scope;
        }
        [] if is_yaml => {
            let message = "the file contains no scope";
            let help = "write `assets`, `casesAndIssues` and `endpoints`, each with a mode";
            let problem = Problem::new(ProblemKind::MissingField, Span::default(), message);
            file.problems = vec![problem.help(help)];
        }
        [_, second, ..] if is_yaml => {
            let place = file.tree.node(second.root).span;
            let message = format!("expected one scope, got {} documents", documents.len());
            let problem = Problem::new(ProblemKind::WrongType, place, message);
            file.problems = vec![problem.help("put each scope into its own file")];
        }
        _ => {}
    }
    file.documents.clear();
    None
}

/// A definition that consists only of a scope.
fn definition_of(scope: ScopeSpec, span: Span) -> Definition {
    let place = scope.place;
    let spec = Spec {
        place,
        level: Field::Absent,
        comment: Field::Absent,
        expires: Field::Absent,
        lifetime: Field::Absent,
        roles: Field::Absent,
        scope: Field::Present { key: place, value: Spanned::new(scope, span) },
    };
    Definition { span, place, metadata: None, spec: Some(spec) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    const GOOD: &str = "assets: { mode: select, groups: [prod-eu, { name: b, id: 7 }] }\n\
        casesAndIssues: { mode: all, unreferenced: true }\n\
        endpoints: { mode: none }\n";

    /// Rules and lines of what is found.
    fn found(text: &str) -> Vec<(String, usize)> {
        let report = check_scope("scope.yaml", text.into()).unwrap_err();
        let line = |span: Span, at: crate::SourceId| report.sources[at].positions(span).0.line;
        let place = |finding: &crate::Finding| line(finding.location.span, finding.location.source);
        report.findings.iter().map(|found| (found.rule.name().to_owned(), place(found))).collect()
    }

    #[test]
    fn a_scope_is_read_with_and_without_its_key() {
        let under = format!("scope:\n  {}", GOOD.trim_end().replace('\n', "\n  "));
        let json = r#"{"assets":{"mode":"none"},"casesAndIssues":{"mode":"none"},"endpoints":{"mode":"all"}}"#;
        for text in [GOOD, &under, json, &format!("---\n{GOOD}")] {
            let scope = check_scope("scope.yaml", text.into()).map_err(|report| report.findings);
            assert!(scope.unwrap().endpoints.get().is_some(), "{text}");
        }
    }

    #[test]
    fn every_fault_is_found_at_its_place() {
        let all = |rule: &str, line: usize| vec![(rule.to_owned(), line)];
        for (from, to, rule, line) in [
            ("assets: { mode: select", "assets: { mode: selct", "schema-bad-value", 1),
            ("assets: { mode: select", "assets: { mode: scope", "schema-bad-value", 1),
            ("assets", "asets", "schema-unknown-field", 1),
            ("groups: [prod-eu, { name: b, id: 7 }]", "groups: []", "scope-empty-selection", 1),
            ("groups: [prod-eu, { name: b, id: 7 }]", "groups: prod-eu", "schema-wrong-type", 1),
            ("assets: { mode: select", "assets: { mode: all", "scope-mode-conflict", 1),
            (", unreferenced: true", "", "schema-missing-field", 2),
            ("unreferenced: true", "unreferenced: true, domains: [IT]", "scope-mode-conflict", 2),
            ("mode: none", "mode: none, mode: all", "yaml-duplicate-key", 3),
            ("{ mode: none }", "&a { mode: none }", "yaml-alias-in-key", 3),
            ("endpoints: { mode: none }\n", "endpoints:\n", "schema-missing-field", 3),
            ("endpoints: { mode: none }\n", "", "schema-missing-field", 1),
            (
                "{ mode: none }\n",
                "{ mode: none }\ndatasets: { default: none, filters: [{ dataset: a, filter: b = 1 }] }\n",
                "scope-dataset-filter",
                4,
            ),
            (
                "{ mode: none }\n",
                "{ mode: none }\n---\nassets: { mode: all }\n",
                "schema-wrong-type",
                5,
            ),
            ("{ mode: none }\n", "{ mode: none\n", "yaml-syntax", 3),
        ] {
            assert!(GOOD.contains(from), "{from}");
            let text = GOOD.replacen(from, to, 1);
            assert_eq!(found(&text), all(rule, line), "{text}");
        }
        for (text, rule) in [
            ("", "schema-missing-field"),
            ("# nothing\n", "schema-missing-field"),
            ("null\n", "schema-wrong-type"),
            ("[a]\n", "schema-wrong-type"),
            ("scope:\n", "schema-wrong-type"),
            ("assets: \0", "yaml-syntax"),
        ] {
            assert_eq!(found(text), all(rule, 1), "{text:?}");
        }
    }

    #[test]
    fn no_comment_suppresses_a_coverage_finding() {
        let text = GOOD.replace("mode: select", "mode: all");
        let text = text.replace("7 }] }\n", "7 }] } # cortexkey: ignore[A005] fine\n");
        assert_eq!(found(&text), [("scope-mode-conflict".to_owned(), 1)]);
    }
}
