//! The JSON of the Cortex product's API as types, with one file per resource. URLs and calls are in
//! the client.
//!
//! Responses are read leniently, because a tenant may be newer than this crate: unknown fields are
//! skipped. Requests are written in the product's own form.

pub mod api_key;
pub mod api_keys;
pub mod asset_group;
pub mod audit;
mod envelope;
mod error;
pub mod filter;
pub mod health;
pub mod inventory;
pub mod role;
pub mod scope;
pub mod scope_mapping;
mod secret;
pub mod user;
pub mod validate;

pub use envelope::{Data, Message, Reply, RequestData};
pub use error::{Envelope, ErrorBody, ErrorCode};
pub use secret::Secret;
