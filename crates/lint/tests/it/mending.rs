//! Mending: what is written, what is left alone, and that mending twice changes nothing.

use std::fs;

use crate::common::{HEAD, folder, found, key, lint, lint_with};
use cortexkey_lint::files::{FixMode, Outcome};
use cortexkey_lint::rules::{Fixes, RULES};
use tempfile::TempDir;

fn mend(folder: &TempDir, also_unsafe: bool) -> Outcome {
    lint_with(folder.path(), &[], |options| {
        options.fix = FixMode::Write;
        options.unsafe_fixes = also_unsafe;
    })
}

fn read(folder: &TempDir, path: &str) -> String {
    fs::read_to_string(folder.path().join(path)).unwrap()
}

const POLICY: &str = "keys: ['keys/*.yaml']\nextends: ['builtin:recommended']\n\
    tenants: { main: { product: xsiam, assetGroups: [{ name: prod-eu }] } }\n\
    rules: { E005: { offset: Z }, R009: { enabled: false } }\n\
    catalog: { roles: [{ name: Old, deprecated: { use: Viewer } }, { name: Export, id: r1 }] }\n";

#[test]
fn comments_and_blank_lines_stay_where_they_are() {
    let text = "# about this key\nkind: ApiKey\napiVersion: cortexkey/v1\n\nmetadata:\n  \
        # who\n  owner: no   # really\n  name: svc-abc\n\nspec:   # what\n  securityLevel: advnaced\n\n  \
        comment: Exports incidents\n  expires: 2026-03-01T00:00:00\n  roles:\n    - viewer  # looks\n    \
        - r1\n    - Responder\n    - Responder\n  scope:\n    \
        assets: { mode: select, groups: [PROD-EU] } # one\n    casesAndIssues: { mode: none }\n    \
        endpoints: { mode: none }\n";
    let policy = format!("{HEAD}{POLICY}");
    let folder = folder(&[("cortexkey.yaml", &policy), ("keys/svc-abc.yaml", text)]);
    let outcome = mend(&folder, true);
    let mended = read(&folder, "keys/svc-abc.yaml");
    insta::assert_snapshot!(format!("{mended}---\n{}", found(&outcome).join("\n")));
    for comment in ["# about this key", "# who", "# really", "# what", "# looks", "# one"] {
        assert!(mended.contains(comment), "{mended}");
    }
    // Once more changes nothing.
    let again = mend(&folder, true);
    assert_eq!(read(&folder, "keys/svc-abc.yaml"), mended);
    assert_eq!(found(&again), found(&outcome));
}

#[test]
fn safe_mending_leaves_what_somebody_has_to_agree_with() {
    let policy = format!("{HEAD}{POLICY}");
    let text = key("svc-abc").replace("90d", "9000d").replace("[Viewer]", "[viewer]");
    let folder = folder(&[("cortexkey.yaml", &policy), ("keys/svc-abc.yaml", &text)]);
    mend(&folder, false);
    let mended = read(&folder, "keys/svc-abc.yaml");
    assert_eq!(mended, text.replace("[viewer]", "[Viewer]"));
    let outcome = mend(&folder, true);
    assert!(read(&folder, "keys/svc-abc.yaml").contains("lifetime: 181d"));
    // The policy would allow a year, and the product's API half of it.
    assert!(!found(&outcome).iter().any(|line| line.contains("svc-abc")), "{:?}", found(&outcome));
}

#[test]
fn every_fix_that_a_page_promises_is_there() {
    let mut lacking = Vec::new();
    for rule in RULES {
        let report = crate::examples::run(&rule.bad);
        let fix = report.findings.iter().find(|f| f.code == rule.code).and_then(|f| f.fix.clone());
        match rule.fixes {
            Fixes::No => assert!(fix.is_none(), "{}", rule.code),
            // These need an option or a catalogue that their example does without.
            _ if matches!(rule.code, "E005" | "R001" | "A004" | "R008") => {}
            promised => {
                let safe = fix.as_ref().map(|fix| fix.safe);
                if safe != Some(promised == Fixes::Safe) {
                    lacking.push((rule.code, safe));
                }
            }
        }
    }
    assert!(lacking.is_empty(), "{lacking:?}");
}

#[test]
fn a_diff_changes_nothing_and_fails_as_the_findings_do() {
    let policy = format!("{HEAD}{POLICY}");
    let text = key("svc-abc").replace("[Viewer]", "[viewer]");
    let folder = folder(&[("cortexkey.yaml", &policy), ("keys/svc-abc.yaml", &text)]);
    let outcome = lint_with(folder.path(), &[], |options| options.fix = FixMode::Diff);
    let diff = outcome.diff.clone().unwrap();
    assert!(diff.contains("-  roles: [viewer]\n+  roles: [Viewer]\n"), "{diff}");
    assert_eq!(read(&folder, "keys/svc-abc.yaml"), text);
    assert_eq!(crate::common::code(&outcome), 1);
}

#[test]
fn a_diff_shows_no_secret() {
    let secret = "aB3".repeat(43);
    let text = key("svc-abc").replace(
        "  roles: [Viewer]",
        &format!("  roles: [viewer]\n  # {secret}\n  apiKey: hunter2hunter2"),
    );
    let folder = folder(&[("keys/svc-abc.yaml", &text)]);
    let outcome = lint_with(folder.path(), &[], |options| options.fix = FixMode::Diff);
    let diff = outcome.diff.unwrap();
    assert!(
        diff.contains("Viewer") && !diff.contains("aB3aB3") && !diff.contains("hunter2"),
        "{diff}"
    );
}

#[test]
fn unused_and_expired_waivers_and_comments_are_taken_out() {
    let policy = format!(
        "{HEAD}keys: ['keys/*.yaml']\nwaivers:\n  # kept\n  - {{ rule: L001, key: svc-abc, reason: r, \
         approvedBy: b, expires: 2026-02-01 }}\n  - {{ rule: E003, key: svc-abc, reason: r, approvedBy: b, \
         expires: 2026-02-01 }}\n"
    );
    let text = key("svc-abc").replace("advanced", "standard").replace(
        "  lifetime: 90d",
        "  # cortexkey: ignore[E003] reason=\"r\" until=2026-02-01\n  lifetime: 90d",
    );
    let folder = folder(&[("cortexkey.yaml", &policy), ("keys/svc-abc.yaml", &text)]);
    assert_eq!(found(&lint(&folder, &[])).len(), 2, "{:?}", found(&lint(&folder, &[])));
    let outcome = mend(&folder, false);
    assert!(found(&outcome).is_empty(), "{:?}", found(&outcome));
    let policy = read(&folder, "cortexkey.yaml");
    assert!(
        policy.contains("# kept") && policy.contains("L001") && !policy.contains("E003"),
        "{policy}"
    );
    assert!(!read(&folder, "keys/svc-abc.yaml").contains("ignore"));
}

#[test]
fn line_ends_are_mended_and_a_file_that_only_has_crlf_is_left_alone() {
    let text = key("svc-abc");
    let mixed = text.replacen('\n', "\r\n", 2);
    let folder = folder(&[
        ("keys/svc-abc.yaml", &format!("\u{feff}{mixed}")),
        ("keys/svc-def.yaml", &key("svc-def").replace('\n', "\r\n")),
        ("keys/svc-ghi.yaml", key("svc-ghi").trim_end()),
    ]);
    mend(&folder, false);
    assert_eq!(read(&folder, "keys/svc-abc.yaml"), text);
    assert_eq!(read(&folder, "keys/svc-def.yaml"), key("svc-def").replace('\n', "\r\n"));
    assert_eq!(read(&folder, "keys/svc-ghi.yaml"), key("svc-ghi"));
}

#[test]
fn a_name_that_is_taken_is_not_given_to_a_second_key() {
    // The file's name belongs to another key: taking it would make a duplicate.
    let folder = folder(&[
        ("keys/svc-abc.yaml", &key("svc-def")),
        ("keys/x.yaml", &format!("{}---\n{}", key("svc-abc"), key("svc-ghi"))),
    ]);
    mend(&folder, true);
    assert!(read(&folder, "keys/svc-abc.yaml").contains("name: svc-def"));
}

#[test]
fn standard_input_is_not_mended() {
    let folder = folder(&[]);
    let outcome = lint_with(folder.path(), &["-"], |options| options.fix = FixMode::Write);
    assert_eq!(crate::common::code(&outcome), 2);
    assert!(outcome.messages.join(" ").contains("standard input"), "{:?}", outcome.messages);
}
