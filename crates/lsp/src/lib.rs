//! `cortexkey lsp`: a language server for key definitions and policies.
//!
//! Findings are the linter's: one [session](cortexkey_lint::LintSession) for each policy of a folder
//! checks the file that changed again, and keeps what the others gave. Buffers count before files.
//! The server writes no file; edits are the editor's to make.

#![allow(clippy::format_push_string, reason = "texts for people, a few lines of each")]

mod cursor;
mod features;
mod position;
mod server;
mod transport;
mod workspace;

pub use server::{ServerError, serve, serve_stdio};
