//! Finds the key in a path.

use axum::http::StatusCode;
use cortexkey_core::auth::KeyId;
use maud::html;

use crate::app::App;
use crate::page_request::PageRequest;
use crate::parts::layout::{self, Frame, notes};
use crate::response::Response;
use crate::snapshot::{Freshness, Row, SnapshotView};

/// A key, and its snapshot.
pub(super) struct SelectedKey {
    pub(super) row: Row,
    pub(super) view: SnapshotView,
}

/// Finds the key that the path's first parameter names. The error is the response for a missing
/// key.
pub(super) fn find_key(app: &App, request: &PageRequest) -> Result<SelectedKey, Box<Response>> {
    find_key_as_of(app, request, Freshness::Recent)
}

/// Like [`find_key`], in a snapshot of this freshness.
pub(super) fn find_key_as_of(
    app: &App,
    request: &PageRequest,
    freshness: Freshness,
) -> Result<SelectedKey, Box<Response>> {
    let id: Option<KeyId> = request.parameter().parse().ok();
    let row = |view: &SnapshotView| {
        let rows = &view.snapshot.rows;
        rows.iter().find(|row| Some(row.record.key_id) == id).cloned()
    };
    let view = app.snapshot(freshness);
    if let Some(row) = row(&view) {
        return Ok(SelectedKey { row, view });
    }
    // The key may have been created after the snapshot.
    let view = if freshness == Freshness::Now { view } else { app.snapshot(Freshness::Now) };
    match row(&view) {
        Some(row) => Ok(SelectedKey { row, view }),
        None => Err(Box::new(missing(app, request, &view))),
    }
}

fn missing(app: &App, request: &PageRequest, view: &SnapshotView) -> Response {
    let (status, title, text) = if view.fault.is_some() || view.snapshot.unseen > 0 {
        let text = "Whether the tenant has a key with this id is unknown. ";
        (StatusCode::BAD_GATEWAY, "Key not read", text)
    } else {
        (StatusCode::NOT_FOUND, "No such key", "The tenant shows no key with this id. ")
    };
    let content = html! {
        (notes(view))
        div class="card" { div class="body" { p { (text) a href="/keys" { "All keys" } } } }
    };
    layout::page_with(status, app, request, &Frame::new(title, "/keys"), &content)
}
