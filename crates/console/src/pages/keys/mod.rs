//! The API Keys page: the table with its filters, its export, and the menu of a row.

mod columns;
mod export;
mod query;
mod table;
mod views;

use axum::http::StatusCode;
use maud::{Markup, html};

use crate::app::App;
use crate::page_request::{PagePart, PageRequest};
use crate::parts::layout::{self, Frame, fault, notes};
use crate::records::thousands;
use crate::response::{self, Response};
use crate::snapshot::{Freshness, Snapshot, SnapshotView};
use query::Query;

pub(super) use columns::definition;
pub(super) use export::export;
pub(super) use table::level;
pub(super) use views::change as change_views;

/// The table.
pub(super) fn show(app: &App, request: &PageRequest) -> Response {
    page(app, request, None)
}

/// The table, with why a view was not saved.
fn page(app: &App, request: &PageRequest, why: Option<&str>) -> Response {
    let freshness = match request.part {
        PagePart::Live => Freshness::Last,
        _ if request.query.has("fresh") => Freshness::Now,
        _ => Freshness::Recent,
    };
    let view = app.snapshot(freshness);
    let snapshot = &view.snapshot;
    let query = Query::new(&request.query, app.now_ms(), snapshot.definitions.is_compared());
    let table = table::Table::new(app, &query, snapshot);
    if request.part == PagePart::Live {
        return response::parts(table.parts());
    }
    let frame = Frame {
        title: "API Keys",
        trail: &[("Settings", "/"), ("Configurations", "/"), ("Integrations", "/keys")],
        nav: "/keys",
        actions: actions(app),
    };
    let content = html! {
        @if let Some(why) = why { (fault("The views were not changed.", why)) }
        (notes(&view))
        @if snapshot.is_read() { (figures(app, &view)) }
        (table.markup(app, request))
        (menu(app))
    };
    let status = if why.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    layout::page_with(status, app, request, &frame, &content)
}

fn actions(app: &App) -> Markup {
    html! {
        button type="button" hidden data-copy=(app.options.client.address()) { "Copy API URL" }
        @if app.may_change() {
            a class="button primary" href="/keys/new" data-dialog { "New Key" }
        }
    }
}

/// The numbers of keys that need attention, each a filter.
fn figures(app: &App, view: &SnapshotView) -> Markup {
    let snapshot = &view.snapshot;
    let of = |fields: &str| count(app, snapshot, fields);
    let mut figures = vec![
        ("Keys", String::new(), ""),
        ("Expire in 7 days", "f.state=week&o.state=is".to_owned(), "bad"),
        ("Expired", "f.state=expired&o.state=is".to_owned(), ""),
        ("Never expire", "f.state=never&o.state=is".to_owned(), "warn"),
        ("Standard", "f.security-level=standard&o.security-level=is".to_owned(), ""),
    ];
    if snapshot.definitions.is_compared() {
        figures.extend([
            ("Unmanaged", "f.definition=unmanaged&o.definition=is".to_owned(), ""),
            ("Drifted", "f.definition=drifted&o.definition=is".to_owned(), "warn"),
            ("Break a policy rule", "f.policy=any&o.policy=is".to_owned(), ""),
        ]);
    }
    html! {
        ul class="figures card" {
            @for (name, fields, class) in figures {
                @let count = of(&fields);
                li {
                    a href={ "/keys" @if !fields.is_empty() { "?" (fields) } } {
                        span { (name) }
                        strong class=(if count == 0 { "" } else { class }) { (thousands(count)) }
                    }
                }
            }
        }
    }
}

fn count(app: &App, snapshot: &Snapshot, fields: &str) -> usize {
    let fields = crate::page_request::Fields::of_query(Some(fields));
    Query::new(&fields, app.now_ms(), true).all(snapshot).len()
}

/// The menu of a row; the script fills in the key's id and shows what applies to the cell.
fn menu(app: &App) -> Markup {
    html! {
        div id="row-menu" class="menu" popover="auto" role="menu" aria-label="Key" {
            a role="menuitem" tabindex="-1" href="/keys" data-path="/keys/{id}/examples" data-dialog {
                "View Examples"
            }
            button type="button" role="menuitem" tabindex="-1" data-do="copy-cell" {
                "Copy text to clipboard"
            }
            button type="button" role="menuitem" tabindex="-1" data-do="copy-row" {
                "Copy entire row"
            }
            a role="menuitem" tabindex="-1" href="/keys" data-time="prior" {
                "Show rows 30 days prior to " span data-when {}
            }
            a role="menuitem" tabindex="-1" href="/keys" data-time="after" {
                "Show rows 30 days after " span data-when {}
            }
            a role="menuitem" tabindex="-1" href="/keys" data-path="/keys/{id}" { "Open" }
            @if app.may_change() {
                a role="menuitem" tabindex="-1" href="/keys" data-path="/keys/{id}/edit" data-dialog {
                    "Edit"
                }
                a role="menuitem" tabindex="-1" href="/keys" data-path="/keys/{id}/rotate" data-dialog {
                    "Rotate"
                }
                a role="menuitem" tabindex="-1" class="bad" href="/keys" data-path="/keys/{id}/delete"
                    data-dialog { "Delete" }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn thousands_have_commas() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(super::thousands(number), text);
        }
    }
}
