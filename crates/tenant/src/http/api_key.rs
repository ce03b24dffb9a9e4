//! `platform/iam/v1/api-key/{id}`: one key, read and edited.
//!
//! It refuses to edit what the product's API cannot: the expiry.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use axum::routing::{MethodRouter, get};
use cortexkey_api::api_key::{CommentEdit, EditRequest};
use cortexkey_api::api_keys::ApiKeyRecord;
use cortexkey_api::{Data, Message};
use cortexkey_core::access::Permission;
use cortexkey_core::auth::KeyId;
use serde::Serialize;

use super::App;
use super::api_keys::{AUDITED, PUBLIC_API, access, check_comment, check_roles, level_of, refused};
use super::body::AskedPlatform;
use super::gate::Caller;
use super::path::Parts;
use super::refusal::Refusal;
use crate::store::{Deed, Edit, Store, listed};

pub(super) fn calls() -> MethodRouter<Arc<App>> {
    get(read).put(write)
}

/// A key, with the member that the product's documents show beside it.
#[derive(Serialize)]
struct Read {
    data: ApiKeyRecord,
    metadata: serde_json::Map<String, serde_json::Value>,
}

async fn read(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Parts(id): Parts<String>,
) -> Result<Json<Read>, Refusal> {
    let store = app.store();
    may_read(&store, caller, &id)
        .map(|data| Json(Read { data, metadata: serde_json::Map::new() }))
        .map_err(Refusal::of_platform)
}

fn may_read(store: &Store, caller: Caller, id: &str) -> Result<ApiKeyRecord, Refusal> {
    access(store, caller)?.require(PUBLIC_API, Permission::View)?;
    let id = key_of(store, id)?;
    let entry = store.get(id).ok_or_else(|| Refusal::not_found("no key has this id"))?;
    Ok(listed(&entry.record))
}

async fn write(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Parts(id): Parts<String>,
    AskedPlatform(request): AskedPlatform<EditRequest>,
) -> Result<Json<Data<Message>>, Refusal> {
    let now_ms = app.clock.now_ms();
    let edited = app.change(|store| {
        let may = may_write(store, caller, &id, request);
        let done = may.is_ok();
        if done || may.as_ref().is_err_and(Refusal::is_forbidden) {
            let subject = format!("API key {}", id.parse::<KeyId>().map_or(0, KeyId::get));
            let description = if done { format!("{subject} was edited") } else { refused("edit") };
            let deed = Deed { entity: AUDITED, subtype: "Edit", subject, description, done };
            store.note(caller.0.key_id(), now_ms, deed);
        }
        let (id, edit) = may?;
        store.edit(id, edit);
        Ok(())
    });
    edited.map_err(Refusal::of_platform)?;
    let message = "The API key was updated successfully.".to_owned();
    Ok(Json(Data { data: Message { message } }))
}

fn may_write(
    store: &Store,
    caller: Caller,
    id: &str,
    request: EditRequest,
) -> Result<(KeyId, Edit), Refusal> {
    let access = access(store, caller)?;
    access.require(PUBLIC_API, Permission::Edit)?;
    let id = key_of(store, id)?;
    let entry = store.get(id).ok_or_else(|| Refusal::not_found("no key has this id"))?;
    // What it had, and what it is to have.
    access.require_handling(&store.roles.all(&entry.record.roles))?;
    let roles = request.roles.into_iter().map(String::from).collect();
    let roles = check_roles(store, &access, roles)?;
    let comment = match request.comment {
        CommentEdit::Set(comment) => check_comment(comment)?,
        CommentEdit::Keep => entry.record.comment.clone(),
    };
    Ok((id, Edit { roles, level: level_of(request.security_level), comment }))
}

/// The key that a path names.
pub(super) fn key_of(store: &Store, id: &str) -> Result<KeyId, Refusal> {
    let id: KeyId = id.parse().map_err(|_| Refusal::not_found("the id is no key id"))?;
    if store.get(id).is_some() { Ok(id) } else { Err(Refusal::not_found("no key has this id")) }
}
