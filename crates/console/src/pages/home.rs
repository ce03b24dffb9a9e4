//! Opens and closes a session.

use axum::http::{HeaderValue, StatusCode, header};

use crate::app::App;
use crate::page_request::PageRequest;
use crate::parts::layout::plain_page;
use crate::response::{self, Response};
use crate::session::COOKIE;

/// Redirects to the first page.
pub(super) fn redirect_to_keys(_: &App, _: &PageRequest) -> Response {
    response::redirect("/keys")
}

/// Ends the session.
pub(super) fn sign_out(app: &App, request: &PageRequest) -> Response {
    app.sessions().end(&request.form_token);
    app.new_keys.end(&request.form_token);
    let mut response = plain_page(
        StatusCode::OK,
        "you are signed out; to come back, open this address again: the console then prints a new \
         one-time address where it was started",
    );
    let headers = response.headers_mut();
    let gone = format!("{COOKIE}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
    if let Ok(gone) = HeaderValue::from_str(&gone) {
        headers.insert(header::SET_COOKIE, gone);
    }
    // The browser's Back must not show earlier pages.
    let clear = HeaderValue::from_static("\"cache\", \"storage\"");
    headers.insert("clear-site-data", clear);
    response
}
