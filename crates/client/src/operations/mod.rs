//! The operations of the product's API with the permission that each needs. From these it computes
//! the smallest role for a set of calls, and the calls that a role cannot make.
//!
//! `table.tsv` holds the facts, each with its source. For most operations no public document names
//! the permission; for some of those the name of a component suggests one, and for the others the
//! permission is unknown. Each answer says whether the permission is documented, suggested or
//! unknown.

mod calls;
mod combine;
mod suggest;
mod table;

pub use calls::{ApiCall, CallList, UnrecognisedCall, read_calls};
pub use combine::{Combination, Combinations, combine};
pub use suggest::{
    Candidate, ExpandedRole, Permissions, Requirement, RoleMatch, Suggestion, match_role, suggest,
};
pub use table::{Evidence, Need, Operation, operations};
