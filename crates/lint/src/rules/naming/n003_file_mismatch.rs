//! N003 name-file-mismatch: the file's name is not the name of its key.

use cortexkey_manifest::policy::Severity;
use cortexkey_manifest::quote;

use crate::rule::{FindingSink, Fixes, KeyContext, Rule, RuleCheck, RuleExample};

pub(crate) static RULE: Rule = Rule {
    code: "N003",
    name: "name-file-mismatch",
    severity: Severity::Warning,
    summary: "the file's name is not the name of its key",
    why: "People look for the file by the key's name. A copied file with the old name inside is a \
          second definition of the first key.",
    bad: RuleExample::fields("metadata:\n  name: svc-siem-export-prod\n").at("keys/svc-siem.yaml"),
    good: RuleExample::fields("metadata:\n  name: svc-siem-export-prod\n")
        .at("keys/svc-siem-export-prod.yaml"),
    remedy: "Rename the file (`git mv`). Renaming the key instead makes it another key: `apply` \
           creates that key and deletes the old one. Files with several definitions and standard \
           input are not checked.",
    options: &[],
    fixes: Fixes::No,
    check: RuleCheck::Key(check),
};

fn check(cx: &KeyContext<'_>, sink: &mut FindingSink<'_>) {
    let Some(name) = cx.definition.metadata.as_ref().and_then(|m| m.name.spanned()) else { return };
    let file = cx.path.rsplit('/').next().unwrap_or(cx.path);
    let (stem, extension) = file.rsplit_once('.').unwrap_or((file, "yaml"));
    if !cx.alone || stem == name.value || stem.starts_with('<') || stem.is_empty() {
        return;
    }
    let message =
        format!("the file is named {}, but its key is named {}", quote(stem), quote(&name.value));
    cx.finding(name.span, message)
        .help(format!("rename the file to {}", quote(&format!("{}.{extension}", name.value))))
        .report(sink);
}
