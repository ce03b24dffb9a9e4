//! Notices about expiring keys: one week and one day before, like the product's.

use std::collections::{BTreeSet, VecDeque};

use cortexkey_core::auth::KeyId;
use cortexkey_core::lifecycle::{Expiry, ExpiryNotice, KeyRecord};
use serde::{Deserialize, Serialize};

/// The name of the number on disk: until when notices were created.
pub(crate) const NOTICES: &str = "notices-until-ms";
const NOTIFICATIONS_MAX: usize = 1_000;

/// A notice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Notification {
    /// Its number, from 1 on.
    pub id: u64,
    /// Its title in the product's notification centre.
    pub kind: String,
    /// `one-week-before` or `one-day-before`.
    pub notice: String,
    /// The key's id.
    pub key_id: u64,
    /// The key's comment.
    pub comment: Option<String>,
    /// When the key expires, in milliseconds since 1970.
    pub expiration_ms: u64,
    /// When the notice was created, in milliseconds since 1970.
    pub time_ms: u64,
    /// A summary in one sentence.
    pub message: String,
    /// Why delivery to the webhook failed, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook_error: Option<String>,
}

/// The notices of a tenant.
#[derive(Default)]
pub(crate) struct Notices {
    given: BTreeSet<(KeyId, bool)>,
    last: VecDeque<Notification>,
    count: u64,
}

impl Notices {
    /// Creates the notices that are due; returns the new ones.
    pub(crate) fn create_due<'a>(
        &mut self,
        records: impl Iterator<Item = &'a KeyRecord>,
        now_ms: u64,
    ) -> Vec<Notification> {
        let mut new = Vec::new();
        for record in records {
            let Expiry::At { ms } = record.expiry else { continue };
            for (notice, name) in [
                (ExpiryNotice::OneWeekBefore, "one-week-before"),
                (ExpiryNotice::OneDayBefore, "one-day-before"),
            ] {
                let due = record.expiry.notice_due_ms(notice);
                let is_due = due.is_some_and(|due| (record.created_ms..=now_ms).contains(&due));
                let mark = (record.key_id, notice == ExpiryNotice::OneDayBefore);
                if !is_due || record.expiry.is_expired(now_ms) || !self.given.insert(mark) {
                    continue;
                }
                self.count += 1;
                let id = record.key_id;
                let when = name.replace('-', " ");
                new.push(Notification {
                    id: self.count,
                    kind: "API Key Expiration".to_owned(),
                    notice: name.to_owned(),
                    key_id: id.get(),
                    comment: record.comment.clone(),
                    expiration_ms: ms,
                    time_ms: now_ms,
                    message: format!("API key {id} expires: this is the notice {when}"),
                    webhook_error: None,
                });
            }
        }
        for notification in &new {
            if self.last.len() >= NOTIFICATIONS_MAX {
                self.last.pop_front();
            }
            self.last.push_back(notification.clone());
        }
        new
    }

    /// Records that the webhook did not accept a notice.
    pub(crate) fn record_rejected(&mut self, id: u64, why: &str) {
        if let Some(notification) = self.last.iter_mut().find(|last| last.id == id) {
            notification.webhook_error = Some(why.to_owned());
        }
    }

    /// Marks everything that was due by a time as done, so that a restarted tenant repeats no
    /// notice.
    pub(crate) fn skip<'a>(&mut self, records: impl Iterator<Item = &'a KeyRecord>, until_ms: u64) {
        drop(self.create_due(records, until_ms));
        self.last.clear();
        self.count = 0;
    }

    /// Drops the state of a deleted key.
    pub(crate) fn forget(&mut self, id: KeyId) {
        self.given.remove(&(id, false));
        self.given.remove(&(id, true));
    }

    /// The last notices, the earliest first.
    pub(crate) fn last(&self) -> impl Iterator<Item = &Notification> {
        self.last.iter()
    }
}

#[cfg(test)]
mod tests {
    use cortexkey_core::auth::Level;

    use super::*;

    const DAY_MS: u64 = 24 * 60 * 60 * 1000;

    fn record(created_ms: u64, expires_ms: u64) -> KeyRecord {
        KeyRecord {
            key_id: KeyId::new(7).unwrap(),
            created_ms,
            created_by: String::new(),
            user_name: String::new(),
            roles: vec![],
            level: Level::Advanced,
            comment: None,
            expiry: Expiry::At { ms: expires_ms },
        }
    }

    fn given(record: &KeyRecord, times: &[u64]) -> Vec<Vec<String>> {
        let mut notices = Notices::default();
        let mut names = |now_ms: &u64| {
            let new = notices.create_due(std::iter::once(record), *now_ms);
            new.into_iter().map(|notification| notification.notice).collect()
        };
        times.iter().map(&mut names).collect()
    }

    #[test]
    fn each_notice_is_given_once_when_it_is_due() {
        let record = record(0, 30 * DAY_MS);
        let times = [22 * DAY_MS, 23 * DAY_MS, 24 * DAY_MS, 29 * DAY_MS, 29 * DAY_MS + 1];
        let week = vec!["one-week-before".to_owned()];
        let day = vec!["one-day-before".to_owned()];
        assert_eq!(given(&record, &times), [vec![], week.clone(), vec![], day.clone(), vec![]]);
        // No notice is missed if the clock jumps ahead.
        assert_eq!(given(&record, &[29 * DAY_MS]), [[week, day].concat()]);
        assert_eq!(given(&record, &[30 * DAY_MS]), [vec![""; 0]], "too late");
    }

    #[test]
    fn notices_due_before_generation_are_not_sent() {
        let five_days = record(10 * DAY_MS, 15 * DAY_MS);
        assert_eq!(given(&five_days, &[10 * DAY_MS, 14 * DAY_MS])[0], vec![""; 0]);
        let a_week = record(10 * DAY_MS, 17 * DAY_MS);
        assert_eq!(given(&a_week, &[10 * DAY_MS]), [["one-week-before"]]);
    }
}
