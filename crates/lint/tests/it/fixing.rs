//! Fixing: what is changed, what is left alone, and that fixing twice changes nothing more.

use std::fs;

use crate::common::{HEAD, folder, found, key, lint, lint_with};
use cortexkey_lint::files::{FixMode, RunOutcome};
use cortexkey_lint::rules::{Fixes, RULES};
use tempfile::TempDir;

fn fix_folder(folder: &TempDir, also_unsafe: bool) -> RunOutcome {
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
    let outcome = fix_folder(&folder, true);
    let fixed = read(&folder, "keys/svc-abc.yaml");
    insta::assert_snapshot!(format!("{fixed}---\n{}", found(&outcome).join("\n")));
    for comment in ["# about this key", "# who", "# really", "# what", "# looks", "# one"] {
        assert!(fixed.contains(comment), "{fixed}");
    }
    // A second run changes nothing.
    let again = fix_folder(&folder, true);
    assert_eq!(read(&folder, "keys/svc-abc.yaml"), fixed);
    assert_eq!(found(&again), found(&outcome));
}

#[test]
fn safe_fixes_leave_what_needs_a_decision() {
    let policy = format!("{HEAD}{POLICY}");
    let text = key("svc-abc").replace("90d", "9000d").replace("[Viewer]", "[viewer]");
    let folder = folder(&[("cortexkey.yaml", &policy), ("keys/svc-abc.yaml", &text)]);
    fix_folder(&folder, false);
    let fixed = read(&folder, "keys/svc-abc.yaml");
    assert_eq!(fixed, text.replace("[viewer]", "[Viewer]"));
    let outcome = fix_folder(&folder, true);
    assert!(read(&folder, "keys/svc-abc.yaml").contains("lifetime: 181d"));
    // The policy would allow a year, and the product's API half of it.
    assert!(!found(&outcome).iter().any(|line| line.contains("svc-abc")), "{:?}", found(&outcome));
}

#[test]
fn every_documented_fix_exists() {
    let mut lacking = Vec::new();
    for rule in RULES {
        let report = crate::examples::run(&rule.bad);
        let fix =
            report.findings.iter().find(|f| f.rule.code() == rule.code).and_then(|f| f.fix.clone());
        match rule.fixes {
            Fixes::No => assert!(fix.is_none(), "{}", rule.code),
            // These need an option or a catalog that their example does not have.
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
fn a_diff_changes_nothing_and_fails_if_there_are_findings() {
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
fn unused_and_expired_waivers_and_comments_are_removed() {
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
    let outcome = fix_folder(&folder, false);
    assert!(found(&outcome).is_empty(), "{:?}", found(&outcome));
    let policy = read(&folder, "cortexkey.yaml");
    assert!(
        policy.contains("# kept") && policy.contains("L001") && !policy.contains("E003"),
        "{policy}"
    );
    assert!(!read(&folder, "keys/svc-abc.yaml").contains("ignore"));
}

#[test]
fn mixed_line_endings_are_fixed_and_crlf_alone_stays() {
    let text = key("svc-abc");
    let mixed = text.replacen('\n', "\r\n", 2);
    let folder = folder(&[
        ("keys/svc-abc.yaml", &format!("\u{feff}{mixed}")),
        ("keys/svc-def.yaml", &key("svc-def").replace('\n', "\r\n")),
        ("keys/svc-ghi.yaml", key("svc-ghi").trim_end()),
    ]);
    fix_folder(&folder, false);
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
    fix_folder(&folder, true);
    assert!(read(&folder, "keys/svc-abc.yaml").contains("name: svc-def"));
}

#[test]
fn standard_input_is_not_fixed() {
    let folder = folder(&[]);
    let outcome = lint_with(folder.path(), &["-"], |options| options.fix = FixMode::Write);
    assert_eq!(crate::common::code(&outcome), 2);
    wording!(outcome.messages.join(" "));
}

fn fixed(policy: &str, text: &str) -> (String, RunOutcome) {
    let policy = format!("{HEAD}extends: ['builtin:recommended']\nkeys: ['keys/*.yaml']\n{policy}");
    let folder = folder(&[("cortexkey.yaml", &policy), ("keys/svc-abc.yaml", text)]);
    let outcome = fix_folder(&folder, false);
    (read(&folder, "keys/svc-abc.yaml"), outcome)
}

#[test]
fn unambiguous_values_are_written_as_they_are_read() {
    for (from, written, expected) in [
        ("roles: [Viewer]", "roles: Viewer", "roles: [Viewer]"),
        ("roles: [Viewer]", "roles: 'IT Admin'", "roles: ['IT Admin']"),
        ("lifetime: 90d", "lifetime: 90 days", "lifetime: 90d"),
        ("lifetime: 90d", "lifetime: \"12 hours\"", "lifetime: \"12h\""),
        ("lifetime: 90d", "expires: 2026-6-1", "expires: 2026-06-01"),
        ("lifetime: 90d", "expires: NEVER", "expires: never"),
    ] {
        let text = key("svc-abc").replace(from, written);
        let allowed = "rules: { E001: { allowNever: true }, E007: { enabled: false } }\n";
        assert_eq!(fixed(allowed, &text).0, key("svc-abc").replace(from, expected));
    }
    // A string with a comma may be a list, and `3 months` is not a number of days.
    for (from, written) in [
        ("roles: [Viewer]", "roles: Viewer, Responder"),
        ("roles: [Viewer]", "roles: |\n    Viewer"),
        ("lifetime: 90d", "lifetime: 3 months"),
        ("lifetime: 90d", "expires: 2026-2-30"),
    ] {
        let text = key("svc-abc").replace(from, written);
        assert_eq!(fixed("", &text).0, text);
    }
}

#[test]
fn a_fix_may_reveal_other_findings() {
    let text = key("svc-abc").replace("[Viewer]", "Instance Administrator");
    let (now, outcome) = fixed("", &text);
    assert_eq!(now, key("svc-abc").replace("Viewer", "Instance Administrator"));
    assert!(found(&outcome).iter().any(|line| line.contains("R002")), "{:?}", found(&outcome));
}

#[test]
fn a_tab_becomes_the_indentation_of_its_siblings() {
    let text = key("svc-abc");
    for from in ["  securityLevel", "  lifetime", "    assets", "    endpoints", "  roles"] {
        let tab = text.replace(&format!("\n{from}"), &format!("\n\t{}", from.trim_start()));
        assert_eq!(fixed("", &tab).0, text, "{from}");
    }
    // A whole file indented with tabs.
    let tabs = text.replace("\n    ", "\n\t\t").replace("\n  ", "\n\t");
    assert_eq!(fixed("", &tabs).0, text);
}

#[test]
fn a_warning_about_another_file_does_not_withhold_a_fix() {
    let policy = format!("{HEAD}extends: ['builtin:recommended']\nkeys: ['keys/*.yaml']\n");
    let one = key("svc-abc").replace("team-svc-abc", "team-a");
    let two = key("svc-def").replace("team-svc-def", "team-a").replace("[Viewer]", "[viewer]");
    let folder = folder(&[
        ("cortexkey.yaml", &policy),
        ("keys/svc-abc.yaml", &one),
        ("keys/svc-def.yaml", &two),
    ]);
    let outcome = fix_folder(&folder, false);
    assert!(read(&folder, "keys/svc-def.yaml").contains("[Viewer]"));
    assert!(found(&outcome).iter().any(|line| line.contains("C002")), "{:?}", found(&outcome));
}

#[test]
fn withheld_fixes_are_reported() {
    let policy = "rules: { R002: { roles: [Export] } }\n\
        catalog: { teams: [team-svc-abc], roles: [{ name: Export, id: r1, components: { Public API: view } }, \
        { name: Old, components: { Public API: view }, deprecated: { use: Export } }] }\n";
    // The role's id is forbidden too, so the fix to its name causes no new finding.
    let (now, outcome) = fixed(policy, &key("svc-abc").replace("[Viewer]", "[r1]"));
    assert_eq!(now, key("svc-abc").replace("[Viewer]", "[Export]"));
    assert!(found(&outcome).join("\n").contains("R002"), "{:?}", found(&outcome));
    let text = key("svc-abc").replace("[Viewer]", "[Old]");
    let (now, outcome) = fixed(policy, &text);
    assert_eq!(now, text);
    let said = outcome.messages.join("\n");
    assert!(said.contains("R002 role-forbidden"), "{said}");
    wording!(said);
}

/// A repository whose policy waives a finding of `svc-b`, and a key beside it.
fn waiving(rule: &str, rules: &str) -> TempDir {
    let waiver =
        format!("{{ rule: {rule}, key: svc-b, reason: r, approvedBy: b, expires: 2026-02-01 }}");
    let policy =
        format!("{HEAD}keys: ['keys/**/*.yaml']\nrules: {{ {rules} }}\nwaivers:\n  - {waiver}\n");
    let standard = key("svc-b").replace("advanced", "standard");
    crate::common::repository(&[
        ("cortexkey.yaml", &policy),
        ("keys/svc-a.yaml", &key("svc-a")),
        ("keys/svc-b.yaml", &standard),
        ("elsewhere/note.txt", "x"),
    ])
}

#[cfg(unix)]
#[test]
fn a_waiver_of_a_key_that_was_not_checked_stays() {
    use std::os::unix::fs::symlink;

    type Change<'c> = (&'c str, &'c dyn Fn(&TempDir));
    let own = "keys/svc-b.yaml";
    let ways: [Change<'_>; 8] = [
        ("broken", &|folder| {
            let text = read(folder, own) + "bad: [\n";
            fs::write(folder.path().join(own), text).unwrap();
        }),
        ("not text", &|folder| fs::write(folder.path().join(own), b"\xff\xfe\xff").unwrap()),
        ("of another kind", &|folder| {
            let text = read(folder, own).replace("kind: ApiKey", "kind: ApiKeys");
            fs::write(folder.path().join(own), text).unwrap();
        }),
        ("with a value that is not accepted", &|folder| {
            let text = read(folder, own).replace("standard", "[standard]");
            fs::write(folder.path().join(own), text).unwrap();
        }),
        ("renamed", &|folder| {
            fs::rename(folder.path().join(own), folder.path().join("keys/svc-b.yml")).unwrap();
        }),
        ("elsewhere", &|folder| {
            fs::rename(folder.path().join(own), folder.path().join("elsewhere/b.json")).unwrap();
        }),
        ("behind a link that leads out", &|folder| {
            let outside = folder.path().parent().unwrap().to_owned();
            fs::remove_file(folder.path().join(own)).unwrap();
            symlink(outside, folder.path().join("keys/all")).unwrap();
        }),
        ("in a folder that is not there", &|folder| {
            fs::remove_file(folder.path().join(own)).unwrap();
            symlink("../submodule/keys", folder.path().join("keys/all")).unwrap();
        }),
    ];
    for (way, change) in ways {
        let folder = waiving("L001", "");
        change(&folder);
        let policy = read(&folder, "cortexkey.yaml");
        for also_unsafe in [false, true] {
            let outcome = fix_folder(&folder, also_unsafe);
            assert_eq!(read(&folder, "cortexkey.yaml"), policy, "{way}");
            assert!(!found(&outcome).join("\n").contains("P002"), "{way}: {:?}", found(&outcome));
        }
    }
}

#[test]
fn a_waiver_of_a_rule_that_did_not_run_stays() {
    // `key-widened` needs `--since`, and the other rule is off.
    for (rule, rules) in [("key-widened", ""), ("L001", "L001: { enabled: false }")] {
        let folder = waiving(rule, rules);
        let policy = read(&folder, "cortexkey.yaml");
        fix_folder(&folder, true);
        assert_eq!(read(&folder, "cortexkey.yaml"), policy, "{rule}");
    }
}

#[test]
fn removing_a_waiver_of_a_missing_key_is_unsafe() {
    let folder = waiving("L001", "");
    fs::remove_file(folder.path().join("keys/svc-b.yaml")).unwrap();
    fix_folder(&folder, false);
    assert!(read(&folder, "cortexkey.yaml").contains("svc-b"));
    fix_folder(&folder, true);
    assert!(!read(&folder, "cortexkey.yaml").contains("svc-b"));
}

#[test]
fn a_waiver_without_a_finding_is_removed() {
    let folder = waiving("L001", "");
    fs::write(folder.path().join("keys/svc-b.yaml"), key("svc-b")).unwrap();
    fix_folder(&folder, false);
    assert!(!read(&folder, "cortexkey.yaml").contains("svc-b"));
}

#[test]
fn a_waiver_that_one_of_several_policies_uses_stays() {
    let outer = format!(
        "{HEAD}keys: ['keys/**/*.yaml']\nwaivers: [{{ rule: L001, key: svc-b, reason: r, \
         approvedBy: b, expires: 2026-02-01 }}]\n"
    );
    let inner = format!("{HEAD}extends: [../../cortexkey.yaml]\n");
    let folder = crate::common::repository(&[
        ("cortexkey.yaml", &outer),
        ("keys/prod/cortexkey.yaml", &inner),
        ("keys/test/cortexkey.yaml", &inner),
        ("keys/prod/b.yaml", &key("svc-b").replace("advanced", "standard")),
        ("keys/test/b.yaml", &key("svc-b")),
        ("keys/a.yaml", &key("svc-a")),
    ]);
    fix_folder(&folder, true);
    assert_eq!(read(&folder, "cortexkey.yaml"), outer);
}

#[test]
fn a_comment_for_a_rule_that_did_not_run_stays() {
    let policy = format!("{HEAD}keys: ['keys/*.yaml']\n");
    let comment = "  # cortexkey: ignore[key-widened] reason=\"r\" until=2026-02-01\n";
    let text = key("svc-a").replace("spec:\n", &format!("spec:\n{comment}"));
    let folder = folder(&[("cortexkey.yaml", &policy), ("keys/a.yaml", &text)]);
    fix_folder(&folder, true);
    assert!(read(&folder, "keys/a.yaml").contains("ignore[key-widened]"));
    // An unread part may have the finding.
    let text = text.replace("key-widened", "L001") + "bad: [\n";
    fs::write(folder.path().join("keys/a.yaml"), &text).unwrap();
    fix_folder(&folder, true);
    assert!(read(&folder, "keys/a.yaml").contains("ignore[L001]"));
    let text = text.replace("bad: [\n", "");
    fs::write(folder.path().join("keys/a.yaml"), &text).unwrap();
    fix_folder(&folder, false);
    assert!(!read(&folder, "keys/a.yaml").contains("ignore["));
}

#[test]
fn more_findings_than_are_listed_are_fixed() {
    let comment = "# cortexkey: ignore[E003] reason=\"x\" until=2026-03-01\n";
    let many = format!("{}{}", comment.repeat(1_200), key("svc-abc"));
    let policy = format!("{HEAD}keys: ['keys/*.yaml']\n");
    let folder = folder(&[("cortexkey.yaml", &policy), ("keys/svc-abc.yaml", &many)]);
    let outcome = fix_folder(&folder, false);
    assert_eq!(read(&folder, "keys/svc-abc.yaml"), key("svc-abc"), "{:?}", outcome.messages);
    assert_eq!(found(&outcome), Vec::<String>::new());
}
