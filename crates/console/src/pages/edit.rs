//! *Edit*: roles, level, comment and scope of a key. The product's API cannot change an expiration.

use axum::http::StatusCode;
use cortexkey_api::api_key::CommentEdit;
use cortexkey_api::role::RoleName;
use cortexkey_api::scope::ScopeRead;
use cortexkey_client::table::one_line;
use cortexkey_client::{CallError, KeyEdit, is_system};
use cortexkey_system::chain;
use maud::html;
use sha2::{Digest as _, Sha256};

use super::find::{SelectedKey, find_in, find_key, missing};
use super::form::{Check, Choices, FormFault, Hint, KeyForm, Purpose, parts, submit, tabs};
use super::new_key;
use super::reveal::submission_field;
use crate::app::App;
use crate::error::BoxError;
use crate::page_request::PageRequest;
use crate::parts::layout::{self, Frame, fault, focused_fault, notes};
use crate::records::sentence;
use crate::response::{self, Response};
use crate::snapshot::{Freshness, SnapshotView};

/// The form with the key's values.
pub(super) fn show(app: &App, request: &PageRequest) -> Response {
    let selected = match find_key(app, request) {
        Ok(selected) => selected,
        Err(answer) => return *answer,
    };
    let scope = scope(app, &selected);
    let read = scope.as_ref().ok().and_then(Option::as_ref);
    let mut form = KeyForm::from_key(&selected.row.key, read);
    if let Some(managed) = &selected.row.managed {
        form.name.clone_from(&managed.name);
        form.set_owner(managed.owner.as_deref());
    }
    let seen = OpenedValues { key: seen_key(&selected), scope: seen_scope(&scope) };
    let unread = scope.as_ref().err().map(|error| chain(error));
    let why = unread.as_deref().map(|why| (StatusCode::OK, "The scope could not be read.", why));
    page(app, request, &selected, &form, &seen, why)
}

/// The policy's findings for the form. It changes nothing, and calls no tenant.
pub(super) fn check(app: &App, request: &PageRequest) -> Response {
    let Some(selected) = find_in(request, app.snapshot(Freshness::Last)) else {
        // The form stays; the response to sending it says more.
        let text = html! { span class="warn" { "The tenant does not show this key any more." } };
        return response::parts(vec![(Hint::ID, Hint { may_be_sent: true, text }.markup())]);
    };
    let form = KeyForm::from_fields(&request.form).with_fixed_fields(&selected.row.key);
    let groups = app.asset_groups.last(&app.options);
    let check = Check::new(app, &selected.view.snapshot, &form, &groups);
    let mut parts = parts(&check);
    parts.push((Hint::ID, hint(app, &selected, &form, &check).markup()));
    response::parts(parts)
}

/// Edits the key, unless somebody else changed it since the form was opened.
pub(super) fn edit(app: &App, request: &PageRequest) -> Response {
    let view = app.snapshot(Freshness::Now);
    let Some(selected) = find_in(request, view.clone()) else {
        return if request.form.get("seen").is_some() {
            gone(app, request, &view)
        } else {
            missing(app, request, &view)
        };
    };
    let form = KeyForm::from_fields(&request.form).with_fixed_fields(&selected.row.key);
    let refused = |status, seen: &OpenedValues, what, why: &str| {
        page(app, request, &selected, &form, seen, Some((status, what, why)))
    };
    let sent = OpenedValues::sent(request)
        .unwrap_or_else(|| OpenedValues::now(app, &selected, &form, None));
    if app.may_change() && selected.view.fault.is_none() {
        let current = OpenedValues::now(app, &selected, &form, Some(&sent));
        if current != sent {
            let why = changed_meanwhile(&selected, current.scope != sent.scope);
            return refused(StatusCode::CONFLICT, &current, CHANGED, &why);
        }
    }
    let edited = edited(app, &selected, &form);
    app.snapshot(Freshness::Now);
    match edited {
        Ok(()) => response::redirect(&format!("/keys/{}", selected.row.record.key_id)),
        Err(error) => refused(
            StatusCode::UNPROCESSABLE_ENTITY,
            &sent,
            "The key is not as requested.",
            &chain(error.as_ref()),
        ),
    }
}

/// The values that were typed, as a new key's: the form of an edit has no key any more.
fn gone(app: &App, request: &PageRequest, view: &SnapshotView) -> Response {
    let id = request.parameter();
    let is_known = view.fault.is_none() && view.snapshot.unseen == 0;
    let (status, why) = if is_known {
        let why = format!(
            "The tenant has no key {id} any more: it was deleted since you opened the form. Your \
             values are below; Generate makes a new key with them, with another id and expiration."
        );
        (StatusCode::NOT_FOUND, why)
    } else {
        let why = format!(
            "Whether the tenant still has key {id} is unknown. Your values are below; Generate makes \
             a new key with them, next to key {id} if it still exists."
        );
        (StatusCode::BAD_GATEWAY, why)
    };
    new_key::show_gone(app, request, view, (status, &why))
}

const CHANGED: &str = "This key was changed since you opened the form, so nothing was saved.";

/// The values of a key when its form was opened, as digests.
#[derive(PartialEq, Eq)]
struct OpenedValues {
    key: String,
    scope: String,
}

impl OpenedValues {
    /// Those that the form was opened with. A request that names none is not compared.
    fn sent(request: &PageRequest) -> Option<Self> {
        let field = |name| Some(request.form.get(name)?.to_owned());
        Some(Self { key: field("seen")?, scope: field("seen-scope")? })
    }

    /// Those of now. The scope is only compared, and read, if the form replaces it.
    fn now(app: &App, selected: &SelectedKey, form: &KeyForm, sent: Option<&Self>) -> Self {
        let scope = match sent {
            _ if form.has_scope() => seen_scope(&scope(app, selected)),
            Some(sent) => sent.scope.clone(),
            None => String::new(),
        };
        Self { key: seen_key(selected), scope }
    }
}

fn seen_key(selected: &SelectedKey) -> String {
    let key = &selected.row.key;
    digest(&(&key.roles, key.security_level, &key.comment))
}

fn seen_scope(scope: &Result<Option<ScopeRead>, CallError>) -> String {
    // The words of a failure may differ from one call to the next.
    digest(&scope.as_ref().map_err(|_| "unread"))
}

fn digest(value: &impl core::fmt::Debug) -> String {
    hex::encode(Sha256::digest(format!("{value:?}")))
}

/// The key's values now, in words.
fn changed_meanwhile(selected: &SelectedKey, has_other_scope: bool) -> String {
    let record = &selected.row.record;
    let comment = record.comment.as_deref().unwrap_or("none");
    let scope = if has_other_scope { "\nIts scope was changed, too." } else { "" };
    format!(
        "Its roles are now {}, its level is {}, and its comment is: {}{scope}\nYour values are \
         below. Save them to replace these, or open the form again.",
        record.roles.join(", "),
        super::keys::level(record.level),
        one_line(comment)
    )
}

fn edited(app: &App, selected: &SelectedKey, form: &KeyForm) -> Result<(), BoxError> {
    if !app.may_change() {
        return Err("this console is read-only".into());
    }
    if let Some(why) = &selected.view.fault {
        return Err(format!("the key could not be read again: {why}").into());
    }
    let client = &app.options.client;
    let record = &selected.row.record;
    let faults = form.edit_faults();
    if !faults.is_empty() {
        return Err(FormFault::lines(&faults).into());
    }
    let groups = app.asset_groups.read(&app.options);
    if Check::new(app, &selected.view.snapshot, form, &groups).is_locked {
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
    let is_changed = !form.is_as(&selected.row.key);
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
fn scope(app: &App, selected: &SelectedKey) -> Result<Option<ScopeRead>, CallError> {
    app.options.client.scope(selected.row.record.key_id)
}

fn page(
    app: &App,
    request: &PageRequest,
    selected: &SelectedKey,
    form: &KeyForm,
    seen: &OpenedValues,
    why: Option<(StatusCode, &str, &str)>,
) -> Response {
    let snapshot = &selected.view.snapshot;
    let choices = Choices::new(app, snapshot, form);
    let mut check = Check::new(app, snapshot, form, &choices.groups);
    let is_refused = why.is_some_and(|(status, ..)| status != StatusCode::OK);
    if is_refused {
        check = check.focused_on(&form.edit_faults());
    }
    let id = selected.row.record.key_id;
    let title = format!("Edit key {id}");
    let path = format!("/keys/{id}");
    let trail = [("API Keys", "/keys"), ("Key", path.as_str())];
    let frame = Frame { trail: &trail, ..Frame::new(&title, "/keys") };
    let content = html! {
        (notes(&selected.view))
        @if let Some((_, what, why)) = why {
            @if is_refused && check.focus().is_none() { (focused_fault(what, why)) }
            @else { (fault(what, why)) }
        }
        form class="form" method="post" action={ (path) "/edit" }
            data-live={ (path) "/edit/check" } {
            (layout::token_field(request))
            (submission_field())
            input type="hidden" name="seen" value=(seen.key) autocomplete="off";
            input type="hidden" name="seen-scope" value=(seen.scope) autocomplete="off";
            (tabs(Purpose::Edit, form, &choices, &check))
            (submit("Save", &path, &hint(app, selected, form, &check)))
        }
    };
    let status = why.map_or(StatusCode::OK, |(status, ..)| status);
    layout::page_with(status, app, request, &frame, &content)
}

/// Whether the form may be sent, the reason if not, and the consequences.
fn hint(app: &App, selected: &SelectedKey, form: &KeyForm, check: &Check) -> Hint {
    let is_other_level = form.level() != selected.row.record.level;
    let is_own = app.options.client.own_key() == Some(selected.row.key.id);
    let text = html! {
        @if !app.may_change() {
            "Read-only: start the console with --allow-changes."
        } @else if check.is_locked {
            span class="bad" { "The policy locks a rule that this key would break." }
        } @else if let Some(fault) = form.edit_faults().first() {
            (sentence(&fault.text))
        } @else if is_own && !form.is_as(&selected.row.key) {
            span class="warn" {
                "This console signs its calls with this key: with other roles it may not be able to \
                 set them back."
            }
        } @else if is_other_level {
            span class="warn" { "Every client that signs for the old level is refused." }
        } @else {
            "The expiration stays: rotate the key for another one."
        }
    };
    Hint { may_be_sent: app.may_change() && !check.is_locked, text }
}
