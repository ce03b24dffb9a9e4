//! The rules that a policy defines, as findings.

use cortexkey_manifest::policy::{Severity, Source};
use cortexkey_manifest::yaml::Tree;
use cortexkey_manifest::{Span, mask_tokens};

use crate::model::{Finding, FindingBuilder, Location, SourceId};
use crate::policy::custom::Budget;
use crate::policy::{Custom, Policy, Subject};

/// A key that a policy's own rules check.
pub(crate) struct CustomContext<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) source: SourceId,
    pub(crate) tree: &'a Tree,
    pub(crate) subject: Subject<'a>,
    /// How much more work the expressions may do for the keys of the file.
    pub(crate) budget: &'a Budget,
}

/// Reports a key for which the rule's expression is false or has no result.
pub(crate) fn check_custom(
    custom: &Custom,
    cx: &CustomContext<'_>,
    severity: Severity,
    out: &mut Vec<Finding>,
) {
    let Some(violation) = custom.violation(cx.tree, &cx.subject, cx.budget) else { return };
    let definition = cx.subject.definition;
    let mut fields = fields(custom, cx).into_iter();
    let first = fields.next().map_or(definition.place, |(span, _)| span);
    // The values of the other fields distinguish this finding from others.
    let value = |(span, _): &(Span, String)| mask_tokens(span.slice(cx.tree.source()));
    let detail: Vec<String> = fields.as_slice().iter().map(value).collect();
    let location = Location { source: cx.source, span: first };
    let asserted = Source { layer: custom.layer, span: custom.assert_span };
    let mut finding = FindingBuilder::new(location, violation.message)
        .key(definition.name())
        .detail(detail.join("\n"))
        .also_at(cx.policy.location(asserted), "must hold");
    if violation.unchecked {
        finding = finding.unchecked();
    }
    for (span, path) in fields {
        finding = finding.also(span, format!("{path} is also read"));
    }
    out.push(finding.finish(custom.id().clone(), severity));
}

/// The fields that the expression names, each once, with their paths.
fn fields(custom: &Custom, cx: &CustomContext<'_>) -> Vec<(Span, String)> {
    let definition = cx.subject.definition;
    let document = cx.tree.document_at(definition.span);
    let mut fields: Vec<(Span, String)> = Vec::new();
    for path in &custom.paths {
        let span = document.and_then(|document| cx.tree.deepest(document.root, path));
        let span = span.unwrap_or(definition.place);
        if !fields.iter().any(|(known, _)| *known == span) {
            fields.push((span, format!("`{}`", path.join("."))));
        }
    }
    fields
}
