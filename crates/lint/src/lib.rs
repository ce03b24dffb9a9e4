//! Holds key definitions against an organisation's policy.
//!
//! [`lint`] judges: it gets a [`Corpus`], a [`Policy`] and the time, and gives a [`Report`]. It
//! opens no file, reads no clock, and its answer depends on nothing else. [`files`] is the layer
//! above that finds and reads files; [`report`] writes what was found.
//!
//! This crate refuses the network, refuses to guess what a definition leaves out, and refuses to
//! pass over what it cannot read.

#![allow(
    clippy::format_collect,
    clippy::format_push_string,
    reason = "texts for people, a few lines of each"
)]

mod baseline;
mod cases;
mod claims;
mod corpus;
mod custom;
pub mod example;
pub mod files;
mod finding;
mod fingerprint;
pub mod fix;
mod init;
mod judge;
mod patterns;
mod places;
mod policy;
pub mod report;
pub mod rules;
pub mod schema;
mod scope_file;
mod settings;
mod show;
mod suppress;
mod waive;

pub use baseline::Baseline;
pub use cases::{CaseFile, CaseOutcome, CasesOutcome, run_cases};
pub use corpus::{Before, Corpus, CorpusFile, KeyDocument, LockedKeys};
pub use cortexkey_manifest::policy::Severity;
pub use custom::Custom;
pub use finding::{Edit, Finding, Fix, Place, Related, WaivedBy, WaivedFinding};
pub use init::{MAIN_TENANT, policy_for};
pub use jiff::Timestamp;
pub use judge::{Ask, lint, lint_as};
pub use policy::Policy;
pub use report::{Report, Source, Summary};
pub use scope_file::check_scope;
pub use settings::Settings;
pub use show::Fact;
