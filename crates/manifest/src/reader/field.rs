//! A field of a definition or a policy, with its position.

use crate::{Span, Spanned};

/// A field as read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field<T> {
    /// Missing.
    Absent,
    /// The key has no value; the span is the key's.
    Empty(Span),
    /// Its value is invalid, or its name is misspelt; it has been reported. The span is the
    /// value's, or the misspelt name's.
    Bad(Span),
    /// Present and valid.
    Present {
        /// The key's position.
        key: Span,
        /// The value and its position.
        value: Spanned<T>,
    },
}

impl<T> Field<T> {
    /// The value, if there is one.
    pub fn get(&self) -> Option<&T> {
        self.spanned().map(|spanned| &spanned.value)
    }

    /// The value with its position, if there is one.
    pub fn spanned(&self) -> Option<&Spanned<T>> {
        match self {
            Self::Present { value, .. } => Some(value),
            _ => None,
        }
    }

    /// The key's position, if the field is present and valid or empty.
    pub fn key(&self) -> Option<Span> {
        match self {
            Self::Empty(key) | Self::Present { key, .. } => Some(*key),
            _ => None,
        }
    }

    /// True when the field is missing or empty.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Absent | Self::Empty(_))
    }

    /// The same field, with a converted value.
    pub(crate) fn map<U>(self, f: impl FnOnce(T) -> U) -> Field<U> {
        match self {
            Self::Absent => Field::Absent,
            Self::Empty(span) => Field::Empty(span),
            Self::Bad(span) => Field::Bad(span),
            Self::Present { key, value } => {
                Field::Present { key, value: Spanned::new(f(value.value), value.span) }
            }
        }
    }
}

impl<T> Field<Vec<T>> {
    /// The values of a list field, or none.
    pub(crate) fn into_list(self) -> Vec<T> {
        match self {
            Self::Present { value, .. } => value.value,
            _ => Vec::new(),
        }
    }
}

/// A pair of strings with their positions, such as a label or an annotation.
pub type TextPair = (Spanned<String>, Spanned<String>);
