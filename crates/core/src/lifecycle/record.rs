//! [`KeyRecord`]: a row of the console's API Keys table, and what is done with rows: filter,
//! sort, print.
//!
//! It refuses the key itself, which no table shows.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use core::borrow::Borrow;
use core::cmp::Ordering;
use core::fmt;

use super::expiry::{DAY_MS, Expiry, ExpiryState};
use crate::auth::{KeyId, Level};

/// What the table shows of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRecord {
    /// The column ID.
    pub key_id: KeyId,
    /// When it was made, in milliseconds since 1970.
    pub created_ms: u64,
    /// Who made it, an e-mail address.
    pub created_by: String,
    /// The name of who made it.
    pub user_name: String,
    /// The display names of its roles.
    pub roles: Vec<String>,
    /// Its security level.
    pub level: Level,
    /// Its comment, the only free text that the product keeps.
    pub comment: Option<String>,
    /// Until when it lives.
    pub expiry: Expiry,
}

impl KeyRecord {
    /// The columns, in the order of [`row`](Self::row).
    pub const COLUMNS: [&str; 7] = [
        "ID",
        "Creation Time",
        "Created By",
        "Roles",
        "Security Level",
        "Comment",
        "Expiration Time",
    ];

    /// The row as text, with tabs between the columns, as *Copy entire row* gives it. Times are
    /// milliseconds since 1970, which a caller with a calendar may turn into dates.
    ///
    /// Line ends and tabs within a value become spaces, so that a row stays a row.
    pub fn row(&self) -> impl fmt::Display + '_ {
        Row(self)
    }
}

struct Row<'a>(&'a KeyRecord);

impl fmt::Display for Row<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let record = self.0;
        write!(f, "{}\t{}\t", record.key_id, record.created_ms)?;
        one_line(f, &record.created_by)?;
        f.write_str("\t")?;
        for (i, role) in record.roles.iter().enumerate() {
            f.write_str(if i == 0 { "" } else { ", " })?;
            one_line(f, role)?;
        }
        write!(f, "\t{}\t", record.level)?;
        one_line(f, record.comment.as_deref().unwrap_or(""))?;
        match record.expiry {
            Expiry::Never => f.write_str("\tnever"),
            Expiry::At { ms } => write!(f, "\t{ms}"),
        }
    }
}

fn one_line(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    use fmt::Write as _;
    text.chars().try_for_each(|c| f.write_char(if c.is_control() { ' ' } else { c }))
}

/// A filter of the table. Several are joined by AND.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordFilter {
    /// Its id is one of these.
    Ids(BTreeSet<KeyId>),
    /// It has one of these roles.
    AnyRole(BTreeSet<String>),
    /// It has this level.
    Level(Level),
    /// Its comment holds this text, in any case.
    CommentContains(String),
    /// The address of its creator holds this text, in any case.
    CreatedByContains(String),
    /// The name of its creator holds this text, in any case.
    UserContains(String),
    /// It is in this state at a time.
    State {
        /// The state.
        state: ExpiryState,
        /// Milliseconds since 1970.
        now_ms: u64,
    },
    /// The filter does not pass it.
    Not(Box<Self>),
    /// The filter passes it, or it has no value in the filter's column: the console's *Include empty
    /// values*.
    OrEmpty(Box<Self>),
    /// A column of time lies between these times, both included.
    Between {
        /// The column.
        column: TimeColumn,
        /// Milliseconds since 1970.
        from_ms: u64,
        /// Milliseconds since 1970.
        until_ms: u64,
    },
}

impl RecordFilter {
    /// The console's *Show rows 30 days prior to …*: the thirty days before a row's own time, and
    /// that time.
    pub fn thirty_days_prior_to(column: TimeColumn, ms: u64) -> Self {
        Self::Between { column, from_ms: ms.saturating_sub(30 * DAY_MS), until_ms: ms }
    }

    /// The console's *Show rows 30 days after …*.
    pub fn thirty_days_after(column: TimeColumn, ms: u64) -> Self {
        Self::Between { column, from_ms: ms, until_ms: ms.saturating_add(30 * DAY_MS) }
    }

    /// Whether a row passes. A key that never expires has no expiration time to lie between.
    pub fn passes(&self, record: &KeyRecord) -> bool {
        match self {
            Self::Ids(ids) => ids.contains(&record.key_id),
            Self::AnyRole(roles) => record.roles.iter().any(|role| roles.contains(role)),
            Self::Level(level) => record.level == *level,
            Self::CommentContains(text) => contains(record.comment.as_deref().unwrap_or(""), text),
            Self::CreatedByContains(text) => contains(&record.created_by, text),
            Self::UserContains(text) => contains(&record.user_name, text),
            Self::State { state, now_ms } => record.expiry.state(*now_ms) == *state,
            Self::Not(filter) => !filter.passes(record),
            Self::OrEmpty(filter) => filter.is_empty(record) || filter.passes(record),
            Self::Between { column, from_ms, until_ms } => {
                column.of(record).is_some_and(|ms| (*from_ms..=*until_ms).contains(&ms))
            }
        }
    }
}

impl RecordFilter {
    /// Whether a row has no value in the filter's column.
    fn is_empty(&self, record: &KeyRecord) -> bool {
        match self {
            Self::Ids(_) | Self::Level(_) | Self::State { .. } => false,
            Self::AnyRole(_) => record.roles.is_empty(),
            Self::CommentContains(_) => record.comment.as_deref().unwrap_or("").is_empty(),
            Self::CreatedByContains(_) => record.created_by.is_empty(),
            Self::UserContains(_) => record.user_name.is_empty(),
            Self::Between { column, .. } => column.of(record).is_none(),
            Self::Not(filter) | Self::OrEmpty(filter) => filter.is_empty(record),
        }
    }
}

fn contains(text: &str, part: &str) -> bool {
    text.to_lowercase().contains(&part.to_lowercase())
}

/// A column of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeColumn {
    /// When keys were made.
    Created,
    /// Until when they live.
    Expires,
}

impl TimeColumn {
    fn of(self, record: &KeyRecord) -> Option<u64> {
        match (self, record.expiry) {
            (Self::Created, _) => Some(record.created_ms),
            (Self::Expires, Expiry::At { ms }) => Some(ms),
            (Self::Expires, Expiry::Never) => None,
        }
    }
}

/// What the table is sorted by. Rows that are equal stand by their ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordOrder {
    /// By id.
    Id,
    /// By the time they were made.
    Created,
    /// By roles, in the order of the alphabet.
    Roles,
    /// By expiration, those that never expire last.
    Expires,
}

impl RecordOrder {
    /// Sorts rows, the other way round where `descending`.
    pub fn sort<R: Borrow<KeyRecord>>(self, records: &mut [R], descending: bool) {
        records.sort_by(|a, b| {
            let (a, b) = (a.borrow(), b.borrow());
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
            Self::Roles => a.roles.cmp(&b.roles),
            Self::Expires => until(a).cmp(&until(b)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use alloc::vec;

    fn record(id: u64, role: &str, expiry: Expiry) -> KeyRecord {
        KeyRecord {
            key_id: KeyId::new(id).unwrap(),
            created_ms: 1_790_000_000_000 + id,
            created_by: "a@example.com".into(),
            user_name: "A".into(),
            roles: vec![role.into()],
            level: Level::Advanced,
            comment: Some("Exports\tto the\nSIEM".into()),
            expiry,
        }
    }

    #[test]
    fn a_row_is_one_line_with_as_many_columns_as_there_are() {
        let row = record(7, "Viewer", Expiry::Never).row().to_string();
        assert_eq!(
            row,
            "7\t1790000000007\ta@example.com\tViewer\tadvanced\tExports to the SIEM\tnever"
        );
        assert_eq!(row.split('\t').count(), KeyRecord::COLUMNS.len());
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
