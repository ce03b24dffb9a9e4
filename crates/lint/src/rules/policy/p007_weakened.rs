//! P007 policy-weakened: a child policy loosens what a parent locked.

use cortexkey_manifest::policy::Severity;

use crate::rules::{self, Check, Draft, Example, Fixes, PolicyContext, Rule, Sink};
use crate::settings::Settings;

pub(in crate::rules) static RULE: Rule = Rule {
    code: "P007",
    name: "policy-weakened",
    severity: Severity::Error,
    summary: "a child policy loosens what a parent locked",
    why: "A locked rule is a promise to whoever audits the parent policy. The attempt does not \
          count, and it is shown, so that nobody believes that it does.",
    bad: Example::fields("").policy(WEAKER),
    good: Example::fields("").policy("rules: { expiry-too-long: { max: 120d, locked: true } }\n"),
    mend: "Remove the setting, or have the parent's lock lifted.",
    options: &[],
    fixes: Fixes::No,
    check: Check::Policy(check),
};

/// Extends a policy that the tests put beside it, in which the rule is locked.
const WEAKER: &str = "apiVersion: cortexkey/v1\nkind: Policy\nmetadata: { name: team }\n\
    extends: [../acme.yaml]\nrules: { expiry-too-long: { max: 900d } }\n";

fn check(cx: &PolicyContext<'_>, settings: &Settings, sink: &mut Sink<'_>) {
    for refused in &cx.policy.merged.refused {
        let message = format!(
            "`{}` of {} is locked; what stands here would loosen it and does not count",
            refused.what,
            rules::label(refused.code)
        );
        let draft = Draft::new(refused.at.layer, refused.at.span, message)
            .help("remove it, or have the lock lifted in the parent")
            .decided(Some(refused.lock), "locked here");
        sink.report_as(settings, draft);
    }
}
