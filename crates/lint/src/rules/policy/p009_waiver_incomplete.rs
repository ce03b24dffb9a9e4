//! P009 waiver-incomplete: a waiver without reason, approver or end, or for no key.

use cortexkey_manifest::policy::Severity;
use cortexkey_manifest::{closest, quote};

use super::{LONG, SOUND};
use crate::rules::{Check, Draft, Example, Fixes, PolicyContext, Rule, Sink};
use crate::settings::Settings;
use crate::waive::{lacking, names};

pub(in crate::rules) static RULE: Rule = Rule {
    code: "P009",
    name: "waiver-incomplete",
    severity: Severity::Error,
    summary: "a waiver without a reason, an approver or an end, or for a key that does not exist",
    why: "A waiver that says not why, by whom and until when cannot be reviewed, and one for a key \
          that does not exist will silence the next key of that name. An incomplete one does not \
          apply.",
    bad: Example::fields("").policy(
        "waivers:\n  - { rule: expiry-too-long, key: svc-siem-export-prod, \
         approvedBy: ciso@example.com, expires: 2026-03-31 }\n",
    ),
    good: Example::fields(LONG).policy(SOUND),
    mend: "Write `reason`, `approvedBy` and `expires`, and the key as `name` or `tenant/name`.",
    options: &[],
    fixes: Fixes::No,
    check: Check::Policy(check),
};

fn check(cx: &PolicyContext<'_>, settings: &Settings, sink: &mut Sink<'_>) {
    let keys = known_keys(cx);
    for (layer, waiver) in cx.policy.waivers() {
        let lacking = lacking(waiver);
        if !lacking.is_empty() {
            let message =
                format!("this waiver has no {}, and does not apply", lacking.join(", no "));
            let span = waiver.rule.key().unwrap_or(waiver.span);
            let draft = Draft::new(layer, span, message)
                .help("a waiver has `reason`, `approvedBy` and `expires`");
            sink.report_as(settings, draft);
        }
        if let Some(key) = waiver.key.spanned()
            && !keys.iter().any(|(tenant, name)| names(&key.value, tenant.as_deref(), name))
        {
            let written = key.value.rsplit('/').next().unwrap_or(&key.value);
            let near = closest(written, keys.iter().map(|(_, name)| name.as_str()));
            let help = near.map_or_else(
                || "write the key as `name` or `tenant/name`".to_owned(),
                |name| format!("did you mean {}?", quote(name)),
            );
            let message = format!("there is no key {}", quote(&key.value));
            sink.report_as(settings, Draft::new(layer, key.span, message).help(help));
        }
    }
}

fn known_keys(cx: &PolicyContext<'_>) -> Vec<(Option<String>, String)> {
    let only = cx.policy.only_tenant();
    let documents = cx.corpus.files.iter().flat_map(|file| &file.documents);
    documents
        .filter_map(|document| document.definition.as_ref())
        .filter_map(|definition| {
            let tenant = definition.tenant().or(only).map(str::to_owned);
            Some((tenant, definition.name()?.to_owned()))
        })
        .collect()
}
