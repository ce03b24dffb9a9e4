//! Reads key definitions and policies in YAML, and reports every mistake with its position.
//!
//! Bytes become one [`yaml::Tree`] with a span for each key and each value; the tree becomes a
//! [`definition::Definition`] or a [`policy::PolicyFile`]. Each stage collects all mistakes it
//! meets instead of stopping at the first one.
//!
//! Which fields a file may have is described once, in [`mod@format`].
//!
//! A [`Problem`] names its rule; the linter decides its severity and whether it counts. The crate
//! opens no file and reads no clock.

pub mod access;
pub mod compile;
mod decode;
pub mod definition;
pub mod format;
mod inert;
mod keyword;
pub mod lock;
pub mod policy;
mod problem;
mod quote;
mod reader;
mod scalar;
mod source;
mod suggest;
mod time;
mod tokens;
pub mod yaml;

pub use decode::{Decoded, decode};
pub use inert::{inert, inert_json, inert_part, inert_xml};
pub use keyword::Keyword;
pub use problem::{Problem, ProblemKind};
pub use quote::{escape, is_invisible, line_path, quote, quote_refused};
pub use reader::{Field, TextPair};
pub use scalar::{quoted, scalar};
pub use source::{LineIndex, Position, Span, Spanned};
pub use suggest::{Suggestions, closest, did_you_mean};
pub use tokens::{SecretFieldName, Token, TokenKind, blank, mask_path, mask_tokens, tokens_in};
pub use yaml::secret_ranges;
