//! The JSON of the Cortex product's API as types: what is sent, what is read.
//!
//! It refuses behaviour: no address, no call, no decision. One file a resource.
//!
//! What is read is read leniently, since a tenant may be newer than this crate: fields that are
//! not known are passed over. What is written is written in the product's own form.

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
