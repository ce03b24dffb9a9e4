//! `cortexkey keys`: manages the keys of a tenant.
//!
//! The tenant shows a key only once, when it is generated.

mod change;
mod delete;
mod edit;
mod filter;
mod generate;
mod inventory;
mod list;
mod output;
mod provision;
mod rotate;
mod scope_file;
mod show;
mod watch;

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
    Watch(Box<watch::Args>),
    Provision(Box<provision::Args>),
    Inventory(inventory::Args),
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
        Command::Watch(args) => watch::run(args),
        Command::Provision(args) => provision::run(args),
        Command::Inventory(args) => inventory::run(args),
    }
}
