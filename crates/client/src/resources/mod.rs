//! The product's resources, one file each: requests, and the interpretation of responses.
//!
//! The callers decide what to change.

mod api_keys;
mod asset_groups;
mod audit;
mod edit;
mod inventory;
mod mark;
mod pages;
mod permission;
mod ping;
mod roles;
mod scope;
mod users;

pub(crate) use api_keys::shows_user;
pub use api_keys::{
    CommentError, KeyList, check_comment, creator_key, is_administrator, is_system,
};
pub use audit::AuditLog;
pub use edit::{EditError, KeyEdit};
pub(crate) use mark::{Confidence, confidence, pending};
pub use mark::{ExpiryError, NewKey, may_be_pending};
pub use permission::ApiPermission;
pub use ping::Ping;
pub use scope::{ObservedScope, ScopeError, write_of};
