//! What every command that changes a tenant does first: says where it is, and asks.

use std::io::{self, IsTerminal as _};

use cortexkey_client::Connection;

use crate::exit::Failure;
use crate::text::{self, BOLD, DIM};

/// Whether changes are agreed to.
#[derive(clap::Args)]
pub(crate) struct ChangeArgs {
    /// Do not ask for confirmation
    #[arg(long, short)]
    yes: bool,
}

impl ChangeArgs {
    /// Asks whether to go on. An answer other than yes ends the command with nothing done.
    pub(crate) fn ask(&self, question: &str) -> Result<(), Failure> {
        if self.yes {
            return Ok(());
        }
        if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return Err(Failure::usage_error(format!("nobody can be asked: {question}"))
                .help("give --yes to do it without asking"));
        }
        text::tell(&format!("{question} {DIM}[y/N]{DIM:#} "));
        let mut answer = String::new();
        io::stdin().read_line(&mut answer)?;
        if matches!(answer.trim(), "y" | "Y" | "yes") {
            Ok(())
        } else {
            Err(Failure::new(crate::exit::Exit::Findings, "nothing was done"))
        }
    }
}

/// Says on standard error which tenant is about to be changed, by which profile and key.
pub(crate) fn announce(connection: &Connection) {
    let profile = match &connection.profile {
        Some(name) => format!("profile {name}"),
        None => "no profile".to_owned(),
    };
    let credentials = &connection.credentials;
    say(&format!(
        "{BOLD}{}{BOLD:#} {DIM}({profile}, as key {}){DIM:#}",
        connection.address.value, credentials.key_id.value
    ));
}

/// Says something on standard error.
pub(crate) fn say(text: &str) {
    text::tell(&format!("{text}\n"));
}
