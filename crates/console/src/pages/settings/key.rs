//! Generates a key as the product's own dialog does: with any role, and without an expiry.

use cortexkey_api::api_keys::SecurityLevel;
use cortexkey_core::auth::KeyId;
use cortexkey_tenant::{ConsoleKey, Controls};
use maud::{Markup, html};

use super::{FormResult, form};
use crate::app::App;
use crate::error::BoxError;
use crate::page_request::{Fields, PageRequest};
use crate::pages::reveal::KeyReveal;
use crate::snapshot::{Freshness, Snapshot};

/// Generates the key. Only this response contains it.
pub(super) fn generate(
    app: &App,
    request: &PageRequest,
    controls: &Controls,
) -> Result<FormResult, BoxError> {
    let fields = &request.form;
    let key = ConsoleKey {
        roles: fields.all("role").map(str::to_owned).collect(),
        security_level: match fields.get("level") {
            Some("standard") => SecurityLevel::Standard,
            Some("advanced") => SecurityLevel::Advanced,
            _ => return Err("a key is Standard or Advanced".into()),
        },
        comment: fields.get("comment").map(str::to_owned),
        expiration: None,
    };
    if key.roles.is_empty() {
        return Err("select a role".into());
    }
    let reveal = KeyReveal::new()?;
    let made = controls.generate_key(key).map_err(|error| error.to_string())?;
    app.snapshot(Freshness::Now);
    let id = KeyId::new(made.id).ok_or("the emulator returned an invalid id")?;
    let more =
        html! { p class="hint" { "It never expires. The product's API makes no such key." } };
    reveal.set(made.key.expose());
    Ok(FormResult::Response(Box::new(reveal.finish(app, request, id, None, more))))
}

pub(super) fn card(request: &PageRequest, snapshot: &Snapshot, typed: &Fields) -> Markup {
    let chosen: Vec<&str> = typed.all("role").collect();
    let is_standard = typed.get("level") == Some("standard");
    let fields = html! {
        div class="fields" {
            div class="field" {
                label for="key-role" { "Role" }
                select id="key-role" name="role" required {
                    @for role in &snapshot.roles {
                        option selected[chosen.contains(&role.pretty_name.as_str())] {
                            (role.pretty_name)
                        }
                    }
                }
            }
            div class="field" {
                label for="key-level" { "Security level" }
                select id="key-level" name="level" {
                    option value="advanced" { "Advanced" }
                    option value="standard" selected[is_standard] { "Standard" }
                }
            }
            div class="field" {
                label for="key-comment" { "Comment" }
                input id="key-comment" name="comment" autocomplete="off" value=[typed.get("comment")];
            }
        }
    };
    html! {
        section class="card" aria-labelledby="console-key" {
            h2 id="console-key" { "Key without expiration" }
            div class="body" {
                p class="hint" {
                    "The product's own dialog can leave out the expiration; its API cannot."
                }
                (form(request, "key", &fields, "Generate"))
            }
        }
    }
}
