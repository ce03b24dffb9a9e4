//! [`NoticeMessage`]: notices that go to one target together, and the words for them.

use core::fmt::Write as _;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::notice::{Due, NoticeKind, WatchNotice};
use crate::time::time_text;

/// The largest number of notices that a chat accepts in one message.
pub(super) const NOTICES_MAX: usize = 20;
const ID_CHARS: usize = 32;
const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 24 * HOUR_MS;

/// Notices that go to one target together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NoticeMessage {
    /// Identifies the message: it is the same for every attempt to send it.
    pub id: String,
    /// The notices.
    pub notices: Vec<WatchNotice>,
    /// Ids of notices that count as sent with these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub supersedes: Vec<String>,
    /// Whether an earlier attempt began, and it is unknown whether the message arrived.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub tried: bool,
}

impl NoticeMessage {
    /// A message of these notices for a target.
    pub(super) fn new(target: &str, dues: &[Due]) -> Self {
        let mut hash = Sha256::new();
        hash.update(target);
        for due in dues {
            hash.update([0]);
            hash.update(&due.notice.id);
        }
        let mut id = hex::encode(hash.finalize());
        id.truncate(ID_CHARS);
        Self {
            id,
            notices: dues.iter().map(|due| due.notice.clone()).collect(),
            supersedes: dues.iter().flat_map(|due| due.supersedes.clone()).collect(),
            tried: false,
        }
    }

    /// A test message for a target.
    pub fn test(target: &str, now_ms: u64) -> Self {
        Self::new(target, &[Due { notice: WatchNotice::test(now_ms), supersedes: Vec::new() }])
    }

    /// The subject, in a few words.
    pub(super) fn title(&self) -> String {
        let count = |kind| self.notices.iter().filter(|notice| notice.kind == kind).count();
        let parts = [
            (count(NoticeKind::Expired), "key has expired", "keys have expired"),
            (count(NoticeKind::Expires), "key expires soon", "keys expire soon"),
            (count(NoticeKind::Unreachable), "tenant did not answer", "tenants did not answer"),
            (count(NoticeKind::Test), "test notice", "test notices"),
        ];
        let words = parts.into_iter().filter(|(count, ..)| *count > 0);
        let words = words
            .map(|(count, one, many)| format!("{count} {}", if count == 1 { one } else { many }));
        format!("cortexkey: {}", words.collect::<Vec<_>>().join(", "))
    }

    /// A line for each notice.
    pub(super) fn lines(&self, now_ms: u64) -> impl Iterator<Item = String> {
        self.notices.iter().map(move |notice| notice.text(now_ms))
    }

    /// The body for programs.
    pub(super) fn json(&self, now_ms: u64) -> Value {
        let notices: Vec<Value> = self.notices.iter().map(|notice| notice.json(now_ms)).collect();
        json!({ "version": 1, "id": self.id, "repeat": self.tried, "notices": notices })
    }

    /// The last line of a message that may have been received before.
    pub(super) fn repeat_note(&self) -> Option<&'static str> {
        self.tried.then_some(
            "This may be a repeat: the first attempt was interrupted before it was confirmed.",
        )
    }
}

impl WatchNotice {
    /// The notice in one sentence.
    pub fn text(&self, now_ms: u64) -> String {
        let tenant = &self.tenant;
        match self.kind {
            NoticeKind::Test => {
                "This is a test. Notices about expiring keys arrive here.".to_owned()
            }
            NoticeKind::Unreachable => format!(
                "{tenant} could not be queried, so it is unknown whether its keys expire: {}",
                self.reason.as_deref().unwrap_or("no reason is known")
            ),
            NoticeKind::Expires | NoticeKind::Expired => self.about_key(now_ms),
        }
    }

    fn about_key(&self, now_ms: u64) -> String {
        let mut text = format!("Key {} of {}", self.key_id.unwrap_or_default(), self.tenant);
        let mut about = Vec::new();
        about.extend(self.name.clone());
        about.extend(self.owner.as_ref().map(|owner| format!("owner {owner}")));
        if !about.is_empty() {
            let _ = write!(text, " ({})", about.join(", "));
        }
        let expires_ms = self.expires_ms.unwrap_or_default();
        let at = time_text(expires_ms);
        // A notice may be sent later than it was due.
        let _ = match expires_ms.checked_sub(now_ms).filter(|left| *left > 0) {
            Some(left) => write!(text, " expires at {at}, in {}", about_time(left)),
            None => write!(text, " expired at {at}"),
        };
        let _ = write!(text, ". Roles: {}.", self.roles.join(", "));
        if let Some(comment) = &self.comment {
            let _ = write!(text, " Comment: {comment}");
        }
        text
    }

    /// The notice for programs.
    pub fn json(&self, now_ms: u64) -> Value {
        let mut value = json!({ "id": self.id, "kind": self.kind, "tenant": self.tenant });
        let fields = [
            ("keyId", self.key_id.map(Value::from)),
            ("name", self.name.clone().map(Value::from)),
            ("owner", self.owner.clone().map(Value::from)),
            ("level", self.level.clone().map(Value::from)),
            ("roles", self.key_id.map(|_| Value::from(self.roles.clone()))),
            ("comment", self.comment.clone().map(Value::from)),
            ("expires", self.expires_ms.map(|ms| Value::from(time_text(ms)))),
            ("before", self.before.clone().map(Value::from)),
            ("reason", self.reason.clone().map(Value::from)),
            ("text", Some(Value::from(self.text(now_ms)))),
        ];
        for (name, field) in fields {
            if let Some(field) = field {
                value[name] = field;
            }
        }
        value
    }
}

/// A duration in words, rounded down.
fn about_time(ms: u64) -> String {
    let (count, unit) = match ms {
        0..HOUR_MS => return "less than an hour".to_owned(),
        ms if ms < 2 * DAY_MS => (ms / HOUR_MS, "hour"),
        ms => (ms / DAY_MS, "day"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rounded_down() {
        for (ms, text) in [
            (1, "less than an hour"),
            (HOUR_MS, "1 hour"),
            (DAY_MS, "24 hours"),
            (2 * DAY_MS - 1, "47 hours"),
            (2 * DAY_MS, "2 days"),
            (7 * DAY_MS - 1, "6 days"),
        ] {
            assert_eq!(about_time(ms), text);
        }
    }

    #[test]
    fn a_message_keeps_its_id_and_states_its_subject() {
        let due = |id: &str, kind| Due {
            notice: WatchNotice::new(id.to_owned(), kind, "prod"),
            supersedes: Vec::new(),
        };
        let dues = [due("a", NoticeKind::Expires), due("b", NoticeKind::Unreachable)];
        let message = NoticeMessage::new("ops", &dues);
        assert_eq!(message.id, NoticeMessage::new("ops", &dues).id);
        assert_ne!(message.id, NoticeMessage::new("other", &dues).id);
        assert_ne!(message.id, NoticeMessage::new("ops", &dues[..1]).id);
        assert_eq!(message.title(), "cortexkey: 1 key expires soon, 1 tenant did not answer");
        assert_eq!(message.json(0)["repeat"], false);
    }
}
