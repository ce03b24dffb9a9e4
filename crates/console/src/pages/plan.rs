//! Plan: what `cortexkey plan` reports for the definitions and this tenant. Only the command line
//! applies it.

use cortexkey_client::{Action, ActionKind, Plan};
use cortexkey_fleet::NoPlan;
use maud::{Markup, html};

use crate::app::App;
use crate::page_request::PageRequest;
use crate::parts::layout::{self, Frame, fault, notes};
use crate::parts::pager::Pager;
use crate::records::time;
use crate::response::Response;
use crate::snapshot::{Freshness, SnapshotView};

const PATH: &str = "/plan";

/// The plan.
pub(super) fn show(app: &App, request: &PageRequest) -> Response {
    let freshness = if request.query.has("fresh") { Freshness::Now } else { Freshness::Recent };
    let view = app.snapshot(freshness);
    let frame = Frame {
        actions: html! { a class="button" href="/plan?fresh=1" { "Refresh" } },
        ..Frame::new("Plan", PATH)
    };
    let content = html! {
        (notes(&view))
        @if view.snapshot.is_read() {
            @match view.snapshot.definitions.planned() {
                Ok(plan) => (full_page(request, &view, plan)),
                Err(why) => (none(why)),
            }
        }
    };
    layout::page(app, request, &frame, &content)
}

fn full_page(request: &PageRequest, view: &SnapshotView, plan: &Plan) -> Markup {
    let counts: Vec<String> =
        plan.counts().into_iter().map(|(count, words)| format!("{count} {words}")).collect();
    let pager = Pager::new(PATH, &request.query, plan.actions.len());
    html! {
        section class="card" aria-label="Actions" {
            div class="bar" {
                strong { @if counts.is_empty() { "Nothing to do" } @else { (counts.join(", ")) } }
                span class="muted" {
                    "tenant " (plan.tenant) " at " (plan.host) ", as of " (time(view.snapshot.taken_ms))
                }
            }
            @if !plan.actions.is_empty() {
                div class="scroll" role="region" aria-label="Actions table" tabindex="0" {
                    table class="plain" {
                        caption class="unseen" { "What apply would do, in this order" }
                        thead { tr {
                            th scope="col" { "Action" } th scope="col" { "Key" }
                            th scope="col" { "Why" } th scope="col" { "Changes" }
                        } }
                        tbody { @for action in pager.page_of(&plan.actions) { (row(action)) } }
                    }
                }
            }
            (pager.links())
            div class="body" {
                p class="hint" {
                    code { "cortexkey plan" } " prints the same; " code { "cortexkey apply" }
                    " carries it out."
                }
            }
        }
        @if !plan.notes.is_empty() {
            section class="card" aria-labelledby="notes" {
                h2 id="notes" { "Notes" }
                div class="body" {
                    ul class="findings" { @for note in &plan.notes { li data-note { (note) } } }
                }
            }
        }
        @if !plan.unmanaged.is_empty() { (unmanaged(request, plan)) }
    }
}

fn row(action: &Action) -> Markup {
    html! {
        tr data-action=(action.action) data-key=(action.key) {
            td { span class={ "tag " (class(action.action)) } { (action.action) } }
            th scope="row" {
                (action.key)
                @if let Some(id) = action.id { " " a href={ "/keys/" (id) } { "key " (id) } }
            }
            td {
                (action.reason)
                @if let Some(help) = &action.help { p class="hint" { (help) } }
                @if action.drift { " " span class="tag warn" { "drift" } }
            }
            td {
                @if !action.changes.is_empty() {
                    dl class="facts" { @for change in &action.changes {
                        dt { (change.field) }
                        dd {
                            (change.from)
                            @if !change.from.is_empty() && !change.to.is_empty() { " → " }
                            (change.to)
                        }
                    } }
                }
                @if !action.widens.is_empty() {
                    ul class="findings" { @for gain in &action.widens {
                        li class="bad" { span class="word" { "widens" } " " (gain.message) }
                    } }
                }
            }
        }
    }
}

const fn class(kind: ActionKind) -> &'static str {
    match kind {
        ActionKind::Generate => "ok",
        ActionKind::Delete | ActionKind::Retire | ActionKind::Refuse => "bad",
        ActionKind::Replace => "warn",
        _ => "",
    }
}

fn unmanaged(request: &PageRequest, plan: &Plan) -> Markup {
    let pager = Pager::with_parameter("unmanaged", PATH, &request.query, plan.unmanaged.len());
    html! {
        section class="card" aria-labelledby="unmanaged" {
            h2 id="unmanaged" { "Unmanaged keys: " (plan.unmanaged.len()) }
            div class="scroll" role="region" aria-label="Unmanaged keys table" tabindex="0" {
                table class="plain" {
                    caption class="unseen" { "Keys of the tenant that no definition names" }
                    thead { tr {
                        th scope="col" { "Key" } th scope="col" { "Comment" }
                        th scope="col" { "Roles" }
                    } }
                    tbody { @for key in pager.page_of(&plan.unmanaged) {
                        tr data-unmanaged=(key.id) {
                            th scope="row" { a href={ "/keys/" (key.id) } { (key.id) } }
                            td {
                                (key.comment.as_deref().unwrap_or("no comment"))
                                @if key.system { " " span class="tag" { "kept by the product" } }
                            }
                            td { (key.roles.join(", ")) }
                        }
                    } }
                }
            }
            (pager.links())
        }
    }
}

fn none(why: NoPlan) -> Markup {
    html! {
        @match why {
            NoPlan::LinterErrors => {
                (fault(
                    "The linter finds errors, so there is no plan.",
                    "Fix them; what is known and accepted for now goes into a baseline.",
                ))
                p { a href="/findings?severity=error" { "The errors" } }
            }
            NoPlan::NoDefinitions => {
                (fault("There are no definitions, so there is no plan.", "See `keys` in the policy."))
            }
            NoPlan::NoFolder => {
                (fault("There is no folder with definitions.", "Start the console with --keys FOLDER."))
            }
            NoPlan::Faults => {
                p { "There is no plan until the definitions can be compared with the tenant." }
            }
        }
    }
}
