//! A003 scope-empty-selection: `select` with nothing selected.

use cortexkey_core::access::{AreaMode, EndpointMode};
use cortexkey_manifest::policy::Severity;
use cortexkey_manifest::{Field, Span};

use crate::rule::{FindingSink, Fixes, KeyContext, Rule, RuleCheck, RuleExample};

pub(crate) static RULE: Rule = Rule {
    code: "A003",
    name: "scope-empty-selection",
    severity: Severity::Error,
    summary: "`select` with nothing selected",
    why: "The product requires at least one selected entry. What it does with an empty selection \
          differs by area; `none` is unambiguous.",
    bad: RuleExample::fields(
        "spec:\n  scope:\n    assets: { mode: select, groups: [] }\n    \
         casesAndIssues: { mode: none }\n    endpoints: { mode: none }\n",
    ),
    good: RuleExample::fields(
        "spec:\n  scope:\n    assets: { mode: none }\n    \
         casesAndIssues: { mode: none }\n    endpoints: { mode: none }\n",
    ),
    remedy: "Name what is selected, or write `mode: none`.",
    options: &[],
    fixes: Fixes::No,
    check: RuleCheck::Key(check),
};

fn check(cx: &KeyContext<'_>, sink: &mut FindingSink<'_>) {
    let scope = cx.definition.spec.as_ref().and_then(|spec| spec.scope.get());
    let Some(scope) = scope else { return };
    let mut report = |span: Option<Span>, area: &str, lists: &str| {
        let Some(span) = span else { return };
        let message = format!("`scope.{area}` has mode `select`, but nothing is selected");
        let help = format!("name {lists}, or write `mode: none`");
        cx.finding(span, message).help(help).report(sink);
    };
    if let Some(assets) = scope.assets.get()
        && assets.mode.get() == Some(&AreaMode::Select)
    {
        report(empty(&assets.groups, &assets.mode), "assets", "`groups`");
    }
    if let Some(cases) = scope.cases.get()
        && cases.mode.get() == Some(&AreaMode::Select)
    {
        report(empty(&cases.domains, &cases.mode), "casesAndIssues", "`domains`");
    }
    if let Some(endpoints) = scope.endpoints.get()
        && endpoints.mode.get() == Some(&EndpointMode::Select)
        && let (Some(groups), Some(_)) =
            (empty(&endpoints.groups, &endpoints.mode), empty(&endpoints.tags, &endpoints.mode))
    {
        report(Some(groups), "endpoints", "`groups` or `tags`");
    }
}

/// The list if it is empty, its key if it has no value, otherwise the mode that requires it.
fn empty<T, M>(list: &Field<Vec<T>>, mode: &Field<M>) -> Option<Span> {
    match list {
        Field::Present { value, .. } => value.value.is_empty().then_some(value.span),
        Field::Empty(key) => Some(*key),
        Field::Absent => mode.spanned().map(|mode| mode.span),
        Field::Bad(_) => None,
    }
}
