//! `cortexkey completions`: prints shell completions.

use clap_complete::Shell;

use crate::completion;
use crate::exit::{Exit, Failure};
use crate::text;

/// Print completions for a shell
///
/// Besides commands and options, the completions know rules, formats, profiles, tenants, owners, names of keys,
/// and the ids in cortexkey.lock. They run cortexkey, which reads only local files and calls no tenant.
/// In PowerShell, they know commands, options, rules and formats.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  source <(cortexkey completions bash)      # in ~/.bashrc
  source <(cortexkey completions zsh)       # in ~/.zshrc, after compinit
  cortexkey completions fish > ~/.config/fish/completions/cortexkey.fish

Exit codes: 0 success; 2 usage error.")]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    text::print_bytes(&completion::script(args.shell)?)?;
    Ok(Exit::Done)
}
