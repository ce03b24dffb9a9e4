//! *New Key*: the form, the policy's findings while it is filled in, and Generate.

use core::cell::Cell;

use axum::http::StatusCode;
use cortexkey_client::{Generation, NewKey, Renewal, RenewalStep, Sink};
use cortexkey_system::chain;
use maud::{Markup, html};

use super::form::{
    Check, Choices, FormFault, Hint, KeyForm, Purpose, has_scopes, parts, submit, tabs,
};
use super::reveal::{KeyReveal, sink_choice, state_places, submission_field};
use crate::app::App;
use crate::error::BoxError;
use crate::page_request::PageRequest;
use crate::parts::layout::{self, Frame, fault, focused_fault, notes};
use crate::records::sentence;
use crate::response::{self, Response};
use crate::snapshot::{Freshness, SnapshotView};

/// The empty form.
pub(super) fn show(app: &App, request: &PageRequest) -> Response {
    let view = app.snapshot(Freshness::Recent);
    let form = KeyForm::new(app.now_ms(), has_scopes(app, &view.snapshot));
    page(app, request, &view, &form, None)
}

/// The form with the values of an edit whose key the tenant does not show any more.
pub(super) fn show_gone(
    app: &App,
    request: &PageRequest,
    view: &SnapshotView,
    (status, why): (StatusCode, &str),
) -> Response {
    let form = KeyForm::from_fields(&request.form);
    let form = form.into_new(app.now_ms(), has_scopes(app, &view.snapshot));
    page(app, request, view, &form, Some(Refused { status, what: "Nothing was saved.", why }))
}

/// Why the form is shown again.
#[derive(Clone, Copy)]
struct Refused<'a> {
    status: StatusCode,
    what: &'a str,
    why: &'a str,
}

/// The policy's findings for the form. It generates nothing.
pub(super) fn check(app: &App, request: &PageRequest) -> Response {
    let view = app.snapshot(Freshness::Last);
    let form = KeyForm::from_fields(&request.form);
    let check = Check::new(app, &view.snapshot, &form, &app.asset_groups.last(&app.options));
    let mut parts = parts(&check);
    parts.push((Hint::ID, hint(app, &form, &check).markup()));
    response::parts(parts)
}

/// Generates the key.
pub(super) fn generate(app: &App, request: &PageRequest) -> Response {
    // The policy may have changed since the form was opened.
    let view = app.snapshot(Freshness::Now);
    let form = KeyForm::from_fields(&request.form);
    match generated(app, request, &view, &form) {
        Ok(answer) => answer,
        Err(error) => {
            let why = chain(error.as_ref());
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            let refused = Refused { status, what: "No key was generated.", why: &why };
            page(app, request, &view, &form, Some(refused))
        }
    }
}

fn generated(
    app: &App,
    request: &PageRequest,
    view: &SnapshotView,
    form: &KeyForm,
) -> Result<Response, BoxError> {
    if !app.may_change() {
        return Err("this console is read-only".into());
    }
    let now_ms = app.now_ms();
    let faults = form.faults(now_ms);
    if !faults.is_empty() {
        return Err(FormFault::lines(&faults).into());
    }
    if let Some(why) = &view.fault {
        return Err(format!("the tenant could not be read: {why}").into());
    }
    let groups = app.asset_groups.read(&app.options);
    let check = Check::new(app, &view.snapshot, form, &groups);
    if check.is_locked {
        return Err("the policy locks a rule that this key breaks, or cannot be read".into());
    }
    let reveal = KeyReveal::new()?;
    let sink = reveal.sink(app, request);
    let new = NewKey {
        // Only a secret store keeps it.
        owner: form.owner().filter(|_| matches!(sink, Sink::Store(_))),
        name: None,
        roles: form.roles().to_vec(),
        level: form.level(),
        comment: form.comment(),
        expiration_ms: Some(form.expiration_ms(now_ms)?),
        scope: form.scope()?,
    };
    let generated = Cell::new(None);
    let on_step = |step| {
        if let RenewalStep::Generated(id) = step {
            generated.set(Some(id));
        }
    };
    let renewal = Renewal { client: &app.options.client, on_step: &on_step };
    let mut generation = Generation::open(renewal, &state_places(app, &view.snapshot))?;
    let finished = generation.finish()?;
    let made = generation.generate(&new, &sink, now_ms);
    app.snapshot(Freshness::Now);
    let (id, unfinished) = match (made, generated.get()) {
        (Ok(id), _) => (id, None),
        // A key that was delivered to the page stays, whatever failed afterwards.
        (Err(error), Some(id)) if reveal.has_key() => (id, Some(chain(&error))),
        (Err(error), _) => return Err(error.into()),
    };
    let more = html! {
        @if let Some(why) = &unfinished { (fault("The key was generated, but:", why)) }
        @for error in &finished.failed {
            (fault("An interrupted run could not be finished.", &chain(error)))
        }
        @for id in &finished.doubtful {
            p {
                "An interrupted run may have delivered key " (id) ": check whether it is in use, \
                 otherwise delete it."
            }
        }
        (definition(&check.yaml))
    };
    Ok(reveal.finish(app, request, id, Some(&sink), more))
}

/// The definition of a generated key. The tenant keeps neither its name nor its owner.
fn definition(yaml: &str) -> Markup {
    html! {
        div class="field" {
            div class="bar flush" {
                h2 { "Its definition" }
                button type="button" hidden data-copy-from="yaml" data-what="the definition" { "Copy" }
            }
            pre id="yaml" tabindex="0" { (yaml) }
            p class="hint" {
                "The tenant keeps neither name nor owner, so copy them from here. If the comment has \
                 them, " code { "cortexkey import --comment-pattern" } " reads them from it."
            }
        }
    }
}

fn page(
    app: &App,
    request: &PageRequest,
    view: &SnapshotView,
    form: &KeyForm,
    refused: Option<Refused<'_>>,
) -> Response {
    let choices = Choices::new(app, &view.snapshot, form);
    let mut check = Check::new(app, &view.snapshot, form, &choices.groups);
    if refused.is_some() {
        check = check.focused_on(&form.faults(app.now_ms()));
    }
    let frame = Frame { trail: &[("API Keys", "/keys")], ..Frame::new("New Key", "/keys") };
    let content = html! {
        (notes(view))
        @if let Some(Refused { what, why, .. }) = refused {
            @if check.focus().is_some() { (fault(what, why)) } @else { (focused_fault(what, why)) }
        }
        form class="form" method="post" action="/keys/new" data-live="/keys/new/check" {
            (layout::token_field(request))
            (submission_field())
            (tabs(Purpose::Generate, form, &choices, &check))
            (sink_choice(app))
            (submit("Generate", "/keys", &hint(app, form, &check)))
        }
    };
    let status = refused.map_or(StatusCode::OK, |refused| refused.status);
    layout::page_with(status, app, request, &frame, &content)
}

/// Whether the form may be sent, and why not.
fn hint(app: &App, form: &KeyForm, check: &Check) -> Hint {
    let faults = form.faults(app.now_ms());
    let count = check.all().count();
    let text = html! {
        @if !app.may_change() {
            "Read-only: start the console with --allow-changes."
        } @else if check.is_locked {
            span class="bad" { "The policy locks a rule that this key breaks, or cannot be read." }
        } @else if let Some(fault) = faults.first() {
            (sentence(&fault.text))
        } @else if count > 0 {
            (count) @if count == 1 { " finding" } @else { " findings" } " of the policy"
        } @else {
            "The policy has no findings."
        }
    };
    Hint { may_be_sent: app.may_change() && !check.is_locked, text }
}
