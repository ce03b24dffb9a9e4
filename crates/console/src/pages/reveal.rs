//! A new key: its sink, and the only response that contains it.

use std::sync::{Arc, Mutex, PoisonError};

use axum::http::StatusCode;
use cortexkey_client::{Show, Sink, StatePlaces};
use cortexkey_core::auth::KeyId;
use maud::{Markup, html};
use zeroize::Zeroizing;

use crate::app::App;
use crate::page_request::PageRequest;
use crate::parts::layout::{self, Frame};
use crate::response::Response;
use crate::snapshot::Snapshot;

/// Collects a new key for the response that shows it.
#[derive(Clone, Default)]
pub(super) struct KeyReveal(Arc<Mutex<Option<Zeroizing<String>>>>);

impl KeyReveal {
    /// The sink that a form selected: the profile's, or this one.
    pub(super) fn sink(&self, app: &App, request: &PageRequest) -> Sink {
        if request.form.get("sink") == Some("profile")
            && let Some(sink) = &app.options.sink
        {
            return sink.clone();
        }
        let reveal = self.clone();
        Sink::Show(Show::new(move |key| {
            *reveal.lock() = Some(Zeroizing::new(key.to_owned()));
            Ok(())
        }))
    }

    /// With an existing key.
    pub(super) fn from_key(key: &str) -> Self {
        Self(Arc::new(Mutex::new(Some(Zeroizing::new(key.to_owned())))))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Zeroizing<String>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer with the key.
    pub(super) fn reveal(
        &self,
        app: &App,
        request: &PageRequest,
        id: KeyId,
        more: &Markup,
    ) -> Response {
        self.response(app, request, id, &Sink::Show(Show::new(|_| Ok(()))), more)
    }

    /// The response with the key, or with its sink. The key is not kept afterwards.
    pub(super) fn response(
        &self,
        app: &App,
        request: &PageRequest,
        id: KeyId,
        sink: &Sink,
        more: &Markup,
    ) -> Response {
        let key = self.lock().take();
        let title = format!("Key {id}");
        let frame = Frame { trail: &[("API Keys", "/keys")], ..Frame::new(&title, "/keys") };
        let content = html! {
            section class="card" { div class="body" {
                @if let Some(key) = &key {
                    div class="note warn" role="alert" {
                        strong { "Copy the key now." }
                        p { "It is shown once: neither the tenant nor this console can show it again." }
                    }
                    code id="new-key" class="secret" data-secret tabindex="0" { (key.as_str()) }
                    div class="submit" {
                        button type="button" class="primary" data-copy-from="new-key" data-what="the key" {
                            "Copy"
                        }
                        a class="button" href={ "/keys/" (id) } { "Done" }
                    }
                } @else {
                    p { "Key " (id) " went to " (sink) "." }
                    div class="submit" { a class="button" href={ "/keys/" (id) } { "Done" } }
                }
                (more)
            } }
        };
        layout::page_with(StatusCode::OK, app, request, &frame, &content)
    }
}

/// The sinks that a form offers.
pub(super) fn sink_choice(app: &App) -> Markup {
    html! {
        @if let Some(sink) = &app.options.sink {
            fieldset class="field" {
                legend { "The new key goes" }
                label class="pick" {
                    input type="radio" name="sink" value="profile" checked;
                    span { "to " (sink) }
                }
                label class="pick" {
                    input type="radio" name="sink" value="show";
                    span { "onto this page, once" }
                }
            }
        }
    }
}

/// Marks a form as submitted, once: a reload of the response would submit it again.
pub(super) fn submission_field() -> Markup {
    // Without random numbers forms cannot be distinguished, and the second one is refused.
    let mut bytes = [0; 16];
    let _ = getrandom::fill(&mut bytes);
    html! { input type="hidden" name="once" value=(hex::encode(bytes)); }
}

/// Where unfinished work is stored.
pub(super) fn state_places(app: &App, snapshot: &Snapshot) -> StatePlaces {
    StatePlaces {
        lock_file: snapshot.definitions.lock_file.clone(),
        state_folder: app.options.state_folder.clone(),
    }
}
