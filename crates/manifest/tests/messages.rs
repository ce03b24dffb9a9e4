//! All mistakes of a file at once, with their messages.

use cortexkey_manifest::yaml::{YamlLimits, parse};
use cortexkey_manifest::{Problem, definition, policy};

fn shown(text: &str, is_policy: bool) -> String {
    let parsed = parse(text, &YamlLimits::default());
    let mut problems: Vec<Problem> = parsed.problems;
    for document in parsed.tree.documents() {
        problems.extend(if is_policy {
            policy::read(&parsed.tree, *document).problems
        } else {
            definition::read(&parsed.tree, *document).problems
        });
    }
    problems.sort_by_key(|problem| problem.span);
    let mut out = String::new();
    for problem in problems {
        let at = parsed.tree.position(problem.span.start);
        let help = problem.help.map(|help| format!("\n      {help}")).unwrap_or_default();
        let code = problem.kind.code();
        let message = problem.message;
        out = format!("{out}{}:{} {code} {message}{help}\n", at.line, at.column);
    }
    out
}

#[test]
fn a_definition_with_every_mistake() {
    let text = "\
apiVersion: cortexkey/v1
kind: ApiKey
metadata:
  nam: no
  labels: [a, b]
  approvals: [{ ticket: SEC-1 }]
spec:
  securityLevel: advnaced
  comment: { a: b }
  expires: 2026-02-30
  lifetime: 3 weeks
  roles: Viewer
  scope:
    assets: { mode: selct, groups: [{ id: x }] }
    casesAndIssues: { mode: all }
    endpoints: { mode: raw, tag: [] }
    datasets: { default: select, filters: [{ dataset: xdr_data }] }
";
    insta::assert_snapshot!(shown(text, false));
}

#[test]
fn other_versions_and_kinds_are_not_guessed_at() {
    insta::assert_snapshot!(shown("apiVersion: cortexkey/v2\nkind: Apikey\nspec: 1\n", false));
    insta::assert_snapshot!(shown("- a\n", false));
    for text in ["{{ template }}\n", "{{ a }}\n---\n", "hello\n", "{% if %}\nkind: x\n"] {
        let found = shown(text, false);
        let count = found.lines().filter(|line| line.starts_with("1:")).count();
        assert!(count == 1 && text.starts_with('{') == found.contains("template"), "{found}");
    }
    insta::assert_snapshot!(shown("metadata: { name: a }\nspec:\n", false));
}

#[test]
fn a_policy_with_every_mistake() {
    let text = "\
apiVersion: cortexkey/v1
kind: Policy
metadata: { nme: x }
extend: [builtin:recommended]
keys: keys/*.yaml
tenants:
  prod: { product: xsim, sbac: on, datasets: yes, assetGroups: [{ id: 1 }] }
  dev: {}
rules:
  E003: off
  E001: { enabled: no, severity: fatal, overrides: [{ max: 3d }] }
catalog:
  roles: [{ components: { Public API: all } }]
  conflicts: [Responder]
waivers: [{ expires: soon }]
customRules: [{ id: A }]
tests:
";
    insta::assert_snapshot!(shown(text, true));
}

#[test]
fn the_whole_form_of_a_policy_is_taken() {
    let text = "\
apiVersion: cortexkey/v1
kind: Policy
metadata: { name: acme }
extends: [builtin:recommended]
keys: [\"keys/**/*.yaml\"]
tenants:
  prod-eu: { product: xsiam, sbac: enforced, tags: permissive, datasets: true, endpointTags: [vip],
             assetGroups: [{ name: prod-eu, id: 16, scopable: true }], endpointGroups: [servers-eu],
             domains: [Finance] }
rules:
  level-standard-forbidden: { severity: error, locked: true, waivable: false,
    overrides: [{ match: { labels: { consumer: [cortex-cli, cortex-mcp] } }, enabled: false }] }
  expiry-too-long: { max: 180d, overrides: [{ match: { roles: [Instance Administrator] }, max: 30d }] }
  name-pattern: { pattern: '^(svc|ci|bot)-[a-z0-9-]+-(prod|dev)$' }
  expiry-off-hours: { enabled: false }
catalog:
  roles: [{ name: SIEM Export, components: { \"Public API\": none, \"Cases and Issues\": view } },
          { name: Old Viewer, deprecated: { use: Viewer } },
          { name: Break Glass, privileged: true, actions: [Live Terminal], implies: [Responder] }]
  teams: [team-detection]
  emailDomains: [example.com]
  conflicts: [[Responder, Access Auditor]]
customRules:
  - id: ORG001
    name: prod-holds-few-roles
    match: { labels: { env: prod } }
    assert: \"size(key.spec.roles) <= 3 && key.spec.securityLevel == 'advanced'\"
    message: production keys are advanced and hold at most three roles
    severity: error
waivers:
  - { rule: expiry-too-long, key: prod-eu/svc-legacy, reason: \"once a year, SEC-77\",
      approvedBy: ciso@example.com, expires: 2026-12-31 }
tests: [\"tests/*.yaml\"]
";
    assert_eq!(shown(text, true), "");
}

#[test]
fn the_whole_form_of_a_definition_is_taken() {
    let text = "\
apiVersion: cortexkey/v1
kind: ApiKey
metadata:
  name: svc-siem-export-prod
  owner: team-detection
  tenant: prod-eu
  labels: { env: prod, consumer: siem-forwarder }
  annotations: { runbook: RB-12 }
  approvals: [{ by: ciso@example.com, ticket: SEC-99 }]
spec:
  securityLevel: advanced
  comment: Exports incidents to the SIEM. SEC-1234
  expires: \"2027-03-01T00:00:00Z\"
  roles: [Viewer, SIEM Export]
  scope:
    assets: { mode: select, groups: [prod-eu, { name: prod-us, id: 17 }] }
    casesAndIssues: { mode: select, domains: [Security], unreferenced: false }
    endpoints: { mode: select, groups: [servers-eu], tags: [] }
    datasets: { default: none, filters: [{ dataset: xdr_data, filter: '_vendor = \"acme\"' }] }
";
    assert_eq!(shown(text, false), "");
}
