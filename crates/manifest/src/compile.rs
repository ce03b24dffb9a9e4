//! Compiles a definition for programs that do not read YAML.
//!
//! A definition that leaves open what a decision or comparison depends on is an error with its
//! position.

use cortexkey_core::access::compiled::{CompileError, CompiledKey, Compiler};
use cortexkey_core::access::{KeyDefinition, Scope, Unreferenced};
use cortexkey_core::auth::KeyId;
use cortexkey_core::lifecycle;

use crate::access::{IncompleteField, KeyAccess, ScopeModel};
use crate::definition::{Definition, ExpirySpec};
use crate::lock::LockedKey;
use crate::{Field, Span};

/// Why a definition cannot be compiled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompileRefusal {
    /// A field is missing or cannot be read, and a decision depends on it.
    #[error("{}", .0.message)]
    Incomplete(IncompleteField),
    /// It exceeds a limit of the compiled form, or was already added.
    #[error(transparent)]
    Compile(CompileError),
}

impl From<IncompleteField> for CompileRefusal {
    fn from(field: IncompleteField) -> Self {
        Self::Incomplete(field)
    }
}

/// Compiles a definition with the policy's facts, and with the key ids from the lock file.
pub fn add(
    compiler: &mut Compiler,
    definition: &Definition,
    access: &KeyAccess,
    locked: Option<&LockedKey>,
) -> Result<(), CompileRefusal> {
    let place = definition.place;
    let name = definition
        .name()
        .ok_or_else(|| IncompleteField::new(place, "`metadata.name` is missing"))?;
    let spec = definition
        .spec
        .as_ref()
        .ok_or_else(|| IncompleteField::new(place, "`spec` cannot be read"))?;
    let level = match &spec.level {
        Field::Present { value, .. } => value.value,
        _ => {
            return Err(
                IncompleteField::new(spec.place, "`spec.securityLevel` cannot be read").into()
            );
        }
    };
    let end = spec.end().ok_or_else(|| {
        IncompleteField::new(
            spec.place,
            "`spec.expires` or `spec.lifetime` is missing; expected one of them, such as `expires: never`",
        )
    })?;
    let (expiry, lifetime_ms) = match end.value {
        ExpirySpec::Never => (lifecycle::Expiry::Never, None),
        ExpirySpec::At(at) => {
            let ms = u64::try_from(at.as_millisecond()).unwrap_or(0);
            (lifecycle::Expiry::At { ms }, None)
        }
        ExpirySpec::After(after) => {
            (lifecycle::Expiry::Never, Some(u64::try_from(after.as_millis()).unwrap_or(0)))
        }
    };
    let is_unknown =
        |scope: &Scope<String>| scope.cases_and_issues.unreferenced == Unreferenced::Unknown;
    if access.scope.as_ref().is_some_and(is_unknown) {
        let message = "`unreferenced: unknown` leaves open what the key may see; expected true \
                       or false";
        return Err(IncompleteField::new(scope_place(definition), message).into());
    }
    let key_ids = key_ids(locked);
    let tenant = access.tenant.name.as_deref().unwrap_or_default();
    let older_scopes = access.tenant.scopes == ScopeModel::Older;
    let key = access.key();
    let roles = key.roles;
    let scope = key.scope;
    compiler
        .add(&CompiledKey {
            tenant,
            key_ids: &key_ids,
            definition: KeyDefinition { name, level, expiry, lifetime_ms, roles, scope },
            settings: access.tenant.settings,
            older_scopes,
        })
        .map_err(CompileRefusal::Compile)
}

fn scope_place(definition: &Definition) -> Span {
    let spec = definition.spec.as_ref();
    let scope = spec.and_then(|spec| match &spec.scope {
        Field::Present { value, .. } => match &value.value.cases {
            Field::Present { value, .. } => Some(value.value.place),
            _ => Some(value.value.place),
        },
        _ => None,
    });
    scope.unwrap_or(definition.place)
}

/// The current id, and those of keys in their grace period.
fn key_ids(locked: Option<&LockedKey>) -> Vec<KeyId> {
    let Some(locked) = locked else { return Vec::new() };
    let retiring = locked.retiring.iter().map(|retiring| retiring.id);
    locked.id.into_iter().chain(retiring).collect()
}
