//! [`WatchNotice`]: a fact to report about a key, and when it is [`due`].
//!
//! A notice's id names the tenant, the key, its expiry and the threshold, so that the same fact has
//! the same id in every run, and a key with a new expiry has new notices. If a key has passed
//! several thresholds, only the last is sent.

use core::fmt;
use core::str::FromStr;

use cortexkey_core::lifecycle::Expiry;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::observation::{Observation, WatchedKey};
use crate::table::one_line;
use crate::time::duration_ms;

/// The largest number of characters of a string from a tenant in a message.
const TEXT_CHARS_MAX: usize = 160;
/// A run of letters and digits of this length may be a misplaced key.
const SECRET_BYTES_MIN: usize = 32;
const THRESHOLDS_MAX: usize = 10;

/// A fact to report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WatchNotice {
    /// Identifies the fact: it is the same in every run.
    pub id: String,
    /// What it is about.
    pub kind: NoticeKind,
    /// The tenant's display name.
    pub tenant: String,
    /// The key's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_id: Option<u64>,
    /// The name of its definition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Its security level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
    /// Its roles.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// Its comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// When it expires, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_ms: Option<u64>,
    /// The threshold that it has passed, such as `7d`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// Why a tenant could not be queried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The kinds of notices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum NoticeKind {
    /// A key expires soon.
    Expires,
    /// A key has expired.
    Expired,
    /// A tenant could not be queried, so it is unknown whether its keys expire.
    Unreachable,
    /// A test of a target.
    Test,
}

/// A notice that is due, and the ids of earlier ones that it makes unnecessary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// The notice.
    pub notice: WatchNotice,
    /// Ids of notices that are not sent after this one.
    pub supersedes: Vec<String>,
}

/// How long before an expiry a notice is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Threshold {
    ms: u64,
    text: String,
}

/// All thresholds, the longest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thresholds(Vec<Threshold>);

/// Why a threshold is invalid.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ThresholdError {
    /// It is not a duration.
    #[error("a threshold is a duration such as 7d or 12h")]
    Duration,
    /// There are too many.
    #[error("there are more than {THRESHOLDS_MAX} thresholds")]
    TooMany,
}

impl FromStr for Threshold {
    type Err = ThresholdError;

    fn from_str(text: &str) -> Result<Self, ThresholdError> {
        match duration_ms(text) {
            Ok(ms) if ms > 0 => Ok(Self { ms, text: text.to_owned() }),
            _ => Err(ThresholdError::Duration),
        }
    }
}

impl Threshold {
    /// A number of milliseconds before the expiry.
    pub fn of_ms(ms: u64) -> Self {
        const UNITS: [(u64, &str); 3] = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m")];
        let unit = UNITS.into_iter().find(|(unit, _)| ms >= *unit && ms.is_multiple_of(*unit));
        let text = unit.map_or_else(
            || format!("{}s", ms / 1000),
            |(unit, name)| format!("{}{name}", ms / unit),
        );
        Self { ms, text }
    }
}

impl Thresholds {
    /// These thresholds; the product's own if there are none.
    pub fn new(thresholds: impl IntoIterator<Item = Threshold>) -> Result<Self, ThresholdError> {
        let mut all: Vec<Threshold> = thresholds.into_iter().collect();
        all.sort_by_key(|threshold| core::cmp::Reverse(threshold.ms));
        all.dedup_by_key(|threshold| threshold.ms);
        match all.len() {
            0 => Ok(Self::default()),
            1..=THRESHOLDS_MAX => Ok(Self(all)),
            _ => Err(ThresholdError::TooMany),
        }
    }

    /// In milliseconds, the longest first.
    pub fn ms(&self) -> impl Iterator<Item = u64> {
        self.0.iter().map(|threshold| threshold.ms)
    }
}

impl Default for Thresholds {
    /// A week and a day, as the product's own notices.
    fn default() -> Self {
        Self([7, 1].map(|days| Threshold::of_ms(days * 86_400_000)).into())
    }
}

impl fmt::Display for NoticeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Expires => "expires",
            Self::Expired => "expired",
            Self::Unreachable => "unreachable",
            Self::Test => "test",
        })
    }
}

/// The notices that are due after an observation. `failing_since_ms` is the start of the tenant's outage:
/// one outage has one notice.
pub fn due(
    observation: &Observation,
    thresholds: &Thresholds,
    failing_since_ms: u64,
    now_ms: u64,
) -> Vec<Due> {
    match &observation.seen {
        Ok(observed) => observed
            .keys
            .iter()
            .filter_map(|key| of_key(observation, key, thresholds, now_ms))
            .collect(),
        Err(reason) => {
            let notice = WatchNotice {
                reason: Some(shown(reason.0.lines().next().unwrap_or_default())),
                ..WatchNotice::new(
                    format!("{}{failing_since_ms}", observation.outages()),
                    NoticeKind::Unreachable,
                    &observation.tenant,
                )
            };
            vec![Due { notice, supersedes: Vec::new() }]
        }
    }
}

fn of_key(
    observation: &Observation,
    key: &WatchedKey,
    thresholds: &Thresholds,
    now_ms: u64,
) -> Option<Due> {
    let Expiry::At { ms: expires_ms } = key.record.expiry else { return None };
    let left_ms = expires_ms.saturating_sub(now_ms);
    let id =
        |last: &str| format!("{}/{}/{expires_ms}/{last}", observation.place, key.record.key_id);
    let mut passed = thresholds.0.iter().filter(|threshold| left_ms <= threshold.ms);
    let mut ids: Vec<String> =
        passed.clone().map(|threshold| id(&threshold.ms.to_string())).collect();
    let kind = if left_ms == 0 { NoticeKind::Expired } else { NoticeKind::Expires };
    if kind == NoticeKind::Expired {
        ids.push(id("expired"));
    }
    let last = ids.pop()?;
    let managed = key.managed.as_ref();
    let notice = WatchNotice {
        key_id: Some(key.record.key_id.get()),
        name: managed.map(|managed| shown(&managed.name)),
        owner: managed.and_then(|managed| managed.owner.as_deref()).map(shown),
        level: Some(key.record.level.to_string()),
        roles: key.record.roles.iter().map(|role| shown(role)).take(10).collect(),
        comment: key.record.comment.as_deref().map(shown).filter(|comment| !comment.is_empty()),
        expires_ms: Some(expires_ms),
        before: passed
            .next_back()
            .filter(|_| kind == NoticeKind::Expires)
            .map(|last| last.text.clone()),
        ..WatchNotice::new(last, kind, &observation.tenant)
    };
    Some(Due { notice, supersedes: ids })
}

impl WatchNotice {
    /// A notice with only its subject.
    pub(super) fn new(id: String, kind: NoticeKind, tenant: &str) -> Self {
        Self {
            id,
            kind,
            tenant: shown(tenant),
            key_id: None,
            name: None,
            owner: None,
            level: None,
            roles: Vec::new(),
            comment: None,
            expires_ms: None,
            before: None,
            reason: None,
        }
    }

    /// A notice that tests a target.
    pub fn test(now_ms: u64) -> Self {
        Self::new(format!("test/{now_ms}"), NoticeKind::Test, "none")
    }
}

/// A string from a tenant in one short line, with possible keys masked.
pub(super) fn shown(text: &str) -> String {
    let line = one_line(text.trim());
    let mut out = String::with_capacity(line.len());
    for part in line.split_inclusive(|c: char| !is_of_key(c)) {
        let run = part.trim_end_matches(|c: char| !is_of_key(c));
        let is_mixed = run.bytes().any(|byte| byte.is_ascii_digit())
            && run.bytes().any(|byte| byte.is_ascii_alphabetic());
        if run.len() >= SECRET_BYTES_MIN && is_mixed {
            out += "[hidden]";
            out += &part[run.len()..];
        } else {
            out += part;
        }
    }
    if out.chars().count() > TEXT_CHARS_MAX {
        out = out.chars().take(TEXT_CHARS_MAX - 1).chain(['…']).collect();
    }
    out
}

fn is_of_key(c: char) -> bool {
    c.is_ascii_alphanumeric() || "+/=".contains(c)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use cortexkey_core::auth::{KeyId, Level};
    use cortexkey_core::lifecycle::KeyRecord;

    use super::super::observation::{ObservationError, ObservedTenant, WatchedDefinition};
    use super::*;

    const DAY_MS: u64 = 86_400_000;
    const AT_MS: u64 = 100 * DAY_MS;

    fn observation(comment: &str) -> Observation {
        let record = KeyRecord {
            key_id: KeyId::new(7).unwrap(),
            created_ms: 0,
            created_by: String::new(),
            user_name: String::new(),
            roles: vec!["Viewer".to_owned()],
            level: Level::Advanced,
            comment: Some(comment.to_owned()),
            expiry: Expiry::At { ms: AT_MS },
        };
        let managed = WatchedDefinition {
            name: "svc-a".to_owned(),
            owner: Some("team-a".to_owned()),
            drift: false,
        };
        let key = WatchedKey { record, managed: Some(managed) };
        let seen = Ok(ObservedTenant { keys: vec![key], ..ObservedTenant::default() });
        Observation { tenant: "prod".to_owned(), place: "https://t".to_owned(), seen }
    }

    fn at(now_ms: u64) -> Option<(String, Vec<String>)> {
        let mut due = due(&observation("c"), &Thresholds::default(), 0, now_ms);
        assert!(due.len() <= 1);
        due.pop().map(|due| (due.notice.id, due.supersedes))
    }

    #[test]
    fn only_the_latest_due_notice_is_sent() {
        let id = |last: &str| format!("https://t/7/{AT_MS}/{last}");
        let week = id("604800000");
        let day = id("86400000");
        assert_eq!(at(AT_MS - 7 * DAY_MS - 1), None);
        assert_eq!(at(AT_MS - 7 * DAY_MS), Some((week.clone(), vec![])));
        assert_eq!(at(AT_MS - DAY_MS - 1), Some((week.clone(), vec![])));
        assert_eq!(at(AT_MS - DAY_MS), Some((day.clone(), vec![week.clone()])));
        assert_eq!(at(AT_MS - 1), Some((day.clone(), vec![week.clone()])));
        for now in [AT_MS, AT_MS + DAY_MS, u64::MAX] {
            assert_eq!(at(now), Some((id("expired"), vec![week.clone(), day.clone()])));
        }
        let only = Thresholds::new(["30d".parse().unwrap()]).unwrap();
        let due = due(&observation("c"), &only, 0, AT_MS - 20 * DAY_MS);
        assert_eq!(due[0].notice.before.as_deref(), Some("30d"));
    }

    #[test]
    fn one_outage_has_one_notice() {
        let failed = Observation {
            seen: Err(ObservationError("no answer\nhelp".to_owned())),
            ..observation("c")
        };
        let ids = |since| due(&failed, &Thresholds::default(), since, 9)[0].notice.id.clone();
        assert_eq!(ids(5), ids(5));
        assert_ne!(ids(5), ids(6));
        let notice = &due(&failed, &Thresholds::default(), 5, 9)[0].notice;
        assert_eq!(notice.reason.as_deref(), Some("no answer"));
    }

    #[test]
    fn possible_keys_are_masked_and_long_text_is_cut() {
        let key = "k7R".repeat(42);
        let hidden = shown(&format!("key: {key}, \u{7}SEC-1\nx"));
        assert_eq!(hidden, "key: [hidden], \\u{7}SEC-1 x");
        let words = "Exports incidents to the SIEM. SEC-1234";
        assert_eq!(shown(words), words);
        assert_eq!(shown(&"word ".repeat(100)).chars().count(), TEXT_CHARS_MAX);
    }

    #[test]
    fn thresholds_are_sorted_and_named() {
        let texts = ["1d", "12h", "30d", "24h"].map(|text| text.parse().unwrap());
        let thresholds = Thresholds::new(texts).unwrap();
        assert_eq!(thresholds.ms().collect::<Vec<_>>(), [30 * DAY_MS, DAY_MS, DAY_MS / 2]);
        assert_eq!(Threshold::of_ms(DAY_MS / 2).text, "12h");
        assert_eq!(Thresholds::new([]).unwrap(), Thresholds::default());
        for bad in ["", "0", "0d", "7", "-1d", "a week"] {
            assert_eq!(bad.parse::<Threshold>(), Err(ThresholdError::Duration), "{bad}");
        }
        let many = (1..=11).map(|days| Threshold::of_ms(days * DAY_MS));
        assert_eq!(Thresholds::new(many), Err(ThresholdError::TooMany));
    }
}
