//! `cortexkey lint --fix --interactive`: asks about each fix that needs a decision.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead};

use cortexkey_lint::files::{FixMode, Options, run as run_files};
use cortexkey_lint::{Finding, Report, fix};
use cortexkey_system::io_reason;

use super::colored;
use crate::exit::Failure;
use crate::text::{self, BOLD};

/// The maximum length of an answer.
const ANSWER_MAX: u64 = 1000;

/// The options with the fixes that the user accepts.
pub(super) fn ask(options: Options) -> Result<Options, Failure> {
    let looking = Options { fix: FixMode::No, ..options.clone() };
    let outcome = run_files(&looking, &mut io::empty());
    // The run that applies fixes reports why it cannot start.
    let Some(report) = &outcome.report else { return Ok(options) };
    let accepted = answers(report, &mut io::stdin().lock())?;
    Ok(Options { accepted_fixes: accepted, ..options })
}

enum Answer {
    Yes,
    No,
    AllOfRule,
    Quit,
}

/// The files and fingerprints of the accepted fixes.
fn answers(
    report: &Report,
    input: &mut dyn BufRead,
) -> Result<BTreeSet<(String, String)>, Failure> {
    let mut open: BTreeMap<(String, String), Vec<&Finding>> = BTreeMap::new();
    for finding in report.findings.iter().filter(|finding| is_open(finding)) {
        let path = report.sources[finding.location.source].path.clone();
        open.entry((path, finding.fingerprint.clone())).or_default().push(finding);
    }
    let mut accepted = BTreeSet::new();
    let mut rules: BTreeSet<String> = BTreeSet::new();
    for (fix, findings) in open {
        let Some(first) = findings.first() else { continue };
        if rules.contains(first.rule.code()) {
            accepted.insert(fix);
            continue;
        }
        show(report, &findings)?;
        match answer(first, input)? {
            Answer::Yes => {
                accepted.insert(fix);
            }
            Answer::No => {}
            Answer::AllOfRule => {
                rules.insert(first.rule.code().to_owned());
                accepted.insert(fix);
            }
            Answer::Quit => break,
        }
    }
    Ok(accepted)
}

fn is_open(finding: &Finding) -> bool {
    finding.fix.as_ref().is_some_and(|fix| !fix.safe)
}

fn show(report: &Report, findings: &[&Finding]) -> Result<(), Failure> {
    for finding in findings {
        let severity = finding.severity.as_str();
        let mut out = format!("{BOLD}{severity}[{}]{BOLD:#}: {}\n", finding.rule, finding.message);
        if let Some(help) = &finding.help {
            out += &format!("  help: {help}\n");
        }
        out += &colored(&fix::preview(report, finding).unwrap_or_default());
        text::print(&out)?;
    }
    Ok(())
}

/// Asks until there is a valid answer. The end of the input ends the questions.
fn answer(finding: &Finding, input: &mut dyn BufRead) -> Result<Answer, Failure> {
    loop {
        let code = finding.rule.code();
        text::eprint(&format!("apply this fix? [y]es, [n]o, [a]ll of {code}, [q]uit: "));
        let mut line = String::new();
        let read = io::Read::take(&mut *input, ANSWER_MAX).read_line(&mut line);
        let read = read.map_err(|error| {
            Failure::usage_error(format!("cannot read the answer: {}", io_reason(&error)))
        })?;
        if read == 0 {
            text::eprint("\n");
            return Ok(Answer::Quit);
        }
        match line.trim().to_ascii_lowercase().as_str() {
            "y" | "yes" => return Ok(Answer::Yes),
            "n" | "no" => return Ok(Answer::No),
            "a" | "all" => return Ok(Answer::AllOfRule),
            "q" | "quit" => return Ok(Answer::Quit),
            _ => {}
        }
    }
}
