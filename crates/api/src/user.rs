//! Users and user groups, as `platform/iam/v1/user` and `platform/iam/v1/user-group` list them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::role::null_as_default;

/// A user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserRecord {
    /// The e-mail address, which names the user.
    pub user_email: String,
    /// The first name.
    #[serde(default)]
    pub user_first_name: Option<String>,
    /// The last name.
    #[serde(default)]
    pub user_last_name: Option<String>,
    /// The telephone number.
    #[serde(default)]
    pub phone_number: Option<String>,
    /// The status, such as `Active`.
    #[serde(default)]
    pub status: Option<String>,
    /// The display name of the directly assigned role.
    #[serde(default)]
    pub role_name: Option<String>,
    /// The last login, in milliseconds since 1970.
    #[serde(default)]
    pub last_logged_in: Option<u64>,
    /// Whether the console hides the user.
    #[serde(default, deserialize_with = "null_as_default")]
    pub is_hidden: bool,
    /// `CSP` or `SSO`.
    #[serde(default)]
    pub user_type: Option<String>,
    /// The user's groups.
    #[serde(default, deserialize_with = "null_as_default")]
    pub groups: Vec<GroupReference>,
}

/// A reference to a user group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupReference {
    /// The group's id: a string in some of the product's examples, a number in others.
    pub group_id: Value,
    /// The group's name.
    pub group_name: String,
}

/// A user group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserGroupRecord {
    /// The id.
    pub group_id: String,
    /// The name.
    pub group_name: String,
    /// The description.
    #[serde(default)]
    pub description: Option<String>,
    /// The id of its role.
    #[serde(default)]
    pub role_id: Option<String>,
    /// The display name of its role.
    #[serde(default)]
    pub pretty_role_name: Option<String>,
    /// The creator.
    #[serde(default)]
    pub created_by: Option<String>,
    /// When it was created, in milliseconds since 1970.
    #[serde(default)]
    pub created_ts: Option<u64>,
    /// When it was last changed, in milliseconds since 1970.
    #[serde(default)]
    pub updated_ts: Option<u64>,
    /// The e-mail addresses of its users.
    #[serde(default, deserialize_with = "null_as_default")]
    pub users: Vec<String>,
    /// `custom` or `ad_type`.
    #[serde(default)]
    pub group_type: Option<String>,
    /// Its direct child groups.
    #[serde(default, deserialize_with = "null_as_default")]
    pub nested_groups: Vec<GroupReference>,
    /// The groups of an identity provider that belong to it.
    #[serde(default, deserialize_with = "null_as_default")]
    pub idp_groups: Vec<String>,
}

/// The reply of a list of users or user groups.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed<T> {
    /// The records.
    #[serde(default = "Vec::new")]
    pub data: Vec<T>,
}
