//! The first API call, `/api_keys/validate/`, which shows whether a key is valid.
//!
//! The product returns the JSON string `"true"`, and some of its clients expect `true`; both are
//! accepted.

use serde::{Deserialize, Serialize};

/// The response of `/api_keys/validate/`.
///
/// ```
/// use cortexkey_api::validate::Validated;
///
/// assert_eq!(serde_json::to_string(&Validated::YES)?, r#""true""#);
/// assert!(serde_json::from_str::<Validated>(r#""true""#)?.is_yes());
/// assert!(serde_json::from_str::<Validated>("true")?.is_yes());
/// assert!(!serde_json::from_str::<Validated>(r#""false""#)?.is_yes());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Validated(Answer);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
enum Answer {
    Yes(Yes),
    Bool(bool),
    Other(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Yes {
    #[serde(rename = "true")]
    Yes,
}

impl Validated {
    /// The response of a tenant: the string `"true"`.
    pub const YES: Self = Self(Answer::Yes(Yes::Yes));

    /// Whether the key is valid.
    pub fn is_yes(&self) -> bool {
        matches!(self.0, Answer::Yes(_) | Answer::Bool(true))
    }
}
