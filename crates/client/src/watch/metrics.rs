//! [`metrics`]: the state of keys in the OpenMetrics text format.
//!
//! All metrics are gauges without timestamps, so that the older Prometheus format, which the node
//! exporter's textfile collector reads, has the same meaning. A tenant that could not be queried has no
//! sample about its keys: `cortexkey_tenant_up` and the time of the last success say so.

use core::fmt::Write as _;
use std::collections::BTreeMap;

use cortexkey_core::auth::Level;
use cortexkey_core::lifecycle::Expiry;

use super::journal::NoticeJournal;
use super::notice::shown;
use super::observation::{Observation, ObservedTenant, WatchedKey};

/// The result for a target in the last run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetState {
    /// Its name.
    pub name: String,
    /// Whether everything that was due was sent.
    pub up: bool,
}

/// A metric: its name, unit, help and samples.
struct Metric {
    name: &'static str,
    unit: Option<&'static str>,
    help: &'static str,
    samples: String,
}

/// The metrics of these observations.
pub fn metrics(
    observations: &[Observation],
    targets: &[TargetState],
    journal: &NoticeJournal,
    now_ms: u64,
) -> String {
    let mut metrics = of_tenants(observations, journal);
    metrics.extend(of_keys(observations));
    metrics.extend(of_counts(observations, now_ms));
    metrics.extend(of_targets(targets, journal));
    let mut last = Metric::new(
        "cortexkey_watch_timestamp_seconds",
        "When the keys were last read, in seconds since 1970.",
    );
    last.sample(&[], &seconds(now_ms));
    metrics.push(last);
    let mut text: String = metrics.iter().map(Metric::render).collect();
    text.push_str("# EOF\n");
    text
}

fn of_tenants(observations: &[Observation], journal: &NoticeJournal) -> Vec<Metric> {
    let mut up = Metric::new("cortexkey_tenant_up", "Whether the tenant answered with its keys.");
    let mut success = Metric::new(
        "cortexkey_tenant_last_success_timestamp_seconds",
        "When the tenant last answered, in seconds since 1970.",
    );
    let mut missing = Metric::new(
        "cortexkey_keys_unreadable",
        "Keys that the tenant counts and that could not be read.",
    );
    let mut definitions = Metric::new(
        "cortexkey_definitions_up",
        "Whether the definitions of the tenant's keys could be read.",
    );
    for observation in observations {
        let tenant = [("tenant", observation.tenant.as_str())];
        up.sample(&tenant, if observation.seen.is_ok() { "1" } else { "0" });
        if let Some(ms) = journal.last_success_ms(&observation.tenant) {
            success.sample(&tenant, &seconds(ms));
        }
        let Ok(observed) = &observation.seen else { continue };
        missing.sample(&tenant, &observed.missing.to_string());
        if let Some(read) = &observed.definitions {
            definitions.sample(&tenant, if read.is_ok() { "1" } else { "0" });
        }
    }
    vec![up, success, missing, definitions]
}

fn of_keys(observations: &[Observation]) -> Vec<Metric> {
    let mut expires = Metric::new(
        "cortexkey_key_expires_timestamp_seconds",
        "When the key expires, in seconds since 1970; absent for keys that never do.",
    );
    for (observation, observed) in seen(observations) {
        for key in &observed.keys {
            let Expiry::At { ms } = key.record.expiry else { continue };
            let managed = key.managed.as_ref();
            expires.sample(
                &[
                    ("tenant", &observation.tenant),
                    ("key_id", &key.record.key_id.to_string()),
                    ("name", managed.map_or("", |managed| &managed.name)),
                    ("owner", managed.and_then(|managed| managed.owner.as_deref()).unwrap_or("")),
                    ("level", key.record.level.as_str()),
                ],
                &seconds(ms),
            );
        }
    }
    vec![expires]
}

fn of_counts(observations: &[Observation], now_ms: u64) -> Vec<Metric> {
    let mut keys = Metric::new("cortexkey_keys", "Keys of the tenant, by security level.");
    let mut roles =
        Metric::new("cortexkey_keys_by_role", "Keys that hold the role; a key may hold several.");
    let mut owners = Metric::new(
        "cortexkey_keys_by_owner",
        "Keys by the owner that their definition names; empty for keys without one.",
    );
    let mut expired = Metric::new("cortexkey_keys_expired", "Keys that have expired.");
    let mut endless = Metric::new("cortexkey_keys_without_expiry", "Keys that never expire.");
    let mut unmanaged = Metric::new(
        "cortexkey_keys_unmanaged",
        "Keys that no definition names; absent where no definitions were read.",
    );
    let mut drifted = Metric::new(
        "cortexkey_keys_drifted",
        "Keys that somebody changed since their definition was applied; absent where no definitions \
         were read.",
    );
    for (observation, observed) in seen(observations) {
        let tenant = [("tenant", observation.tenant.as_str())];
        let count =
            |is: &dyn Fn(&&WatchedKey) -> bool| observed.keys.iter().filter(is).count().to_string();
        for level in [Level::Advanced, Level::Standard] {
            let labels = [tenant[0], ("level", level.as_str())];
            keys.sample(&labels, &count(&|key| key.record.level == level));
        }
        let held = observed.keys.iter().flat_map(|key| &key.record.roles);
        for (role, count) in counted(held.map(String::as_str)) {
            roles.sample(&[tenant[0], ("role", &role)], &count.to_string());
        }
        expired.sample(&tenant, &count(&|key| key.record.expiry.is_expired(now_ms)));
        endless.sample(&tenant, &count(&|key| key.record.expiry == Expiry::Never));
        if observed.has_definitions() {
            let owner = |key: &WatchedKey| key.managed.as_ref().and_then(|of| of.owner.clone());
            let names: Vec<String> =
                observed.keys.iter().map(|key| owner(key).unwrap_or_default()).collect();
            for (owner, count) in counted(names.iter().map(String::as_str)) {
                owners.sample(&[tenant[0], ("owner", &owner)], &count.to_string());
            }
            unmanaged.sample(&tenant, &count(&|key| key.managed.is_none()));
            drifted.sample(&tenant, &count(&|key| key.managed.as_ref().is_some_and(|of| of.drift)));
        }
    }
    vec![keys, roles, owners, expired, endless, unmanaged, drifted]
}

fn of_targets(targets: &[TargetState], journal: &NoticeJournal) -> Vec<Metric> {
    let mut up = Metric::new(
        "cortexkey_target_up",
        "Whether the target took everything that was due in the last run.",
    );
    for target in targets {
        up.sample(&[("target", &target.name)], if target.up { "1" } else { "0" });
    }
    let mut waiting =
        Metric::new("cortexkey_target_waiting_notices", "Notices that wait for the target.");
    for (target, count) in journal.waiting() {
        waiting.sample(&[("target", target)], &count.to_string());
    }
    vec![up, waiting]
}

fn seen(observations: &[Observation]) -> impl Iterator<Item = (&Observation, &ObservedTenant)> {
    observations
        .iter()
        .filter_map(|observation| Some((observation, observation.seen.as_ref().ok()?)))
}

/// Counts values as they are shown: two that print alike are one sample.
fn counted<'a>(values: impl Iterator<Item = &'a str>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for value in values {
        *counts.entry(shown(value)).or_insert(0) += 1;
    }
    counts
}

impl Metric {
    fn new(name: &'static str, help: &'static str) -> Self {
        let unit = name.ends_with("_seconds").then_some("seconds");
        Self { name, unit, help, samples: String::new() }
    }

    fn sample(&mut self, labels: &[(&str, &str)], value: &str) {
        self.samples += self.name;
        if !labels.is_empty() {
            let labels: Vec<String> = labels
                .iter()
                .map(|(name, value)| format!("{name}=\"{}\"", escaped(value)))
                .collect();
            let _ = write!(self.samples, "{{{}}}", labels.join(","));
        }
        let _ = writeln!(self.samples, " {value}");
    }

    fn render(&self) -> String {
        let Self { name, help, .. } = self;
        let mut text = format!("# TYPE {name} gauge\n");
        if let Some(unit) = self.unit {
            let _ = writeln!(text, "# UNIT {name} {unit}");
        }
        text + &format!("# HELP {name} {help}\n{}", self.samples)
    }
}

/// A label's value: a string from a tenant, in one line.
fn escaped(value: &str) -> String {
    shown(value).replace('\\', "\\\\").replace('"', "\\\"")
}

/// Seconds, with milliseconds where there are any.
fn seconds(ms: u64) -> String {
    match ms % 1000 {
        0 => (ms / 1000).to_string(),
        rest => format!("{}.{rest:03}", ms / 1000),
    }
}
