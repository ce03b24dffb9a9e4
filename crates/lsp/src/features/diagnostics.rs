//! Converts findings to diagnostics.

use std::collections::HashMap;
use std::path::Path;

use cortexkey_lint::rules::{self, page_url};
use cortexkey_lint::{Family, Finding, Location as SourceLocation, Report, SourceId};
use cortexkey_manifest::policy::Severity;
use lsp_types::{
    CodeDescription, Diagnostic, DiagnosticRelatedInformation, DiagnosticSeverity, DiagnosticTag,
    Location, NumberOrString, Range, Url,
};

use crate::position::{Encoding, Text};
use crate::workspace::Root;

pub(crate) const SOURCE: &str = "cortexkey";

/// Rules whose findings are about something without effect, which editors show faded.
const UNNECESSARY: [&str; 5] =
    ["role-duplicate", "role-redundant", "suppression-unused", "waiver-unused", "waiver-expired"];
const DEPRECATED: &str = "role-deprecated";

/// The diagnostics of one file.
pub(crate) fn diagnostics(
    root: &Root,
    findings: &[(&Finding, &Report)],
    encoding: Encoding,
    uri: &dyn Fn(&Path) -> Option<Url>,
) -> Vec<Diagnostic> {
    let mut places = Places::new(encoding, uri);
    findings.iter().map(|(it, report)| diagnostic(root, it, report, &mut places)).collect()
}

/// The places of findings. Finding the lines of a text takes as long as reading it, and a file may have
/// many findings.
pub(crate) struct Places<'r> {
    encoding: Encoding,
    uri: &'r dyn Fn(&Path) -> Option<Url>,
    /// The texts by report and source.
    texts: HashMap<(*const Report, SourceId), Text<'r>>,
}

impl<'r> Places<'r> {
    pub(crate) fn new(encoding: Encoding, uri: &'r dyn Fn(&Path) -> Option<Url>) -> Self {
        Self { encoding, uri, texts: HashMap::new() }
    }

    fn range(&mut self, report: &'r Report, location: &SourceLocation) -> Range {
        let source = location.source;
        let text = self.texts.entry((core::ptr::from_ref(report), source)).or_insert_with(|| {
            let text = report.sources.get(source).map_or("", |source| source.text());
            Text::new(text, self.encoding)
        });
        text.range(location.span)
    }
}

/// One finding.
pub(crate) fn diagnostic<'r>(
    root: &Root,
    finding: &Finding,
    report: &'r Report,
    places: &mut Places<'r>,
) -> Diagnostic {
    let help = finding.help.as_ref().map(|help| format!("\nhelp: {help}")).unwrap_or_default();
    let page = finding.rule.family().and_then(|_| Url::parse(&page_url(finding.rule.name())).ok());
    let related = finding.related.iter().filter_map(|related| {
        let path = root.path_of(report, related.location.source)?;
        let range = places.range(report, &related.location);
        let location = Location::new((places.uri)(&path)?, range);
        Some(DiagnosticRelatedInformation { location, message: related.message.clone() })
    });
    let related: Vec<_> = related.collect();
    Diagnostic {
        range: places.range(report, &finding.location),
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

/// Rules on policies that do not belong to the family that compares files, but also need all files.
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
