//! The baseline: findings that existed when a team adopted the linter, and that do not count.
//!
//! Entries are matched by fingerprint, never by line, and their number only falls. A baseline never
//! contains secrets, findings of rules that are locked or not waivable, or findings that report
//! that something could not be checked.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::model::{Family, Finding, Report, WaivedBy};
use crate::policy::Policy;

/// The version of the format.
const VERSION: u32 = 1;

/// A baseline as it is written to a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    version: u32,
    findings: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// The file and key, for readers.
    file: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    code: String,
    name: String,
    fingerprint: String,
}

/// A finding of a baseline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownFinding {
    /// The file that it was in.
    pub file: String,
    /// The key that it was about.
    pub key: Option<String>,
    /// The rule's code.
    pub code: String,
    /// The rule's name.
    pub name: String,
    /// True when it is no longer found, although the run would have found it.
    pub is_gone: bool,
}

/// Why a file is not a baseline.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BaselineError {
    /// It does not have the form. The file may contain anything, so nothing of it is repeated.
    #[error(
        "it is not a baseline: {kind} error in line {line}; restore it, or delete it and write a new one \
         with `cortexkey lint --write-baseline`"
    )]
    Form {
        /// The kind of the error, such as `syntax`.
        kind: String,
        /// The line, from 1.
        line: usize,
    },
    /// It has another version.
    #[error(
        "it is a baseline of version {version}, and this program reads version {VERSION}; write a \
         new one with --write-baseline"
    )]
    Version {
        /// Its version.
        version: u32,
    },
}

impl From<serde_json::Error> for BaselineError {
    fn from(error: serde_json::Error) -> Self {
        let kind = format!("{:?}", error.classify()).to_lowercase();
        Self::Form { kind, line: error.line() }
    }
}

impl Baseline {
    /// Reads a baseline's text.
    pub fn read(text: &str) -> Result<Self, BaselineError> {
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        let Version { version } = serde_json::from_str(text)?;
        if version != VERSION {
            return Err(BaselineError::Version { version });
        }
        Ok(serde_json::from_str(text)?)
    }

    /// The findings of a report that may go into a baseline, and how many may not. If there is an
    /// older baseline, only its own findings stay.
    #[must_use]
    pub fn from_report(report: &Report, policy: &Policy, older: Option<&Self>) -> (Self, usize) {
        let mut known = older.map(Self::counts);
        let mut left = 0;
        let mut findings: Vec<Entry> = Vec::new();
        let of_baseline = report.waived.iter().filter(|waived| waived.by == WaivedBy::Baseline);
        for finding in report.findings.iter().chain(of_baseline.map(|waived| &waived.finding)) {
            let allowed = may_hold(policy, finding);
            if allowed && known.as_mut().is_none_or(|known| take(known, &finding.fingerprint)) {
                findings.push(Entry {
                    file: report.sources[finding.location.source].policy_path.clone(),
                    key: finding.key.clone(),
                    code: finding.rule.code().to_owned(),
                    name: finding.rule.name().to_owned(),
                    fingerprint: finding.fingerprint.clone(),
                });
            } else {
                left += 1;
            }
        }
        (Self { version: VERSION, findings }, left)
    }

    /// Joins the baselines of several policies, and keeps those findings of the older baseline that
    /// these runs could not have found.
    #[must_use]
    pub fn join(all: Vec<Self>, older: Option<&Self>, report: &Report) -> Self {
        let mut findings: Vec<Entry> = all.into_iter().flat_map(|one| one.findings).collect();
        let older = older.map(|older| older.findings.as_slice()).unwrap_or_default();
        let unseen: Vec<Entry> = {
            let mut found = counts(&findings);
            let is_unseen = |entry: &&Entry| {
                !take(&mut found, &entry.fingerprint) && !entry.would_be_found(report)
            };
            older.iter().filter(is_unseen).cloned().collect()
        };
        findings.extend(unseen);
        findings.sort();
        Self { version: VERSION, findings }
    }

    /// The text of the file.
    #[must_use]
    pub fn text(&self) -> String {
        // Strings and a number cannot fail to serialize.
        let mut out = serde_json::to_string_pretty(self).unwrap_or_default();
        out.push('\n');
        out
    }

    /// How many findings it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.findings.len()
    }

    /// True when it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.findings.is_empty()
    }

    /// Splits findings into new ones and known ones.
    pub(crate) fn take_off(
        &self,
        findings: Vec<Finding>,
        policy: &Policy,
    ) -> (Vec<Finding>, Vec<Finding>) {
        let mut known = self.counts();
        let is_new = |finding: &Finding| {
            !(may_hold(policy, finding) && take(&mut known, &finding.fingerprint))
        };
        findings.into_iter().partition(is_new)
    }

    /// Its findings, each with whether a report no longer has it.
    #[must_use]
    pub fn known(&self, report: &Report) -> Vec<KnownFinding> {
        let mut found: BTreeMap<&str, usize> = BTreeMap::new();
        let covered = report.waived.iter().filter(|waived| waived.by == WaivedBy::Baseline);
        for waived in covered {
            *found.entry(&waived.finding.fingerprint).or_default() += 1;
        }
        let known = self.findings.iter().map(|entry| KnownFinding {
            file: entry.file.clone(),
            key: entry.key.clone(),
            code: entry.code.clone(),
            name: entry.name.clone(),
            is_gone: !take(&mut found, &entry.fingerprint) && entry.would_be_found(report),
        });
        known.collect()
    }

    fn counts(&self) -> BTreeMap<&str, usize> {
        counts(&self.findings)
    }
}

impl Entry {
    /// Whether a run would have found it, so that it is gone if the run did not.
    fn would_be_found(&self, report: &Report) -> bool {
        report.coverage.includes(&self.code, &self.file)
    }
}

/// How often each fingerprint occurs.
fn counts(entries: &[Entry]) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for entry in entries {
        *counts.entry(entry.fingerprint.as_str()).or_default() += 1;
    }
    counts
}

fn take(known: &mut BTreeMap<&str, usize>, fingerprint: &str) -> bool {
    let left = known.get_mut(fingerprint).filter(|left| **left > 0);
    left.map(|left| *left -= 1).is_some()
}

/// Secrets, and rules without exceptions, must be fixed; they never go into a baseline.
fn may_hold(policy: &Policy, finding: &Finding) -> bool {
    let family = finding.rule.family();
    !matches!(family, Some(Family::Secret | Family::Policy))
        && policy.cover_forbidden(finding).is_none()
}
