//! A006 scope-unreferenced-cases: cases and issues that reference nothing known are let in, or whether they are is unknown.

use cortexkey_core::access::Unreferenced;
use cortexkey_manifest::policy::Severity;

use crate::model::Fix;
use crate::rule::{Check, Example, Fixes, KeyContext, Rule, Sink};

pub(crate) static RULE: Rule = Rule {
    code: "A006",
    name: "scope-unreferenced-cases",
    severity: Severity::Warning,
    summary: "cases and issues that reference nothing known are let in, or whether they are is unknown",
    why: "An issue that references no known asset or endpoint is limited by no group at all: the switch opens them all, whatever the scope says elsewhere. An import that could not see the switch writes `unknown`.",
    bad: Example::fields(
        "spec:\n  scope:\n    assets: { mode: select, groups: [prod-eu] }\n    casesAndIssues: { mode: select, domains: [Security], unreferenced: true }\n    endpoints: { mode: none }\n",
    ),
    good: Example::fields(
        "spec:\n  scope:\n    assets: { mode: select, groups: [prod-eu] }\n    casesAndIssues: { mode: select, domains: [Security], unreferenced: false }\n    endpoints: { mode: none }\n",
    ),
    mend: "Write `unreferenced: false`, or look into the console where it says `unknown`.",
    options: &[],
    fixes: Fixes::Unsafe,
    check: Check::Key(check),
};

fn check(cx: &KeyContext<'_>, sink: &mut Sink<'_>) {
    let Some(scope) = cx.definition.spec.as_ref().and_then(|spec| spec.scope.get()) else { return };
    let switch = scope.cases.get().and_then(|cases| cases.unreferenced.spanned());
    let Some(switch) = switch else { return };
    let (message, help) = match switch.value {
        Unreferenced::No => return,
        Unreferenced::Yes => (
            "cases and issues that reference nothing known are let in, past every group",
            "write `unreferenced: false`",
        ),
        Unreferenced::Unknown => (
            "whether cases and issues that reference nothing known are let in is unknown",
            "look into the key's scope in the console, and write `true` or `false`",
        ),
    };
    let fix = Fix::unsafe_(switch.span, "false");
    cx.finding(switch.span, message).help(help).fix(Some(fix)).report(sink);
}
