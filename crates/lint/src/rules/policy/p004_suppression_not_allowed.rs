//! P004 suppression-not-allowed: a waiver for a rule that cannot be waived.

use cortexkey_manifest::policy::Severity;

use super::SOUND;
use crate::rules::{self, Check, Draft, Example, PolicyContext, Rule, Sink};
use crate::settings::Settings;

pub(in crate::rules) static RULE: Rule = Rule {
    code: "P004",
    name: "suppression-not-allowed",
    severity: Severity::Error,
    summary: "a waiver for a rule that the policy marks `waivable: false`",
    why: "The policy says that this rule holds without exception. A waiver that does nothing would \
          look like an exception that was granted.",
    bad: Example::fields("").policy(
        "rules: { expiry-too-long: { waivable: false } }\nwaivers:\n  - { rule: E003, \
         key: svc-siem-export-prod, reason: \"SEC-77\", approvedBy: ciso@example.com, \
         expires: 2026-03-31 }\n",
    ),
    good: Example::fields("").policy(SOUND),
    mend: "Mend the key, or let whoever owns the policy make the rule waivable.",
    options: &[],
    check: Check::Policy(check),
};

fn check(cx: &PolicyContext<'_>, settings: &Settings, sink: &mut Sink<'_>) {
    for (layer, waiver) in cx.policy.waivers() {
        let Some(written) = waiver.rule.spanned() else { continue };
        let Some(code) = rules::code_of(&written.value) else { continue };
        let resolved = cx.policy.merged.rules.get(code).and_then(|rule| rule.waivable.as_ref());
        if let Some(waivable) = resolved.filter(|waivable| !waivable.value) {
            let message = format!("rule {} cannot be waived", rules::label(code));
            let draft = Draft::new(layer, written.span, message)
                .help("mend the key; this waiver does nothing")
                .decided(Some(waivable.source), "said here");
            sink.report_as(settings, draft);
        }
    }
}
