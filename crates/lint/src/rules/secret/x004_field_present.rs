//! X004 secret-field-present: a field named like a secret.

use cortexkey_manifest::policy::Severity;
use cortexkey_manifest::yaml::NodeKind;
use cortexkey_manifest::{SecretFieldName, quote};

use crate::rule::{FileContext, FindingSink, Fixes, Rule, RuleCheck, RuleExample};

pub(crate) static RULE: Rule = Rule {
    code: "X004",
    name: "secret-field-present",
    severity: Severity::Error,
    summary: "a field named like a secret: `key`, `apiKey`, `token`, `password`, `authorization`",
    why: "A definition describes a key. The key itself never belongs in a repository, whose \
          history keeps it after it is deleted. The value is never printed, in any format.",
    bad: RuleExample::fields("spec:\n  apiKey: not-a-real-one\n"),
    good: RuleExample::fields("spec:\n  comment: the key is in the vault\n"),
    remedy: "Remove the field. If the value is real, revoke the key in the console and generate a \
           new one: the value is in the history and in every clone.",
    options: &[],
    fixes: Fixes::No,
    check: RuleCheck::File(check),
};

fn check(cx: &FileContext<'_>, sink: &mut FindingSink<'_>) {
    let tree = cx.tree;
    for (_, node) in tree.nodes() {
        let NodeKind::Mapping { entries, .. } = &node.kind else { continue };
        for entry in entries {
            let Some(name) = tree.text_of(entry.key).filter(|name| SecretFieldName::is_name(name))
            else {
                continue;
            };
            let span = tree.node(entry.key).span;
            let message = format!("field {} is named like a secret", quote(name));
            cx.finding(span, message)
                .help(
                    "remove it; if the value is real, revoke the key: the repository's history \
                        keeps it",
                )
                .report(sink);
        }
    }
}
