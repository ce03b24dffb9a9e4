//! A tenant's API keys: list, generate, delete.

use cortexkey_api::api_keys::{
    ApiKeyRecord, DeleteReply, DeleteRequest, Filter, GenerateReply, GenerateRequest, ListRead,
    ListRequest, UnreadableRecord,
};
use cortexkey_core::auth::KeyId;
use cortexkey_manifest::{TokenKind, tokens_in};
use thiserror::Error;

use super::pages::{Page, Pages, pages};
use crate::transport::{CallNotice, Retry};
use crate::{CallError, Client};

/// The role of keys that the product manages itself.
const SYSTEM_ROLE: &str = "App Service Account";
/// The creator of keys that the product manages itself.
const SYSTEM_USER: &str = "System";
/// Roles that may manage keys and roles.
const ADMINISTRATORS: [&str; 2] = ["Instance Administrator", "Account Admin"];

/// The keys of a tenant that could be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyList {
    /// The keys, by id.
    pub keys: Vec<ApiKeyRecord>,
    /// Records that cannot be read.
    pub unreadable: Vec<UnreadableRecord>,
    /// How many keys at least the tenant has but did not return.
    pub missing: u64,
}

impl KeyList {
    /// Whether the tenant may have keys that the list does not show.
    pub(crate) fn is_short(&self) -> bool {
        self.missing > 0 || self.unreadable.iter().any(|record| record.id.is_none())
    }

    /// Whether the tenant has no key with this id, which only a complete list can show.
    pub fn lacks(&self, id: u64) -> bool {
        self.missing == 0
            && self.keys.iter().all(|record| record.id != id)
            && self.unreadable.iter().all(|record| record.id.is_some_and(|other| other != id))
    }
}

impl Client {
    /// Lists one page of keys.
    pub fn list_keys(&self, request: &ListRequest) -> Result<ListRead, CallError> {
        self.query("/public_api/v1/api_keys/get_api_keys", request)
    }

    /// Lists all keys that match, by id, page by page.
    pub fn key_list(&self, filters: &[Filter]) -> Result<KeyList, CallError> {
        let mut list = self.key_pages(filters)?;
        // A tenant that does not apply a filter by ids returns its first keys, whatever the ids.
        if !wanted_ids(filters).all(|ids| list.keys.iter().all(|key| ids.contains(&key.id))) {
            list = self.key_pages(&[])?;
            list.keys.retain(|key| wanted_ids(filters).all(|ids| ids.contains(&key.id)));
        }
        for record in &list.unreadable {
            self.notify(&CallNotice::UnreadableRecord(record));
        }
        if list.missing > 0 {
            self.notify(&CallNotice::ShortList { shown: list.keys.len(), missing: list.missing });
        }
        Ok(list)
    }

    fn key_pages(&self, filters: &[Filter]) -> Result<KeyList, CallError> {
        // A filter by ids cannot match more keys than ids.
        let enough = wanted_ids(filters).map(<[u64]>::len).min().unwrap_or(usize::MAX);
        let Pages { items, unreadable, missing } = pages(
            enough,
            |from, to| {
                let read = self.list_keys(&ListRequest {
                    filters: filters.to_vec(),
                    search_from: Some(from),
                    search_to: Some(to),
                    sort: None,
                })?;
                // The total counts all keys, whatever the filters.
                let total = read.total_count.filter(|_| filters.is_empty());
                let count = read.filter_count.max(total);
                Ok(Page { items: read.keys, unreadable: read.unreadable, count })
            },
            |record| record.id,
        )?;
        let mut list = KeyList { keys: items, unreadable, missing };
        // A list of all keys has the one that signs this call.
        if filters.is_empty() && self.own_key().is_some_and(|own| list.lacks(own)) {
            list.missing = 1;
        }
        Ok(list)
    }

    /// The keys of [`key_list`](Self::key_list); the observer receives what is missing from them.
    pub fn all_keys(&self, filters: &[Filter]) -> Result<Vec<ApiKeyRecord>, CallError> {
        self.key_list(filters).map(|list| list.keys)
    }

    /// One key, if it exists. An error if the tenant's answer does not show whether it does.
    pub fn find_key(&self, id: KeyId) -> Result<Option<ApiKeyRecord>, CallError> {
        let list = self.key_list(&[Filter::IdIn(vec![id.get()])])?;
        if list.lacks(id.get()) {
            return Ok(None);
        }
        let found = list.keys.into_iter().find(|record| record.id == id.get());
        let expected = "a complete list of readable records";
        found.map(Some).ok_or(CallError::UnexpectedAnswer { expected })
    }

    /// Checks that the tenant shows the key that signs these calls. A tenant that does not may hide
    /// every other key too.
    pub(crate) fn check_own_key(&self, list: &KeyList) -> Result<(), CallError> {
        let Some(own) = self.own_key().and_then(KeyId::new) else { return Ok(()) };
        let is_listed = list.keys.iter().any(|record| record.id == own.get())
            || list.unreadable.iter().any(|record| record.id == Some(own.get()));
        if is_listed || self.find_key(own)?.is_some() {
            return Ok(());
        }
        let expected = "a list of keys with the one that signs these calls";
        Err(CallError::UnexpectedAnswer { expected })
    }

    /// Generates a key. The secret is returned only here.
    pub fn generate_key(&self, request: &GenerateRequest) -> Result<GenerateReply, CallError> {
        self.post("/public_api/v1/api_keys/generate", request)
    }

    /// Generates a key, and never repeats the call.
    pub(crate) fn generate_key_once(
        &self,
        request: &GenerateRequest,
    ) -> Result<GenerateReply, CallError> {
        self.post_once("/public_api/v1/api_keys/generate", request)
    }

    /// Deletes keys; returns how many existed.
    pub fn delete_keys(&self, ids: &[KeyId]) -> Result<u64, CallError> {
        let filter = Filter::IdIn(ids.iter().map(|id| id.get()).collect());
        let request = DeleteRequest { filters: vec![filter] };
        let reply: DeleteReply = self.post("/public_api/v1/api_keys/delete", &request)?;
        Ok(reply.update_count)
    }

    /// Makes sure that keys are deleted: the count in the tenant's response is only a claim, so the
    /// keys are looked up afterwards. A key that no longer existed counts as deleted.
    pub fn ensure_deleted(&self, ids: &[KeyId]) -> Result<(), CallError> {
        match self.delete_keys(ids) {
            Ok(_) => self.wait_until_gone(ids),
            Err(error) if matches!(error.status(), Some(401..=403)) => Err(error),
            Err(error) => match self.first_left(ids) {
                Ok(None) => Ok(()),
                _ => Err(error),
            },
        }
    }

    /// A tenant may list a deleted key for another moment.
    fn wait_until_gone(&self, ids: &[KeyId]) -> Result<(), CallError> {
        let Retry { retries, base, .. } = self.options().retry;
        let mut waits = (0..retries).map(|nth| base.saturating_mul(1 << nth.min(4)));
        while let Some(id) = self.first_left(ids)? {
            let wait = waits.next().ok_or(CallError::NotDeleted { id })?;
            std::thread::sleep(wait);
        }
        Ok(())
    }

    /// The first of these keys that the tenant may still have.
    fn first_left(&self, ids: &[KeyId]) -> Result<Option<KeyId>, CallError> {
        let list = self.key_list(&[Filter::IdIn(ids.iter().map(|id| id.get()).collect())])?;
        Ok(ids.iter().copied().find(|id| !list.lacks(id.get())))
    }
}

/// The ids of each filter by ids.
fn wanted_ids(filters: &[Filter]) -> impl Iterator<Item = &[u64]> {
    filters.iter().filter_map(|filter| match filter {
        Filter::IdIn(ids) => Some(ids.as_slice()),
        _ => None,
    })
}

/// Whether the product manages a key itself: a tool must not change or delete it.
pub fn is_system(record: &ApiKeyRecord) -> bool {
    record.roles.iter().any(|role| role.eq_ignore_ascii_case(SYSTEM_ROLE))
        || record.user_name.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(SYSTEM_USER))
}

/// Whether a record shows who uses the key: without roles and a user, it may be the product's.
pub(crate) fn shows_user(record: &ApiKeyRecord) -> bool {
    !record.roles.is_empty() || record.user_name.is_some()
}

/// Whether a key may manage keys and roles.
pub fn is_administrator(record: &ApiKeyRecord) -> bool {
    let is_admin =
        |role: &String| ADMINISTRATORS.iter().any(|name| role.eq_ignore_ascii_case(name));
    record.roles.iter().any(is_admin)
}

/// Why a comment is not sent to the tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CommentError {
    /// It contains a key or another secret.
    #[error(
        "the comment contains a key or another secret\nhelp: leave the secret out, because \
         everyone who may list keys can read comments"
    )]
    Secret,
    /// It contains a control character, which tables and logs do not show.
    #[error(
        "the comment contains a control character\nhelp: type it again; only tabs and line breaks \
         may be in it"
    )]
    Control,
}

/// Checks that a comment may be sent to the tenant.
pub fn check_comment(comment: &str) -> Result<(), CommentError> {
    if tokens_in(comment).iter().any(|token| token.kind != TokenKind::Random) {
        return Err(CommentError::Secret);
    }
    if comment.chars().any(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r')) {
        return Err(CommentError::Control);
    }
    Ok(())
}

/// The key that generated a key, if the tenant names one.
pub fn creator_key(record: &ApiKeyRecord) -> Option<u64> {
    record.user_name.as_deref().and_then(key_of_name)
}

/// The key that acts under a name; `None` if it is a user's.
pub(super) fn key_of_name(name: &str) -> Option<u64> {
    name.trim().strip_prefix("Public API - ")?.trim().parse().ok()
}
