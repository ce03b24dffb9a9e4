//! *Rotate*: replaces a key with a new one; the old one stays for a grace period.

use core::cell::Cell;

use axum::http::StatusCode;
use cortexkey_client::time::{duration_ms, grace_ms};
use cortexkey_client::{
    KeyDelivery, Renewal, RenewalStep, ReplacementOptions, RotateError, Rotated, Rotation,
};
use cortexkey_system::chain;
use maud::{Markup, html};

use super::find::{SelectedKey, find_key, find_key_as_of};
use super::form::{Check, FormField, KeyForm};
use super::reveal::{KeyReveal, sink_choice, state_places, submission_field};
use crate::app::App;
use crate::error::BoxError;
use crate::page_request::PageRequest;
use crate::parts::layout::{self, Frame, fault, notes};
use crate::records::{left, time};
use crate::response::Response;
use crate::snapshot::Freshness;

/// The form for rotating a key.
pub(super) fn show(app: &App, request: &PageRequest) -> Response {
    match find_key(app, request) {
        Ok(selected) => page(app, request, &selected, None),
        Err(answer) => *answer,
    }
}

/// Rotates it, or finishes a rotation that is under way.
pub(super) fn rotate(app: &App, request: &PageRequest) -> Response {
    // The policy may have changed since the form was opened.
    let selected = match find_key_as_of(app, request, Freshness::Now) {
        Ok(selected) => selected,
        Err(answer) => return *answer,
    };
    let rotated = rotated(app, request, &selected);
    app.snapshot(Freshness::Now);
    rotated.unwrap_or_else(|error| page(app, request, &selected, Some(&chain(error.as_ref()))))
}

fn rotated(app: &App, request: &PageRequest, selected: &SelectedKey) -> Result<Response, BoxError> {
    if !app.may_change() {
        return Err("this console is read-only".into());
    }
    let old = selected.row.record.key_id;
    let grace = request.form.get("grace").unwrap_or("1h");
    let grace_ms = grace_ms(grace)?;
    let lifetime_ms = request.form.get("lifetime").map(duration_ms).transpose()?;
    if let Some(lifetime_ms) = lifetime_ms {
        check_lifetime(app, selected, lifetime_ms)?;
    }
    let options = ReplacementOptions {
        expires_ms: None,
        lifetime_ms,
        unreferenced: match request.form.get("unreferenced") {
            None => None,
            Some("yes") => Some(true),
            Some("no") => Some(false),
            Some(_) => return Err("`unreferenced` is yes or no, or empty".into()),
        },
    };
    let reveal = KeyReveal::new()?;
    let now_ms = app.now_ms();
    let sink = reveal.sink(app, request);
    let delivery = KeyDelivery { sink: &sink, grace_ms, now_ms };
    let generated = Cell::new(None);
    let on_step = |step| {
        if let RenewalStep::Generated(id) = step {
            generated.set(Some(id));
        }
    };
    let renewal = Renewal { client: &app.options.client, on_step: &on_step };
    let done = match (replaced(app, selected, &options, &delivery, renewal), generated.get()) {
        (Ok(done), _) => done,
        // A key that was delivered to the page stays, whatever failed afterwards.
        (Err(error), Some(id)) if reveal.has_key() => {
            let why = error_text(&error);
            let more = fault("The rotation is not finished: rotate the old key again.", &why);
            return Ok(reveal.finish(app, request, id, Some(&sink), more));
        }
        (Err(error), _) => return Err(error_text(&error).into()),
    };
    let id = done.rotated.id.unwrap_or(old);
    let more = html! {
        @if done.scope_unknown {
            div class="note warn" {
                "The old key's scope could not be read, so the new key has none."
            }
        }
        @for key in &done.rotated.retiring {
            p { "Key " (key.id) " keeps working until " (time(key.after_ms)) ". Rotate it again after that to \
                 delete it." }
        }
        @for key in &done.rotated.doubtful {
            p { "An interrupted run may have delivered key " (key) " over." }
        }
    };
    Ok(reveal.finish(app, request, id, Some(&sink), more))
}

/// Refuses a lifetime that a locked rule forbids. What the new key gets from the old one was not
/// chosen here.
fn check_lifetime(app: &App, selected: &SelectedKey, lifetime_ms: u64) -> Result<(), BoxError> {
    let mut key = selected.row.key.clone();
    key.expiration = Some(app.now_ms().saturating_add(lifetime_ms));
    let mut form = KeyForm::from_key(&key, None);
    if let Some(managed) = &selected.row.managed {
        form.name.clone_from(&managed.name);
        form.set_owner(managed.owner.as_deref());
    }
    let check = Check::new(app, &selected.view.snapshot, &form, &Ok(Vec::new()));
    if check.is_locked_at(FormField::Expires) {
        let found = check.at(FormField::Expires).map(|found| found.message.as_str());
        let found: Vec<&str> = found.collect();
        let why = "the policy locks a rule that this lifetime breaks, or cannot be read";
        return Err([&[why][..], &found].concat().join("\n").into());
    }
    Ok(())
}

struct RotationOutcome {
    rotated: Rotated,
    scope_unknown: bool,
}

fn replaced(
    app: &App,
    selected: &SelectedKey,
    options: &ReplacementOptions,
    delivery: &KeyDelivery<'_>,
    renewal: Renewal<'_>,
) -> Result<RotationOutcome, RotateError> {
    let key = selected.row.record.key_id.to_string();
    let mut rotation = Rotation::open(renewal, &key, &state_places(app, &selected.view.snapshot))?;
    rotation.settle()?;
    let mut scope_unknown = false;
    // A rotation that is under way is finished, and no other starts.
    if !rotation.is_under_way() {
        let replacement = rotation.replacement(options, delivery.now_ms)?;
        scope_unknown = replacement.scope_unknown;
        rotation.replace(&replacement.new, delivery)?;
    }
    // The state has whole seconds, which would leave a grace period.
    let due_ms = if delivery.grace_ms == 0 { u64::MAX } else { delivery.now_ms };
    rotation.retire(due_ms)?;
    Ok(RotationOutcome { rotated: rotation.close()?, scope_unknown })
}

/// The error, with what to do in this form.
fn error_text(error: &RotateError) -> String {
    let help = match error {
        RotateError::UnreferencedUnknown => "select below whether it does",
        RotateError::NeverExpires | RotateError::LifetimeUnknown => {
            "give the new key a lifetime below"
        }
        _ => return chain(error),
    };
    format!("{}\n{help}", chain(error))
}

fn page(app: &App, request: &PageRequest, selected: &SelectedKey, why: Option<&str>) -> Response {
    let record = &selected.row.record;
    let id = record.key_id;
    let title = format!("Rotate key {id}");
    let path = format!("/keys/{id}");
    let trail = [("API Keys", "/keys"), ("Key", path.as_str())];
    let frame = Frame { trail: &trail, ..Frame::new(&title, "/keys") };
    let is_own = app.options.client.own_key() == Some(id.get());
    let content = html! {
        (notes(&selected.view))
        @if let Some(why) = why { (fault("The key was not rotated.", why)) }
        @if is_own {
            div class="note warn" {
                strong { "This console signs its calls with this key." }
                p { "Its settings need the new key." }
            }
        }
        dl class="facts" {
            dt { "Roles" } dd { (record.roles.join(", ")) }
            dt { "Comment" } dd { (record.comment.as_deref().unwrap_or("none")) }
            dt { "Expires" } dd { (left(record.expiry, app.now_ms())) }
        }
        @match app.options.client.scope(id) {
            Ok(_) => p { "The new key gets the roles, level, comment and scope of the old one." },
            Err(error) => {
                p { "The new key gets the roles, level and comment of the old one." }
                div class="note warn" data-fault="scope" {
                    strong { "The scope of the old key cannot be read." }
                    p { (chain(&error)) }
                    p { "If that stays so, the new key gets no scope." }
                }
            }
        }
        form class="form" method="post" action={ (path) "/rotate" } {
            (layout::token_field(request))
            (submission_field())
            div class="fields" { (fields(request)) }
            (sink_choice(app))
            div class="submit" {
                button type="submit" class="primary" disabled[!app.may_change()] { "Rotate" }
                a class="button" href=(path) data-close { "Cancel" }
                @if !app.may_change() {
                    span class="hint" { "Read-only: start the console with --allow-changes." }
                }
            }
        }
    };
    let status = if why.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    layout::page_with(status, app, request, &frame, &content)
}

fn fields(request: &PageRequest) -> Markup {
    let chosen = |name: &str, value: &str| request.form.get(name) == Some(value);
    html! {
        div class="field" {
            label for="grace" { "Grace period of the old key" }
            select id="grace" name="grace" {
                @for (value, text) in
                    [("1h", "one hour"), ("24h", "one day"), ("7d", "one week"), ("0", "no time: delete it at once")] {
                    option value=(value) selected[chosen("grace", value)] { (text) }
                }
            }
        }
        div class="field" {
            label for="lifetime" { "Lifetime of the new key" }
            input id="lifetime" name="lifetime" placeholder="as the old one" autocomplete="off"
                value=[request.form.get("lifetime")];
            span class="hint" { "Such as 90d." }
        }
        div class="field" {
            label for="unreferenced" { "It sees cases and issues that reference no known object" }
            select id="unreferenced" name="unreferenced" {
                option value="" { "as the lock file says" }
                option value="yes" selected[chosen("unreferenced", "yes")] { "yes" }
                option value="no" selected[chosen("unreferenced", "no")] { "no" }
            }
            span class="hint" { "The tenant does not return it for the old key." }
        }
    }
}
