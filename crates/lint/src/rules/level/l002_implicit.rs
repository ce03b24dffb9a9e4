//! L002 level-implicit: the definition does not set its level.

use cortexkey_manifest::policy::Severity;

use crate::rule::{FindingSink, Fixes, KeyContext, Rule, RuleCheck, RuleExample, missing_span};

pub(crate) static RULE: Rule = Rule {
    code: "L002",
    name: "level-implicit",
    severity: Severity::Error,
    summary: "the definition does not set its security level",
    why: "The product requires a level, and tools that omit it fall back to different ones. The \
          tool that generates the key must not decide whether each request carries the key \
          itself.",
    bad: RuleExample::fields("spec:\n  roles: [Viewer]\n").without(&["spec.securityLevel"]),
    good: RuleExample::fields("spec:\n  securityLevel: advanced\n  roles: [Viewer]\n"),
    remedy: "Write `securityLevel: advanced`, or `standard` if the policy allows it.",
    options: &[],
    fixes: Fixes::No,
    check: RuleCheck::Key(check),
};

fn check(cx: &KeyContext<'_>, sink: &mut FindingSink<'_>) {
    let Some(spec) = cx.definition.spec.as_ref().filter(|spec| spec.level.is_missing()) else {
        return;
    };
    let span = missing_span(&spec.level, spec.place);
    let message = "`spec.securityLevel` is missing, and there is no default";
    cx.finding(span, message).help("write `securityLevel: advanced`").report(sink);
}
