//! *Export to file* and *Copy entire row*: rows as text, with tabs or commas between the cells.

use cortexkey_client::table::{cells, no_formula, one_line};

use super::columns::Column;
use super::query::Query;
use crate::app::App;
use crate::page_request::PageRequest;
use crate::response::{self, Response};
use crate::snapshot::{Freshness, Row};

/// The rows that match the filters, in their order and columns, as a file.
pub(in crate::pages) fn export(app: &App, request: &PageRequest) -> Response {
    let view = app.snapshot(Freshness::Recent);
    let snapshot = &view.snapshot;
    let is_tsv = request.query.get("format") == Some("tsv");
    let fields = request.query.with("format", None);
    let query = Query::new(&fields, app.now_ms(), snapshot.definitions.is_compared());
    let mut writer = csv::WriterBuilder::new()
        .delimiter(if is_tsv { b'\t' } else { b',' })
        .from_writer(Vec::new());
    let headings = query.columns.iter().map(|column| column.title());
    let written = writer.write_record(headings).and_then(|()| {
        query.all(snapshot).into_iter().try_for_each(|row| {
            let cells = query.columns.iter().map(|column| no_formula(cell(*column, row)));
            writer.write_record(cells)
        })
    });
    // Writing to memory does not fail.
    let bytes = written.ok().and_then(|()| writer.into_inner().ok()).unwrap_or_default();
    if is_tsv {
        response::attachment("api-keys.tsv", "text/tab-separated-values; charset=utf-8", bytes)
    } else {
        response::attachment("api-keys.csv", "text/csv; charset=utf-8", bytes)
    }
}

/// A row, like *Copy entire row*.
pub(super) fn row(row: &Row) -> String {
    cells(&row.record).join("\t")
}

fn cell(column: Column, row: &Row) -> String {
    one_line(&column.text(row))
}
