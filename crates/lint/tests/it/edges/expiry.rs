//! Family E: when a key expires.

use super::{fixed, key, messages};

/// A key with this expiry.
fn ends(line: &str) -> String {
    key("lifetime: 90d", line)
}

/// An expiry as the fix shortens it to a limit.
fn clamped(max: &str, line: &str) -> String {
    let policy = format!("rules: {{ E003: {{ max: {max} }}, E004: {{ enabled: false }} }}\n");
    let text = fixed("E003", &policy, &ends(line)).unwrap_or_default();
    let line = text.lines().find(|line| line.contains("lifetime:") || line.contains("expires:"));
    line.unwrap_or_default().trim().to_owned()
}

#[test]
fn a_limit_is_written_in_days_else_hours_else_minutes() {
    for (max, written) in
        [("30d", "30d"), ("24h", "1d"), ("23h", "23h"), ("60m", "1h"), ("59m", "59m")]
    {
        assert_eq!(clamped(max, "lifetime: 60d"), format!("lifetime: {written}"));
    }
}

#[test]
fn a_limit_on_a_time_is_the_last_whole_day_within_it() {
    for (max, written) in [
        ("30d", "\"2026-01-30T00:00:00Z\""),
        ("3d", "\"2026-01-03T00:00:00Z\""),
        ("2d", "\"2026-01-02T00:00:00Z\""),
        ("47h", "\"2026-01-02T23:00:00Z\""),
    ] {
        let line = clamped(max, "expires: 2026-05-28T00:00:00Z");
        assert_eq!(line, format!("expires: {written}"));
    }
}

#[test]
fn durations_are_shown_in_days_hours_or_minutes() {
    for (line, reported) in [
        ("lifetime: 60d", "60 days"),
        ("lifetime: 24h", "1 day"),
        ("lifetime: 23h", "23 hours"),
        ("lifetime: 60m", "1 hour"),
        ("lifetime: 59m", "59 minutes"),
    ] {
        let reported = format!("the lifetime is {reported}; the policy allows at most 30 minutes");
        assert_eq!(messages("E003", "rules: { E003: { max: 30m } }\n", &ends(line)), [reported]);
    }
}

#[test]
fn a_missing_expiry_is_inserted_in_field_order() {
    let with = |line: &str| fixed("E001", "", &ends(line));
    let without = key("  lifetime: 90d\n", "");
    assert_eq!(fixed("E001", "", &without), Some(super::KEY.to_owned()));
    assert_eq!(with("lifetime:"), Some(super::KEY.to_owned()));
    assert_eq!(with("lifetime :   # soon"), Some(ends("lifetime: 90d   # soon")));
    assert_eq!(with("expires:"), Some(super::KEY.to_owned()));
    assert_eq!(with("expires: never"), Some(super::KEY.to_owned()));
}

#[test]
fn the_usual_lifetime_is_ninety_days_or_a_shorter_limit() {
    for (max, usual) in [("2160h", "90d"), ("2161h", "90d"), ("2159h", "2159h")] {
        let policy = format!("rules: {{ E003: {{ max: {max} }} }}\n");
        assert_eq!(
            fixed("E001", &policy, &ends("expires: never")),
            Some(ends(&format!("lifetime: {usual}")))
        );
    }
    let off = "rules: { E003: { max: 1d, enabled: false } }\n";
    assert_eq!(fixed("E001", off, &ends("expires: never")), Some(super::KEY.to_owned()));
}

#[test]
fn never_is_refused_unless_it_is_allowed() {
    let never = ends("expires: never");
    assert_eq!(
        messages("E001", "", &never),
        ["this key never expires; the policy requires an expiry"]
    );
    let none: [&str; 0] = [];
    assert_eq!(messages("E001", "rules: { E001: { allowNever: true } }\n", &never), none);
    assert_eq!(messages("E001", "", &ends("expires: 2026-05-28")), none);
}

#[test]
fn a_key_has_expired_from_its_last_moment_on() {
    for (end, ended, soon) in [
        ("2025-12-31T22:59:00Z", Some("1 hour"), None),
        ("2026-01-01T00:00:00Z", Some("0 minutes"), None),
        ("2026-01-01T00:01:00Z", None, Some("1 minute")),
        ("2026-01-31T00:00:00Z", None, Some("30 days")),
        ("2026-01-31T00:00:01Z", None, None),
    ] {
        let text = ends(&format!("expires: {end}"));
        let ended = ended.map(|ago| format!("this key expired {ago} ago"));
        assert_eq!(messages("E002", "", &text), Vec::from_iter(ended), "{end}");
        let soon = soon.map(|left| {
            format!(
                "this key expires in {left}; the policy requires rotation 30 days before the expiry"
            )
        });
        assert_eq!(messages("E004", "", &text), Vec::from_iter(soon), "{end}");
    }
}

#[test]
fn a_limit_holds_to_the_second() {
    let policy = "rules: { E003: { max: 30d } }\n";
    for (line, reported) in [
        ("lifetime: 30d", None),
        (
            "lifetime: 721h",
            Some("the lifetime is 30 days and 1 hour; the policy allows at most 30 days"),
        ),
        ("expires: 2026-01-31T00:00:00Z", None),
        (
            "expires: 2026-01-31T00:00:01Z",
            Some("this key expires in 30 days and 1 second; the policy allows at most 30 days"),
        ),
        ("expires: never", None),
    ] {
        assert_eq!(messages("E003", policy, &ends(line)), Vec::from_iter(reported), "{line}");
    }
}

#[test]
fn a_limit_beyond_the_product_is_fixed_to_its_maximum() {
    let at_product = "lifetime: 181d";
    assert_eq!(clamped("200d", "lifetime: 300d"), at_product);
    assert_eq!(clamped("200d, }, E007: { enabled: false", "lifetime: 300d"), "lifetime: 200d");
}

#[test]
fn the_product_counts_six_calendar_months() {
    for (line, reported) in [
        ("lifetime: 181d", None),
        (
            "lifetime: 4345h",
            Some("the product's API generates keys for at most six months; this is 181 days"),
        ),
        ("expires: 2026-07-01T00:00:00Z", None),
        (
            "expires: 2026-07-01T00:00:01Z",
            Some("the product's API generates keys for at most six months; this is 181 days"),
        ),
    ] {
        assert_eq!(messages("E007", "", &ends(line)), Vec::from_iter(reported), "{line}");
    }
    let allowed = "rules: { E001: { allowNever: true } }\n";
    let never = ends("expires: never");
    assert_eq!(
        messages("E007", allowed, &never),
        ["the product's API cannot generate a key that never expires"]
    );
    assert_eq!(fixed("E007", allowed, &never), Some(ends("expires: \"2026-06-30T00:00:00Z\"")));
    assert_eq!(fixed("E007", "", &ends("lifetime: 300d")), Some(ends("lifetime: 181d")));
}

#[test]
fn an_offset_is_added_if_nothing_else_is_wrong() {
    let policy = "rules: { E005: { offset: '+02:00' } }\n";
    for (line, written) in [
        ("expires: 2026-03-01T00:00:00", Some("expires: 2026-03-01T00:00:00+02:00")),
        ("expires: '2026-03-01T00:00:00'", Some("expires: '2026-03-01T00:00:00+02:00'")),
        ("expires: \"2026-03-01T00:00:00\"", Some("expires: \"2026-03-01T00:00:00+02:00\"")),
        ("expires: 2026-02-30T00:00:00", None),
        ("lifetime: 90", None),
    ] {
        assert_eq!(messages("E005", policy, &ends(line)).len(), 1, "{line}");
        assert_eq!(fixed("E005", policy, &ends(line)), written.map(ends), "{line}");
        assert_eq!(fixed("E005", "", &ends(line)), None, "{line}");
    }
}

#[test]
fn days_off_are_the_first_to_the_last() {
    let policy = "rules: { E006: { weekend: [saturday], holidays: [2026-05-01], \
                  freezes: [2026-05-11/2026-05-13] } }\n";
    for (day, what, free) in [
        ("2026-05-01", Some("a holiday"), "2026-04-30"),
        ("2026-05-02", Some("a Saturday"), "2026-04-30"),
        ("2026-05-03", None, ""),
        ("2026-05-10", None, ""),
        ("2026-05-11", Some("a freeze"), "2026-05-10"),
        ("2026-05-12", Some("a freeze"), "2026-05-10"),
        ("2026-05-13", Some("a freeze"), "2026-05-10"),
        ("2026-05-14", None, ""),
    ] {
        let text = ends(&format!("expires: {day}"));
        let reported = what.map(|what| format!("this key expires on {day}, which is {what}"));
        assert_eq!(messages("E006", policy, &text), Vec::from_iter(reported), "{day}");
        let written = what.map(|_| ends(&format!("expires: {free}")));
        assert_eq!(fixed("E006", policy, &text), written, "{day}");
    }
    // The first moment of a day is the end of the day before.
    let midnight = ends("expires: 2026-05-03T00:00:00Z");
    assert_eq!(
        messages("E006", policy, &midnight),
        ["this key expires on 2026-05-02, which is a Saturday"]
    );
    let later = ends("expires: 2026-05-03T00:00:01Z");
    assert_eq!(messages("E006", policy, &later).len(), 0);
}

#[test]
fn an_unbounded_freeze_has_no_day_before_it() {
    let policy = "rules: { E006: { freezes: [2020-01-01/2030-01-01] } }\n";
    let text = ends("expires: 2026-05-28");
    assert_eq!(
        messages("E006", policy, &text),
        ["this key expires on 2026-05-28, which is a freeze"]
    );
    assert_eq!(fixed("E006", policy, &text), None);
}
