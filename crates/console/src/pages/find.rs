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
    if let Some(selected) = find_in(request, app.snapshot(freshness)) {
        return Ok(selected);
    }
    // The key may have been created after the snapshot.
    let view = app.snapshot(Freshness::Now);
    find_in(request, view.clone()).ok_or_else(|| Box::new(missing(app, request, &view)))
}

/// The key of the path's first parameter in a snapshot.
pub(super) fn find_in(request: &PageRequest, view: SnapshotView) -> Option<SelectedKey> {
    let id: KeyId = request.parameter().parse().ok()?;
    let row = view.snapshot.rows.iter().find(|row| row.record.key_id == id).cloned()?;
    Some(SelectedKey { row, view })
}

/// The response that there is no such key, or that it is unknown whether there is one.
pub(super) fn missing(app: &App, request: &PageRequest, view: &SnapshotView) -> Response {
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
