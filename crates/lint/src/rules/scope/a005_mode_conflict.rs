//! A005 scope-mode-conflict: a list or setting that the area's mode ignores, or mode `raw`.

use cortexkey_core::access::{AreaMode, EndpointMode};
use cortexkey_manifest::policy::Severity;
use cortexkey_manifest::{Field, Span};

use crate::model::{Fix, remove_entry};
use crate::rule::{FindingSink, Fixes, KeyContext, Rule, RuleCheck, RuleExample};

pub(crate) static RULE: Rule = Rule {
    code: "A005",
    name: "scope-mode-conflict",
    severity: Severity::Error,
    summary: "a list or setting that the area's mode ignores, or endpoints in mode `raw`",
    why: "`mode: all` with a list of groups looks like a restriction and is not one: the product \
          ignores the list. The linter cannot know which of the two was meant.",
    bad: RuleExample::fields(
        "spec:\n  scope:\n    assets: { mode: all, groups: [prod-eu] }\n    \
         casesAndIssues: { mode: none }\n    endpoints: { mode: none }\n",
    ),
    good: RuleExample::fields(
        "spec:\n  scope:\n    assets: { mode: select, groups: [prod-eu] }\n    \
         casesAndIssues: { mode: none }\n    endpoints: { mode: none }\n",
    ),
    remedy: "Write `mode: select`, or remove the list. `unreferenced` belongs to `all` and \
           `select`; `groupsMode` and `tagsMode` belong to `raw`. For endpoints in mode `raw`, \
           which `cortexkey import` writes, the finding is at most a warning.",
    options: &[],
    fixes: Fixes::Unsafe,
    check: RuleCheck::Key(check),
};

fn check(cx: &KeyContext<'_>, sink: &mut FindingSink<'_>) {
    let scope = cx.definition.spec.as_ref().and_then(|spec| spec.scope.get());
    let Some(scope) = scope else { return };
    let mut report = |field: &str, key: Option<Span>, mode: Option<Span>| {
        let (Some(key), Some(mode)) = (key, mode) else { return };
        // The narrower reading: only what is listed.
        let lists = matches!(field, "groups" | "domains" | "tags");
        let fix = if lists {
            Some(Fix::unsafe_(mode, "select"))
        } else {
            remove_entry(cx.tree, key, false)
        };
        let message = format!("`{field}` has no effect in this mode");
        cx.finding(key, message)
            .help(format!("remove `{field}`, or change the mode"))
            .also(mode, "the mode")
            .fix(fix)
            .report(sink);
    };
    if let Some(assets) = scope.assets.get() {
        let closed = at(&assets.mode, |mode| mode != AreaMode::Select);
        report("groups", filled(&assets.groups), closed);
    }
    if let Some(cases) = scope.cases.get() {
        let closed = at(&cases.mode, |mode| mode != AreaMode::Select);
        report("domains", filled(&cases.domains), closed);
        report("unreferenced", cases.unreferenced.key(), at(&cases.mode, |m| m == AreaMode::None));
    }
    if let Some(endpoints) = scope.endpoints.get() {
        let closed =
            at(&endpoints.mode, |mode| matches!(mode, EndpointMode::None | EndpointMode::All));
        report("groups", filled(&endpoints.groups), closed);
        report("tags", filled(&endpoints.tags), closed);
        let plain = at(&endpoints.mode, |mode| mode != EndpointMode::Raw);
        report("groupsMode", endpoints.groups_mode.key(), plain);
        report("tagsMode", endpoints.tags_mode.key(), plain);
        if let Some(mode) = endpoints.mode.spanned().filter(|mode| mode.value == EndpointMode::Raw)
        {
            // It is the tenant's own setting, so at most a warning; but it is always reported.
            let severity = sink.settings.severity.min(Severity::Warning);
            let message = "`raw` endpoints use the product's own modes, which `none`, `all` and `select` may not express";
            let finding = cx.finding(mode.span, message).help(
                "compare it with the tenant, and write `none`, `all` or `select` if one applies",
            );
            sink.report_at(severity, finding);
        }
    }
}

/// The position of the mode, if it is such a mode.
fn at<M: Copy>(mode: &Field<M>, wanted: impl Fn(M) -> bool) -> Option<Span> {
    mode.spanned().filter(|mode| wanted(mode.value)).map(|mode| mode.span)
}

/// The key of a list with items; an empty list contradicts nothing.
fn filled<T>(list: &Field<Vec<T>>) -> Option<Span> {
    list.get().filter(|items| !items.is_empty()).and(list.key())
}
