//! The example organisation has no findings except those that it waives, and its own test cases
//! pass.

use std::path::Path;

use cortexkey_lint::files::{Options, read_cases, run};
use cortexkey_lint::report::Format;
use cortexkey_lint::{Severity, run_cases};
use cortexkey_manifest::policy::Severity as Level;

fn options() -> Options {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies/example");
    Options::new(folder.canonicalize().unwrap(), "2026-12-01T00:00:00Z".parse().unwrap())
}

#[test]
fn only_waived_findings_remain() {
    let outcome = run(&options(), &mut std::io::empty());
    let report = outcome.report.as_ref().unwrap();
    let text = report.render(Format::Concise, false);
    assert_eq!((outcome.exit_code(Severity::Info), report.findings.len()), (0, 0), "{text}");
    assert_eq!((report.summary.files, report.summary.waived), (20, 4), "{text}");
    assert!(report.waived.iter().all(|waived| waived.finding.severity >= Level::Warning));
}

#[test]
fn its_cases_pass_and_each_of_its_rules_has_one_that_fails() {
    let options = options();
    let outcome = run(&options, &mut std::io::empty());
    let policy = outcome.policy.unwrap();
    let files = read_cases(&options, &policy).unwrap();
    let cases = run_cases(&policy, &files, &options.limits);
    assert!(cases.passed(), "{cases:?}");
    assert!(cases.cases.len() >= 9);
}
