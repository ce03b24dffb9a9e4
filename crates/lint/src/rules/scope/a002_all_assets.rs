//! A002 scope-all-assets: all assets are in scope although groups would be enough.

use cortexkey_core::access::AreaMode;
use cortexkey_manifest::policy::Severity;

use crate::rule::{FindingSink, Fixes, KeyContext, Rule, RuleCheck, RuleExample};

pub(crate) static RULE: Rule = Rule {
    code: "A002",
    name: "scope-all-assets",
    severity: Severity::Warning,
    summary: "all assets are in scope although groups would be enough",
    why: "A key that sees every asset also sees their findings, cases and issues, including those \
          of assets added tomorrow. Most consumers need only a part.",
    bad: RuleExample::fields(
        "spec:\n  scope:\n    assets: { mode: all }\n    casesAndIssues: { mode: select, domains: [Security], unreferenced: false }\n    endpoints: { mode: none }\n",
    ),
    good: RuleExample::fields(
        "spec:\n  scope:\n    assets: { mode: select, groups: [prod-eu] }\n    casesAndIssues: { mode: select, domains: [Security], unreferenced: false }\n    endpoints: { mode: none }\n",
    ),
    remedy: "Name the asset groups, or write a waiver that says why the key needs all assets.",
    options: &[],
    fixes: Fixes::No,
    check: RuleCheck::Key(check),
};

fn check(cx: &KeyContext<'_>, sink: &mut FindingSink<'_>) {
    let Some(scope) = cx.definition.spec.as_ref().and_then(|spec| spec.scope.get()) else { return };
    // A list with `all` is a contradiction, which another rule reports.
    let assets = scope.assets.get().filter(|a| a.groups.get().is_none_or(Vec::is_empty));
    let mode = assets.and_then(|assets| assets.mode.spanned());
    let Some(mode) = mode.filter(|mode| mode.value == AreaMode::All) else { return };
    cx.finding(mode.span, "this key sees all current and future assets")
        .help("write `mode: select` and name the `groups`")
        .decided(sink.settings.decided, "required here")
        .report(sink);
}
