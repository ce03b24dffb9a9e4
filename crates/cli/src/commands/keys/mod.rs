//! `cortexkey keys`: the keys of a tenant.
//!
//! It refuses to show a key, which the tenant does not tell, but for a new one where that is asked.

mod change;
mod delete;
mod edit;
mod filter;
mod generate;
mod list;
mod output;
mod rotate;
mod scope_file;
mod show;

pub(crate) use change::{lock_failure, renew_failure, tell};
pub(crate) use filter::{duration_ms, grace_ms, now_ms};
pub(crate) use output::one_line;
pub(crate) use rotate::nearest_lock_file;

use clap::Subcommand;

use crate::exit::{Exit, Failure};

/// List, generate, edit, rotate and delete the keys of a tenant
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    List(list::Args),
    Show(show::Args),
    Generate(generate::Args),
    Edit(edit::Args),
    Delete(delete::Args),
    Rotate(rotate::Args),
    Expiring(list::ExpiringArgs),
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    match &args.command {
        Command::List(args) => list::run(args),
        Command::Show(args) => show::run(args),
        Command::Generate(args) => generate::run(args),
        Command::Edit(args) => edit::run(args),
        Command::Delete(args) => delete::run(args),
        Command::Rotate(args) => rotate::run(args),
        Command::Expiring(args) => list::expiring(args),
    }
}
