//! `cortexkey completions`: prints shell completions.

use clap::builder::PossibleValuesParser;
use clap::{Arg, Command};
use clap_complete::Shell;
use cortexkey_lint::report::Format;
use cortexkey_lint::rules;

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
    clap_complete::generate(
        args.shell,
        &mut with_values(crate::command()),
        "cortexkey",
        &mut script,
    );
    text::print_bytes(&script)?;
    Ok(Exit::Done)
}

/// The command line with the values of arguments that take the name of a rule or of a format. Parsing
/// does not use it: a policy has rules of its own, and a format may name a file.
fn with_values(command: Command) -> Command {
    let command = command.mut_args(with_values_of);
    let names: Vec<String> =
        command.get_subcommands().map(|inner| inner.get_name().to_owned()).collect();
    names.into_iter().fold(command, |command, name| command.mut_subcommand(name, with_values))
}

fn with_values_of(arg: Arg) -> Arg {
    let name = arg.get_value_names().and_then(|names| names.first()).map(ToString::to_string);
    let values: Vec<&str> = match name.as_deref() {
        Some("RULE") => rules::all_ids(),
        Some("FORMAT[=FILE]") => Format::ALL.iter().map(|(word, _)| *word).collect(),
        _ => return arg,
    };
    arg.value_parser(PossibleValuesParser::new(values))
}
