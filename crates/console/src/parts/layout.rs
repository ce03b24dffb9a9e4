//! The frame of every page: head, navigation, the tenant, and what may be changed there.

use axum::http::{HeaderValue, StatusCode, header};
use maud::{DOCTYPE, Markup, html};

use crate::app::App;
use crate::assets::address;
use crate::options::TenantKind;
use crate::page_request::{PagePart, PageRequest};
use crate::records::time;
use crate::response::{self, Destination, Response};
use crate::snapshot::SnapshotView;

/// The frame around a page's content.
pub(crate) struct Frame<'a> {
    /// The title, which is also the heading.
    pub(crate) title: &'a str,
    /// Breadcrumbs, from the outermost, each with its path.
    pub(crate) trail: &'a [(&'a str, &'a str)],
    /// The navigation entry that is current.
    pub(crate) nav: &'a str,
    /// Buttons next to the heading.
    pub(crate) actions: Markup,
}

impl<'a> Frame<'a> {
    /// A page of the navigation, without buttons.
    pub(crate) fn new(title: &'a str, nav: &'a str) -> Self {
        Self { title, trail: &[], nav, actions: html! {} }
    }
}

/// A page; only its content if it opens in a dialog.
pub(crate) fn page(
    app: &App,
    request: &PageRequest,
    frame: &Frame<'_>,
    content: &Markup,
) -> Response {
    page_with(StatusCode::OK, app, request, frame, content)
}

/// Like [`page`], with this status.
pub(crate) fn page_with(
    status: StatusCode,
    app: &App,
    request: &PageRequest,
    frame: &Frame<'_>,
    content: &Markup,
) -> Response {
    if request.part != PagePart::Whole {
        let head = html! {
            div class="dialog-head" {
                h2 id="dialog-title" { (frame.title) }
                button type="button" class="quiet" data-close aria-label="Close" { "✕" }
            }
        };
        let dialog = html! { (head) div class="dialog-body" { (content) } };
        return response::parts(vec![("dialog", dialog)]);
    }
    let body = html! {
        a class="skip" href="#main" { "Skip to the content" }
        (top(app, request))
        (nav(app, frame.nav))
        main id="main" tabindex="-1" {
            div class="heading" {
                div {
                    @if !frame.trail.is_empty() {
                        p class="trail" {
                            @for (name, path) in frame.trail { a href=(path) { (name) } " › " }
                        }
                    }
                    h1 { (frame.title) }
                }
                div class="actions" { (frame.actions) }
            }
            (content)
        }
        dialog id="dialog" aria-labelledby="dialog-title" {}
        output id="said" class="said" aria-live="polite" {}
    };
    response::markup(status, document(Assets::StyleAndScript, frame.title, &body))
}

/// A page without a session: the error, and nothing about the tenant.
pub(crate) fn plain_page(status: StatusCode, why: &str) -> Response {
    let body = html! { main class="bare" { h1 { "cortexkey console" } p { (why) } } };
    response::markup(status, document(Assets::None, "console", &body))
}

/// The hidden field that a form must contain.
pub(crate) fn token_field(request: &PageRequest) -> Markup {
    html! { input type="hidden" name="token" value=(request.form_token.expose()); }
}

/// An error, in a box.
pub(crate) fn fault(what: &str, why: &str) -> Markup {
    fault_box(None, what, why)
}

/// Like [`fault`], with the focus, for a form that was refused for a reason that is no field's.
pub(crate) fn focused_fault(what: &str, why: &str) -> Markup {
    html! {
        div class="note bad" role="alert" tabindex="-1" autofocus {
            strong { (what) }
            @for line in why.lines() { p { (line) } }
        }
    }
}

/// Like [`fault`]; `kind` identifies the failure for scripts and tests.
pub(crate) fn fault_box(kind: Option<&str>, what: &str, why: &str) -> Markup {
    html! {
        div class="note bad" role="alert" data-fault=[kind] {
            strong { (what) }
            @for line in why.lines() { p { (line) } }
        }
    }
}

/// Why the tenant could not be read, and other notes about the page's data.
pub(crate) fn notes(view: &SnapshotView) -> Markup {
    let snapshot = &view.snapshot;
    html! {
        @if let Some(why) = &view.fault {
            @let what = if snapshot.is_read() {
                format!(
                    "The tenant could not be read; this is as of {}.",
                    time(snapshot.taken_ms)
                )
            } else {
                "The tenant could not be read.".to_owned()
            };
            (fault_box(Some("tenant"), &what, why))
        }
        @if snapshot.unseen > 0 {
            div class="note warn" data-unseen=(snapshot.unseen) {
                @if snapshot.unseen == 1 {
                    "1 key of the tenant is not shown: it does not list it, or its record cannot be read."
                } @else {
                    (snapshot.unseen) " keys of the tenant are not shown: it does not list them, or their \
                     records cannot be read."
                }
            }
        }
        @for why in &snapshot.definitions.faults {
            (fault("The definitions could not be compared.", why))
        }
    }
}

/// A page that opens the page of a new key. With a redirect, a second click could make the browser
/// drop the page with the key; this page replaces the form, and at first has nothing to click.
pub(crate) fn new_key(path: &str) -> Response {
    let body = html! {
        main class="bare" {
            h1 { "The key is generated" }
            // For browsers that do not open it by themselves.
            p class="late" { a href=(path) { "Show it" } }
        }
    };
    let mut response = response::markup(StatusCode::OK, document(Assets::Style, "New key", &body));
    if let Ok(refresh) = HeaderValue::from_str(&format!("0; url={path}")) {
        response.headers_mut().insert(header::REFRESH, refresh);
    }
    response.extensions_mut().insert(Destination::NewKey(path.to_owned()));
    response
}

/// What a page loads.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Assets {
    /// Nothing, since it may be shown without a session.
    None,
    Style,
    StyleAndScript,
}

fn document(assets: Assets, title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · cortexkey" }
                @if assets != Assets::None {
                    link rel="icon" href=(address("icon.svg"));
                    link rel="stylesheet" href=(address("console.css"));
                }
                @if assets == Assets::StyleAndScript {
                    script type="module" src=(address("console.js")) {}
                }
            }
            body { (body) }
        }
    }
}

fn top(app: &App, request: &PageRequest) -> Markup {
    let address = app.options.client.address().to_string();
    let address = address.split_once("://").map_or(address.as_str(), |(_, rest)| rest);
    html! {
        header class="top" {
            a class="brand" href="/" { "cortexkey" }
            @match &app.options.kind {
                TenantKind::Emulator(_) => span class="tag" { "Emulator" },
                TenantKind::Profile(_) if app.may_change() => {
                    span class="tag warn" { "Changes allowed" }
                }
                TenantKind::Profile(_) => span class="tag" { "Read-only" },
            }
            span class="mono" { (address) }
            @if let TenantKind::Profile(Some(profile)) = &app.options.kind {
                span class="muted" { "profile " strong { (profile) } }
            }
            form class="leave" method="post" action="/leave" {
                (token_field(request))
                button type="submit" class="quiet" { "Sign out" }
            }
        }
    }
}

fn nav(app: &App, current: &str) -> Markup {
    html! {
        nav class="pages" aria-label="Pages" {
            @for (path, title) in &app.nav {
                a href=(path) aria-current=[(*path == current).then_some("page")] { (title) }
            }
        }
    }
}
