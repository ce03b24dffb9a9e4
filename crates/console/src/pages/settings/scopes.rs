//! Scope-based access control: what each key would lose, and the switch.

use axum::http::StatusCode;
use cortexkey_core::access::TagMode;
use cortexkey_manifest::access::losses;
use cortexkey_tenant::Controls;
use maud::{Markup, html};

use super::{FormResult, PATH, form, form_result};
use crate::app::App;
use crate::error::BoxError;
use crate::page_request::{Fields, PageRequest};
use crate::pages::access;
use crate::parts::layout::{self, Frame};
use crate::parts::pager::Pager;
use crate::response::Response;
use crate::snapshot::{Freshness, Row, Snapshot};

/// Turns scopes on or off. Turning them on requires a confirmation that the user saw what keys
/// lose.
pub(super) fn enforce(controls: &Controls, fields: &Fields) -> Result<FormResult, BoxError> {
    let on = match fields.get("on") {
        Some("1") => true,
        Some("0") => false,
        _ => return Err("choose whether scopes are on".into()),
    };
    if on && !fields.has("seen") {
        return Err("look at what each key would lose, and confirm it: scopes stay off".into());
    }
    form_result(controls.enforce_scopes(on))
}

/// Sets how tags are matched.
pub(super) fn tags(controls: &Controls, fields: &Fields) -> Result<FormResult, BoxError> {
    match fields.get("tags") {
        Some("permissive") => form_result(controls.match_tags(TagMode::Permissive)),
        Some("restrictive") => form_result(controls.match_tags(TagMode::Restrictive)),
        _ => Err("tags are matched permissively or restrictively".into()),
    }
}

/// What each key would lose, and the switch that turns scopes on.
pub(in crate::pages) fn show(app: &App, request: &PageRequest) -> Response {
    let Some(controls) = app.options.emulator().filter(|one| one.settings().has_scopes) else {
        return layout::plain_page(StatusCode::NOT_FOUND, "there is no such page");
    };
    let view = app.snapshot(Freshness::Recent);
    let is_on = controls.settings().enforce_scopes;
    let snapshot = &view.snapshot;
    let pager = Pager::new("/settings/scopes", &request.query, snapshot.rows.len());
    let content = html! {
        (layout::notes(&view))
        section class="card" aria-label="Keys" {
            div class="body" { (switch(request, is_on)) }
            div class="scroll" role="region" aria-label="What each key loses" tabindex="0" {
                table class="plain" {
                    caption class="unseen" { "Keys, and what scopes take from each" }
                    thead { tr {
                        th scope="col" { "Key" } th scope="col" { "Roles" }
                        th scope="col" { (if is_on { "Does not see" } else { "Would lose" }) }
                    } }
                    tbody { @for row in pager.page_of(&snapshot.rows) { (lost(app, snapshot, row)) } }
                }
            }
            (pager.links())
        }
    };
    let title = "Scope-Based Access Control";
    let frame = Frame { trail: &[("Settings", PATH)], ..Frame::new(title, PATH) };
    layout::page(app, request, &frame, &content)
}

pub(super) fn cards(request: &PageRequest, controls: &Controls) -> Markup {
    let settings = controls.settings();
    html! {
        section class="card" aria-labelledby="scopes" {
            h2 id="scopes" { "Scope-Based Access Control" }
            div class="body" {
                @if !settings.has_scopes {
                    p { "This product has no scopes of this form." }
                } @else if settings.enforce_scopes {
                    (switch(request, true))
                } @else {
                    (state(false))
                    div { a class="button" href="/settings/scopes" { "See what each key would lose" } }
                }
            }
        }
        section class="card" aria-labelledby="tags" {
            h2 id="tags" { "Endpoint scoping" }
            div class="body" { (form(request, "tags", &modes(settings.tags), "Save")) }
        }
    }
}

fn state(is_on: bool) -> Markup {
    html! {
        p {
            "Scopes are "
            span class={ "tag " (if is_on { "ok" } else { "" }) } { (if is_on { "on" } else { "off" }) }
            @if is_on { ": every key sees what its scope lets in." }
            @else { ": every key sees everything that its roles allow." }
        }
    }
}

fn switch(request: &PageRequest, is_on: bool) -> Markup {
    let fields = html! {
        input type="hidden" name="on" value=(if is_on { "0" } else { "1" });
        (state(is_on))
        @if !is_on {
            label class="pick" {
                input type="checkbox" name="seen" value="1" required;
                span { "I have seen what each key loses" }
            }
        }
    };
    form(request, "scopes", &fields, if is_on { "Turn off" } else { "Turn on" })
}

fn lost(app: &App, snapshot: &Snapshot, row: &Row) -> Markup {
    let record = &row.record;
    html! {
        tr data-loses=(record.key_id) {
            th scope="row" { a href={ "/keys/" (record.key_id) } { (record.key_id) } }
            td { (record.roles.join(", ")) }
            td {
                @match access::for_row(app, snapshot, row) {
                    Err(why) => span class="bad" { "unknown: " (why) },
                    Ok(access) => {
                        @let lost = losses(&access);
                        @if lost.is_empty() { span class="muted" { "nothing" } }
                        ul { @for loss in &lost { li { (loss) } } }
                    }
                }
            }
        }
    }
}

fn modes(mode: TagMode) -> Markup {
    html! {
        fieldset class="field" {
            legend { "An endpoint with several tags is in scope" }
            label class="pick" {
                input type="radio" name="tags" value="permissive" checked[mode == TagMode::Permissive];
                span { "Permissive: if one of its tags is" }
            }
            label class="pick" {
                input type="radio" name="tags" value="restrictive"
                    checked[mode == TagMode::Restrictive];
                span { "Restrictive: if all of its tags are" }
            }
        }
    }
}
