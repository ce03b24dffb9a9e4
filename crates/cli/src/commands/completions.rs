//! `cortexkey completions`: prints shell completions.

use clap_complete::Shell;

use crate::exit::{Exit, Failure};
use crate::text;

/// Print completions for a shell
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  cortexkey completions bash > ~/.local/share/bash-completion/completions/cortexkey
  cortexkey completions fish > ~/.config/fish/completions/cortexkey.fish")]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut crate::command(), "cortexkey", &mut script);
    text::print_bytes(&script)?;
    Ok(Exit::Done)
}
