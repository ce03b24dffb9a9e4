//! [`Diff`]: one definition compared with its key.

use std::collections::BTreeSet;

use cortexkey_api::api_keys::ApiKeyRecord;
use cortexkey_api::asset_group::AssetGroupRecord;
use cortexkey_api::scope::{AreaMode, AxisMode, AxisWrite, ScopeRead, ScopeWrite};
use cortexkey_api::scope_mapping::from_read;
use cortexkey_core::access::{Gain, KeyDefinition, Role, Unreferenced, Widening, compare};
use cortexkey_core::auth::{KeyId, Level};
use cortexkey_core::lifecycle::Expiry;
use cortexkey_manifest::access::ResolvedRole;
use cortexkey_manifest::lock::LockedKey;
use cortexkey_manifest::policy;
use cortexkey_system::counted;

use super::action::{Action, ActionKind, ActionStep, FieldChange, PlannedGain, split_help};
use super::desired::Desired;
use super::end::End;
use super::refusal::PlanRefusal;
use super::{PlanOptions, TenantState};
use crate::resources::{ApiPermission, ExpiryError, NewKey, ObservedScope, is_system};

const MINUTE_MS: u64 = 60 * 1000;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY_MS: u64 = 24 * HOUR_MS;
/// Expiries this close are equal: some tenants store seconds.
const EXPIRY_TOLERANCE_MS: u64 = 1000;
/// Lifetimes this close are equal: two clocks and a request lie between.
const LIFETIME_TOLERANCE_MS: u64 = 60 * 60 * 1000;

pub(super) struct Diff<'a> {
    pub(super) desired: &'a Desired,
    pub(super) catalog: &'a [&'a policy::CatalogRole],
    pub(super) entry: &'a LockedKey,
    pub(super) state: &'a TenantState,
    pub(super) options: &'a PlanOptions,
}

/// A new key that replaces the current one.
struct Replacement {
    reason: &'static str,
    /// What makes it necessary.
    change: FieldChange,
    /// Whether the difference may come from a change outside cortexkey.
    may_be_drift: bool,
}

impl Diff<'_> {
    pub(super) fn run(&self, actions: &mut Vec<Action>) {
        if let Err(refusal) = self.try_run(actions) {
            actions.push(self.refuse(&refusal));
        }
    }

    fn try_run(&self, actions: &mut Vec<Action>) -> Result<(), PlanRefusal> {
        self.check_roles()?;
        let scope = self.desired.scope(self.state)?;
        let record = self.id().and_then(|id| self.state.keys.get(&id));
        match record {
            None if self.id().is_some_and(|id| self.state.unclear.contains(&id)) => {
                Err(PlanRefusal::UnreadKey)
            }
            None => self.generate(scope, actions),
            Some(record) => {
                if scope.is_some() {
                    self.check_scope(record)?;
                }
                let mut needed = Vec::new();
                self.compare(record, scope, &mut needed)?;
                if is_system(record) && !needed.is_empty() {
                    return Err(PlanRefusal::SystemKey { id: record.id });
                }
                actions.append(&mut needed);
                Ok(())
            }
        }
    }

    fn id(&self) -> Option<u64> {
        self.entry.id.map(KeyId::get)
    }

    fn action(&self, kind: ActionKind, reason: impl Into<String>, step: ActionStep) -> Action {
        let (reason, help) = split_help(reason);
        Action {
            key: self.desired.name.clone(),
            id: self.id(),
            action: kind,
            reason,
            help,
            changes: Vec::new(),
            widens: Vec::new(),
            drift: false,
            step,
        }
    }

    fn refuse(&self, refusal: &PlanRefusal) -> Action {
        self.action(ActionKind::Refuse, refusal.to_string(), ActionStep::Nothing)
    }

    fn check_scope(&self, record: &ApiKeyRecord) -> Result<(), PlanRefusal> {
        if let Some(why) = self.state.unread_scopes.get(&record.id) {
            return Err(PlanRefusal::UnreadScope { why: why.clone() });
        }
        match self.state.scopes.get(&record.id) {
            Some(None) => Err(PlanRefusal::NoScopes),
            _ => Ok(()),
        }
    }

    fn check_roles(&self) -> Result<(), PlanRefusal> {
        let Some(known) = &self.state.roles else { return Ok(()) };
        let missing = self.desired.roles.iter().find(|role| !known.contains(role));
        match missing {
            None => Ok(()),
            Some(role) => Err(PlanRefusal::MissingRole { role: role.clone() }),
        }
    }

    fn new_key(&self, scope: Option<ScopeWrite>) -> Result<NewKey, PlanRefusal> {
        let now_ms = self.options.now_ms;
        let expiration_ms = match self.desired.end {
            End::Never => return Err(PlanRefusal::NeverExpires),
            End::At { ms } => ms,
            End::After { ms } => now_ms.saturating_add(ms),
        };
        if scope.is_some() && self.state.lacks_access_management {
            return Err(PlanRefusal::CannotSetScope { lacks: ApiPermission::AccessManagementEdit });
        }
        let new = NewKey {
            name: Some(self.desired.name.clone()),
            roles: self.desired.roles.clone(),
            level: self.desired.level,
            comment: self.desired.comment.clone(),
            owner: self.desired.owner.clone(),
            expiration_ms: Some(expiration_ms),
            scope,
        };
        match new.check_expiry(now_ms) {
            Ok(()) => Ok(new),
            Err(ExpiryError::Passed) => Err(PlanRefusal::Expired),
            Err(ExpiryError::TooLate) => Err(PlanRefusal::LivesTooLong),
        }
    }

    fn generate(
        &self,
        scope: Option<ScopeWrite>,
        actions: &mut Vec<Action>,
    ) -> Result<(), PlanRefusal> {
        let reason = match self.entry.id {
            Some(id) => format!("the tenant no longer has key {id}"),
            None => "it has no key yet".to_owned(),
        };
        let mut changes = vec![
            change("roles", "", &self.desired.roles.join(", ")),
            change("level", "", self.desired.level.as_str()),
            change("expiry", "", &end(self.desired.end)),
        ];
        changes.extend(self.desired.comment.iter().map(|text| change("comment", "", text)));
        changes.extend(self.new_scope(scope.as_ref()));
        let new = self.new_key(scope)?;
        let mut action = self.action(ActionKind::Generate, reason, ActionStep::Renew(new));
        action.changes = changes;
        action.widens = gained(&compare(&[], &[self.desired.definition()]));
        action.drift = self.entry.id.is_some() && self.is_unchanged();
        actions.push(action);
        Ok(())
    }

    /// Whether the definition equals the one applied last.
    fn is_unchanged(&self) -> bool {
        self.desired.was_applied(self.entry.applied.as_deref())
    }

    fn compare(
        &self,
        record: &ApiKeyRecord,
        scope: Option<ScopeWrite>,
        actions: &mut Vec<Action>,
    ) -> Result<(), PlanRefusal> {
        let read = self.state.scopes.get(&record.id).and_then(Option::as_ref);
        let widens = self.widens(record, read);
        let replacement = self.replacement(record)?;
        let mut changes = self.key_changes(record);
        let scope_changes = self.scope_changes(scope.as_ref(), read);
        if let Some(replacement) = replacement {
            changes.extend(scope_changes);
            actions.push(self.replace(replacement, scope, changes, widens)?);
            return Ok(());
        }
        // A gain is reported once, where it occurs.
        let (of_scope, of_key): (Vec<_>, Vec<_>) =
            widens.into_iter().partition(|gain| is_about_scope(gain.code));
        if !changes.is_empty() {
            actions.push(self.edit(changes, of_key));
            if self.state.lacks_access_management {
                return Ok(());
            }
        }
        if let Some(scope) = scope.filter(|_| !scope_changes.is_empty()) {
            // What the tenant does not return is not drift.
            let is_seen = read.map(ObservedScope::from) != Some(ObservedScope::from(&scope));
            let mut action =
                self.action(ActionKind::Scope, self.differs(), ActionStep::Scope(scope));
            action.changes = scope_changes;
            action.widens = of_scope;
            action.drift = is_seen && self.is_unchanged();
            actions.push(action);
        }
        Ok(())
    }

    fn replace(
        &self,
        replacement: Replacement,
        scope: Option<ScopeWrite>,
        mut changes: Vec<FieldChange>,
        widens: Vec<PlannedGain>,
    ) -> Result<Action, PlanRefusal> {
        let Replacement { reason, change, may_be_drift } = replacement;
        let new = self.new_key(scope).map_err(|refusal| {
            let refusal = Box::new(refusal);
            PlanRefusal::CannotReplace { reason, refusal }
        })?;
        changes.push(change);
        let mut action = self.action(ActionKind::Replace, reason, ActionStep::Renew(new));
        action.changes = changes;
        action.widens = widens;
        action.drift = may_be_drift && self.is_unchanged();
        Ok(action)
    }

    /// Edits the key, or returns the reason why the signing key cannot.
    fn edit(&self, changes: Vec<FieldChange>, widens: Vec<PlannedGain>) -> Action {
        if self.state.lacks_access_management {
            let lacks = ApiPermission::AccessManagementEdit;
            return Action { changes, ..self.refuse(&PlanRefusal::CannotEdit { lacks }) };
        }
        let step = ActionStep::Edit {
            roles: self.desired.roles.clone(),
            comment: self.desired.comment.clone(),
        };
        let action = self.action(ActionKind::Edit, self.differs(), step);
        Action { changes, widens, drift: self.is_unchanged(), ..action }
    }

    fn differs(&self) -> &'static str {
        if self.is_unchanged() {
            "the key was changed in the tenant"
        } else {
            "the definition changed"
        }
    }

    /// The replacement that the definition asks for, if an edit cannot reach it.
    fn replacement(&self, record: &ApiKeyRecord) -> Result<Option<Replacement>, PlanRefusal> {
        let now_ms = self.options.now_ms;
        let ends = |reason, may_be_drift| {
            let change = change("expiry", &expiry(record.expiration), &end(self.desired.end));
            Ok(Some(Replacement { reason, change, may_be_drift }))
        };
        if record.expiration.is_some_and(|ms| ms <= now_ms) {
            return ends("the key has expired", false);
        }
        let from = Level::from(record.security_level);
        let to = self.desired.level;
        if from != to {
            return Ok(Some(Replacement {
                reason: "another level would break the key's clients, so a new key replaces it",
                change: change("level", from.as_str(), to.as_str()),
                may_be_drift: true,
            }));
        }
        let cannot = "the API cannot change an expiry, so a new key replaces it";
        match (self.desired.end, record.expiration) {
            (End::Never, None) => Ok(None),
            (End::Never, Some(_)) => Err(PlanRefusal::ShouldNeverExpire),
            (End::At { ms }, Some(has)) if ms.abs_diff(has) <= EXPIRY_TOLERANCE_MS => Ok(None),
            (End::At { .. }, _) | (End::After { .. }, None) => ends(cannot, true),
            (End::After { ms }, Some(has)) => {
                let differs = match record.creation_time {
                    Some(made) => has.saturating_sub(made).abs_diff(ms) > LIFETIME_TOLERANCE_MS,
                    // What is left of it is at most the lifetime.
                    None => has.saturating_sub(now_ms) > ms.saturating_add(LIFETIME_TOLERANCE_MS),
                };
                if differs {
                    return ends(cannot, true);
                }
                let before = self.options.rotate_before_ms.min(ms / 3);
                if has.saturating_sub(before) <= now_ms {
                    return ends("its rotation is due: its lifetime is nearly over", false);
                }
                Ok(None)
            }
        }
    }

    fn key_changes(&self, record: &ApiKeyRecord) -> Vec<FieldChange> {
        let mut changes = Vec::new();
        let set = |roles: &[String]| roles.iter().cloned().collect::<BTreeSet<_>>();
        if set(&record.roles) != set(&self.desired.roles) {
            let from = record.roles.join(", ");
            let to = self.desired.roles.join(", ");
            changes.push(change("roles", &from, &to));
        }
        let has = record.comment.as_deref().unwrap_or_default();
        let wanted = self.desired.comment.as_deref().unwrap_or_default();
        if has != wanted {
            changes.push(change("comment", has, wanted));
        }
        changes
    }

    /// The scope of a key to generate.
    fn new_scope(&self, scope: Option<&ScopeWrite>) -> Vec<FieldChange> {
        let Some(scope) = scope else { return Vec::new() };
        let areas = areas(scope, &|id| self.group_name(id));
        let areas = areas.iter().filter(|(_, to)| !to.is_empty());
        let unreferenced = self.desired.unreferenced().map(|flag| flag.to_string());
        areas
            .map(|(field, to)| change(field, "", to))
            .chain(unreferenced.map(|to| change("unreferenced", "", &to)))
            .collect()
    }

    fn group_name(&self, id: u64) -> String {
        let groups = &self.state.asset_groups;
        let Some(known) = groups.iter().find(|group| group.id == id) else {
            return format!("id {id}");
        };
        // Groups of one name differ only in their ids.
        let is_twin = |group: &&AssetGroupRecord| group.name == known.name && group.id != id;
        match groups.iter().find(is_twin) {
            Some(_) => format!("{} (id {id})", known.name),
            None => known.name.clone(),
        }
    }

    fn scope_changes(
        &self,
        scope: Option<&ScopeWrite>,
        read: Option<&ScopeRead>,
    ) -> Vec<FieldChange> {
        let Some(scope) = scope else { return Vec::new() };
        let mut changes = Vec::new();
        if read.map(ObservedScope::from) != Some(ObservedScope::from(scope)) {
            let group = |id: u64| self.group_name(id);
            let has = read.map(|read| areas(&crate::resources::write_of(read, false), &group));
            for (at, (field, to)) in areas(scope, &group).into_iter().enumerate() {
                let from = has.as_ref().map_or("", |areas| areas[at].1.as_str());
                if from != to {
                    changes.push(change(field, from, &to));
                }
            }
        }
        let unreferenced = self.desired.unreferenced();
        if unreferenced.is_some() && unreferenced != self.entry.unreferenced {
            let word = |flag: Option<bool>| {
                flag.map_or("not known", |flag| if flag { "true" } else { "false" })
            };
            let from = word(self.entry.unreferenced);
            let to = word(unreferenced);
            changes.push(change("unreferenced", from, to));
        }
        changes
    }

    /// What the key gains.
    fn widens(&self, record: &ApiKeyRecord, read: Option<&ScopeRead>) -> Vec<PlannedGain> {
        let product = self.desired.access.tenant.product;
        let names = record.roles.iter().map(String::as_str);
        let resolved = ResolvedRole::all(names, self.catalog, product);
        let roles: Vec<Role<String>> = resolved.into_iter().map(|resolved| resolved.role).collect();
        let mut scope = read.and_then(|read| from_read(read).ok());
        if let Some(scope) = &mut scope
            && scope.cases_and_issues.unreferenced == Unreferenced::Unknown
        {
            // What the tenant was last sent; assumed to be off if nothing was sent.
            scope.cases_and_issues.unreferenced = (self.entry.unreferenced == Some(true)).into();
        }
        // A lifetime is compared with the original lifetime of the key.
        let (expiry, lifetime_ms) = match (self.desired.end, record.expiration) {
            (End::After { .. }, Some(ms)) => {
                let made = record.creation_time.unwrap_or(0);
                let life = ms.saturating_sub(made);
                (Expiry::Never, Some(life.saturating_add(LIFETIME_TOLERANCE_MS)))
            }
            (_, expiration) => (expiration.map_or(Expiry::Never, |ms| Expiry::At { ms }), None),
        };
        let after = self.desired.definition();
        let before = KeyDefinition {
            name: &self.desired.name,
            level: Level::from(record.security_level),
            expiry,
            lifetime_ms,
            roles: &roles,
            // Nothing is sent for a scope that is not defined, so none is removed.
            scope: scope.as_ref().filter(|_| after.scope.is_some()),
        };
        gained(&compare(&[before], &[after]))
    }
}

fn gained(gains: &[Gain<'_>]) -> Vec<PlannedGain> {
    let of =
        |gain: &Gain<'_>| PlannedGain { code: gain.code(), message: change_text(&gain.widening) };
    gains.iter().map(of).collect()
}

/// A gain in words: times as times, and durations in the largest unit that shows the difference.
fn change_text(widening: &Widening<'_>) -> String {
    match widening {
        Widening::ExpiryLater { from_ms, to_ms } => {
            format!("it expires at {}, not at {}", time(*to_ms), time(*from_ms))
        }
        Widening::LifetimeLonger { from_ms, to_ms } => {
            let rounded = |ms: u64, unit: u64| ms.saturating_add(unit / 2) / unit;
            let units = [(DAY_MS, "day"), (HOUR_MS, "hour")];
            let shows = |unit: &(u64, &str)| rounded(*from_ms, unit.0) != rounded(*to_ms, unit.0);
            let (unit, noun) = units.into_iter().find(shows).unwrap_or((MINUTE_MS, "minute"));
            let of =
                |ms: u64| counted(usize::try_from(rounded(ms, unit)).unwrap_or(usize::MAX), noun);
            format!("its lifetime is {}, not {}", of(*to_ms), of(*from_ms))
        }
        other => other.to_string(),
    }
}

fn is_about_scope(code: &str) -> bool {
    !matches!(
        code,
        "role-added"
            | "component-raised"
            | "action-gained"
            | "expiry-later"
            | "expiry-removed"
            | "expiry-kind-changed"
            | "lifetime-longer"
            | "level-weakened"
            | "new-key"
    )
}

fn change(field: &'static str, from: &str, to: &str) -> FieldChange {
    FieldChange { field, from: from.to_owned(), to: to.to_owned() }
}

fn expiry(expiration: Option<u64>) -> String {
    expiration.map_or_else(|| "never".to_owned(), time)
}

fn end(end: End) -> String {
    match end {
        End::Never => "never".to_owned(),
        End::At { ms } => time(ms),
        End::After { ms } => {
            let units = [(DAY_MS, "day"), (HOUR_MS, "hour")];
            let whole = units.into_iter().find(|(unit, _)| ms.is_multiple_of(*unit));
            let (unit, noun) = whole.unwrap_or((MINUTE_MS, "minute"));
            let count = usize::try_from(ms / unit).unwrap_or(usize::MAX);
            format!("{} after its generation", counted(count, noun))
        }
    }
}

fn time(ms: u64) -> String {
    let second = i64::try_from(ms / 1000).ok();
    let time = second.and_then(|second| jiff::Timestamp::from_second(second).ok());
    time.map_or_else(|| format!("{ms} ms"), |time| time.to_string())
}

/// A scope in words, area by area.
fn areas(scope: &ScopeWrite, group: &dyn Fn(u64) -> String) -> [(&'static str, String); 5] {
    let area = |mode: AreaMode, mut names: Vec<String>| match mode {
        AreaMode::None => "none".to_owned(),
        AreaMode::All => "all".to_owned(),
        AreaMode::Select => {
            names.sort();
            names.join(", ")
        }
    };
    let axis = |axis: &AxisWrite| match axis.mode {
        AxisMode::NoScope => "none".to_owned(),
        AxisMode::SeeAll => "all".to_owned(),
        AxisMode::Any => "any".to_owned(),
        AxisMode::Scope => area(AreaMode::Select, axis.names.clone()),
    };
    let groups = scope.assets.asset_group_ids.iter().map(|id| group(*id)).collect();
    let datasets = scope.datasets_rows.as_ref().map_or_else(String::new, |rows| {
        let filters = rows.filters.iter();
        let filters = filters.map(|row| format!(", {}: {}", row.dataset, row.filter));
        area(rows.default_filter_mode, Vec::new()) + &filters.collect::<Vec<_>>().concat()
    });
    [
        ("assets", area(scope.assets.mode, groups)),
        ("casesAndIssues", area(scope.cases_issues.mode, scope.cases_issues.names.clone())),
        ("endpointGroups", axis(&scope.endpoints.endpoint_groups)),
        ("endpointTags", axis(&scope.endpoints.endpoint_tags)),
        ("datasets", datasets),
    ]
}
