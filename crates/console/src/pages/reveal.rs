//! A new key: its sink, and the page that shows it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::http::StatusCode;
use cortexkey_client::{Show, Sink, StatePlaces};
use cortexkey_core::auth::KeyId;
use maud::{Markup, html};
use zeroize::Zeroizing;

use crate::app::App;
use crate::error::BoxError;
use crate::new_keys::NewKeyPage;
use crate::page_request::PageRequest;
use crate::parts::layout::{self, Frame};
use crate::response::Response;
use crate::session::Token;
use crate::snapshot::Snapshot;
use crate::submissions;

/// The path of new keys' pages; a ticket follows.
const PATH: &str = "/new-keys/";

/// Collects a new key for the page that shows it.
pub(super) struct KeyReveal {
    key: Arc<Mutex<Option<Zeroizing<String>>>>,
    /// Created before the key, so that no key is lost if the system returns no random numbers.
    ticket: Token,
}

impl KeyReveal {
    /// Without a key yet.
    pub(super) fn new() -> Result<Self, BoxError> {
        Ok(Self { key: Arc::default(), ticket: Token::new()? })
    }

    /// The sink that a form selected: the profile's, or this one.
    pub(super) fn sink(&self, app: &App, request: &PageRequest) -> Sink {
        if request.form.get("sink") == Some("profile")
            && let Some(sink) = &app.options.sink
        {
            return sink.clone();
        }
        let place = Arc::clone(&self.key);
        Sink::Show(Show::new(move |key| {
            *lock(&place) = Some(Zeroizing::new(key.to_owned()));
            Ok(())
        }))
    }

    /// With a key that went to no sink.
    pub(super) fn set(&self, key: &str) {
        *lock(&self.key) = Some(Zeroizing::new(key.to_owned()));
    }

    /// Whether it has a key. It was delivered then, and is lost unless its page is opened.
    pub(super) fn has_key(&self) -> bool {
        lock(&self.key).is_some()
    }

    /// Leads to the page with the key, or with the name of its sink.
    pub(super) fn finish(
        self,
        app: &App,
        request: &PageRequest,
        id: KeyId,
        sink: Option<&Sink>,
        more: Markup,
    ) -> Response {
        let key = lock(&self.key).take();
        let path = format!("{PATH}{}", self.ticket.expose());
        let sink = sink.filter(|sink| !matches!(sink, Sink::Show(_))).map(Sink::to_string);
        let page = NewKeyPage { id, key, sink, more };
        app.new_keys.add(&request.form_token, self.ticket, page);
        layout::new_key(&path)
    }
}

fn lock(key: &Mutex<Option<Zeroizing<String>>>) -> MutexGuard<'_, Option<Zeroizing<String>>> {
    key.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The page of a new key. Only this response contains the key.
pub(super) fn show(app: &App, request: &PageRequest) -> Response {
    if request.is_head {
        return layout::plain_page(StatusCode::METHOD_NOT_ALLOWED, "this page is shown once");
    }
    match app.new_keys.take(&request.form_token, request.parameter()) {
        Some(page) => shown(app, request, &page),
        None => gone(app, request),
    }
}

fn shown(app: &App, request: &PageRequest, page: &NewKeyPage) -> Response {
    let NewKeyPage { id, key, sink, more } = page;
    let title = format!("Key {id}");
    let frame = Frame { trail: &[("API Keys", "/keys")], ..Frame::new(&title, "/keys") };
    let content = html! {
        section class="card" { div class="body" {
            @if let Some(key) = key {
                div class="note warn" role="alert" {
                    strong { "Copy the key now." }
                    p { "It is shown once: neither the tenant nor this console can show it again." }
                }
                code id="new-key" class="secret" tabindex="0" { (key.as_str()) }
                div class="submit" {
                    button type="button" hidden class="primary" data-copy-from="new-key" data-what="the key" {
                        "Copy"
                    }
                    a class="button" href={ "/keys/" (id) } { "Done" }
                }
            } @else {
                p {
                    @if let Some(sink) = sink { "Key " (id) " went to " (sink) "." }
                    @else { "The rotation that was under way is finished. It generated no other key." }
                }
                div class="submit" { a class="button" href={ "/keys/" (id) } { "Done" } }
            }
            (more)
        } }
    };
    layout::page(app, request, &frame, &content)
}

fn gone(app: &App, request: &PageRequest) -> Response {
    let frame = Frame { trail: &[("API Keys", "/keys")], ..Frame::new("New key", "/keys") };
    let content = html! {
        div class="note warn" role="alert" {
            strong { "This key was shown before, or nobody opened its page within five minutes." }
            p {
                "Neither the tenant nor this console can show it again. If nobody copied it, delete it \
                 and generate another. " a href="/keys" { "All keys" }
            }
        }
    };
    layout::page_with(StatusCode::GONE, app, request, &frame, &content)
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

/// A hidden field with a random number, so that a form is carried out only once.
pub(super) fn submission_field() -> Markup {
    // Without random numbers forms cannot be distinguished, and only the first is carried out.
    let mut bytes = [0; 16];
    let _ = getrandom::fill(&mut bytes);
    // A browser must not fill in the number that it sent before.
    html! { input type="hidden" name=(submissions::FIELD) value=(hex::encode(bytes)) autocomplete="off"; }
}

/// Where unfinished work is stored.
pub(super) fn state_places(app: &App, snapshot: &Snapshot) -> StatePlaces {
    StatePlaces {
        lock_file: snapshot.definitions.lock_file.clone(),
        state_folder: app.options.state_folder.clone(),
    }
}
