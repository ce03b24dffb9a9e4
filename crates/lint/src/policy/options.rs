//! The options of rules: their types, how a policy's value becomes one of the type, and which of two
//! values is stricter.

use std::collections::BTreeSet;
use std::sync::Arc;

use cortexkey_manifest::Span;
use cortexkey_manifest::definition::{lifetime, moment};
use cortexkey_manifest::policy::{OptionKind, OptionValue};
use jiff::SignedDuration;
use jiff::civil::{Date, Weekday};

use super::patterns::Pattern;
use crate::model::Location;

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
    /// A string.
    Text,
    /// A list of strings.
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
pub const WEEKDAYS: [&str; 7] =
    ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// The value of an option.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Duration(SignedDuration),
    Durations(Vec<SignedDuration>),
    Flag(bool),
    Number(usize),
    Text(String),
    Texts(Vec<String>),
    Pattern(Arc<Pattern>),
    Offset(String),
    Weekdays(Vec<Weekday>),
    Dates(Vec<Period>),
    Digests(Vec<Digest>),
}

/// A first and a last day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Period(Date, Date);

impl Period {
    fn parse(text: &str) -> Option<Self> {
        let date = |text: &str| text.parse::<Date>().ok().filter(|_| text.len() == 10);
        let (first, last) = text.split_once('/').unwrap_or((text, text));
        let first = date(first)?;
        let last = date(last)?;
        (first <= last).then_some(Self(first, last))
    }

    pub(crate) fn contains(self, day: Date) -> bool {
        self.0 <= day && day <= self.1
    }
}

/// A SHA-256 digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Digest(pub(crate) [u8; 32]);

impl Digest {
    /// Parses lower-case hexadecimal digits.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut digest = [0; 32];
        let is_small = text.bytes().all(|byte| !byte.is_ascii_uppercase());
        (is_small && hex::decode_to_slice(text, &mut digest).is_ok()).then_some(Self(digest))
    }
}

impl OptionType {
    /// Parses a policy's value; `None` if the option does not accept it.
    pub(crate) fn read(self, value: &OptionKind) -> Option<Value> {
        match self {
            Self::Duration => Some(Value::Duration(lifetime(text(value)?).ok()?)),
            Self::Flag => match text(value)? {
                "true" => Some(Value::Flag(true)),
                "false" => Some(Value::Flag(false)),
                _ => None,
            },
            Self::Number => {
                let number = text(value)?.parse::<u32>().ok()?;
                Some(Value::Number(usize::try_from(number).ok()?))
            }
            Self::Pattern => Some(Value::Pattern(Arc::new(Pattern::new(text(value)?).ok()?))),
            Self::Offset => text(value)
                .filter(|text| is_offset(text))
                .map(|text| Value::Offset(text.to_owned())),
            Self::Durations => items(value, |text| lifetime(text).ok()).map(Value::Durations),
            Self::Text => text(value)
                .filter(|text| !text.trim().is_empty())
                .map(|text| Value::Text(text.to_owned())),
            Self::Texts => items(value, |text| Some(text.to_owned())).map(Value::Texts),
            Self::Weekdays => items(value, weekday).map(Value::Weekdays),
            Self::Dates => items(value, Period::parse).map(Value::Dates),
            Self::Digests => items(value, Digest::parse).map(Value::Digests),
        }
    }

    /// True for a list.
    #[must_use]
    pub const fn is_list(self) -> bool {
        matches!(self, Self::Durations | Self::Texts | Self::Weekdays | Self::Dates | Self::Digests)
    }

    /// What it accepts, in words.
    #[must_use]
    pub const fn expected(self) -> &'static str {
        match self {
            Self::Duration => "a duration such as `90d`",
            Self::Flag => "`true` or `false`",
            Self::Number => "a whole number",
            Self::Durations => "a list of durations such as `[30d, 7d]`",
            Self::Text => "a string",
            Self::Texts => "a list of strings",
            Self::Pattern => "a regular expression of at most 1,000 characters",
            Self::Offset => "`Z` or an offset such as `+02:00`",
            Self::Weekdays => "a list of weekdays such as `[saturday, sunday]`",
            Self::Dates => {
                "a list of dates or periods such as `[2026-12-25, 2026-12-20/2027-01-03]`"
            }
            Self::Digests => "a list of SHA-256 digests in lower-case hexadecimal digits",
        }
    }
}

fn text(value: &OptionKind) -> Option<&str> {
    match value {
        OptionKind::Text(text) => Some(text),
        _ => None,
    }
}

fn items<T>(value: &OptionKind, read: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    let OptionKind::List(items) = value else { return None };
    items.iter().map(|item| read(text(&item.kind)?)).collect()
}

fn is_offset(text: &str) -> bool {
    moment(&format!("2000-01-01T00:00:00{text}")).is_ok() && (text == "Z" || text.len() == 6)
}

fn weekday(text: &str) -> Option<Weekday> {
    let at = WEEKDAYS.iter().position(|day| *day == text)?;
    Weekday::from_monday_zero_offset(i8::try_from(at).ok()?).ok()
}

/// Which value of an option is stricter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StricterWhen {
    /// The smaller duration or number; the list that leaves entries out.
    Less,
    /// The larger number; the list that adds entries.
    More,
    /// `false`.
    No,
    /// Neither; a locked value stays as it is.
    Neither,
}

/// One option of a rule.
#[derive(Clone, Copy, Debug)]
pub struct OptionDoc {
    /// Its name in a policy.
    pub name: &'static str,
    /// What it accepts.
    pub kind: OptionType,
    /// The default; a list is written with commas.
    pub default: Option<&'static str>,
    /// Its effect.
    pub what: &'static str,
    /// Which value is stricter.
    pub tighter: StricterWhen,
}

impl OptionDoc {
    /// The default.
    pub(crate) fn default_value(&self) -> Option<Value> {
        let text = self.default?;
        let value = OptionKind::Text(text.to_owned());
        if !self.kind.is_list() {
            return self.kind.read(&value);
        }
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let items = parts.map(|part| OptionValue {
            kind: OptionKind::Text(part.to_owned()),
            span: Span::default(),
        });
        self.kind.read(&OptionKind::List(items.collect()))
    }

    /// True when the new value is at least as strict as the old one, or the default.
    #[must_use]
    pub fn tightens(&self, from: Option<&OptionKind>, to: &OptionKind) -> bool {
        let from = from.and_then(|from| self.kind.read(from)).or_else(|| self.default_value());
        let Some(to) = self.kind.read(to) else { return false };
        let Some(from) = from else {
            // Without an old value, any value is stricter; an unset list is empty.
            return !self.kind.is_list() || self.tighter == StricterWhen::More;
        };
        match (from, to) {
            (Value::Duration(from), Value::Duration(to)) => self.is_stricter(&from, &to),
            (Value::Number(from), Value::Number(to)) => self.is_stricter(&from, &to),
            (Value::Flag(from), Value::Flag(to)) => {
                self.tighter == StricterWhen::No && (!to || from == to)
            }
            (Value::Durations(from), Value::Durations(to)) => self.is_stricter_list(from, to),
            (Value::Texts(from), Value::Texts(to)) => self.is_stricter_list(from, to),
            (Value::Dates(from), Value::Dates(to)) => self.is_stricter_list(from, to),
            (Value::Digests(from), Value::Digests(to)) => self.is_stricter_list(from, to),
            (Value::Weekdays(from), Value::Weekdays(to)) => {
                let numbers = |days: Vec<Weekday>| {
                    days.into_iter().map(Weekday::to_monday_zero_offset).collect()
                };
                self.is_stricter_list::<i8>(numbers(from), numbers(to))
            }
            _ => false,
        }
    }

    fn is_stricter<T: Ord>(&self, from: &T, to: &T) -> bool {
        match self.tighter {
            StricterWhen::Less => to <= from,
            StricterWhen::More => to >= from,
            StricterWhen::No | StricterWhen::Neither => false,
        }
    }

    fn is_stricter_list<T: Ord>(&self, from: Vec<T>, to: Vec<T>) -> bool {
        let from: BTreeSet<T> = from.into_iter().collect();
        let to: BTreeSet<T> = to.into_iter().collect();
        match self.tighter {
            StricterWhen::Less => to.is_subset(&from),
            StricterWhen::More => from.is_subset(&to),
            StricterWhen::No | StricterWhen::Neither => false,
        }
    }
}

/// An option as it is in force.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InForce<T> {
    pub(crate) value: T,
    /// The policy's line that set it; `None` for a default.
    pub(crate) decided: Option<Location>,
}

/// The Rust type of an option, which the struct of a rule's options has.
pub(crate) trait OptionField<'a>: Sized {
    /// The type in a policy.
    const TYPE: OptionType;

    /// The value, where one holds.
    fn of(value: Option<&'a Value>) -> Self;
}

macro_rules! fields {
    ($($field:ty = $variant:ident($value:ident) => $read:expr, $none:expr;)+) => {$(
        impl<'a> OptionField<'a> for $field {
            const TYPE: OptionType = OptionType::$variant;

            fn of(value: Option<&'a Value>) -> Self {
                match value {
                    Some(Value::$variant($value)) => $read,
                    _ => $none,
                }
            }
        }
    )+};
}

fields! {
    Option<SignedDuration> = Duration(value) => Some(*value), None;
    &'a [SignedDuration] = Durations(value) => value, &[];
    bool = Flag(value) => *value, false;
    Option<usize> = Number(value) => Some(*value), None;
    Option<&'a String> = Text(value) => Some(value), None;
    &'a [String] = Texts(value) => value, &[];
    Option<&'a Pattern> = Pattern(value) => Some(value), None;
    Option<&'a str> = Offset(value) => Some(value), None;
    &'a [Weekday] = Weekdays(value) => value, &[];
    &'a [Period] = Dates(value) => value, &[];
    &'a [Digest] = Digests(value) => value, &[];
}
