//! [`ListRead`]: a list of keys in the forms that real tenants return.
//!
//! The product's schema and its examples differ in the case of names, counts may be missing or
//! strings, lists may be `null`, and levels may be capitalised. A record that cannot be read is
//! reported, and the others are kept.

use core::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::{ApiKeyRecord, SecurityLevel};

/// A page of keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListRead {
    /// The records that can be read.
    pub keys: Vec<ApiKeyRecord>,
    /// The records that cannot be read.
    pub unreadable: Vec<UnreadableRecord>,
    /// How many match the filters: in total, or on this page.
    pub filter_count: Option<u64>,
    /// How many keys there are, including expired ones.
    pub total_count: Option<u64>,
}

/// A record of a key that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadableRecord {
    /// The key id, if it can be read.
    pub id: Option<u64>,
    /// The field that cannot be read.
    pub field: &'static str,
}

impl<'de> Deserialize<'de> for ListRead {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        let Value::Object(object) = Value::deserialize(json)? else {
            return Err(D::Error::custom("a list of keys is an object"));
        };
        let fields = Fields(object);
        let records = match fields.get("data") {
            Some(Value::Array(records)) => records.as_slice(),
            Some(Value::Null) => &[],
            _ => return Err(D::Error::custom("a list of keys has the field DATA")),
        };
        let mut list = Self {
            filter_count: fields.get("filter_count").and_then(number),
            total_count: fields.get("total_count").and_then(number),
            ..Self::default()
        };
        for record in records {
            match self::record(record) {
                Ok(key) => list.keys.push(key),
                Err(record) => list.unreadable.push(record),
            }
        }
        Ok(list)
    }
}

impl<'de> Deserialize<'de> for ApiKeyRecord {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        record(&Value::deserialize(json)?).map_err(D::Error::custom)
    }
}

/// The members of an object, ignoring the case of their names.
struct Fields(Map<String, Value>);

impl Fields {
    fn get(&self, name: &str) -> Option<&Value> {
        let any_case = || self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        self.0.get(name).or_else(|| any_case().map(|(_, value)| value))
    }
}

/// Whether a number is a time in milliseconds, between 1973 and 9999. Seconds, microseconds and zero are
/// outside: read as milliseconds, they would mean that a key has expired, or never does.
fn is_ms(time: u64) -> bool {
    (100_000_000_000..253_402_300_800_000).contains(&time)
}

fn record(value: &Value) -> Result<ApiKeyRecord, UnreadableRecord> {
    let Value::Object(object) = value else {
        return Err(UnreadableRecord { id: None, field: "id" });
    };
    let fields = Fields(object.clone());
    let id = fields.get("id").and_then(number);
    let unreadable = |field| UnreadableRecord { id, field };
    let text = |name: &'static str| match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(unreadable(name)),
    };
    let time = |name: &'static str| match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => number(value).map(Some).ok_or_else(|| unreadable(name)),
    };
    let level = text("security_level")?.unwrap_or_default();
    Ok(ApiKeyRecord {
        id: id.ok_or_else(|| unreadable("id"))?,
        creation_time: time("creation_time")?.filter(|time| is_ms(*time)),
        created_by: text("created_by")?,
        user_name: text("user_name")?,
        roles: roles(fields.get("roles")).ok_or_else(|| unreadable("roles"))?,
        security_level: match level.to_ascii_lowercase().as_str() {
            "standard" => SecurityLevel::Standard,
            "advanced" => SecurityLevel::Advanced,
            _ => return Err(unreadable("security_level")),
        },
        comment: text("comment")?,
        expiration: match time("expiration")? {
            Some(time) if !is_ms(time) => return Err(unreadable("expiration")),
            expiration => expiration,
        },
    })
}

fn roles(value: Option<&Value>) -> Option<Vec<String>> {
    match value {
        None | Some(Value::Null) => Some(Vec::new()),
        Some(Value::Array(names)) => {
            names.iter().map(|name| name.as_str().map(str::to_owned)).collect()
        }
        Some(_) => None,
    }
}

/// A number, or a number in a string.
fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

impl fmt::Display for UnreadableRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.id {
            Some(id) => write!(f, "the record of key {id} has no readable `{}`", self.field),
            None => write!(f, "a record of a key has no readable `{}`", self.field),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(value: Value) -> ListRead {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn names_and_levels_are_read_in_any_case_and_counts_as_text() {
        let list = read(json!({
            "data": [{ "ID": "7", "SECURITY_LEVEL": "Standard", "Roles": null, "last_used": 12 }],
            "Filter_Count": "1", "next": null,
        }));
        assert_eq!((list.keys[0].id, list.keys[0].security_level), (7, SecurityLevel::Standard));
        assert_eq!((list.filter_count, list.total_count), (Some(1), None));
        assert!(list.unreadable.is_empty() && list.keys[0].roles.is_empty());
    }

    #[test]
    fn an_odd_record_is_named_and_the_others_are_read() {
        let good = json!({ "id": 7, "security_level": "advanced" });
        for (record, odd) in [
            (json!({ "id": 9, "security_level": "quantum" }), (Some(9), "security_level")),
            (json!({ "id": 9, "security_level": "standard", "roles": [1] }), (Some(9), "roles")),
            (
                json!({ "id": 9, "security_level": "standard", "expiration": "soon" }),
                (Some(9), "expiration"),
            ),
            (
                json!({ "id": 9, "security_level": "standard", "expiration": 0 }),
                (Some(9), "expiration"),
            ),
            (json!({ "id": -9, "security_level": "standard" }), (None, "id")),
            (json!({ "id": 1.5, "security_level": "standard" }), (None, "id")),
            (json!({ "security_level": "standard" }), (None, "id")),
            (json!("text"), (None, "id")),
        ] {
            let list = read(json!({ "DATA": [record, good] }));
            assert_eq!(list.keys.len(), 1);
            assert_eq!((list.unreadable[0].id, list.unreadable[0].field), odd);
        }
    }

    #[test]
    fn only_milliseconds_are_times() {
        const AT_MS: u64 = 1_803_869_419_599;
        for (time, is_ms) in [(AT_MS, true), (AT_MS / 1000, false), (AT_MS * 1000, false)] {
            let key = json!({
                "id": 9, "security_level": "standard", "creation_time": time, "expiration": AT_MS,
            });
            let list = read(json!({ "DATA": [key] }));
            assert_eq!(list.keys[0].creation_time, Some(time).filter(|_| is_ms), "{time}");
            let key = json!({ "id": 9, "security_level": "standard", "expiration": time });
            assert_eq!(read(json!({ "DATA": [key] })).unreadable.is_empty(), is_ms, "{time}");
        }
    }

    #[test]
    fn an_invalid_list_is_an_error() {
        for value in [json!([]), json!({}), json!({ "DATA": {} }), json!({ "FILTER_COUNT": 0 })] {
            assert!(serde_json::from_value::<ListRead>(value).is_err());
        }
        assert_eq!(read(json!({ "DATA": null })), ListRead::default());
    }
}
