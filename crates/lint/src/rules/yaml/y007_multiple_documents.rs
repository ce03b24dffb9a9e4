//! Y007 yaml-multiple-documents: several documents in one file, although the policy requires one.

use cortexkey_manifest::Span;
use cortexkey_manifest::policy::Severity;

use crate::rule::{
    COMPLETE, FileContext, FindingSink, Fixes, Rule, RuleCheck, RuleExample, definition,
};

const ON: &str = "rules: { yaml-multiple-documents: { enabled: true } }\n";

const TWO: &str = concat!(
    definition!(
        "apiVersion: cortexkey/v1",
        "{ name: svc-siem-export-prod, owner: team-detection }"
    ),
    "---
apiVersion: cortexkey/v1
kind: ApiKey
metadata: { name: svc-siem-export-dev, owner: team-detection }
spec:
  securityLevel: advanced
  comment: Exports incidents to the SIEM of the test environment
  lifetime: 30d
  roles: [Developer]
  scope: { assets: { mode: none }, casesAndIssues: { mode: none }, endpoints: { mode: none } }
"
);

pub(crate) static RULE: Rule = Rule {
    code: "Y007",
    name: "yaml-multiple-documents",
    severity: Severity::Warning,
    summary: "several documents in one file, although the policy requires one",
    why: "Some readers use the first document of a file and silently skip the others. With one \
          key per file, the file's history is the key's history.",
    bad: RuleExample::file(TWO).policy(ON),
    good: RuleExample::file(COMPLETE).policy(ON),
    remedy: "Move each definition to its own file.",
    options: &[],
    fixes: Fixes::No,
    check: RuleCheck::File(check),
};

fn check(cx: &FileContext<'_>, sink: &mut FindingSink<'_>) {
    let Some(second) = cx.tree.documents().get(1) else { return };
    let count = cx.tree.documents().len();
    let span = cx.tree.node(second.root).span;
    let start = cx.tree.position(span.start).line;
    let message = format!("the file has {count} documents; the second starts in line {start}");
    let end = cx.tree.line_end(span.start as usize).min(span.end as usize);
    let first = Span::new(span.start as usize, end);
    cx.finding(first, message)
        .help("move each definition to its own file")
        .decided(sink.settings.decided, "required here")
        .report(sink);
}
