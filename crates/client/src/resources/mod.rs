//! The product's resources, one file each: requests and what is made of the responses.
//!
//! Deciding what to change is up to the callers.

mod api_keys;
mod asset_groups;
mod edit;
mod inventory;
mod mark;
mod pages;
mod permission;
mod ping;
mod roles;
mod scope;

pub use api_keys::{KeyList, is_administrator, is_system, maker};
pub use edit::{EditError, KeyEdit};
pub(crate) use mark::{Likeness, likeness, pending};
pub use mark::{NewKey, may_be_pending};
pub use permission::Permission;
pub use ping::Ping;
pub use scope::{ScopeError, Seen, write_of};
