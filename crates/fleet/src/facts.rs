//! [`KeyFacts`]: the facts about one key, from the tenant, its definition, or both.

use std::collections::HashMap;

use cortexkey_client::{creator_key, is_system};
use cortexkey_core::access::Rights;
use cortexkey_core::auth::Level;
use cortexkey_core::lifecycle::{Expiry, ExpiryState};
use cortexkey_manifest::access::KeyAccess;
use cortexkey_manifest::{definition, mask_tokens};
use cortexkey_system::chain;

use crate::access::{KeyScope, access};
use crate::definitions::{ComparedDefinitions, Defined, KeyFinding, State};
use crate::scopes::Scopes;
use crate::snapshot::{Row, Snapshot};

/// The facts about a key.
#[derive(Clone, Debug)]
pub struct KeyFacts {
    /// Its id; absent if the tenant does not have it or was not read.
    pub id: Option<u64>,
    /// The name of its definition.
    pub name: Option<String>,
    /// Its owner, according to its definition.
    pub owner: Option<String>,
    /// The tenant that its definition names.
    pub tenant: Option<String>,
    /// File and line of its definition.
    pub place: Option<(String, usize)>,
    /// How it compares with its definition.
    pub state: KeyState,
    /// Its security level.
    pub level: Option<Level>,
    /// The names of its roles.
    pub roles: Vec<String>,
    /// Its privileged roles, including implied ones.
    pub privileged_roles: Vec<String>,
    /// Whether it can create keys; absent if that is unknown.
    pub can_create_keys: Option<bool>,
    /// Its comment, with possible secrets masked.
    pub comment: Option<String>,
    /// When it was created, in milliseconds since 1970.
    pub created_ms: Option<u64>,
    /// The name of its creator.
    pub created_by: Option<String>,
    /// The key that created it, if the tenant names one.
    pub created_by_key: Option<u64>,
    /// When it expires.
    pub expiry: KeyExpiry,
    /// What is known of its scope.
    pub scope: KeyScope,
    /// Whether the product manages it.
    pub is_system: bool,
    /// The linter's findings in its definition that count.
    pub findings: Vec<KeyFinding>,
}

/// How a key compares with its definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// It has a definition, and was compared with it.
    Managed(State),
    /// The tenant has it, and no definition names it.
    Unmanaged,
    /// It is defined, and the tenant does not have it.
    NotGenerated,
    /// It is defined; no tenant was compared.
    Defined,
    /// The tenant has it; no definitions were compared.
    NotCompared,
}

impl KeyState {
    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Managed(state) => state.as_str(),
            Self::Unmanaged => "unmanaged",
            Self::NotGenerated => "not-generated",
            Self::Defined => "defined",
            Self::NotCompared => "not-compared",
        }
    }

    /// The name that users see.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Managed(State::InPlace) => "Managed",
            Self::Managed(State::Pending) => "Not applied",
            Self::Managed(State::Drifted) => "Drifted",
            Self::Managed(State::Replaced) => "Replaced",
            Self::Managed(State::Unclear) => "Unclear",
            Self::Unmanaged => "Unmanaged",
            Self::NotGenerated => "Not generated",
            Self::Defined => "Defined",
            Self::NotCompared => "Not compared",
        }
    }
}

/// When a key expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyExpiry {
    /// Never.
    Never,
    /// At this time, in milliseconds since 1970.
    At(u64),
    /// This many milliseconds after it is generated.
    After(u64),
    /// Its definition does not set it.
    Unknown,
}

impl KeyExpiry {
    /// The state at a time; absent for a key that was not generated.
    pub fn state(self, now_ms: u64) -> Option<ExpiryState> {
        match self {
            Self::Never => Some(Expiry::Never.state(now_ms)),
            Self::At(ms) => Some(Expiry::At { ms }.state(now_ms)),
            Self::After(_) | Self::Unknown => None,
        }
    }

    /// Whether it expires within a span from now. False if it has expired already.
    pub fn is_within(self, now_ms: u64, span_ms: u64) -> bool {
        matches!(self, Self::At(ms) if ms > now_ms && ms - now_ms <= span_ms)
    }
}

impl From<Expiry> for KeyExpiry {
    fn from(expiry: Expiry) -> Self {
        match expiry {
            Expiry::Never => Self::Never,
            Expiry::At { ms } => Self::At(ms),
        }
    }
}

impl From<definition::ExpirySpec> for KeyExpiry {
    fn from(expiry: definition::ExpirySpec) -> Self {
        match expiry {
            definition::ExpirySpec::Never => Self::Never,
            definition::ExpirySpec::At(time) => {
                Self::At(u64::try_from(time.as_millisecond()).unwrap_or(0))
            }
            definition::ExpirySpec::After(span) => {
                Self::After(u64::try_from(span.as_millis()).unwrap_or(0))
            }
        }
    }
}

impl KeyFacts {
    /// The keys of a tenant, by id, followed by the definitions without a key. `tenant` is the
    /// policy's name for the tenant, if given.
    pub fn of_tenant(snapshot: &Snapshot, scopes: &Scopes, tenant: Option<&str>) -> Vec<Self> {
        let definitions = &snapshot.definitions;
        let mut roles = RoleFacts::default();
        let keys = snapshot.rows.iter().map(|row| {
            let (can_create_keys, privileged_roles) = roles.of(row, definitions, tenant);
            let scope = scope(row, scopes, definitions, tenant);
            Self { privileged_roles, can_create_keys, scope, ..of_row(row, definitions) }
        });
        let mut all: Vec<Self> = keys.collect();
        let without = definitions.without_key();
        all.extend(without.map(|defined| of_definition(defined, KeyState::NotGenerated)));
        all
    }

    /// All definitions, for use without a tenant.
    pub fn of_definitions(definitions: &ComparedDefinitions) -> Vec<Self> {
        let defined = definitions.defined().iter();
        defined.map(|defined| of_definition(defined, KeyState::Defined)).collect()
    }

    /// The worst finding.
    pub fn worst(&self) -> Option<&KeyFinding> {
        self.findings.iter().max_by_key(|found| found.severity)
    }

    /// The id, or the name of a key without one.
    pub fn label(&self) -> String {
        match (self.id, &self.name) {
            (Some(id), _) => id.to_string(),
            (None, Some(name)) => name.clone(),
            (None, None) => "?".to_owned(),
        }
    }
}

/// What keys with the same roles have in common.
#[derive(Default)]
struct RoleFacts {
    by_roles: HashMap<Vec<String>, (Option<bool>, Vec<String>)>,
}

impl RoleFacts {
    fn of(
        &mut self,
        row: &Row,
        definitions: &ComparedDefinitions,
        tenant: Option<&str>,
    ) -> (Option<bool>, Vec<String>) {
        if let Some(known) = self.by_roles.get(&row.key.roles) {
            return known.clone();
        }
        let found = match access(row, None, definitions.policy(), tenant) {
            Ok(access) => roles_of(&access),
            // Only an unreadable scope is an error, and there is none here.
            Err(_) => (None, Vec::new()),
        };
        self.by_roles.insert(row.key.roles.clone(), found.clone());
        found
    }
}

/// Whether roles let a key create keys, and which of them are privileged.
fn roles_of(access: &KeyAccess) -> (Option<bool>, Vec<String>) {
    let known = access.roles.iter().zip(&access.role_facts);
    let privileged = known.filter(|(_, facts)| facts.privileged);
    let privileged = privileged.map(|(role, _)| mask_tokens(&role.name)).collect();
    (Rights(&access.roles).can_generate_keys(), privileged)
}

fn scope(
    row: &Row,
    scopes: &Scopes,
    definitions: &ComparedDefinitions,
    tenant: Option<&str>,
) -> KeyScope {
    match scopes.of(row.key.id) {
        None => KeyScope::NotRead,
        Some(Err(why)) => KeyScope::Unread(why.to_owned()),
        Some(Ok(None)) => KeyScope::NoScopes,
        Some(Ok(Some(scope))) => match access(row, Some(scope), definitions.policy(), tenant) {
            Ok(access) => KeyScope::from_access(&access),
            Err(error) => KeyScope::Unread(chain(&error)),
        },
    }
}

fn of_row(row: &Row, definitions: &ComparedDefinitions) -> KeyFacts {
    let record = &row.record;
    let managed = row.managed.as_ref();
    let state = match managed {
        Some(managed) => KeyState::Managed(managed.state),
        None if definitions.is_compared() => KeyState::Unmanaged,
        None => KeyState::NotCompared,
    };
    KeyFacts {
        id: Some(row.key.id),
        name: managed.map(|managed| managed.name.clone()),
        owner: managed.and_then(|managed| managed.owner.clone()),
        tenant: None,
        place: managed.map(|managed| (managed.file.clone(), managed.line)),
        state,
        level: Some(record.level),
        roles: record.roles.iter().map(|role| mask_tokens(role)).collect(),
        privileged_roles: Vec::new(),
        can_create_keys: None,
        comment: record.comment.as_deref().map(mask_tokens),
        created_ms: row.key.creation_time,
        created_by: Some(mask_tokens(&record.user_name)).filter(|name| !name.is_empty()),
        created_by_key: creator_key(&row.key),
        expiry: record.expiry.into(),
        scope: KeyScope::NotRead,
        is_system: is_system(&row.key),
        findings: managed.map(|managed| managed.findings.clone()).unwrap_or_default(),
    }
}

fn of_definition(defined: &Defined, state: KeyState) -> KeyFacts {
    let (can_create_keys, privileged_roles) =
        defined.access.as_ref().map(roles_of).unwrap_or_default();
    let scope = match &defined.access {
        Ok(access) => KeyScope::from_access(access),
        Err(gap) => KeyScope::Unread(gap.message.clone()),
    };
    KeyFacts {
        id: None,
        name: Some(mask_tokens(&defined.name)).filter(|name| !name.is_empty()),
        owner: defined.owner.as_deref().map(mask_tokens),
        tenant: defined.tenant.clone(),
        place: Some((defined.file.clone(), defined.line)),
        state,
        level: defined.level,
        roles: defined.roles.iter().map(|role| mask_tokens(role)).collect(),
        privileged_roles,
        can_create_keys,
        comment: defined.comment.as_deref().map(mask_tokens),
        created_ms: None,
        created_by: None,
        created_by_key: None,
        expiry: defined.expiry.map_or(KeyExpiry::Unknown, KeyExpiry::from),
        scope,
        is_system: false,
        findings: defined.findings.clone(),
    }
}
