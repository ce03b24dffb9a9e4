//! A012 scope-dataset-filter: a field or operator that dataset filters do not support.

use cortexkey_core::access::{FILTER_FIELDS, FilterError, RowFilter};
use cortexkey_manifest::policy::Severity;
use cortexkey_manifest::{closest, quote};

use crate::rule::{FindingSink, Fixes, KeyContext, Rule, RuleCheck, RuleExample};

const HAS: &str = "apiVersion: cortexkey/v1\nkind: Policy\nmetadata: { name: example }\n\
    extends: [builtin:recommended]\ntenants:\n  prod-eu: { product: xsiam, datasets: true }\n";

pub(crate) static RULE: Rule = Rule {
    code: "A012",
    name: "scope-dataset-filter",
    severity: Severity::Error,
    summary: "a field or operator that dataset filters do not support",
    why: "Row filters support sixteen fields about the origin of a row, and a few operators. With \
        any other, the product rejects the scope, or the filter has no effect.",
    bad: RuleExample::fields("spec:\n  scope:\n    assets: { mode: select, groups: [prod-eu] }\n    casesAndIssues: { mode: select, domains: [Security], unreferenced: false }\n    endpoints: { mode: none }\n    datasets: { default: none, filters: [{ dataset: xdr_data, filter: 'agent_hostname = srv1' }] }\n").policy(HAS),
    good: RuleExample::fields("spec:\n  scope:\n    assets: { mode: select, groups: [prod-eu] }\n    casesAndIssues: { mode: select, domains: [Security], unreferenced: false }\n    endpoints: { mode: none }\n    datasets: { default: none, filters: [{ dataset: xdr_data, filter: '_vendor = \"acme\"' }] }\n").policy(HAS),
    remedy: "Filter by one of the fields that start with an underscore, such as `_vendor`, with \
           `=`, `!=`, `>`, `<`, `>=`, `<=`, `in`, `array_contains`, `contains` or `starts_with`.",
    options: &[],
    fixes: Fixes::No,
    check: RuleCheck::Key(check),
};

fn check(cx: &KeyContext<'_>, sink: &mut FindingSink<'_>) {
    let Some(scope) = cx.definition.spec.as_ref().and_then(|spec| spec.scope.get()) else { return };
    let filters = scope.datasets.get().map(|datasets| datasets.filters.as_slice());
    for filter in filters.unwrap_or_default().iter().filter_map(|f| f.filter.spanned()) {
        let parts = comparisons(&filter.value).into_iter();
        let wrong = parts.map(|part| part.trim_matches(['(', ')', ' '])).find_map(|part| {
            let error = RowFilter::parse(part).err()?;
            (error != FilterError::Value).then_some((part, error))
        });
        let Some((part, error)) = wrong else { continue };
        let help = if error == FilterError::Field {
            let field = part.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next();
            match field.and_then(|field| closest(field, FILTER_FIELDS)) {
                Some(near) => format!("did you mean {}?", quote(near)),
                None => format!("the fields are {}", FILTER_FIELDS.join(", ")),
            }
        } else {
            "write one of them after the field, as in `_vendor = \"acme\"`".to_owned()
        };
        let message = format!("{}: {error}", quote(part));
        cx.finding(filter.span, message).help(help).report(sink);
    }
}

/// The comparisons that a filter joins, each checked separately. Quoted text is not split.
fn comparisons(filter: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut quoted = false;
    for (at, c) in filter.char_indices() {
        quoted ^= c == '"';
        let behind = filter.get(at..).unwrap_or_default();
        let join = [" and ", " or "].into_iter().find(|join| !quoted && behind.starts_with(join));
        // Two separators may share a space; the second is then none.
        if let (Some(join), Some(part)) = (join, filter.get(start..at)) {
            parts.push(part);
            start = at + join.len();
        }
    }
    parts.extend(filter.get(start..));
    parts
}
