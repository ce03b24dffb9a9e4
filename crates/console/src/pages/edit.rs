//! *Edit*: roles, level, comment and scope of a key. The product's API cannot change an expiration.

use axum::http::StatusCode;
use cortexkey_api::api_key::CommentEdit;
use cortexkey_api::role::RoleName;
use cortexkey_api::scope::ScopeRead;
use cortexkey_client::{KeyEdit, is_system};
use cortexkey_system::chain;
use maud::html;

use super::find::{SelectedKey, find_key};
use super::form::{Check, Choices, Hint, KeyForm, Purpose, parts, submit, tabs};
use super::reveal::submission_field;
use crate::app::App;
use crate::error::BoxError;
use crate::page_request::PageRequest;
use crate::parts::layout::{self, Frame, fault, notes};
use crate::records::sentence;
use crate::response::{self, Response};
use crate::snapshot::Freshness;

/// The form with the key's values.
pub(super) fn show(app: &App, request: &PageRequest) -> Response {
    let selected = match find_key(app, request) {
        Ok(selected) => selected,
        Err(answer) => return *answer,
    };
    let (scope, why) = scope(app, &selected);
    let mut form = KeyForm::from_key(&selected.row.key, scope.as_ref());
    if let Some(managed) = &selected.row.managed {
        form.name.clone_from(&managed.name);
        form.set_owner(managed.owner.as_deref());
    }
    page(
        app,
        request,
        &selected,
        &form,
        why.as_deref().map(|why| ("The scope could not be read.", why)),
    )
}

/// The policy's findings for the form. It changes nothing.
pub(super) fn check(app: &App, request: &PageRequest) -> Response {
    let selected = match find_key(app, request) {
        Ok(selected) => selected,
        Err(answer) => return *answer,
    };
    let form = KeyForm::from_fields(&request.form).with_fixed_fields(&selected.row.key);
    let choices = Choices::new(app, &selected.view.snapshot, &form);
    let check = Check::new(app, &selected.view.snapshot, &form, &choices);
    let mut parts = parts(&check);
    parts.push((Hint::ID, hint(app, &selected, &form, &check).markup()));
    response::parts(parts)
}

/// Edits the key.
pub(super) fn edit(app: &App, request: &PageRequest) -> Response {
    let selected = match find_key(app, request) {
        Ok(selected) => selected,
        Err(answer) => return *answer,
    };
    let form = KeyForm::from_fields(&request.form).with_fixed_fields(&selected.row.key);
    let edited = edited(app, &selected, &form);
    app.snapshot(Freshness::Now);
    match edited {
        Ok(()) => response::redirect(&format!("/keys/{}", selected.row.record.key_id)),
        Err(error) => {
            let why = chain(error.as_ref());
            page(app, request, &selected, &form, Some(("The key is not as requested.", &why)))
        }
    }
}

fn edited(app: &App, selected: &SelectedKey, form: &KeyForm) -> Result<(), BoxError> {
    if !app.may_change() {
        return Err("this console is read-only".into());
    }
    let client = &app.options.client;
    let record = &selected.row.record;
    let faults = form.edit_faults();
    if !faults.is_empty() {
        return Err(faults.join("\n").into());
    }
    let choices = Choices::new(app, &selected.view.snapshot, form);
    if Check::new(app, &selected.view.snapshot, form, &choices).is_locked {
        return Err("the policy locks a rule that this key would break".into());
    }
    if is_system(&selected.row.key) {
        return Err("the product manages this key itself".into());
    }
    if client.own_key() == Some(selected.row.key.id) && form.level() != record.level {
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
fn scope(app: &App, selected: &SelectedKey) -> (Option<ScopeRead>, Option<String>) {
    match app.options.client.scope(selected.row.record.key_id) {
        Ok(scope) => (scope, None),
        Err(error) => (None, Some(chain(&error))),
    }
}

fn page(
    app: &App,
    request: &PageRequest,
    selected: &SelectedKey,
    form: &KeyForm,
    why: Option<(&str, &str)>,
) -> Response {
    let snapshot = &selected.view.snapshot;
    let choices = Choices::new(app, snapshot, form);
    let check = Check::new(app, snapshot, form, &choices);
    let id = selected.row.record.key_id;
    let title = format!("Edit key {id}");
    let path = format!("/keys/{id}");
    let trail = [("API Keys", "/keys"), ("Key", path.as_str())];
    let frame = Frame { trail: &trail, ..Frame::new(&title, "/keys") };
    let content = html! {
        (notes(&selected.view))
        @if let Some((what, why)) = why { (fault(what, why)) }
        form class="form" method="post" action={ (path) "/edit" }
            data-live={ (path) "/edit/check" } {
            (layout::token_field(request))
            (submission_field())
            (tabs(Purpose::Edit, form, &choices, &check))
            (submit("Save", &path, &hint(app, selected, form, &check)))
        }
    };
    let is_refused = why.is_some() && !request.form.is_empty();
    let status = if is_refused { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    layout::page_with(status, app, request, &frame, &content)
}

/// Whether the form may be sent, why not, and what follows.
fn hint(app: &App, selected: &SelectedKey, form: &KeyForm, check: &Check) -> Hint {
    let is_other_level = form.level() != selected.row.record.level;
    let text = html! {
        @if !app.may_change() {
            "Read-only: start the console with --allow-changes."
        } @else if check.is_locked {
            span class="bad" { "The policy locks a rule that this key would break." }
        } @else if let Some(fault) = form.edit_faults().first() {
            (sentence(fault))
        } @else if is_other_level {
            span class="warn" { "Every client that signs for the old level is refused." }
        } @else {
            "The expiration stays: rotate the key for another one."
        }
    };
    Hint { may_be_sent: app.may_change() && !check.is_locked, text }
}
