//! [`Plan`]: the changes that make a tenant's keys match their definitions.
//!
//! Keys without a definition are kept unless pruning is requested. What only the product's console
//! can do becomes an action of the kind [`ActionKind::Refuse`], with the reason.

mod action;
mod desired;
mod diff;
mod digest;
mod end;
mod membership;
mod refusal;
mod request;
mod scope;
mod state;

use std::collections::BTreeMap;

use cortexkey_api::api_keys::ApiKeyRecord;
use cortexkey_core::auth::KeyId;
use cortexkey_manifest::lock::{LockedKey, LockedTenant, Retiring};
use serde::Serialize;

pub(crate) use action::ActionStep;
use action::split_help;
pub use action::{Action, ActionKind, FieldChange, PlannedGain};
pub use desired::Desired;
pub use membership::{Membership, MembershipError, check_host, check_names, locked_host};
pub(crate) use membership::{child_of, place};
pub use request::PlanRequest;
pub use scope::{DefinedScope, DefinedScopeError};
pub use state::{KnownScopes, TenantState};

use crate::resources::{is_administrator, is_system, may_be_pending, shows_user};

/// How the plan is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlanOptions {
    /// The time, in milliseconds since 1970.
    pub now_ms: u64,
    /// How long before its expiry a key with a lifetime is rotated; at most a third of the
    /// lifetime.
    pub rotate_before_ms: u64,
    /// Whether keys without a definition are deleted.
    pub prune: bool,
}

/// The plan for one tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Plan {
    /// The policy's name for the tenant.
    pub tenant: String,
    /// The host of its API.
    pub host: String,
    /// The actions, in order.
    pub actions: Vec<Action>,
    /// Keys of the tenant without a definition.
    pub unmanaged: Vec<Unmanaged>,
    /// Further notes.
    pub notes: Vec<String>,
}

/// A key of the tenant without a definition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Unmanaged {
    /// The key's id.
    pub id: u64,
    /// Its comment.
    pub comment: Option<String>,
    /// Its roles.
    pub roles: Vec<String>,
    /// Whether the product manages it itself.
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    pub system: bool,
}

impl Plan {
    /// Makes a plan: `desired` are the definitions for this tenant, `locked` is its entry in the
    /// lock file.
    pub fn new(
        tenant: &str,
        desired: &[Desired],
        catalog: &[&cortexkey_manifest::policy::CatalogRole],
        locked: Option<&LockedTenant>,
        state: &TenantState,
        options: &PlanOptions,
    ) -> Self {
        let empty = BTreeMap::new();
        let locked = locked.map_or(&empty, |tenant| &tenant.keys);
        let mut plan = Self {
            tenant: tenant.to_owned(),
            host: state.host.clone(),
            actions: Vec::new(),
            unmanaged: Vec::new(),
            notes: Vec::new(),
        };
        let none = LockedKey::default();
        for key in desired {
            let entry = locked.get(&key.name).unwrap_or(&none);
            diff::Diff { desired: key, catalog, entry, state, options }.run(&mut plan.actions);
        }
        for (name, entry) in locked {
            if !desired.iter().any(|key| key.name == *name) {
                plan.actions.push(dropped(name, entry, state));
                continue;
            }
            if let Some(pending) = &entry.pending {
                let deletes = match pending.id {
                    Some(id) if !pending.delivering => {
                        format!(", which deletes key {id} if that run generated it")
                    }
                    _ => String::new(),
                };
                plan.notes.push(format!(
                    "{name}: an interrupted run is finished first, by apply{deletes}"
                ));
            }
            for id in &entry.doubtful {
                plan.notes.push(format!(
                    "{name}: an interrupted run may have delivered key {id}; it keeps working until the \
                     next new key, or until `cortexkey keys delete {id}`"
                ));
            }
            plan.retire(name, entry, state, options.now_ms);
        }
        plan.unmanaged(locked, state, options);
        // Our own key goes last, because it signs the other calls.
        plan.actions.sort_by_key(|action| {
            (action.id.is_some() && action.id == state.own, order(action.action))
        });
        plan
    }

    /// Turns deletions that `why` objects to into refusals with its reason. Deleting needs proof
    /// that a definition is gone, and a plan only sees the definitions that it was given.
    pub fn hold_back(&mut self, why: &dyn Fn(&Action) -> Option<String>) {
        for action in self.actions.iter_mut().filter(|action| action.action == ActionKind::Delete) {
            if let Some(why) = why(action) {
                action.action = ActionKind::Refuse;
                action.step = ActionStep::Nothing;
                (action.reason, action.help) = split_help(format!("it is not deleted: {why}"));
                action.changes.clear();
            }
        }
        self.actions.sort_by_key(|action| action.action != ActionKind::Refuse);
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.actions.is_empty()
    }

    /// Whether there is an action that cannot be done.
    pub fn refuses(&self) -> bool {
        self.actions.iter().any(|action| action.action == ActionKind::Refuse)
    }

    /// How many actions of each kind there are, with the words for them, such as `to generate`.
    pub fn counts(&self) -> Vec<(usize, &'static str)> {
        let kinds = [
            (ActionKind::Generate, "to generate"),
            (ActionKind::Replace, "to replace"),
            (ActionKind::Edit, "to edit"),
            (ActionKind::Scope, "to scope"),
            (ActionKind::Delete, "to delete"),
            (ActionKind::Retire, "to retire"),
            (ActionKind::Forget, "to forget"),
            (ActionKind::Refuse, "refused"),
        ];
        let count = |kind| self.actions.iter().filter(|action| action.action == kind).count();
        let counts = kinds.into_iter().map(|(kind, words)| (count(kind), words));
        counts.filter(|(count, _)| *count > 0).collect()
    }

    fn retire(&mut self, name: &str, entry: &LockedKey, state: &TenantState, now_ms: u64) {
        let (due, later): (Vec<&Retiring>, Vec<_>) =
            entry.retiring.iter().partition(|old| old.after_ms <= now_ms);
        let (own, due): (Vec<&Retiring>, Vec<_>) =
            due.into_iter().partition(|old| Some(old.id.get()) == state.own);
        let system = due.iter().find(|old| is_system_key(old.id.get(), state)).map(|old| old.id);
        let ids = |old: &[&Retiring]| {
            old.iter().map(|old| old.id.to_string()).collect::<Vec<_>>().join(", ")
        };
        let mut act = |action, reason: String, changes, step| {
            let (reason, help) = split_help(reason);
            let key = name.to_owned();
            let id = entry.id.map(KeyId::get);
            let widens = Vec::new();
            self.actions.push(Action {
                key,
                id,
                action,
                reason,
                help,
                changes,
                widens,
                drift: false,
                step,
            });
        };
        if let Some(system) = system {
            let reason = format!(
                "the grace period of key {} is over, but {}",
                ids(&due),
                kept_for_the_product(system.get())
            );
            act(ActionKind::Refuse, reason, Vec::new(), ActionStep::Nothing);
        } else if !due.is_empty() {
            let reason = format!("the grace period of key {} is over", ids(&due));
            let changes = deleted(due.iter().map(|old| old.id.get()), state);
            act(ActionKind::Retire, reason, changes, ActionStep::Retire);
        }
        if !own.is_empty() {
            let reason = format!(
                "the grace period of key {} is over, but the key signs these calls\nhelp: run this \
                 command with the new key",
                ids(&own)
            );
            act(ActionKind::Refuse, reason, Vec::new(), ActionStep::Nothing);
        }
        if !later.is_empty() {
            let ids = ids(&later);
            self.notes.push(format!("{name}: key {ids} is in its grace period"));
        }
    }

    fn unmanaged(
        &mut self,
        locked: &BTreeMap<String, LockedKey>,
        state: &TenantState,
        options: &PlanOptions,
    ) {
        let known =
            |id: u64| locked.values().flat_map(LockedKey::ids).any(|other| other.get() == id);
        let keeps_administrator = self.keeps_administrator(locked, state, options.now_ms);
        for record in state.keys.values().filter(|record| !known(record.id)) {
            // Apply finishes our interrupted runs.
            if may_be_pending(locked, record) {
                continue;
            }
            let id = record.id;
            let is_system = is_system(record);
            self.unmanaged.push(Unmanaged {
                id,
                comment: record.comment.clone(),
                roles: record.roles.clone(),
                system: is_system,
            });
            if Some(id) == state.own {
                self.notes.push(format!("key {id} signs these calls and has no definition"));
            } else if options.prune && is_system {
                self.notes.push(format!(
                    "the product uses key {id} itself, so --prune keeps it; `cortexkey keys \
                     delete {id}` would delete it"
                ));
            } else if options.prune && !state.knows_roles(record) {
                self.notes.push(format!(
                    "the roles of key {id} are not shown or not known, so it may be the product's or the \
                     last administrator's, and --prune keeps it; `cortexkey keys delete {id}` would \
                     delete it"
                ));
            } else if options.prune && is_administrator(record) && !keeps_administrator {
                self.notes.push(format!(
                    "key {id} is the last administrator's key, so --prune keeps it; `cortexkey keys \
                     delete {id}` would delete it"
                ));
            } else if options.prune {
                self.actions.push(prune(id, state));
            }
        }
    }

    /// Whether a working key of an administrator remains when all unmanaged ones are deleted.
    fn keeps_administrator(
        &self,
        locked: &BTreeMap<String, LockedKey>,
        state: &TenantState,
        now_ms: u64,
    ) -> bool {
        let doomed: Vec<u64> = self.actions.iter().flat_map(Action::deletes).collect();
        let all = locked.values().flat_map(LockedKey::ids).map(KeyId::get);
        let retiring = || locked.values().flat_map(|entry| &entry.retiring);
        all.chain(state.own).filter_map(|id| state.keys.get(&id)).any(|record| {
            is_administrator(record)
                && record.expiration.is_none_or(|ms| ms > now_ms)
                && !doomed.contains(&record.id)
                && retiring().all(|old| old.id.get() != record.id)
        })
    }
}

/// Deletes a key without a definition.
fn prune(id: u64, state: &TenantState) -> Action {
    Action {
        key: format!("key-{id}"),
        id: Some(id),
        action: ActionKind::Delete,
        reason: "no definition names it, and --prune is given".to_owned(),
        help: None,
        changes: deleted([id], state),
        widens: Vec::new(),
        drift: false,
        step: ActionStep::Delete(vec![id]),
    }
}

/// A key in the lock file whose definition is gone.
fn dropped(name: &str, entry: &LockedKey, state: &TenantState) -> Action {
    let known = || entry.ids().map(KeyId::get);
    let ids: Vec<u64> = known().filter(|id| state.keys.contains_key(id)).collect();
    let system = ids.iter().find(|id| is_system_key(**id, state));
    let hidden = ids.iter().find(|id| state.keys.get(id).is_some_and(|record| !shows_user(record)));
    let (action, reason, step) = if known().any(|id| state.unclear.contains(&id)) {
        let reason = "its definition is gone, and whether the tenant still has its key is not known, \
                      because the record cannot be read";
        (ActionKind::Refuse, reason.to_owned(), ActionStep::Nothing)
    } else if state.own.is_some_and(|own| ids.contains(&own)) {
        let reason = "its definition is gone, but it is the key that signs these calls\nhelp: delete \
                      it with another key";
        (ActionKind::Refuse, reason.to_owned(), ActionStep::Nothing)
    } else if let Some(id) = system {
        let reason = format!("its definition is gone, but {}", kept_for_the_product(*id));
        (ActionKind::Refuse, reason, ActionStep::Nothing)
    } else if let Some(id) = hidden {
        let reason = format!(
            "its definition is gone, but the tenant shows neither roles nor user of key {id}, which may \
             be the product's; delete it with `cortexkey keys delete {id}`"
        );
        (ActionKind::Refuse, reason, ActionStep::Nothing)
    } else if ids.is_empty() {
        (ActionKind::Forget, "its definition and its key are gone".to_owned(), ActionStep::Forget)
    } else if let Some(id) = entry.id.filter(|id| was_never_applied(entry, *id, &ids)) {
        let reason = format!(
            "the lock file names key {id}, but no definition of it was ever applied or \
             imported\nhelp: add its definition, remove the entry, or delete the key with `cortexkey \
             keys delete {id}`"
        );
        (ActionKind::Refuse, reason, ActionStep::Nothing)
    } else {
        (ActionKind::Delete, "its definition is gone".to_owned(), ActionStep::Delete(ids))
    };
    let (reason, help) = split_help(reason);
    Action {
        key: name.to_owned(),
        id: entry.id.map(KeyId::get),
        action,
        reason,
        help,
        changes: match &step {
            ActionStep::Delete(ids) => deleted(ids.iter().copied(), state),
            _ => Vec::new(),
        },
        widens: Vec::new(),
        drift: false,
        step,
    }
}

/// Whether an entry was written by hand, or is older than the first apply of its definition. It proves
/// nothing about an existing key.
fn was_never_applied(entry: &LockedKey, id: KeyId, existing: &[u64]) -> bool {
    entry.applied.is_none() && existing.contains(&id.get())
}

/// Whether the product uses a key itself. An id in a lock file is only a number, so its record
/// decides.
fn is_system_key(id: u64, state: &TenantState) -> bool {
    state.keys.get(&id).is_some_and(is_system)
}

fn kept_for_the_product(id: u64) -> String {
    format!(
        "the product uses key {id} itself\nhelp: remove it from the lock file, or delete it with \
         `cortexkey keys delete {id}`"
    )
}

/// The key to delete, as the tenant returned it: an id in a lock file is only a number.
fn deleted(ids: impl IntoIterator<Item = u64>, state: &TenantState) -> Vec<FieldChange> {
    let records = ids.into_iter().filter_map(|id| state.keys.get(&id));
    let of = |record: &ApiKeyRecord| FieldChange {
        field: "deletes",
        from: format!(
            "key {}, {}, {}",
            record.id,
            record.roles.join(", "),
            record.comment.as_deref().unwrap_or("no comment")
        ),
        to: String::new(),
    };
    records.map(of).collect()
}

/// Removing access comes before granting it, except for deletions, which cannot be undone.
const fn order(kind: ActionKind) -> u8 {
    match kind {
        ActionKind::Refuse => 0,
        ActionKind::Edit => 1,
        ActionKind::Scope => 2,
        ActionKind::Replace => 3,
        ActionKind::Generate => 4,
        ActionKind::Delete => 5,
        ActionKind::Retire => 6,
        ActionKind::Forget => 7,
    }
}
