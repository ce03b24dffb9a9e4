//! One API key: read and edited at `platform/iam/v1/api-key/{id}`.
//!
//! A PUT takes the fields below and no others: the product rejects a request that has an expiry.
//!
//! | call | request | reply |
//! |---|---|---|
//! | `GET api-key/{id}` | | [`Data`](crate::Data) of [`ApiKeyRecord`](crate::api_keys::ApiKeyRecord) |
//! | `PUT api-key/{id}` | [`EditRequest`] | [`Data`](crate::Data) of [`Message`](crate::Message) |

use serde::{Deserialize, Serialize};

use crate::api_keys::SecurityLevel;
use crate::role::RoleId;

/// What a PUT changes. Expiry and scope cannot be changed here.
///
/// The product's interface description asks for the ids of roles, while lists show their display
/// names. `EditRequest<RoleName>` is for a tenant that takes names against the description.
///
/// ```
/// use cortexkey_api::api_key::{CommentEdit, EditRequest};
///
/// let edit = |json| serde_json::from_str::<EditRequest>(json);
/// let json = r#"{"roles":["role_viewer"],"security_level":"advanced"}"#;
/// assert_eq!(edit(json)?.comment, CommentEdit::Keep);
/// let json = r#"{"roles":["role_viewer"],"security_level":"advanced","comment":null}"#;
/// assert_eq!(edit(json)?.comment, CommentEdit::Set(None));
/// let json = r#"{"roles":["role_viewer"],"security_level":"advanced","expiration":1}"#;
/// assert!(edit(json).is_err());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EditRequest<R = RoleId> {
    /// All roles of the key.
    pub roles: Vec<R>,
    /// The security level. A different level breaks the key's clients.
    pub security_level: SecurityLevel,
    /// The comment.
    #[serde(default, skip_serializing_if = "CommentEdit::is_keep")]
    pub comment: CommentEdit,
}

/// The change of a comment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Option<String>", into = "Option<String>")]
pub enum CommentEdit {
    /// Unchanged: the field is absent.
    #[default]
    Keep,
    /// Replaced, or removed if the field is `null`.
    Set(Option<String>),
}

impl CommentEdit {
    fn is_keep(&self) -> bool {
        *self == Self::Keep
    }
}

impl From<Option<String>> for CommentEdit {
    fn from(said: Option<String>) -> Self {
        Self::Set(said)
    }
}

impl From<CommentEdit> for Option<String> {
    fn from(edit: CommentEdit) -> Self {
        match edit {
            CommentEdit::Keep => None,
            CommentEdit::Set(said) => said,
        }
    }
}
