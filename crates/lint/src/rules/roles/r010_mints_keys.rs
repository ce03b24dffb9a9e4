//! R010 role-mints-keys: a role with `Public API` at edit: the key can make keys.

use cortexkey_core::access::Permission;
use cortexkey_manifest::access::HeldRole;
use cortexkey_manifest::policy::Severity;

use super::{first_held, words};
use crate::rules::{Check, Draft, Example, Fixes, KeyContext, Rule, Sink};
use crate::settings::Settings;

const MINTER: &str = "catalog:\n  roles:\n    - { name: Key Minter, components: { Public API: edit } }\n    - { name: Key Reader, components: { Public API: view } }\n";

pub(in crate::rules) static RULE: Rule = Rule {
    code: "R010",
    name: "role-mints-keys",
    severity: Severity::Error,
    summary: "a role with `Public API` at edit: the key can make keys",
    why: "A key that can make keys outlives its own end and its own revocation: whoever has it once makes himself another. The vendor calls such a key a master credential.",
    bad: Example::fields("spec:\n  roles: [Key Minter]\n").policy(MINTER),
    good: Example::fields("spec:\n  roles: [Key Reader]\n").policy(MINTER),
    mend: "Take `Public API` back to view or none in the role. A key that rotates others needs it: let a waiver say so.",
    options: &[],
    fixes: Fixes::No,
    check: Check::Key(check),
};

fn check(cx: &KeyContext<'_>, settings: &Settings, sink: &mut Sink<'_>) {
    let edit =
        |(name, level): &(String, Permission)| name == "Public API" && *level == Permission::Edit;
    let mints = |role: &HeldRole| role.holds_all || role.components.iter().any(edit);
    for (span, role) in first_held(cx, mints) {
        let message = format!("{} holds Public API at edit: the key can make keys", words(role));
        let draft = Draft::at_key(cx, span, message)
            .help("take Public API back to view or none in the role");
        sink.report_as(settings, draft);
    }
}
