//! Runs that show only some rules, some files, or counts.

use cortexkey_lint::files::{FixMode, RunOutcome};
use cortexkey_lint::report::Format;
use cortexkey_lint::{Selection, Severity};
use tempfile::TempDir;

use crate::common::{HEAD, code, folder, key, lint_with};

fn bad(name: &str) -> String {
    // L001, E003, R003 and R001.
    key(name)
        .replace("advanced", "standard")
        .replace("90d", "900d")
        .replace("[Viewer]", "[Viewer, Viewer, Nobody]")
}

fn policy(rules: &str) -> String {
    format!("{HEAD}extends: ['builtin:recommended']\nkeys: ['keys/*.yaml']\nrules: {{ {rules} }}\n")
}

fn two(rules: &str) -> TempDir {
    folder(&[
        ("cortexkey.yaml", &policy(rules)),
        ("keys/svc-a.yaml", &bad("svc-a")),
        ("keys/svc-b.yaml", &bad("svc-b")),
    ])
}

fn selected(folder: &TempDir, select: &[&str], ignore: &[&str]) -> RunOutcome {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    lint_with(folder.path(), &[], |options| {
        options.selection = Selection { select: owned(select), ignore: owned(ignore) };
    })
}

fn codes(outcome: &RunOutcome) -> Vec<String> {
    let report = outcome.report.as_ref().unwrap_or_else(|| panic!("{:?}", outcome.messages));
    let mut codes: Vec<String> =
        report.findings.iter().map(|finding| finding.rule.code().to_owned()).collect();
    codes.sort();
    codes.dedup();
    codes
}

#[test]
fn a_selection_shows_its_rules_and_counts_the_others() {
    let folder = two("");
    let all = codes(&selected(&folder, &[], &[]));
    assert!(["L001", "E003", "R001", "R003"].iter().all(|code| all.contains(&(*code).into())));
    let outcome = selected(&folder, &["E003"], &[]);
    assert_eq!(codes(&outcome), ["E003"]);
    let report = outcome.report.unwrap();
    assert!(report.summary.unselected > 3, "{:?}", report.summary);
    for format in [Format::Human, Format::Concise, Format::Grouped, Format::Markdown] {
        let text = report.render(format, false);
        let last = text.trim_end().lines().last().unwrap_or_default();
        assert!(last.contains(&report.summary.unselected.to_string()), "{format:?}: {last}");
    }
    assert_eq!(codes(&selected(&folder, &["role-duplicate", "E003"], &[])), ["E003", "R003"]);
    assert_eq!(codes(&selected(&folder, &["R"], &["R003"])), ["R001"]);
    let without = codes(&selected(&folder, &[], &["E", "expiry-too-long"]));
    assert!(!without.iter().any(|code| code.starts_with('E')), "{without:?}");
}

#[test]
fn a_selection_hides_no_locked_rule_and_nothing_that_could_not_be_checked() {
    let folder = two("L001: { locked: true }");
    assert_eq!(codes(&selected(&folder, &["R003"], &[])), ["L001", "R003"]);
    assert!(codes(&selected(&folder, &[], &["L"])).contains(&"L001".into()));
    let mut said = Vec::new();
    for written in ["L001", "level-standard-forbidden"] {
        let outcome = selected(&folder, &[], &[written]);
        assert_eq!(code(&outcome), 2);
        said.extend(outcome.messages.clone());
        assert!(outcome.help.as_deref().is_some_and(|help| help.contains("--why")));
    }
    wording!(said.join("\n"));
    let unread = self::folder(&[
        ("cortexkey.yaml", &policy("")),
        ("keys/svc-a.yaml", &key("svc-a").replace("[Viewer]", "Viewer")),
    ]);
    for (select, ignore) in [(&["E003"][..], &[][..]), (&[], &["S003"]), (&[], &["S"])] {
        let outcome = selected(&unread, select, ignore);
        assert_eq!((code(&outcome), codes(&outcome)), (1, vec!["S003".to_owned()]));
    }
    // An unknown rule in a comment still is a usage error.
    let comment = key("svc-a").replace("spec:", "# cortexkey: ignore[E999] reason=\"r\"\nspec:");
    let unknown = self::folder(&[("cortexkey.yaml", &policy("")), ("keys/svc-a.yaml", &comment)]);
    assert_eq!(code(&selected(&unknown, &["E003"], &["P006"])), 2);
}

#[test]
fn an_unknown_rule_in_a_selection_is_a_usage_error() {
    let folder = two("");
    let mut all = String::new();
    for written in ["expiry-to-long", "E0O3", "", "Q", "E00", "ORG001"] {
        for outcome in [selected(&folder, &[written], &[]), selected(&folder, &[], &[written])] {
            assert_eq!(code(&outcome), 2, "{written}");
            assert!(outcome.report.is_none());
            let help = outcome.help.unwrap_or_default();
            all.extend([format!("{written}: {}\n  help: {help}\n", outcome.messages.join("; "))]);
        }
    }
    wording!(all);
    let own = "customRules: [{ id: ORG001, name: own-rule, message: no, severity: error, \
               assert: 'size(key.spec.roles) < 2' }]\n";
    let custom = self::folder(&[
        ("cortexkey.yaml", &format!("{}{own}", policy(""))),
        ("keys/svc-a.yaml", &bad("svc-a")),
    ]);
    for written in ["ORG001", "own-rule", "ORG"] {
        assert_eq!(codes(&selected(&custom, &[written], &[])), ["ORG001"], "{written}");
    }
}

#[test]
fn files_that_a_pattern_excludes_are_counted_and_not_reported_on() {
    let folder = two("");
    let exclude = |patterns: &[&str]| {
        lint_with(folder.path(), &[], |options| {
            options.exclude = patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
        })
    };
    for pattern in ["keys/svc-a.yaml", "keys/*a.yaml", "./keys/svc-a.yaml", "**/svc-a.*"] {
        let outcome = exclude(&[pattern]);
        let report = outcome.report.unwrap();
        assert_eq!((report.summary.files, report.summary.excluded), (1, 1), "{pattern}");
        assert!(report.findings.iter().all(|found| found.key.as_deref() != Some("svc-a")));
        let text = report.render(Format::Concise, false);
        assert!(text.contains("excluded"), "{text}");
    }
    // Nothing is selected, which is an error.
    for pattern in ["keys", "keys/", "*"] {
        assert_eq!(code(&exclude(&[pattern])), 3, "{pattern}");
    }
    for pattern in ["/keys", "../x", "", "[", "keys/../../x"] {
        assert_eq!(code(&exclude(&[pattern])), 2, "{pattern}");
    }
    let outcome = exclude(&["kyes"]);
    wording!(outcome.messages.join("\n"));
    assert_eq!(outcome.report.unwrap().summary.files, 2);
}

#[test]
fn counts_are_those_of_all_findings_listed_or_not() {
    let roles = vec!["Viewer"; 1500].join(", ");
    let many = key("svc-a").replace("[Viewer]", &format!("[{roles}]"));
    let folder = folder(&[("cortexkey.yaml", &policy("")), ("keys/svc-a.yaml", &many)]);
    let report = selected(&folder, &["R003"], &[]).report.unwrap();
    assert_eq!(report.findings.len(), 1001);
    let tally = report.tallies.by_count()[0];
    assert_eq!((tally.rule.code(), tally.count, tally.severity), ("R003", 1499, Severity::Warning));
    assert_eq!(tally.safe_fixes, 1499);
    assert!(report.statistics().starts_with("1499  R003 role-duplicate (warning, 1499 fixable)"));
    let json: serde_json::Value = serde_json::from_str(&report.statistics_json()).unwrap();
    assert_eq!((&json["total"], &json["rules"][0]["count"]), (&1499.into(), &1499.into()));
    // This many findings get an overview.
    for (format, count) in [(Format::Human, "1499"), (Format::Grouped, "1496")] {
        assert!(report.render(format, false).contains(count), "{format:?}");
    }
    // With several policies, the counts are those of the remaining findings.
    let child = format!("{HEAD}extends: [../cortexkey.yaml]\nkeys: ['*.yaml']\n");
    let parent = format!("{}waivers: [{{ rule: E003, key: x }}]\n", policy(""));
    let two = self::folder(&[
        ("cortexkey.yaml", &parent),
        ("keys/svc-a.yaml", &bad("svc-a")),
        ("team/cortexkey.yaml", &child),
        ("team/svc-b.yaml", &bad("svc-b")),
    ]);
    let report = selected(&two, &[], &[]).report.unwrap();
    assert_eq!(report.tallies.total(), report.findings.len());
    for tally in report.tallies.by_count() {
        let listed = report.findings.iter().filter(|finding| finding.rule == tally.rule).count();
        assert_eq!(listed, tally.count, "{}", tally.rule);
    }
}

#[test]
fn fixes_are_those_of_the_selected_rules() {
    let folder = two("");
    let read = || std::fs::read_to_string(folder.path().join("keys/svc-a.yaml")).unwrap();
    let fix = |select: &str, unsafe_fixes: bool| {
        lint_with(folder.path(), &[], |options| {
            options.selection.select = vec![select.to_owned()];
            options.fix = FixMode::Write;
            options.unsafe_fixes = unsafe_fixes;
        })
    };
    fix("L001", false);
    assert_eq!(read(), bad("svc-a"));
    fix("R003", false);
    assert!(
        read().contains("roles: [Viewer, Nobody]") && read().contains("standard"),
        "{}",
        read()
    );
    fix("L001", true);
    assert!(read().contains("advanced") && read().contains("900d"), "{}", read());
}
