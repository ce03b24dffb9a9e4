//! The API Keys table for front ends: conditions as users write them, and rows as text, JSON and
//! CSV.
//!
//! The core's [`TableQuery`](cortexkey_core::lifecycle::TableQuery) filters and sorts the rows.

use core::fmt;
use core::str::FromStr;

use cortexkey_api::api_keys::ApiKeyRecord;
use cortexkey_core::auth::{KeyId, Level};
use cortexkey_core::lifecycle::{
    Expiry, ExpiryState, KeyRecord, RecordFilter, TextColumn, TextMatch, TimeColumn,
};
use cortexkey_manifest::{inert_part, is_invisible};
use serde_json::{Value, json};
use thiserror::Error;

use crate::time::{TimeError, last_ms, start_ms, time_text};
use crate::transport::{CallError, Client};

impl Client {
    /// All rows of the API Keys table, by id.
    pub fn key_rows(&self) -> Result<Vec<KeyRecord>, CallError> {
        Ok(self.all_keys(&[])?.iter().filter_map(ApiKeyRecord::row).collect())
    }
}

/// A column for conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// The key's id.
    Id,
    /// The creation time.
    Created,
    /// The creator's e-mail address.
    CreatedBy,
    /// The creator's name.
    User,
    /// The display names of the roles; one of them must match.
    Role,
    /// The security level.
    SecurityLevel,
    /// The comment.
    Comment,
    /// The expiration time.
    Expires,
    /// The time that is left until expiry, as [`ExpiryState`] names it.
    State,
}

impl Column {
    /// All columns.
    pub const ALL: [Self; 9] = [
        Self::Id,
        Self::Created,
        Self::CreatedBy,
        Self::User,
        Self::Role,
        Self::SecurityLevel,
        Self::Comment,
        Self::Expires,
        Self::State,
    ];

    /// The name in conditions.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Created => "created",
            Self::CreatedBy => "created-by",
            Self::User => "user",
            Self::Role => "role",
            Self::SecurityLevel => "security-level",
            Self::Comment => "comment",
            Self::Expires => "expires",
            Self::State => "state",
        }
    }

    /// The operators that this column supports.
    pub const fn operators(self) -> &'static [Operator] {
        use Operator::{Contains, Equals, From, Like, NotContains, NotEquals, Until};
        match self {
            Self::Id | Self::SecurityLevel | Self::State => &[Equals, NotEquals],
            Self::Created | Self::Expires => &[Equals, NotEquals, From, Until],
            Self::CreatedBy | Self::User | Self::Role | Self::Comment => {
                &[Equals, NotEquals, Contains, NotContains, Like]
            }
        }
    }

    const fn text(self) -> Option<TextColumn> {
        match self {
            Self::CreatedBy => Some(TextColumn::CreatedBy),
            Self::User => Some(TextColumn::User),
            Self::Role => Some(TextColumn::Roles),
            Self::Comment => Some(TextColumn::Comment),
            _ => None,
        }
    }

    const fn time(self) -> Option<TimeColumn> {
        match self {
            Self::Created => Some(TimeColumn::Created),
            Self::Expires => Some(TimeColumn::Expires),
            _ => None,
        }
    }
}

impl FromStr for Column {
    type Err = ConditionError;

    fn from_str(text: &str) -> Result<Self, ConditionError> {
        let column = Self::ALL.into_iter().find(|column| column.as_str() == text);
        column.ok_or(ConditionError::UnknownColumn)
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How a condition compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `=`: the same value; for a time, the same day if a date is given.
    Equals,
    /// `!=`
    NotEquals,
    /// `contains`: the text contains the value.
    Contains,
    /// `!contains`
    NotContains,
    /// `*`: the text matches the value, in which `*` stands for any characters.
    Like,
    /// `>=`: a time at or after the value.
    From,
    /// `<=`: a time at or before the value.
    Until,
}

impl Operator {
    /// All operators.
    pub const ALL: [Self; 7] = [
        Self::Equals,
        Self::NotEquals,
        Self::Contains,
        Self::NotContains,
        Self::Like,
        Self::From,
        Self::Until,
    ];

    /// The operator's symbol.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Equals => "=",
            Self::NotEquals => "!=",
            Self::Contains => "contains",
            Self::NotContains => "!contains",
            Self::Like => "*",
            Self::From => ">=",
            Self::Until => "<=",
        }
    }
}

impl FromStr for Operator {
    type Err = ConditionError;

    fn from_str(text: &str) -> Result<Self, ConditionError> {
        let operator = Self::ALL.into_iter().find(|operator| operator.as_str() == text);
        operator.ok_or(ConditionError::UnknownOperator)
    }
}

/// Why a condition is invalid.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ConditionError {
    /// There is no such column.
    #[error("the columns are {}", listed(Column::ALL.map(Column::as_str)))]
    UnknownColumn,
    /// There is no such operator.
    #[error("the operators are {}", listed(Operator::ALL.map(Operator::as_str)))]
    UnknownOperator,
    /// The column does not support the operator.
    #[error("{column} does not support `{}`", operator.as_str())]
    WrongOperator {
        /// The column.
        column: Column,
        /// The operator.
        operator: Operator,
    },
    /// The value is not a key id.
    #[error("a key id is a number of 1 or more")]
    Id,
    /// The value is not a level.
    #[error("a level is `standard` or `advanced`")]
    Level,
    /// The value is not a state.
    #[error("the states are `valid`, `expires-within-week`, `expires-within-day` and `expired`")]
    State,
    /// The value is not a time.
    #[error(transparent)]
    Time(#[from] TimeError),
}

fn listed<const N: usize>(names: [&str; N]) -> String {
    names.map(|name| format!("`{name}`")).join(", ")
}

/// The filter for one condition. States are evaluated at `now_ms`.
///
/// ```
/// use cortexkey_client::table::{Column, ConditionError, Operator, condition};
///
/// let filter = condition(Column::Role, Operator::Equals, "viewer", 0)?;
/// assert!(condition(Column::Id, Operator::Like, "1*", 0).is_err());
/// # Ok::<(), ConditionError>(())
/// ```
pub fn condition(
    column: Column,
    operator: Operator,
    value: &str,
    now_ms: u64,
) -> Result<RecordFilter, ConditionError> {
    if !column.operators().contains(&operator) {
        return Err(ConditionError::WrongOperator { column, operator });
    }
    let filter = match (column.text(), column.time()) {
        (Some(column), _) => {
            let value = value.to_owned();
            RecordFilter::text(
                column,
                match operator {
                    Operator::Contains | Operator::NotContains => TextMatch::Contains(value),
                    Operator::Like => TextMatch::Like(value),
                    _ => TextMatch::Equals(value),
                },
            )
        }
        (None, Some(column)) => {
            let from_ms = if operator == Operator::Until { 0 } else { start_ms(value)? };
            let until_ms = if operator == Operator::From { u64::MAX } else { last_ms(value)? };
            RecordFilter::Between { column, from_ms, until_ms }
        }
        (None, None) => exact(column, value, now_ms)?,
    };
    let is_negated = matches!(operator, Operator::NotEquals | Operator::NotContains);
    Ok(if is_negated { filter.negated() } else { filter })
}

fn exact(column: Column, value: &str, now_ms: u64) -> Result<RecordFilter, ConditionError> {
    match column {
        Column::Id => {
            let id: KeyId = value.parse().map_err(|_| ConditionError::Id)?;
            Ok(RecordFilter::Ids([id].into()))
        }
        Column::SecurityLevel => level(value).map(RecordFilter::Level),
        _ => Ok(RecordFilter::State { state: state(value)?, now_ms }),
    }
}

/// A security level, in any case: the console writes Standard and Advanced.
pub fn level(text: &str) -> Result<Level, ConditionError> {
    text.to_ascii_lowercase().parse().map_err(|_| ConditionError::Level)
}

/// A state, in any case.
pub fn state(text: &str) -> Result<ExpiryState, ConditionError> {
    use ExpiryState::{Expired, ExpiresWithinDay, ExpiresWithinWeek, Valid};
    let all = [Valid, ExpiresWithinWeek, ExpiresWithinDay, Expired];
    let found = all.into_iter().find(|state| state.as_str() == text.to_ascii_lowercase());
    found.ok_or(ConditionError::State)
}

/// The headings of [`csv()`] and of tables: the product's columns and the state.
pub fn headings() -> impl Iterator<Item = &'static str> {
    KeyRecord::COLUMNS.into_iter().chain(["State"])
}

/// The cells of a row under [`KeyRecord::COLUMNS`], with readable times.
pub fn cells(record: &KeyRecord) -> [String; 7] {
    let expires = match record.expiry {
        Expiry::Never => "never".to_owned(),
        Expiry::At { ms } => time_text(ms),
    };
    [
        record.key_id.to_string(),
        created_text(record),
        one_line(&record.created_by),
        one_line(&record.roles.join(", ")),
        record.level.to_string(),
        one_line(record.comment.as_deref().unwrap_or_default()),
        expires,
    ]
}

/// When a key was generated; empty if the record has 0, because the tenant does not return it.
pub fn created_text(record: &KeyRecord) -> String {
    if record.created_ms == 0 { String::new() } else { time_text(record.created_ms) }
}

/// Rows with tabs between the cells, like the product's *Copy entire row*.
pub fn tsv(records: &[KeyRecord]) -> String {
    records.iter().map(|record| cells(record).join("\t") + "\n").collect()
}

/// A table for spreadsheets, with headings and states. No cell is a formula.
pub fn csv(records: &[KeyRecord], now_ms: u64) -> String {
    let mut csv = csv::Writer::from_writer(Vec::new());
    let written = csv.write_record(headings()).and_then(|()| {
        records.iter().try_for_each(|record| {
            let state = record.expiry.state(now_ms).to_string();
            csv.write_record(cells(record).into_iter().chain([state]).map(no_formula))
        })
    });
    // Writing to memory does not fail.
    let bytes = written.ok().and_then(|()| csv.into_inner().ok()).unwrap_or_default();
    String::from_utf8(bytes).unwrap_or_default()
}

/// A row as JSON, with the product's names and times, and the state.
pub fn to_json(record: &KeyRecord, now_ms: u64) -> Value {
    json!({
        "id": record.key_id.get(),
        "creation_time": record.created_ms,
        "created_by": record.created_by,
        "user_name": record.user_name,
        "roles": record.roles,
        "security_level": record.level.as_str(),
        "comment": record.comment,
        "expiration": match record.expiry {
            Expiry::Never => None,
            Expiry::At { ms } => Some(ms),
        },
        "state": record.expiry.state(now_ms).as_str(),
    })
}

/// A spreadsheet would execute cells that start like this, and a key's creator chooses its comment.
pub fn no_formula(cell: String) -> String {
    if cell.trim_start().starts_with(['=', '+', '-', '@']) { format!("'{cell}") } else { cell }
}

/// A tenant's text on one line: line endings and tabs become spaces; invisible and control characters
/// become escapes, and so does what a CI service would take for a command.
pub fn one_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in inert_part(text).chars() {
        match c {
            '\n' | '\r' | '\t' => out.push(' '),
            c if is_invisible(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::time::time_ms;

    const DAY_MS: u64 = 24 * 60 * 60 * 1000;

    fn row() -> KeyRecord {
        KeyRecord {
            key_id: KeyId::new(7).unwrap(),
            created_ms: time_ms("2027-03-01T12:00:00Z").unwrap(),
            created_by: "ada@example.com".to_owned(),
            user_name: "Ada".to_owned(),
            roles: vec!["Viewer".to_owned(), "SIEM Export".to_owned()],
            level: Level::Advanced,
            comment: None,
            expiry: Expiry::Never,
        }
    }

    #[test]
    fn conditions_compare_as_they_are_written() {
        for (text, passes) in [
            ("id = 7", true),
            ("id != 7", false),
            ("role = viewer", true),
            ("role = view", false),
            ("role * siem*", true),
            ("role !contains export", false),
            ("security-level = Advanced", true),
            ("state = valid", true),
            ("created-by contains EXAMPLE", true),
            ("comment contains x", false),
            ("comment != x", true),
            ("created = 2027-03-01", true),
            ("created = 2027-03-02", false),
            ("created != 2027-03-02", true),
            ("created >= 2027-03-01", true),
            ("created >= 2027-03-02", false),
            ("created <= 2027-03-01", true),
            ("created <= 2027-02-28", false),
            ("expires <= 2030-01-01", false),
        ] {
            let [column, operator, value] = text.splitn(3, ' ').collect::<Vec<_>>()[..] else {
                panic!("{text}");
            };
            let column = column.parse().unwrap();
            let operator = operator.parse().unwrap();
            let filter = condition(column, operator, value, DAY_MS).unwrap();
            assert_eq!(filter.passes(&row()), passes, "{text}");
        }
    }

    #[test]
    fn conditions_that_mean_nothing_are_errors() {
        for column in Column::ALL {
            for operator in Operator::ALL {
                let is_known = column.operators().contains(&operator);
                let value = match column {
                    Column::Id => "7",
                    Column::SecurityLevel => "standard",
                    Column::State => "expired",
                    _ => "2027-03-01",
                };
                assert_eq!(condition(column, operator, value, 0).is_ok(), is_known);
                if column.text().is_none() {
                    assert!(condition(column, operator, "?", 0).is_err());
                }
            }
        }
        assert_eq!("ids".parse::<Column>(), Err(ConditionError::UnknownColumn));
        assert_eq!("==".parse::<Operator>(), Err(ConditionError::UnknownOperator));
    }

    #[test]
    fn a_cell_is_no_formula_and_a_row_is_one_line() {
        let row = KeyRecord { comment: Some("=1+1\n\u{7}".to_owned()), ..row() };
        assert!(csv(core::slice::from_ref(&row), 0).contains(",'=1+1 \\u{7},"));
        assert_eq!(tsv(&[row]).lines().count(), 1);
    }
}
