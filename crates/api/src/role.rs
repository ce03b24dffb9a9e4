//! Roles: listed, created and deleted at `platform/iam/v1/role`, and the permissions that a role
//! can grant. The product's API does not return which ones a role grants.
//!
//! | call | request | reply |
//! |---|---|---|
//! | `GET role` | | [`RoleList`] |
//! | `POST role` | [`CreateRequest`] | 201, [`Data`](crate::Data) of [`Message`](crate::Message), see [`created_id`] |
//! | `DELETE role/{role_id}` | | [`Data`](crate::Data) of [`Message`](crate::Message) |
//! | `GET role/permission-config` | | [`Data`](crate::Data) of [`PermissionConfig`] |

use core::fmt;

use serde::{Deserialize, Deserializer, Serialize};

/// The display name of a role (`pretty_name`): what lists of keys contain, and what `generate`
/// expects.
///
/// Only the tenant's [`RoleList`] maps a name to a [`RoleId`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RoleName(String);

/// The id of a role (`role_id`): what the PUT of a key expects.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RoleId(String);

macro_rules! text {
    ($name:ident) => {
        impl $name {
            /// Takes the id as the tenant returned it.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The id as a string.
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

/// The reply of a list of roles.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleList {
    /// The roles.
    pub data: Vec<RoleRecord>,
    /// The counts.
    #[serde(default)]
    pub metadata: RoleCount,
}

/// The number of roles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleCount {
    /// The total.
    #[serde(default)]
    pub total_count: u64,
}

/// A role in the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleRecord {
    /// The id for the DELETE, and for the PUT of a key.
    pub role_id: RoleId,
    /// The display name, as in a list of keys.
    pub pretty_name: RoleName,
    /// The description.
    #[serde(default)]
    pub description: Option<String>,
    /// Whether it is a custom role, rather than one of the product's.
    #[serde(default)]
    pub is_custom: bool,
    /// The creator.
    #[serde(default)]
    pub created_by: Option<String>,
    /// When it was created, in milliseconds since 1970.
    #[serde(default)]
    pub created_ts: Option<u64>,
    /// When it was last changed, in milliseconds since 1970.
    #[serde(default)]
    pub updated_ts: Option<u64>,
}

/// The body of a POST.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateRequest {
    /// The permissions, by their names in the [`PermissionConfig`]; at least one.
    pub component_permissions: Vec<String>,
    /// The display name.
    pub pretty_name: String,
    /// The description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The datasets that it grants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset_permissions: Option<Vec<DatasetPermission>>,
}

/// The product's description allows `null` here.
pub(crate) fn null_as_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    json: D,
) -> Result<T, D::Error> {
    Option::deserialize(json).map(Option::unwrap_or_default)
}

/// The datasets of one category that a role grants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatasetPermission {
    /// The category.
    pub category: String,
    /// Whether all of them are granted.
    #[serde(default, deserialize_with = "null_as_default")]
    pub access_all: bool,
    /// The granted ones, if not all.
    #[serde(default, deserialize_with = "null_as_default")]
    pub permissions: Vec<String>,
}

/// The message of a POST, which contains the new role's id.
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

/// All permissions that a role can grant.
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
    /// Its sections.
    pub sub_categories: Vec<SubCategory>,
}

/// A section of a category.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubCategory {
    /// Its name; `None` if the category is not divided.
    #[serde(default)]
    pub sub_category_name: Option<String>,
    /// Its components.
    pub permissions: Vec<ComponentPermission>,
}

/// A component, and its permission names for a [`CreateRequest`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentPermission {
    /// Its name in the console.
    pub name: String,
    /// The name of View, if there is such a level.
    #[serde(default)]
    pub view_name: Option<String>,
    /// The name of View/Edit, if there is such a level.
    #[serde(default)]
    pub action_name: Option<String>,
    /// Named actions within it.
    #[serde(default)]
    pub sub_permissions: Vec<ActionPermission>,
}

/// A named action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionPermission {
    /// The permission name.
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
