//! N009 tenant-unknown: the key's tenant is not in the policy, or is missing.

use cortexkey_manifest::policy::Severity;
use cortexkey_manifest::{did_you_mean, quote};

use crate::rule::{FindingSink, Fixes, KeyContext, Rule, RuleCheck, RuleExample, missing_span};

pub(crate) static RULE: Rule = Rule {
    code: "N009",
    name: "tenant-unknown",
    severity: Severity::Error,
    summary: "the tenant is not in the policy, or is missing although there are several",
    why: "The tenant determines which roles and groups exist. Without it, the rules about roles \
          and scopes cannot check the key against its tenant.",
    bad: RuleExample::fields("metadata:\n  tenant: prod-e\n"),
    good: RuleExample::fields("metadata:\n  tenant: prod-eu\n"),
    remedy: "Write a tenant of the policy. It may be omitted if the policy has only one; a policy \
           without tenants accepts every name.",
    options: &[],
    fixes: Fixes::No,
    check: RuleCheck::Key(check),
};

fn check(cx: &KeyContext<'_>, sink: &mut FindingSink<'_>) {
    let Some(metadata) = &cx.definition.metadata else { return };
    let known: Vec<&str> = cx.policy.tenants().map(|(name, _)| name.value.as_str()).collect();
    if known.is_empty() {
        return;
    }
    let help = |written: &str| {
        did_you_mean(written, &known)
            .unwrap_or_else(|| "the policy lists its tenants under `tenants`".into())
    };
    let finding = match metadata.tenant.spanned() {
        Some(tenant) if !known.contains(&tenant.value.as_str()) => {
            let message = format!("tenant {} is not in the policy", quote(&tenant.value));
            cx.finding(tenant.span, message).help(help(&tenant.value))
        }
        None if metadata.tenant.is_missing() && known.len() > 1 => {
            let span = missing_span(&metadata.tenant, metadata.place);
            let message = format!("`metadata.tenant` is missing: the policy has {}", known.len());
            cx.finding(span, message).help(help(""))
        }
        _ => return,
    };
    finding.report(sink);
}
