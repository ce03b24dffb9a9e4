//! Which keys a list shows, and in which order: the API's words for the core's filters.
//!
//! It refuses nothing: what cannot be asked never becomes a [`ListRequest`].

use std::sync::Arc;

use cortexkey_api::api_keys::{
    ApiKeyRecord, Filter, ListRequest, SecurityLevel, SortField, SortOrder,
};
use cortexkey_core::auth::{KeyId, Level};
use cortexkey_core::lifecycle::{Expiry, KeyRecord, RecordFilter, RecordOrder, TimeColumn};

use super::Store;
use crate::http::Page;

impl Store {
    /// The page of keys that was asked for, expired ones included.
    pub(crate) fn list(&self, request: &ListRequest) -> Listing {
        let filters: Vec<_> = request.filters.iter().map(filter).collect();
        let passes = |record: &&Arc<KeyRecord>| filters.iter().all(|filter| filter.passes(record));
        let records = self.keys.values().map(|entry| &entry.record);
        let mut found: Vec<_> = records.filter(passes).cloned().collect();
        // The latest expiration first unless said.
        let (order, descending) = request.sort.map_or((RecordOrder::Expires, true), |sort| {
            let order = match sort.field {
                SortField::Roles => RecordOrder::Roles,
                SortField::Expiration => RecordOrder::Expires,
            };
            (order, sort.keyword == SortOrder::Desc)
        });
        order.sort(&mut found, descending);
        let page = Page::new(request.search_from, request.search_to);
        let filter_count = found.len() as u64;
        let records: Vec<_> = page.of(found.into_iter()).collect();
        Listing { records, filter_count, total_count: self.keys.len() as u64 }
    }
}

/// A page of keys. It shares them with the store, however long the answer takes to leave.
pub(crate) struct Listing {
    pub(crate) records: Vec<Arc<KeyRecord>>,
    /// How many keys pass the filters.
    pub(crate) filter_count: u64,
    /// How many keys there are.
    pub(crate) total_count: u64,
}

fn filter(filter: &Filter) -> RecordFilter {
    let expires = |from_ms, until_ms| RecordFilter::Between {
        column: TimeColumn::Expires,
        from_ms,
        until_ms,
    };
    match filter {
        Filter::ExpirationGte(ms) => expires(*ms, u64::MAX),
        Filter::ExpirationLte(ms) => expires(0, *ms),
        Filter::RolesContain(names) => RecordFilter::AnyRole(names.iter().cloned().collect()),
        // Zero is no key's id.
        Filter::IdIn(ids) => {
            RecordFilter::Ids(ids.iter().copied().filter_map(KeyId::new).collect())
        }
    }
}

/// A key as the API shows it.
pub(crate) fn listed(record: &KeyRecord) -> ApiKeyRecord {
    ApiKeyRecord {
        id: record.key_id.get(),
        creation_time: Some(record.created_ms),
        created_by: Some(record.created_by.clone()),
        user_name: Some(record.user_name.clone()),
        roles: record.roles.clone(),
        security_level: match record.level {
            Level::Standard => SecurityLevel::Standard,
            Level::Advanced => SecurityLevel::Advanced,
        },
        comment: record.comment.clone(),
        expiration: match record.expiry {
            Expiry::Never => None,
            Expiry::At { ms } => Some(ms),
        },
    }
}
