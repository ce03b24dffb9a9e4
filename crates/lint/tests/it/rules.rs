//! Findings in cases that the rules' pages do not show.

use cortexkey_lint::report::Format;
use cortexkey_lint::{Corpus, CorpusFile, Policy, Report, Severity, lint};
use cortexkey_manifest::yaml::YamlLimits;

const HEAD: &str = "apiVersion: cortexkey/v1\nkind: Policy\nmetadata: { name: t }\n\
    extends: ['builtin:recommended']\n";

const SCOPE: &str = "  roles: [Viewer]\n  scope:\n    assets: { mode: none }\n    casesAndIssues: { mode: none }\n    \
    endpoints: { mode: none }\n";

/// A definition whose `spec` ends with these lines.
fn key(spec: &str) -> String {
    format!(
        "apiVersion: cortexkey/v1\nkind: ApiKey\nmetadata: {{ name: svc-a, owner: team-a }}\n\
         spec:\n  securityLevel: advanced\n  comment: For this test\n{spec}"
    )
}

fn lint_text(policy: &str, text: &str) -> Report {
    let policy = Policy::from_text("cortexkey.yaml", &format!("{HEAD}{policy}"));
    assert!(policy.is_valid());
    let file = CorpusFile::new("svc-a.yaml", text.as_bytes().to_vec(), &YamlLimits::default());
    let corpus = Corpus { files: vec![file], ..Corpus::default() };
    lint(&corpus, &policy, "2026-01-01T00:00:00Z".parse().unwrap_or_default())
}

fn codes(report: &Report) -> Vec<&str> {
    // Fields are in the order that each test needs.
    let reported = |code: &&str| *code != "S006";
    report.findings.iter().map(|finding| finding.rule.code()).filter(reported).collect()
}

#[test]
fn advice_respects_the_keys_limit() {
    let help = |policy: &str| {
        let report = lint_text(policy, &key(SCOPE));
        assert_eq!(codes(&report), ["E001"]);
        report.findings[0].help.clone().unwrap_or_default()
    };
    assert!(help("").contains("`lifetime: 90d`"));
    assert!(help("rules: { E003: { max: 180d } }\n").contains("`lifetime: 90d`"));
    assert!(help("rules: { E003: { max: 12h } }\n").contains("`lifetime: 12h`"));
    let role = "rules: { E003: { overrides: [{ match: { roles: [Viewer] }, max: 30d }] } }\n";
    assert!(help(role).contains("`lifetime: 30d`"));
}

#[test]
fn raw_endpoints_are_a_finding_and_their_modes_are_not_guessed() {
    let raw = |fields: &str| {
        let scope = SCOPE.replace("endpoints: { mode: none", &format!("endpoints: {{ {fields}"));
        lint_text("", &key(&format!("  lifetime: 90d\n{scope}")))
    };
    let report = raw("mode: raw, groupsMode: any, tagsMode: no_scope");
    assert_eq!(codes(&report), ["A005"]);
    assert_eq!(report.findings[0].severity, Severity::Warning);
    let report = raw("mode: raw");
    assert_eq!(codes(&report), ["S002", "S002", "A005"]);
    for finding in &report.findings[..2] {
        assert!(finding.help.is_some(), "{finding:?}");
    }
    wording!(report.findings[0].help.as_deref().unwrap_or_default());
}

#[test]
fn an_unreadable_time_is_shown_beside_the_other() {
    let report = lint_text("", &key(&format!("  expires: 2027-02-30\n  lifetime: 90d\n{SCOPE}")));
    assert_eq!(codes(&report), ["E005", "S003"]);
}

#[test]
fn a_waiver_suppresses_no_other_rule() {
    let long = key(&format!("  lifetime: 730d\n{SCOPE}"));
    let waiver = |rule: &str| {
        format!(
            "waivers: [{{ rule: {rule}, key: svc-a, reason: r, approvedBy: b, expires: 2026-02-01 }}]\n"
        )
    };
    assert_eq!(codes(&lint_text("", &long)), ["E003"]);
    assert_eq!(codes(&lint_text(&waiver("E003"), &long)), ["E007"]);
    let never = key(&format!("  expires: never\n{SCOPE}"));
    assert_eq!(codes(&lint_text("", &never)), ["E001"]);
    assert_eq!(codes(&lint_text(&waiver("E001"), &never)), ["E007"]);
    assert_eq!(codes(&lint_text("rules: { E001: { enabled: false } }\n", &never)), ["E007"]);
    let secret = key(&format!("  lifetime: 90d\n  token: x\n{SCOPE}"));
    assert_eq!(codes(&lint_text("", &secret)), ["X004"]);
    let waivable = format!("rules: {{ X004: {{ waivable: true }} }}\n{}", waiver("X004"));
    assert_eq!(codes(&lint_text(&waivable, &secret)), ["S001"]);
    assert_eq!(codes(&lint_text(&waiver("X004"), &secret)), ["P004", "X004"]);
    assert_eq!(codes(&lint_text("rules: { X004: { enabled: false } }\n", &secret)), ["S001"]);
}

#[test]
fn a_near_expiry_names_the_first_notice() {
    let near = key(&format!("  expires: 2026-01-04T12:00:00Z\n{SCOPE}"));
    let report = lint_text("rules: { E004: { windows: [7d, 1d] } }\n", &near);
    assert_eq!(
        report.findings[0].message,
        "this key expires in 3 days; the policy requires rotation 7 days before the expiry"
    );
}

#[test]
fn values_pasted_into_the_wrong_line_are_printed_in_no_format() {
    let token = "S3cr3tS3cr3tS3cr3t";
    for text in [
        key(&format!("  lifetime: {token}\n{SCOPE}")),
        key(&format!("  expires: '{token}'\n{SCOPE}")),
        key(SCOPE).replace("advanced", token),
        key(&format!("  lifetime: 90d\n{SCOPE}")).replace("mode: none", &format!("mode: {token}")),
        key(SCOPE).replace("[Viewer]", token),
        key(SCOPE).replace("cortexkey/v1", token),
        key(&format!("  token: \"{token}\u{85}{token}\"\n{SCOPE}")),
        format!("spec:\n  lifetime: {token}\n  roles: [\n"),
        format!("spec: {{ lifetime: {token}, x: ] }}\n"),
        key(SCOPE).replace(
            "[Viewer]",
            "[ghp_abcdefghijklmnop, xoxb-12345678-abcdefgh, AKIAIOSFODNN7EXAMPLE]",
        ),
    ] {
        let report = lint_text("", &text);
        assert!(!report.findings.is_empty());
        for (_, format) in Format::ALL {
            let out = report.render(format, false);
            for secret in ["S3cr3t", "abcdefgh", "IOSFODNN"] {
                assert!(!out.contains(secret), "{out}");
            }
        }
    }
}

#[test]
fn ordinary_names_are_shown() {
    let text =
        key(&format!("  expires: 2020-03-01T00:00:00Z\n  svc-siem-export-prod-eu2: x\n{SCOPE}"))
            .replace("[Viewer]", "[Organisation Reporting Reader 2024]");
    let out = lint_text("", &text).render(Format::Human, false);
    for name in
        ["2020-03-01T00:00:00Z", "svc-siem-export-prod-eu2", "Organisation Reporting Reader 2024"]
    {
        assert!(out.contains(name), "{out}");
    }
}
