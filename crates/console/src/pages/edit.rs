//! *Edit*: roles, level, comment and scope of a key. The product's API cannot change an expiration.

use axum::http::StatusCode;
use cortexkey_api::api_key::CommentEdit;
use cortexkey_api::role::RoleName;
use cortexkey_api::scope::ScopeRead;
use cortexkey_client::{KeyEdit, is_system};
use cortexkey_system::chain;
use maud::html;

use super::find::{Found, found};
use super::form::{Check, Choices, Hint, KeyForm, Purpose, parts, submit, tabs};
use crate::answer::{self, Answer};
use crate::app::App;
use crate::error::BoxError;
use crate::page_request::PageRequest;
use crate::parts::layout::{self, Frame, fault, notes};
use crate::records::sentence;
use crate::snapshot::Fresh;

/// The form with the key's values.
pub(super) fn show(app: &App, ask: &PageRequest) -> Answer {
    let found = match found(app, ask) {
        Ok(found) => found,
        Err(answer) => return *answer,
    };
    let (scope, why) = scope(app, &found);
    let mut form = KeyForm::of_key(&found.row.key, scope.as_ref());
    if let Some(managed) = &found.row.managed {
        form.name.clone_from(&managed.name);
        form.set_owner(managed.owner.as_deref());
    }
    page(app, ask, &found, &form, why.as_deref().map(|why| ("The scope could not be read.", why)))
}

/// The policy's findings for the form. It changes nothing.
pub(super) fn check(app: &App, ask: &PageRequest) -> Answer {
    let found = match found(app, ask) {
        Ok(found) => found,
        Err(answer) => return *answer,
    };
    let form = KeyForm::of(&ask.form).of_existing(&found.row.key);
    let choices = Choices::new(app, &found.view.snapshot, &form);
    let check = Check::new(app, &found.view.snapshot, &form, &choices);
    let mut parts = parts(&check);
    parts.push((Hint::ID, hint(app, &found, &form, &check).markup()));
    answer::parts(parts)
}

/// Edits the key.
pub(super) fn edit(app: &App, ask: &PageRequest) -> Answer {
    let found = match found(app, ask) {
        Ok(found) => found,
        Err(answer) => return *answer,
    };
    let form = KeyForm::of(&ask.form).of_existing(&found.row.key);
    let edited = edited(app, &found, &form);
    app.snapshot(Fresh::Now);
    match edited {
        Ok(()) => answer::see(&format!("/keys/{}", found.row.record.key_id)),
        Err(error) => {
            let why = chain(error.as_ref());
            page(app, ask, &found, &form, Some(("The key is not as requested.", &why)))
        }
    }
}

fn edited(app: &App, found: &Found, form: &KeyForm) -> Result<(), BoxError> {
    if !app.may_change() {
        return Err("this console is read-only".into());
    }
    let client = &app.options.client;
    let record = &found.row.record;
    let faults = form.faults_of_edit();
    if !faults.is_empty() {
        return Err(faults.join("\n").into());
    }
    let choices = Choices::new(app, &found.view.snapshot, form);
    if Check::new(app, &found.view.snapshot, form, &choices).is_locked {
        return Err("the policy locks a rule that this key would break".into());
    }
    if is_system(&found.row.key) {
        return Err("the product manages this key itself".into());
    }
    if client.own_key() == Some(found.row.key.id) && form.level() != record.level {
        return Err(
            "this console signs its calls with this key: change its level with another".into()
        );
    }
    let scope = form.scope()?;
    let is_changed = form.roles() != record.roles
        || form.level() != record.level
        || form.comment() != record.comment;
    if is_changed {
        let edit = KeyEdit {
            roles: form.roles().iter().map(RoleName::new).collect(),
            level: form.level().into(),
            comment: CommentEdit::Set(form.comment()),
        };
        client.edit_key(record.key_id, &edit)?;
    }
    if let Some(scope) = scope {
        let done = if is_changed { "roles, level and comment are set; " } else { "" };
        client
            .replace_scope(record.key_id, &scope)
            .map_err(|error| format!("{done}the scope is not set: {}", chain(&error)))?;
    }
    Ok(())
}

/// The key's scope, or why it could not be read.
fn scope(app: &App, found: &Found) -> (Option<ScopeRead>, Option<String>) {
    match app.options.client.scope(found.row.record.key_id) {
        Ok(scope) => (scope, None),
        Err(error) => (None, Some(chain(&error))),
    }
}

fn page(
    app: &App,
    ask: &PageRequest,
    found: &Found,
    form: &KeyForm,
    why: Option<(&str, &str)>,
) -> Answer {
    let snapshot = &found.view.snapshot;
    let choices = Choices::new(app, snapshot, form);
    let check = Check::new(app, snapshot, form, &choices);
    let id = found.row.record.key_id;
    let title = format!("Edit key {id}");
    let path = format!("/keys/{id}");
    let trail = [("API Keys", "/keys"), ("Key", path.as_str())];
    let frame = Frame { trail: &trail, ..Frame::new(&title, "/keys") };
    let content = html! {
        (notes(&found.view))
        @if let Some((what, why)) = why { (fault(what, why)) }
        form class="form" method="post" action={ (path) "/edit" }
            data-live={ (path) "/edit/check" } {
            (layout::token(ask))
            (tabs(Purpose::Edit, form, &choices, &check))
            (submit("Save", &path, &hint(app, found, form, &check)))
        }
    };
    let is_refused = why.is_some() && !ask.form.is_empty();
    let status = if is_refused { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    layout::page_with(status, app, ask, &frame, &content)
}

/// Whether the form may be sent, why not, and what follows.
fn hint(app: &App, found: &Found, form: &KeyForm, check: &Check) -> Hint {
    let is_other_level = form.level() != found.row.record.level;
    let text = html! {
        @if !app.may_change() {
            "Read-only: start the console with --allow-changes."
        } @else if check.is_locked {
            span class="bad" { "The policy locks a rule that this key would break." }
        } @else if let Some(fault) = form.faults_of_edit().first() {
            (sentence(fault))
        } @else if is_other_level {
            span class="warn" { "Every client that signs for the old level is refused." }
        } @else {
            "The expiration stays: rotate the key for another one."
        }
    };
    Hint { may_be_sent: app.may_change() && !check.is_locked, text }
}
