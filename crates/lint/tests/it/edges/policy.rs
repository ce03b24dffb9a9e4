//! Family P: the policy itself and its waivers.

use super::{KEY, key, lint_files, lint_text, messages, reported};

/// A policy with one waiver, its fields as given.
fn waiver(fields: &str) -> String {
    format!("waivers:\n  - {{ {fields} }}\n")
}

/// A valid waiver for the key, except for its expiry.
fn ending(expires: &str) -> String {
    waiver(&format!("rule: E003, key: svc-a, reason: r, approvedBy: a, expires: \"{expires}\""))
}

#[test]
fn a_waiver_stops_at_its_expiry() {
    let long = key("lifetime: 90d", "lifetime: 400d");
    let over = "this waiver has expired and no longer applies";
    for (end, reported) in [
        ("2025-12-31T23:59:59Z", &[over][..]),
        ("2026-01-01T00:00:00Z", &[over]),
        ("2026-01-01T00:00:01Z", &[]),
    ] {
        assert_eq!(messages("P001", &ending(end), &long), reported, "{end}");
        assert_eq!(messages("E003", &ending(end), &long).is_empty(), reported.is_empty(), "{end}");
    }
    assert_eq!(
        reported("P001", &lint_text(&ending("2026-01-01T00:00:00Z"), &long)),
        [
            "cortexkey.yaml:6:66-88 this waiver has expired and no longer applies",
            "help: fix the key and remove the waiver, or have it approved again",
        ],
    );
    // Without an expiry, it is incomplete but not expired.
    let endless = waiver("rule: E003, key: svc-a, reason: r, approvedBy: a");
    assert_eq!(messages("P001", &endless, &long), [""; 0]);
}

#[test]
fn a_waiver_may_last_as_long_as_the_limit() {
    for (policy, end, reported) in [
        ("", "2026-06-30T00:00:00Z", None),
        ("", "2026-07-01T00:00:00Z", Some("181 days; the policy allows at most 180 days")),
        ("rules: { P003: { max: 30d } }\n", "2026-01-31T00:00:00Z", None),
        (
            "rules: { P003: { max: 30d } }\n",
            "2026-02-01T00:00:00Z",
            Some("31 days; the policy allows at most 30 days"),
        ),
    ] {
        let messages = messages("P003", &format!("{policy}{}", ending(end)), KEY);
        let reported = reported.map(|reported| format!("this waiver lasts {reported}"));
        assert_eq!(messages, Vec::from_iter(reported), "{end}");
    }
    let policy = format!("rules: {{ P003: {{ max: 30d }} }}\n{}", ending("2026-03-01T00:00:00Z"));
    assert_eq!(
        reported("P003", &lint_text(&policy, KEY)),
        [
            "cortexkey.yaml:7:66-88 this waiver lasts 59 days; the policy allows at most 30 days",
            "help: set an earlier date, and review the waiver then",
            "cortexkey.yaml:5:23-26 the limit",
        ],
    );
    let endless = waiver("rule: E003, key: svc-a, reason: r, approvedBy: a");
    assert_eq!(messages("P003", &endless, KEY), [""; 0]);
}

#[test]
fn a_waiver_for_a_non_waivable_rule_is_reported() {
    let of = |rule: &str| {
        waiver(&format!("rule: {rule}, key: svc-a, reason: r, approvedBy: a, expires: 2026-02-01"))
    };
    let unwaivable = format!("rules: {{ E003: {{ waivable: false }} }}\n{}", of("expiry-too-long"));
    assert_eq!(
        reported("P004", &lint_text(&unwaivable, KEY)),
        [
            "cortexkey.yaml:7:13-28 rule E003 expiry-too-long cannot be waived here: the policy \
             forbids it",
            "help: fix the key; this waiver has no effect",
            "cortexkey.yaml:5:28-33 set here",
        ],
    );
    assert_eq!(
        reported("P004", &lint_text(&of("Y001"), KEY)),
        [
            "cortexkey.yaml:6:13-17 rule Y001 yaml-syntax cannot be waived here: it reports \
             that something could not be checked",
            "help: fix the key; this waiver has no effect",
        ],
    );
    for allowed in [
        of("E003"),
        of("no-such-rule"),
        format!("rules: {{ E003: {{ waivable: true }} }}\n{}", of("E003")),
    ] {
        assert_eq!(messages("P004", &allowed, KEY), [""; 0]);
    }
}

#[test]
fn missing_waiver_fields_are_reported_together() {
    let end = "expires: 2026-02-01";
    for (fields, lacks) in [
        ("approvedBy: a, expires: 2026-02-01", "reason"),
        ("reason: ' ', approvedBy: a, expires: 2026-02-01", "reason"),
        ("reason: r, expires: 2026-02-01", "approver"),
        ("reason: r, approvedBy: a", "end"),
        (end, "reason, no approver"),
        ("", "reason, no approver, no end"),
    ] {
        let policy = waiver(&format!("rule: E003, key: svc-a, {fields}"));
        assert_eq!(
            reported("P009", &lint_text(&policy, KEY)),
            [
                format!("cortexkey.yaml:6:7-11 this waiver has no {lacks} and does not apply"),
                "help: a waiver needs `reason`, `approvedBy` and `expires`".to_owned(),
            ],
        );
    }
    let whole = waiver("rule: E003, key: svc-a, reason: r, approvedBy: a, expires: 2026-02-01");
    assert_eq!(messages("P009", &whole, KEY), [""; 0]);
}

#[test]
fn a_waiver_names_an_existing_key() {
    let of = |tenants: &str, name: &str| {
        let policy = waiver(&format!(
            "rule: E003, key: {name}, reason: r, approvedBy: a, expires: 2026-02-01"
        ));
        let other = KEY.replace("name: svc-a", "name: svc-b\n  tenant: test");
        let files = [("svc-a.yaml", KEY), ("svc-b.yaml", other.as_str()), ("x.yaml", "x: 1\n")];
        reported("P009", &lint_files(&format!("{tenants}{policy}"), &files))
    };
    let prod = "tenants: { prod: { product: xsiam } }\n";
    for name in ["svc-a", "svc-b", "prod/svc-a", "test/svc-b"] {
        assert_eq!(of(prod, name), [""; 0], "{name}");
    }
    let near = |line: usize, name: &str, near: &str| {
        let end = 24 + name.len();
        [
            format!("cortexkey.yaml:{line}:24-{end} no key is named `{name}`"),
            format!("help: did you mean `{near}`?"),
        ]
    };
    assert_eq!(of(prod, "svc-ab"), near(7, "svc-ab", "svc-a"));
    assert_eq!(of(prod, "test/svc-a"), near(7, "test/svc-a", "svc-a"));
    assert_eq!(of(prod, "prod/svc-b"), near(7, "prod/svc-b", "svc-b"));
    // With two tenants, a key that does not name one has none.
    let both = "tenants: { prod: { product: xsiam }, test: { product: xsiam } }\n";
    assert_eq!(of(both, "prod/svc-a"), near(7, "prod/svc-a", "svc-a"));
    assert_eq!(of(both, "test/svc-b"), [""; 0]);
    assert_eq!(
        of("", "bot-triage-prod"),
        [
            "cortexkey.yaml:6:24-39 no key is named `bot-triage-prod`",
            "help: write the key as `name` or `tenant/name`",
        ],
    );
}
