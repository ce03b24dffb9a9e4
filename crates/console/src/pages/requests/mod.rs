//! The emulator's requests: the latest ones, and those that arrive while the page is open.

mod filter;
mod row;

use std::sync::Arc;

use cortexkey_tenant::LogLine;
use maud::{Markup, html};

pub(crate) use filter::Filter;
pub(crate) use row::row;

use crate::app::App;
use crate::page_request::{PagePart, PageRequest};
use crate::parts::layout::{self, Frame};
use crate::response::{self, Response};

/// The number of rows on the page. New rows displace the oldest.
const ROWS: usize = 50;

/// The requests.
pub(super) fn show(app: &App, request: &PageRequest) -> Response {
    let filter = Filter::new(&request.query);
    let lines = lines(app, &filter);
    let parts = [
        ("count", count(&filter, lines.len())),
        ("rows", rows(app, &lines)),
        ("stream", stream(request)),
    ];
    if request.part == PagePart::Live {
        return response::parts(parts.into());
    }
    let [(_, count), (_, rows), (_, stream)] = parts;
    let content = html! {
        section class="card" aria-label="Requests" {
            div class="bar" {
                form id="filters" class="tools" method="get" action="/requests" data-live {
                    (filter.fields(&request.query))
                    noscript { button type="submit" { "Filter" } }
                }
                div class="tools" {
                    output id="count" aria-live="polite" { (count) }
                    span id="stream" class="muted" { (stream) }
                    button type="button" data-pause aria-pressed="false" hidden { "Pause" }
                }
            }
            div class="scroll" role="region" aria-label="Requests table" tabindex="0" {
                table class="plain requests" {
                    caption class="unseen" { "Requests that the emulator answered, the newest first." }
                    thead { tr {
                        th scope="col" class="number" { "No." }
                        th scope="col" { "Time" }
                        th scope="col" { "Key" }
                        th scope="col" { "Call" }
                        th scope="col" { "Status" }
                        th scope="col" { "Verdict" }
                        th scope="col" { "Clock skew" }
                        th scope="col" { "Took" }
                        th scope="col" class="more" { span class="unseen" { "Copy" } }
                    } }
                    tbody id="rows" data-max=(ROWS) { (rows) }
                }
            }
        }
        p class="hint" {
            "The emulator remembers its last 1,000 requests, without keys, nonces and bodies. A copied \
             command signs the call anew, with the key in " code { "CORTEXKEY_API_KEY" } "."
        }
    };
    layout::page(app, request, &Frame::new("Requests", "/requests"), &content)
}

/// The parts of the page that show new rows and the number of requests that were skipped.
pub(crate) fn parts<'r>(rows: impl Iterator<Item = &'r Markup>, missed: u64) -> String {
    let parts = html! {
        template data-part="rows" data-way="before" { @for row in rows { (row) } }
        @if missed > 0 {
            template data-part="count" {
                span class="warn" { (missed) " came too fast to be shown: reload the page" }
            }
        }
    };
    parts.into_string()
}

/// The latest requests that match, the newest first.
fn lines(app: &App, filter: &Filter) -> Vec<Arc<LogLine>> {
    let Some(controls) = app.options.emulator() else { return Vec::new() };
    let all = controls.requests(usize::MAX).into_iter().rev();
    all.filter(|line| filter.passes(line)).take(ROWS).collect()
}

fn count(filter: &Filter, count: usize) -> Markup {
    html! {
        @if let Some(why) = filter.fault() {
            span class="bad" { (why) }
        } @else if count >= ROWS {
            "The last " (ROWS)
        } @else if count == 1 {
            "1 request"
        } @else {
            (count) " requests"
        }
    }
}

fn rows(app: &App, lines: &[Arc<LogLine>]) -> Markup {
    html! {
        @for line in lines { (row(app, line)) }
        // Hidden as soon as a row arrives.
        @if lines.is_empty() {
            tr class="none" { td colspan="9" { "No request matches." } }
        }
    }
}

/// The address where the script follows matching requests.
fn stream(request: &PageRequest) -> Markup {
    let query = request.query.with("token", None).to_query();
    html! { span data-stream={ "/requests/stream?" (query) } {} }
}
