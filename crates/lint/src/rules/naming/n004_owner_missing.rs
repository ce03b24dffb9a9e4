//! N004 owner-missing: the key has no owner.

use cortexkey_manifest::definition::UNASSIGNED;
use cortexkey_manifest::policy::Severity;

use crate::rule::{FindingSink, Fixes, KeyContext, Rule, RuleCheck, RuleExample, missing_span};

pub(crate) static RULE: Rule = Rule {
    code: "N004",
    name: "owner-missing",
    severity: Severity::Error,
    summary: "the key has no owner",
    why: "The product stores no owner: it records who created the key, and people leave. Only the \
          definition says whom to ask before a key is rotated. `unassigned`, which an import \
          writes if it does not know the owner, is not an owner.",
    bad: RuleExample::fields("metadata:\n  name: svc-siem-export-prod\n")
        .without(&["metadata.owner"]),
    good: RuleExample::fields("metadata:\n  name: svc-siem-export-prod\n  owner: team-detection\n"),
    remedy: "Use a team from the policy's catalog, or an e-mail address.",
    options: &[],
    fixes: Fixes::No,
    check: RuleCheck::Key(check),
};

fn check(cx: &KeyContext<'_>, sink: &mut FindingSink<'_>) {
    let Some(metadata) = &cx.definition.metadata else { return };
    let written = metadata.owner.spanned().map(|owner| (owner.value.trim(), owner.span));
    let (span, what) = match written {
        Some((UNASSIGNED, span)) => (span, "is `unassigned`"),
        Some(("", span)) => (span, "is missing"),
        None if metadata.owner.is_missing() => {
            (missing_span(&metadata.owner, metadata.place), "is missing")
        }
        _ => return,
    };
    let message = format!("`metadata.owner` {what}: nobody is responsible for this key");
    let finding =
        cx.finding(span, message).help("write `owner: team-detection`, or an e-mail address");
    finding.report(sink);
}
