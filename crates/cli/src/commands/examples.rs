//! `cortexkey examples`: the console's View Examples, in six languages.
//!
//! No key is printed or read. An invalid setting is an error.

use cortexkey_client::{Language, RequestExample, UnknownLanguage};

use crate::connection::{AddressArgs, KeyIdArgs, failure};
use crate::exit::{Exit, Failure};
use crate::text;

/// Print the first API call in a language of your choice
///
/// The example contains your settings: address, key id, level and certificates (--ca-file). It
/// reads the key, and every setting that you did not give, from the environment. PowerShell has no
/// option for certificates.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  cortexkey examples python
  cortexkey examples curl --level standard --fqdn acme.xdr.us.paloaltonetworks.com
  cortexkey examples go --profile prod > main.go

The project's tests run all of them except PowerShell's. The vendor's own Python sample for Standard
keys does not run as printed: its line `def` is indented one level too far.

Exit codes: 0 success; 2 usage error.")]
pub(crate) struct Args {
    /// curl, python, go, c, rust or powershell
    #[arg(value_parser = language)]
    language: Language,

    #[command(flatten)]
    address: AddressArgs,

    #[command(flatten)]
    key: KeyIdArgs,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let given = args.address.given(args.key.given());
    let environment = |name: &str| std::env::var_os(name);
    let example = RequestExample::resolve(&given, &environment).map_err(|error| failure(&error))?;
    let text = example.text(args.language);
    text::print(&text.map_err(|error| Failure::from_error(Exit::UsageError, &error))?)?;
    Ok(Exit::Done)
}

fn language(text: &str) -> Result<Language, UnknownLanguage> {
    text.to_ascii_lowercase().parse()
}
