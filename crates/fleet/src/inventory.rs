//! [`KeyInventory`]: each key of a tenant with its owner, its lineage, its last audited action, and what
//! it may do and see.

use std::collections::{BTreeMap, BTreeSet};

use cortexkey_api::audit::AuditRecord;
use cortexkey_client::table::one_line;
use cortexkey_client::time::time_text;
use cortexkey_client::{AuditLog, CallError, Client, creator_key};
use cortexkey_core::access::{KnownLevel, Permission, Role};
use cortexkey_manifest::access::{KeyAccess, RoleFacts, RoleOrigin, ScopeModel, describe, losses};
use cortexkey_manifest::mask_tokens;
use cortexkey_system::chain;
use serde_json::{Value, json};
use thiserror::Error;

use crate::access::{KeyScope, access};
use crate::facts::KeyFacts;
use crate::report::{KEY_HEADINGS, Table, TenantSource, faults, key_cells, key_json};
use crate::scopes::Scopes;
use crate::snapshot::Snapshot;

/// The largest number of entries that are read; they take 500 calls.
const ENTRIES_MAX: usize = 50_000;

/// The keys of a tenant, with their origin and use.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct KeyInventory {
    /// When it was made, in milliseconds since 1970.
    pub now_ms: u64,
    /// The tenant.
    pub tenant: TenantSource,
    /// The part of the audit log that was read, or the reason why none was.
    pub audit: Result<AuditRange, AuditUnread>,
    /// The keys.
    pub keys: Vec<InventoryKey>,
    /// Messages about what could not be read, and other notes for the reader.
    pub faults: Vec<String>,
}

/// Why the audit log was not read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the audit log could not be read: {reason}")]
pub struct AuditUnread {
    /// The tenant's reason.
    pub reason: String,
}

/// The part of the audit log that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditRange {
    /// The start, in milliseconds since 1970.
    pub from_ms: u64,
    /// The end, in milliseconds since 1970.
    pub to_ms: u64,
    /// The number of entries.
    pub entries: usize,
    /// Whether older entries were requested, but there were too many to read.
    pub is_cut: bool,
}

/// A key of the inventory.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct InventoryKey {
    /// The facts about the key.
    pub facts: KeyFacts,
    /// Whether the key that created it still exists; absent if no key created it.
    pub has_creator: Option<bool>,
    /// The keys that it created and that still exist.
    pub created_keys: Vec<u64>,
    /// Its last action in the audit log.
    pub last_action: Option<AuditedAction>,
    /// The number of its entries in the audit log; absent if the log was not read, and for a
    /// definition without a key.
    pub actions: Option<usize>,
    /// What its roles hold, including implied roles.
    pub roles: Vec<RoleHolding>,
    /// Its scope in words, by area; absent if it is unknown.
    pub areas: Option<Vec<(&'static str, String)>>,
    /// What it would lose if the tenant enforced scopes; absent if that is unknown, or if the
    /// product has no scopes.
    pub losses: Option<Vec<String>>,
}

/// An entry of the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditedAction {
    /// The time, in milliseconds since 1970.
    pub ms: u64,
    /// The kind of action.
    pub kind: String,
    /// The action in a sentence.
    pub description: String,
    /// The result.
    pub result: String,
}

/// A role, and what it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleHolding {
    /// Its name.
    pub name: String,
    /// The role that implies it.
    pub implied_by: Option<String>,
    /// Whether it should be granted with care.
    pub is_privileged: bool,
    /// The source of what it holds: `catalog`, `predefined` or `unknown`.
    pub origin: &'static str,
    /// Whether it holds everything.
    pub holds_all: bool,
    /// The components that it holds or may hold, each with its level in words.
    pub components: Vec<(String, String)>,
    /// The actions that it is known to hold.
    pub actions: Vec<String>,
    /// Whether these are all its actions.
    pub has_all_actions: bool,
}

/// The limits of every audit log.
pub const LIMITS: [&str; 4] = [
    "the audit log records only changes: a key that only reads leaves no entry, so a key \
     without an audited action may be in use",
    "entries name a key as `Public API - N`: actions in the product's console, and entries that \
     name a key in another form, are not counted for any key",
    "the creator is what the tenant recorded when the key was created: for a key created in the \
     product's console, a user",
    "created keys are those that exist: keys that were deleted are not listed",
];

impl KeyInventory {
    /// Reads the audit log from a time on, and collects the facts about each key. `tenant` is the
    /// policy's name for the tenant, if given.
    pub fn read(
        client: &Client,
        snapshot: &Snapshot,
        scopes: &Scopes,
        tenant: Option<&str>,
        audit_from_ms: u64,
    ) -> Result<Self, CallError> {
        let log = audit_log(client, audit_from_ms, snapshot.taken_ms)?
            .map_err(|error| AuditUnread { reason: chain(&error) });
        let mut faults = faults(snapshot, scopes);
        faults.extend(log.as_ref().err().map(ToString::to_string));
        let audit = log.as_ref().map_err(Clone::clone).map(|log| AuditRange {
            from_ms: log.from_ms,
            to_ms: log.to_ms,
            entries: log.entries.len(),
            is_cut: log.is_cut,
        });
        let lineage = Lineage::of(snapshot);
        let by_key = log.as_ref().map(AuditLog::by_key).ok();
        let facts = KeyFacts::of_tenant(snapshot, scopes, tenant);
        let key = |facts: KeyFacts| {
            let entries = by_key
                .as_ref()
                .zip(facts.id)
                .map(|(by_key, id)| by_key.get(&id).map(Vec::as_slice).unwrap_or_default());
            let access = accessed(&facts, snapshot, scopes, tenant);
            let is_seen = matches!(facts.scope, KeyScope::Known(_));
            let seen = access.as_ref().filter(|_| is_seen);
            InventoryKey {
                has_creator: facts.created_by_key.map(|id| lineage.ids.contains(&id)),
                created_keys: lineage.created_by(facts.id),
                last_action: entries.and_then(|entries| entries.first()).map(|entry| action(entry)),
                actions: entries.map(<[_]>::len),
                roles: access.as_ref().map(holdings).unwrap_or_default(),
                areas: seen.map(describe::areas),
                losses: seen.filter(|access| access.tenant.scopes == ScopeModel::Areas).map(losses),
                facts,
            }
        };
        let keys = facts.into_iter().map(key).collect();
        let name = snapshot.definitions.plan.as_ref().map(|plan| plan.tenant.as_str()).or(tenant);
        let now_ms = snapshot.taken_ms;
        let tenant = TenantSource::new(client, name);
        Ok(Self { now_ms, tenant, audit, keys, faults })
    }

    /// The limits of the audit log in sentences, and the time range that was read.
    pub fn limits(&self) -> Vec<String> {
        let range = match &self.audit {
            Err(_) => None,
            Ok(range) => Some(format!(
                "the audit log was read from {} to {} ({} entries), and earlier actions are unknown",
                time_text(range.from_ms),
                time_text(range.to_ms),
                range.entries
            )),
        };
        let cut = self.audit.as_ref().is_ok_and(|range| range.is_cut).then(|| {
            format!(
                "older entries in the range were not read: the range has more than {ENTRIES_MAX}"
            )
        });
        range.into_iter().chain(cut).chain(LIMITS.map(str::to_owned)).collect()
    }

    /// One object for programs, version 1. New fields may be added; none is removed or changed.
    pub fn to_json(&self) -> Value {
        let audit = match &self.audit {
            Err(why) => json!({ "unreadWhy": why.to_string() }),
            Ok(range) => json!({
                "from": time_text(range.from_ms),
                "to": time_text(range.to_ms),
                "entries": range.entries,
                "complete": !range.is_cut,
            }),
        };
        json!({
            "version": 1,
            "created": time_text(self.now_ms),
            "tenant": self.tenant.json(),
            "audit": audit,
            "limits": self.limits(),
            "faults": self.faults,
            "keys": self.keys.iter().map(|key| key.json(self.now_ms)).collect::<Vec<_>>(),
        })
    }

    /// A table for spreadsheets, one row per key. No cell is a formula.
    pub fn to_csv(&self) -> String {
        let mut table = Table::new(&[&KEY_HEADINGS[..], &HEADINGS[..]].concat());
        let range = self.audit.as_ref().ok();
        let range = range.map(|range| [range.from_ms, range.to_ms].map(time_text));
        let [from, to] = range.unwrap_or_else(|| ["not read".to_owned(), "not read".to_owned()]);
        for key in &self.keys {
            let mut cells = key_cells(&key.facts, self.now_ms);
            cells.extend(key.cells());
            cells.extend([from.clone(), to.clone()]);
            table.row(&cells);
        }
        table.end()
    }
}

const HEADINGS: [&str; 11] = [
    "Created By Key",
    "Created Keys",
    "Last Audited Action",
    "Last Audited Time",
    "Audited Actions",
    "Holds",
    "Sees",
    "Would Lose Under SBAC",
    "Scope Not Known Because",
    "Audit From",
    "Audit To",
];

impl InventoryKey {
    /// The key that created it, in words.
    pub fn creator_words(&self) -> String {
        match (self.facts.created_by_key, self.has_creator) {
            (Some(id), Some(false)) => format!("{id} (gone)"),
            (Some(id), _) => id.to_string(),
            (None, _) => String::new(),
        }
    }

    /// What it would lose if the tenant enforced scopes, in words.
    pub fn loss_words(&self) -> String {
        match &self.losses {
            None => "unknown".to_owned(),
            Some(losses) if losses.is_empty() => "nothing".to_owned(),
            Some(losses) => losses.join("; "),
        }
    }

    fn cells(&self) -> Vec<String> {
        let ids: Vec<String> = self.created_keys.iter().map(u64::to_string).collect();
        let last = self.last_action.as_ref();
        let roles: Vec<String> = self.roles.iter().map(RoleHolding::to_text).collect();
        let areas = self.areas.iter().flatten().map(|(area, words)| format!("{area}: {words}"));
        let why = match &self.facts.scope {
            KeyScope::Unread(why) => why.clone(),
            _ => String::new(),
        };
        vec![
            self.creator_words(),
            ids.join(", "),
            last.map(AuditedAction::to_text).unwrap_or_default(),
            last.map(|last| time_text(last.ms)).unwrap_or_default(),
            self.actions.map_or_else(|| "unknown".to_owned(), |count| count.to_string()),
            roles.join("; "),
            areas.collect::<Vec<_>>().join("; "),
            self.loss_words(),
            why,
        ]
    }

    fn json(&self, now_ms: u64) -> Value {
        let mut json = key_json(&self.facts, now_ms);
        json["creatorExists"] = json!(self.has_creator);
        json["createdKeys"] = json!(self.created_keys);
        json["lastAction"] = self.last_action.as_ref().map_or(Value::Null, |action| {
            json!({
                "time": time_text(action.ms),
                "kind": action.kind,
                "description": action.description,
                "result": action.result,
            })
        });
        json["auditedActions"] = json!(self.actions);
        json["holds"] = self.roles.iter().map(RoleHolding::json).collect();
        json["sees"] = match &self.areas {
            None => Value::Null,
            Some(areas) => {
                areas.iter().map(|(area, words)| json!({ "area": area, "words": words })).collect()
            }
        };
        json["losesUnderSbac"] = json!(self.losses);
        json
    }
}

impl AuditedAction {
    /// The action and its result.
    pub fn to_text(&self) -> String {
        let what = if self.description.is_empty() { &self.kind } else { &self.description };
        match self.result.as_str() {
            "" | "SUCCESS" => what.clone(),
            result => format!("{what} ({result})"),
        }
    }
}

impl RoleHolding {
    /// What it holds, in words.
    pub fn to_text(&self) -> String {
        let mut name = self.name.clone();
        if let Some(by) = &self.implied_by {
            name += &format!(" (implied by {by})");
        }
        if self.holds_all {
            return format!("{name}: everything");
        }
        let components = self.components.iter().map(|(name, level)| format!("{name} {level}"));
        let mut held: Vec<String> = components.collect();
        held.extend(self.actions.iter().map(|action| format!("action {action}")));
        if held.is_empty() {
            return format!("{name}: unknown");
        }
        format!("{name}: {}", held.join(", "))
    }

    fn json(&self) -> Value {
        let components = self.components.iter();
        let components: Vec<Value> =
            components.map(|(name, level)| json!({ "name": name, "level": level })).collect();
        json!({
            "name": self.name,
            "impliedBy": self.implied_by,
            "privileged": self.is_privileged,
            "origin": self.origin,
            "holdsAll": self.holds_all,
            "components": components,
            "actions": self.actions,
            "actionsComplete": self.has_all_actions,
        })
    }
}

/// The existing keys, and which key created which.
struct Lineage {
    ids: BTreeSet<u64>,
    created: BTreeMap<u64, Vec<u64>>,
}

impl Lineage {
    fn of(snapshot: &Snapshot) -> Self {
        let mut created: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for row in &snapshot.rows {
            if let Some(by) = creator_key(&row.key) {
                created.entry(by).or_default().push(row.key.id);
            }
        }
        Self { ids: snapshot.rows.iter().map(|row| row.key.id).collect(), created }
    }

    fn created_by(&self, id: Option<u64>) -> Vec<u64> {
        id.and_then(|id| self.created.get(&id)).cloned().unwrap_or_default()
    }
}

/// The entries of a range, or the tenant's reason why they cannot be read.
fn audit_log(
    client: &Client,
    from_ms: u64,
    to_ms: u64,
) -> Result<Result<AuditLog, CallError>, CallError> {
    match client.audit_log(from_ms, to_ms, ENTRIES_MAX) {
        Ok(log) => Ok(Ok(log)),
        Err(error) if matches!(error.status(), Some(403..=405)) => Ok(Err(error)),
        Err(error) => Err(error),
    }
}

/// What a key may do and see; only its roles if its scope is unknown.
fn accessed(
    facts: &KeyFacts,
    snapshot: &Snapshot,
    scopes: &Scopes,
    tenant: Option<&str>,
) -> Option<KeyAccess> {
    let policy = snapshot.definitions.policy();
    let Some(id) = facts.id else {
        let (file, line) = facts.place.as_ref()?;
        let is_it = |defined: &&crate::Defined| defined.file == *file && defined.line == *line;
        let defined = snapshot.definitions.defined().iter().find(is_it)?;
        return defined.access.as_ref().ok().cloned();
    };
    let row = snapshot.row(id)?;
    let scope = scopes.of(id).and_then(Result::ok).flatten();
    let known = access(row, scope, policy, tenant);
    known.or_else(|_| access(row, None, policy, tenant)).ok()
}

fn action(entry: &AuditRecord) -> AuditedAction {
    let text = |text: &Option<String>| one_line(&mask_tokens(text.as_deref().unwrap_or_default()));
    let kind = [text(&entry.audit_entity), text(&entry.audit_entity_subtype)];
    let kind: Vec<String> = kind.into_iter().filter(|word| !word.is_empty()).collect();
    AuditedAction {
        ms: entry.audit_insert_time,
        kind: kind.join(", "),
        description: text(&entry.audit_description),
        result: text(&entry.audit_result),
    }
}

fn holdings(access: &KeyAccess) -> Vec<RoleHolding> {
    let known = access.roles.iter().zip(&access.role_facts);
    known.map(|(role, facts)| holding(role, facts)).collect()
}

fn holding(role: &Role<String>, facts: &RoleFacts) -> RoleHolding {
    let is_held = |level: KnownLevel| level.exact() != Some(Permission::None);
    let components = role.grants.iter().filter(|grant| is_held(grant.level));
    RoleHolding {
        name: mask_tokens(&role.name),
        implied_by: facts.implied_by.as_deref().map(mask_tokens),
        is_privileged: facts.privileged,
        origin: match facts.origin {
            RoleOrigin::Catalog => "catalog",
            RoleOrigin::Predefined => "predefined",
            RoleOrigin::Unknown => "unknown",
        },
        holds_all: role.holds_all,
        components: components
            .map(|grant| (grant.component.clone(), grant.level.to_string()))
            .collect(),
        actions: role.actions.held.clone(),
        has_all_actions: role.actions.is_complete || role.holds_all,
    }
}
