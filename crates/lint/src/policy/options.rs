//! What a rule's options take, and which of two values asks for more.

use cortexkey_manifest::definition::{lifetime, moment};
use cortexkey_manifest::policy::OptionKind;

use super::patterns;

/// The type of an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionType {
    /// `90d`, `12h`, `30m`.
    Duration,
    /// A list of durations.
    Durations,
    /// `true` or `false`.
    Flag,
    /// A whole number.
    Number,
    /// A list of texts.
    Texts,
    /// A regular expression.
    Pattern,
    /// `Z` or an offset such as `+02:00`.
    Offset,
    /// A list of weekdays.
    Weekdays,
    /// A list of dates, or periods of two dates with a `/`.
    Dates,
    /// A list of SHA-256 digests.
    Digests,
}

/// The weekdays, from Monday.
pub(crate) const WEEKDAYS: [&str; 7] =
    ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

impl OptionType {
    /// What is expected, when the value is something else.
    #[must_use]
    pub fn refuses(self, value: &OptionKind) -> Option<&'static str> {
        let text = match value {
            OptionKind::Text(text) => Some(text.as_str()),
            _ => None,
        };
        let all = |fits: fn(&str) -> bool| {
            let OptionKind::List(items) = value else { return false };
            items.iter().all(|item| matches!(&item.kind, OptionKind::Text(text) if fits(text)))
        };
        let is = |fits: fn(&str) -> bool| text.is_some_and(fits);
        let fits = match self {
            Self::Duration => is(|text| lifetime(text).is_ok()),
            Self::Flag => is(|text| matches!(text, "true" | "false")),
            Self::Number => is(|text| text.parse::<u32>().is_ok()),
            Self::Durations => all(|text| lifetime(text).is_ok()),
            Self::Texts => all(|_| true),
            Self::Pattern => is(|text| patterns::compile(text).is_ok()),
            Self::Offset => is(is_offset),
            Self::Weekdays => all(|text| WEEKDAYS.contains(&text)),
            Self::Dates => all(|text| period(text).is_some()),
            Self::Digests => all(|text| text.len() == 64 && text.bytes().all(is_hex)),
        };
        (!fits).then_some(self.expected())
    }

    /// True for a list.
    #[must_use]
    pub const fn is_list(self) -> bool {
        matches!(self, Self::Durations | Self::Texts | Self::Weekdays | Self::Dates | Self::Digests)
    }

    /// What it takes, in words.
    #[must_use]
    pub const fn expected(self) -> &'static str {
        match self {
            Self::Duration => "a duration such as `90d`",
            Self::Flag => "`true` or `false`",
            Self::Number => "a whole number",
            Self::Durations => "a list of durations such as `[30d, 7d]`",
            Self::Texts => "a list of texts",
            Self::Pattern => "a regular expression of at most 1,000 characters",
            Self::Offset => "`Z` or an offset such as `+02:00`",
            Self::Weekdays => "a list of weekdays such as `[saturday, sunday]`",
            Self::Dates => {
                "a list of dates or periods such as `[2026-12-25, 2026-12-20/2027-01-03]`"
            }
            Self::Digests => "a list of SHA-256 digests in small hexadecimal letters",
        }
    }
}

fn is_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

fn is_offset(text: &str) -> bool {
    moment(&format!("2000-01-01T00:00:00{text}")).is_ok() && (text == "Z" || text.len() == 6)
}

/// First and last day of a date or a period.
pub(crate) fn period(text: &str) -> Option<(jiff::civil::Date, jiff::civil::Date)> {
    let date = |text: &str| text.parse::<jiff::civil::Date>().ok().filter(|_| text.len() == 10);
    let (first, last) = text.split_once('/').unwrap_or((text, text));
    let (first, last) = (date(first)?, date(last)?);
    (first <= last).then_some((first, last))
}

/// Which value of an option asks for more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tighter {
    /// The smaller duration or number; the list that leaves entries out.
    Less,
    /// The larger number; the list that adds entries.
    More,
    /// `false`.
    No,
    /// None can be said to; a locked value stays as it is.
    Neither,
}

/// One option of a rule.
#[derive(Clone, Copy, Debug)]
pub struct OptionDoc {
    /// Its name in a policy.
    pub name: &'static str,
    /// What it takes.
    pub kind: OptionType,
    /// What holds when no policy sets it; a list is written with commas.
    pub default: Option<&'static str>,
    /// What it does.
    pub what: &'static str,
    /// Which value asks for more.
    pub tighter: Tighter,
}

impl OptionDoc {
    /// True when the new value asks at least as much as the old one, or the default.
    #[must_use]
    pub fn tightens(&self, from: Option<&OptionKind>, to: &OptionKind) -> bool {
        if let OptionKind::List(_) = to {
            let from = match from {
                Some(OptionKind::List(_)) => from.map(texts).unwrap_or_default(),
                _ => self.defaults().collect(),
            };
            let to = texts(to);
            return match self.tighter {
                Tighter::Less => to.iter().all(|text| from.contains(text)),
                Tighter::More => from.iter().all(|text| to.contains(text)),
                Tighter::No | Tighter::Neither => false,
            };
        }
        let from = match from {
            Some(OptionKind::Text(text)) => Some(text.as_str()),
            _ => self.default,
        };
        // Where nothing held, whatever is asked is more.
        let Some(from) = from else { return true };
        let OptionKind::Text(to) = to else { return false };
        let number = |text: &str| text.parse::<u32>().ok();
        let order = match self.kind {
            OptionType::Duration => {
                lifetime(from).ok().zip(lifetime(to).ok()).map(|(a, b)| b.cmp(&a))
            }
            _ => number(from).zip(number(to)).map(|(a, b)| b.cmp(&a)),
        };
        match self.tighter {
            Tighter::No => to == "false" || from == to,
            Tighter::Less => order.is_some_and(core::cmp::Ordering::is_le),
            Tighter::More => order.is_some_and(core::cmp::Ordering::is_ge),
            Tighter::Neither => false,
        }
    }

    /// The entries of a default list.
    pub(crate) fn defaults(&self) -> impl Iterator<Item = &'static str> + use<> {
        let parts = self.default.unwrap_or_default().split(',');
        parts.map(str::trim).filter(|text| !text.is_empty())
    }
}

fn texts(list: &OptionKind) -> Vec<&str> {
    let OptionKind::List(items) = list else { return Vec::new() };
    let texts = items.iter().filter_map(|item| match &item.kind {
        OptionKind::Text(text) => Some(text.as_str()),
        _ => None,
    });
    texts.collect()
}
