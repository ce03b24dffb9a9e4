//! A session finds what a run over its corpus would find, whatever happened to its files before.

use cortexkey_lint::rules::find;
use cortexkey_lint::{
    Corpus, CorpusFile, LintOptions, LintSession, Policy, Report, Timestamp, lint,
};
use cortexkey_manifest::Span;
use cortexkey_manifest::yaml::Limits;
use proptest::prelude::*;

use crate::common::{HEAD, key};

fn policy(max: &str) -> Policy {
    let rules = format!(
        "rules: {{ expiry-too-long: {{ max: {max}, overrides: [{{ match: {{ owner: team-b }}, severity: warning }}] }} }}\n"
    );
    Policy::from_text("cortexkey.yaml", &format!("{HEAD}extends: ['builtin:recommended']\n{rules}"))
}

fn options() -> LintOptions<'static> {
    LintOptions::at("2026-01-01T00:00:00Z".parse::<Timestamp>().unwrap())
}

fn file(name: &str, text: String) -> CorpusFile {
    CorpusFile::new(format!("{name}.yaml"), text.into_bytes(), &Limits::default())
}

fn same(session: &LintSession<'_>) {
    let fresh = lint(session.corpus(), session.policy(), options().now);
    let Report { findings, waived, summary, .. } = session.report();
    assert_eq!((findings, waived), (fresh.findings, fresh.waived));
    assert_eq!(summary, fresh.summary);
}

#[derive(Clone, Debug)]
enum Change {
    Text(usize, usize),
    Add(usize),
    Remove(usize),
    Policy(bool),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => (0_usize..8, 0_usize..5).prop_map(|(file, text)| Change::Text(file, text)),
        1 => (0_usize..5).prop_map(Change::Add),
        1 => (0_usize..8).prop_map(Change::Remove),
        1 => any::<bool>().prop_map(Change::Policy),
    ]
}

/// Definitions with and without faults, of which some show only beside each other.
fn text(number: usize) -> String {
    match number {
        0 => key("a"),
        1 => key("b").replace("90d", "9000d"),
        2 => key("a").replace("[Viewer]", "[viewer, Viewer]"),
        3 => "roles: [".to_owned(),
        _ => key("c").replace(
            "  lifetime: 90d",
            "  lifetime: 900d  # cortexkey: ignore[E003] reason=\"SEC-1\" until=2026-02-01",
        ),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_session_finds_what_a_fresh_run_finds(changes in prop::collection::vec(change(), 1..12)) {
        let files = vec![file("a", text(0)), file("b", text(1))];
        let corpus = Corpus { files, ..Corpus::default() };
        let mut session = LintSession::new(corpus, policy("180d"), &options());
        same(&session);
        for change in changes {
            let count = session.corpus().files.len();
            let id = |at: usize| session.corpus().files.get(at % count.max(1)).map(|file| file.id);
            match change {
                Change::Text(at, number) => {
                    let id = id(at);
                    let bytes = text(number).into_bytes();
                    let limits = Limits::default();
                    let known = id.is_some_and(|id| session.set_text(id, bytes, &limits));
                    prop_assert_eq!(known, count > 0);
                }
                Change::Add(number) => session.add(file(&format!("new-{count}"), text(number))),
                Change::Remove(at) => {
                    let id = id(at);
                    prop_assert_eq!(id.is_some_and(|id| session.remove(id)), count > 0);
                }
                Change::Policy(strict) => {
                    session.set_policy(policy(if strict { "30d" } else { "180d" }));
                }
            }
            same(&session);
        }
    }
}

#[test]
fn settings_are_those_of_the_key_at_a_place() {
    let text = format!("{}---\n{}", key("a"), key("b"));
    let corpus = Corpus { files: vec![file("both", text.clone())], ..Corpus::default() };
    let session = LintSession::new(corpus, policy("180d"), &options());
    let id = session.corpus().files[0].id;
    let line = |rule: &str, at: usize| {
        let rule = find(rule).unwrap();
        let settings = session.settings(rule, id, Span::new(at, at));
        (settings.enabled, settings.severity.as_str())
    };
    let second = text.find("name: b").unwrap();
    assert_eq!(line("expiry-too-long", 50), (true, "error"));
    assert_eq!(line("expiry-too-long", second), (true, "warning"));
    assert_eq!(line("ticket-missing", second), (true, "warning"));
}
