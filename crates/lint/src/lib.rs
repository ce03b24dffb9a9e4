//! Checks key definitions against an organisation's policy.
//!
//! [`lint`] takes a [`Corpus`], a [`Policy`] and the time, and returns a [`Report`]. It opens no
//! file, reads no clock, and its result depends on nothing else. [`files`] is the layer above that
//! finds and reads files; [`report`] formats the findings.
//!
//! The layers, each of which uses only those before it: `model` (findings, files, reports), `policy`
//! (what is in force), `rule` and `rules` (what is checked), `engine` (running the rules, waivers,
//! comments, baseline, fixes), `report` (formats), `files` (files and git).

#![allow(clippy::format_collect, clippy::format_push_string, reason = "messages, a few lines each")]

mod cases;
mod engine;
pub mod example;
pub mod files;
mod init;
mod model;
mod parallel;
mod policy;
pub mod report;
mod rule;
pub mod rules;
pub mod schema;
mod scope_file;
mod waive;

pub use cases::{CaseFile, CaseOutcome, CasesOutcome, run_cases};
pub use cortexkey_manifest::policy::Severity;
pub use engine::{
    Baseline, BaselineError, KnownFinding, LintOptions, LintSession, SessionPolicy, fix, lint,
    lint_with,
};
pub use engine::{Evaluation, EvaluationError, evaluate};
pub use init::{MAIN_TENANT, policy_for};
pub use jiff::Timestamp;
pub use model::{
    Corpus, CorpusFile, EarlierCorpus, Edit, Family, FileId, Finding, Fix, KeyDocument, Location,
    LockedKeys, Related, Report, RuleId, SourceId, SourceText, Sources, Summary, Tallies, Tally,
    WaivedBy, WaivedFinding,
};
pub use policy::{Custom, Fact, Policy, Selection, Settings};
pub use policy::{FUNCTIONS, Function, VARIABLES};
pub use scope_file::check_scope;
pub use waive::{NewWaiver, WaiveError, add_waiver};
