//! N005 owner-not-allowed: the owner is unknown to the organisation.

use cortexkey_manifest::definition::UNASSIGNED;
use cortexkey_manifest::policy::Severity;
use cortexkey_manifest::{closest, quote};

use crate::rule::{FindingSink, Fixes, KeyContext, Rule, RuleCheck, RuleExample};

pub(crate) static RULE: Rule = Rule {
    code: "N005",
    name: "owner-not-allowed",
    severity: Severity::Error,
    summary: "the owner is neither a team in the catalog nor an e-mail address in one of its \
              domains",
    why: "Nobody can reach a misspelt team or a private address.",
    bad: RuleExample::fields("metadata:\n  owner: team-detecton\n")
        .policy("catalog: { teams: [team-detection], emailDomains: [example.com] }\n"),
    good: RuleExample::fields("metadata:\n  owner: ana@example.com\n")
        .policy("catalog: { teams: [team-detection], emailDomains: [example.com] }\n"),
    remedy: "Correct the owner, or add the team to the policy's `catalog.teams`. A policy with \
        neither teams nor domains accepts every owner.",
    options: &[],
    fixes: Fixes::No,
    check: RuleCheck::Key(check),
};

fn check(cx: &KeyContext<'_>, sink: &mut FindingSink<'_>) {
    let metadata = cx.definition.metadata.as_ref();
    let Some(owner) = metadata.and_then(|metadata| metadata.owner.spanned()) else { return };
    let name = owner.value.trim();
    let teams: Vec<&str> = cx.policy.teams().collect();
    let domains: Vec<&str> = cx.policy.email_domains().collect();
    // Another rule reports those.
    if matches!(name, "" | UNASSIGNED) || (teams.is_empty() && domains.is_empty()) {
        return;
    }
    let address = name.rsplit_once('@').filter(|(local, _)| !local.is_empty());
    let known = match address {
        Some((_, domain)) => domains.iter().any(|known| known.eq_ignore_ascii_case(domain)),
        None => teams.contains(&name),
    };
    if known {
        return;
    }
    let (message, pool) = match address {
        Some((_, domain)) => (
            format!("owner {}: {} is not a domain of the catalog", quote(name), quote(domain)),
            domains,
        ),
        None => (format!("owner {} is not a team of the catalog", quote(name)), teams),
    };
    let written = address.map_or(name, |(_, domain)| domain);
    let help = match closest(written, pool) {
        Some(best) => format!("did you mean {}?", quote(best)),
        None => {
            "name a team of `catalog.teams`, or an e-mail address in `catalog.emailDomains`".into()
        }
    };
    cx.finding(owner.span, message).help(help).report(sink);
}
