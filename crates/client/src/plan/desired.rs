//! [`Desired`]: a key as its definition describes it, for comparison with the tenant.

use cortexkey_api::scope::ScopeWrite;
use cortexkey_core::access::{Area, KeyDefinition, Unreferenced};
use cortexkey_core::auth::Level;
use cortexkey_core::lifecycle::Expiry;
use cortexkey_manifest::Span;
use cortexkey_manifest::access::{IncompleteField, KeyAccess};
use cortexkey_manifest::definition::{self, Definition};
use cortexkey_manifest::policy;

use super::digest::{Applied, Digests};
use super::end::End;
use super::scope::{self, DefinedScopeError, GroupIds};
use super::state::TenantState;

/// A key as its definition describes it.
#[derive(Clone, Debug)]
pub struct Desired {
    /// The name of the definition.
    pub name: String,
    /// The file that contains it.
    pub file: String,
    /// The line where it starts, counted from 1.
    pub line: usize,
    pub(super) roles: Vec<String>,
    pub(crate) level: Level,
    pub(super) comment: Option<String>,
    pub(super) owner: Option<String>,
    pub(super) end: End,
    pub(super) access: KeyAccess,
    /// Asset groups that are given with their ids.
    group_ids: GroupIds,
    digests: Digests,
}

impl Desired {
    /// Takes a definition. `catalog` contains the policy's roles; `tenant` is the tenant with the
    /// policy's entry, if it has one.
    pub fn from_definition(
        definition: &Definition,
        catalog: &[&policy::CatalogRole],
        tenant: Option<(&str, Option<&policy::CatalogTenant>)>,
        file: &str,
        line: usize,
    ) -> Result<Self, IncompleteField> {
        let access = KeyAccess::from_definition(definition, catalog, tenant)?;
        let open =
            |span: Span, message: &str| IncompleteField { span, message: message.to_owned() };
        let place = definition.place;
        let name = definition.name().ok_or_else(|| open(place, "`metadata.name` is missing"))?;
        let spec = definition.spec.as_ref().ok_or_else(|| open(place, "`spec` is missing"))?;
        let level =
            *spec.level.get().ok_or_else(|| open(spec.place, "`spec.securityLevel` is missing"))?;
        let end = spec.end().ok_or_else(|| open(spec.place, "the key has no expiry"))?;
        let ms = |ms: i64| u64::try_from(ms).unwrap_or(0);
        let end = match end.value {
            definition::ExpirySpec::Never => End::Never,
            definition::ExpirySpec::At(moment) => End::At { ms: ms(moment.as_millisecond()) },
            definition::ExpirySpec::After(lifetime) => {
                End::After { ms: ms(lifetime.as_secs().saturating_mul(1000)) }
            }
        };
        let roles: Vec<String> = definition.roles().iter().map(|role| role.value.clone()).collect();
        let comment = spec.comment.get().filter(|comment| !comment.is_empty()).cloned();
        let owner = definition.metadata.as_ref().and_then(|metadata| metadata.owner.get().cloned());
        let group_ids = spec.scope.get().map(scope::group_ids).unwrap_or_default();
        let applied = Applied {
            level,
            roles: &roles,
            comment: comment.as_deref(),
            end,
            group_ids: &group_ids,
            scope: access.scope.as_ref(),
        };
        let digests = Digests::new(&applied, definition);
        Ok(Self {
            name: name.to_owned(),
            file: file.to_owned(),
            line,
            roles,
            level,
            comment,
            owner,
            end,
            access,
            group_ids,
            digests,
        })
    }

    /// Whether it has a scope.
    pub fn has_scope(&self) -> bool {
        self.access.scope.is_some()
    }

    /// The digest that a lock file records: it distinguishes versions of a definition.
    pub fn digest(&self) -> &str {
        &self.digests.second
    }

    /// Whether the lock file records this definition as applied.
    pub(super) fn was_applied(&self, digest: Option<&str>) -> bool {
        digest.is_some_and(|digest| self.digests.include(digest))
    }

    /// The scope in the product's form; `None` if none is sent.
    pub(super) fn scope(
        &self,
        state: &TenantState,
    ) -> Result<Option<ScopeWrite>, DefinedScopeError> {
        let Some(scope) = &self.access.scope else { return Ok(None) };
        scope::write(scope, &self.group_ids, &state.asset_groups).map(Some)
    }

    /// Whether it names asset groups.
    pub(super) fn selects_groups(&self) -> bool {
        self.access.scope.as_ref().is_some_and(scope::selects_groups)
    }

    /// What the tenant is sent about cases and issues that reference no known object; `None` if it
    /// makes no difference.
    pub(crate) fn unreferenced(&self) -> Option<bool> {
        let cases = &self.access.scope.as_ref()?.cases_and_issues;
        (cases.area != Area::None).then_some(cases.unreferenced == Unreferenced::Yes)
    }

    /// In the form that the core compares.
    pub(super) fn definition(&self) -> KeyDefinition<'_, String> {
        let (expiry, lifetime_ms) = match self.end {
            End::Never => (Expiry::Never, None),
            End::At { ms } => (Expiry::At { ms }, None),
            End::After { ms } => (Expiry::Never, Some(ms)),
        };
        let name = &self.name;
        let level = self.level;
        let key = self.access.key();
        let roles = key.roles;
        let scope = key.scope;
        KeyDefinition { name, level, expiry, lifetime_ms, roles, scope }
    }
}
