//! What every command that changes a tenant does first: it names the tenant and asks for
//! confirmation.

use std::io::{self, IsTerminal as _};

use cortexkey_client::Connection;

use crate::exit::Failure;
use crate::text::{self, BOLD, DIM};

/// Whether the user has agreed to changes.
#[derive(clap::Args)]
pub(crate) struct ChangeArgs {
    /// Do not ask for confirmation
    #[arg(long, short)]
    yes: bool,
}

impl ChangeArgs {
    /// Asks for confirmation. Any answer other than yes ends the command before anything is
    /// changed.
    pub(crate) fn confirm(&self, question: &str) -> Result<(), Failure> {
        if self.yes {
            return Ok(());
        }
        if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return Err(Failure::usage_error(
                "this change needs confirmation, but standard input or standard error is not a terminal",
            )
            .after(format!("the question is: {}", question.trim()))
            .help("pass --yes to confirm in advance"));
        }
        text::eprint(&format!("{question} {DIM}[y/N]{DIM:#} "));
        let mut answer = String::new();
        io::stdin().read_line(&mut answer)?;
        if matches!(answer.trim(), "y" | "Y" | "yes") {
            Ok(())
        } else {
            Err(Failure::new(crate::exit::Exit::Findings, "nothing was changed"))
        }
    }
}

/// Reports on standard error which tenant is about to be changed, with which profile and key.
pub(crate) fn announce(connection: &Connection) {
    let profile = match &connection.profile {
        Some(name) => format!("profile {name}"),
        None => "no profile".to_owned(),
    };
    let credentials = &connection.credentials;
    print_note(&format!(
        "{BOLD}{}{BOLD:#} {DIM}({profile}, as key {}){DIM:#}",
        connection.address.value, credentials.key_id.value
    ));
}

/// Writes a line to standard error.
pub(crate) fn print_note(text: &str) {
    text::eprint(&format!("{text}\n"));
}
