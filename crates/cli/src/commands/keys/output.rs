//! Output formats of key lists. The console exports the same rows.

use std::io::IsTerminal as _;

use clap::ValueEnum;
use comfy_table::{ContentArrangement, Table, presets};
use cortexkey_client::table::{cells, csv, headings, to_json, tsv};
use cortexkey_core::lifecycle::KeyRecord;
use serde_json::{Value, json};

use crate::text;

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A table for people
    Table,
    /// Tab-separated rows, like the console's Copy entire row
    Row,
    /// One object for programs
    Json,
    /// For spreadsheets
    Csv,
}

/// The keys in a format.
pub(crate) fn render(records: &[KeyRecord], format: Format, now_ms: u64) -> String {
    match format {
        Format::Json => {
            let keys: Vec<Value> = records.iter().map(|record| to_json(record, now_ms)).collect();
            text::json(&json!({ "version": 1, "keys": keys }))
        }
        Format::Row => tsv(records),
        Format::Csv => csv(records, now_ms),
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
