//! One file a command: its arguments, its help, and the call into the crate that does it.
//!
//! They refuse logic that another front end would want.

pub(crate) mod access;
pub(crate) mod call;
pub(crate) mod compile;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod curl;
pub(crate) mod definitions;
pub(crate) mod doctor;
pub(crate) mod examples;
pub(crate) mod exec;
pub(crate) mod explain;
pub(crate) mod keys;
pub(crate) mod lint;
pub(crate) mod man;
pub(crate) mod ping;
pub(crate) mod policy;
pub(crate) mod quickstart;
pub(crate) mod roles;
pub(crate) mod rules;
pub(crate) mod sign;
pub(crate) mod tenant;
pub(crate) mod verify;
