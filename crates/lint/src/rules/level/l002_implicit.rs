//! L002 level-implicit: the definition does not say its level.

use cortexkey_manifest::policy::Severity;

use crate::rule::{Check, Example, Fixes, KeyContext, Rule, Sink, missing_span};

pub(crate) static RULE: Rule = Rule {
    code: "L002",
    name: "level-implicit",
    severity: Severity::Error,
    summary: "the definition does not say its security level",
    why: "The product asks for a level, and tools that leave it out fall back to different ones. \
          Whether the key itself travels with each request must not depend on which tool made it.",
    bad: Example::fields("spec:\n  roles: [Viewer]\n").without(&["spec.securityLevel"]),
    good: Example::fields("spec:\n  securityLevel: advanced\n  roles: [Viewer]\n"),
    mend: "Write `securityLevel: advanced`, or `standard` where the policy allows it.",
    options: &[],
    fixes: Fixes::No,
    check: Check::Key(check),
};

fn check(cx: &KeyContext<'_>, sink: &mut Sink<'_>) {
    let Some(spec) = cx.definition.spec.as_ref().filter(|spec| spec.level.is_missing()) else {
        return;
    };
    let span = missing_span(&spec.level, spec.place);
    let message = "`spec.securityLevel` is missing, and there is no default";
    cx.finding(span, message).help("write `securityLevel: advanced`").report(sink);
}
