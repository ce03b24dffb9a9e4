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

use crate::answer::{self, Answer};
use crate::app::App;
use crate::error::BoxError;
use crate::page_request::{Fields, PageRequest};
use crate::parts::layout::{self, Frame, fault};
use crate::snapshot::Fresh;

const PATH: &str = "/settings";

/// The result of a form.
enum Taken {
    /// It was carried out.
    Done,
    /// It has its own answer.
    Answer(Box<Answer>),
}

/// The settings.
pub(super) fn show(app: &App, ask: &PageRequest) -> Answer {
    page(app, ask, None)
}

/// Changes the setting that `set` names.
pub(super) fn change(app: &App, ask: &PageRequest) -> Answer {
    let Some(controls) = app.options.emulator() else { return answer::see("/keys") };
    let taken = match ask.form.get("set") {
        Some("scopes") => scopes::enforce(controls, &ask.form),
        Some("tags") => scopes::tags(controls, &ask.form),
        Some("clock") => clock::set(controls, &ask.form),
        Some("fault") => faults::add(controls, &ask.form),
        Some("no-faults") => faults::clear(controls),
        Some("key") => key::generate(app, ask, controls),
        _ => Err("there is no such setting".into()),
    };
    match taken {
        Ok(Taken::Done) => answer::see(PATH),
        Ok(Taken::Answer(answer)) => *answer,
        Err(error) => page(app, ask, Some(&chain(error.as_ref()))),
    }
}

fn page(app: &App, ask: &PageRequest, why: Option<&str>) -> Answer {
    let Some(controls) = app.options.emulator() else {
        return layout::bare(StatusCode::NOT_FOUND, "there is no such page");
    };
    // A call for this page would use up a fault that was just added.
    let view = app.snapshot(Fresh::Last);
    // The input of a refused form is kept.
    let typed = |set: &str| {
        let is_it = ask.form.get("set") == Some(set);
        if is_it { ask.form.clone() } else { Fields::default() }
    };
    let content = html! {
        @if let Some(why) = why { (fault("Nothing was changed.", why)) }
        (layout::notes(&view))
        div class="columns" {
            (scopes::cards(ask, controls))
            (clock::card(ask, controls, &typed("clock")))
            (faults::card(ask, controls, &typed("fault")))
            (key::card(ask, &view.snapshot, &typed("key")))
        }
    };
    let status = if why.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    layout::page_with(status, app, ask, &Frame::new("Settings", PATH), &content)
}

/// A form for one setting.
fn form(ask: &PageRequest, set: &str, fields: &Markup, button: &str) -> Markup {
    html! {
        form class="form" method="post" action=(PATH) {
            (layout::token(ask))
            input type="hidden" name="set" value=(set);
            (fields)
            div class="buttons" { button type="submit" { (button) } }
        }
    }
}

/// A change to the emulator, or why it was refused.
fn done<E: Into<BoxError>>(changed: Result<(), E>) -> Result<Taken, BoxError> {
    changed.map(|()| Taken::Done).map_err(Into::into)
}
