//! The permissions that a command needs, reported before it changes a tenant; `--check` does only
//! that.

use cortexkey_api::api_keys::ListRequest;
use cortexkey_client::{ApiPermission, CallError, Client};

use crate::change::print_note;
use crate::connection::call_failure;
use crate::exit::{Exit, Failure};
use crate::text::{self, DIM};

/// A permission and its purpose.
pub(crate) type Need = (ApiPermission, &'static str);

/// Whether the command only reports the permissions.
#[derive(clap::Args)]
pub(crate) struct CheckArgs {
    /// Only list the permissions that the command needs and whether the key has them; change
    /// nothing
    #[arg(long)]
    pub(crate) check: bool,
}

impl CheckArgs {
    /// Reports the permissions. With `--check` the command ends here.
    pub(crate) fn run(&self, client: &Client, needs: &[Need]) -> Result<Option<Exit>, Failure> {
        if !self.check {
            let texts: Vec<String> = needs.iter().map(need_text).collect();
            print_note(&format!("{DIM}needs {}{DIM:#}", texts.join("; ")));
            return Ok(None);
        }
        let mut exit = Exit::Done;
        let mut out = String::new();
        for need in needs {
            let has = has(client, need.0)?;
            if has == Held::No {
                exit = Exit::Findings;
            }
            out += &format!("{}: {}\n", need_text(need), has.as_str());
        }
        text::print(&out)?;
        Ok(Some(exit))
    }
}

fn need_text((permission, purpose): &Need) -> String {
    format!("{} ({}) {purpose}", permission.component(), permission.level())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Held {
    Yes,
    No,
    /// Only a call that changes something would show whether the key has it.
    Unknown,
}

impl Held {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Yes => "the key has it",
            Self::No => "the key lacks it",
            Self::Unknown => {
                "the key may read, and whether it may change is unknown until it tries"
            }
        }
    }
}

/// Makes a call that only reads. A key that may not read may not change anything either.
fn has(client: &Client, permission: ApiPermission) -> Result<Held, Failure> {
    let answer: Result<(), CallError> = match permission {
        ApiPermission::PublicApiView | ApiPermission::PublicApiEdit => {
            let request = ListRequest { search_to: Some(1), ..ListRequest::default() };
            client.list_keys(&request).map(|_| ())
        }
        ApiPermission::AccessManagementView | ApiPermission::AccessManagementEdit => {
            client.roles().map(|_| ())
        }
    };
    let changes =
        matches!(permission, ApiPermission::PublicApiEdit | ApiPermission::AccessManagementEdit);
    match answer {
        Ok(()) if changes => Ok(Held::Unknown),
        Ok(()) => Ok(Held::Yes),
        Err(error) if error.status() == Some(403) => Ok(Held::No),
        Err(error) => Err(call_failure(&error)),
    }
}
