//! Tests of the binary, in one test program, because each program takes time to link.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::disallowed_methods, reason = "a test starts programs itself")]

#[macro_use]
#[path = "../common/mod.rs"]
mod common;

mod access;
mod apply;
mod attack;
mod bad_input;
mod boundaries;
mod compile;
mod completions;
mod config;
mod console;
mod curl;
mod doctor;
mod examples;
mod exec;
mod guides;
mod help;
mod keys;
mod lint;
mod lint_options;
mod pages;
mod policies;
mod provision;
mod proxy;
mod quickstart;
mod report;
mod rotate_killed;
mod sinks;
mod stores;
mod suggest;
mod tenant;
mod vectors;
mod waive;
mod watch;
