//! Y002 yaml-duplicate-key: a key occurs twice in one mapping.

use cortexkey_manifest::ProblemKind;
use cortexkey_manifest::policy::Severity;

use crate::rule::{Fixes, Rule, RuleCheck, RuleExample};

const TWICE: &str = "apiVersion: cortexkey/v1
kind: ApiKey
metadata:
  name: svc-siem-export-prod
  owner: team-detection
spec:
  securityLevel: advanced
  comment: Exports incidents to the SIEM
  lifetime: 90d
  roles: [Viewer]
  roles: [Instance Administrator]
  scope:
    assets: { mode: none }
    casesAndIssues: { mode: none }
    endpoints: { mode: none }
";

pub(crate) static RULE: Rule = Rule {
    code: "Y002",
    name: "yaml-duplicate-key",
    severity: Severity::Error,
    summary: "a field appears twice in one mapping",
    why: "Most YAML readers silently use the last value. A reviewer who reads the first `roles` \
          approves another key than the one that is generated.",
    bad: RuleExample::file(TWICE),
    good: RuleExample::fields("spec:\n  roles: [Viewer]\n"),
    remedy: "Keep one of the two.",
    options: &[],
    fixes: Fixes::No,
    check: RuleCheck::Problems(|problem| problem.kind == ProblemKind::DuplicateKey, |_, _, _| None),
};
