//! Rules that a policy wrote itself: where their findings stand, and what is a mistake of theirs.

use cortexkey_lint::{Corpus, CorpusFile, Policy, Report, lint};
use cortexkey_manifest::yaml::Limits;

const HEAD: &str = "apiVersion: cortexkey/v1\nkind: Policy\nmetadata: { name: t }\n\
    extends: ['builtin:minimal']\n";

fn policy(rules: &str) -> Policy {
    Policy::from_text("cortexkey.yaml", &format!("{HEAD}customRules:\n{rules}"))
}

fn rule(fields: &str, assert: &str) -> String {
    format!(
        "  - {{ id: ORG001, name: own-rule, message: not so, {fields} assert: \"{assert}\" }}\n"
    )
}

fn lint_text(policy: &Policy, text: &str) -> Report {
    let file = CorpusFile::new("svc-abc.yaml", text.as_bytes().to_vec(), &Limits::default());
    let corpus = Corpus { files: vec![file], ..Corpus::default() };
    lint(&corpus, policy, "2026-01-01T00:00:00Z".parse().unwrap_or_default())
}

const KEY: &str = "apiVersion: cortexkey/v1\nkind: ApiKey\nmetadata:\n  name: svc-abc\n  \
    labels: { env: prod }\nspec:\n  securityLevel: advanced\n  roles: [Viewer, Responder]\n";

fn found(policy: &Policy, text: &str) -> Vec<String> {
    let report = lint_text(policy, text);
    let own = report.findings.iter().filter(|finding| finding.rule.code().starts_with("ORG"));
    own.map(|finding| {
        let source = &report.sources[finding.location.source];
        let text = |place: cortexkey_lint::Location| {
            place.span.slice(&report.sources[place.source].masked()).to_owned()
        };
        let line = source.positions(finding.location.span).0.line;
        let labels: Vec<String> =
            finding.related.iter().map(|second| text(second.location)).collect();
        format!("{line} {} | {} | {}", text(finding.location), labels.join(" | "), finding.message)
    })
    .collect()
}

#[test]
fn findings_stand_at_the_fields_that_the_expression_names() {
    let rules = rule("", "size(key.spec.roles) < 2 && key.spec.securityLevel == 'standard'");
    let found = found(&policy(&rules), KEY);
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("8 [Viewer, Responder] | "), "{found:?}");
    assert!(found[0].contains("| advanced |") && found[0].ends_with("not so"), "{found:?}");
}

#[test]
fn a_match_decides_for_which_keys_a_rule_is() {
    let wants = |fields: &str| found(&policy(&rule(fields, "size(key.spec.roles) < 2")), KEY).len();
    assert_eq!(wants("match: { labels: { env: prod } },"), 1);
    assert_eq!(wants("match: { labels: { env: [dev, prod] }, roles: Viewer },"), 1);
    assert_eq!(wants("match: { labels: { env: dev } },"), 0);
}

#[test]
fn a_field_that_the_key_does_not_have_is_a_finding_and_no_silent_no() {
    let wants = |assert: &str| found(&policy(&rule("", assert)), KEY);
    let lines = wants("key.spec.comment.contains('x')");
    assert!(lines[0].contains("it asks for `comment`, which this key does not have"), "{lines:?}");
    assert!(wants("!has(key.spec.comment)").is_empty());
    let lines = wants("key.metadata.labels.tier == 'one'");
    assert!(lines[0].contains("it asks for `tier`"), "{lines:?}");
    assert!(wants("!('tier' in key.metadata.labels)").is_empty());
}

#[test]
fn mistakes_of_a_rule_are_mistakes_of_the_policy() {
    for (rules, words) in [
        (rule("", "key.spec.rols == []"), "has no field `rols`"),
        (rule("", "size(key.spec.roles) <"), "is not CEL"),
        (rule("", "size(key.spec.roles)"), "must answer"),
        (rule("", &format!("key.spec.comment == '{}'", "x".repeat(1001))), "at most 1000"),
        (rule("", "true").replace("ORG001", "E003"), "no code for a rule"),
        (rule("", "true").replace("ORG001", "E003x"), "no code for a rule"),
        (rule("", "true").replace("own-rule", "expiry-too-long"), "is taken"),
        (rule("", "true").replace("own-rule", "Own rule"), "no name for a rule"),
        (rule("severity: grave,", "true"), "`grave` is no value"),
        (rule("asert: x,", "true"), "unknown field `asert`"),
        (rule("", "has(key.spec.comment)").repeat(2), "stands twice"),
    ] {
        let policy = policy(&rules);
        assert!(!policy.stands(), "{rules}");
        let report = lint_text(&policy, KEY);
        let said: Vec<&str> = report.findings.iter().map(|f| f.message.as_str()).collect();
        assert!(said.iter().any(|message| message.contains(words)), "{rules}: {said:?}");
    }
}

#[test]
fn own_rules_are_waived_and_silenced_like_all_others() {
    let rules = rule("", "size(key.spec.roles) < 2");
    let waiver = "waivers: [{ rule: ORG001, key: svc-abc, reason: r, approvedBy: b, expires: 2026-02-01 }]\n";
    let waiving = policy(&format!("{rules}{waiver}"));
    assert!(waiving.stands() && found(&waiving, KEY).is_empty());
    let comment = KEY.replace(
        "roles: [Viewer, Responder]",
        "roles: [Viewer, Responder] # cortexkey: ignore[own-rule] reason=\"r\" until=2026-02-01",
    );
    let report = lint_text(&policy(&rules), &comment);
    assert!(report.findings.is_empty() && report.waived.len() == 1, "{:?}", report.findings);
}
