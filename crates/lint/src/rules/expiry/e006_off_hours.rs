//! E006 expiry-off-hours: the key expires on a weekend, on a holiday or during a freeze.

use cortexkey_manifest::definition::ExpirySpec;
use cortexkey_manifest::policy::Severity;
use jiff::SignedDuration;
use jiff::civil::Date;
use jiff::civil::Weekday;
use jiff::tz::Offset;

use crate::model::Fix;
use crate::policy::{Period, rule_options};
use crate::rule::{FindingSink, Fixes, KeyContext, Rule, RuleCheck, RuleExample};

const DAYS: &str = "rules: { expiry-off-hours: { weekend: [saturday, sunday] } }\n";

rule_options! {
    struct Options<'a> {
        /// days of the week that are not working days
        weekend: &'a [Weekday] = "", More;
        /// other days that are not working days
        holidays: &'a [Period] = "", More;
        /// periods in which nothing may be changed
        freezes: &'a [Period] = "", More;
    }
}

pub(crate) static RULE: Rule = Rule {
    code: "E006",
    name: "expiry-off-hours",
    severity: Severity::Info,
    summary: "the key expires on a weekend, on a holiday or during a freeze",
    why: "If a key expires when nobody is at work, or when nothing may be changed, the outage \
          lasts until the next working day.",
    bad: RuleExample::fields("spec:\n  expires: 2026-05-30\n").policy(DAYS),
    good: RuleExample::fields("spec:\n  expires: 2026-05-28\n").policy(DAYS),
    remedy: "Let the key expire on an earlier working day. The rule has no effect until a policy \
           sets `weekend`, `holidays` or `freezes`. Days are in UTC.",
    options: Options::DOCS,
    fixes: Fixes::Unsafe,
    check: RuleCheck::Key(check),
};

fn check(cx: &KeyContext<'_>, sink: &mut FindingSink<'_>) {
    let Some(end) = cx.definition.spec.as_ref().and_then(|spec| spec.expires.spanned()) else {
        return;
    };
    let ExpirySpec::At(moment) = end.value else { return };
    // A date means the end of that day, so the moment before it is on the meant day.
    let last = moment.saturating_sub(SignedDuration::from_nanos(1)).unwrap_or(moment);
    let day = Offset::UTC.to_datetime(last).date();
    let Options { weekend, holidays, freezes } = Options::of(sink.settings);
    let off = |day: Date| -> Option<String> {
        let within = |days: &[Period]| days.iter().any(|period| period.contains(day));
        if weekend.value.contains(&day.weekday()) {
            Some(day.strftime("a %A").to_string())
        } else if within(holidays.value) {
            Some("a holiday".to_owned())
        } else {
            within(freezes.value).then(|| "a freeze".to_owned())
        }
    };
    let Some(what) = off(day) else { return };
    let before = core::iter::successors(day.yesterday().ok(), |day| day.yesterday().ok());
    // An endless freeze has no useful day before it.
    let free = before.take(120).find(|day| off(*day).is_none());
    let decided = weekend.decided.or(holidays.decided).or(freezes.decided);
    let mut finding = cx
        .finding(end.span, format!("this key expires on {day}, which is {what}"))
        .decided(decided, "the days");
    if let Some(free) = free {
        finding = finding
            .help(format!("let it expire on {free} or earlier"))
            .fix(Some(Fix::unsafe_(end.span, free.to_string())));
    }
    finding.report(sink);
}
