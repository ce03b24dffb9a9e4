//! Family L: the security level.

use super::{KEY, fixed, key, lint_text, reported};

const STANDARD: &str = "securityLevel: standard";

fn standard() -> String {
    key("securityLevel: advanced", STANDARD)
}

#[test]
fn a_standard_key_is_reported_with_its_fix() {
    let report = lint_text("", &standard());
    assert_eq!(
        reported("L001", &report),
        [
            "svc-a.yaml:7:18-26 every request carries a standard key in the clear; the policy requires advanced",
            "help: write `securityLevel: advanced`",
        ]
    );
    assert_eq!(fixed("L001", "", &standard()).unwrap(), KEY);
    let unset = key("  securityLevel: advanced\n", "");
    let unknown = key("securityLevel: advanced", "securityLevel: high");
    for text in [KEY, &unset, &unknown] {
        assert_eq!(reported("L001", &lint_text("", text)), [""; 0]);
    }
}

#[test]
fn the_policy_line_that_requires_advanced_is_shown() {
    let report = lint_text("rules: { L001: { severity: warning } }\n", &standard());
    assert_eq!(reported("L001", &report)[2], "cortexkey.yaml:5:28-35 required here");
}

#[test]
fn a_missing_or_empty_level_is_requested() {
    for (line, place) in [("", "6:1-5"), ("  securityLevel:\n", "7:3-16")] {
        let report = lint_text("", &key("  securityLevel: advanced\n", line));
        assert_eq!(
            reported("L002", &report),
            [
                &format!(
                    "svc-a.yaml:{place} `spec.securityLevel` is missing, and there is no default"
                ),
                "help: write `securityLevel: advanced`",
            ]
        );
    }
    // An unreadable field is present.
    let unknown = key("securityLevel: advanced", "securityLevel: high");
    for text in [KEY, &standard(), &unknown] {
        assert_eq!(reported("L002", &lint_text("", text)), [""; 0]);
    }
}

#[test]
fn a_privileged_role_on_a_standard_key_is_named() {
    let policy = "rules: { L001: { enabled: false } }\n";
    let roles = |text: &str, roles: &str| text.replace("[Viewer]", roles);
    let report = lint_text(policy, &roles(&standard(), "[Viewer, Security Admin]"));
    assert_eq!(
        reported("L003", &report),
        [
            "svc-a.yaml:7:18-26 a standard key holds `Security Admin`, which is privileged",
            "help: write `securityLevel: advanced`, or use a role that is not privileged",
            "svc-a.yaml:10:19-33 the role",
        ]
    );
    let text = roles(&standard(), "[Security Admin]");
    assert_eq!(fixed("L003", policy, &text).unwrap(), roles(KEY, "[Security Admin]"));
    // Neither is reported alone, and if standard is forbidden, only that is reported.
    for (policy, text) in [
        (policy, standard()),
        (policy, roles(KEY, "[Security Admin]")),
        ("", roles(&standard(), "[Security Admin]")),
    ] {
        assert_eq!(reported("L003", &lint_text(policy, &text)), [""; 0]);
    }
}

#[test]
fn a_standard_key_without_an_expiry_is_reported_there() {
    let policy = "rules: { L001: { enabled: false }, E001: { allowNever: true } }\n";
    let ends = |text: &str, end: &str| text.replace("lifetime: 90d", end);
    let report = lint_text(policy, &ends(&standard(), "expires: never"));
    assert_eq!(
        reported("L004", &report),
        [
            "svc-a.yaml:9:12-17 a standard key never expires",
            "help: write `lifetime: 90d`, or make the key advanced",
            "svc-a.yaml:7:18-26 the level",
        ]
    );
    for text in [
        standard(),
        ends(&standard(), "expires: 2026-03-01T00:00:00Z"),
        ends(KEY, "expires: never"),
    ] {
        assert_eq!(reported("L004", &lint_text(policy, &text)), [""; 0]);
    }
}

/// A key of a level for a tool.
fn used_by(level: &str, labels: &str) -> String {
    let labels = format!("owner: team-a\n  labels: {{ {labels} }}");
    key("owner: team-a", &labels).replace("advanced", level)
}

#[test]
fn a_tool_of_the_other_level_is_named() {
    let report = lint_text("", &used_by("advanced", "team: x, consumer: cortex-cli"));
    assert_eq!(
        reported("L005", &report),
        [
            "svc-a.yaml:8:18-26 `cortex-cli` supports only standard keys",
            "help: write `securityLevel: standard`, or correct the label",
            "svc-a.yaml:6:32-42 the consumer",
        ]
    );
    let report = lint_text("", &used_by("standard", "consumer: xdr-iocs"));
    assert_eq!(
        reported("L005", &report),
        [
            "svc-a.yaml:8:18-26 `xdr-iocs` supports only advanced keys",
            "help: write `securityLevel: advanced`, or correct the label",
            "svc-a.yaml:6:23-31 the consumer",
        ]
    );
    for (level, labels) in [
        ("standard", "consumer: cortex-cli"),
        ("advanced", "consumer: xdr-iocs"),
        ("advanced", "consumer: siem"),
        ("advanced", "tool: cortex-cli"),
        ("advanced", "team: cortex-cli, consumer: siem"),
    ] {
        assert_eq!(reported("L005", &lint_text("", &used_by(level, labels))), [""; 0]);
    }
}

#[test]
fn tools_in_the_policy_replace_the_known_ones() {
    let policy = "rules: { L005: { standardOnly: [our-cli] } }\n";
    let report = lint_text(policy, &used_by("advanced", "consumer: our-cli"));
    assert_eq!(reported("L005", &report)[3], "cortexkey.yaml:5:32-41 set here");
    let report = lint_text(policy, &used_by("advanced", "consumer: cortex-cli"));
    assert_eq!(reported("L005", &report), [""; 0]);
    let report = lint_text(policy, &used_by("standard", "consumer: xdr-iocs"));
    assert_eq!(reported("L005", &report).len(), 3);
}
