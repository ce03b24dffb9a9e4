//! N008 name-environment-mismatch: the name says one environment, but the folder, tenant or label
//! says another.

use cortexkey_manifest::policy::Severity;
use cortexkey_manifest::quote;

use crate::policy::rule_options;
use crate::rule::{FindingSink, Fixes, KeyContext, Rule, RuleCheck, RuleExample};

const KNOWN: &str = "rules: { name-environment-mismatch: { environments: [prod, dev] } }\n";

rule_options! {
    struct Options<'a> {
        /// the environments, such as `[prod, dev]`
        environments: &'a [String], More;
    }
}

pub(crate) static RULE: Rule = Rule {
    code: "N008",
    name: "name-environment-mismatch",
    severity: Severity::Error,
    summary: "the name says one environment, but the folder, tenant or label says another",
    why: "A production key among the files of the test environment is reviewed and handled like a \
          test key.",
    bad: RuleExample::fields("metadata:\n  name: svc-siem-export-prod\n")
        .at("keys/dev/svc-siem-export-prod.yaml")
        .policy(KNOWN),
    good: RuleExample::fields("metadata:\n  name: svc-siem-export-prod\n")
        .at("keys/prod/svc-siem-export-prod.yaml")
        .policy(KNOWN),
    remedy: "Move the file, or rename the key. The rule has no effect until a policy sets \
           `environments`.",
    options: Options::DOCS,
    fixes: Fixes::No,
    check: RuleCheck::Key(check),
};

fn check(cx: &KeyContext<'_>, sink: &mut FindingSink<'_>) {
    let Some(name) = cx.definition.metadata.as_ref().and_then(|m| m.name.spanned()) else { return };
    let environments = Options::of(sink.settings).environments;
    let of = |text: &str| {
        let mut words = text.rsplit(|c: char| !c.is_ascii_alphanumeric());
        words.find_map(|word| {
            environments.value.iter().find(|known| known.eq_ignore_ascii_case(word))
        })
    };
    let Some(own) = of(&name.value) else { return };
    let folder = cx.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let metadata = cx.definition.metadata.as_ref();
    let label = metadata.and_then(|m| m.labels.iter().find(|(label, _)| label.value == "env"));
    let tenant = metadata.and_then(|m| m.tenant.spanned());
    let others = [
        ("folder", of(folder), None),
        ("tenant", cx.tenant.and_then(of), tenant.map(|tenant| tenant.span)),
        (
            "label `env`",
            label.and_then(|(_, value)| of(&value.value)),
            label.map(|(_, value)| value.span),
        ),
    ];
    let Some((what, Some(other), place)) =
        others.into_iter().find(|(_, env, _)| env.is_some_and(|env| env != own))
    else {
        return;
    };
    let message = format!("the name says {}, but the {what} says {}", quote(own), quote(other));
    let mut finding = cx.finding(name.span, message).help("move the file, or rename the key");
    if let Some(place) = place {
        finding = finding.also(place, "says another environment");
    }
    finding.decided(environments.decided, "the environments").report(sink);
}
