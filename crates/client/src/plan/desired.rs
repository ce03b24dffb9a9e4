//! [`Desired`]: a key as its definition asks for it, ready to be held against the tenant.
//!
//! It refuses definitions that leave a point open, and names the place.

use cortexkey_api::scope::ScopeWrite;
use cortexkey_core::access::KeyDefinition;
use cortexkey_core::auth::Level;
use cortexkey_core::lifecycle::Expiry;
use cortexkey_manifest::Span;
use cortexkey_manifest::access::{Access, Gap, Selection};
use cortexkey_manifest::definition::{self, Definition, Unreferenced};
use cortexkey_manifest::policy;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::scope::{self, GroupIds};
use super::state::TenantState;

/// How many digits of a digest are kept: enough that no two definitions of a key share them.
const DIGEST_LEN: usize = 32;

/// When a key is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Never,
    At { ms: u64 },
    After { ms: u64 },
}

/// A key as its definition asks for it.
#[derive(Clone, Debug)]
pub struct Desired {
    /// The name of the definition.
    pub name: String,
    /// The file that it stands in.
    pub file: String,
    /// The line that it begins in, counted from 1.
    pub line: usize,
    pub(super) roles: Vec<String>,
    pub(super) level: Level,
    pub(super) comment: Option<String>,
    pub(super) end: End,
    pub(super) access: Access,
    /// Asset groups that are given with their ids.
    group_ids: GroupIds,
    /// Tells one version of the definition from another.
    digest: String,
}

impl Desired {
    /// Takes a definition. `catalogue` holds the policy's roles; `tenant` is the tenant with the
    /// policy's entry, where it has one.
    pub fn of(
        definition: &Definition,
        catalogue: &[&policy::Role],
        tenant: Option<(&str, Option<&policy::Tenant>)>,
        file: &str,
        line: usize,
    ) -> Result<Self, Gap> {
        let access = Access::of(definition, catalogue, tenant)?;
        let open = |span: Span, message: &str| Gap { span, message: message.to_owned() };
        let place = definition.place;
        let name = definition.name().ok_or_else(|| open(place, "`metadata.name` is missing"))?;
        let spec = definition.spec.as_ref().ok_or_else(|| open(place, "`spec` is missing"))?;
        let level =
            *spec.level.get().ok_or_else(|| open(spec.place, "`spec.securityLevel` is missing"))?;
        let end = spec.end().ok_or_else(|| open(spec.place, "the key has no end"))?;
        let ms = |ms: i64| u64::try_from(ms).unwrap_or(0);
        let end = match end.value {
            definition::Expiry::Never => End::Never,
            definition::Expiry::At(moment) => End::At { ms: ms(moment.as_millisecond()) },
            definition::Expiry::After(lifetime) => {
                End::After { ms: ms(lifetime.as_secs().saturating_mul(1000)) }
            }
        };
        let mut desired = Self {
            name: name.to_owned(),
            file: file.to_owned(),
            line,
            roles: definition.roles().iter().map(|role| role.value.clone()).collect(),
            level,
            comment: spec.comment.get().filter(|comment| !comment.is_empty()).cloned(),
            end,
            access,
            group_ids: spec.scope.get().map(scope::group_ids).unwrap_or_default(),
            digest: String::new(),
        };
        desired.digest = desired.made_digest();
        Ok(desired)
    }

    /// Whether it has a scope.
    pub fn has_scope(&self) -> bool {
        self.access.scope.is_some()
    }

    /// Tells one version of the definition from another; it is what a lock file notes.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The scope in the form that the product takes; none where nothing is sent for it.
    pub(super) fn scope(&self, state: &TenantState) -> Result<Option<ScopeWrite>, String> {
        let Some(scope) = &self.access.scope else { return Ok(None) };
        scope::write(scope, &self.group_ids, &state.asset_groups).map(Some)
    }

    /// Whether asset groups are named.
    pub(super) fn selects_groups(&self) -> bool {
        self.access.scope.as_ref().is_some_and(scope::selects_groups)
    }

    /// What the tenant is to be told about cases and issues that reference nothing known; none
    /// where it makes no difference.
    pub(crate) fn unreferenced(&self) -> Option<bool> {
        let scope = self.access.scope.as_ref()?;
        let matters = scope.cases_and_issues != Selection::None;
        matters.then_some(scope.unreferenced == Unreferenced::Yes)
    }

    /// As the core compares keys.
    pub(super) fn lend<R>(&self, ask: impl FnOnce(KeyDefinition<'_>) -> R) -> R {
        let (expiry, lifetime_ms) = match self.end {
            End::Never => (Expiry::Never, None),
            End::At { ms } => (Expiry::At { ms }, None),
            End::After { ms } => (Expiry::Never, Some(ms)),
        };
        self.access.lend(|access, _| {
            let (roles, scope) = (access.roles, access.scope);
            ask(KeyDefinition {
                name: &self.name,
                level: self.level,
                expiry,
                lifetime_ms,
                roles,
                scope,
            })
        })
    }

    fn made_digest(&self) -> String {
        let mut roles = self.roles.clone();
        roles.sort();
        let (kind, ms) = match self.end {
            End::Never => ("never", 0),
            End::At { ms } => ("at", ms),
            End::After { ms } => ("after", ms),
        };
        let text = json!({
            "level": self.level.as_str(),
            "roles": roles,
            "comment": self.comment,
            "end": [kind, ms],
            "groupIds": self.group_ids,
            // Its form is of this program alone, and so is the digest.
            "scope": self.access.scope.as_ref().map(|scope| format!("{scope:?}")),
        });
        let mut digest = hex::encode(Sha256::digest(text.to_string()));
        digest.truncate(DIGEST_LEN);
        digest
    }
}
