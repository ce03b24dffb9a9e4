//! Key definitions: the typed form of one YAML document, each field with its place.
//!
//! No field has a default: a missing field is `Absent`, whatever the policy says about it.

mod lower;
mod scope;

/// The owner that an import writes for a key without a known owner.
pub const UNASSIGNED: &str = "unassigned";

pub use crate::format::{API_VERSION, KEY_KIND as KIND};
pub use crate::time::{ExpirySpec, TimeError, lifetime, moment};
pub use lower::{read, read_scope};
pub use scope::{AssetGroup, Assets, Cases, DatasetFilter, Datasets, Endpoints, ScopeSpec};

use cortexkey_core::auth::Level;

use crate::reader::TextPair;
use crate::{Field, Problem, Span, Spanned};

/// An approval recorded in the definition.
#[derive(Clone, Debug)]
pub struct Approval {
    /// Its position.
    pub span: Span,
    /// The person who approved.
    pub by: Field<String>,
    /// The ticket that records it.
    pub ticket: Field<String>,
}

/// `metadata`.
#[derive(Clone, Debug)]
pub struct Metadata {
    /// The position of the key `metadata`.
    pub place: Span,
    /// The name, unique within the tenant.
    pub name: Field<String>,
    /// The owner: a team or an e-mail address.
    pub owner: Field<String>,
    /// A tenant of the policy.
    pub tenant: Field<String>,
    /// Labels, for `match` in policies.
    pub labels: Vec<TextPair>,
    /// Annotations: free text.
    pub annotations: Vec<TextPair>,
    /// Recorded approvals.
    pub approvals: Vec<Approval>,
}

/// `spec`.
#[derive(Clone, Debug)]
pub struct Spec {
    /// The position of the key `spec`.
    pub place: Span,
    /// The security level.
    pub level: Field<Level>,
    /// What the key is for.
    pub comment: Field<String>,
    /// When it expires.
    pub expires: Field<ExpirySpec>,
    /// The lifetime, counted from when the key is generated.
    pub lifetime: Field<ExpirySpec>,
    /// The names of its roles.
    pub roles: Field<Vec<Spanned<String>>>,
    /// What the key may see.
    pub scope: Field<ScopeSpec>,
}

impl Spec {
    /// `expires`, otherwise `lifetime`, if it could be read.
    pub fn end(&self) -> Option<&Spanned<ExpirySpec>> {
        self.expires.spanned().or_else(|| self.lifetime.spanned())
    }
}

/// One key definition.
#[derive(Clone, Debug)]
pub struct Definition {
    /// The document.
    pub span: Span,
    /// The position at which missing top-level fields are reported: the document's first key.
    pub place: Span,
    /// `metadata`, if it is a mapping.
    pub metadata: Option<Metadata>,
    /// `spec`, if it is a mapping.
    pub spec: Option<Spec>,
}

impl Definition {
    /// The key's name, if it has one.
    pub fn name(&self) -> Option<&str> {
        self.metadata.as_ref()?.name.get().map(String::as_str)
    }

    /// The tenant that the definition names.
    pub fn tenant(&self) -> Option<&str> {
        self.metadata.as_ref()?.tenant.get().map(String::as_str)
    }

    /// The roles, if they are a list.
    pub fn roles(&self) -> &[Spanned<String>] {
        let roles = self.spec.as_ref().and_then(|spec| spec.roles.get());
        roles.map(Vec::as_slice).unwrap_or_default()
    }
}

/// The result of reading one document.
#[derive(Clone, Debug)]
pub struct Lowered {
    /// The definition, unless the document is of another kind or version.
    pub definition: Option<Definition>,
    /// All mistakes of the document.
    pub problems: Vec<Problem>,
}
