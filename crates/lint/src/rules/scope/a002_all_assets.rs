//! A002 scope-all-assets: all assets are open where groups would do.

use cortexkey_core::access::AreaMode;
use cortexkey_manifest::policy::Severity;

use crate::rule::{Check, Example, Fixes, KeyContext, Rule, Sink};

pub(crate) static RULE: Rule = Rule {
    code: "A002",
    name: "scope-all-assets",
    severity: Severity::Warning,
    summary: "all assets are open where groups would do",
    why: "A key that sees every asset also sees the findings, cases and issues of every asset, those included that are added tomorrow. Most consumers look after a part.",
    bad: Example::fields(
        "spec:\n  scope:\n    assets: { mode: all }\n    casesAndIssues: { mode: select, domains: [Security], unreferenced: false }\n    endpoints: { mode: none }\n",
    ),
    good: Example::fields(
        "spec:\n  scope:\n    assets: { mode: select, groups: [prod-eu] }\n    casesAndIssues: { mode: select, domains: [Security], unreferenced: false }\n    endpoints: { mode: none }\n",
    ),
    mend: "Name the asset groups, or note in a waiver why the key needs all of them.",
    options: &[],
    fixes: Fixes::No,
    check: Check::Key(check),
};

fn check(cx: &KeyContext<'_>, sink: &mut Sink<'_>) {
    let Some(scope) = cx.definition.spec.as_ref().and_then(|spec| spec.scope.get()) else { return };
    // A list beside `all` is a contradiction, which has a rule of its own.
    let assets = scope.assets.get().filter(|a| a.groups.get().is_none_or(Vec::is_empty));
    let mode = assets.and_then(|assets| assets.mode.spanned());
    let Some(mode) = mode.filter(|mode| mode.value == AreaMode::All) else { return };
    cx.finding(mode.span, "all assets are open to this key, today's and tomorrow's")
        .help("write `mode: select` and name the `groups`")
        .decided(sink.settings.decided, "asked for here")
        .report(sink);
}
