//! Test cases of a policy: those that pass, those that fail, and the errors for files that are not
//! test cases.

use cortexkey_lint::{CaseFile, Policy, run_cases};
use cortexkey_manifest::yaml::YamlLimits;

const POLICY: &str = "apiVersion: cortexkey/v1\nkind: Policy\nmetadata: { name: t }\n\
    extends: ['builtin:minimal']\ncustomRules:\n  - id: ORG001\n    name: few-roles\n    \
    assert: \"size(key.spec.roles) <= 1\"\n    message: one role is enough\n";

fn case(roles: &str, expect: &str) -> String {
    format!(
        "apiVersion: cortexkey/v1\nkind: PolicyTest\ncases:\n  - name: roles\n    \
         now: 2026-01-01\n    definition: |\n      apiVersion: cortexkey/v1\n      kind: ApiKey\n      \
         metadata: {{ name: svc-abc }}\n      spec:\n        securityLevel: advanced\n        \
         roles: {roles}\n    expect: {expect}\n"
    )
}

fn faults(text: &str) -> Vec<String> {
    let policy = Policy::from_text("cortexkey.yaml", POLICY);
    assert!(policy.is_valid());
    let limits = YamlLimits::default();
    let file = CaseFile::new("tests/a.yaml", text.as_bytes().to_vec(), &limits);
    let outcome = run_cases(&policy, &[file], &limits);
    let of_cases = outcome.cases.iter().flat_map(|case| case.faults.clone());
    of_cases.chain(outcome.faults.clone()).collect()
}

#[test]
fn exactly_the_expected_findings_are_reported() {
    assert_eq!(faults(&case("[a, b]", "[{ rule: ORG001 }]")), Vec::<String>::new());
    assert_eq!(faults(&case("[a, b]", "[{ rule: few-roles, line: 6, severity: error }]")).len(), 0);
    let mut shown = Vec::new();
    for (roles, expect) in [
        ("[a, b]", "[]"),
        ("[a, b]", "[{ rule: ORG001, line: 5 }]"),
        ("[a, b]", "[{ rule: ORG001, severity: warning }]"),
        ("[a, b]", "[{ rule: ORG001 }, { rule: ORG001 }]"),
        ("[a, b]", "[{ rule: few-role }]"),
        ("[a]", "[]"),
    ] {
        shown.push(format!("{roles} {expect}: {:#?}\n", faults(&case(roles, expect))));
    }
    insta::assert_snapshot!(shown.concat());
}

#[test]
fn files_that_are_no_cases_are_faults() {
    let mut shown = Vec::new();
    for text in [
        "",
        "a: [",
        "apiVersion: cortexkey/v1\nkind: Policy\ncases: []\n",
        "apiVersion: cortexkey/v1\nkind: PolicyTest\n",
        "apiVersion: cortexkey/v1\nkind: PolicyTest\ncases: [{ name: x }]\n",
        "apiVersion: cortexkey/v1\nkind: PolicyTest\ncases: [{ nmae: x }]\n",
    ] {
        shown.push(format!("{text:?}: {:#?}\n", faults(text)));
    }
    insta::assert_snapshot!(shown.concat());
}
