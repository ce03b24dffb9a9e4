//! The lifecycle of keys: generate, rotate, delete, and apply a plan.
//!
//! Each operation is recorded in a lock file first, so that the next run can finish an interrupted
//! one.

mod apply;
mod delete;
mod generate;
mod lock_file;
mod renewal;
mod rotate;
mod state;

pub use apply::{Apply, ApplyError};
pub use delete::{Deletion, DeletionError};
pub use generate::{Finished, Generation};
pub(crate) use lock_file::hold_folder;
pub use lock_file::{LockFile, LockFileEntry, LockFileError, RenewalJournal};
pub use renewal::{KeyDelivery, RenewError, Renewal, RenewalStep, Stage};
pub use rotate::{Replacement, ReplacementOptions, RotateError, Rotated, Rotation};
pub(crate) use state::tenant_of;
pub use state::{StateError, StatePlaces};
