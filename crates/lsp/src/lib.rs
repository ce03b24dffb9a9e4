//! `cortexkey lsp`: a language server for key definitions and policies.
//!
//! Findings come from the linter: one [session](cortexkey_lint::LintSession) for each policy of a
//! folder checks only the changed file again. Unsaved buffers take precedence over files. The
//! server writes no file; the editor makes the edits.

#![allow(clippy::format_push_string, reason = "messages, a few lines each")]

mod cursor;
mod features;
mod loading;
mod position;
mod server;
mod transport;
mod workspace;

pub use server::{ServerError, serve, serve_stdio};
