//! Answers `get_api_keys`: translates the API's filters and order into a [`TableQuery`].

use std::sync::Arc;

use cortexkey_api::api_keys::{Filter, ListRequest, SortField, SortOrder};
use cortexkey_core::auth::KeyId;
use cortexkey_core::lifecycle::{KeyRecord, RecordFilter, RecordOrder, TableQuery, TimeColumn};

use super::Store;
use crate::page::Page;

impl Store {
    /// The requested page of keys, including expired ones.
    pub(crate) fn list(&self, request: &ListRequest) -> Listing {
        // The latest expiration first by default.
        let (order, descending) = request.sort.map_or((RecordOrder::Expires, true), |sort| {
            let order = match sort.field {
                SortField::Roles => RecordOrder::Roles,
                SortField::Expiration => RecordOrder::Expires,
            };
            (order, sort.keyword == SortOrder::Desc)
        });
        let filter = RecordFilter::All(request.filters.iter().map(filter).collect());
        let rows = self.keys.values().map(|entry| Arc::clone(&entry.record));
        let found = TableQuery { filter, order, descending }.select(rows);
        let page = Page::new(request.search_from, request.search_to);
        let filter_count = found.len() as u64;
        let records: Vec<_> = page.of(found.into_iter()).collect();
        Listing { records, filter_count, total_count: self.keys.len() as u64 }
    }
}

/// A page of keys, shared with the store, so that a slow response does not block it.
pub(crate) struct Listing {
    pub(crate) records: Vec<Arc<KeyRecord>>,
    /// How many keys match the filters.
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
        // Zero is not a key's id.
        Filter::IdIn(ids) => {
            RecordFilter::Ids(ids.iter().copied().filter_map(KeyId::new).collect())
        }
    }
}
