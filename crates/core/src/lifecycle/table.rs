//! [`TableQuery`]: filters and sorts the rows of the API Keys table, as the product's page does.
//!
//! The command line, the emulator's list call and the console all use it.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use core::borrow::Borrow;
use core::cmp::Ordering;

use super::record::KeyRecord;
use crate::auth::{KeyId, Level};
use crate::expiry::{DAY_MS, Expiry, ExpiryState};

/// The filter and order of the rows.
///
/// ```
/// use cortexkey_core::lifecycle::{RecordFilter, RecordOrder, TableQuery, TextColumn, TextMatch};
///
/// let role = |name: &str| RecordFilter::text(TextColumn::Roles, TextMatch::Equals(name.into()));
/// let query = TableQuery {
///     filter: RecordFilter::Any(vec![role("Viewer"), role("SIEM Export")]),
///     order: RecordOrder::Expires,
///     descending: false,
/// };
/// assert!(query.select(Vec::<cortexkey_core::lifecycle::KeyRecord>::new()).is_empty());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableQuery {
    /// The rows to show.
    pub filter: RecordFilter,
    /// The sort order.
    pub order: RecordOrder,
    /// Whether the largest comes first.
    pub descending: bool,
}

impl TableQuery {
    /// The rows that match the filter, sorted.
    pub fn select<R: Borrow<KeyRecord>>(&self, rows: impl IntoIterator<Item = R>) -> Vec<R> {
        let passes = |row: &R| self.filter.passes(row.borrow());
        let mut rows: Vec<R> = rows.into_iter().filter(passes).collect();
        self.order.sort(&mut rows, self.descending);
        rows
    }
}

/// A filter of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordFilter {
    /// The id is one of these.
    Ids(BTreeSet<KeyId>),
    /// The key has one of these roles, by exact name.
    AnyRole(BTreeSet<String>),
    /// The key has this level.
    Level(Level),
    /// A text column matches. For roles, one role must match.
    Text {
        /// The column.
        column: TextColumn,
        /// The value to compare with.
        matches: TextMatch,
    },
    /// The key is in this state at a time.
    State {
        /// The state.
        state: ExpiryState,
        /// Milliseconds since 1970.
        now_ms: u64,
    },
    /// A time column lies between these times, inclusive.
    Between {
        /// The column.
        column: TimeColumn,
        /// Milliseconds since 1970.
        from_ms: u64,
        /// Milliseconds since 1970.
        until_ms: u64,
    },
    /// All of these match. If empty, every row matches.
    All(Vec<Self>),
    /// One of these matches. If empty, no row matches.
    Any(Vec<Self>),
    /// The filter does not match the row.
    Not(Box<Self>),
    /// The filter matches the row, or the row has no value in the filter's column: the product's
    /// *Include empty values*.
    OrEmpty(Box<Self>),
}

impl RecordFilter {
    /// Compares a text column.
    pub fn text(column: TextColumn, matches: TextMatch) -> Self {
        Self::Text { column, matches }
    }

    /// The opposite of this filter.
    #[must_use]
    pub fn negated(self) -> Self {
        Self::Not(Box::new(self))
    }

    /// The product's *Show rows 30 days prior to …*: the thirty days before a row's own time,
    /// inclusive.
    pub fn thirty_days_prior_to(column: TimeColumn, ms: u64) -> Self {
        Self::Between { column, from_ms: ms.saturating_sub(30 * DAY_MS), until_ms: ms }
    }

    /// The product's *Show rows 30 days after …*.
    pub fn thirty_days_after(column: TimeColumn, ms: u64) -> Self {
        Self::Between { column, from_ms: ms, until_ms: ms.saturating_add(30 * DAY_MS) }
    }

    /// Whether a row matches. A key that never expires has no expiration time to compare.
    pub fn passes(&self, record: &KeyRecord) -> bool {
        match self {
            Self::Ids(ids) => ids.contains(&record.key_id),
            Self::AnyRole(roles) => record.roles.iter().any(|role| roles.contains(role)),
            Self::Level(level) => record.level == *level,
            Self::Text { column, matches } => match column.of(record) {
                Cell::One(text) => matches.passes(text),
                Cell::Several(texts) => texts.iter().any(|text| matches.passes(text)),
            },
            Self::State { state, now_ms } => record.expiry.state(*now_ms) == *state,
            Self::Between { column, from_ms, until_ms } => {
                column.of(record).is_some_and(|ms| (*from_ms..=*until_ms).contains(&ms))
            }
            Self::All(filters) => filters.iter().all(|filter| filter.passes(record)),
            Self::Any(filters) => filters.iter().any(|filter| filter.passes(record)),
            Self::Not(filter) => !filter.passes(record),
            Self::OrEmpty(filter) => filter.is_empty(record) || filter.passes(record),
        }
    }

    /// Whether a row has no value in the filter's column. A filter on several columns has no such
    /// column.
    fn is_empty(&self, record: &KeyRecord) -> bool {
        match self {
            Self::Ids(_) | Self::Level(_) | Self::State { .. } | Self::All(_) | Self::Any(_) => {
                false
            }
            Self::AnyRole(_) => record.roles.is_empty(),
            Self::Text { column, .. } => match column.of(record) {
                Cell::One(text) => text.is_empty(),
                Cell::Several(texts) => texts.is_empty(),
            },
            Self::Between { column, .. } => column.of(record).is_none(),
            Self::Not(filter) | Self::OrEmpty(filter) => filter.is_empty(record),
        }
    }
}

/// A column of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextColumn {
    /// The creator's e-mail address.
    CreatedBy,
    /// The creator's name.
    User,
    /// The display names of the roles.
    Roles,
    /// The comment.
    Comment,
}

enum Cell<'a> {
    One(&'a str),
    Several(&'a [String]),
}

impl TextColumn {
    fn of(self, record: &KeyRecord) -> Cell<'_> {
        match self {
            Self::CreatedBy => Cell::One(&record.created_by),
            Self::User => Cell::One(&record.user_name),
            Self::Roles => Cell::Several(&record.roles),
            Self::Comment => Cell::One(record.comment.as_deref().unwrap_or_default()),
        }
    }
}

/// How a string is compared, in any case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TextMatch {
    /// It equals this string.
    Equals(String),
    /// It contains this string.
    Contains(String),
    /// It matches this pattern, where `*` stands for any characters.
    Like(String),
}

impl TextMatch {
    /// Whether a string matches.
    pub fn passes(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        match self {
            Self::Equals(wanted) => text == wanted.to_lowercase(),
            Self::Contains(part) => text.contains(&part.to_lowercase()),
            Self::Like(pattern) => is_like(&text, &pattern.to_lowercase()),
        }
    }
}

/// Whether a string matches a pattern. The parts between the stars are searched from left to right,
/// each at its first occurrence, which finds a match if there is one.
fn is_like(text: &str, pattern: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return text == pattern };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let mut parts = rest.split('*').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return text.ends_with(part);
        }
        let Some(at) = text.find(part) else { return false };
        text = &text[at + part.len()..];
    }
    true
}

/// A column of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeColumn {
    /// The creation time.
    Created,
    /// The expiration time.
    Expires,
}

impl TimeColumn {
    fn of(self, record: &KeyRecord) -> Option<u64> {
        match (self, record.expiry) {
            (Self::Created, _) => (record.created_ms != 0).then_some(record.created_ms),
            (Self::Expires, Expiry::At { ms }) => Some(ms),
            (Self::Expires, Expiry::Never) => None,
        }
    }
}

/// The sort key of the table. Equal rows are sorted by their ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordOrder {
    /// By id.
    Id,
    /// By creation time.
    Created,
    /// By the creator's name.
    User,
    /// By roles, alphabetically.
    Roles,
    /// By security level, Standard first.
    Level,
    /// By comment, alphabetically.
    Comment,
    /// By expiration time, keys that never expire last.
    Expires,
}

impl RecordOrder {
    /// Sorts rows, in reverse if `descending`.
    pub fn sort<R: Borrow<KeyRecord>>(self, records: &mut [R], descending: bool) {
        records.sort_by(|a, b| {
            let a = a.borrow();
            let b = b.borrow();
            let order = self.compare(a, b);
            let order = if descending { order.reverse() } else { order };
            order.then(a.key_id.cmp(&b.key_id))
        });
    }

    fn compare(self, a: &KeyRecord, b: &KeyRecord) -> Ordering {
        let until = |record: &KeyRecord| TimeColumn::Expires.of(record).unwrap_or(u64::MAX);
        match self {
            Self::Id => a.key_id.cmp(&b.key_id),
            Self::Created => a.created_ms.cmp(&b.created_ms),
            Self::User => a.user_name.cmp(&b.user_name),
            Self::Roles => a.roles.cmp(&b.roles),
            Self::Level => (a.level == Level::Advanced).cmp(&(b.level == Level::Advanced)),
            Self::Comment => a.comment.cmp(&b.comment),
            Self::Expires => until(a).cmp(&until(b)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn record(id: u64, role: &str, expiry: Expiry) -> KeyRecord {
        KeyRecord {
            key_id: KeyId::new(id).unwrap(),
            created_ms: 1_790_000_000_000 + id,
            created_by: "a@example.com".into(),
            user_name: "A".into(),
            roles: vec![role.into()],
            level: Level::Advanced,
            comment: None,
            expiry,
        }
    }

    #[test]
    fn text_is_compared_in_any_case() {
        use TextMatch::{Contains, Equals, Like};
        for (matches, text, passes) in [
            (Equals("viewer".into()), "Viewer", true),
            (Equals("view".into()), "Viewer", false),
            (Contains("EWE".into()), "Viewer", true),
            (Contains(String::new()), "", true),
            (Like("siem*".into()), "SIEM Export", true),
            (Like("*export".into()), "SIEM Export", true),
            (Like("*".into()), "", true),
            (Like("s*m*x*t".into()), "siem export", true),
            (Like("siem".into()), "siem export", false),
            (Like("a*a".into()), "a", false),
            (Like("a**a".into()), "aa", true),
            (Like("*ab*ab".into()), "xabab", true),
            (Like("*ab*ab".into()), "xab", false),
            (Like("é*".into()), "École", true),
        ] {
            assert_eq!(matches.passes(text), passes, "{matches:?} {text:?}");
        }
    }

    #[test]
    fn filters_are_joined_and_negated() {
        let row = record(7, "Viewer", Expiry::Never);
        let role =
            |name: &str| RecordFilter::text(TextColumn::Roles, TextMatch::Equals(name.into()));
        let id = |id| RecordFilter::Ids([KeyId::new(id).unwrap()].into());
        let comment = RecordFilter::text(TextColumn::Comment, TextMatch::Contains("x".into()));
        for (filter, passes) in [
            (RecordFilter::All(vec![]), true),
            (RecordFilter::Any(vec![]), false),
            (RecordFilter::All(vec![role("Viewer"), id(7)]), true),
            (RecordFilter::All(vec![role("Viewer"), id(8)]), false),
            (RecordFilter::Any(vec![role("Other"), id(7)]), true),
            (role("Other").negated(), true),
            (comment.clone(), false),
            (RecordFilter::OrEmpty(comment.clone().into()), true),
            (comment.negated(), true),
        ] {
            assert_eq!(filter.passes(&row), passes, "{filter:?}");
        }
    }

    #[test]
    fn thirty_days_prior_to_a_time() {
        let at = 100 * DAY_MS;
        let filter = RecordFilter::thirty_days_prior_to(TimeColumn::Expires, at);
        for (ms, passes) in
            [(at, true), (at + 1, false), (at - 30 * DAY_MS, true), (at - 30 * DAY_MS - 1, false)]
        {
            assert_eq!(filter.passes(&record(1, "Viewer", Expiry::At { ms })), passes, "{ms}");
        }
        assert!(!filter.passes(&record(1, "Viewer", Expiry::Never)));
    }

    #[test]
    fn sorted_by_expiration_then_id() {
        let mut rows = vec![
            record(3, "B", Expiry::Never),
            record(2, "A", Expiry::At { ms: 5 }),
            record(1, "A", Expiry::At { ms: 5 }),
        ];
        let ids = |rows: &[KeyRecord]| rows.iter().map(|r| r.key_id.get()).collect::<Vec<_>>();
        RecordOrder::Expires.sort(&mut rows, false);
        assert_eq!(ids(&rows), [1, 2, 3]);
        RecordOrder::Expires.sort(&mut rows, true);
        assert_eq!(ids(&rows), [3, 1, 2]);
        RecordOrder::Roles.sort(&mut rows, false);
        assert_eq!(ids(&rows), [1, 2, 3]);
    }
}
