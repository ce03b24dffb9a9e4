//! Parses one line of `cortexkey verify`, with every field checked.

use std::fmt;

use cortexkey_core::auth::{
    HEADER_AUTHORIZATION, HEADER_KEY_ID, HEADER_NONCE, HEADER_TIMESTAMP, Key, KeyId, Level,
    LevelError, Skew, StoredKey,
};
use cortexkey_core::lifecycle::Expiry;
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use thiserror::Error;

use crate::exit::BoxError;

const HEADERS: [&str; 4] = [HEADER_KEY_ID, HEADER_AUTHORIZATION, HEADER_NONCE, HEADER_TIMESTAMP];

/// Why a line is not read. It repeats no value, and no name that may be a key in the wrong place.
#[derive(Debug, Error)]
pub(crate) enum LineError {
    #[error("the line is longer than {limit} bytes")]
    TooLong { limit: usize },
    #[error("the line is empty; expected one JSON object")]
    Empty,
    #[error("this is not JSON: {what}, column {column}{hint}")]
    Json { what: String, column: usize, hint: &'static str },
    #[error("{place} is not a JSON object")]
    NoObject { place: &'static str },
    #[error("field `request` is not an object of header names and values")]
    NoHeaders,
    #[error("{place} lacks the field `{field}`")]
    Missing { place: &'static str, field: &'static str },
    #[error("{place} has the field `{field}` twice")]
    Twice { place: &'static str, field: String },
    #[error("{place} has an unknown field with a long name")]
    UnknownLong { place: &'static str },
    #[error("{place} has the unknown field `{field}`; expected one of {known}")]
    Unknown { place: &'static str, field: String, known: String },
    #[error("field `{field}` is not a whole number of 0 or more")]
    NoNumber { field: String },
    #[error("field `{field}` is not a string")]
    NoText { field: String },
    #[error("field `{field}` is neither true nor false")]
    NoFlag { field: &'static str },
    #[error("field `{field}` is 0; expected 1 or more")]
    ZeroId { field: &'static str },
    #[error(
        "field `{field}` contains a character above U+00FF; expected one character for each byte"
    )]
    NoByte { field: String },
    #[error("field `{field}`")]
    Value { field: &'static str, source: BoxError },
}

impl LineError {
    fn value(field: &'static str, source: impl Into<BoxError>) -> Self {
        Self::Value { field, source: source.into() }
    }
}

/// A request, and the state to check it against.
pub(crate) struct Line {
    /// The line's own name, which the result repeats.
    pub(crate) name: Option<String>,
    pub(crate) stored: Option<StoredKey>,
    pub(crate) now_ms: u64,
    pub(crate) skew: Skew,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
}

impl Line {
    pub(crate) fn parse(line: &[u8]) -> Result<Self, LineError> {
        if line.trim_ascii().is_empty() {
            return Err(LineError::Empty);
        }
        // A syntax error names a position and what was expected, and no value.
        let json: Json = serde_json::from_slice(line).map_err(|error| {
            let text = error.to_string();
            let what = text.split(" at line ").next().unwrap_or_default().to_owned();
            let hint = if error.is_eof() { " (`jq -c` puts an object on one line)" } else { "" };
            LineError::Json { what, column: error.column(), hint }
        })?;
        let mut fields = Fields::of(json, "the line")?;
        // The vectors contain names and expectations, which a verifier ignores.
        drop(fields.take_if_there("verdict"));
        let line = Self {
            name: fields.take_if_there("name").map(|name| name.text("name")).transpose()?,
            stored: match fields.take("stored")? {
                Json::Null => None,
                stored => Some(stored_key(stored)?),
            },
            now_ms: fields.take("now_ms")?.number("now_ms")?,
            skew: Skew::from_ms(fields.take("skew_ms")?.number("skew_ms")?)
                .map_err(|error| LineError::value("skew_ms", error))?,
            headers: headers(fields.take("request")?)?,
        };
        fields.finish()?;
        Ok(line)
    }
}

fn stored_key(stored: Json) -> Result<StoredKey, LineError> {
    let mut fields = Fields::of(stored, "field `stored`")?;
    let key_id = KeyId::new(fields.take("key_id")?.number("stored.key_id")?)
        .ok_or(LineError::ZeroId { field: "stored.key_id" })?;
    let key = fields.take("key")?.text("stored.key")?;
    let key = Key::new(key.as_bytes()).map_err(|error| LineError::value("stored.key", error))?;
    let level: Level = fields
        .take("level")?
        .text("stored.level")?
        .parse()
        .map_err(|error: LevelError| LineError::value("stored.level", error))?;
    let expiry = match fields.take("expires_ms")? {
        Json::Null => Expiry::Never,
        ms => Expiry::At { ms: ms.number("stored.expires_ms")? },
    };
    let Json::Bool(revoked) = fields.take("revoked")? else {
        return Err(LineError::NoFlag { field: "stored.revoked" });
    };
    fields.finish()?;
    let stored = StoredKey::new(key_id, level, key).expiring(expiry);
    if revoked {
        stored.revoke();
    }
    Ok(stored)
}

fn headers(request: Json) -> Result<Vec<(String, Vec<u8>)>, LineError> {
    let Json::Object(fields) = request else {
        return Err(LineError::NoHeaders);
    };
    let mut headers = Vec::new();
    for (name, value) in fields {
        let values = match value {
            Json::List(values) => values,
            value => vec![value],
        };
        for value in values {
            // The name may be a key in the wrong place; only known names are repeated.
            let is_ours = HEADERS.iter().any(|header| header.eq_ignore_ascii_case(&name));
            let field = if is_ours { format!("request.{name}") } else { "request".to_owned() };
            let bytes = value.text(&field)?.chars().map(u8::try_from).collect::<Result<_, _>>();
            let bytes = bytes.map_err(|_| LineError::NoByte { field })?;
            headers.push((name.clone(), bytes));
        }
    }
    Ok(headers)
}

/// JSON that keeps every field, so that none is lost to a repeated name.
enum Json {
    Null,
    Bool(bool),
    Number(u64),
    OtherNumber,
    Text(String),
    List(Vec<Self>),
    Object(Vec<(String, Self)>),
}

impl Json {
    fn number(self, field: &str) -> Result<u64, LineError> {
        match self {
            Self::Number(number) => Ok(number),
            _ => Err(LineError::NoNumber { field: field.to_owned() }),
        }
    }

    fn text(self, field: &str) -> Result<String, LineError> {
        match self {
            Self::Text(text) => Ok(text),
            _ => Err(LineError::NoText { field: field.to_owned() }),
        }
    }
}

/// The fields of an object that are not read yet.
struct Fields {
    unread: Vec<(String, Json)>,
    known: Vec<&'static str>,
    place: &'static str,
}

impl Fields {
    fn of(json: Json, place: &'static str) -> Result<Self, LineError> {
        match json {
            Json::Object(fields) => Ok(Self { unread: fields, known: Vec::new(), place }),
            _ => Err(LineError::NoObject { place }),
        }
    }

    fn take(&mut self, name: &'static str) -> Result<Json, LineError> {
        self.known.push(name);
        let at = self.unread.iter().position(|(field, _)| field == name);
        let at = at.ok_or(LineError::Missing { place: self.place, field: name })?;
        Ok(self.unread.swap_remove(at).1)
    }

    fn take_if_there(&mut self, name: &'static str) -> Option<Json> {
        self.unread.iter().any(|(field, _)| field == name).then(|| self.take(name).ok()).flatten()
    }

    fn finish(self) -> Result<(), LineError> {
        let Self { unread, known, place } = self;
        match unread.into_iter().next() {
            None => Ok(()),
            Some((field, _)) if known.contains(&field.as_str()) => {
                Err(LineError::Twice { place, field })
            }
            // The name itself may be a key in the wrong place.
            Some((field, _)) if field.len() > 32 => Err(LineError::UnknownLong { place }),
            Some((field, _)) => Err(LineError::Unknown { place, field, known: known.join(", ") }),
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Json, E> {
        Ok(Json::OtherNumber)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Json, E> {
        Ok(Json::OtherNumber)
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Json, A::Error> {
        let mut object = Vec::new();
        while let Some(field) = fields.next_entry()? {
            object.push(field);
        }
        Ok(Json::Object(object))
    }
}
