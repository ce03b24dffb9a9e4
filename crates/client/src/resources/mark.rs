//! Recognises a key whose id never arrived, because the response to `generate` was lost.
//!
//! Nothing is written into the key for this: its comment belongs to the user. The key is recognised
//! by an expiry that no other key of the tenant has, by the request, and by the key that sent it.

use std::collections::BTreeMap;

use cortexkey_api::api_keys::{ApiKeyRecord, LIFETIME_MS_MAX};
use cortexkey_api::scope::ScopeWrite;
use cortexkey_core::auth::{KeyId, Level};
use cortexkey_manifest::lock::{LockedKey, PendingKey};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use super::api_keys::creator_key;

/// Some tenants store seconds.
const SECOND_MS: u64 = 1000;
/// Enough that no two requests of a tenant share a value.
const DIGEST_LEN: usize = 16;
const WEEK_MS: u64 = 7 * 24 * 60 * 60 * 1000;

/// A key to generate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewKey {
    /// The name of its definition, if it has one.
    pub name: Option<String>,
    /// The display names of its roles.
    pub roles: Vec<String>,
    /// Its security level.
    pub level: Level,
    /// Its comment.
    pub comment: Option<String>,
    /// The key's owner, stored in a secret store; the product has no such field.
    pub owner: Option<String>,
    /// When it expires, in milliseconds since 1970; the product's default of a week if none.
    pub expiration_ms: Option<u64>,
    /// Its scope; `None` if no scope is sent.
    pub scope: Option<ScopeWrite>,
}

/// Why the API generates no key with an expiry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ExpiryError {
    /// It is in the past.
    #[error("the new key's expiry has passed")]
    Passed,
    /// It is later than the API allows.
    #[error("the new key's lifetime is too long: the API allows at most six months (184 days)")]
    TooLate,
}

impl NewKey {
    /// Checks that the API generates a key with this expiry.
    pub fn check_expiry(&self, now_ms: u64) -> Result<(), ExpiryError> {
        match self.expiration_ms {
            Some(ms) if ms <= now_ms => Err(ExpiryError::Passed),
            Some(ms) if ms - now_ms > LIFETIME_MS_MAX => Err(ExpiryError::TooLate),
            _ => Ok(()),
        }
    }
}

/// Whether a key may come from an interrupted run; the next run decides.
pub fn may_be_pending(keys: &BTreeMap<String, LockedKey>, record: &ApiKeyRecord) -> bool {
    let mut pending = keys.values().filter_map(|entry| entry.pending.as_ref());
    pending.any(|pending| confidence(pending, record) != Confidence::None)
}

/// How certain it is that a key is the requested one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Confidence {
    /// It is another key.
    None,
    /// It may be, but another user may have generated it.
    Possible,
    /// It is the requested key.
    Certain,
}

/// The request for a new key, recorded so that the key can be recognised. `list` contains the
/// tenant's keys.
pub(crate) fn pending(
    new: &NewKey,
    list: &[ApiKeyRecord],
    by: KeyId,
    now_ms: u64,
) -> Result<PendingKey, getrandom::Error> {
    let expires_ms = expiry(new, list, now_ms)?;
    let is_beside =
        |record: &&ApiKeyRecord| record.expiration.is_some_and(|ms| is_near(ms, expires_ms));
    let besides =
        list.iter().filter(is_beside).filter_map(|record| KeyId::new(record.id)).collect();
    let request_digest = digest(new.level.as_str(), &new.roles, new.comment.as_deref());
    Ok(PendingKey { expires_ms, request_digest, by, besides, id: None, delivering: false })
}

/// The requested expiry, moved within its second so that no other key has it; at the API's limit, to
/// the second before. The product's default
/// of a week is sent explicitly, since it would not be known otherwise.
fn expiry(new: &NewKey, list: &[ApiKeyRecord], now_ms: u64) -> Result<u64, getrandom::Error> {
    let requested = new.expiration_ms.unwrap_or(now_ms.saturating_add(WEEK_MS));
    let mut second = requested / SECOND_MS * SECOND_MS;
    let latest = now_ms.saturating_add(LIFETIME_MS_MAX);
    if requested <= latest && latest - second < SECOND_MS {
        second = second.saturating_sub(SECOND_MS);
    }
    let start = u64::from(getrandom::u32()?);
    let free = (0..SECOND_MS - 1).map(|step| second + 1 + (start + step) % (SECOND_MS - 1));
    let is_free = |ms: &u64| list.iter().all(|record| record.expiration != Some(*ms));
    Ok(free.into_iter().find(is_free).unwrap_or(requested))
}

/// How certain it is that a key of the tenant is the requested one.
pub(crate) fn confidence(pending: &PendingKey, record: &ApiKeyRecord) -> Confidence {
    if let Some(id) = pending.id {
        return if id.get() == record.id { Confidence::Certain } else { Confidence::None };
    }
    let Some(expiration) = record.expiration else { return Confidence::None };
    let creator = creator_key(record);
    if pending.besides.iter().any(|id| id.get() == record.id)
        || !is_near(expiration, pending.expires_ms)
        || creator.is_some_and(|creator| creator != pending.by.get())
    {
        return Confidence::None;
    }
    let level = Level::from(record.security_level);
    let is_same =
        digest(level.as_str(), &record.roles, record.comment.as_deref()) == pending.request_digest;
    let is_exact = expiration == pending.expires_ms;
    match (is_exact, is_same, creator.is_some()) {
        (true, true, _) | (true, _, true) | (_, true, true) => Confidence::Certain,
        (true, false, false) | (false, true, false) => Confidence::Possible,
        (false, false, _) => Confidence::None,
    }
}

fn is_near(one: u64, other: u64) -> bool {
    one.abs_diff(other) < SECOND_MS
}

fn digest(level: &str, roles: &[String], comment: Option<&str>) -> String {
    let mut roles = roles.to_vec();
    roles.sort();
    roles.dedup();
    let text = serde_json::json!([level, roles, comment.unwrap_or_default().trim()]).to_string();
    let mut digest = hex::encode(Sha256::digest(text));
    digest.truncate(DIGEST_LEN);
    digest
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use cortexkey_api::api_keys::SecurityLevel;

    use super::*;

    const AT_MS: u64 = 1_800_000_000_000;

    fn new() -> NewKey {
        NewKey {
            owner: None,
            name: None,
            roles: vec!["Viewer".to_owned()],
            level: Level::Advanced,
            comment: Some("ci".to_owned()),
            expiration_ms: Some(AT_MS),
            scope: None,
        }
    }

    fn record(id: u64, expiration: u64) -> ApiKeyRecord {
        ApiKeyRecord {
            id,
            creation_time: None,
            created_by: None,
            user_name: None,
            roles: vec!["Viewer".to_owned()],
            security_level: SecurityLevel::Advanced,
            comment: Some("ci".to_owned()),
            expiration: Some(expiration),
        }
    }

    #[test]
    fn no_other_key_has_the_expiry_and_it_stays_within_its_second() {
        let list: Vec<_> = (0..998).map(|ms| record(ms + 1, AT_MS + ms + 1)).collect();
        for _ in 0..50 {
            let pending = pending(&new(), &list, KeyId::new(2).unwrap(), 0).unwrap();
            assert_eq!(pending.expires_ms, AT_MS + 999);
            assert_eq!(pending.besides.len(), 998);
        }
    }

    #[test]
    fn the_longest_lifetime_does_not_become_longer() {
        for over in [0, 1, 500, 999] {
            let now_ms = AT_MS + over;
            let latest = now_ms + LIFETIME_MS_MAX;
            for early in [0, 1, 999, 1000, 1001] {
                let new = NewKey { expiration_ms: Some(latest - early), ..new() };
                assert_eq!(new.check_expiry(now_ms), Ok(()));
                for _ in 0..20 {
                    let pending = pending(&new, &[], KeyId::new(2).unwrap(), now_ms).unwrap();
                    let moved = pending.expires_ms;
                    assert!(moved <= latest && moved.abs_diff(latest - early) < 2000, "{moved}");
                }
            }
        }
    }

    #[test]
    fn a_key_is_found_by_its_requested_values() {
        let pending = pending(&new(), &[record(5, AT_MS)], KeyId::new(2).unwrap(), 0).unwrap();
        let expires_ms = pending.expires_ms;
        let by = |name: &str, record: ApiKeyRecord| ApiKeyRecord {
            user_name: Some(name.to_owned()),
            ..record
        };
        let other = |record: ApiKeyRecord| ApiKeyRecord { comment: None, ..record };
        for (record, wanted) in [
            (record(9, expires_ms), Confidence::Certain),
            // It existed before.
            (record(5, expires_ms), Confidence::None),
            (by("Public API - 3", record(9, expires_ms)), Confidence::None),
            // Tenants that store seconds, with and without the creator of a key.
            (by("Public API - 2", record(9, AT_MS)), Confidence::Certain),
            (record(9, AT_MS), Confidence::Possible),
            (by("Ada", record(9, AT_MS)), Confidence::Possible),
            // A tenant that stores another comment.
            (by("Public API - 2", other(record(9, expires_ms))), Confidence::Certain),
            (other(record(9, expires_ms)), Confidence::Possible),
            (other(record(9, AT_MS)), Confidence::None),
            (record(9, AT_MS + 5000), Confidence::None),
            (ApiKeyRecord { expiration: None, ..record(9, 0) }, Confidence::None),
        ] {
            assert_eq!(confidence(&pending, &record), wanted, "{record:?}");
        }
    }
}
