//! Tests of the linter, in one test program, because each program takes time to link.

#![allow(clippy::disallowed_methods, reason = "a test starts programs itself")]
// A failed step of a test is a failed test.
#![allow(clippy::unwrap_used)]

/// Compares a message with its snapshot: tests assert codes, and the wording is reviewed there.
macro_rules! wording {
    ($message:expr) => {
        insta::assert_snapshot!($crate::common::stable(&$message))
    };
}

#[path = "../common/mod.rs"]
mod common;
#[path = "../examples/mod.rs"]
mod examples;

mod any_input;
mod baseline;
mod custom_rules;
mod edges;
mod example_org;
mod example_snapshot;
mod files;
mod fixing;
mod formats;
mod gate;
mod hidden;
mod hostile_files;
mod links;
mod monorepo;
mod places;
mod policy_cases;
mod readme;
mod repositories;
mod rule_examples;
mod rules;
mod secrets;
mod selection;
mod session;
mod since;
mod suppressions;
