//! `cortexkey keys edit`: roles, comment, level and scope of a key.
//!
//! It refuses to edit what the product's API cannot: the expiry.

use std::path::PathBuf;

use cortexkey_api::api_key::{CommentEdit, EditRequest};
use cortexkey_client::{Seen, security_level};
use cortexkey_core::auth::{KeyId, Level};

use super::change::{find, scope_from};
use super::output::one_line;
use crate::change::{ChangeArgs, announce, say};
use crate::commands::call::failed;
use crate::connection::{ConnectionArgs, SETTINGS, level};
use crate::exit::{Exit, Failure};
use crate::text;

/// Edit a key: roles, comment, security level, scope
///
/// What is not given stays. Roles are replaced as a whole, and so is the scope. The product's API
/// cannot change an expiry: `cortexkey keys rotate` makes a new key in its place.
#[derive(clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{SETTINGS}"))]
pub(super) struct Args {
    /// The key's id
    id: KeyId,

    /// A role that it is to have, by its display name; all of them are given
    #[arg(long, value_name = "ROLE")]
    role: Vec<String>,

    /// What it is for; empty takes the comment away
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,

    /// Its security level; another than before breaks its clients
    #[arg(long, value_name = "LEVEL", value_parser = level)]
    security_level: Option<Level>,

    /// Its whole scope: a JSON file with what the product's PUT takes
    #[arg(long, value_name = "FILE")]
    scope_file: Option<PathBuf>,

    #[command(flatten)]
    change: ChangeArgs,

    #[command(flatten)]
    connection: ConnectionArgs,
}

const EXAMPLES: &str = "\
Examples:
  cortexkey keys edit 7 --comment 'Exports to the SIEM. SEC-1'
  cortexkey keys edit 7 --role Viewer --role 'SIEM Export' --yes
  cortexkey keys edit 7 --scope-file scope.json

Exit codes: 0 edited; 1 it was not; 2 wrong use.";

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    let edits = !args.role.is_empty() || args.comment.is_some() || args.security_level.is_some();
    if !edits && args.scope_file.is_none() {
        return Err(Failure::wrong_use("there is nothing to edit")
            .help("give --role, --comment, --security-level or --scope-file"));
    }
    let scope = args.scope_file.as_deref().map(scope_from).transpose()?;
    let connection = args.connection.resolve()?;
    announce(&connection);
    let client = connection.client();
    let (key, record) = find(&client, args.id)?;
    let roles = if args.role.is_empty() { record.roles.clone() } else { args.role.clone() };
    let new_level = args.security_level.unwrap_or(record.level);
    let mut asked = Vec::new();
    if roles != record.roles {
        let (from, to) = (one_line(&record.roles.join(", ")), one_line(&roles.join(", ")));
        asked.push(format!("roles {from} become {to}"));
    }
    if new_level != record.level {
        asked.push(format!(
            "its level becomes {new_level}, and every client that signs for {} is refused",
            record.level
        ));
    }
    if scope.is_some() {
        asked.push("its whole scope is replaced".to_owned());
    }
    if !asked.is_empty() {
        args.change.ask(&format!("Key {}: {}. Go on?", args.id, asked.join("; ")))?;
    }
    if edits {
        let comment = match &args.comment {
            None => CommentEdit::Set(key.comment),
            Some(text) => CommentEdit::Set((!text.is_empty()).then(|| text.clone())),
        };
        let edit = EditRequest { roles, security_level: security_level(new_level), comment };
        client.edit_key(args.id, &edit).map_err(|error| failed(&error))?;
        say(&format!("edited key {}", args.id));
    }
    if let Some(scope) = scope {
        client.set_scope(args.id, &scope).map_err(|error| failed(&error))?;
        let read = client.scope(args.id).map_err(|error| failed(&error))?;
        if read.as_ref().map(Seen::from) != Some(Seen::from(&scope)) {
            return Err(Failure::new(
                Exit::Findings,
                "the tenant shows another scope than was put",
            )
            .help(format!("see `cortexkey keys show {}`", args.id)));
        }
        say(&format!("scoped key {}", args.id));
    }
    text::print(&format!("key {} is as asked\n", args.id))?;
    Ok(Exit::Done)
}
