//! API keys: list, generate and delete.
//!
//! Filters exist only in the combinations that the product accepts: there is no `gte` on roles.
//!
//! | call | request | reply |
//! |---|---|---|
//! | `api_keys/get_api_keys` | [`ListRequest`] | [`ListReply`] |
//! | `api_keys/generate` | [`GenerateRequest`] | [`GenerateReply`] |
//! | `api_keys/delete` | [`DeleteRequest`] | [`DeleteReply`] |

use core::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Secret;

mod read;
mod record;

pub use read::{ListRead, UnreadableRecord};

/// How a key authenticates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SecurityLevel {
    /// The key itself is sent.
    Standard,
    /// A digest is sent.
    Advanced,
}

/// The parameters of `get_api_keys`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListRequest {
    /// All of them must match. The list is required, and may be empty.
    pub filters: Vec<Filter>,
    /// The first record, counted from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search_from: Option<u64>,
    /// The record after the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search_to: Option<u64>,
    /// The order; by expiration, the latest first, by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sort: Option<Sort>,
}

/// One condition on keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawFilter", into = "RawFilter")]
pub enum Filter {
    /// The key expires at this time or later, in milliseconds since 1970.
    ExpirationGte(u64),
    /// The key expires at this time or earlier, in milliseconds since 1970.
    ExpirationLte(u64),
    /// The key has one of these roles.
    RolesContain(Vec<String>),
    /// The key's id is one of these.
    IdIn(Vec<u64>),
}

/// The order of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sort {
    /// The sort field.
    pub field: SortField,
    /// The direction.
    pub keyword: SortOrder,
}

/// The sort field of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SortField {
    /// The names of the roles.
    Roles,
    /// The expiration time.
    Expiration,
}

/// The sort direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SortOrder {
    /// Ascending.
    #[serde(alias = "ASC")]
    Asc,
    /// Descending.
    #[serde(alias = "DESC")]
    Desc,
}

/// The reply of `get_api_keys`, in the public API's upper-case names. Read it leniently, as
/// [`ListRead`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ListReply {
    /// The records of the page.
    #[serde(rename = "DATA")]
    pub data: Vec<ApiKeyRecord>,
    /// How many match the filters.
    #[serde(rename = "FILTER_COUNT")]
    pub filter_count: u64,
    /// How many keys there are, including expired ones.
    #[serde(rename = "TOTAL_COUNT")]
    pub total_count: u64,
}

/// A key in a list. It never contains the key itself or its scope.
///
/// [`ListRead`] reads such records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ApiKeyRecord {
    /// The key id.
    pub id: u64,
    /// When it was generated, in milliseconds since 1970.
    pub creation_time: Option<u64>,
    /// The creator's e-mail address; `N/A` if another key generated it.
    pub created_by: Option<String>,
    /// The creator's name; `Public API - 21` if key 21 generated it.
    pub user_name: Option<String>,
    /// The roles, by their display names.
    pub roles: Vec<String>,
    /// The security level.
    pub security_level: SecurityLevel,
    /// The comment.
    pub comment: Option<String>,
    /// When it expires, in milliseconds since 1970; `None` if it never expires.
    pub expiration: Option<u64>,
}

/// The longest lifetime of a key that the API generates, in milliseconds: six months at their
/// longest, which are 184 days.
pub const LIFETIME_MS_MAX: u64 = 184 * 24 * 60 * 60 * 1000;

/// The parameters of `generate`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GenerateRequest {
    /// The roles, by their display names.
    pub roles: Vec<String>,
    /// The security level.
    pub security_level: SecurityLevel,
    /// When the key expires, in milliseconds since 1970: at most six months from now, one week by
    /// default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiration: Option<u64>,
    /// The comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// The reply of `generate`: the only response that contains the key.
#[derive(Serialize, Deserialize)]
pub struct GenerateReply {
    /// The key id.
    pub id: u64,
    /// The key.
    pub key: Secret,
}

/// Shows the key's id, and nothing of the key.
impl fmt::Debug for GenerateReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GenerateReply").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The parameters of `delete`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteRequest {
    /// The keys: one filter `id in […]`.
    pub filters: Vec<Filter>,
}

/// The reply of `delete`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteReply {
    /// How many keys were deleted.
    pub update_count: u64,
}

/// A filter as sent: any field with any operator.
#[derive(Serialize, Deserialize)]
struct RawFilter {
    field: Field,
    operator: Operator,
    value: Value,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Field {
    Expiration,
    Roles,
    Id,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Operator {
    Gte,
    Lte,
    Contains,
    In,
}

impl TryFrom<RawFilter> for Filter {
    type Error = &'static str;

    fn try_from(raw: RawFilter) -> Result<Self, Self::Error> {
        let value = raw.value;
        let time = |value: Value| {
            value.as_u64().ok_or("the value of an `expiration` filter is an integer, epoch ms")
        };
        match (raw.field, raw.operator) {
            (Field::Expiration, Operator::Gte) => time(value).map(Self::ExpirationGte),
            (Field::Expiration, Operator::Lte) => time(value).map(Self::ExpirationLte),
            (Field::Roles, Operator::Contains) => serde_json::from_value(value)
                .map(Self::RolesContain)
                .map_err(|_| "the value of a `roles` filter is a list of role names"),
            (Field::Id, Operator::In) => serde_json::from_value(value)
                .map(Self::IdIn)
                .map_err(|_| "the value of an `id` filter is a list of integers"),
            (Field::Expiration, _) => Err("`expiration` takes the operators `gte` and `lte`"),
            (Field::Roles, _) => Err("`roles` takes the operator `contains`"),
            (Field::Id, _) => Err("`id` takes the operator `in`"),
        }
    }
}

impl From<Filter> for RawFilter {
    fn from(filter: Filter) -> Self {
        let (field, operator, value) = match filter {
            Filter::ExpirationGte(ms) => (Field::Expiration, Operator::Gte, ms.into()),
            Filter::ExpirationLte(ms) => (Field::Expiration, Operator::Lte, ms.into()),
            Filter::RolesContain(names) => (Field::Roles, Operator::Contains, names.into()),
            Filter::IdIn(ids) => (Field::Id, Operator::In, ids.into()),
        };
        Self { field, operator, value }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Reply, RequestData};

    fn again<T: Serialize + for<'de> Deserialize<'de>>(json: &str) {
        let value: T = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&value).unwrap(), json);
    }

    #[test]
    fn requests_are_written_as_the_product_reads_them() {
        again::<RequestData<ListRequest>>(r#"{"request_data":{"filters":[]}}"#);
        again::<RequestData<ListRequest>>(concat!(
            r#"{"request_data":{"filters":[{"field":"expiration","operator":"gte","value":7},"#,
            r#"{"field":"roles","operator":"contains","value":["Viewer"]}],"#,
            r#""search_from":0,"search_to":10,"sort":{"field":"roles","keyword":"asc"}}}"#,
        ));
        again::<RequestData<DeleteRequest>>(
            r#"{"request_data":{"filters":[{"field":"id","operator":"in","value":[933]}]}}"#,
        );
        again::<RequestData<GenerateRequest>>(
            r#"{"request_data":{"roles":["Viewer"],"security_level":"advanced","comment":"ci"}}"#,
        );
    }

    #[test]
    fn replies_are_read_and_written() {
        again::<Reply<DeleteReply>>(r#"{"reply":{"update_count":1}}"#);
        again::<Reply<GenerateReply>>(r#"{"reply":{"id":7,"key":"abc"}}"#);
        let json = concat!(
            r#"{"reply":{"DATA":[{"id":7,"creation_time":1700000000000,"created_by":"a@b.example","#,
            r#""user_name":"A","roles":["Viewer"],"security_level":"standard","comment":null,"#,
            r#""expiration":null}],"FILTER_COUNT":1,"TOTAL_COUNT":2}}"#,
        );
        let read = serde_json::from_str::<Reply<ListRead>>(json).unwrap().reply;
        let filter_count = read.filter_count.unwrap();
        let total_count = read.total_count.unwrap();
        let reply = ListReply { data: read.keys, filter_count, total_count };
        assert_eq!(serde_json::to_string(&Reply { reply }).unwrap(), json);
    }

    #[test]
    fn incompatible_filters_are_refused_with_the_reason() {
        for (filter, reason) in [
            (r#"{"field":"id","operator":"gte","value":[1]}"#, "operator `in`"),
            (r#"{"field":"roles","operator":"in","value":["a"]}"#, "operator `contains`"),
            (r#"{"field":"expiration","operator":"in","value":1}"#, "`gte` and `lte`"),
            (r#"{"field":"expiration","operator":"gte","value":"1"}"#, "integer, epoch ms"),
            (r#"{"field":"id","operator":"in","value":[-1]}"#, "list of integers"),
            (r#"{"field":"name","operator":"in","value":[]}"#, "unknown variant `name`"),
        ] {
            let error = serde_json::from_str::<Filter>(filter).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }

    #[test]
    fn debug_does_not_show_the_key() {
        let reply = GenerateReply { id: 7, key: Secret::new("leak".into()) };
        assert_eq!(format!("{reply:?}"), "GenerateReply { id: 7, .. }");
    }
}
