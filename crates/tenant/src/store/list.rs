//! Which keys a list shows, and in which order: the API's words for the core's filters.
//!
//! It refuses nothing: what cannot be asked never becomes a [`ListRequest`].

use std::collections::HashSet;

use cortexkey_api::api_keys::{
    ApiKeyRecord, Filter, ListReply, ListRequest, SecurityLevel, SortField, SortOrder,
};
use cortexkey_core::auth::Level;
use cortexkey_core::lifecycle::{Expiry, KeyRecord, RecordFilter, RecordOrder, TimeColumn};

use super::Store;

impl Store {
    /// The page of keys that was asked for, expired ones included.
    pub(crate) fn list(&self, request: &ListRequest) -> ListReply {
        let filters: Vec<_> = request.filters.iter().map(filter).collect();
        let passes = |record: &&KeyRecord| filters.iter().all(|filter| filter.passes(record));
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
        let from = request.search_from.unwrap_or(0);
        let to = request.search_to.unwrap_or(u64::MAX);
        let (from, count) = (as_usize(from), as_usize(to.saturating_sub(from)));
        ListReply {
            filter_count: found.len() as u64,
            total_count: self.keys.len() as u64,
            data: found.into_iter().skip(from).take(count).map(record).collect(),
        }
    }
}

/// A filter that is held against each key at once, however many values it has.
enum Among<'a> {
    Roles(HashSet<&'a str>),
    Ids(HashSet<u64>),
    One(RecordFilter),
}

impl Among<'_> {
    fn passes(&self, record: &KeyRecord) -> bool {
        match self {
            Self::Roles(names) => record.roles.iter().any(|role| names.contains(role.as_str())),
            Self::Ids(ids) => ids.contains(&record.key_id.get()),
            Self::One(filter) => filter.passes(record),
        }
    }
}

fn filter(filter: &Filter) -> Among<'_> {
    let expires = |from_ms, until_ms| {
        Among::One(RecordFilter::Between { column: TimeColumn::Expires, from_ms, until_ms })
    };
    match filter {
        Filter::ExpirationGte(ms) => expires(*ms, u64::MAX),
        Filter::ExpirationLte(ms) => expires(0, *ms),
        Filter::RolesContain(names) => Among::Roles(names.iter().map(String::as_str).collect()),
        Filter::IdIn(ids) => Among::Ids(ids.iter().copied().collect()),
    }
}

fn record(record: KeyRecord) -> ApiKeyRecord {
    ApiKeyRecord {
        id: record.key_id.get(),
        creation_time: Some(record.created_ms),
        created_by: Some(record.created_by),
        user_name: Some(record.user_name),
        roles: record.roles,
        security_level: match record.level {
            Level::Standard => SecurityLevel::Standard,
            Level::Advanced => SecurityLevel::Advanced,
        },
        comment: record.comment,
        expiration: match record.expiry {
            Expiry::Never => None,
            Expiry::At { ms } => Some(ms),
        },
    }
}

fn as_usize(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
