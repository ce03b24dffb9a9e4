//! A001 scope-missing: the definition has no scope.

use cortexkey_manifest::policy::Severity;

use crate::rule::{FindingSink, Fixes, KeyContext, Rule, RuleCheck, RuleExample, missing_span};

pub(crate) static RULE: Rule = Rule {
    code: "A001",
    name: "scope-missing",
    severity: Severity::Error,
    summary: "the definition has no scope",
    why: "If the tenant enforces scopes, a key without one probably sees nothing; otherwise the \
          key sees everything that its roles allow, in every business unit. The call that \
          generates a key sets no scope, so the scope is easy to forget.",
    bad: RuleExample::fields("spec:\n  roles: [Viewer]\n").without(&["spec.scope"]),
    good: RuleExample::fields(
        "spec:\n  roles: [Viewer]\n  scope:\n    assets: { mode: select, groups: [prod-eu] }\n    \
         casesAndIssues: { mode: all, unreferenced: false }\n    endpoints: { mode: none }\n",
    ),
    remedy: "Write the areas `assets`, `casesAndIssues` and `endpoints`. The rule does not apply to \
           products without scopes (xsoar-8, xpanse).",
    options: &[],
    fixes: Fixes::No,
    check: RuleCheck::Key(check),
};

fn check(cx: &KeyContext<'_>, sink: &mut FindingSink<'_>) {
    if cx.policy.product(cx.tenant).is_some_and(|product| !product.has_scopes()) {
        return;
    }
    let Some(spec) = cx.definition.spec.as_ref().filter(|spec| spec.scope.is_missing()) else {
        return;
    };
    let span = missing_span(&spec.scope, spec.place);
    let message = "`spec.scope` is missing: if the tenant enforces scopes, the key probably sees \
        nothing; otherwise, it sees everything that its roles allow";
    cx.finding(span, message)
        .help("write `scope:` with `assets`, `casesAndIssues` and `endpoints`")
        .decided(sink.settings.decided, "required here")
        .report(sink);
}
