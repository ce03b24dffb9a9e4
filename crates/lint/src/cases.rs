//! Runs the test cases of a policy: its rules must find what each case expects, and nothing else.
//!
//! Each custom rule needs a case that it reports, which shows that the rule works.

use std::collections::BTreeSet;
use std::sync::Arc;

use cortexkey_manifest::policy::{ExpectedFinding, PolicyCase, read_cases};
use cortexkey_manifest::yaml::{Tree, YamlLimits, parse_bytes};
use cortexkey_manifest::{Problem, ProblemKind, Span, did_you_mean, quote};

use crate::engine::{LintOptions, lint_all};
use crate::model::{Corpus, CorpusFile, Finding, RuleId, SourceId};
use crate::policy::Policy;
use crate::rules;

/// A file with cases.
#[derive(Debug)]
pub struct CaseFile {
    /// Its path as output shows it.
    pub path: String,
    /// Its text and tree.
    pub tree: Arc<Tree>,
    /// Its cases.
    pub cases: Vec<PolicyCase>,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
}

impl CaseFile {
    /// Parses the bytes of a file.
    #[must_use]
    pub fn new(path: impl Into<String>, bytes: Vec<u8>, limits: &YamlLimits) -> Self {
        let parsed = parse_bytes(bytes, limits);
        let mut cases = Vec::new();
        let mut problems = Vec::new();
        match parsed.first() {
            Some(document) => {
                let lowered = read_cases(&parsed.tree, document);
                cases = lowered.cases;
                problems = lowered.problems;
            }
            None if parsed.problems.is_empty() => {
                let message = "the file contains no cases";
                problems.push(Problem::new(ProblemKind::MissingField, Span::default(), message));
            }
            None => problems = parsed.problems,
        }
        let tree = Arc::new(parsed.tree);
        Self { path: path.into(), tree, cases, problems }
    }
}

/// The result of one case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseOutcome {
    /// File and line of the case.
    pub place: String,
    /// Its name.
    pub name: String,
    /// What is wrong; empty for a case that passed.
    pub faults: Vec<String>,
}

/// The results of all cases of a policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CasesOutcome {
    /// Each case.
    pub cases: Vec<CaseOutcome>,
    /// Mistakes of the files, and rules without a failing case.
    pub faults: Vec<String>,
}

impl CasesOutcome {
    /// True when every case passed and nothing else is wrong.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.faults.is_empty() && self.cases.iter().all(|case| case.faults.is_empty())
    }
}

/// Runs cases against a policy.
#[must_use]
pub fn run_cases(policy: &Policy, files: &[CaseFile], limits: &YamlLimits) -> CasesOutcome {
    let mut out = CasesOutcome::default();
    let mut failed: BTreeSet<RuleId> = BTreeSet::new();
    for file in files {
        for problem in &file.problems {
            out.faults.push(format!("{}: {}", file.place(problem.span), problem.message));
        }
        for case in &file.cases {
            let Some(name) = case.name.get() else { continue };
            let Some(found) = run_case(policy, case, limits) else { continue };
            failed.extend(found.iter().map(|found| found.finding.rule.clone()));
            let place = file.place(case.span);
            let faults = compare(policy, file, case, found);
            out.cases.push(CaseOutcome { place, name: name.clone(), faults });
        }
    }
    for custom in policy.custom_rules().filter(|custom| !failed.contains(custom.id())) {
        out.faults.push(format!(
            "rule {} has no case that fails it; add one that shows that it works",
            custom.id()
        ));
    }
    out
}

impl CaseFile {
    /// File and line of a span.
    fn place(&self, span: Span) -> String {
        format!("{}:{}", self.path, self.tree.position(span.start).line)
    }
}

/// A finding of a case with its line.
struct CaseFinding {
    finding: Finding,
    line: usize,
}

/// The findings in the definition of a case; `None` for an incomplete case.
fn run_case(policy: &Policy, case: &PolicyCase, limits: &YamlLimits) -> Option<Vec<CaseFinding>> {
    let text = case.definition.get()?;
    let now = case.now.get()?;
    let path = case.path.get().cloned().unwrap_or_else(|| file_name(text, limits));
    let file = CorpusFile::new(path, text.clone().into_bytes(), limits);
    let id = SourceId::File(file.id);
    let tree = Arc::clone(&file.tree);
    // Rules about the whole corpus do not apply to one definition.
    let corpus = Corpus { files: vec![file], partial: true, ..Corpus::default() };
    let findings = lint_all(&corpus, policy, &LintOptions::at(*now)).findings;
    let own = findings.into_iter().filter(|finding| finding.location.source == id);
    let found = own.map(|finding| {
        let line = tree.position(finding.location.span.start).line;
        CaseFinding { finding, line }
    });
    Some(found.collect())
}

/// Expected findings that are missing, and findings that are not expected.
fn compare(
    policy: &Policy,
    file: &CaseFile,
    case: &PolicyCase,
    mut found: Vec<CaseFinding>,
) -> Vec<String> {
    let mut faults = Vec::new();
    for expected in case.expect.get().into_iter().flatten() {
        let Some(written) = expected.rule.get() else { continue };
        let place = file.place(expected.span);
        let Some(rule) = policy.rule_id(written) else {
            let hint = did_you_mean(written, &rules::all_ids()).unwrap_or_default();
            faults.push(format!("{place}: there is no rule {}; {hint}", quote(written)));
            continue;
        };
        if let Some(at) = found.iter().position(|found| found.is(&rule, expected)) {
            found.remove(at);
            continue;
        }
        let line = expected.line.get().map(|line| format!(" in line {line}"));
        let line = line.unwrap_or_default();
        faults.push(format!("{place}: expected {rule}{line}, but it was not found"));
    }
    faults.extend(found.into_iter().map(|CaseFinding { finding, line }| {
        let rule = &finding.rule;
        let severity = finding.severity.as_str();
        format!("unexpected {rule} in line {line} ({severity}): {}", finding.message)
    }));
    faults
}

impl CaseFinding {
    fn is(&self, rule: &RuleId, expected: &ExpectedFinding) -> bool {
        let line = expected.line.get();
        self.finding.rule == *rule
            && line.is_none_or(|line| usize::try_from(*line) == Ok(self.line))
            && expected.severity.get().is_none_or(|severity| *severity == self.finding.severity)
    }
}

/// The usual file name for a definition.
fn file_name(text: &str, limits: &YamlLimits) -> String {
    let file = CorpusFile::new("", text.as_bytes().to_vec(), limits);
    let definition = file.documents.first().and_then(|document| document.definition.as_ref());
    format!("{}.yaml", definition.and_then(|definition| definition.name()).unwrap_or("key"))
}
