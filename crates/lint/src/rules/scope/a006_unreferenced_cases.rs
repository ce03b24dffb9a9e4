//! A006 scope-unreferenced-cases: cases and issues that reference no known object are in scope, or
//! it is unknown whether they are.

use cortexkey_core::access::Unreferenced;
use cortexkey_manifest::policy::Severity;

use crate::model::Fix;
use crate::rule::{FindingSink, Fixes, KeyContext, Rule, RuleCheck, RuleExample};

pub(crate) static RULE: Rule = Rule {
    code: "A006",
    name: "scope-unreferenced-cases",
    severity: Severity::Warning,
    summary: "the key sees cases and issues that reference no known object, or it is unknown \
              whether it does",
    why: "No group limits an issue that references no known asset or endpoint: `unreferenced: \
          true` shows all of them, whatever asset and endpoint groups the scope has. `cortexkey \
          import` writes `unknown`, because the tenant does not report this setting.",
    bad: RuleExample::fields(
        "spec:\n  scope:\n    assets: { mode: select, groups: [prod-eu] }\n    casesAndIssues: { mode: select, domains: [Security], unreferenced: true }\n    endpoints: { mode: none }\n",
    ),
    good: RuleExample::fields(
        "spec:\n  scope:\n    assets: { mode: select, groups: [prod-eu] }\n    casesAndIssues: { mode: select, domains: [Security], unreferenced: false }\n    endpoints: { mode: none }\n",
    ),
    remedy: "Write `unreferenced: false`. If it is `unknown`, look at the key's scope in the \
           console.",
    options: &[],
    fixes: Fixes::Unsafe,
    check: RuleCheck::Key(check),
};

fn check(cx: &KeyContext<'_>, sink: &mut FindingSink<'_>) {
    let Some(scope) = cx.definition.spec.as_ref().and_then(|spec| spec.scope.get()) else { return };
    let switch = scope.cases.get().and_then(|cases| cases.unreferenced.spanned());
    let Some(switch) = switch else { return };
    let (message, help) = match switch.value {
        Unreferenced::No => return,
        Unreferenced::Yes => (
            "the key sees cases and issues that reference no known object, whatever groups its scope has",
            "write `unreferenced: false`",
        ),
        Unreferenced::Unknown => (
            "it is unknown whether the key sees cases and issues that reference no known object",
            "look at the key's scope in the console, and write `true` or `false`",
        ),
    };
    let fix = Fix::unsafe_(switch.span, "false");
    cx.finding(switch.span, message).help(help).fix(Some(fix)).report(sink);
}
