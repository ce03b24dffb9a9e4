//! Which keys are listed, and in which order: the console's filters.
//!
//! What a filter passes is the core's to decide.

use std::time::{SystemTime, UNIX_EPOCH};

use clap::ValueEnum;
use cortexkey_core::auth::{KeyId, Level};
use cortexkey_core::lifecycle::{ExpiryState, KeyRecord, RecordFilter, RecordOrder, TimeColumn};
use cortexkey_manifest::definition::{lifetime, moment};

use crate::connection::level;

/// Which keys. Conditions are joined by AND.
#[derive(clap::Args)]
pub(crate) struct FilterArgs {
    /// Keys with this id; may be given several times
    #[arg(long, value_name = "N", help_heading = "Filters")]
    id: Vec<KeyId>,

    /// Keys with this role, in any case; several times means any of them
    #[arg(long, value_name = "ROLE", help_heading = "Filters")]
    role: Vec<String>,

    /// Keys of this security level
    #[arg(long = "security-level", value_name = "LEVEL", value_parser = level, help_heading = "Filters")]
    security_level: Option<Level>,

    /// Keys whose comment holds this text, in any case
    #[arg(long, value_name = "TEXT", help_heading = "Filters")]
    comment: Option<String>,

    /// Keys whose creator's e-mail address holds this text, in any case
    #[arg(long, value_name = "TEXT", help_heading = "Filters")]
    created_by: Option<String>,

    /// Keys whose creator's name holds this text, in any case
    #[arg(long, value_name = "TEXT", help_heading = "Filters")]
    user: Option<String>,

    /// Keys in this state: valid, expires-within-week, expires-within-day or expired
    #[arg(long, value_name = "STATE", value_parser = state, help_heading = "Filters")]
    state: Option<ExpiryState>,

    /// Keys that these filters do not pass, such as role=Viewer; columns are id, role,
    /// security-level, comment, created-by, user and state
    #[arg(long, value_name = "COLUMN=VALUE", value_parser = negated, help_heading = "Filters")]
    not: Vec<Negated>,

    /// As the console's: keys without a value in a filter's column pass it
    #[arg(long, help_heading = "Filters")]
    include_empty_values: bool,

    /// Keys whose time in a column (created or expires) is not before this one; a date is its start
    #[arg(long, value_name = "COLUMN=TIME", value_parser = column_start, help_heading = "Filters")]
    from: Vec<(TimeColumn, u64)>,

    /// Keys whose time in a column (created or expires) is not after this one; a date is its end
    #[arg(long, value_name = "COLUMN=TIME", value_parser = column, help_heading = "Filters")]
    until: Vec<(TimeColumn, u64)>,

    /// As the console's: rows of the 30 days prior to a time in a column
    #[arg(long, value_name = "COLUMN=TIME", value_parser = column, help_heading = "Filters")]
    thirty_days_prior_to: Vec<(TimeColumn, u64)>,

    /// As the console's: rows of the 30 days after a time in a column; a date is its start
    #[arg(long, value_name = "COLUMN=TIME", value_parser = column_start, help_heading = "Filters")]
    thirty_days_after: Vec<(TimeColumn, u64)>,

    /// The order
    #[arg(long, value_name = "COLUMN", default_value = "id", help_heading = "Filters")]
    sort: Order,

    /// The other way round
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
    /// The rows that pass, in their order.
    pub(crate) fn apply(&self, records: Vec<KeyRecord>) -> Vec<KeyRecord> {
        let filters = self.filters(&records);
        let passes = |record: &KeyRecord| filters.iter().all(|filter| filter.passes(record));
        let mut records: Vec<KeyRecord> = records.into_iter().filter(passes).collect();
        let order = match self.sort {
            Order::Id => RecordOrder::Id,
            Order::Created => RecordOrder::Created,
            Order::Roles => RecordOrder::Roles,
            Order::Expires => RecordOrder::Expires,
        };
        order.sort(&mut records, self.descending);
        records
    }

    fn filters(&self, records: &[KeyRecord]) -> Vec<RecordFilter> {
        let mut filters = Vec::new();
        if !self.id.is_empty() {
            filters.push(RecordFilter::Ids(self.id.iter().copied().collect()));
        }
        if !self.role.is_empty() {
            filters.push(any_role(&self.role, records));
        }
        filters.extend(self.security_level.map(RecordFilter::Level));
        filters.extend(self.comment.clone().map(RecordFilter::CommentContains));
        filters.extend(self.created_by.clone().map(RecordFilter::CreatedByContains));
        filters.extend(self.user.clone().map(RecordFilter::UserContains));
        let now_ms = now_ms();
        filters.extend(self.state.map(|state| RecordFilter::State { state, now_ms }));
        let not = self.not.iter().map(|negated| negated.filter(records, now_ms));
        filters.extend(not.map(|filter| RecordFilter::Not(Box::new(filter))));
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

/// Names are matched in any case, as a person types them; the core compares them exactly.
fn any_role(names: &[String], records: &[KeyRecord]) -> RecordFilter {
    let is_meant = |role: &&String| names.iter().any(|name| name.eq_ignore_ascii_case(role));
    let roles = records.iter().flat_map(|record| &record.roles);
    RecordFilter::AnyRole(roles.filter(is_meant).cloned().collect())
}

/// What a key is not to be.
#[derive(Clone, Debug)]
enum Negated {
    Id(KeyId),
    Role(String),
    Level(Level),
    Comment(String),
    CreatedBy(String),
    User(String),
    State(ExpiryState),
}

impl Negated {
    fn filter(&self, records: &[KeyRecord], now_ms: u64) -> RecordFilter {
        match self.clone() {
            Self::Id(id) => RecordFilter::Ids([id].into()),
            Self::Role(name) => any_role(&[name], records),
            Self::Level(level) => RecordFilter::Level(level),
            Self::Comment(text) => RecordFilter::CommentContains(text),
            Self::CreatedBy(text) => RecordFilter::CreatedByContains(text),
            Self::User(text) => RecordFilter::UserContains(text),
            Self::State(state) => RecordFilter::State { state, now_ms },
        }
    }
}

fn negated(text: &str) -> Result<Negated, String> {
    let (column, value) = text.split_once('=').ok_or("it is COLUMN=VALUE, such as role=Viewer")?;
    let owned = || value.to_owned();
    Ok(match column {
        "id" => Negated::Id(value.parse().map_err(|_| "an id is a number".to_owned())?),
        "role" => Negated::Role(owned()),
        "security-level" | "level" => Negated::Level(level(value)?),
        "comment" => Negated::Comment(owned()),
        "created-by" => Negated::CreatedBy(owned()),
        "user" => Negated::User(owned()),
        "state" => Negated::State(state(value)?),
        _ => {
            return Err(
                "the columns are `id`, `role`, `security-level`, `comment`, `created-by`, \
                        `user` and `state`"
                    .to_owned(),
            );
        }
    })
}

fn state(text: &str) -> Result<ExpiryState, String> {
    use ExpiryState::{Expired, ExpiresWithinDay, ExpiresWithinWeek, Valid};
    let all = [Valid, ExpiresWithinWeek, ExpiresWithinDay, Expired];
    all.into_iter().find(|state| state.as_str() == text.to_ascii_lowercase()).ok_or_else(|| {
        "the states are `valid`, `expires-within-week`, `expires-within-day` and `expired`"
            .to_owned()
    })
}

/// Milliseconds since 1970.
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok();
    since.and_then(|since| u64::try_from(since.as_millis()).ok()).unwrap_or(0)
}

/// A time as definitions write it, in milliseconds since 1970.
pub(crate) fn time_ms(text: &str) -> Result<u64, String> {
    let time = moment(text).map_err(|error| format!("{}; {}", error.message, error.help))?;
    u64::try_from(time.as_millisecond()).map_err(|_| "the time is before 1970".to_owned())
}

/// A duration as definitions write it, in milliseconds.
pub(crate) fn duration_ms(text: &str) -> Result<u64, String> {
    if text == "0" {
        return Ok(0);
    }
    let duration = lifetime(text).map_err(|error| format!("{}; {}", error.message, error.help))?;
    u64::try_from(duration.as_millis()).map_err(|_| "the duration is out of range".to_owned())
}

/// A grace: a duration, or none, in any unit.
pub(crate) fn grace_ms(text: &str) -> Result<u64, String> {
    let digits = text.strip_suffix(['d', 'h', 'm', 's']).unwrap_or(text);
    let is_none = !digits.is_empty() && digits.bytes().all(|byte| byte == b'0');
    if is_none { Ok(0) } else { duration_ms(text) }
}

/// A time in a column, where a date is the start of its day.
fn column_start(text: &str) -> Result<(TimeColumn, u64), String> {
    let is_date = text.split_once('=').is_some_and(|(_, time)| time.len() == 10);
    let text = if is_date { format!("{text}T00:00:00Z") } else { text.to_owned() };
    column(&text)
}

/// A time in a column, where a date is the end of its day.
fn column(text: &str) -> Result<(TimeColumn, u64), String> {
    let (column, time) =
        text.split_once('=').ok_or("it is COLUMN=TIME, such as expires=2027-03-01")?;
    let column = match column {
        "created" => TimeColumn::Created,
        "expires" => TimeColumn::Expires,
        _ => return Err("the columns of times are `created` and `expires`".to_owned()),
    };
    Ok((column, time_ms(time)?))
}
