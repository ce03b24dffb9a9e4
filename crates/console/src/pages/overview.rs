//! The overview: when keys expire, who owns them, what they may do, and which need attention.

use cortexkey_fleet::{KeyFacts, Overview, Scopes};
use maud::{Markup, html};

use crate::app::App;
use crate::options::SCOPES_MAX;
use crate::page_request::PageRequest;
use crate::parts::layout::{self, Frame, fault, notes};
use crate::parts::overview::{Medium, overview, scope_note};
use crate::records::{thousands, time};
use crate::response::Response;
use crate::snapshot::{Freshness, SnapshotView};

/// The overview.
pub(super) fn show(app: &App, request: &PageRequest) -> Response {
    let freshness = if request.query.has("fresh") { Freshness::Now } else { Freshness::Recent };
    // A real tenant takes long to answer so many calls, so the user must request them.
    let reads = request.query.has("scopes") || app.options.emulator().is_some();
    let (view, scopes) = app.snapshot_and_scopes(freshness, |keys| reads && keys <= SCOPES_MAX);
    let snapshot = &view.snapshot;
    let keys = snapshot.rows.len();
    let facts = KeyFacts::of_tenant(snapshot, &scopes.scopes, app.options.tenant.as_deref());
    let figures = Overview::new(&facts, snapshot.definitions.is_compared(), app.now_ms());
    let scope_part = html! {
        (scope_note(&facts))
        (unread(&scopes.scopes, scopes.taken_ms, keys))
    };
    let content = html! {
        (notes(&view))
        @if let Some(why) = &scopes.fault { (fault("The scopes could not be read.", why)) }
        // Counts of keys that were not read would say that there are none.
        @if snapshot.is_read() { (overview(&figures, Medium::Console, &scope_part)) }
    };
    let frame = Frame { actions: actions(app, &view), ..Frame::new("Overview", "/overview") };
    layout::page(app, request, &frame, &content)
}

fn actions(app: &App, view: &SnapshotView) -> Markup {
    let age = app.now_ms().saturating_sub(view.snapshot.taken_ms);
    html! {
        @if view.snapshot.is_read() {
            span class="muted" {
                @if age < 60_000 { "Read just now" } @else { "Read " (crate::records::span(age)) " ago" }
            }
        }
        a class="button" href="/overview?fresh=1" { "Refresh" }
    }
}

/// When scopes were read; if they were not, how to read them.
fn unread(scopes: &Scopes, taken_ms: u64, keys: usize) -> Markup {
    html! {
        @if !scopes.is_empty() {
            p class="hint inset" { "As of " (time(taken_ms)) "." }
        } @else if keys > SCOPES_MAX {
            p class="hint inset" {
                "Reading scopes takes one call a key. " code { "cortexkey report" } " reads those of "
                (thousands(keys)) " keys."
            }
        } @else if keys > 0 {
            div class="hint inset" {
                a class="button" href="/overview?scopes=1" {
                    "Read scopes (" (thousands(keys)) " calls)"
                }
            }
        }
    }
}
