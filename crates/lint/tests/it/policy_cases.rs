//! Cases of a policy: what passes, what fails, and what is said of files that are none.

use cortexkey_lint::{CaseFile, Policy, run_cases};
use cortexkey_manifest::yaml::Limits;

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
    assert!(policy.stands());
    let limits = Limits::default();
    let file = CaseFile::new("tests/a.yaml", text.as_bytes().to_vec(), &limits);
    let outcome = run_cases(&policy, &[file], &limits);
    let of_cases = outcome.cases.iter().flat_map(|case| case.faults.clone());
    of_cases.chain(outcome.faults.clone()).collect()
}

#[test]
fn what_is_expected_is_found_and_nothing_else() {
    assert_eq!(faults(&case("[a, b]", "[{ rule: ORG001 }]")), Vec::<String>::new());
    assert_eq!(faults(&case("[a, b]", "[{ rule: few-roles, line: 6, severity: error }]")).len(), 0);
    for (roles, expect, words) in [
        ("[a, b]", "[]", "ORG001 few-roles is found in line 6 (error) and not expected"),
        ("[a, b]", "[{ rule: ORG001, line: 5 }]", "is expected in line 5 and not found"),
        ("[a, b]", "[{ rule: ORG001, severity: warning }]", "is expected and not found"),
        ("[a, b]", "[{ rule: ORG001 }, { rule: ORG001 }]", "is expected and not found"),
        ("[a, b]", "[{ rule: few-role }]", "there is no rule `few-role`"),
        ("[a]", "[]", "rule ORG001 few-roles has no case that it fails"),
    ] {
        let found = faults(&case(roles, expect));
        assert!(found.iter().any(|fault| fault.contains(words)), "{roles} {expect}: {found:?}");
    }
}

#[test]
fn files_that_are_no_cases_are_faults() {
    for (text, words) in [
        ("", "no cases"),
        ("a: [", "not YAML"),
        ("apiVersion: cortexkey/v1\nkind: Policy\ncases: []\n", "kind `Policy` is not known here"),
        ("apiVersion: cortexkey/v1\nkind: PolicyTest\n", "`cases` is missing"),
        ("apiVersion: cortexkey/v1\nkind: PolicyTest\ncases: [{ name: x }]\n", "now"),
        (
            "apiVersion: cortexkey/v1\nkind: PolicyTest\ncases: [{ nmae: x }]\n",
            "unknown field `nmae`",
        ),
    ] {
        let found = faults(text);
        assert!(found.iter().any(|fault| fault.contains(words)), "{text}: {found:?}");
    }
}
