//! Compares the keys of a tenant with the definitions of a repository: owners, drift, access,
//! lineage and findings.
//!
//! One model for all front ends: `plan` and `apply` take the definitions of a tenant from
//! [`TenantCorpus`], the console shows a [`Snapshot`], and [`Overview`], [`TenantReport`] and [`KeyInventory`]
//! count and list the same [`KeyFacts`]. Decisions are the core's, findings the linter's, plans and
//! calls the client's.

#![allow(
    clippy::format_collect,
    clippy::format_push_string,
    reason = "text for people, a few lines of it"
)]

mod access;
mod corpus;
mod definitions;
mod facts;
mod inventory;
mod overview;
mod report;
mod scopes;
mod snapshot;

pub use access::{KeyScope, Visibility, access};
pub use corpus::{IncompleteDefinition, ROTATE_BEFORE_MS, TenantCorpus, lock_file};
pub use definitions::{
    ComparedDefinitions, Defined, DefinitionSource, KeyFinding, ManagedKey, NoPlan, State,
};
pub use facts::{KeyExpiry, KeyFacts, KeyState};
pub use inventory::{
    AuditRange, AuditUnread, AuditedAction, InventoryKey, KeyInventory, LIMITS, RoleHolding,
};
pub use overview::{
    Figure, Group, Grouping, MONTH_MS, Overview, TimeSpan, Timeline, TimelineStep, Tone, WEEK_MS,
    Week,
};
pub use report::{CorpusSource, TenantReport, TenantSource, expiry_words};
pub use scopes::Scopes;
pub use snapshot::{Row, Snapshot};
