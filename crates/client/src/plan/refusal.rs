//! [`PlanRefusal`]: why no step leads from a tenant's key to its definition.

use thiserror::Error;

use super::scope::DefinedScopeError;
use crate::resources::ApiPermission;

/// Why no step leads there. The remedy is on a line that begins with `help: `.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(super) enum PlanRefusal {
    #[error("the tenant has no role {role:?}\nhelp: create it first")]
    MissingRole { role: String },
    #[error(transparent)]
    Scope(#[from] DefinedScopeError),
    #[error("its scope cannot be read: {why}")]
    UnreadScope { why: String },
    #[error("the tenant's API has no scopes\nhelp: remove the scope from the definition")]
    NoScopes,
    #[error(
        "it is unknown whether the tenant still has its key, because the record cannot be \
         read\nhelp: see `cortexkey keys list`"
    )]
    UnreadKey,
    #[error("a new key gets its scope in a second call, for which this key lacks {lacks}")]
    CannotSetScope { lacks: ApiPermission },
    #[error("roles or comment differ, but this key lacks {lacks}")]
    CannotEdit { lacks: ApiPermission },
    #[error("its expiry has passed\nhelp: set a later one")]
    Expired,
    #[error(
        "the API cannot generate a key that never expires\nhelp: generate it in the console, and \
         import it"
    )]
    NeverExpires,
    #[error(
        "the API cannot generate a key with a lifetime of more than six months\nhelp: generate it in \
         the console, and import it"
    )]
    LivesTooLong,
    #[error(
        "the key expires, and only the console can generate one that never does\nhelp: generate it \
         there, and import it"
    )]
    ShouldNeverExpire,
    #[error(
        "the product uses key {id} itself, so it is not changed\nhelp: correct the id in the lock \
         file, or make the definition match the key"
    )]
    SystemKey { id: u64 },
    #[error("{reason}, but {refusal}")]
    CannotReplace { reason: &'static str, refusal: Box<Self> },
}
