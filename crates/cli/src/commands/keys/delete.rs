//! `cortexkey keys delete`. It never deletes the key that signs the call.

use cortexkey_client::table::one_line;
use cortexkey_client::{ApiPermission, Deletion, DeletionError, is_system};
use cortexkey_core::auth::{KeyId, Level};

use super::change::LIST_KEYS;
use crate::change::{ChangeArgs, announce, print_note};
use crate::connection::{ConnectionArgs, SETTINGS, call_failure};
use crate::exit::{Exit, Failure};
use crate::needs::CheckArgs;
use crate::text;

/// Delete keys; requests that use them are refused from then on
#[derive(clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{SETTINGS}"))]
pub(super) struct Args {
    /// The keys' ids
    #[arg(required = true)]
    ids: Vec<KeyId>,

    #[command(flatten)]
    check: CheckArgs,

    #[command(flatten)]
    change: ChangeArgs,

    #[command(flatten)]
    connection: ConnectionArgs,
}

const EXAMPLES: &str = "\
Examples:
  cortexkey keys delete 7
  cortexkey keys delete 7 8 9 --yes

Exit codes: 0 all are deleted; 1 some are not, or did not exist; 2 usage error.";

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    let connection = args.connection.resolve()?;
    announce(&connection);
    let client = connection.client();
    Deletion::check_own(&client, &args.ids).map_err(failure)?;
    let needs = [(ApiPermission::PublicApiEdit, "to list and delete keys")];
    if let Some(exit) = args.check.run(&client, &needs)? {
        return Ok(exit);
    }
    let deletion = Deletion::prepare(&client, &args.ids).map_err(failure)?;
    for record in deletion.records() {
        print_note(&format!(
            "key {}: {}, {}, {}{}",
            record.id,
            Level::from(record.security_level),
            one_line(&record.roles.join(", ")),
            one_line(record.comment.as_deref().unwrap_or("no comment")),
            if is_system(record) { "; THE PRODUCT USES IT ITSELF" } else { "" }
        ));
    }
    let count = deletion.records().len();
    let question = match deletion.records() {
        [record] => format!("Delete key {}?", record.id),
        _ => format!("Delete these {count} keys?"),
    };
    args.change.confirm(&question)?;
    deletion.run().map_err(|error| call_failure(&error))?;
    text::print(&format!("deleted {count}\n"))?;
    Ok(Exit::Done)
}

fn failure(error: DeletionError) -> Failure {
    match error {
        DeletionError::Call(error) => call_failure(&error),
        DeletionError::Own(_) => Failure::from_error(Exit::UsageError, &error)
            .help("delete it with another key, or in the console"),
        error => Failure::from_error(Exit::Findings, &error).help(LIST_KEYS),
    }
}
