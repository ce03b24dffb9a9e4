//! Converts findings to diagnostics.

use cortexkey_lint::rules::{self, page_url};
use cortexkey_lint::{Family, Finding, Report};
use cortexkey_manifest::policy::Severity;
use lsp_types::{
    CodeDescription, Diagnostic, DiagnosticRelatedInformation, DiagnosticSeverity, DiagnosticTag,
    Location, NumberOrString, Url,
};

use crate::position::{Encoding, Text};
use crate::workspace::Root;

pub(crate) const SOURCE: &str = "cortexkey";

/// Rules whose findings are about code without effect.
const UNNECESSARY: [&str; 5] =
    ["role-duplicate", "role-redundant", "suppression-unused", "waiver-unused", "waiver-expired"];
const DEPRECATED: &str = "role-deprecated";

/// The diagnostics of one file.
pub(crate) fn diagnostics(
    root: &Root,
    findings: &[(&Finding, &Report)],
    encoding: Encoding,
) -> Vec<Diagnostic> {
    findings.iter().map(|(finding, report)| diagnostic(root, finding, report, encoding)).collect()
}

/// One finding.
pub(crate) fn diagnostic(
    root: &Root,
    finding: &Finding,
    report: &Report,
    encoding: Encoding,
) -> Diagnostic {
    let text = report.sources.get(finding.location.source).map_or("", |source| source.text());
    let help = finding.help.as_ref().map(|help| format!("\nhelp: {help}")).unwrap_or_default();
    let page = finding.rule.family().and_then(|_| Url::parse(&page_url(finding.rule.name())).ok());
    let related = finding.related.iter().filter_map(|related| {
        let source = report.sources.get(related.location.source)?;
        let path = root.path_of(report, related.location.source)?;
        let range = Text::new(source.text(), encoding).range(related.location.span);
        let location = Location::new(Url::from_file_path(path).ok()?, range);
        Some(DiagnosticRelatedInformation { location, message: related.message.clone() })
    });
    let related: Vec<_> = related.collect();
    Diagnostic {
        range: Text::new(text, encoding).range(finding.location.span),
        severity: Some(severity(finding.severity)),
        code: Some(NumberOrString::String(finding.rule.name().to_owned())),
        code_description: page.map(|href| CodeDescription { href }),
        source: Some(SOURCE.to_owned()),
        message: format!("{}{help}", finding.message),
        related_information: (!related.is_empty()).then_some(related),
        tags: tags(finding.rule.name()),
        data: None,
    }
}

/// Rules on policies that are not of the family for comparing files, but also need them all.
const OF_ALL_FILES: [&str; 2] = ["waiver-unused", "policy-rule-never-matches"];

/// Whether a diagnostic is of a rule that compares files.
pub(crate) fn needs_other_files(diagnostic: &Diagnostic) -> bool {
    let Some(NumberOrString::String(name)) = &diagnostic.code else { return false };
    let rule = rules::find(name);
    rule.is_some_and(|rule| rule.id().family() == Some(Family::Corpus))
        || OF_ALL_FILES.contains(&name.as_str())
}

const fn severity(severity: Severity) -> DiagnosticSeverity {
    match severity {
        Severity::Error => DiagnosticSeverity::ERROR,
        Severity::Warning => DiagnosticSeverity::WARNING,
        Severity::Info => DiagnosticSeverity::INFORMATION,
    }
}

fn tags(rule: &str) -> Option<Vec<DiagnosticTag>> {
    if UNNECESSARY.contains(&rule) {
        Some(vec![DiagnosticTag::UNNECESSARY])
    } else {
        (rule == DEPRECATED).then(|| vec![DiagnosticTag::DEPRECATED])
    }
}
