//! L005 level-unfit-for-consumer: the label `consumer` names a tool that only takes keys of the other level.

use cortexkey_core::auth::Level;
use cortexkey_manifest::policy::Severity;
use cortexkey_manifest::quote;

use crate::policy::{OptionDoc, OptionType, Tighter};
use crate::rule::{Check, Example, Fixes, KeyContext, Rule, Sink};

pub(crate) static RULE: Rule = Rule {
    code: "L005",
    name: "level-unfit-for-consumer",
    severity: Severity::Warning,
    summary: "the label `consumer` names a tool that only takes keys of the other level",
    why: "A key of the wrong level gets the same 401 as a wrong key. The vendor's command line, its MCP server and its SDK for content take standard keys only; the integrations between its products take advanced ones.",
    bad: Example::fields(
        "metadata:\n  labels: { consumer: cortex-cli }\nspec:\n  securityLevel: advanced\n",
    ),
    good: Example::fields(
        "metadata:\n  labels: { consumer: siem-forwarder }\nspec:\n  securityLevel: advanced\n",
    ),
    mend: "Change the level, or the label where it names the wrong tool. A policy that forbids standard keys switches that rule off for such a label with an override.",
    options: &[
        OptionDoc {
            name: "standardOnly",
            kind: OptionType::Texts,
            default: Some("cortex-cli, cortex-mcp, demisto-sdk"),
            what: "tools that take standard keys only",
            tighter: Tighter::Neither,
        },
        OptionDoc {
            name: "advancedOnly",
            kind: OptionType::Texts,
            default: Some("xsoar-cortex-xdr, xdr-iocs"),
            what: "tools that take advanced keys only",
            tighter: Tighter::Neither,
        },
    ],
    fixes: Fixes::No,
    check: Check::Key(check),
};

fn check(cx: &KeyContext<'_>, sink: &mut Sink<'_>) {
    let Some(spec) = &cx.definition.spec else { return };
    let Some(level) = spec.level.spanned() else { return };
    let metadata = cx.definition.metadata.as_ref();
    let label = metadata.and_then(|m| m.labels.iter().find(|(name, _)| name.value == "consumer"));
    let Some((_, consumer)) = label else { return };
    let (option, needed) = match level.value {
        Level::Advanced => ("standardOnly", Level::Standard),
        Level::Standard => ("advancedOnly", Level::Advanced),
    };
    let (tools, source) = sink.settings.texts(option);
    if tools.contains(&consumer.value.as_str()) {
        let message = format!("{} takes {needed} keys only", quote(&consumer.value));
        let finding = cx
            .finding(level.span, message)
            .help(format!("write `securityLevel: {needed}`, or correct the label"))
            .also(consumer.span, "the consumer")
            .decided(source, "said here");
        sink.report(finding);
    }
}
