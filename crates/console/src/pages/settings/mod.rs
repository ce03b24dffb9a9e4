//! The emulator's server settings, clock and faults, and keys as the product's own dialog generates
//! them.

mod clock;
mod faults;
mod key;
mod scopes;

pub(super) use scopes::show as show_scopes;

use axum::http::StatusCode;
use cortexkey_system::chain;
use maud::{Markup, html};

use crate::app::App;
use crate::error::BoxError;
use crate::page_request::{Fields, PageRequest};
use crate::pages::reveal::submission_field;
use crate::parts::layout::{self, Frame, fault};
use crate::response::{self, Response};
use crate::snapshot::Freshness;

const PATH: &str = "/settings";

/// The result of a form.
enum FormResult {
    /// It was carried out.
    Done,
    /// It has its own response.
    Response(Box<Response>),
}

/// The settings.
pub(super) fn show(app: &App, request: &PageRequest) -> Response {
    page(app, request, None)
}

/// Changes the setting that `set` names.
pub(super) fn change(app: &App, request: &PageRequest) -> Response {
    let Some(controls) = app.options.emulator() else { return response::redirect("/keys") };
    let result = match request.form.get("set") {
        Some("scopes") => scopes::enforce(controls, &request.form),
        Some("tags") => scopes::tags(controls, &request.form),
        Some("clock") => clock::set(controls, &request.form),
        Some("fault") => faults::add(controls, &request.form),
        Some("no-faults") => faults::clear(controls),
        Some("key") => key::generate(app, request, controls),
        _ => Err("there is no such setting".into()),
    };
    match result {
        Ok(FormResult::Done) => response::redirect(PATH),
        Ok(FormResult::Response(answer)) => *answer,
        Err(error) => page(app, request, Some(&chain(error.as_ref()))),
    }
}

fn page(app: &App, request: &PageRequest, why: Option<&str>) -> Response {
    let Some(controls) = app.options.emulator() else {
        return layout::plain_page(StatusCode::NOT_FOUND, "there is no such page");
    };
    // A call for this page would use up a fault that was just added.
    let view = app.snapshot(Freshness::Last);
    // A refused form keeps its input.
    let typed = |set: &str| {
        let is_it = request.form.get("set") == Some(set);
        if is_it { request.form.clone() } else { Fields::default() }
    };
    let content = html! {
        @if let Some(why) = why { (fault("Nothing was changed.", why)) }
        (layout::notes(&view))
        div class="columns" {
            (scopes::cards(request, controls))
            (clock::card(request, controls, &typed("clock")))
            (faults::card(request, controls, &typed("fault")))
            (key::card(request, &view.snapshot, &typed("key")))
        }
    };
    let status = if why.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    layout::page_with(status, app, request, &Frame::new("Settings", PATH), &content)
}

/// A form for one setting.
fn form(request: &PageRequest, set: &str, fields: &Markup, button: &str) -> Markup {
    html! {
        form class="form" method="post" action=(PATH) {
            (layout::token_field(request))
            (submission_field())
            input type="hidden" name="set" value=(set);
            (fields)
            div class="buttons" { button type="submit" { (button) } }
        }
    }
}

/// A change to the emulator, or why it was refused.
fn form_result<E: Into<BoxError>>(changed: Result<(), E>) -> Result<FormResult, BoxError> {
    changed.map(|()| FormResult::Done).map_err(Into::into)
}
