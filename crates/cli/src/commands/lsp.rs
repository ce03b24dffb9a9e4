//! `cortexkey lsp`: the language server, on standard input and output.

use crate::exit::{Exit, Failure};

/// Run the language server for editors
///
/// It speaks the language server protocol on standard input and output. An editor starts it; if you
/// start it in a terminal, it waits for messages. docs/editors.md has the settings of common editors.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  cortexkey lsp

Exit codes: 0 the editor shut it down; 1 the editor closed the connection or violated the protocol.")]
pub(crate) struct Args {}

pub(crate) fn run(_: &Args) -> Result<Exit, Failure> {
    cortexkey_lsp::serve_stdio()
        .map_err(|error| Failure::new(Exit::Findings, cortexkey_system::chain(&error)))?;
    Ok(Exit::Done)
}
