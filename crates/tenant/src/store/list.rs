//! Which keys a list shows, and in which order.
//!
//! It refuses nothing: what cannot be asked never becomes a [`ListRequest`].

use core::cmp::Ordering;
use std::collections::BTreeSet;

use cortexkey_api::api_keys::{
    ApiKeyRecord, Filter, ListReply, ListRequest, SecurityLevel, Sort, SortField, SortOrder,
};
use cortexkey_core::auth::Level;
use cortexkey_core::lifecycle::Expiry;

use super::{Entry, Store};

const DEFAULT_SORT: Sort = Sort { field: SortField::Expiration, keyword: SortOrder::Desc };

impl Store {
    /// The page of keys that was asked for, expired ones included.
    pub(crate) fn list(&self, request: &ListRequest) -> ListReply {
        let tests: Vec<_> = request.filters.iter().map(Test::new).collect();
        let fits = |entry: &&Entry| tests.iter().all(|test| test.fits(entry));
        let mut found: Vec<_> = self.keys.values().filter(fits).collect();
        let sort = request.sort.unwrap_or(DEFAULT_SORT);
        // The order of ids stays where nothing else tells two keys apart.
        found.sort_by(|a, b| compare(a, b, sort));
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

/// A filter made ready to be asked about many keys: its lists may be long.
enum Test<'a> {
    ExpirationGte(u64),
    ExpirationLte(u64),
    RolesContain(BTreeSet<&'a str>),
    IdIn(BTreeSet<u64>),
}

impl<'a> Test<'a> {
    fn new(filter: &'a Filter) -> Self {
        match filter {
            Filter::ExpirationGte(ms) => Self::ExpirationGte(*ms),
            Filter::ExpirationLte(ms) => Self::ExpirationLte(*ms),
            Filter::RolesContain(names) => {
                Self::RolesContain(names.iter().map(String::as_str).collect())
            }
            Filter::IdIn(ids) => Self::IdIn(ids.iter().copied().collect()),
        }
    }

    fn fits(&self, entry: &Entry) -> bool {
        let expiration = expiration(entry);
        match self {
            Self::ExpirationGte(ms) => expiration.is_some_and(|at| at >= *ms),
            Self::ExpirationLte(ms) => expiration.is_some_and(|at| at <= *ms),
            Self::RolesContain(names) => {
                names.iter().all(|name| role_names(entry).any(|held| held == *name))
            }
            Self::IdIn(ids) => ids.contains(&entry.stored.key_id().get()),
        }
    }
}

fn compare(a: &Entry, b: &Entry, sort: Sort) -> Ordering {
    let ascending = match sort.field {
        // A key that never expires is later than all others.
        SortField::Expiration => {
            let at = |entry: &Entry| expiration(entry).unwrap_or(u64::MAX);
            at(a).cmp(&at(b))
        }
        SortField::Roles => role_names(a).cmp(role_names(b)),
    };
    match sort.keyword {
        SortOrder::Asc => ascending,
        SortOrder::Desc => ascending.reverse(),
    }
}

fn role_names(entry: &Entry) -> impl Iterator<Item = &'static str> {
    entry.about.roles.iter().map(|role| role.name)
}

fn expiration(entry: &Entry) -> Option<u64> {
    match entry.stored.expiry() {
        Expiry::Never => None,
        Expiry::At { ms } => Some(ms),
    }
}

fn record(entry: &Entry) -> ApiKeyRecord {
    ApiKeyRecord {
        id: entry.stored.key_id().get(),
        creation_time: Some(entry.stored.created_ms()),
        created_by: Some(entry.about.created_by.clone()),
        user_name: Some(entry.about.user_name.clone()),
        roles: role_names(entry).map(str::to_owned).collect(),
        security_level: match entry.stored.level() {
            Level::Standard => SecurityLevel::Standard,
            Level::Advanced => SecurityLevel::Advanced,
        },
        comment: entry.about.comment.clone(),
        expiration: expiration(entry),
    }
}

fn as_usize(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
