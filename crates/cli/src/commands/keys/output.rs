//! Keys as people and programs read them: a table, rows as the console copies them, JSON, CSV.
//!
//! It refuses control characters in what a terminal shows.

use std::io::IsTerminal as _;

use clap::ValueEnum;
use comfy_table::{ContentArrangement, Table, presets};
use cortexkey_api::api_keys::ApiKeyRecord;
use cortexkey_client::level_of;
use cortexkey_core::auth::KeyId;
use cortexkey_core::lifecycle::{Expiry, KeyRecord};
use serde_json::{Value, json};

use crate::text;

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A table for people
    Table,
    /// Rows with tabs, as the console's Copy entire row
    Row,
    /// One object for programs
    Json,
    /// For spreadsheets
    Csv,
}

/// A row of the console's table; none for a record without an id.
pub(crate) fn record_of(key: &ApiKeyRecord) -> Option<KeyRecord> {
    Some(KeyRecord {
        key_id: KeyId::new(key.id)?,
        created_ms: key.creation_time.unwrap_or(0),
        created_by: key.created_by.clone().unwrap_or_default(),
        user_name: key.user_name.clone().unwrap_or_default(),
        roles: key.roles.clone(),
        level: level_of(key.security_level),
        comment: key.comment.clone(),
        expiry: key.expiration.map_or(Expiry::Never, |ms| Expiry::At { ms }),
    })
}

/// The keys in a format.
pub(crate) fn render(records: &[KeyRecord], format: Format, now_ms: u64) -> String {
    let headings = || KeyRecord::COLUMNS.into_iter().chain(["State"]);
    match format {
        Format::Json => {
            let keys: Vec<Value> = records.iter().map(|record| object(record, now_ms)).collect();
            text::json(&json!({ "version": 1, "keys": keys }))
        }
        Format::Row => records.iter().map(|record| cells(record).join("\t") + "\n").collect(),
        Format::Csv => {
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
        Format::Table if records.is_empty() => "no keys\n".to_owned(),
        Format::Table => {
            let mut table = Table::new();
            table.load_style(presets::NOTHING).set_header(headings());
            if std::io::stdout().is_terminal()
                && let Some((width, _)) = terminal_size::terminal_size()
            {
                table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width.0);
            }
            for record in records {
                let state = record.expiry.state(now_ms).to_string();
                table.add_row(cells(record).into_iter().chain([state]));
            }
            table.lines().map(|line| line.trim().to_owned() + "\n").collect()
        }
    }
}

/// A key as JSON: the product's names and times, and how it stands.
pub(crate) fn object(record: &KeyRecord, now_ms: u64) -> Value {
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

/// The columns, with times as people read them.
fn cells(record: &KeyRecord) -> Vec<String> {
    let expires = match record.expiry {
        Expiry::Never => "never".to_owned(),
        Expiry::At { ms } => time(ms),
    };
    vec![
        record.key_id.to_string(),
        time(record.created_ms),
        one_line(&record.created_by),
        one_line(&record.roles.join(", ")),
        record.level.to_string(),
        one_line(record.comment.as_deref().unwrap_or_default()),
        expires,
    ]
}

/// A spreadsheet runs what begins like this, and anybody who makes a key writes its comment.
fn no_formula(cell: String) -> String {
    if cell.trim_start().starts_with(['=', '+', '-', '@']) { format!("'{cell}") } else { cell }
}

/// Text of others on one line: a line end or tab is a space, and what nobody sees or what a terminal
/// acts on is an escape.
pub(crate) fn one_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' => out.push(' '),
            c if cortexkey_manifest::is_invisible(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

/// A time in UTC, to the second.
pub(crate) fn time(ms: u64) -> String {
    let time = i64::try_from(ms / 1000).ok();
    let time = time.and_then(|second| jiff::Timestamp::from_second(second).ok());
    time.map_or_else(|| format!("{ms} ms"), |time| time.to_string())
}
