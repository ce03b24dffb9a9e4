//! The cases of a policy: whether its rules find what they are meant to find, and nothing else.
//!
//! They refuse a rule of the policy's own that no case makes fail: nobody knows whether it can.

use std::collections::BTreeSet;
use std::sync::Arc;

use cortexkey_manifest::policy::{Case, read_cases};
use cortexkey_manifest::yaml::{Limits, Tree, parse_bytes};
use cortexkey_manifest::{Problem, ProblemKind, Span, did_you_mean, quote};

use crate::corpus::{Corpus, CorpusFile};
use crate::judge::lint;
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
    pub cases: Vec<Case>,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
}

impl CaseFile {
    /// Parses the bytes of a file.
    #[must_use]
    pub fn new(path: impl Into<String>, bytes: Vec<u8>, limits: &Limits) -> Self {
        let parsed = parse_bytes(bytes, limits);
        let (mut cases, mut problems) = (Vec::new(), Vec::new());
        match parsed.first() {
            Some(document) => {
                let lowered = read_cases(&parsed.tree, document);
                (cases, problems) = (lowered.cases, lowered.problems);
            }
            None if parsed.problems.is_empty() => {
                let message = "the file holds no cases";
                problems.push(Problem::new(ProblemKind::MissingField, Span::default(), message));
            }
            None => problems = parsed.problems,
        }
        let tree = Arc::new(parsed.tree);
        Self { path: path.into(), tree, cases, problems }
    }
}

/// What came of one case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseOutcome {
    /// File and line of the case.
    pub place: String,
    /// What it shows.
    pub name: String,
    /// What is wrong, in sentences; empty for a case that passed.
    pub faults: Vec<String>,
}

/// What came of all cases of a policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CasesOutcome {
    /// Each case.
    pub cases: Vec<CaseOutcome>,
    /// Mistakes of the files, and rules that no case makes fail.
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
pub fn run_cases(policy: &Policy, files: &[CaseFile], limits: &Limits) -> CasesOutcome {
    let mut out = CasesOutcome::default();
    let mut failed: BTreeSet<String> = BTreeSet::new();
    for file in files {
        let at = |span: Span| format!("{}:{}", file.path, file.tree.position(span.start).line);
        for problem in &file.problems {
            out.faults.push(format!("{}: {}", at(problem.span), problem.message));
        }
        for case in &file.cases {
            let (Some(name), Some(text), Some(now)) =
                (case.name.get(), case.definition.get(), case.now.get())
            else {
                continue;
            };
            let path = case.path.get().cloned().unwrap_or_else(|| file_name(text, limits));
            let own = CorpusFile::new(path, text.clone().into_bytes(), limits);
            // One definition alone says nothing about what no key does.
            let corpus = Corpus { files: vec![own], partial: true, ..Corpus::default() };
            let report = lint(&corpus, policy, *now);
            let last = report.sources.len() - 1;
            let own = report.findings.iter().filter(|finding| finding.place.source == last);
            let mut found: Vec<(String, usize, cortexkey_manifest::policy::Severity, String)> = own
                .map(|finding| {
                    let (start, _) = report.sources[last].positions(finding.place.span);
                    let code = finding.code.clone().into_owned();
                    (code, start.line, finding.severity, finding.message.clone())
                })
                .collect();
            failed.extend(found.iter().map(|(code, ..)| code.clone()));
            let mut faults = Vec::new();
            for expected in case.expect.get().into_iter().flatten() {
                let Some(written) = expected.rule.get() else { continue };
                let Some(code) = policy.code_of(written) else {
                    let hint = did_you_mean(written, &rules::all_ids()).unwrap_or_default();
                    faults.push(format!(
                        "{}: there is no rule {}; {hint}",
                        at(expected.span),
                        quote(written)
                    ));
                    continue;
                };
                let line = expected.line.get().copied();
                let fits = |one: &(String, usize, _, String)| {
                    one.0 == code
                        && line.is_none_or(|line| usize::try_from(line) == Ok(one.1))
                        && expected.severity.get().is_none_or(|severity| *severity == one.2)
                };
                match found.iter().position(fits) {
                    Some(at) => {
                        found.remove(at);
                    }
                    None => faults.push(format!(
                        "{}: {} is expected{} and not found",
                        at(expected.span),
                        policy.label(&code),
                        line.map_or(String::new(), |line| format!(" in line {line}"))
                    )),
                }
            }
            faults.extend(found.into_iter().map(|(code, line, severity, message)| {
                let label = policy.label(&code);
                format!(
                    "{label} is found in line {line} ({}) and not expected: {message}",
                    severity.as_str()
                )
            }));
            out.cases.push(CaseOutcome { place: at(case.span), name: name.clone(), faults });
        }
    }
    for custom in policy.custom.iter().filter(|custom| !failed.contains(&custom.id)) {
        out.faults.push(format!(
            "rule {} {} has no case that it fails; write one, or nobody knows whether it can",
            custom.id, custom.name
        ));
    }
    out
}

/// The file that a definition of this name would stand in.
fn file_name(text: &str, limits: &Limits) -> String {
    let file = CorpusFile::new("", text.as_bytes().to_vec(), limits);
    let definition = file.documents.first().and_then(|document| document.definition.as_ref());
    format!("{}.yaml", definition.and_then(|definition| definition.name()).unwrap_or("key"))
}
