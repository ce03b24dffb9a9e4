//! What a command that changes a tenant needs, said before it begins; `--check` does only that.

use cortexkey_api::api_keys::ListRequest;
use cortexkey_client::{CallError, Client, Permission};

use crate::change::say;
use crate::connection::call_failure;
use crate::exit::{Exit, Failure};
use crate::text::{self, DIM};

/// A permission, and what it is for.
pub(crate) type Need = (Permission, &'static str);

/// Whether a command only says what it needs.
#[derive(clap::Args)]
pub(crate) struct CheckArgs {
    /// Only list the permissions that this needs, and whether the key has them; change nothing
    #[arg(long)]
    pub(crate) check: bool,
}

impl CheckArgs {
    /// Says what is needed. With `--check` the command ends here.
    pub(crate) fn run(&self, client: &Client, needs: &[Need]) -> Result<Option<Exit>, Failure> {
        if !self.check {
            let words: Vec<String> = needs.iter().map(words).collect();
            say(&format!("{DIM}needs {}{DIM:#}", words.join("; ")));
            return Ok(None);
        }
        let mut exit = Exit::Done;
        let mut out = String::new();
        for need in needs {
            let has = has(client, need.0)?;
            if has == Has::No {
                exit = Exit::Findings;
            }
            out += &format!("{}: {}\n", words(need), has.words());
        }
        text::print(&out)?;
        Ok(Some(exit))
    }
}

fn words((permission, purpose): &Need) -> String {
    format!("{} ({}) {purpose}", permission.component(), permission.level())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Has {
    Yes,
    No,
    /// Only a call that changes something would tell.
    Unknown,
}

impl Has {
    const fn words(self) -> &'static str {
        match self {
            Self::Yes => "the key has it",
            Self::No => "the key lacks it",
            Self::Unknown => "reading is allowed; whether changing is, only a change would tell",
        }
    }
}

/// Asks by a call that reads. Who may not read may not change either.
fn has(client: &Client, permission: Permission) -> Result<Has, Failure> {
    let answer: Result<(), CallError> = match permission {
        Permission::PublicApiView | Permission::PublicApiEdit => {
            let request = ListRequest { search_to: Some(1), ..ListRequest::default() };
            client.list_keys(&request).map(|_| ())
        }
        Permission::AccessManagementView | Permission::AccessManagementEdit => {
            client.roles().map(|_| ())
        }
    };
    let changes =
        matches!(permission, Permission::PublicApiEdit | Permission::AccessManagementEdit);
    match answer {
        Ok(()) if changes => Ok(Has::Unknown),
        Ok(()) => Ok(Has::Yes),
        Err(error) if error.status() == Some(403) => Ok(Has::No),
        Err(error) => Err(call_failure(&error)),
    }
}
