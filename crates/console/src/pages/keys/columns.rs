//! The columns of the API Keys table: their contents, filters and sort order.

use cortexkey_client::table;
use cortexkey_core::lifecycle::{Expiry, RecordOrder, TimeColumn};
use cortexkey_lint::Severity;

use crate::records::{created_text, time};
use crate::snapshot::Row;
use cortexkey_fleet::{KeyExpiry, MONTH_MS, State, WEEK_MS};

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    Id,
    Created,
    CreatedBy,
    User,
    Roles,
    Level,
    Comment,
    Owner,
    Name,
    File,
    Definition,
    Policy,
    Status,
    Expires,
}

/// How a column is filtered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ColumnKind {
    Id,
    /// A string from the key's record.
    Text,
    /// A string from the key's definition.
    Definition,
    Time(TimeColumn),
    /// One of these values, each with its name.
    Choice(&'static [(&'static str, &'static str)]),
}

pub(super) const LEVELS: &[(&str, &str)] = &[("advanced", "Advanced"), ("standard", "Standard")];
const DEFINITIONS: &[(&str, &str)] = &[
    ("managed", "Managed"),
    ("unmanaged", "Unmanaged"),
    ("drifted", "Drifted"),
    ("pending", "Not applied"),
    ("replaced", "Replaced"),
    ("unclear", "Unclear"),
];
const POLICY: &[(&str, &str)] =
    &[("any", "Any finding"), ("error", "Error"), ("warning", "Warning"), ("info", "Info")];
const STATUS: &[(&str, &str)] = &[
    ("valid", "Valid"),
    ("month", "Expires within 30 days"),
    ("week", "Expires within 7 days"),
    ("expires-within-week", "Expires in 1 to 7 days"),
    ("expires-within-day", "Expires within a day"),
    ("expired", "Expired"),
    ("never", "Never expires"),
];

impl Column {
    pub(super) const ALL: [Self; 14] = [
        Self::Id,
        Self::Created,
        Self::CreatedBy,
        Self::User,
        Self::Roles,
        Self::Level,
        Self::Comment,
        Self::Owner,
        Self::Name,
        Self::File,
        Self::Definition,
        Self::Policy,
        Self::Status,
        Self::Expires,
    ];

    /// The name in addresses.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Created => "created",
            Self::CreatedBy => "created-by",
            Self::User => "user",
            Self::Roles => "role",
            Self::Level => "security-level",
            Self::Comment => "comment",
            Self::Owner => "owner",
            Self::Name => "name",
            Self::File => "file",
            Self::Definition => "definition",
            Self::Policy => "policy",
            Self::Status => "state",
            Self::Expires => "expires",
        }
    }

    /// The heading, in the product's words for the product's columns.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Id => "ID",
            Self::Created => "Creation Time",
            Self::CreatedBy => "Created By",
            Self::User => "User Name",
            Self::Roles => "Roles",
            Self::Level => "Security Level",
            Self::Comment => "Comment",
            Self::Owner => "Owner",
            Self::Name => "Name",
            Self::File => "File",
            Self::Definition => "Definition",
            Self::Policy => "Policy",
            Self::Status => "Status",
            Self::Expires => "Expiration Time",
        }
    }

    pub(super) fn from_name(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|column| column.as_str() == word)
    }

    pub(super) const fn kind(self) -> ColumnKind {
        match self {
            Self::Id => ColumnKind::Id,
            Self::Created => ColumnKind::Time(TimeColumn::Created),
            Self::Expires => ColumnKind::Time(TimeColumn::Expires),
            Self::CreatedBy | Self::User | Self::Roles | Self::Comment => ColumnKind::Text,
            Self::Owner | Self::Name | Self::File => ColumnKind::Definition,
            Self::Level => ColumnKind::Choice(LEVELS),
            Self::Definition => ColumnKind::Choice(DEFINITIONS),
            Self::Policy => ColumnKind::Choice(POLICY),
            Self::Status => ColumnKind::Choice(STATUS),
        }
    }

    /// Whether it is shown by default.
    pub(super) const fn is_default(self, has_definitions: bool) -> bool {
        match self {
            Self::CreatedBy | Self::Name | Self::File | Self::Status => false,
            Self::Owner | Self::Definition | Self::Policy => has_definitions,
            // With the definitions' columns there is no room for more on a laptop.
            Self::Created | Self::User => !has_definitions,
            _ => true,
        }
    }

    /// The core's sort order, if the column is one of the record.
    pub(super) const fn order(self) -> Option<RecordOrder> {
        match self {
            Self::Id => Some(RecordOrder::Id),
            Self::Created => Some(RecordOrder::Created),
            Self::User => Some(RecordOrder::User),
            Self::Roles => Some(RecordOrder::Roles),
            Self::Level => Some(RecordOrder::Level),
            Self::Comment => Some(RecordOrder::Comment),
            Self::Expires | Self::Status => Some(RecordOrder::Expires),
            Self::CreatedBy
            | Self::Owner
            | Self::Name
            | Self::File
            | Self::Definition
            | Self::Policy => None,
        }
    }

    /// The client's column of the same name, if the record has it.
    pub(super) fn record_column(self) -> Option<table::Column> {
        self.as_str().parse().ok()
    }

    /// The string by which rows are sorted, for columns that the record does not have.
    pub(super) fn sort_text(self, row: &Row) -> String {
        match self {
            Self::Policy => {
                let worst = row.managed.as_ref().and_then(|managed| managed.worst());
                worst.map_or(0, |found| 1 + found.severity as u8).to_string()
            }
            _ => self.text(row).to_lowercase(),
        }
    }

    /// A row's value in the column, as text.
    pub(super) fn text(self, row: &Row) -> String {
        let record = &row.record;
        let managed = row.managed.as_ref();
        match self {
            Self::Id => record.key_id.to_string(),
            Self::Created => created_text(record),
            Self::CreatedBy => record.created_by.clone(),
            Self::User => record.user_name.clone(),
            Self::Roles => record.roles.join(", "),
            Self::Level => record.level.to_string(),
            Self::Comment => record.comment.clone().unwrap_or_default(),
            Self::Owner => managed.and_then(|managed| managed.owner.clone()).unwrap_or_default(),
            Self::Name => managed.map(|managed| managed.name.clone()).unwrap_or_default(),
            Self::File => managed
                .map(|managed| format!("{}:{}", managed.file, managed.line))
                .unwrap_or_default(),
            Self::Definition => definition(row).to_owned(),
            Self::Policy => {
                let worst = managed.and_then(|managed| managed.worst());
                worst.map(|found| format!("{} {}", found.code, found.name)).unwrap_or_default()
            }
            Self::Status => String::new(),
            Self::Expires => match record.expiry {
                Expiry::Never => "never".to_owned(),
                Expiry::At { ms } => time(ms),
            },
        }
    }
}

/// The state of a row compared with its definition.
pub(in crate::pages) fn definition(row: &Row) -> &'static str {
    match row.managed.as_ref().map(|managed| managed.state) {
        None => "Unmanaged",
        Some(State::InPlace) => "Managed",
        Some(State::Pending) => "Not applied",
        Some(State::Drifted) => "Drifted",
        Some(State::Replaced) => "Replaced",
        Some(State::Unclear) => "Unclear",
    }
}

/// Whether a row matches a choice.
pub(super) fn is_choice(column: Column, value: &str, row: &Row, now_ms: u64) -> bool {
    let managed = row.managed.as_ref();
    match column {
        Column::Level => row.record.level.as_str() == value,
        // The words of the column's cells.
        Column::Definition => {
            let chosen = DEFINITIONS.iter().find(|(word, _)| *word == value);
            chosen.is_some_and(|(_, title)| definition(row) == *title)
        }
        Column::Policy => {
            let worst = managed.and_then(|managed| managed.worst()).map(|found| found.severity);
            match value {
                "any" => worst.is_some(),
                "error" => worst == Some(Severity::Error),
                "warning" => worst == Some(Severity::Warning),
                "info" => worst == Some(Severity::Info),
                _ => false,
            }
        }
        Column::Status => match value {
            "never" => row.record.expiry == Expiry::Never,
            "week" => KeyExpiry::from(row.record.expiry).is_within(now_ms, WEEK_MS),
            "month" => KeyExpiry::from(row.record.expiry).is_within(now_ms, MONTH_MS),
            state => row.record.expiry.state(now_ms).as_str() == state,
        },
        _ => false,
    }
}
