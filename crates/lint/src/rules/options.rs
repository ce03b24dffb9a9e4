//! What a rule's options take, and which of two values asks for more.

use cortexkey_manifest::definition::lifetime;
use cortexkey_manifest::policy::OptionKind;

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
}

impl OptionType {
    /// What is expected, when the value is something else.
    #[must_use]
    pub fn refuses(self, value: &OptionKind) -> Option<&'static str> {
        let text = match value {
            OptionKind::Text(text) => Some(text.as_str()),
            _ => None,
        };
        let items = match value {
            OptionKind::List(items) => Some(items),
            _ => None,
        };
        let (fits, expected) = match self {
            Self::Duration => {
                (text.is_some_and(|t| lifetime(t).is_ok()), "a duration such as `90d`")
            }
            Self::Flag => (matches!(text, Some("true" | "false")), "`true` or `false`"),
            Self::Number => (text.is_some_and(|t| t.parse::<usize>().is_ok()), "a whole number"),
            Self::Durations => (
                items.is_some_and(|items| {
                    items.iter().all(|item| Self::Duration.refuses(&item.kind).is_none())
                }),
                "a list of durations such as `[30d, 7d]`",
            ),
            Self::Texts => (
                items.is_some_and(|items| {
                    items.iter().all(|item| matches!(item.kind, OptionKind::Text(_)))
                }),
                "a list of texts",
            ),
        };
        (!fits).then_some(expected)
    }
}

/// Which value of an option asks for more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tighter {
    /// The smaller duration or number.
    Less,
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
        let from = match from {
            Some(OptionKind::Text(text)) => Some(text.as_str()),
            _ => self.default,
        };
        let (Some(from), OptionKind::Text(to)) = (from, to) else { return false };
        match (self.tighter, self.kind) {
            (Tighter::No, _) => to == "false" || from == to,
            (Tighter::Less, OptionType::Duration) => {
                lifetime(from).ok().zip(lifetime(to).ok()).is_some_and(|(from, to)| to <= from)
            }
            (Tighter::Less, _) => {
                let number = |text: &str| text.parse::<usize>().ok();
                number(from).zip(number(to)).is_some_and(|(from, to)| to <= from)
            }
            (Tighter::Neither, _) => false,
        }
    }
}
