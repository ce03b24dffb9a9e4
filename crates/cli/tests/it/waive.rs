//! Waivers and baselines, through the commands that manage them.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::lint::{POLICY, folder, key, run};

const NOW: [&str; 2] = ["--now", "2026-01-01"];

fn waive(folder: &Path, key: &str, rule: &str, more: &[&str]) -> (i32, String, String) {
    let args = ["waive", key, rule, "--reason", "the vendor, SEC-7", "--until", "2026-06-30"];
    run(folder, &[&args[..], more, &NOW].concat())
}

fn lint_json(folder: &Path) -> (i32, Value) {
    let (code, out, _) = run(folder, &[&["lint", "--format", "json"][..], &NOW].concat());
    (code, serde_json::from_str(&out).unwrap())
}

fn read(folder: &Path, path: &str) -> String {
    fs::read_to_string(folder.join(path)).unwrap()
}

#[test]
fn a_finding_is_waived_in_the_policy_that_governs_the_key() {
    let child = "apiVersion: cortexkey/v1\nkind: Policy\nmetadata: { name: child }\n\
                 extends: [../cortexkey.yaml]\nkeys: ['*.yaml']\n";
    let folder = folder(&[
        ("cortexkey.yaml".into(), POLICY.into()),
        ("keys/svc-old.yaml".into(), key("svc-old", "standard")),
        ("team/cortexkey.yaml".into(), child.into()),
        ("team/svc-team.yaml".into(), key("svc-team", "standard")),
    ]);
    let by = ["--approved-by", "ciso@example.com"];
    let dry = [&by[..], &["--dry-run"]].concat();
    let (code, out, _) = waive(folder.path(), "svc-old", "level-standard-forbidden", &dry);
    assert!(code == 0 && out.starts_with("cortexkey.yaml:8: {"), "{out}");
    assert_eq!(read(folder.path(), "cortexkey.yaml"), POLICY);
    for (name, policy) in [("svc-old", "cortexkey.yaml"), ("svc-team", "team/cortexkey.yaml")] {
        let (code, out, said) = waive(folder.path(), name, "L001", &by);
        assert!(code == 0 && out.starts_with(policy), "{out} {said}");
        let text = read(folder.path(), policy);
        assert!(text.contains(&format!("rule: level-standard-forbidden, key: {name}")), "{text}");
    }
    let (code, report) = lint_json(folder.path());
    assert_eq!((code, &report["summary"]["waived"]), (0, &2.into()), "{report}");
    // It is waived already.
    let (code, _, said) = waive(folder.path(), "svc-old", "L001", &by);
    assert_eq!(code, 2, "{said}");
    wording!(said);
}

#[test]
fn a_waiver_of_a_locked_rule_goes_to_the_policy_that_locks_it() {
    let parent = format!("{POLICY}rules: {{ L001: {{ locked: true }} }}\n");
    let child = "apiVersion: cortexkey/v1\nkind: Policy\nmetadata: { name: child }\n\
                 extends: [../cortexkey.yaml]\nkeys: ['*.yaml']\n";
    let folder = folder(&[
        ("cortexkey.yaml".into(), parent),
        ("team/cortexkey.yaml".into(), child.into()),
        ("team/svc-team.yaml".into(), key("svc-team", "standard")),
    ]);
    let (code, out, said) = waive(folder.path(), "svc-team", "L001", &["--approved-by", "ciso"]);
    assert!(code == 0 && out.starts_with("cortexkey.yaml:"), "{out} {said}");
    assert_eq!(lint_json(folder.path()).0, 0);
}

/// The linter would report it, and a second run would find nothing left to waive.
#[test]
fn a_waiver_that_lasts_too_long_is_not_written() {
    let folder = folder(&[
        ("cortexkey.yaml".into(), POLICY.into()),
        ("keys/svc-old.yaml".into(), key("svc-old", "standard")),
    ]);
    let waive = |until: &str| {
        let args = ["waive", "svc-old", "L001", "--reason", "SEC-7", "--approved-by", "ciso"];
        run(folder.path(), &[&args[..], &["--until", until], &NOW].concat())
    };
    for until in ["2026-07-01", "2027-01-01", "2026-07-01T00:00:01Z"] {
        let (code, out, said) = waive(until);
        assert!(code == 2 && out.is_empty() && said.contains("180 days"), "{until}: {out}{said}");
        assert_eq!(read(folder.path(), "cortexkey.yaml"), POLICY);
    }
    let (code, _, said) = waive("2026-06-30");
    assert_eq!(code, 0, "{said}");
    assert_eq!(lint_json(folder.path()).0, 0);
}

#[test]
fn waiving_a_non_waivable_finding_is_a_usage_error() {
    let policy = format!("{POLICY}rules: {{ E003: {{ waivable: false }} }}\n");
    let long = key("svc-long", "standard").replace("90d", "900d");
    let unread = key("svc-unread", "advanced").replace("roles: [Viewer]", "roles: Viewer");
    let folder = folder(&[
        ("cortexkey.yaml".into(), policy.clone()),
        ("keys/svc-long.yaml".into(), long),
        ("keys/svc-unread.yaml".into(), unread),
    ]);
    let mut all = String::new();
    for (key, rule, more) in [
        ("svc-long", "E003", &[][..]),
        ("svc-unread", "S003", &[]),
        ("svc-lang", "L001", &[]),
        ("eu/svc-long", "L001", &[]),
        ("svc-long", "level-standard-forbiden", &[]),
        ("svc-long", "R002", &[]),
        ("svc-long", "L001", &["--until", "2025-06-30"]),
        ("svc-long", "L001", &["--until", "soon"]),
        ("svc-long", "L001", &["--reason", " "]),
    ] {
        let mut args = vec!["waive", key, rule];
        for (option, value) in [("--reason", "SEC-7"), ("--until", "2026-06-30")] {
            let given = more.iter().position(|it| *it == option);
            args.extend([option, given.map_or(value, |at| more[at + 1])]);
        }
        let (code, out, said) = run(folder.path(), &[&args[..], &NOW].concat());
        assert!(code == 2 && out.is_empty(), "{key} {rule} {more:?}: {code} {out} {said}");
        all.extend([format!("{key} {rule} {more:?}\n{said}")]);
        assert_eq!(read(folder.path(), "cortexkey.yaml"), policy);
    }
    wording!(all);
    // Without an approver, the waiver is written but does not apply yet.
    let (code, _, said) = waive(folder.path(), "svc-long", "L001", &[]);
    assert_eq!(code, 1, "{said}");
    wording!(said);
}

#[cfg(unix)]
#[test]
fn no_policy_outside_the_repository_is_written() {
    let outside = tempfile::tempdir().unwrap();
    let policy = outside.path().join("policy.yaml");
    fs::write(&policy, POLICY).unwrap();
    let folder = folder(&[("keys/svc-old.yaml".into(), key("svc-old", "standard"))]);
    std::os::unix::fs::symlink(&policy, folder.path().join("cortexkey.yaml")).unwrap();
    let (code, ..) = waive(folder.path(), "svc-old", "L001", &["--approved-by", "ciso"]);
    assert_eq!(code, 2);
    assert_eq!(fs::read_to_string(policy).unwrap(), POLICY);
}

#[test]
fn a_baseline_is_shown_pruned_and_kept_up_to_date() {
    let old = |name: &str| (format!("keys/{name}.yaml"), key(name, "standard"));
    let folder = folder(&[("cortexkey.yaml".into(), POLICY.into()), old("svc-a"), old("svc-b")]);
    let at = |args: &[&str]| run(folder.path(), &[args, &NOW].concat());
    let (code, _, said) = at(&["baseline", "show"]);
    assert_eq!(code, 2, "{said}");
    wording!(said);
    assert_eq!(at(&["lint", "--write-baseline"]).0, 0);
    assert_eq!(at(&["lint", "--fail-on-stale-baseline"]).0, 0);
    assert_eq!(at(&["baseline", "prune", "--check"]).0, 0);

    fs::write(folder.path().join("keys/svc-a.yaml"), key("svc-a", "advanced")).unwrap();
    assert_eq!(at(&["lint"]).0, 0);
    let (code, _, said) = at(&["lint", "--fail-on-stale-baseline"]);
    assert_eq!(code, 1, "{said}");
    wording!(said);
    let (code, _, said) = at(&["lint", "keys/svc-a.yaml", "--fail-on-stale-baseline"]);
    assert_eq!(code, 2, "{said}");
    wording!(said);
    let (code, out, _) = at(&["baseline", "show", "--format", "json"]);
    let shown: Value = serde_json::from_str(&out).unwrap();
    let gone = |at: usize| shown["findings"][at]["gone"].as_bool().unwrap();
    assert_eq!((code, gone(0), gone(1)), (0, true, false), "{out}");
    wording!(at(&["baseline", "show"]).1);
    let before = read(folder.path(), "cortexkey-baseline.json");
    assert_eq!(at(&["baseline", "prune", "--check"]).0, 1);
    assert_eq!(read(folder.path(), "cortexkey-baseline.json"), before);
    assert_eq!(at(&["baseline", "prune"]).0, 0);
    assert_eq!(at(&["lint", "--fail-on-stale-baseline"]).0, 0);
    assert!(!read(folder.path(), "cortexkey-baseline.json").contains("svc-a"));
    // Pruning adds nothing.
    fs::write(folder.path().join("keys/svc-c.yaml"), key("svc-c", "standard")).unwrap();
    assert_eq!(at(&["baseline", "prune"]).0, 0);
    assert_eq!(at(&["lint"]).0, 1);
}

#[test]
fn the_summary_counts_known_suppressed_and_waived_separately() {
    let comment = "  # cortexkey: ignore[L001] reason=\"SEC-7\" until=2026-05-01\n  securityLevel";
    let commented = key("svc-b", "standard").replace("  securityLevel", comment);
    let old = ["svc-a", "svc-c"].map(|name| (format!("keys/{name}.yaml"), key(name, "standard")));
    let mut files = vec![("cortexkey.yaml".to_owned(), POLICY.to_owned())];
    files.extend(old);
    let folder = folder(&files);
    let at = |args: &[&str]| run(folder.path(), &[args, &NOW].concat());
    let (code, ..) = waive(folder.path(), "svc-a", "L001", &["--approved-by", "ciso"]);
    assert_eq!(code, 0);
    assert_eq!(at(&["lint", "--write-baseline"]).0, 0);
    fs::write(folder.path().join("keys/svc-b.yaml"), commented).unwrap();
    let (code, out, said) = at(&["lint"]);
    assert!(code == 0 && out.contains("1 known, 1 suppressed, 1 waived"), "{out} {said}");
    let (_, report) = lint_json(folder.path());
    let summary = &report["summary"];
    assert_eq!([&summary["known"], &summary["suppressed"], &summary["waived"]], [1, 1, 3]);
}
