//! R010 role-generates-keys: a role with edit access to `Public API`, so the key can generate keys.

use cortexkey_core::access::{Certainty, Permission, Rights};
use cortexkey_manifest::access::ResolvedRole;
use cortexkey_manifest::policy::Severity;

use crate::rule::{FindingSink, Fixes, KeyContext, Rule, RuleCheck, RuleExample};
use crate::rules::roles::held::{first_held, role_text};

const GENERATOR: &str = "catalog:\n  roles:\n    - { name: Key Generator, components: { Public API: edit } }\n    - { name: Key Reader, components: { Public API: view } }\n";

pub(crate) static RULE: Rule = Rule {
    code: "R010",
    name: "role-generates-keys",
    severity: Severity::Error,
    summary: "a role with edit access to `Public API`, so the key can generate keys",
    why: "A key that can generate keys can outlive its own expiry and revocation: an attacker who \
        gets it once generates another key. The vendor calls such a key a master credential.",
    bad: RuleExample::fields("spec:\n  roles: [Key Generator]\n").policy(GENERATOR),
    good: RuleExample::fields("spec:\n  roles: [Key Reader]\n").policy(GENERATOR),
    remedy: "Lower `Public API` to `view` or `none` in the role. A key that rotates other keys \
        needs edit access: write a waiver.",
    options: &[],
    fixes: Fixes::No,
    check: RuleCheck::Key(check),
};

fn check(cx: &KeyContext<'_>, sink: &mut FindingSink<'_>) {
    let creates_keys = |role: &ResolvedRole| creates_keys(role).is_some();
    for (span, role) in first_held(cx, creates_keys) {
        let certainty = match self::creates_keys(role) {
            Some(Certainty::Observed) => " (observed, not documented)",
            _ => "",
        };
        let message = format!(
            "{} grants edit access to Public API{certainty}, so the key can generate keys",
            role_text(role)
        );
        let finding =
            cx.finding(span, message).help("lower `Public API` to `view` or `none` in the role");
        finding.report(sink);
    }
}

/// Whether a role is known to grant the generation of keys, and how certainly.
fn creates_keys(role: &ResolvedRole) -> Option<Certainty> {
    let rights = Rights(std::slice::from_ref(&role.role));
    let held = rights.reaches("Public API", Permission::Edit);
    held.and_then(|(reaches, certainty)| reaches.then_some(certainty))
}
