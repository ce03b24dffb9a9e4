//! The product's resources, one file each: what is asked, and what is made of the answer.
//!
//! They refuse to decide what is done; that is for whoever calls them.

mod api_keys;
mod asset_groups;
mod edit;
mod inventory;
mod pages;
mod permission;
mod ping;
mod roles;
mod scope;

pub(crate) use api_keys::maker;
pub use api_keys::{KeyList, is_administrator, is_system, level_of, security_level};
pub use edit::{EditError, KeyEdit};
pub use permission::Permission;
pub use ping::Ping;
pub use scope::{Seen, write_of};
