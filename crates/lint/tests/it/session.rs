//! A session has the findings of a full run over its corpus, whatever changes its files went
//! through.

use std::collections::{BTreeMap, BTreeSet};

use cortexkey_lint::rules::find;
use cortexkey_lint::{
    Corpus, CorpusFile, FileId, Finding, LintOptions, LintSession, Policy, Report, SourceId,
    Timestamp, lint,
};
use cortexkey_manifest::Span;
use cortexkey_manifest::yaml::YamlLimits;
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
    CorpusFile::new(format!("{name}.yaml"), text.into_bytes(), &YamlLimits::default())
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

/// Definitions with and without mistakes; some mistakes appear only in combination.
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
                    let limits = YamlLimits::default();
                    let affected = id.and_then(|id| session.set_text(id, bytes, &limits));
                    prop_assert_eq!(affected.is_some(), count > 0);
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

/// The findings in files, by file.
fn by_file(report: &Report) -> BTreeMap<FileId, Vec<Finding>> {
    let mut all: BTreeMap<FileId, Vec<Finding>> = BTreeMap::new();
    for finding in &report.findings {
        if let SourceId::File(file) = finding.location.source {
            all.entry(file).or_default().push(finding.clone());
        }
    }
    all
}

/// Keys that rules compare: by name in any case, by owner, and by what they grant. Each text is one of
/// few, so that files meet in their groups and leave them.
fn compared(number: usize) -> String {
    let name = ["a", "A", "b", "svc-c"][number % 4];
    let owner = ["team-detection", "team-b"][number / 4 % 2];
    let roles = ["[Viewer]", "[Responder]"][number / 8 % 2];
    let tenant = ["", ", tenant: prod", ", tenant: test"][number / 16 % 3];
    let text = key(name).replace("[Viewer]", roles);
    text.replace(&format!("owner: team-{name}"), &format!("owner: {owner}{tenant}"))
}

/// A policy whose rules across files all report.
fn comparing() -> Policy {
    let rest = "\
extends: ['builtin:recommended']
tenants: { prod: { product: xsiam }, test: { product: xsiam } }
rules: { owner-key-quota: { max: 2 } }
waivers:
  - { rule: duplicate-name, key: a, reason: SEC-1, approvedBy: ciso, expires: 2026-03-01 }
customRules:
  - { id: ORG001, name: few-keys, message: few, severity: warning, assert: 'size(ownerKeys) < 3' }
";
    Policy::from_text("cortexkey.yaml", &format!("{HEAD}{rest}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_change_affects_only_what_differs(
        first in prop::collection::vec(0_usize..48, 1..8),
        changes in prop::collection::vec((0_usize..8, 0_usize..48), 1..10),
    ) {
        let text = |at: usize, number: usize| file(&format!("f{at}"), compared(number));
        let files = first.iter().enumerate().map(|(at, number)| text(at, *number)).collect();
        let corpus = Corpus { files, ..Corpus::default() };
        let mut session = LintSession::new(corpus, comparing(), &options());
        assert!(session.policy().is_usable(), "{:?}", session.report().findings);
        let mut shown = by_file(&session.report());
        for (at, number) in changes {
            let id = session.corpus().files[at % first.len()].id;
            let bytes = compared(number).into_bytes();
            let affected = session.set_text(id, bytes, &YamlLimits::default()).unwrap();
            prop_assert!(affected.contains(&id));
            let new = by_file(&session.report_on(&affected));
            shown.retain(|file, _| !affected.contains(file));
            shown.extend(new);
            prop_assert_eq!(&shown, &by_file(&session.report()));
        }
    }
}

/// Whether a change of one owner's key gives another of its keys a finding decides which number the equal
/// finding has that is about a third key, of that name and another owner.
#[test]
fn equal_findings_of_equal_names_are_numbered() {
    let texts = [0, 0, 4, 32, 0, 32].map(compared);
    let files = texts.into_iter().enumerate().map(|(at, text)| file(&format!("f{at}"), text));
    let corpus = Corpus { files: files.collect(), ..Corpus::default() };
    let mut session = LintSession::new(corpus, comparing(), &options());
    let mut shown = by_file(&session.report());
    for (at, number) in [(4, 40), (1, 22), (0, 4), (1, 6)] {
        let id = session.corpus().files[at].id;
        let bytes = compared(number).into_bytes();
        let affected = session.set_text(id, bytes, &YamlLimits::default()).unwrap();
        shown.retain(|file, _| !affected.contains(file));
        shown.extend(by_file(&session.report_on(&affected)));
        assert_eq!(shown, by_file(&session.report()), "{at} {number}");
    }
}

#[test]
fn a_change_affects_only_keys_that_are_compared_with_it() {
    let files = ["a", "b", "c"].map(|name| file(name, key(name)));
    let corpus = Corpus { files: files.to_vec(), ..Corpus::default() };
    let mut session = LintSession::new(corpus, policy("180d"), &options());
    let ids: Vec<FileId> = session.corpus().files.iter().map(|file| file.id).collect();
    let mut set = |text: String| session.set_text(ids[0], text.into(), &YamlLimits::default());
    let own = BTreeSet::from([ids[0]]);
    assert_eq!(set(key("a").replace("90d", "80d")), Some(own.clone()));
    // Into the group of another file, then into another of its groups, and out of it again.
    let both = BTreeSet::from([ids[0], ids[2]]);
    assert_eq!(set(key("C")), Some(both.clone()));
    assert_eq!(set(key("x").replace("team-x", "team-c")), Some(both.clone()));
    assert_eq!(set(key("x")), Some(both));
    assert_eq!(set("roles: [".to_owned()), Some(own));
    assert_eq!(session.set_text(file("d", key("d")).id, Vec::new(), &YamlLimits::default()), None);
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
