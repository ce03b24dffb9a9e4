//! Finds the key in a path.

use axum::http::StatusCode;
use cortexkey_core::auth::KeyId;
use maud::html;

use crate::answer::Answer;
use crate::app::App;
use crate::page_request::PageRequest;
use crate::parts::layout::{self, Frame, notes};
use crate::snapshot::{Fresh, Row, View};

/// A key, and its snapshot.
pub(super) struct Found {
    pub(super) row: Row,
    pub(super) view: View,
}

/// The key of the path's first parameter; otherwise the response that there is none.
pub(super) fn found(app: &App, ask: &PageRequest) -> Result<Found, Box<Answer>> {
    let id: Option<KeyId> = ask.place().parse().ok();
    let row = |view: &View| {
        let rows = &view.snapshot.rows;
        rows.iter().find(|row| Some(row.record.key_id) == id).cloned()
    };
    let view = app.snapshot(Fresh::Page);
    if let Some(row) = row(&view) {
        return Ok(Found { row, view });
    }
    // It may be newer than the snapshot.
    let view = app.snapshot(Fresh::Now);
    match row(&view) {
        Some(row) => Ok(Found { row, view }),
        None => Err(Box::new(missing(app, ask, &view))),
    }
}

fn missing(app: &App, ask: &PageRequest, view: &View) -> Answer {
    let (status, title, text) = if view.fault.is_some() {
        let text = "Whether the tenant has a key with this id is unknown. ";
        (StatusCode::BAD_GATEWAY, "Key not read", text)
    } else {
        (StatusCode::NOT_FOUND, "No such key", "The tenant shows no key with this id. ")
    };
    let content = html! {
        (notes(view))
        div class="card" { div class="body" { p { (text) a href="/keys" { "All keys" } } } }
    };
    layout::page_with(status, app, ask, &Frame::new(title, "/keys"), &content)
}
