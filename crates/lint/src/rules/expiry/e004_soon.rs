//! E004 expiry-soon: the key expires within a window in which it should be rotated.

use cortexkey_manifest::definition::ExpirySpec;
use cortexkey_manifest::policy::Severity;
use jiff::SignedDuration;

use crate::model::duration_in_words;
use crate::policy::rule_options;
use crate::rule::{FindingSink, Fixes, KeyContext, Rule, RuleCheck, RuleExample};

rule_options! {
    struct Options<'a> {
        /// a key is reported if it expires within the longest of these durations
        windows: &'a [SignedDuration] = "30d, 7d, 1d", Neither;
    }
}

pub(crate) static RULE: Rule = Rule {
    code: "E004",
    name: "expiry-soon",
    severity: Severity::Warning,
    summary: "the key expires soon and should be rotated",
    why: "The API cannot extend a key: a new one has to be generated, scoped, delivered and put \
          into use. The console warns one week and one day before the expiry, which is often too \
          late.",
    bad: RuleExample::fields("spec:\n  expires: 2026-01-10\n"),
    good: RuleExample::fields("spec:\n  expires: 2026-05-31\n"),
    remedy: "Rotate the key: generate a new one, switch its consumer, and delete the old one.",
    options: Options::DOCS,
    fixes: Fixes::No,
    check: RuleCheck::Key(check),
};

fn check(cx: &KeyContext<'_>, sink: &mut FindingSink<'_>) {
    let Some(end) = cx.definition.spec.as_ref().and_then(|spec| spec.expires.spanned()) else {
        return;
    };
    let ExpirySpec::At(moment) = end.value else { return };
    let left = moment.duration_since(cx.now);
    let windows = Options::of(sink.settings).windows;
    let first = windows.value.iter().max().filter(|window| left <= **window && moment > cx.now);
    if let Some(first) = first {
        let message = format!(
            "this key expires in {}; the policy requires rotation {} before the expiry",
            duration_in_words(left),
            duration_in_words(*first)
        );
        cx.finding(end.span, message)
            .help("rotate it: generate a new key, switch its consumer, delete this one")
            .decided(windows.decided, "the windows")
            .report(sink);
    }
}
