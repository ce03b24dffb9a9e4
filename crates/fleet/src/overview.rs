//! [`Overview`]: the figures of all keys, and the keys that need attention.

use std::collections::BTreeMap;

use cortexkey_client::time::time_text;
use cortexkey_core::auth::Level;

use crate::definitions::State;
use crate::facts::{KeyExpiry, KeyFacts, KeyState};

/// A day, in milliseconds.
pub(crate) const DAY_MS: u64 = 24 * 60 * 60 * 1000;
/// A week, in milliseconds: the product's first notice.
pub const WEEK_MS: u64 = 7 * DAY_MS;
/// Thirty days, in milliseconds: a key that expires within them counts as expiring soon.
pub const MONTH_MS: u64 = 30 * DAY_MS;
/// The weeks of the timeline: the longest lifetime of a key that the API generates.
const WEEKS: u64 = 27;

/// The figures of all keys, the same for the console's page and for the report.
#[derive(Clone, Debug)]
pub struct Overview<'k> {
    /// The time of the figures, in milliseconds since 1970.
    pub now_ms: u64,
    /// How many keys there are.
    pub keys: usize,
    /// Keys that never expire.
    pub never_expire: usize,
    /// Keys with the security level Standard.
    pub standard: usize,
    /// Whether definitions and tenant were compared. If not, no key is known to be unmanaged or
    /// drifted.
    pub is_compared: bool,
    /// Whether there were definitions, which rules were checked on.
    pub is_checked: bool,
    /// When keys expire.
    pub timeline: Timeline,
    /// Keys by owner.
    pub owners: Vec<Group>,
    /// Keys by security level.
    pub levels: Vec<Group>,
    /// Keys by privileged role; one with several counts for each.
    pub privileged_roles: Vec<Group>,
    /// Keys by how much their scopes let them see.
    pub scopes: Vec<Group>,
    /// Expired keys.
    pub expired: Vec<&'k KeyFacts>,
    /// Keys that expire within 30 days, the earliest first.
    pub expiring: Vec<&'k KeyFacts>,
    /// Keys that no definition names.
    pub unmanaged: Vec<&'k KeyFacts>,
    /// Keys that were changed in the tenant, not through their definitions.
    pub drifted: Vec<&'k KeyFacts>,
    /// Keys whose definitions were changed and not applied.
    pub not_applied: Vec<&'k KeyFacts>,
    /// Keys that could not be compared with their definitions.
    pub unclear: Vec<&'k KeyFacts>,
    /// Definitions whose keys the tenant does not have.
    pub not_generated: Vec<&'k KeyFacts>,
    /// Keys whose definitions break a rule of the policy.
    pub with_findings: Vec<&'k KeyFacts>,
    /// Keys that can create keys.
    pub creators: Vec<&'k KeyFacts>,
    /// Keys for which it is unknown whether they can create keys.
    pub possible_creators: Vec<&'k KeyFacts>,
}

/// When keys expire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeline {
    /// Keys that have expired.
    pub expired: usize,
    /// The weeks from now on.
    pub weeks: Vec<Week>,
    /// Keys that expire after the last week.
    pub later: usize,
    /// Keys that never expire.
    pub never: usize,
    /// Keys that are not generated yet, so their expiry has no date.
    pub undated: usize,
}

/// A week of the timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Week {
    /// Its start, in milliseconds since 1970.
    pub from_ms: u64,
    /// How many keys expire in it.
    pub count: usize,
}

/// Keys that have something in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// What they have in common; absent for keys that have none, or if it is unknown.
    pub name: Option<String>,
    /// How many there are.
    pub count: usize,
}

impl<'k> Overview<'k> {
    /// Counts keys at a time. Definitions whose keys the tenant does not have are listed, but not
    /// counted.
    pub fn new(facts: &'k [KeyFacts], is_compared: bool, now_ms: u64) -> Self {
        let (not_generated, keys): (Vec<&KeyFacts>, Vec<&KeyFacts>) =
            facts.iter().partition(|key| key.state == KeyState::NotGenerated);
        let all = |is: &dyn Fn(&KeyFacts) -> bool| -> Vec<&KeyFacts> {
            keys.iter().copied().filter(|key| is(key)).collect()
        };
        let managed = |state| all(&|key| key.state == KeyState::Managed(state));
        let has_expired = |key: &KeyFacts| matches!(key.expiry, KeyExpiry::At(ms) if ms <= now_ms);
        let mut expiring: Vec<_> = all(&|key| key.expiry.is_within(now_ms, MONTH_MS));
        expiring.sort_by_key(|key| ends(key));
        let mut expired: Vec<_> = all(&has_expired);
        expired.sort_by_key(|key| ends(key));
        Self {
            now_ms,
            keys: keys.len(),
            never_expire: keys.iter().filter(|key| key.expiry == KeyExpiry::Never).count(),
            standard: keys.iter().filter(|key| key.level == Some(Level::Standard)).count(),
            is_compared,
            is_checked: facts.iter().any(|key| key.state != KeyState::NotCompared),
            timeline: Timeline::new(&keys, now_ms),
            owners: groups(keys.iter().map(|key| key.owner.clone())),
            levels: groups(keys.iter().map(|key| key.level.map(|level| level.to_string()))),
            privileged_roles: groups(keys.iter().flat_map(|key| privileged(key))),
            scopes: groups(keys.iter().map(|key| Some(key.scope.title().to_owned()))),
            expired,
            expiring,
            unmanaged: all(&|key| key.state == KeyState::Unmanaged),
            drifted: managed(State::Drifted),
            not_applied: managed(State::Pending),
            unclear: managed(State::Unclear),
            not_generated,
            with_findings: all(&|key| !key.findings.is_empty()),
            creators: all(&|key| key.can_create_keys == Some(true)),
            possible_creators: all(&|key| key.can_create_keys.is_none()),
        }
    }

    /// How many keys expire within a week.
    pub fn within_week(&self) -> usize {
        self.expiring.iter().filter(|key| key.expiry.is_within(self.now_ms, WEEK_MS)).count()
    }

    /// The figures that every form of the overview begins with.
    pub fn figures(&self) -> Vec<Figure> {
        let figure = |code, title, count, tone| Figure { code, title, count, tone };
        let mut figures = vec![
            figure("keys", "Keys", self.keys, Tone::Plain),
            figure("expired", "Expired", self.expired.len(), Tone::Plain),
            figure("expireIn7Days", "Expire in 7 days", self.within_week(), Tone::Bad),
            figure("expireIn30Days", "Expire in 30 days", self.expiring.len(), Tone::Warn),
            figure("neverExpire", "Never expire", self.never_expire, Tone::Warn),
            figure("standard", "Standard", self.standard, Tone::Plain),
            figure("createKeys", "Create keys", self.creators.len(), Tone::Warn),
        ];
        if self.is_compared {
            figures.extend([
                figure("unmanaged", "Unmanaged", self.unmanaged.len(), Tone::Plain),
                figure("drifted", "Drifted", self.drifted.len(), Tone::Warn),
                figure("notApplied", "Not applied", self.not_applied.len(), Tone::Plain),
                figure("unclear", "Unclear", self.unclear.len(), Tone::Warn),
                figure("notGenerated", "Not generated", self.not_generated.len(), Tone::Plain),
            ]);
        }
        // Without definitions, no rule was checked.
        if self.is_checked {
            let broken = self.with_findings.len();
            figures.push(figure("breakPolicyRule", "Break a policy rule", broken, Tone::Plain));
        }
        figures
    }

    /// The groups of keys, by what they have in common.
    pub fn groupings(&self) -> [Grouping<'_>; 4] {
        let grouping = |title, none, groups| Grouping { title, none, groups };
        [
            grouping("Owner", "no owner known", &self.owners),
            grouping("Security level", "not defined", &self.levels),
            grouping("Privileged role", "no privileged role", &self.privileged_roles),
            grouping("Scope", "", &self.scopes),
        ]
    }
}

/// Keys by what they have in common.
#[derive(Clone, Copy, Debug)]
pub struct Grouping<'o> {
    /// The name of the shared property.
    pub title: &'static str,
    /// The label for keys without it.
    pub none: &'static str,
    /// The groups, the largest first.
    pub groups: &'o [Group],
}

/// A figure of the overview.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figure {
    /// Its stable name.
    pub code: &'static str,
    /// Its title, as users see it.
    pub title: &'static str,
    /// The number of keys.
    pub count: usize,
    /// How much attention a count above 0 needs.
    pub tone: Tone,
}

/// How much attention a figure above 0 needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// It needs no attention.
    Plain,
    /// It needs attention.
    Warn,
    /// It needs attention now.
    Bad,
}

/// A step of the timeline: a week, or the time outside the weeks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimelineStep {
    /// What it stands for.
    pub span: TimeSpan,
    /// The number of keys.
    pub count: usize,
}

/// What a step of the timeline stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeSpan {
    /// The time before now.
    Expired,
    /// The week that begins at this time, in milliseconds since 1970.
    Week(u64),
    /// The time after the last week.
    Later,
    /// No time: the keys never expire.
    Never,
    /// No time yet: the keys are not generated.
    Undated,
}

impl TimelineStep {
    /// The step in words.
    pub fn to_text(&self) -> String {
        let day = |ms| time_text(ms).chars().take(10).collect::<String>();
        match self.span {
            TimeSpan::Expired => "expired".to_owned(),
            TimeSpan::Week(from_ms) => {
                format!("{} to {}", day(from_ms), day(from_ms.saturating_add(WEEK_MS)))
            }
            TimeSpan::Later => "later".to_owned(),
            TimeSpan::Never => "never".to_owned(),
            TimeSpan::Undated => "not generated".to_owned(),
        }
    }
}

impl Timeline {
    /// All steps in chronological order. `Later` and `Undated` are included only if they have keys.
    pub fn steps(&self) -> Vec<TimelineStep> {
        let step = |span, count| TimelineStep { span, count };
        let mut steps = vec![step(TimeSpan::Expired, self.expired)];
        steps.extend(self.weeks.iter().map(|week| step(TimeSpan::Week(week.from_ms), week.count)));
        let rest = [(TimeSpan::Later, self.later), (TimeSpan::Undated, self.undated)];
        steps.extend(rest.into_iter().filter(|(_, count)| *count > 0).map(|(s, c)| step(s, c)));
        steps.push(step(TimeSpan::Never, self.never));
        steps
    }

    fn new(keys: &[&KeyFacts], now_ms: u64) -> Self {
        let week = |at| Week { from_ms: now_ms.saturating_add(at * WEEK_MS), count: 0 };
        let mut timeline = Self {
            expired: 0,
            weeks: (0..WEEKS).map(week).collect(),
            later: 0,
            never: 0,
            undated: 0,
        };
        for key in keys {
            let count = match key.expiry {
                KeyExpiry::Never => &mut timeline.never,
                KeyExpiry::After(_) | KeyExpiry::Unknown => &mut timeline.undated,
                KeyExpiry::At(ms) if ms <= now_ms => &mut timeline.expired,
                KeyExpiry::At(ms) => {
                    // A key that expires on the boundary of two weeks belongs to the earlier one.
                    let at = usize::try_from((ms - now_ms - 1) / WEEK_MS).unwrap_or(usize::MAX);
                    match timeline.weeks.get_mut(at) {
                        Some(week) => &mut week.count,
                        None => &mut timeline.later,
                    }
                }
            };
            *count += 1;
        }
        timeline
    }
}

const fn ends(key: &KeyFacts) -> u64 {
    match key.expiry {
        KeyExpiry::At(ms) => ms,
        KeyExpiry::Never | KeyExpiry::After(_) | KeyExpiry::Unknown => u64::MAX,
    }
}

/// The privileged roles of a key; a single `None` for a key without one.
fn privileged(key: &KeyFacts) -> Vec<Option<String>> {
    if key.privileged_roles.is_empty() {
        return vec![None];
    }
    key.privileged_roles.iter().cloned().map(Some).collect()
}

/// Counts each name, the most frequent first. Keys without a name come last.
fn groups(names: impl Iterator<Item = Option<String>>) -> Vec<Group> {
    let mut counts: BTreeMap<Option<String>, usize> = BTreeMap::new();
    for name in names {
        *counts.entry(name).or_default() += 1;
    }
    let mut groups: Vec<Group> =
        counts.into_iter().map(|(name, count)| Group { name, count }).collect();
    groups.sort_by_key(|group| (group.name.is_none(), core::cmp::Reverse(group.count)));
    groups
}
