//! An emulator of a Cortex tenant on this machine, for trying and testing without a network: it
//! verifies requests strictly, generates, lists and deletes keys, and explains refusals on request.
//!
//! ```
//! use cortexkey_tenant::{Options, Tenant};
//!
//! let tenant = Tenant::start(Options::default())?;
//! assert!(tenant.url().starts_with("http://127.0.0.1:"));
//! tenant.stop();
//! # Ok::<(), cortexkey_tenant::StartError>(())
//! ```
//!
//! # Where it is narrower than the product, or assumes something
//!
//! The product's documents leave these points open; the emulator takes the narrower reading:
//!
//! - Component *Public API*: Account Admin and Instance Administrator hold it at *edit*, Viewer at
//!   *view*. For the other predefined roles nothing is published, so they do not hold it here.
//! - Only keys with one of these two administrators' roles may assign them, or delete keys that
//!   have them.
//! - A filter on expiration matches no key that never expires; six months are 184 days.
//! - A list without `search_to` is returned completely.

mod access;
mod background;
mod clock;
mod connections;
mod controls;
mod directory;
mod faults;
mod forwarding;
mod framing;
mod hidden;
mod http;
mod inspect;
mod inventory;
mod log;
mod notices;
mod options;
mod own_guard;
mod page;
mod permissions;
mod redis_guard;
#[cfg(test)]
#[path = "../tests/it/redis_server.rs"]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#[allow(clippy::disallowed_methods, reason = "a test starts programs itself")]
mod redis_server;
mod refusal;
mod replay;
mod replay_start;
mod roles;
mod server;
mod settings;
mod signals;
mod start_error;
mod store;
mod stream;
mod tenant;
mod timed_body;
mod tls;
mod view;
mod webhook;
mod write_buffer;

pub use clock::{Clock, SettableClock};
pub use controls::Controls;
pub use faults::{Fault, FaultError, FaultKind};
pub use inspect::{FollowEvent, Follower};
pub use inventory::InventoryError;
pub use log::{DroppedLog, Log, LogLine, WebhookLog};
pub use notices::Notification;
pub use options::{ConsoleKeys, Control, EditRoles, Licence, NewAdminKeys, Options, ReplayMode};
pub use redis_guard::RedisFault;
pub use roles::{ASSUMED_ROLES, CustomRole, CustomRoleError};
pub use settings::{ConsoleKey, ControlError, ServerSettings};
pub use signals::Signals;
pub use start_error::StartError;
pub use store::DiskError;
pub use tenant::{ChildTenant, SeededKey, SeededKeys, Tenant};
pub use tls::TlsError;
