//! Filters and sort orders of lists, in the two forms that the product has. The server applies them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A condition in the older form: `{"field","operator","value"}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Condition {
    /// The field.
    pub field: String,
    /// The operator.
    pub operator: String,
    /// The value.
    pub value: Value,
}

/// An order in the older form: `{"field","keyword"}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sort {
    /// The sort field.
    pub field: String,
    /// The direction.
    pub keyword: crate::api_keys::SortOrder,
}

/// A filter in the newer form: conditions under `AND` and `OR`.
///
/// ```
/// use cortexkey_api::filter::XdmFilter;
///
/// let json = concat!(
///     r#"{"AND":[{"SEARCH_FIELD":"XDM.ASSET_GROUP.TYPE","#,
///     r#""SEARCH_TYPE":"EQ","SEARCH_VALUE":"Dynamic"}]}"#,
/// );
/// let filter: XdmFilter = serde_json::from_str(json)?;
/// assert_eq!(serde_json::to_string(&filter)?, json);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum XdmFilter {
    /// All must match.
    And {
        /// The filters.
        #[serde(rename = "AND")]
        all: Vec<Self>,
    },
    /// One must match.
    Or {
        /// The filters.
        #[serde(rename = "OR")]
        any: Vec<Self>,
    },
    /// This must match.
    Condition(XdmCondition),
    /// `{}`: matches everything.
    Everything {},
}

/// A condition in the newer form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE", deny_unknown_fields)]
pub struct XdmCondition {
    /// The field.
    pub search_field: String,
    /// The operator, such as `EQ`.
    pub search_type: String,
    /// The value.
    #[serde(default)]
    pub search_value: Value,
}

/// An order in the newer form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub struct XdmSort {
    /// The sort field.
    pub field: String,
    /// `ASC` or `DESC`.
    pub order: String,
}
