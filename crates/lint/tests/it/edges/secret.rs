//! Family X: secrets in definitions.

use super::{key, lint_text, messages, reported};

/// One value of each kind, none of them real: as long as a Cortex key, random, and of a known
/// format.
const CORTEX: &str = concat!(
    "0123456789abcdefghijABCDEFGHIJKL0123456789abcdefghijABCDEFGHIJKL",
    "0123456789abcdefghijABCDEFGHIJKL0123456789abcdefghijABCDEFGHIJKL",
);
const RANDOM: &str = "q7Hx2-Lm9Zt4_Vb6Nc8Rw1Ys3";
const KNOWN: &str = "AKIAIOSFODNN7EXAMPLE";
/// SHA-256 of the second, by `printf %s VALUE | sha256sum`.
const DIGEST: &str = "7e064c5abb307c4ade89052ec4ca28d3d754f9735ad0f93f15b1afbc48ee7abd";

/// A definition with a comment.
fn comment(text: &str) -> String {
    key("For this test", text)
}

#[test]
fn each_kind_of_secret_has_its_own_rule() {
    for (text, rule, message, help) in [
        (
            CORTEX,
            "X001",
            "this looks like a Cortex API key",
            "revoke it and generate a new one: the repository's history and every clone keep it",
        ),
        (
            RANDOM,
            "X002",
            "this looks like a password or a token",
            "replace the secret and remove it here; if it is not one, add its SHA-256 to `allow`",
        ),
        (
            KNOWN,
            "X003",
            "this looks like an AWS access key",
            "remove it, and revoke it at its issuer: the repository's history keeps it",
        ),
    ] {
        let text = comment(&format!("with {text} # and {text}"));
        let report = lint_text("", &text);
        let ends = 17 + (text.lines().nth(7).unwrap().len() - 16 - 7) / 2;
        let other = ends + 7;
        let last = other + ends - 17;
        assert_eq!(
            reported(rule, &report),
            [
                format!("svc-a.yaml:8:17-{ends} {message}"),
                format!("help: {help}"),
                format!("svc-a.yaml:8:{other}-{last} {message}"),
                format!("help: {help}"),
            ],
        );
        assert!(report.findings.iter().all(|finding| finding.rule.code() == rule));
        assert!(report.findings.iter().all(|finding| finding.key.as_deref() == Some("svc-a")));
    }
}

#[test]
fn random_looking_values_are_allowed_by_digest() {
    let allow = |list: &str| format!("rules: {{ X002: {{ allow: [{list}] }} }}\n");
    let other = "0".repeat(64);
    let text = comment(&format!("with {RANDOM}"));
    for list in [DIGEST.to_owned(), format!("{other}, {DIGEST}")] {
        // The file with the list itself is scanned too.
        assert_eq!(lint_text(&allow(&list), &text).findings, [], "{list}");
    }
    let message = "this looks like a password or a token";
    assert_eq!(messages("X002", &allow(&other), &text), [message]);
    assert_eq!(
        messages("X002", &allow(DIGEST), &comment("with x9Qz3-Kw8Bn5_Jd2Tg7Mv4Lr6")),
        [message]
    );
    assert_eq!(messages("X002", "", &comment(DIGEST)), [message]);
}

#[test]
fn a_field_named_like_a_secret_is_reported_anywhere() {
    for (old, new, position) in [
        ("spec:\n", "spec:\n  apiKey: x\n", "7:3-9 field `apiKey`"),
        ("metadata:\n", "metadata:\n  labels: { API-Token: x }\n", "4:13-22 field `API-Token`"),
        ("kind: ApiKey\n", "kind: ApiKey\npassword:\n", "3:1-9 field `password`"),
    ] {
        let report = lint_text("", &key(old, new));
        assert_eq!(
            reported("X004", &report),
            [
                format!("svc-a.yaml:{position} is named like a secret"),
                "help: remove it; if the value is real, revoke the key: the repository's history keeps it"
                    .to_owned(),
            ],
        );
        let mut findings = report.findings.iter().filter(|finding| finding.rule.code() == "X004");
        assert!(findings.all(|finding| finding.key.as_deref() == Some("svc-a")));
    }
    let plain = key("metadata:\n", "metadata:\n  labels: { keys: x, tokens: x }\n");
    assert_eq!(messages("X004", "", &plain), [""; 0]);
}

/// The reported reference in a comment.
fn reference(policy: &str, text: &str) -> Option<String> {
    let messages = messages("X005", policy, &comment(&format!("'{text}'")));
    assert!(messages.len() < 2);
    let reported = messages.first()?.strip_suffix(" is a reference, which is not expanded here");
    Some(reported.unwrap().trim_matches('`').to_owned())
}

#[test]
fn a_reference_is_reported_as_a_whole() {
    for (text, found) in [
        ("uses ${TOKEN}/suffix", "${TOKEN}"),
        ("uses $(cat token) now", "$(cat token)"),
        ("uses <%= token %>", "<%= token %>"),
        ("uses {{ token }} now", "{{ token }}"),
        ("uses ${{ secrets.token }}", "${{ secrets.token }}"),
        ("uses vault://a/b, and more", "vault://a/b"),
        ("uses op://a/b", "op://a/b"),
        ("uses secret://a/b now", "secret://a/b"),
        ("uses aws-sm://a/b", "aws-sm://a/b"),
        ("uses arn:aws:secretsmanager:eu:1:x", "arn:aws:secretsmanager:eu:1:x"),
        ("uses gcp-sm://a/b", "gcp-sm://a/b"),
        ("uses keyvault://a/b", "keyvault://a/b"),
        ("uses sops://a/b", "sops://a/b"),
        ("{{ a }} vault://b", "{{ a }}"),
        ("vault://b {{ a }}", "vault://b"),
    ] {
        assert_eq!(reference("", text).as_deref(), Some(found), "{text}");
    }
    assert_eq!(
        reported("X005", &lint_text("", &comment("'uses ${TOKEN}'"))),
        [
            "svc-a.yaml:8:12-27 `${TOKEN}` is a reference, which is not expanded here",
            "help: write the value, or remove it; add intended references to `allow`",
        ],
    );
    // The meaning of the text counts, not its notation.
    assert_eq!(
        messages("X005", "", &comment("\"$\\u007bTOKEN}\"")),
        ["`${TOKEN}` is a reference, which is not expanded here"]
    );
}

#[test]
fn strings_that_only_look_like_references_are_not_reported() {
    for text in [
        "costs $5 {a} (b) <c>",
        "no end of ${TOKEN",
        "no end of $(token",
        "no end of <% token >",
        "no end of {{ token }",
        "ends }} before it begins {{",
        "100%NAME% sure",
        "https://example.com/vault: here",
        "shop://a/b",
        "arn:aws:iam:eu:1:x",
    ] {
        assert_eq!(reference("", text), None, "{text}");
    }
}

#[test]
fn references_are_allowed_by_how_they_begin() {
    let allow = "rules: { X005: { allow: ['vault://cortex/', '{{ cookiecutter'] } }\n";
    for text in ["uses vault://cortex/a", "uses {{ cookiecutter.name }}"] {
        assert_eq!(reference(allow, text), None, "{text}");
    }
    for (text, found) in [
        ("uses vault://cortex", "vault://cortex"),
        ("uses vault://other/a", "vault://other/a"),
        // An allowed reference does not hide another one.
        ("vault://cortex/a vault://other/a", "vault://other/a"),
        ("{{ cookiecutter.a }} {{ b }}", "{{ b }}"),
        ("vault://cortex/a {{ b }}", "{{ b }}"),
    ] {
        assert_eq!(reference(allow, text).as_deref(), Some(found), "{text}");
    }
}
