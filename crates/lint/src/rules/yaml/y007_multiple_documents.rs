//! Y007 yaml-multiple-documents: several documents in one file, where the policy asks for one.

use cortexkey_manifest::Span;
use cortexkey_manifest::policy::Severity;

use crate::rule::{Check, Example, FileContext, Fixes, Rule, Sink};

const ON: &str = "rules: { yaml-multiple-documents: { enabled: true } }\n";

const TWO: &str = "apiVersion: cortexkey/v1
kind: ApiKey
metadata: { name: svc-siem-export-prod, owner: team-detection }
spec:
  securityLevel: advanced
  comment: Exports incidents to the SIEM
  lifetime: 90d
  roles: [Viewer]
  scope: { assets: { mode: none }, casesAndIssues: { mode: none }, endpoints: { mode: none } }
---
apiVersion: cortexkey/v1
kind: ApiKey
metadata: { name: svc-siem-export-dev, owner: team-detection }
spec:
  securityLevel: advanced
  comment: Exports incidents to the SIEM of the test stage
  lifetime: 30d
  roles: [Developer]
  scope: { assets: { mode: none }, casesAndIssues: { mode: none }, endpoints: { mode: none } }
";

pub(crate) static RULE: Rule = Rule {
    code: "Y007",
    name: "yaml-multiple-documents",
    severity: Severity::Warning,
    summary: "several documents in one file, where the policy asks for one",
    why: "Some readers take the first document of a file and pass over the others without a word. One key a file also makes its history the history of that key.",
    bad: Example::file(TWO).policy(ON),
    good: Example::fields("metadata:\n  name: svc-siem-export-prod\n").policy(ON),
    mend: "Move each definition into a file of its own.",
    options: &[],
    fixes: Fixes::No,
    check: Check::File(check),
};

fn check(cx: &FileContext<'_>, sink: &mut Sink<'_>) {
    let Some(second) = cx.tree.documents().get(1) else { return };
    let count = cx.tree.documents().len();
    let span = cx.tree.node(second.root).span;
    let start = cx.tree.position(span.start).line;
    let message = format!("the file holds {count} documents; the second begins in line {start}");
    let end = cx.tree.line_end(span.start as usize).min(span.end as usize);
    let first = Span::new(span.start as usize, end);
    cx.finding(first, message)
        .help("move each definition into a file of its own")
        .decided(sink.settings.decided, "asked for here")
        .report(sink);
}
