//! The rules that a policy defines, as findings.

use cortexkey_core::access::Role;
use cortexkey_manifest::access::{ResolvedRole, closure};
use cortexkey_manifest::policy::{SettingSource, Severity};
use cortexkey_manifest::yaml::Tree;
use cortexkey_manifest::{Span, mask_tokens};
use jiff::Timestamp;

use super::context::RoleIndex;
use crate::model::{Finding, FindingBuilder, Location, SourceId};
use crate::policy::custom::{Bindings, Budget, OwnerKeys};
use crate::policy::{Custom, Policy, Subject};

/// A key that the custom rules of a policy check.
pub(crate) struct CustomContext<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) source: SourceId,
    pub(crate) tree: &'a Tree,
    pub(crate) subject: Subject<'a>,
    /// How much work the expressions may still do for the keys of the file.
    pub(crate) budget: &'a Budget,
    pub(crate) now: Timestamp,
    /// The roles of the catalog.
    pub(crate) listed: &'a RoleIndex<'a>,
    /// The keys of the owner, where all keys are known.
    pub(crate) owner_keys: Option<&'a OwnerKeys>,
}

impl CustomContext<'_> {
    /// Calls a function with the variables of expressions.
    pub(crate) fn with_seen<T>(&self, use_it: impl FnOnce(&Bindings<'_>) -> T) -> T {
        let subject = &self.subject;
        let roles = || self.roles();
        let role_name = |written: &str| self.listed.name_of(written).to_owned();
        use_it(&Bindings {
            tree: self.tree,
            subject,
            now: self.now,
            tenant: subject.tenant.and_then(|name| self.policy.tenant(name)),
            role_name: &role_name,
            roles: &roles,
            owner_keys: self.owner_keys,
        })
    }

    /// The roles that the key holds, with those that they imply.
    fn roles(&self) -> Vec<Role<String>> {
        let product = self.policy.product(self.subject.tenant);
        let names = self.subject.definition.roles().iter().map(|role| role.value.as_str());
        let find = |name: &str| self.listed.meant(name);
        let held = closure(names, find).into_iter();
        let role =
            |name| ResolvedRole::resolve(self.listed.name_of(name), find(name), product).role;
        held.map(|(name, _)| role(name)).collect()
    }
}

/// Reports a key for which the rule's expression is false or has no result.
pub(crate) fn check_custom(
    custom: &Custom,
    cx: &CustomContext<'_>,
    severity: Severity,
    out: &mut Vec<Finding>,
) {
    let violation = cx.with_seen(|seen| custom.violation(seen, cx.budget));
    let Some(violation) = violation else { return };
    let definition = cx.subject.definition;
    let mut fields = fields(custom, cx).into_iter();
    let first = fields.next().map_or(definition.place, |(span, _)| span);
    // The values of the other fields distinguish this finding from others.
    let value = |(span, _): &(Span, String)| mask_tokens(span.slice(cx.tree.source()));
    let detail: Vec<String> = fields.as_slice().iter().map(value).collect();
    let location = Location { source: cx.source, span: first };
    let asserted = SettingSource { layer: custom.layer, span: custom.assert_span };
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
    for path in custom.paths() {
        let span = document.and_then(|document| cx.tree.deepest(document.root, path));
        let span = span.unwrap_or(definition.place);
        if !fields.iter().any(|(known, _)| *known == span) {
            fields.push((span, format!("`{}`", path.join("."))));
        }
    }
    fields
}
