//! API keys of a tenant: list, generate, edit, delete.
//!
//! It refuses nothing: the tenant decides.

use cortexkey_api::api_key::CommentEdit;
use cortexkey_api::api_keys::{
    ApiKeyRecord, DeleteReply, DeleteRequest, Filter, GenerateReply, GenerateRequest, ListReply,
    ListRequest, SecurityLevel,
};
use cortexkey_core::auth::{KeyId, Level};

use super::edit::{EditError, KeyEdit};
use super::pages::pages;
use crate::{CallError, Client};

impl Client {
    /// Lists one page of keys.
    pub fn list_keys(&self, request: &ListRequest) -> Result<ListReply, CallError> {
        self.query("/public_api/v1/api_keys/get_api_keys", request)
    }

    /// Lists all keys that fit, by id, page after page.
    pub fn all_keys(&self, filters: &[Filter]) -> Result<Vec<ApiKeyRecord>, CallError> {
        pages(
            |from, to| {
                let reply = self.list_keys(&ListRequest {
                    filters: filters.to_vec(),
                    search_from: Some(from),
                    search_to: Some(to),
                    sort: None,
                })?;
                Ok((reply.data, reply.filter_count))
            },
            |record| record.id,
        )
    }

    /// One key, if there is such a one.
    pub fn find_key(&self, id: KeyId) -> Result<Option<ApiKeyRecord>, CallError> {
        let found = self.all_keys(&[Filter::IdIn(vec![id.get()])])?;
        Ok(found.into_iter().find(|record| record.id == id.get()))
    }

    /// Makes a key. Its text is in the answer, and never again.
    pub fn generate_key(&self, request: &GenerateRequest) -> Result<GenerateReply, CallError> {
        self.post("/public_api/v1/api_keys/generate", request)
    }

    /// Replaces the comment of a key and leaves the rest as the record says it is.
    pub(crate) fn set_comment(
        &self,
        record: &ApiKeyRecord,
        comment: Option<String>,
    ) -> Result<(), EditError> {
        let Some(id) = KeyId::new(record.id) else { return Ok(()) };
        let comment = CommentEdit::Set(comment);
        self.edit_key(id, &KeyEdit { comment, ..KeyEdit::of(record) }).map(|_| ())
    }

    /// Deletes keys; how many there were.
    pub fn delete_keys(&self, ids: &[KeyId]) -> Result<u64, CallError> {
        let filter = Filter::IdIn(ids.iter().map(|id| id.get()).collect());
        let request = DeleteRequest { filters: vec![filter] };
        let reply: DeleteReply = self.post("/public_api/v1/api_keys/delete", &request)?;
        Ok(reply.update_count)
    }
}

/// The product's word for a level.
pub const fn security_level(level: Level) -> SecurityLevel {
    match level {
        Level::Standard => SecurityLevel::Standard,
        Level::Advanced => SecurityLevel::Advanced,
    }
}

/// The level that the product's word means.
pub const fn level_of(level: SecurityLevel) -> Level {
    match level {
        SecurityLevel::Standard => Level::Standard,
        SecurityLevel::Advanced => Level::Advanced,
    }
}
