//! Options that filter and sort keys, as in the product's console.

use clap::ValueEnum;
use cortexkey_client::table::{Column, Operator, condition, state};
use cortexkey_client::time::{last_ms, now_ms, start_ms};
use cortexkey_core::auth::{KeyId, Level};
use cortexkey_core::lifecycle::{
    ExpiryState, KeyRecord, RecordFilter, RecordOrder, TableQuery, TextColumn, TextMatch,
    TimeColumn,
};

use crate::connection::level;
use crate::exit::BoxError;

/// Filters. Conditions are joined by AND.
#[derive(clap::Args)]
pub(crate) struct FilterArgs {
    /// Only keys with this id; repeatable
    #[arg(long, value_name = "N", help_heading = "Filters")]
    id: Vec<KeyId>,

    /// Only keys with this role, ignoring case; repeat to match any of several
    #[arg(long, value_name = "ROLE", help_heading = "Filters")]
    role: Vec<String>,

    /// Only keys with this security level
    #[arg(long = "security-level", value_name = "LEVEL", value_parser = level, help_heading = "Filters")]
    security_level: Option<Level>,

    /// Only keys whose comment contains this, ignoring case
    #[arg(long, value_name = "TEXT", help_heading = "Filters")]
    comment: Option<String>,

    /// Only keys whose creator's e-mail address contains this, ignoring case
    #[arg(long, value_name = "TEXT", help_heading = "Filters")]
    created_by: Option<String>,

    /// Only keys whose creator's name contains this, ignoring case
    #[arg(long, value_name = "TEXT", help_heading = "Filters")]
    user: Option<String>,

    /// Only keys in this state: valid, expires-within-week, expires-within-day or expired
    #[arg(long, value_name = "STATE", value_parser = state, help_heading = "Filters")]
    state: Option<ExpiryState>,

    /// Exclude keys that match, such as role=Viewer; columns: id, role, security-level, comment,
    /// created-by, user, created, expires, state
    #[arg(long, value_name = "COLUMN=VALUE", value_parser = negated, help_heading = "Filters")]
    not: Vec<(Column, Operator, String)>,

    /// Also include keys without a value in a filtered column, like the console's option
    #[arg(long, help_heading = "Filters")]
    include_empty_values: bool,

    /// Only keys whose time in a column (created or expires) is at or after this; a date means its
    /// start
    #[arg(long, value_name = "COLUMN=TIME", value_parser = column_start, help_heading = "Filters")]
    from: Vec<(TimeColumn, u64)>,

    /// Only keys whose time in a column (created or expires) is at or before this; a date means its
    /// end
    #[arg(long, value_name = "COLUMN=TIME", value_parser = column, help_heading = "Filters")]
    until: Vec<(TimeColumn, u64)>,

    /// Only keys whose time in a column is in the 30 days before this one, like the console's menu; a
    /// date means its end
    #[arg(long, value_name = "COLUMN=TIME", value_parser = column, help_heading = "Filters")]
    thirty_days_prior_to: Vec<(TimeColumn, u64)>,

    /// Only keys whose time in a column is in the 30 days after this one, like the console's menu;
    /// a date means its start
    #[arg(long, value_name = "COLUMN=TIME", value_parser = column_start, help_heading = "Filters")]
    thirty_days_after: Vec<(TimeColumn, u64)>,

    /// Sort by this column
    #[arg(long, value_name = "COLUMN", default_value = "id", help_heading = "Filters")]
    sort: Order,

    /// Sort in descending order
    #[arg(long, help_heading = "Filters")]
    descending: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Order {
    Id,
    Created,
    Roles,
    Expires,
}

impl FilterArgs {
    /// The rows that match, sorted.
    pub(super) fn apply(&self, records: Vec<KeyRecord>) -> Vec<KeyRecord> {
        let order = match self.sort {
            Order::Id => RecordOrder::Id,
            Order::Created => RecordOrder::Created,
            Order::Roles => RecordOrder::Roles,
            Order::Expires => RecordOrder::Expires,
        };
        let filter = RecordFilter::All(self.filters());
        TableQuery { filter, order, descending: self.descending }.select(records)
    }

    fn filters(&self) -> Vec<RecordFilter> {
        let now_ms = now_ms();
        let mut filters = Vec::new();
        if !self.id.is_empty() {
            filters.push(RecordFilter::Ids(self.id.iter().copied().collect()));
        }
        if !self.role.is_empty() {
            let role = |name: &String| {
                RecordFilter::text(TextColumn::Roles, TextMatch::Equals(name.clone()))
            };
            filters.push(RecordFilter::Any(self.role.iter().map(role).collect()));
        }
        filters.extend(self.security_level.map(RecordFilter::Level));
        for (column, text) in [
            (TextColumn::Comment, &self.comment),
            (TextColumn::CreatedBy, &self.created_by),
            (TextColumn::User, &self.user),
        ] {
            let contains = |text| RecordFilter::text(column, TextMatch::Contains(text));
            filters.extend(text.clone().map(contains));
        }
        filters.extend(self.state.map(|state| RecordFilter::State { state, now_ms }));
        let not = self.not.iter().map(|(column, operator, value)| {
            // It was validated when it was parsed.
            condition(*column, *operator, value, now_ms).ok()
        });
        filters.extend(not.flatten());
        let between =
            |column, from_ms, until_ms| RecordFilter::Between { column, from_ms, until_ms };
        filters.extend(self.from.iter().map(|(column, ms)| between(*column, *ms, u64::MAX)));
        filters.extend(self.until.iter().map(|(column, ms)| between(*column, 0, *ms)));
        let prior = self.thirty_days_prior_to.iter();
        filters.extend(prior.map(|(column, ms)| RecordFilter::thirty_days_prior_to(*column, *ms)));
        let after = self.thirty_days_after.iter();
        filters.extend(after.map(|(column, ms)| RecordFilter::thirty_days_after(*column, *ms)));
        if self.include_empty_values {
            let or_empty = |filter| RecordFilter::OrEmpty(Box::new(filter));
            filters = filters.into_iter().map(or_empty).collect();
        }
        filters
    }
}

/// A condition to exclude: a substring, or a value.
fn negated(text: &str) -> Result<(Column, Operator, String), BoxError> {
    let (column, value) =
        text.split_once('=').ok_or("expected COLUMN=VALUE, such as role=Viewer")?;
    let column: Column = column.parse()?;
    let operator = match column {
        Column::Comment | Column::CreatedBy | Column::User => Operator::NotContains,
        _ => Operator::NotEquals,
    };
    condition(column, operator, value, 0)?;
    Ok((column, operator, value.to_owned()))
}

/// A time in a column; a date means the start of its day.
fn column_start(text: &str) -> Result<(TimeColumn, u64), BoxError> {
    let (column, time) = column_and_time(text)?;
    Ok((column, start_ms(time)?))
}

/// A time in a column; a date means the end of its day, a time the end of its second.
fn column(text: &str) -> Result<(TimeColumn, u64), BoxError> {
    let (column, time) = column_and_time(text)?;
    Ok((column, last_ms(time)?))
}

fn column_and_time(text: &str) -> Result<(TimeColumn, &str), BoxError> {
    let (column, time) =
        text.split_once('=').ok_or("expected COLUMN=TIME, such as expires=2027-03-01")?;
    match column {
        "created" => Ok((TimeColumn::Created, time)),
        "expires" => Ok((TimeColumn::Expires, time)),
        _ => Err("the columns with times are `created` and `expires`".into()),
    }
}
