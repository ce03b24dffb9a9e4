//! The checks that every request must pass before a page sees it: host, method, origin, session,
//! form token. They refuse pages of other sites, of other ports or names of this machine, and of
//! names that an attacker resolves to this machine (DNS rebinding).

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::app::App;
use crate::headers;
use crate::page_request::{Fields, QUERY_BYTES_MAX};
use crate::parts::layout::plain_page;
use crate::session::{COOKIE, Token};

/// More bytes than any form here needs.
pub(crate) const BODY_BYTES_MAX: usize = 64 * 1024;
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const FORM_TYPE: &str = "application/x-www-form-urlencoded";

/// The gate's result, for the handlers.
#[derive(Clone)]
pub(crate) struct CheckedRequest {
    pub(crate) form_token: Token,
    pub(crate) form: Fields,
}

/// Adds the headers to every response.
pub(crate) async fn add_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    headers::add(response.headers_mut());
    response
}

/// Checks where a request comes from; these checks need no session.
pub(crate) async fn check_origin(
    State(app): State<Arc<App>>,
    request: Request,
    next: Next,
) -> Response {
    match origin_fault(&app, &request) {
        None => next.run(request).await,
        Some((status, why)) => plain_page(status, why),
    }
}

/// Checks the session and, for a form, its token.
pub(crate) async fn check_session(
    State(app): State<Arc<App>>,
    request: Request,
    next: Next,
) -> Response {
    let token = cookie(request.headers()).and_then(|cookie| app.sessions().form_token(cookie));
    let Some(form_token) = token else {
        // A page that the user opened, not a request by a page.
        let dest = single(request.headers(), &HeaderName::from_static("sec-fetch-dest"));
        if dest.is_none_or(|dest| dest == "document") {
            app.announce_address();
        }
        return plain_page(
            StatusCode::UNAUTHORIZED,
            "open the address that the console printed where it was started; each address works once",
        );
    };
    let (mut head, body) = request.into_parts();
    let mut form = Fields::default();
    if head.method == Method::POST {
        if !single(&head.headers, &header::CONTENT_TYPE).is_some_and(is_form) {
            return plain_page(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "this address accepts only forms",
            );
        }
        let Ok(body) = to_bytes(body, BODY_BYTES_MAX).await else {
            return plain_page(StatusCode::PAYLOAD_TOO_LARGE, "the form is larger than 64 KiB");
        };
        let Some(fields) = Fields::parse(&body) else {
            return plain_page(StatusCode::PAYLOAD_TOO_LARGE, "the form has too many fields");
        };
        form = fields;
        if !form.get("token").is_some_and(|given| form_token.is(given)) {
            return plain_page(
                StatusCode::FORBIDDEN,
                "the form is not of this session: reload the page",
            );
        }
    }
    head.extensions.insert(CheckedRequest { form_token, form });
    next.run(Request::from_parts(head, Body::empty())).await
}

/// Why a request comes neither from a page of this console nor from the address bar.
fn origin_fault(app: &App, request: &Request) -> Option<(StatusCode, &'static str)> {
    let method = request.method();
    let headers = request.headers();
    let authority = request.uri().authority().map(axum::http::uri::Authority::as_str);
    let is_host = single(headers, &header::HOST) == Some(app.host())
        && authority.is_none_or(|authority| authority == app.host());
    if !is_host {
        return Some((StatusCode::MISDIRECTED_REQUEST, "the console has another name"));
    }
    if !matches!(*method, Method::GET | Method::HEAD | Method::POST) {
        return Some((StatusCode::METHOD_NOT_ALLOWED, "the console takes GET and POST"));
    }
    if request.uri().query().is_some_and(|query| query.len() > QUERY_BYTES_MAX) {
        return Some((StatusCode::URI_TOO_LONG, "the address is longer than 4 KiB"));
    }
    // A browser's prefetch would use up the one-time token.
    let purposes = ["sec-purpose", "purpose", "x-moz"];
    if purposes.iter().any(|purpose| headers.contains_key(*purpose)) {
        return Some((StatusCode::FORBIDDEN, "prefetching is not supported"));
    }
    let site = headers.contains_key(FETCH_SITE).then(|| single(headers, &FETCH_SITE));
    let is_entry = request.uri().path() == "/enter" && method == Method::GET;
    let is_navigation = single(headers, &HeaderName::from_static("sec-fetch-mode"))
        == Some("navigate")
        && single(headers, &HeaderName::from_static("sec-fetch-dest")) == Some("document");
    match site {
        None | Some(Some("same-origin" | "none")) => {}
        // A link in a chat or a mail: its token decides.
        Some(Some("same-site" | "cross-site")) if is_entry && is_navigation => {}
        _ => return Some((StatusCode::FORBIDDEN, "the request comes from another page")),
    }
    let origin = headers.contains_key(header::ORIGIN).then(|| single(headers, &header::ORIGIN));
    let is_good = match origin {
        // Without a referrer, a plain form of our own page has no origin to send.
        Some(Some("null")) => site == Some(Some("same-origin")),
        Some(Some(origin)) => origin == app.origin(),
        Some(None) => false,
        None => method != Method::POST,
    };
    (!is_good).then_some((StatusCode::FORBIDDEN, "the request comes from another page"))
}

/// Whether a body is a form: from the browser, or from the script, which names its encoding.
fn is_form(kind: &str) -> bool {
    let (kind, rest) = kind.split_once(';').unwrap_or((kind, "charset=utf-8"));
    kind.eq_ignore_ascii_case(FORM_TYPE) && rest.trim().eq_ignore_ascii_case("charset=utf-8")
}

/// A header that occurs once, as a string.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let mut found = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(name, _)| *name == COOKIE);
    let (_, value) = found.next()?;
    // If there are two of the same name, this server did not set both.
    found.next().is_none().then_some(value)
}
