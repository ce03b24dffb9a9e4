//! [`Filter`]: which requests the list and the stream show.

use cortexkey_core::auth::{KeyId, Verdict};
use cortexkey_tenant::LogLine;
use maud::{Markup, html};

use crate::page_request::Fields;

/// Which requests are shown.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Filter {
    key: FieldFilter<KeyId>,
    verdict: FieldFilter<Outcome>,
}

/// A field of the filter.
#[derive(Clone, PartialEq, Eq)]
enum FieldFilter<T> {
    Any,
    Equals(T),
    /// Matches nothing.
    Invalid,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// Every verdict except acceptance.
    Rejected,
    /// Accepted by the verifier, but refused because the key lacks a permission.
    Refused,
    Verdict(Verdict),
}

impl Filter {
    pub(crate) fn new(query: &Fields) -> Self {
        let read =
            |text: &str| text.trim().parse().map_or(FieldFilter::Invalid, FieldFilter::Equals);
        let outcome =
            |word: &str| Outcome::parse(word).map_or(FieldFilter::Invalid, FieldFilter::Equals);
        Self {
            key: query.get("key").map_or(FieldFilter::Any, read),
            verdict: query.get("verdict").map_or(FieldFilter::Any, outcome),
        }
    }

    pub(crate) fn passes(&self, line: &LogLine) -> bool {
        let is_key = match &self.key {
            FieldFilter::Any => true,
            FieldFilter::Equals(id) => line.key_id == Some(*id),
            FieldFilter::Invalid => false,
        };
        let is_verdict = match &self.verdict {
            FieldFilter::Any => true,
            FieldFilter::Equals(outcome) => outcome.is(line),
            FieldFilter::Invalid => false,
        };
        is_key && is_verdict
    }

    /// Why it is invalid.
    pub(super) fn fault(&self) -> Option<&'static str> {
        match (&self.key, &self.verdict) {
            (FieldFilter::Invalid, _) => Some("a key id is a number"),
            (_, FieldFilter::Invalid) => Some("there is no such verdict"),
            _ => None,
        }
    }

    /// Its fields, with the values of the query.
    pub(super) fn fields(&self, query: &Fields) -> Markup {
        let is =
            |outcome| matches!(&self.verdict, FieldFilter::Equals(chosen) if *chosen == outcome);
        html! {
            label class="pick" {
                span { "Key" }
                input type="search" name="key" inputmode="numeric" size="8" autocomplete="off"
                    value=[query.get("key")];
            }
            label class="pick" {
                span { "Verdict" }
                select name="verdict" {
                    option value="" { "any" }
                    option value="rejected" selected[is(Outcome::Rejected)] { "not accepted" }
                    option value="refused" selected[is(Outcome::Refused)] {
                        "accepted, but refused"
                    }
                    @for verdict in Verdict::ALL {
                        option value=(verdict.code()) selected[is(Outcome::Verdict(*verdict))] {
                            (verdict.code())
                        }
                    }
                }
            }
        }
    }
}

impl Outcome {
    fn parse(word: &str) -> Option<Self> {
        match word {
            "rejected" => Some(Self::Rejected),
            "refused" => Some(Self::Refused),
            code => {
                let verdict = Verdict::ALL.iter().find(|verdict| verdict.code() == code);
                verdict.copied().map(Self::Verdict)
            }
        }
    }

    fn is(self, line: &LogLine) -> bool {
        match self {
            Self::Rejected => !line.verdict.is_accept(),
            Self::Refused => line.verdict.is_accept() && line.status >= 400,
            // A verdict that the guard only observes matches, too.
            Self::Verdict(verdict) => line.verdict == verdict || line.observed == Some(verdict),
        }
    }
}
