//! `cortexkey keys delete`. It never deletes the key that it signs with.

use cortexkey_client::{Permission, is_system};
use cortexkey_core::auth::KeyId;

use super::output::{one_line, record_of};
use crate::change::{ChangeArgs, announce, say};
use crate::commands::call::failed;
use crate::connection::{ConnectionArgs, SETTINGS};
use crate::exit::{Exit, Failure};
use crate::needs::CheckArgs;
use crate::text;

/// Delete keys; their users are refused from then on
#[derive(clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{SETTINGS}"))]
pub(super) struct Args {
    /// Ids of keys
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

Exit codes: 0 they are gone; 1 some are not, or were not there; 2 usage error.";

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    let connection = args.connection.resolve()?;
    let own = connection.credentials.key_id.value;
    // A child's keys have ids of their own.
    if connection.options.child_tenant.is_none() && args.ids.contains(&own) {
        return Err(Failure::wrong_use(format!("key {own} is the one that signs these calls"))
            .help("delete it with another key, or in the console"));
    }
    announce(&connection);
    let client = connection.client();
    let needs = [(Permission::PublicApiEdit, "to list and delete keys")];
    if let Some(exit) = args.check.run(&client, &needs)? {
        return Ok(exit);
    }
    let keys = client.all_keys(&[]).map_err(|error| failed(&error))?;
    let mut missing = Vec::new();
    for id in &args.ids {
        let found = keys.iter().find(|record| record.id == id.get());
        match found.and_then(|key| record_of(key).map(|record| (key, record))) {
            Some((key, record)) => say(&format!(
                "key {id}: {}, {}, {}{}",
                record.level,
                one_line(&record.roles.join(", ")),
                one_line(record.comment.as_deref().unwrap_or("no comment")),
                if is_system(key) { "; THE PRODUCT KEEPS IT FOR ITSELF" } else { "" }
            )),
            None => missing.push(id.to_string()),
        }
    }
    if !missing.is_empty() {
        return Err(Failure::new(
            Exit::Findings,
            format!("there is no key {}; nothing was deleted", missing.join(", ")),
        ));
    }
    args.change.ask(&format!("Delete {} of them?", args.ids.len()))?;
    client.ensure_deleted(&args.ids).map_err(|error| failed(&error))?;
    text::print(&format!("deleted {}\n", args.ids.len()))?;
    Ok(Exit::Done)
}
