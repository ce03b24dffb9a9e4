//! The output for the example organisation, for people and for programs.

use cortexkey_lint::files::{Options, run};
use cortexkey_lint::report::Format;
use cortexkey_lint::{Severity, Timestamp, example};

fn outcome(now: &str) -> cortexkey_lint::files::RunOutcome {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in example::FILES {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let now: Timestamp = now.parse().unwrap();
    run(&Options::new(folder.path(), now), &mut std::io::empty())
}

#[test]
fn the_example_gives_two_errors_on_any_date() {
    for now in ["1990-01-01T00:00:00Z", "2026-06-01T00:00:00Z", "2190-01-01T00:00:00Z"] {
        let outcome = outcome(now);
        let report = outcome.report.as_ref().unwrap();
        let codes: Vec<&str> = report.findings.iter().map(|f| f.rule.code()).collect();
        assert_eq!(codes, ["E003", "L001"], "{}", report.render(Format::Human, false));
        assert_eq!((report.summary.errors, report.summary.files), (2, 3));
        assert_eq!((outcome.exit_code(Severity::Error), outcome.messages.len()), (1, 0));
    }
}

#[test]
fn human() {
    let report = outcome("2026-06-01T00:00:00Z").report.unwrap();
    insta::assert_snapshot!(report.render(Format::Human, false));
    let colored = report.render(Format::Human, true);
    assert!(colored.contains("\u{1b}[") && colored.contains("docs/rules/expiry-too-long.md"));
}

#[test]
fn concise() {
    let report = outcome("2026-06-01T00:00:00Z").report.unwrap();
    insta::assert_snapshot!(report.render(Format::Concise, true));
}

#[test]
fn json() {
    let report = outcome("2026-06-01T00:00:00Z").report.unwrap();
    insta::assert_snapshot!(report.render(Format::Json, true));
}
