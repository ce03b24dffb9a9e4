//! [`ErrorBody`]: the body of an error response, in any of its six forms. A field that the response
//! lacks is `None`.

use core::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::Reply;

/// An error. It serializes to the form of the public API.
///
/// ```
/// use cortexkey_api::{ErrorBody, Reply};
///
/// let body = serde_json::to_string(&Reply { reply: ErrorBody::unauthorized() })?;
/// assert_eq!(
///     body,
///     r#"{"reply":{"err_code":401,"err_msg":"Public API request unauthorized","err_extra":null}}"#
/// );
/// assert_eq!(ErrorBody::parse(body.as_bytes()), Some(ErrorBody::unauthorized()));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ErrorBody {
    /// The product's own code, often the HTTP status again.
    pub err_code: Option<ErrorCode>,
    /// What went wrong.
    pub err_msg: Option<String>,
    /// Details: a string, a list of fields, or an object.
    pub err_extra: Option<Value>,
}

/// The error forms of the product's calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Envelope {
    /// `{"reply":{"err_code","err_msg","err_extra"}}`: the public API.
    #[default]
    PublicApi,
    /// `{"data":{"err_msg","metadata":{"err_code","err_extra"}}}`: the platform's own calls.
    Platform,
    /// `{"data":{"reply":{"err_code","err_msg","err_extra"}}}`: the same, for status 403.
    PlatformForbidden,
    /// `{"err_code","err_msg","metadata":{"err_extra"}}`: cloud security.
    Root,
    /// `{"errorCode","message","details"}`: application security.
    AppSec,
    /// `{"error"}`: only a sentence.
    Bare,
}

impl Envelope {
    /// All forms.
    pub const ALL: [Self; 6] = [
        Self::PublicApi,
        Self::Platform,
        Self::PlatformForbidden,
        Self::Root,
        Self::AppSec,
        Self::Bare,
    ];
}

/// A code: a number in most responses, a string in some.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ErrorCode {
    /// A number, such as 401.
    Number(i64),
    /// A string, such as `"401"`.
    Text(String),
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => fmt::Display::fmt(number, f),
            Self::Text(text) => f.pad(text),
        }
    }
}

impl ErrorBody {
    /// An error with a numeric code and a message.
    pub fn new(code: u16, message: impl Into<String>) -> Self {
        Self {
            err_code: Some(ErrorCode::Number(code.into())),
            err_msg: Some(message.into()),
            err_extra: None,
        }
    }

    /// Adds details.
    #[must_use]
    pub fn with_extra(mut self, extra: impl Into<String>) -> Self {
        self.err_extra = Some(Value::String(extra.into()));
        self
    }

    /// The response to every request whose authentication fails, whatever the reason.
    pub fn unauthorized() -> Self {
        Self::new(401, "Public API request unauthorized")
    }

    /// The response with this error, in one of the product's forms.
    pub fn into_json(self, envelope: Envelope) -> Value {
        let Self { err_code, err_msg, err_extra } = self;
        match envelope {
            Envelope::PublicApi => {
                json!({ "reply": { "err_code": err_code, "err_msg": err_msg, "err_extra": err_extra } })
            }
            Envelope::Platform => {
                let metadata = json!({ "err_code": err_code, "err_extra": err_extra });
                json!({ "data": { "err_msg": err_msg, "metadata": metadata } })
            }
            Envelope::PlatformForbidden => {
                let reply =
                    json!({ "err_code": err_code, "err_msg": err_msg, "err_extra": err_extra });
                json!({ "data": { "reply": reply } })
            }
            Envelope::Root => json!({
                "err_code": err_code, "err_msg": err_msg, "metadata": { "err_extra": err_extra },
            }),
            Envelope::AppSec => {
                json!({ "errorCode": err_code, "message": err_msg, "details": err_extra })
            }
            Envelope::Bare => json!({ "error": err_msg }),
        }
    }

    /// The response of the public API with this error.
    pub fn into_reply(self) -> Reply<Self> {
        Reply { reply: self }
    }

    /// Parses a response; `None` if it is not a JSON object or contains no error.
    pub fn parse(body: &[u8]) -> Option<Self> {
        let Value::Object(root) = serde_json::from_slice(body).ok()? else { return None };
        // A 403 of the platform's own calls is nested.
        let mut inner = &root;
        for name in ["data", "reply"] {
            if let Some(within) = inner.get(name).and_then(Value::as_object) {
                inner = within;
            }
        }
        let found = Self::from_object(inner);
        (found != Self::default()).then_some(found)
    }

    /// The fields of all forms have distinct names, so a single pass finds those present.
    fn from_object(object: &Map<String, Value>) -> Self {
        let metadata = object.get("metadata").and_then(Value::as_object);
        let field = |names: &[&str]| {
            let among = |fields: &Map<String, Value>| {
                names.iter().find_map(|name| fields.get(*name).filter(|v| !v.is_null()).cloned())
            };
            among(object).or_else(|| metadata.and_then(among))
        };
        Self {
            err_code: field(&["err_code", "errorCode"]).and_then(code),
            err_msg: field(&["err_msg", "message", "error"]).and_then(text),
            err_extra: field(&["err_extra", "details"]),
        }
    }
}

fn code(value: Value) -> Option<ErrorCode> {
    serde_json::from_value(value).ok()
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parse(body: &str) -> ErrorBody {
        ErrorBody::parse(body.as_bytes()).unwrap()
    }

    #[test]
    fn the_six_forms_are_read() {
        let public = r#"{"reply":{"err_code":"500","err_msg":"m","err_extra":[{"loc":"a"}]}}"#;
        let public = parse(public);
        assert_eq!(public.err_code, Some(ErrorCode::Text("500".into())));
        assert_eq!(public.err_extra, Some(json!([{"loc": "a"}])));

        let wanted = ErrorBody::new(400, "m").with_extra("x");
        let iam = r#"{"data":{"err_msg":"m","metadata":{"err_code":400,"err_extra":"x"}}}"#;
        assert_eq!(parse(iam), wanted);
        let iam = r#"{"reply":{"err_msg":"m","metadata":{"err_code":400},"err_extra":"x"}}"#;
        assert_eq!(parse(iam), wanted);
        let iam = r#"{"data":{"reply":{"err_code":400,"err_msg":"m","err_extra":"x"}}}"#;
        assert_eq!(parse(iam), wanted);
        let root = r#"{"err_code":400,"err_msg":"m","metadata":{"err_extra":"x"}}"#;
        assert_eq!(parse(root), wanted);
        assert_eq!(parse(r#"{"errorCode":400,"message":"m","details":"x"}"#), wanted);
        assert_eq!(parse(r#"{"error":"m"}"#).err_msg.as_deref(), Some("m"));
    }

    #[test]
    fn values_in_any_notation_are_read_back() {
        let error = ErrorBody::new(400, "m").with_extra("x");
        for envelope in Envelope::ALL {
            let mut expected = error.clone();
            if envelope == Envelope::Bare {
                expected.err_code = None;
                expected.err_extra = None;
            }
            assert_eq!(parse(&error.clone().into_json(envelope).to_string()), expected);
        }
    }

    #[test]
    fn an_empty_body_is_not_an_error_body() {
        for body in ["", "true", "[]", "{}", r#"{"reply":{"DATA":[]}}"#, "<html>", "{\"error\":"] {
            assert_eq!(ErrorBody::parse(body.as_bytes()), None, "{body}");
        }
    }
}
