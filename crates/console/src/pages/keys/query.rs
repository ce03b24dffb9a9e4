//! [`Query`]: the rows, order and columns of the table, according to the address.
//!
//! The client and the core decide which records a condition matches.

use cortexkey_client::table::{self, Operator};
use cortexkey_client::time::{last_ms, start_ms};
use cortexkey_core::lifecycle::{RecordFilter, TextMatch};

use super::columns::{Column, ColumnKind, is_choice};
use crate::error::BoxError;
use crate::page_request::Fields;
use crate::snapshot::{Row, Snapshot};

/// Rows of a page of the table.
pub(super) const ROWS: usize = 50;

/// Operators, each with its word in addresses, its symbol and its name. A wide space separates
/// them, so that a closed list shows only the symbol.
const TEXT_OPERATORS: [(&str, &str); 5] = [
    ("contains", "~\u{2003}contains"),
    ("is", "=\u{2003}is"),
    ("not", "≠\u{2003}is not"),
    ("without", "!\u{2003}does not contain"),
    ("pattern", "*\u{2003}matches a pattern"),
];
const CHOICE_OPERATORS: [(&str, &str); 2] = [("is", "=\u{2003}is"), ("not", "≠\u{2003}is not")];
const TIME_OPERATORS: [(&str, &str); 6] = [
    ("from", "≥\u{2003}from"),
    ("until", "≤\u{2003}until"),
    ("is", "=\u{2003}on"),
    ("not", "≠\u{2003}not on"),
    ("prior", "−\u{2003}30 days prior to"),
    ("after", "+\u{2003}30 days after"),
];

/// The operators of a column, the default first.
pub(super) const fn operators(column: Column) -> &'static [(&'static str, &'static str)] {
    match column.kind() {
        ColumnKind::Choice(_) | ColumnKind::Id => &CHOICE_OPERATORS,
        ColumnKind::Time(_) => &TIME_OPERATORS,
        ColumnKind::Text | ColumnKind::Definition => &TEXT_OPERATORS,
    }
}

/// The rows, their order and their columns.
pub(super) struct Query {
    /// The fields of the address.
    pub(super) fields: Fields,
    conditions: Vec<Condition>,
    is_any: bool,
    pub(super) sort: Column,
    pub(super) descending: bool,
    pub(super) columns: Vec<Column>,
    page: usize,
    now_ms: u64,
    /// What is wrong with the address, in words.
    pub(super) faults: Vec<String>,
}

enum Condition {
    Record(RecordFilter),
    Text { column: Column, matches: TextMatch, negated: bool, or_empty: bool },
    Choice { column: Column, value: String, negated: bool },
}

/// A page of rows.
pub(super) struct RowPage<'s> {
    pub(super) rows: Vec<&'s Row>,
    /// How many match the filters.
    pub(super) count: usize,
    /// The position of the first row, from 0.
    pub(super) from: usize,
}

impl Query {
    pub(super) fn new(fields: &Fields, now_ms: u64, has_definitions: bool) -> Self {
        let fields = fields.with("fresh", None).with("token", None);
        let chosen: Vec<Column> = fields.all("col").filter_map(Column::from_name).collect();
        let is_shown = |column: &Column| {
            // The field of a filter is in its column: without it the next change would drop it.
            let is_filtered = fields.has(&format!("f.{}", column.as_str()));
            is_filtered
                || if chosen.is_empty() {
                    column.is_default(has_definitions)
                } else {
                    chosen.contains(column)
                }
        };
        let mut query = Self {
            columns: Column::ALL.into_iter().filter(is_shown).collect(),
            conditions: Vec::new(),
            is_any: fields.get("join") == Some("or"),
            sort: fields.get("sort").and_then(Column::from_name).unwrap_or(Column::Id),
            descending: fields.has("desc"),
            page: fields.get("page").and_then(|page| page.parse().ok()).unwrap_or(1).max(1),
            now_ms,
            faults: faults(&fields),
            fields,
        };
        let or_empty = query.fields.has("empty");
        for column in Column::ALL {
            let (value, operator) = query.filter(column);
            let Some(value) = value else { continue };
            match condition(column, &value, &operator, or_empty, now_ms) {
                Ok(condition) => query.conditions.push(condition),
                Err(error) => query.faults.push(format!("{}: {error}", column.title())),
            }
        }
        query
    }

    /// A column's filter: its value, if there is one, and its operator.
    pub(super) fn filter(&self, column: Column) -> (Option<String>, String) {
        let value = format!("f.{}", column.as_str());
        let operator = format!("o.{}", column.as_str());
        let value = self.fields.get(&value).map(|value| value.trim().to_owned());
        (
            value.filter(|value| !value.is_empty()),
            self.fields.get(&operator).unwrap_or_default().to_owned(),
        )
    }

    /// Whether rows are filtered at all.
    pub(super) fn is_filtered(&self) -> bool {
        !self.conditions.is_empty() || !self.faults.is_empty()
    }

    /// The rows that match, in order. If something of the address is invalid, none does.
    pub(super) fn all<'s>(&self, snapshot: &'s Snapshot) -> Vec<&'s Row> {
        if !self.faults.is_empty() {
            return Vec::new();
        }
        let passes = |row: &&Row| {
            let mut conditions =
                self.conditions.iter().map(|condition| self.passes(condition, row));
            if self.is_any && !self.conditions.is_empty() {
                conditions.any(|passes| passes)
            } else {
                conditions.all(|passes| passes)
            }
        };
        let mut rows: Vec<&Row> = snapshot.rows.iter().filter(passes).collect();
        self.sort(&mut rows);
        rows
    }

    /// The requested page of rows; the last one if there are fewer.
    pub(super) fn page<'s>(&self, snapshot: &'s Snapshot) -> RowPage<'s> {
        let rows = self.all(snapshot);
        let count = rows.len();
        let last = count.saturating_sub(1) / ROWS;
        let from = (self.page - 1).min(last) * ROWS;
        RowPage { rows: rows.into_iter().skip(from).take(ROWS).collect(), count, from }
    }

    /// The address of the same table with a changed field; from the first page, unless the field is
    /// the page.
    pub(super) fn address(&self, changes: &[(&str, Option<&str>)]) -> String {
        let start = self.fields.with("page", None);
        let fields = changes.iter().fold(start, |fields, (name, value)| fields.with(name, *value));
        let query = fields.to_query();
        if query.is_empty() { "/keys".to_owned() } else { format!("/keys?{query}") }
    }

    fn passes(&self, condition: &Condition, row: &Row) -> bool {
        match condition {
            Condition::Record(filter) => filter.passes(&row.record),
            Condition::Text { column, matches, negated, or_empty } => {
                let text = column.text(row);
                (*or_empty && text.is_empty()) || matches.passes(&text) != *negated
            }
            Condition::Choice { column, value, negated } => {
                is_choice(*column, value, row, self.now_ms) != *negated
            }
        }
    }

    fn sort(&self, rows: &mut [&Row]) {
        if let Some(order) = self.sort.order() {
            order.sort(rows, self.descending);
            return;
        }
        let mut keyed: Vec<(String, &Row)> =
            rows.iter().map(|row| (self.sort.sort_text(row), *row)).collect();
        keyed.sort_by(|(a, x), (b, y)| {
            let order = if self.descending { b.cmp(a) } else { a.cmp(b) };
            order.then(x.record.key_id.cmp(&y.record.key_id))
        });
        for (place, (_, row)) in rows.iter_mut().zip(keyed) {
            *place = row;
        }
    }
}

/// Names and words of an address that are not known: a table that ignored them would show other
/// rows than were asked for.
fn faults(fields: &Fields) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_empty()) {
        let column = match name.split_once('.') {
            Some(("f" | "o", column)) => Some(column),
            None if matches!(name, "col" | "sort") => Some(value),
            _ => None,
        };
        if let Some(column) = column.filter(|column| Column::from_name(column).is_none()) {
            faults.push(format!("there is no column `{column}`"));
        }
        let words: &[&str] = match name {
            "join" => &["or", "and"],
            "empty" | "desc" => &["1"],
            _ => continue,
        };
        if !words.contains(&value) {
            faults.push(format!("`{name}` has no value `{value}`"));
        }
    }
    let of_column = |column: &Column| {
        let name = format!("f.{}", column.as_str());
        fields.all(&name).filter(|value| !value.trim().is_empty()).count() > 1
    };
    for column in Column::ALL.iter().filter(|column| of_column(column)) {
        faults.push(format!("{}: a column has one filter", column.title()));
    }
    faults
}

fn condition(
    column: Column,
    value: &str,
    operator: &str,
    or_empty: bool,
    now_ms: u64,
) -> Result<Condition, BoxError> {
    if !operator.is_empty() && operators(column).iter().all(|(word, _)| *word != operator) {
        return Err(format!("there is no operator `{operator}` for this column").into());
    }
    let negated = matches!(operator, "not" | "without");
    if let ColumnKind::Choice(values) = column.kind() {
        if !values.iter().any(|(word, _)| *word == value) {
            return Err("this is not one of the values".into());
        }
        return Ok(Condition::Choice { column, value: value.to_owned(), negated });
    }
    let Some(record_column) = column.record_column() else {
        let value = value.to_owned();
        let matches = match operator {
            "is" | "not" => TextMatch::Equals(value),
            "pattern" => TextMatch::Like(value),
            _ => TextMatch::Contains(value),
        };
        return Ok(Condition::Text { column, matches, negated, or_empty });
    };
    let filter = record_filter(column, record_column, value, operator, now_ms)?;
    let filter = if or_empty { RecordFilter::OrEmpty(Box::new(filter)) } else { filter };
    Ok(Condition::Record(filter))
}

fn record_filter(
    column: Column,
    record_column: table::Column,
    value: &str,
    operator: &str,
    now_ms: u64,
) -> Result<RecordFilter, BoxError> {
    let request = |operator, value| Ok(table::condition(record_column, operator, value, now_ms)?);
    match (column.kind(), operator) {
        (ColumnKind::Id, _) => {
            let ids = value.split([',', ' ']).filter(|id| !id.is_empty());
            let ids: Result<_, BoxError> = ids.map(|id| request(Operator::Equals, id)).collect();
            let any = RecordFilter::Any(ids?);
            Ok(if operator == "not" { any.negated() } else { any })
        }
        (ColumnKind::Time(column), "prior") => {
            Ok(RecordFilter::thirty_days_prior_to(column, last_ms(value)?))
        }
        (ColumnKind::Time(column), "after") => {
            Ok(RecordFilter::thirty_days_after(column, start_ms(value)?))
        }
        (ColumnKind::Time(_), "until") => request(Operator::Until, value),
        (ColumnKind::Time(_), "is") => request(Operator::Equals, value),
        (ColumnKind::Time(_), "not") => request(Operator::NotEquals, value),
        (ColumnKind::Time(_), _) => request(Operator::From, value),
        (_, "is") => request(Operator::Equals, value),
        (_, "not") => request(Operator::NotEquals, value),
        (_, "without") => request(Operator::NotContains, value),
        (_, "pattern") => request(Operator::Like, value),
        _ => request(Operator::Contains, value),
    }
}
