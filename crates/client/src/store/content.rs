//! [`Content`]: what a store holds at an address, and the entry of one key in it.
//!
//! A secret is one JSON object of strings. The address names the key's field. Id, level, host,
//! owner and expiry have their own fields, whose names begin with that name. Other fields are kept.

use core::fmt;

use cortexkey_core::auth::{KeyId, Level};
use serde_json::{Map, Value};
use zeroize::{Zeroize as _, Zeroizing};

use super::StoreError;

/// JSON that may hold secrets, wiped on drop.
pub(super) struct Json(pub(super) Value);

impl Drop for Json {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(fields) => fields.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// What a store holds at an address.
pub(super) enum Content {
    /// An object of fields.
    Fields(Json),
    /// A string that is not an object: only the key.
    Plain(Zeroizing<String>),
}

/// The metadata that is stored with a key. Absent values are not stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecretMetadata {
    /// Its id.
    pub id: Option<u64>,
    /// Its security level.
    pub level: Option<Level>,
    /// The address of its tenant without the scheme, with `@` and the child tenant if the key
    /// belongs to one.
    pub host: Option<String>,
    /// The owner of its definition.
    pub owner: Option<String>,
    /// When it expires, in RFC 3339.
    pub expires: Option<String>,
}

/// A key as a store holds it.
pub struct StoredSecret {
    /// The key.
    pub key: Zeroizing<Vec<u8>>,
    /// The metadata that is stored with it.
    pub facts: SecretMetadata,
}

/// Shows only the metadata, not the key.
impl fmt::Debug for StoredSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredKey").field("facts", &self.facts).finish_non_exhaustive()
    }
}

const FACTS: [&str; 5] = ["id", "level", "host", "owner", "expires"];

/// The names of the fields of the key in a field.
pub(super) fn names(field: &str) -> impl Iterator<Item = String> {
    core::iter::once(field.to_owned()).chain(FACTS.map(|name| format!("{field}_{name}")))
}

impl Content {
    /// Parses a string: an object of fields, or only a key.
    pub(super) fn parse(text: &str) -> Result<Self, StoreError> {
        if !text.trim_start().starts_with('{') {
            return Ok(Self::Plain(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned())));
        }
        let expected = "a JSON object or a key alone";
        let value = serde_json::from_str(text).map_err(|_| StoreError::Answer { expected })?;
        Ok(Self::Fields(Json(value)))
    }

    /// The key in a field, with its metadata.
    pub(super) fn key(&self, field: &str) -> Result<StoredSecret, StoreError> {
        match self {
            Self::Plain(text) => Ok(StoredSecret {
                key: Zeroizing::new(text.as_bytes().to_vec()),
                facts: SecretMetadata::default(),
            }),
            Self::Fields(fields) => {
                let key = text_of(&fields.0, field).filter(|key| !key.is_empty());
                let key = key.ok_or_else(|| StoreError::NoField { field: field.to_owned() })?;
                let key = Zeroizing::new(key.as_bytes().to_vec());
                Ok(StoredSecret { key, facts: self.facts(field) })
            }
        }
    }

    /// The metadata of the key in a field.
    pub(super) fn facts(&self, field: &str) -> SecretMetadata {
        let Self::Fields(fields) = self else { return SecretMetadata::default() };
        let fact = |name: &str| match fields.0.get(format!("{field}_{name}")) {
            Some(Value::String(text)) if !text.is_empty() => Some(text.clone()),
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => None,
        };
        SecretMetadata {
            id: fact("id").and_then(|id| id.parse::<KeyId>().ok()).map(KeyId::get),
            level: fact("level").and_then(|level| level.to_ascii_lowercase().parse().ok()),
            host: fact("host"),
            owner: fact("owner"),
            expires: fact("expires"),
        }
    }

    /// Whether the field holds anything.
    pub(super) fn has(&self, field: &str) -> bool {
        match self {
            Self::Plain(text) => !text.is_empty(),
            Self::Fields(fields) => !matches!(fields.0.get(field), None | Some(Value::Null)),
        }
    }

    /// The fields with a new key in one of them; if no owner is given, the old one is kept.
    pub(super) fn with(
        previous: Option<&Self>,
        field: &str,
        key: &str,
        facts: &SecretMetadata,
    ) -> Json {
        let mut fields = match previous {
            Some(Self::Fields(Json(Value::Object(fields)))) => fields.clone(),
            _ => Map::new(),
        };
        let mut set = |name: String, value: Option<String>| {
            if let Some(value) = value {
                fields.insert(name, Value::String(value));
            }
        };
        set(field.to_owned(), Some(key.to_owned()));
        let values = [
            facts.id.map(|id| id.to_string()),
            facts.level.map(|level| level.to_string()),
            facts.host.clone(),
            facts.owner.clone(),
            facts.expires.clone(),
        ];
        for (name, value) in FACTS.into_iter().zip(values) {
            set(format!("{field}_{name}"), value);
        }
        Json(Value::Object(fields))
    }

    /// Whether it is exactly these fields.
    pub(super) fn is(&self, fields: &Json) -> bool {
        matches!(self, Self::Fields(own) if own.0 == fields.0)
    }
}

/// A field that is a string.
pub(super) fn text_of<'v>(value: &'v Value, field: &str) -> Option<&'v str> {
    value.get(field)?.as_str()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_key_is_stored_with_its_metadata_and_other_fields_stay() {
        let previous = Content::parse(r#"{"key":"old","key_owner":"team-a","note":"x"}"#).unwrap();
        let facts = SecretMetadata {
            id: Some(8),
            level: Some(Level::Advanced),
            ..SecretMetadata::default()
        };
        let fields = Content::with(Some(&previous), "key", "new", &facts);
        let expected = serde_json::json!({
            "key": "new", "key_owner": "team-a", "note": "x", "key_id": "8", "key_level": "advanced"
        });
        assert_eq!(fields.0, expected);
        let stored = Content::Fields(fields).key("key").unwrap();
        assert_eq!(stored.facts.id, Some(8));
        assert!(!format!("{stored:?}").contains("new"));
    }

    #[test]
    fn a_bare_string_is_a_key_without_metadata() {
        let stored = Content::parse("abc\n").unwrap().key("key").unwrap();
        assert_eq!((stored.key.as_slice(), stored.facts), (&b"abc"[..], SecretMetadata::default()));
        assert!(Content::parse("{\"key\":").is_err());
        assert!(Content::parse("{}").unwrap().key("key").is_err());
    }
}
