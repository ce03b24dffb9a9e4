//! Holds key definitions against an organisation's policy.
//!
//! [`lint`] judges: it gets a [`Corpus`], a [`Policy`] and the time, and gives a [`Report`]. It
//! opens no file, reads no clock, and its answer depends on nothing else. [`files`] is the layer
//! above that finds and reads files; [`report`] writes what was found.
//!
//! This crate refuses the network, refuses to guess what a definition leaves out, and refuses to
//! pass over what it cannot read.

mod corpus;
pub mod example;
pub mod files;
mod finding;
mod judge;
mod policy;
pub mod report;
pub mod rules;
mod settings;

pub use corpus::{Corpus, CorpusFile, KeyDocument};
pub use cortexkey_manifest::policy::Severity;
pub use finding::{Finding, Place, Related, WaivedBy, WaivedFinding};
pub use jiff::Timestamp;
pub use judge::lint;
pub use policy::Policy;
pub use report::{Report, Source, Summary};
pub use settings::Settings;
