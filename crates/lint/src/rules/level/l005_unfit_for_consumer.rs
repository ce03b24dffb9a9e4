//! L005 level-unfit-for-consumer: the label `consumer` names a tool that only supports keys of the
//! other level.

use cortexkey_core::auth::Level;
use cortexkey_manifest::policy::Severity;
use cortexkey_manifest::quote;

use crate::policy::rule_options;
use crate::rule::{FindingSink, Fixes, KeyContext, Rule, RuleCheck, RuleExample};

rule_options! {
    struct Options<'a> {
        /// tools that only support standard keys
        standard_only as "standardOnly": &'a [String] = "cortex-cli, cortex-mcp, demisto-sdk", Neither;
        /// tools that only support advanced keys
        advanced_only as "advancedOnly": &'a [String] = "xsoar-cortex-xdr, xdr-iocs", Neither;
    }
}

pub(crate) static RULE: Rule = Rule {
    code: "L005",
    name: "level-unfit-for-consumer",
    severity: Severity::Warning,
    summary: "the label `consumer` names a tool that only supports keys of the other level",
    why: "A key of the wrong level gets the same 401 as a wrong key. The vendor's command line, \
          its content SDK and older versions of its MCP server support only standard keys; the \
          integrations between its products support only advanced keys.",
    bad: RuleExample::fields(
        "metadata:\n  labels: { consumer: cortex-cli }\nspec:\n  securityLevel: advanced\n",
    ),
    good: RuleExample::fields(
        "metadata:\n  labels: { consumer: siem-forwarder }\nspec:\n  securityLevel: advanced\n",
    ),
    remedy: "Change the level, or the label if it names the wrong tool. If the policy forbids \
        standard keys (L001), it can disable that rule for the label with an override.",
    options: Options::DOCS,
    fixes: Fixes::No,
    check: RuleCheck::Key(check),
};

fn check(cx: &KeyContext<'_>, sink: &mut FindingSink<'_>) {
    let Some(spec) = &cx.definition.spec else { return };
    let Some(level) = spec.level.spanned() else { return };
    let metadata = cx.definition.metadata.as_ref();
    let label = metadata.and_then(|m| m.labels.iter().find(|(name, _)| name.value == "consumer"));
    let Some((_, consumer)) = label else { return };
    let options = Options::of(sink.settings);
    let (tools, needed) = match level.value {
        Level::Advanced => (options.standard_only, Level::Standard),
        Level::Standard => (options.advanced_only, Level::Advanced),
    };
    if tools.value.contains(&consumer.value) {
        let message = format!("{} supports only {needed} keys", quote(&consumer.value));
        cx.finding(level.span, message)
            .help(format!("write `securityLevel: {needed}`, or correct the label"))
            .also(consumer.span, "the consumer")
            .decided(tools.decided, "set here")
            .report(sink);
    }
}
