//! Holds key definitions against an organisation's policy.
//!
//! [`lint`] judges: it gets a [`Corpus`], a [`Policy`] and the time, and gives a [`Report`]. It
//! opens no file, reads no clock, and its answer depends on nothing else. [`files`] is the layer
//! above that finds and reads files; [`report`] writes what was found.
//!
//! This crate refuses the network, refuses to guess what a definition leaves out, and refuses to
//! pass over what it cannot read.

mod baseline;
mod corpus;
mod custom;
pub mod example;
pub mod files;
mod finding;
mod fingerprint;
mod fix;
mod judge;
mod patterns;
mod policy;
pub mod report;
pub mod rules;
mod settings;
mod suppress;
mod waive;

pub use baseline::Baseline;
pub use corpus::{Before, Corpus, CorpusFile, KeyDocument, LockedKeys};
pub use cortexkey_manifest::policy::Severity;
pub use finding::{Edit, Finding, Fix, Place, Related, WaivedBy, WaivedFinding};
pub use jiff::Timestamp;
pub use judge::{Ask, lint, lint_as};
pub use policy::Policy;
pub use report::{Report, Source, Summary};
pub use settings::Settings;
