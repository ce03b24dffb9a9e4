//! *Export to file* and *Copy entire row*: rows as text, with tabs or commas between the cells.

use axum::http::StatusCode;
use cortexkey_client::table::{cells, no_formula, one_line};
use maud::Markup;

use super::columns::Column;
use super::query::Query;
use crate::app::App;
use crate::page_request::PageRequest;
use crate::parts::layout::{self, Frame, fault, notes};
use crate::records::time;
use crate::response::{self, Response};
use crate::snapshot::{Freshness, Row, SnapshotView};

/// The place of the comment in [`row`].
pub(super) const COMMENT: usize = 5;

/// The rows that match the filters, in their order and columns, as a file. It is no file if the
/// rows are not known: an empty one would say that there are none.
pub(in crate::pages) fn export(app: &App, request: &PageRequest) -> Response {
    let view = app.snapshot(Freshness::Recent);
    let snapshot = &view.snapshot;
    let fields = request.query.with("format", None);
    let query = Query::new(&fields, app.now_ms(), snapshot.definitions.is_compared());
    if !snapshot.is_read() {
        return refused(app, request, StatusCode::BAD_GATEWAY, &notes(&view));
    }
    let (kind, delimiter) = match request.query.get("format") {
        Some("tsv") => ("text/tab-separated-values; charset=utf-8", b'\t'),
        None | Some("csv") => ("text/csv; charset=utf-8", b','),
        Some(_) => return invalid(app, request, "a file is TSV or CSV"),
    };
    if let Some(why) = query.faults.first() {
        return invalid(app, request, why);
    }
    let mut writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
    let headings = query.columns.iter().map(|column| column.title());
    let written = writer.write_record(headings).and_then(|()| {
        query.all(snapshot).into_iter().try_for_each(|row| {
            let cells = query.columns.iter().map(|column| no_formula(cell(*column, row)));
            writer.write_record(cells)
        })
    });
    // Writing to memory does not fail.
    let bytes = written.ok().and_then(|()| writer.into_inner().ok()).unwrap_or_default();
    let ending = if delimiter == b'\t' { "tsv" } else { "csv" };
    response::attachment(&format!("{}.{ending}", name(&view)), kind, bytes)
}

/// The name of a file, which says whether it lacks keys or is old.
fn name(view: &SnapshotView) -> String {
    let mut name = "api-keys".to_owned();
    if view.snapshot.unseen > 0 {
        name += "-incomplete";
    }
    if view.fault.is_some() {
        name += &format!("-as-of-{}", time(view.snapshot.taken_ms).replace(':', ""));
    }
    name
}

fn invalid(app: &App, request: &PageRequest, why: &str) -> Response {
    let fault = fault("There is no file for this address.", why);
    refused(app, request, StatusCode::UNPROCESSABLE_ENTITY, &fault)
}

fn refused(app: &App, request: &PageRequest, status: StatusCode, why: &Markup) -> Response {
    let frame = Frame { trail: &[("API Keys", "/keys")], ..Frame::new("No file", "/keys") };
    layout::page_with(status, app, request, &frame, why)
}

/// A row, like *Copy entire row*: for a spreadsheet, as the files are.
pub(super) fn row(row: &Row) -> String {
    cells(&row.record).map(no_formula).join("\t")
}

fn cell(column: Column, row: &Row) -> String {
    one_line(&column.text(row))
}
