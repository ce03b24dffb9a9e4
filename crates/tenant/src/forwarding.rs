//! [`Forwarding`]: rules for forwarding notices and logs.
//!
//! The rules are stored and returned, but nothing is forwarded: the emulator has no mail server and
//! no Slack.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The largest number of rules.
pub(crate) const RULES_MAX: usize = 1_000;

/// All rules.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Forwarding {
    pub(crate) rules: Vec<Rule>,
    made: u64,
}

/// A rule, in the product's form.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Rule {
    pub(crate) name: String,
    #[serde(rename = "rule_uuid")]
    pub(crate) uuid: String,
    pub(crate) description: String,
    pub(crate) forward_type: ForwardType,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) filter: Option<Value>,
    pub(crate) forward_source: Source,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) applications: Vec<String>,
    pub(crate) time_zone: String,
    pub(crate) mail_format: Format,
    pub(crate) syslog_format: Format,
    pub(crate) slack_format: Format,
    pub(crate) created_by: String,
    pub(crate) created_at: u64,
    pub(crate) modified_at: u64,
    pub(crate) enabled: bool,
}

/// What a rule forwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ForwardType {
    Alert,
    Audit,
    AgentAudit,
    Case,
}

/// The format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Format {
    #[default]
    Issue,
    StandardAlert,
    LegacyAlert,
}

/// The recipient.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Source {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) email: Option<Email>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) slack: Option<Slack>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) syslog: Option<Syslog>,
}

/// By e-mail.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Email {
    pub(crate) distribution_list: Vec<String>,
    /// In minutes.
    #[serde(default = "ten")]
    pub(crate) aggregation: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) custom_mail_subject: Option<String>,
    #[serde(default)]
    pub(crate) legacy_mail_format: bool,
}

/// To Slack.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Slack {
    pub(crate) channels: Vec<String>,
}

/// To a syslog server.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Syslog {
    pub(crate) id: u64,
}

fn ten() -> u32 {
    10
}

impl Forwarding {
    /// A new id.
    pub(crate) fn next_uuid(&mut self) -> String {
        self.made += 1;
        format!("3053ad1f-0000-4000-8000-{:012x}", self.made)
    }

    /// The rule with this id.
    pub(crate) fn find(&self, uuid: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.uuid == uuid)
    }

    pub(crate) fn find_mut(&mut self, uuid: &str) -> Option<&mut Rule> {
        self.rules.iter_mut().find(|rule| rule.uuid == uuid)
    }
}
