//! E006 expiry-off-hours: the key ends on a weekend, on a holiday or in a freeze.

use cortexkey_manifest::definition::Expiry;
use cortexkey_manifest::policy::Severity;
use jiff::SignedDuration;
use jiff::civil::Date;
use jiff::tz::Offset;

use crate::model::Fix;
use crate::policy::{OptionDoc, OptionType, Tighter, WEEKDAYS, period};
use crate::rule::{Check, Example, Fixes, KeyContext, Rule, Sink};

const DAYS: &str = "rules: { expiry-off-hours: { weekend: [saturday, sunday] } }\n";

pub(crate) static RULE: Rule = Rule {
    code: "E006",
    name: "expiry-off-hours",
    severity: Severity::Info,
    summary: "the key ends on a weekend, on a holiday or in a freeze",
    why: "A key that ends when nobody is there, or when nothing may be changed, is an outage that waits for the first working day.",
    bad: Example::fields("spec:\n  expires: 2026-05-30\n").policy(DAYS),
    good: Example::fields("spec:\n  expires: 2026-05-28\n").policy(DAYS),
    mend: "End the key on a working day before. Nothing is asked for until a policy sets `weekend`, `holidays` or `freezes`. Days are those of UTC.",
    options: &[
        OptionDoc {
            name: "weekend",
            kind: OptionType::Weekdays,
            default: Some(""),
            what: "days of the week on which nobody is there",
            tighter: Tighter::More,
        },
        OptionDoc {
            name: "holidays",
            kind: OptionType::Dates,
            default: Some(""),
            what: "days on which nobody is there",
            tighter: Tighter::More,
        },
        OptionDoc {
            name: "freezes",
            kind: OptionType::Dates,
            default: Some(""),
            what: "periods in which nothing is changed",
            tighter: Tighter::More,
        },
    ],
    fixes: Fixes::Unsafe,
    check: Check::Key(check),
};

fn check(cx: &KeyContext<'_>, sink: &mut Sink<'_>) {
    let Some(end) = cx.definition.spec.as_ref().and_then(|spec| spec.expires.spanned()) else {
        return;
    };
    let Expiry::At(moment) = end.value else { return };
    // A date means its end, so the moment before it is the day that is meant.
    let last = moment.saturating_sub(SignedDuration::from_nanos(1)).unwrap_or(moment);
    let day = Offset::UTC.to_datetime(last).date();
    let (weekend, _) = sink.settings.texts("weekend");
    let (holidays, _) = sink.settings.texts("holidays");
    let (freezes, _) = sink.settings.texts("freezes");
    let off = |day: Date| -> Option<String> {
        let name = WEEKDAYS[usize::from(day.weekday().to_monday_zero_offset().unsigned_abs())];
        let within = |days: &[&str]| {
            let mut days = days.iter().filter_map(|text| period(text));
            days.any(|(first, last)| first <= day && day <= last)
        };
        if weekend.contains(&name) {
            Some(format!("a {name}"))
        } else if within(&holidays) {
            Some("a holiday".to_owned())
        } else {
            within(&freezes).then(|| "a freeze".to_owned())
        }
    };
    let Some(what) = off(day) else { return };
    let before = core::iter::successors(day.yesterday().ok(), |day| day.yesterday().ok());
    // A freeze that lasts for ever has no day before it worth naming.
    let free = before.take(120).find(|day| off(*day).is_none());
    let source =
        ["weekend", "holidays", "freezes"].into_iter().find_map(|name| sink.settings.texts(name).1);
    let mut finding = cx
        .finding(end.span, format!("this key ends on {day}, which is {what}"))
        .decided(source, "the days");
    if let Some(free) = free {
        finding = finding
            .help(format!("end it on {free} or earlier"))
            .fix(Some(Fix::unsafe_(end.span, free.to_string())));
    }
    sink.report(finding);
}
