//! Parses times and durations in all files.
//!
//! Ambiguous forms are not accepted: a time without an offset, a month, a week.

use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

/// When a key expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpirySpec {
    /// At this time.
    At(Timestamp),
    /// After this lifetime, counted from when the key is generated.
    After(SignedDuration),
    /// Never.
    Never,
}

/// Why a time or a duration cannot be read, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TimeError {
    /// What is wrong.
    pub message: String,
    /// What to write.
    pub help: String,
    /// The same time or duration in the accepted form, if it is unambiguous.
    pub meant: Option<String>,
}

impl TimeError {
    /// A time outside the supported range.
    pub(crate) fn out_of_range() -> Self {
        Self::new("the time is out of range", "write a time from 1970 on")
    }

    fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: help.into(), meant: None }
    }
}

/// Parses an RFC 3339 time with an offset, or a date, which means the end of that day in UTC.
pub fn moment(text: &str) -> Result<Timestamp, TimeError> {
    let example = "write a time with its offset (`2027-03-01T00:00:00Z`) or a date (`2027-03-01`)";
    if text.len() == 10 && shape(text, "dddd-dd-dd") {
        let date = civil_date(text, example)?;
        let next =
            date.tomorrow().map_err(|_| TimeError::new("the date is out of range", example))?;
        return at(next.at(0, 0, 0, 0), Offset::UTC, example);
    }
    let wrong = || TimeError {
        meant: padded(text),
        ..TimeError::new("this is not an RFC 3339 time", example)
    };
    let (head, tail) = text.split_at_checked(19).ok_or_else(wrong)?;
    if !shape(head, "dddd-dd-ddTdd:dd:dd") {
        return Err(wrong());
    }
    let date = civil_date(head.get(..10).unwrap_or_default(), example)?;
    let clock = |from: usize| head.get(from..from + 2).and_then(|t| t.parse::<i8>().ok());
    let hour = clock(11);
    let minute = clock(14);
    let second = clock(17);
    let time = hour
        .zip(minute)
        .zip(second)
        // A leap second becomes the second before it, because clocks do not have leap seconds.
        .and_then(|((h, m), s)| jiff::civil::Time::new(h, m, s.min(59 + i8::from(s > 60)), 0).ok())
        .ok_or_else(|| {
            let clock = head.get(11..).unwrap_or_default();
            TimeError::new(format!("{clock} is not a time of day"), example)
        })?;
    let tail = fraction(tail).ok_or_else(wrong)?;
    if tail.is_empty() {
        let help = format!("write `{head}Z` if UTC is meant, else the offset, as in `+02:00`");
        return Err(TimeError::new(
            "the time has no offset: readers would assume local time",
            help,
        ));
    }
    let offset = offset(tail).ok_or_else(wrong)?;
    at(date.to_datetime(time), offset, example)
}

/// `2027-1-1` as `2027-01-01`.
fn padded(text: &str) -> Option<String> {
    let mut parts = text.splitn(3, '-');
    let year = parts.next()?;
    let month = parts.next()?;
    let day = parts.next()?;
    let short =
        |part: &str| matches!(part.len(), 1 | 2) && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_date = shape(year, "dddd") && short(month) && short(day);
    let padded = format!("{year}-{month:0>2}-{day:0>2}");
    (is_date && padded != text && moment(&padded).is_ok()).then_some(padded)
}

/// `90 days` as `90d`.
fn abbreviated(text: &str) -> Option<String> {
    let letters = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = text.get(..text.len() - letters.len())?;
    let unit = match letters.trim_start_matches(' ').to_ascii_lowercase().as_str() {
        "d" | "day" | "days" => "d",
        "h" | "hour" | "hours" => "h",
        "minute" | "minutes" => "m",
        _ => return None,
    };
    let short = format!("{digits}{unit}");
    (!digits.is_empty() && short != text && lifetime(&short).is_ok()).then_some(short)
}

/// Parses a lifetime such as `90d`, `12h` or `30m`; a day is 24 hours.
pub fn lifetime(text: &str) -> Result<SignedDuration, TimeError> {
    let help = "write a whole number of days, hours or minutes: `90d`, `12h`, `30m`";
    let wrong = || {
        let meant = abbreviated(text);
        TimeError { meant, ..TimeError::new("this is not a duration", help) }
    };
    let unit = match text.bytes().last() {
        Some(b'd') => 86_400_i64,
        Some(b'h') => 3_600,
        Some(b'm') => 60,
        _ => return Err(wrong()),
    };
    let digits = text.get(..text.len() - 1).unwrap_or_default();
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(wrong());
    }
    let seconds = digits.parse::<i64>().ok().and_then(|n| n.checked_mul(unit));
    match seconds {
        Some(0) => Err(TimeError::new("the duration is zero", help)),
        // A thousand years: more is a mistake, and arithmetic could overflow.
        Some(seconds) if seconds <= 365_250 * 86_400 => Ok(SignedDuration::from_secs(seconds)),
        _ => Err(TimeError::new("the duration is out of range", help)),
    }
}

fn civil_date(text: &str, help: &str) -> Result<Date, TimeError> {
    let part = |from: usize, to: usize| text.get(from..to).and_then(|t| t.parse::<i16>().ok());
    let small = |value: Option<i16>| value.and_then(|v| i8::try_from(v).ok());
    let date = part(0, 4)
        .zip(small(part(5, 7)))
        .zip(small(part(8, 10)))
        .and_then(|((year, month), day)| Date::new(year, month, day).ok());
    date.ok_or_else(|| TimeError::new(format!("{text} is not a date"), help))
}

fn at(time: DateTime, offset: Offset, help: &str) -> Result<Timestamp, TimeError> {
    offset.to_timestamp(time).map_err(|_| TimeError::new("the time is out of range", help))
}

/// True when the text has digits where the pattern has `d`, and the pattern's characters elsewhere.
fn shape(text: &str, form: &str) -> bool {
    text.len() == form.len()
        && text.bytes().zip(form.bytes()).all(|(byte, form)| match form {
            b'd' => byte.is_ascii_digit(),
            b'T' => matches!(byte, b'T' | b't'),
            other => byte == other,
        })
}

/// The rest after a fraction of a second, which is ignored: keys expire with millisecond precision
/// at best.
fn fraction(tail: &str) -> Option<&str> {
    let Some(rest) = tail.strip_prefix('.') else { return Some(tail) };
    let rest_after = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    (rest_after.len() < rest.len()).then_some(rest_after)
}

fn offset(tail: &str) -> Option<Offset> {
    if matches!(tail, "Z" | "z") {
        return Some(Offset::UTC);
    }
    let sign = match tail.bytes().next()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let rest = tail.get(1..)?;
    if !shape(rest, "dd:dd") {
        return None;
    }
    let hours: i32 = rest.get(..2)?.parse().ok()?;
    let minutes: i32 = rest.get(3..)?.parse().ok()?;
    if hours > 23 || minutes > 59 {
        return None;
    }
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_their_offset() {
        let read = |text: &str| moment(text).map(|t| t.to_string()).map_err(|e| e.message);
        assert_eq!(read("2027-03-01T00:00:00Z").unwrap(), "2027-03-01T00:00:00Z");
        assert_eq!(read("2027-03-01T01:30:00.250+01:30").unwrap(), "2027-03-01T00:00:00Z");
        assert_eq!(read("2027-02-28").unwrap(), "2027-03-01T00:00:00Z");
        assert_eq!(read("2016-12-31T23:59:60Z").unwrap(), "2016-12-31T23:59:59Z");
        assert!(read("2027-03-01T00:00:00").unwrap_err().contains("offset"));
        assert!(read("2026-02-30").unwrap_err().contains("2026-02-30"));
        assert!(read("2026-02-03T25:00:00Z").unwrap_err().contains("25:00:00"));
        for bad in [
            "",
            "soon",
            "2027-3-1",
            "2027-03-01 00:00:00Z",
            "01/03/2027",
            "2027-03-01T00:00Z",
            "2027-03-01T00:00:00+0100",
            "2027-03-01T00:00:00.Z",
            "éééééééééééé",
            "2027-03-01T00:00:61Z",
            "9999-12-31",
        ] {
            assert!(moment(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn unambiguous_fixes_are_offered() {
        let time = |text: &str| moment(text).err().and_then(|error| error.meant);
        assert_eq!(time("2027-1-1").as_deref(), Some("2027-01-01"));
        assert_eq!(time("2027-11-3").as_deref(), Some("2027-11-03"));
        for bad in ["2027-13-1", "2027-2-30", "27-1-1", "2027-1-1T00:00:00Z", "1-1-2027", "soon"] {
            assert_eq!(time(bad), None, "{bad}");
        }
        let span = |text: &str| lifetime(text).err().and_then(|error| error.meant);
        for (text, short) in [
            ("90 days", "90d"),
            ("1 day", "1d"),
            ("90D", "90d"),
            ("12 hours", "12h"),
            ("90 d", "90d"),
            ("45 Minutes", "45m"),
        ] {
            assert_eq!(span(text).as_deref(), Some(short), "{text}");
        }
        // `M` may be months.
        for bad in
            ["3M", "3 m", "3 months", "1.5 days", "days", "0 days", "9999999 days", "2 weeks"]
        {
            assert_eq!(span(bad), None, "{bad}");
        }
    }

    #[test]
    fn durations_are_days_hours_or_minutes() {
        assert_eq!(lifetime("90d").unwrap(), SignedDuration::from_hours(90 * 24));
        assert_eq!(lifetime("12h").unwrap(), SignedDuration::from_hours(12));
        assert_eq!(lifetime("30m").unwrap(), SignedDuration::from_mins(30));
        for bad in [
            "",
            "d",
            "90",
            "0d",
            "-1d",
            "1.5d",
            "3w",
            "1y",
            "99999999999999999999d",
            "9999999d",
            "é",
        ] {
            assert!(lifetime(bad).is_err(), "{bad}");
        }
    }
}
