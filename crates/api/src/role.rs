//! Roles: listed, created and deleted at `platform/iam/v1/role`, and the permissions that a role can
//! hold. The product's API does not return which ones a role does hold.
//!
//! | call | request | reply |
//! |---|---|---|
//! | `GET role` | | [`RoleList`] |
//! | `POST role` | [`CreateRequest`] | 201, [`Data`](crate::Data) of [`Message`](crate::Message), see [`created_id`] |
//! | `DELETE role/{role_id}` | | [`Data`](crate::Data) of [`Message`](crate::Message) |
//! | `GET role/permission-config` | | [`Data`](crate::Data) of [`PermissionConfig`] |

use core::fmt;

use serde::{Deserialize, Deserializer, Serialize};

/// The display name of a role (`pretty_name`): what lists of keys show, and what `generate` takes.
///
/// There is no way from a name to a [`RoleId`] but through the tenant's [`RoleList`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RoleName(String);

/// The id of a role (`role_id`): what the PUT of a key takes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RoleId(String);

macro_rules! text {
    ($name:ident) => {
        impl $name {
            /// Takes the text as the tenant has it.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.0
            }
        }
    };
}

text!(RoleName);
text!(RoleId);

/// What a list of roles answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleList {
    /// The roles.
    pub data: Vec<RoleRecord>,
    /// How many.
    #[serde(default)]
    pub metadata: RoleCount,
}

/// How many roles there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleCount {
    /// All of them.
    #[serde(default)]
    pub total_count: u64,
}

/// A role in the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleRecord {
    /// What the DELETE takes, and the PUT of a key.
    pub role_id: RoleId,
    /// The display name, which a list of keys shows.
    pub pretty_name: RoleName,
    /// What it is for.
    #[serde(default)]
    pub description: Option<String>,
    /// Whether somebody made it, rather than the product.
    #[serde(default)]
    pub is_custom: bool,
    /// Who made it.
    #[serde(default)]
    pub created_by: Option<String>,
    /// When it was made, in milliseconds since 1970.
    #[serde(default)]
    pub created_ts: Option<u64>,
    /// When it was last changed, in milliseconds since 1970.
    #[serde(default)]
    pub updated_ts: Option<u64>,
}

/// What a POST makes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateRequest {
    /// What the role holds, by the names in the [`PermissionConfig`]; at least one.
    pub component_permissions: Vec<String>,
    /// The display name.
    pub pretty_name: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Which datasets it opens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset_permissions: Option<Vec<DatasetPermission>>,
}

/// The product's description lets these be `null`.
pub(crate) fn null_as_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    json: D,
) -> Result<T, D::Error> {
    Option::deserialize(json).map(Option::unwrap_or_default)
}

/// Datasets of one category that a role opens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatasetPermission {
    /// The category.
    pub category: String,
    /// Whether all of them.
    #[serde(default, deserialize_with = "null_as_default")]
    pub access_all: bool,
    /// Which, where not all.
    #[serde(default, deserialize_with = "null_as_default")]
    pub permissions: Vec<String>,
}

/// The message with which a POST says which id the role has.
pub fn created_message(role_id: &str) -> String {
    format!("role_id {role_id} created successfully.")
}

/// The id in that message.
///
/// ```
/// use cortexkey_api::role::{created_id, created_message};
///
/// assert_eq!(created_id(&created_message("custom_role_7")), Some("custom_role_7"));
/// assert_eq!(created_id("done"), None);
/// ```
pub fn created_id(message: &str) -> Option<&str> {
    let mut words = message.split_whitespace();
    words.find(|word| word.eq_ignore_ascii_case("role_id"))?;
    let id = words.next()?;
    words.next()?.eq_ignore_ascii_case("created").then_some(id)
}

/// Everything that a role can hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PermissionConfig {
    /// Components, by category.
    pub rbac_permissions: Vec<Category>,
    /// Datasets, by category.
    #[serde(rename = "datasetGroups", default)]
    pub dataset_groups: Vec<DatasetGroup>,
}

/// A category of components.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Category {
    /// Its name.
    pub category_name: String,
    /// What it is divided into.
    pub sub_categories: Vec<SubCategory>,
}

/// A part of a category.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubCategory {
    /// Its name; none where the category is not divided.
    #[serde(default)]
    pub sub_category_name: Option<String>,
    /// Its components.
    pub permissions: Vec<ComponentPermission>,
}

/// A component, and the names under which a [`CreateRequest`] asks for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentPermission {
    /// Its name in the console.
    pub name: String,
    /// What asks for View, where there is such a level.
    #[serde(default)]
    pub view_name: Option<String>,
    /// What asks for View/Edit, where there is such a level.
    #[serde(default)]
    pub action_name: Option<String>,
    /// Named actions within it.
    #[serde(default)]
    pub sub_permissions: Vec<ActionPermission>,
}

/// A named action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionPermission {
    /// What asks for it.
    pub action_name: String,
    /// Its name in the console.
    pub name: String,
}

/// Datasets of one category.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetGroup {
    /// Their names.
    pub datasets: Vec<String>,
    /// The category.
    pub dataset_category: String,
}
