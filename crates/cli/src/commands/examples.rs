//! `cortexkey examples`: the console's View Examples, in six languages.
//!
//! It refuses to print a key, and to ask for one.

use cortexkey_client::{Example, Language, explain, resolve_address};
use cortexkey_core::auth::Level;

use crate::connection::ConnectionArgs;
use crate::exit::{Exit, Failure};
use crate::text;

/// Print the first API call in a language of your choice
///
/// Address, key id and level are those of your settings, where there are such. The key is not in
/// it: each example reads it from the environment.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  cortexkey examples python
  cortexkey examples curl --level standard --fqdn acme.xdr.us.paloaltonetworks.com
  cortexkey examples go --profile prod > main.go

All of them are run by the tests of this project, but for PowerShell's. The vendor's own sample for
Standard keys in Python does not run as it is printed: its line `def` is indented one level too far.

Exit codes: 0 printed; 2 wrong use.")]
pub(crate) struct Args {
    /// curl, python, go, c, rust or powershell
    #[arg(value_parser = language)]
    language: Language,

    #[command(flatten)]
    connection: ConnectionArgs,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let given = args.connection.given();
    let environment = |name: &str| std::env::var_os(name);
    // What cannot be found stays an example; `config explain` says why.
    let address = resolve_address(&given, &environment).ok().map(|found| found.value);
    let settings = explain(&given, &environment).unwrap_or_default();
    let value = |name: &str| {
        settings.iter().find(|entry| entry.setting == name).and_then(|entry| entry.value.clone())
    };
    let key_id = value("key_id").and_then(|id| id.parse().ok());
    let level: Option<Level> = value("level").and_then(|level| level.parse().ok());
    text::print(&Example { address, key_id, level }.text(args.language))?;
    Ok(Exit::Done)
}

fn language(text: &str) -> Result<Language, String> {
    text.to_ascii_lowercase()
        .parse()
        .map_err(|error: cortexkey_client::UnknownLanguage| error.to_string())
}
