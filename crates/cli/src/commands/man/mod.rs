//! `cortexkey man`: the manual pages, and the same reference as Markdown.
//!
//! Both come from the command line's definition, so that they match `--help`.

mod markdown;

use std::io;
use std::path::PathBuf;

use clap_mangen::Man;
use cortexkey_system::io_reason;

use crate::exit::{Exit, Failure};
use crate::text;

/// Print the manual page, or write all of them to a folder
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  cortexkey man | man -l -
  mkdir -p ~/.local/share/man/man1 && cortexkey man ~/.local/share/man/man1
  mkdir reference && cortexkey man --markdown reference

Exit codes: 0 success; 2 usage error, or the folder cannot be written.")]
pub(crate) struct Args {
    /// Write a page for each command into this folder instead
    folder: Option<PathBuf>,

    /// Write the pages as Markdown
    #[arg(long, requires = "folder")]
    markdown: bool,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let Some(folder) = &args.folder else {
        let mut page = Vec::new();
        Man::new(command()).render(&mut page)?;
        text::print_bytes(&page)?;
        return Ok(Exit::Done);
    };
    let written = if args.markdown {
        markdown::write(command(), folder)
    } else {
        clap_mangen::generate_to(command(), folder)
    };
    written.map_err(|error| {
        let why = match error.kind() {
            io::ErrorKind::NotFound => "there is no such folder".to_owned(),
            _ => io_reason(&error),
        };
        Failure::usage_error(format!("cannot write to {}: {why}", folder.display()))
            .help("create the folder first, or name another one")
    })?;
    Ok(Exit::Done)
}

/// Without `help`, which would repeat every page.
fn command() -> clap::Command {
    crate::command().disable_help_subcommand(true)
}
