//! Custom rules of a policy: the positions of their findings, and the mistakes in them that are
//! reported.

use cortexkey_lint::{Corpus, CorpusFile, Policy, Report, lint};
use cortexkey_manifest::yaml::YamlLimits;

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
    let file = CorpusFile::new("svc-abc.yaml", text.as_bytes().to_vec(), &YamlLimits::default());
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
fn findings_are_reported_at_the_fields_of_the_expression() {
    let rules = rule("", "size(key.spec.roles) < 2 && key.spec.securityLevel == 'standard'");
    let found = found(&policy(&rules), KEY);
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("8 [Viewer, Responder] | "), "{found:?}");
    assert!(found[0].contains("| advanced |"), "{found:?}");
    wording!(found[0]);
}

#[test]
fn a_match_selects_the_keys_of_a_rule() {
    let wants = |fields: &str| found(&policy(&rule(fields, "size(key.spec.roles) < 2")), KEY).len();
    assert_eq!(wants("match: { labels: { env: prod } },"), 1);
    assert_eq!(wants("match: { labels: { env: [dev, prod] }, roles: Viewer },"), 1);
    assert_eq!(wants("match: { labels: { env: dev } },"), 0);
}

#[test]
fn a_missing_field_in_an_expression_is_a_finding() {
    let wants = |assert: &str| found(&policy(&rule("", assert)), KEY);
    let lines = wants("key.spec.comment.contains('x')");
    wording!(lines[0]);
    assert!(wants("!has(key.spec.comment)").is_empty());
    let lines = wants("key.metadata.labels.tier == 'one'");
    wording!(lines[0]);
    assert!(wants("!('tier' in key.metadata.labels)").is_empty());
}

#[test]
fn mistakes_of_a_rule_are_mistakes_of_the_policy() {
    let mut all = String::new();
    for rules in [
        rule("", "key.spec.rols == []"),
        rule("", "size(key.spec.roles) <"),
        rule("", "size(key.spec.roles)"),
        rule("", &format!("key.spec.comment == '{}'", "x".repeat(1001))),
        rule("", "true").replace("ORG001", "E003"),
        rule("", "true").replace("ORG001", "E003x"),
        rule("", "true").replace("own-rule", "expiry-too-long"),
        rule("", "true").replace("own-rule", "Own rule"),
        rule("severity: grave,", "true"),
        rule("asert: x,", "true"),
        rule("", "has(key.spec.comment)").repeat(2),
    ] {
        let policy = policy(&rules);
        assert!(!policy.is_valid(), "{rules}");
        let report = lint_text(&policy, KEY);
        let said: Vec<&str> = report.findings.iter().map(|f| f.message.as_str()).collect();
        all.extend([format!("{}  {}\n", rules, said.join("\n  "))]);
    }
    wording!(all);
}

#[test]
fn custom_rules_can_be_waived_and_suppressed() {
    let rules = rule("", "size(key.spec.roles) < 2");
    let waiver = "waivers: [{ rule: ORG001, key: svc-abc, reason: r, approvedBy: b, expires: 2026-02-01 }]\n";
    let waiving = policy(&format!("{rules}{waiver}"));
    assert!(waiving.is_valid() && found(&waiving, KEY).is_empty());
    let comment = KEY.replace(
        "roles: [Viewer, Responder]",
        "roles: [Viewer, Responder] # cortexkey: ignore[own-rule] reason=\"r\" until=2026-02-01",
    );
    let report = lint_text(&policy(&rules), &comment);
    assert!(report.findings.is_empty() && report.waived.len() == 1, "{:?}", report.findings);
}

/// The findings of an expression, at the time and path of the tests.
fn answers(assert: &str, text: &str) -> Vec<String> {
    let rules = rule("", assert);
    let facts = "tenants: { eu: { product: xsiam, sbac: disabled, tags: restrictive } }\n\
                 catalog: { roles: [{ name: Own Role, components: { 'Public API': view } }] }\n";
    let policy = policy(&format!("{rules}{facts}"));
    assert!(policy.is_valid(), "{assert}: {:?}", lint_text(&policy, KEY).findings);
    found(&policy, text)
}

#[test]
fn expressions_see_time_path_and_facts() {
    let key = KEY.replace("spec:", "spec:\n  expires: 2026-03-01");
    for holds in [
        "timestamp(key.spec.expires) - now < duration('90d')",
        "now == timestamp('2026-01-01T00:00:00Z')",
        "timestamp('2026-01-01') == now + duration('24h')",
        "duration('90d') == duration('2160h') && duration('60m') == duration('1h')",
        "path == 'svc-abc.yaml' && path.split('.')[1] == 'yaml'",
        "key.metadata.name.split('-') == ['svc', 'abc'] && 'a'.split('-') == ['a']",
        "'Az-Ü'.lowerAscii() == 'az-Ü' && 'Az-ü'.upperAscii() == 'AZ-ü'",
        "tenant.name == 'eu' && tenant.product == 'xsiam' && tenant.sbac == 'disabled'",
        "tenant.tags == 'restrictive' && !has(tenant.datasets) && tenant.domains == []",
        "ownerKeys == []",
    ] {
        assert_eq!(answers(&format!("has(key.spec.expires) && {holds}"), &key), [""; 0], "{holds}");
        assert_eq!(answers(&format!("has(key.spec.expires) && !({holds})"), &key).len(), 1);
    }
}

#[test]
fn permissions_are_those_of_all_roles_and_unknown_ones_pass_nothing() {
    let with = |roles: &str| KEY.replace("[Viewer, Responder]", roles);
    let own = "permission('Public API') == 'view'";
    assert!(answers(own, &with("[Own Role]")).is_empty());
    let all = "permission('Public API') == 'edit'";
    assert!(answers(all, &with("[Own Role, Instance Administrator]")).is_empty());
    // Nothing is known about an unknown role, so neither answer is given.
    for assert in [own, "permission('Public API') != 'edit'", "permission('Public API') == 'none'"]
    {
        let report = lint_text(&policy(&rule("", assert)), &with("[No Such Role]"));
        let finding = report.findings.iter().find(|finding| finding.rule.code() == "ORG001");
        let finding = finding.unwrap_or_else(|| panic!("{assert}"));
        assert!(finding.unchecked && finding.message.contains("`permission`"), "{finding:?}");
    }
    // A component whose name is known only while the rule runs.
    let odd = "permission(key.metadata.name) == 'none'";
    let report = lint_text(&policy(&rule("", odd)), &with("[Own Role]"));
    let own = report.findings.iter().find(|finding| finding.rule.code() == "ORG001");
    wording!(own.unwrap().message);
}

#[test]
fn an_unanswerable_function_is_a_finding_that_names_it() {
    let never = KEY.replace("spec:", "spec:\n  expires: never");
    for (assert, key, words) in [
        ("timestamp(key.spec.expires) > now", never.as_str(), "`timestamp` takes a date"),
        ("duration(key.metadata.name) > 0", KEY, "`duration` takes a duration"),
        ("key.metadata.name.split(key.metadata.labels.env) == []", KEY, ""),
        ("int(key.metadata.name) > 0", KEY, "`int` has no result for this key"),
        ("size(key.metadata.name) / (size(key.spec.roles) - 2) > 0", KEY, "divides by zero"),
        ("key.metadata.name.split('-')[7] == ''", KEY, "no item at this index"),
        ("min(key.spec.roles.filter(role, role == '')) == ''", KEY, "`min` takes a list that is"),
    ] {
        let lines = answers(assert, key);
        assert!(lines.len() == 1 && lines[0].contains(words), "{assert}: {lines:?}");
        // The key's values are not repeated.
        assert!(!lines[0].split(" | ").last().is_some_and(|message| message.contains("svc-abc")));
    }
}

/// Keys of two owners in two tenants, and the findings of a rule about the owner's keys.
fn of_owners(assert: &str, count: usize) -> Vec<String> {
    let rules = rule("", assert);
    let policy = policy(&format!(
        "{rules}tenants: {{ eu: {{ product: xsiam }}, us: {{ product: xdr-5 }} }}\n"
    ));
    let file = |name: String, owner: &str, tenant: &str| {
        let metadata = format!("  name: {name}\n  owner: {owner}\n  tenant: {tenant}\n");
        let text = KEY.replace("  name: svc-abc\n", &metadata);
        CorpusFile::new(format!("{name}.yaml"), text.into_bytes(), &YamlLimits::default())
    };
    let mut files: Vec<CorpusFile> =
        (0..count).map(|n| file(format!("svc-a{n}"), "team-a", "eu")).collect();
    files.push(file("svc-us".into(), "team-a", "us"));
    files.push(file("svc-b".into(), "team-b", "eu"));
    let corpus = Corpus { files, ..Corpus::default() };
    let report = lint(&corpus, &policy, "2026-01-01T00:00:00Z".parse().unwrap_or_default());
    let own = report.findings.iter().filter(|finding| finding.rule.code() == "ORG001");
    let mut keys: Vec<String> = own
        .map(|finding| format!("{} {}", finding.key.clone().unwrap_or_default(), finding.message))
        .collect();
    keys.sort();
    keys
}

#[test]
fn expressions_see_the_keys_of_the_owner_in_the_tenant() {
    assert_eq!(of_owners("ownerKeys.size() == 1", 1), [""; 0]);
    assert_eq!(of_owners("ownerKeys.size() == 1", 2), ["svc-a0 not so", "svc-a1 not so"]);
    let others = "ownerKeys.filter(k, k.metadata.name != key.metadata.name).size() < 2";
    assert_eq!(of_owners(others, 2), [""; 0]);
    assert_eq!(of_owners(others, 3).len(), 3);
    // More than 200 keys are an error, so nothing passes unchecked.
    let all = "ownerKeys.all(k, size(k.spec.roles) < 9)";
    assert_eq!(of_owners(all, 200), [""; 0]);
    let found = of_owners(all, 201);
    assert_eq!(found.len(), 201);
    wording!(found[0]);
}

#[test]
fn all_functions_and_variables_are_in_the_documents() {
    let page = include_str!("../../../../docs/linting.md");
    for function in cortexkey_lint::FUNCTIONS {
        // A `|` would end the table cell.
        let example = function.example.replace('|', "\\|");
        let row = format!("| `{}` | {} | `{example}` |", function.usage, function.what);
        assert!(page.contains(&row), "{row}");
    }
    for (name, what) in cortexkey_lint::VARIABLES {
        let row = format!("| `{name}` | {what} |");
        assert!(page.contains(&row), "{row}");
    }
}

#[test]
fn each_functions_example_is_true_and_calls_it() {
    let text = "\
tenants: { prod: { product: xsiam } }
catalog: { roles: [{ name: SIEM Export, components: { Public API: view } }] }
";
    let policy = Policy::from_text("cortexkey.yaml", &format!("{HEAD}{text}"));
    assert!(policy.is_valid());
    let key = "\
apiVersion: cortexkey/v1
kind: ApiKey
metadata: { name: svc-siem-export, owner: team-detection, tenant: prod, labels: { tier: '2' } }
spec: { securityLevel: advanced, comment: Exports incidents to the SIEM, lifetime: 90d,
  roles: [SIEM Export] }
";
    let file = CorpusFile::new("keys/a.yaml", key.as_bytes().to_vec(), &YamlLimits::default());
    let corpus = Corpus { files: vec![file], ..Corpus::default() };
    let now = "2026-01-01T00:00:00Z".parse().unwrap();
    for function in cortexkey_lint::FUNCTIONS {
        let example = function.example;
        assert!(example.contains(&format!("{}(", function.name)), "{example}");
        let answers = cortexkey_lint::evaluate(example, &corpus, &policy, now).unwrap();
        assert_eq!(answers[0].answer, Ok(true.into()), "{example}");
    }
}

#[test]
fn an_expression_is_evaluated_for_each_key() {
    let policy = policy(&rule("", "size(key.spec.roles) < 9"));
    let file = CorpusFile::new("a.yaml", KEY.as_bytes().to_vec(), &YamlLimits::default());
    let corpus = Corpus { files: vec![file], ..Corpus::default() };
    let now = "2026-01-01T00:00:00Z".parse().unwrap_or_default();
    let answer = |text: &str| {
        let mut all = cortexkey_lint::evaluate(text, &corpus, &policy, now).unwrap();
        assert_eq!(all.len(), 1);
        let one = all.remove(0);
        assert_eq!(
            (one.file.as_str(), one.line, one.key.as_deref()),
            ("a.yaml", 4, Some("svc-abc"))
        );
        one.answer
    };
    assert_eq!(answer("size(key.spec.roles) < 2").unwrap(), serde_json::json!(false));
    assert_eq!(answer("key.spec.roles").unwrap(), serde_json::json!(["Viewer", "Responder"]));
    assert_eq!(answer("key.metadata.labels").unwrap(), serde_json::json!({ "env": "prod" }));
    wording!(answer("key.spec.comment").unwrap_err().to_string());
    let error = cortexkey_lint::evaluate("key.spec.rols", &corpus, &policy, now).unwrap_err();
    assert_eq!(error.help(), Some("did you mean `roles`?"));
    let secret = format!("'{}' + key.metadata.name", "aB3".repeat(43));
    assert!(!answer(&secret).unwrap().to_string().contains("aB3aB3"));
}
