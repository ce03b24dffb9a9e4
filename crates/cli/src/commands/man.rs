//! `cortexkey man`: the manual pages.
//!
//! It refuses to overwrite anything but its own pages.

use std::path::PathBuf;

use clap_mangen::Man;

use crate::exit::{Exit, Failure};
use crate::text;

/// Print the manual page, or write all of them to a folder
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  cortexkey man | man -l -
  cortexkey man ~/.local/share/man/man1")]
pub(crate) struct Args {
    /// Write a page for each command into this folder instead
    folder: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    if let Some(folder) = &args.folder {
        clap_mangen::generate_to(command(), folder).map_err(|error| {
            Failure::usage_error(format!("cannot write to {}: {error}", folder.display()))
        })?;
    } else {
        let mut page = Vec::new();
        Man::new(command()).render(&mut page)?;
        text::print_bytes(&page)?;
    }
    Ok(Exit::Done)
}

/// Without `help`, which repeats every page.
fn command() -> clap::Command {
    crate::command().disable_help_subcommand(true)
}
