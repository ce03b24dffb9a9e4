//! P009 waiver-incomplete: a waiver without reason, approver or end, or for no key.

use cortexkey_manifest::policy::{Severity, Waiver};
use cortexkey_manifest::{closest, quote};

use super::SOUND;
use crate::rules::{Check, Draft, Example, PolicyContext, Rule, Sink};
use crate::settings::Settings;

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
    good: Example::fields("").policy(SOUND),
    mend: "Write `reason`, `approvedBy` and `expires`, and the key as `name` or `tenant/name`.",
    options: &[],
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

/// What a waiver has to have and has not.
pub(crate) fn lacking(waiver: &Waiver) -> Vec<&'static str> {
    let blank = |text: Option<&String>| text.is_none_or(|text| text.trim().is_empty());
    let fields = [
        ("reason", blank(waiver.reason.get())),
        ("approver", blank(waiver.approved_by.get())),
        // An end that could not be read has been reported as such.
        ("end", waiver.expires.is_missing()),
    ];
    fields.into_iter().filter(|(_, lacks)| *lacks).map(|(name, _)| name).collect()
}

/// True when a waiver's `key` means this key.
pub(crate) fn names(written: &str, tenant: Option<&str>, name: &str) -> bool {
    match written.split_once('/') {
        Some((wanted, key)) => key == name && Some(wanted) == tenant,
        None => written == name,
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
