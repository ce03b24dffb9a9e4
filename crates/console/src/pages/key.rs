//! A key's page: its properties, its definition, and its actions.

use cortexkey_client::creator_key;
use maud::{Markup, html};

use super::find::{SelectedKey, find_key};
use super::{access, history};
use crate::app::App;
use crate::page_request::PageRequest;
use crate::parts::findings;
use crate::parts::layout::{self, Frame, notes};
use crate::records::{left, time};
use crate::response::Response;
use crate::snapshot::Row;
use cortexkey_core::lifecycle::Expiry;

/// One key.
pub(super) fn show(app: &App, request: &PageRequest) -> Response {
    let selected = match find_key(app, request) {
        Ok(selected) => selected,
        Err(answer) => return *answer,
    };
    let SelectedKey { row, view } = &selected;
    let id = row.record.key_id;
    let title = format!("Key {id}");
    let trail = [("API Keys", "/keys")];
    let frame = Frame { trail: &trail, actions: actions(app, row), ..Frame::new(&title, "/keys") };
    let content = html! {
        (notes(view))
        div class="columns" {
            section class="card" aria-labelledby="facts" {
                h2 id="facts" { "Key" }
                div class="body" { (facts(app, row)) }
            }
            section class="card" aria-labelledby="definition" {
                h2 id="definition" { "Definition" }
                div class="body" { (definition(row)) }
            }
            (access::cards(app, request, &selected))
            (history::card(app, &selected))
        }
    };
    layout::page(app, request, &frame, &content)
}

fn actions(app: &App, row: &Row) -> Markup {
    let path = format!("/keys/{}", row.record.key_id);
    html! {
        a class="button" href={ (path) "/examples" } data-dialog { "View Examples" }
        @if app.may_change() {
            a class="button" href={ (path) "/edit" } data-dialog { "Edit" }
            a class="button" href={ (path) "/rotate" } data-dialog { "Rotate" }
            a class="button" href={ (path) "/delete" } data-dialog { "Delete" }
        }
    }
}

fn facts(app: &App, row: &Row) -> Markup {
    let record = &row.record;
    html! {
        dl class="facts" {
            dt { "Comment" } dd { (record.comment.as_deref().unwrap_or("none")) }
            dt { "Roles" } dd { (record.roles.join(", ")) }
            dt { "Security level" } dd { (super::keys::level(record.level)) }
            dt { "Created" } dd {
                @if record.created_ms == 0 { "unknown" } @else { (time(record.created_ms)) }
            }
            dt { "Created by" } dd {
                @match creator_key(&row.key) {
                    Some(id) => a href={ "/keys/" (id) } { "key " (id) },
                    None => { (record.user_name) " " span class="muted" { (record.created_by) } }
                }
            }
            dt { "Expires" } dd {
                @if let Expiry::At { ms } = record.expiry { (time(ms)) ", " }
                (left(record.expiry, app.now_ms()))
            }
        }
    }
}

fn definition(row: &Row) -> Markup {
    html! {
        @match &row.managed {
            None => p class="muted" { "No definition names this key." },
            Some(managed) => {
                dl class="facts" {
                    dt { "Name" } dd { (managed.name) }
                    dt { "Owner" } dd { (managed.owner.as_deref().unwrap_or("none")) }
                    dt { "File" } dd { code { (managed.file) ":" (managed.line) } }
                    dt { "State" } dd { (super::keys::definition(row)) }
                }
                @if !managed.changes.is_empty() {
                    table class="plain" {
                        caption class="unseen" { "Where the key differs from its definition" }
                        thead { tr { th scope="col" { "Field" } th scope="col" { "Tenant" }
                            th scope="col" { "Definition" } } }
                        tbody { @for change in &managed.changes {
                            tr { th scope="row" { (change.field) } td { (change.from) } td { (change.to) } }
                        } }
                    }
                }
                (findings::list(managed.findings.iter()))
            }
        }
    }
}
