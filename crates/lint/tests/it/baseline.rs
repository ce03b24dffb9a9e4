//! Adopting the linter for existing keys: the baseline.

use std::fs;

use crate::common::{HEAD, code, folder, found, key, lint_with, write};
use cortexkey_lint::files::{BASELINE_NAME, RunOutcome};
use tempfile::TempDir;

fn policy(rules: &str) -> String {
    format!("{HEAD}keys: ['*.key']\nrules: {{ {rules} }}\n")
}

fn record(folder: &TempDir) -> RunOutcome {
    lint_with(folder.path(), &[], |options| options.write_baseline = true)
}

fn with(folder: &TempDir, paths: &[&str]) -> RunOutcome {
    lint_with(folder.path(), paths, |options| options.baseline = Some(BASELINE_NAME.into()))
}

#[test]
fn only_new_faults_count_and_edits_elsewhere_make_no_old_one_new() {
    let standard = key("abc").replace("advanced", "standard");
    let folder = folder(&[("cortexkey.yaml", &policy("")), ("abc.key", &standard)]);
    let outcome = record(&folder);
    assert_eq!(code(&outcome), 0, "{:?}", outcome.messages);
    assert!(outcome.messages[0].contains(" 1 finding"), "{:?}", outcome.messages);
    assert_eq!(code(&with(&folder, &[])), 0);
    // Lines before it, another folder, another day.
    write(folder.path(), "abc.key", format!("# new\n\n{standard}").as_bytes());
    assert_eq!(code(&with(&folder, &["abc.key"])), 0);
    let inner = folder.path().join("inner");
    fs::create_dir(&inner).unwrap();
    let outcome = lint_with(&inner, &[], |options| {
        options.baseline = Some(format!("../{BASELINE_NAME}").into());
        options.now = "2026-09-01T00:00:00Z".parse().unwrap();
    });
    assert_eq!(code(&outcome), 0, "{:?}", found(&outcome));
    // A new key with the same mistake is a new finding.
    write(folder.path(), "def.key", key("def").replace("advanced", "standard").as_bytes());
    let outcome = with(&folder, &[]);
    assert_eq!((code(&outcome), found(&outcome).len()), (1, 1), "{:?}", found(&outcome));
}

/// The tenants of a policy may have keys of one name, and a key may move to another tenant.
#[test]
fn an_entry_covers_a_key_of_one_tenant() {
    let of = |tenant: &str| {
        let standard = key("abc").replace("advanced", "standard");
        standard.replace("name: abc", &format!("name: abc, tenant: {tenant}"))
    };
    let tenants = "tenants: { dev: { product: xsiam }, prod: { product: xsiam } }\n";
    let folder = folder(&[
        ("cortexkey.yaml", &(policy("A008: { enabled: false }") + tenants)),
        ("abc.key", &of("dev")),
    ]);
    assert_eq!(code(&record(&folder)), 0);
    assert_eq!(code(&with(&folder, &[])), 0);
    write(folder.path(), "abc.key", of("prod").as_bytes());
    let outcome = with(&folder, &[]);
    assert_eq!(code(&outcome), 1);
    assert!(found(&outcome).iter().any(|line| line.contains("L001")), "{:?}", found(&outcome));
}

#[test]
fn counts_only_fall() {
    let standard = |name: &str| key(name).replace("advanced", "standard");
    let folder = folder(&[
        ("cortexkey.yaml", &policy("")),
        ("abc.key", &standard("abc")),
        ("def.key", &standard("def")),
    ]);
    record(&folder);
    write(folder.path(), "abc.key", key("abc").as_bytes());
    write(folder.path(), "ghi.key", standard("ghi").as_bytes());
    let outcome = with(&folder, &[]);
    wording!(outcome.messages.join("\n"));
    let outcome = record(&folder);
    assert_eq!((code(&outcome), found(&outcome).len()), (1, 1), "{:?}", found(&outcome));
    assert!(outcome.messages[0].contains("1 finding, 1 fewer"), "{:?}", outcome.messages);
}

#[test]
fn secrets_and_locked_rules_stay_out_of_the_baseline() {
    let wrong = key("abc")
        .replace("advanced", "standard")
        .replace("  lifetime: 90d", "  lifetime: 9000d\n  apiKey: x");
    let rules = "L001: { locked: true }, E003: { waivable: false }";
    let folder = folder(&[("cortexkey.yaml", &policy(rules)), ("abc.key", &wrong)]);
    let outcome = record(&folder);
    assert!(outcome.messages[0].contains(" 3 "), "{:?}", outcome.messages);
    let lines = found(&with(&folder, &[])).join("\n");
    for rule in ["L001", "E003", "X004"] {
        assert!(lines.contains(rule), "{lines}");
    }
    // A baseline that was written by hand does not let them in either.
    let text = fs::read_to_string(folder.path().join(BASELINE_NAME)).unwrap();
    assert!(!text.contains("X004") && !text.contains("L001"), "{text}");
}

#[test]
fn invalid_baselines_are_refused() {
    let folder = folder(&[("cortexkey.yaml", &policy("")), ("abc.key", &key("abc"))]);
    let mut said = String::new();
    for text in [
        "{\"version\": 2, \"findings\": []}",
        "{\"version\": 1, \"findings\": [], \"x\": 1}",
        "not json",
        "",
    ] {
        write(folder.path(), BASELINE_NAME, text.as_bytes());
        for outcome in [with(&folder, &[]), record(&folder)] {
            assert_eq!(code(&outcome), 2, "{text}");
            said.extend([format!("{text}\n  {}\n", outcome.messages.join("\n  "))]);
        }
    }
    wording!(said);
    fs::remove_file(folder.path().join(BASELINE_NAME)).unwrap();
    let outcome = with(&folder, &[]);
    assert_eq!(code(&outcome), 2);
    let help = outcome.help.unwrap_or_default();
    assert!(help.contains("--write-baseline"), "{help}");
    let outcome = lint_with(folder.path(), &["abc.key"], |options| options.write_baseline = true);
    let help = outcome.help.as_deref().unwrap_or_default();
    assert!(code(&outcome) == 2 && help.contains("paths"), "{outcome:?}");
}

#[test]
fn findings_of_unchecked_files_are_not_gone() {
    let standard = |name: &str| key(name).replace("advanced", "standard");
    let build = || {
        let folder = folder(&[
            ("cortexkey.yaml", &policy("")),
            ("abc.key", &standard("abc")),
            ("def.key", &standard("def")),
        ]);
        record(&folder);
        folder
    };
    let unchecked: [&[u8]; 3] = [b"x: [", b"a: \xff", b"{ apiVersion: cortexkey/v1, kind: ["];
    for bytes in unchecked {
        let folder = build();
        write(folder.path(), "abc.key", bytes);
        write(folder.path(), "def.key", key("def").as_bytes());
        let known = with(&folder, &[]).known.unwrap();
        let gone: Vec<bool> = known.findings.iter().map(|finding| finding.is_gone).collect();
        assert_eq!(gone, [false, true]);
        record(&folder);
        let text = fs::read_to_string(folder.path().join(BASELINE_NAME)).unwrap();
        assert!(text.contains("abc.key") && !text.contains("def.key"), "{text}");
    }
    // A deleted file has no findings.
    let folder = build();
    fs::remove_file(folder.path().join("abc.key")).unwrap();
    assert_eq!(with(&folder, &[]).known.unwrap().gone(), 1);
    // With an unusable policy, or without any file, the baseline stays as it is.
    for (path, text) in [("cortexkey.yaml", "keys: ["), ("def.key", "")] {
        let folder = build();
        let before = fs::read_to_string(folder.path().join(BASELINE_NAME)).unwrap();
        if text.is_empty() {
            fs::remove_file(folder.path().join("abc.key")).unwrap();
            fs::remove_file(folder.path().join(path)).unwrap();
        } else {
            write(folder.path(), path, text.as_bytes());
        }
        assert!(code(&record(&folder)) > 1);
        let after = fs::read_to_string(folder.path().join(BASELINE_NAME)).unwrap();
        assert_eq!(before, after);
    }
}

#[test]
fn findings_of_unchecked_files_stay_in_the_baseline() {
    let standard = |name: &str| key(name).replace("advanced", "standard");
    let start = || {
        let folder = crate::common::repository(&[
            ("cortexkey.yaml", &format!("{HEAD}keys: ['keys/*.yaml']\n")),
            ("keys/abc.yaml", &standard("abc")),
            ("keys/def.yaml", &standard("def")),
        ]);
        assert_eq!(code(&record(&folder)), 0);
        folder
    };
    let entries = |folder: &TempDir| {
        fs::read_to_string(folder.path().join(BASELINE_NAME)).unwrap().matches("\"L001\"").count()
    };
    let ways: [&dyn Fn(&TempDir); 3] = [
        // The file's name does not match the policy's patterns.
        &|folder| {
            let path = |name: &str| folder.path().join(name);
            fs::rename(path("keys/abc.yaml"), path("keys/abc.yml")).unwrap();
        },
        // The file is gone, and another one may contain its key.
        &|folder| {
            fs::remove_file(folder.path().join("keys/abc.yaml")).unwrap();
            write(folder.path(), "keys/def.yaml", (standard("def") + "x: [\n").as_bytes());
        },
        &|folder| write(folder.path(), "keys/abc.yaml", b"kind: ApiKeys\n"),
    ];
    for change in ways {
        let folder = start();
        change(&folder);
        let known = lint_with(folder.path(), &[], |_| {}).known.unwrap();
        assert_eq!(known.gone(), 0, "{known:?}");
        record(&folder);
        assert_eq!(entries(&folder), 2);
    }
    // If a file is gone and all others could be read, its findings are gone too.
    let folder = start();
    fs::remove_file(folder.path().join("keys/abc.yaml")).unwrap();
    assert_eq!(lint_with(folder.path(), &[], |_| {}).known.unwrap().gone(), 1);
    record(&folder);
    assert_eq!(entries(&folder), 1);
}

#[test]
fn more_findings_than_are_listed_go_into_the_baseline() {
    let roles: Vec<String> = (0..1_500).map(|n| format!("Unknown {n}")).collect();
    let many = key("abc").replace("[Viewer]", &format!("[{}]", roles.join(", ")));
    let folder =
        folder(&[("cortexkey.yaml", &policy("R004: { enabled: false }")), ("abc.key", &many)]);
    let outcome = record(&folder);
    assert_eq!((code(&outcome), found(&outcome).len()), (0, 0), "{:?}", outcome.messages);
    let outcome = with(&folder, &[]);
    let summary = outcome.report.as_ref().unwrap().summary;
    assert_eq!((code(&outcome), summary.errors), (0, 0), "{summary:?}");
    // One more is a new finding.
    write(folder.path(), "abc.key", many.replace("[Unknown", "[Another, Unknown").as_bytes());
    assert_eq!((code(&with(&folder, &[])), found(&with(&folder, &[])).len()), (1, 1));
}
