//! *Delete*: the consequences, and the deletion.

use axum::http::StatusCode;
use cortexkey_client::{Deletion, creator_key, is_administrator, is_system};
use cortexkey_system::chain;
use maud::{Markup, html};

use super::find::{SelectedKey, find_key};
use super::reveal::submission_field;
use crate::app::App;
use crate::page_request::PageRequest;
use crate::parts::layout::{self, Frame, fault, notes};
use crate::records::left;
use crate::response::{self, Response};
use crate::snapshot::Freshness;

/// Asks whether a key is to be deleted.
pub(super) fn show(app: &App, request: &PageRequest) -> Response {
    page(app, request, None)
}

/// Deletes it.
pub(super) fn delete(app: &App, request: &PageRequest) -> Response {
    let SelectedKey { row, .. } = match find_key(app, request) {
        Ok(selected) => selected,
        Err(answer) => return *answer,
    };
    if !app.may_change() {
        return page(app, request, Some("this console is read-only"));
    }
    if request.form.get("confirm") != Some(row.record.key_id.to_string().as_str()) {
        return page(app, request, Some("type the key's id to confirm"));
    }
    let deletion = Deletion::prepare(&app.options.client, &[row.record.key_id]);
    let deleted = deletion.and_then(|deletion| Ok(deletion.run()?));
    app.snapshot(Freshness::Now);
    match deleted {
        Ok(()) => response::redirect("/keys"),
        Err(error) => page(app, request, Some(&chain(&error))),
    }
}

fn page(app: &App, request: &PageRequest, why: Option<&str>) -> Response {
    let selected = match find_key(app, request) {
        Ok(selected) => selected,
        Err(answer) => return *answer,
    };
    let record = &selected.row.record;
    let id = record.key_id;
    let title = format!("Delete key {id}");
    let path = format!("/keys/{id}");
    let trail = [("API Keys", "/keys"), ("Key", path.as_str())];
    let frame = Frame { trail: &trail, ..Frame::new(&title, "/keys") };
    let content = html! {
        (notes(&selected.view))
        @if let Some(why) = why { (fault("The key was not deleted.", why)) }
        dl class="facts" {
            dt { "Roles" } dd { (record.roles.join(", ")) }
            dt { "Comment" } dd { (record.comment.as_deref().unwrap_or("none")) }
            dt { "Expires" } dd { (left(record.expiry, app.now_ms())) }
        }
        ul class="findings" { @for (class, text) in consequences(app, &selected) { li class=(class) { (text) } } }
        form class="form" method="post" action={ "/keys/" (id) "/delete" } {
            (layout::token_field(request))
            (submission_field())
            div class="field" {
                label for="confirm" { "Type " strong { (id) } " to confirm" }
                input id="confirm" name="confirm" inputmode="numeric" autocomplete="off" required
                    pattern=(id) value=[request.form.get("confirm")];
            }
            (submit(app))
        }
    };
    let status = if why.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    layout::page_with(status, app, request, &frame, &content)
}

fn submit(app: &App) -> Markup {
    html! {
        div class="submit" {
            button type="submit" class="danger" disabled[!app.may_change()] { "Delete" }
            a class="button" href="/keys" data-close { "Cancel" }
            @if !app.may_change() {
                span class="hint" { "Read-only: start the console with --allow-changes." }
            }
        }
    }
}

/// The consequences of deleting a key, the most severe first.
fn consequences(app: &App, selected: &SelectedKey) -> Vec<(&'static str, String)> {
    let row = &selected.row;
    let rows = &selected.view.snapshot.rows;
    let mut all = Vec::new();
    if app.options.client.own_key() == Some(row.key.id) {
        all.push((
            "bad",
            "This console signs its calls with this key, and does not delete it.".to_owned(),
        ));
    }
    if is_system(&row.key) {
        all.push(("bad", "The product manages this key itself.".to_owned()));
    }
    let administrators = rows.iter().filter(|row| is_administrator(&row.key)).count();
    if is_administrator(&row.key) && administrators == 1 {
        let text = "It is the last key that may manage keys and roles.";
        all.push(("bad", text.to_owned()));
    }
    all.push((
        "warn",
        "Every client that signs with it is refused at once. This cannot be undone.".to_owned(),
    ));
    if let Some(managed) = &row.managed {
        all.push((
            "warn",
            format!(
                "It has a definition ({}): the next `cortexkey apply` generates it again unless that \
                 is removed, too.",
                managed.file
            ),
        ));
    }
    let made = rows.iter().filter(|other| creator_key(&other.key) == Some(row.key.id));
    let made = made.count();
    if made > 0 {
        all.push(("info", format!("Keys that it created stay: {made}.")));
    }
    all
}
