//! Creates responses: pages, parts of pages, files and redirects.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::IntoResponse as _;
use maud::{Markup, html};

pub(crate) use axum::response::Response;

/// Markup as HTML.
pub(crate) fn markup(status: StatusCode, markup: Markup) -> Response {
    let mut response = (status, Body::from(markup.into_string())).into_response();
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, html);
    response
}

/// Parts of a page, each for the element with an id. The script puts them in place.
pub(crate) fn parts(parts: Vec<(&str, Markup)>) -> Response {
    // Each is in its own template, because markup that starts with a `div` would lose rows that
    // follow.
    let parts = html! {
        @for (id, part) in parts {
            template data-part=(id) { (part) }
        }
    };
    markup(StatusCode::OK, parts)
}

/// Where the browser goes after a form was carried out. The response carries it as an extension.
#[derive(Clone, Debug)]
pub(crate) enum Destination {
    /// A page that can be opened any number of times.
    Page(String),
    /// The page that shows a new key once.
    NewKey(String),
}

impl Destination {
    pub(crate) const fn is_new_key(&self) -> bool {
        matches!(self, Self::NewKey(_))
    }
}

/// Redirects after a form was processed, so that a reload does not send it again.
pub(crate) fn redirect(path: &str) -> Response {
    let location = HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static("/"));
    let mut response = (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response();
    response.extensions_mut().insert(Destination::Page(path.to_owned()));
    response
}

/// A file to save.
pub(crate) fn attachment(name: &str, kind: &'static str, bytes: Vec<u8>) -> Response {
    let mut response = Body::from(bytes).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{name}\""));
    let attachment = HeaderValue::from_static("attachment");
    headers.insert(header::CONTENT_DISPOSITION, disposition.unwrap_or(attachment));
    response
}
