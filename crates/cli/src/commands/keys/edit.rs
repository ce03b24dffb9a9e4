//! `cortexkey keys edit`: roles, comment, level and scope of a key.
//!
//! It refuses to edit what the product's API cannot: the expiry.

use std::path::PathBuf;

use cortexkey_api::api_key::CommentEdit;
use cortexkey_api::role::RoleName;
use cortexkey_client::{KeyEdit, Seen, security_level};
use cortexkey_core::auth::{KeyId, Level};
use cortexkey_core::lifecycle::KeyRecord;

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
    let is_own = connection.credentials.key_id.value == args.id;
    announce(&connection);
    let client = connection.client();
    let (_, has) = find(&client, args.id)?;
    let wanted = wanted(args, &has);
    if is_own && wanted.level != has.level {
        let id = args.id;
        return Err(Failure::wrong_use(format!("key {id} is the one that signs these calls"))
            .help("edit its level with another key, or in the console"));
    }
    let mut asked = asked(&has, &wanted);
    if scope.is_some() {
        asked.push("its whole scope is replaced".to_owned());
    }
    if !asked.is_empty() {
        let own = if is_own { ", which signs these calls" } else { "" };
        args.change.ask(&format!("Key {}{own}: {}. Go on?", args.id, asked.join("; ")))?;
    }
    if edits {
        let edited = client.edit_key(args.id, &sent(&wanted));
        edited.map_err(|error| Failure::new(Exit::Findings, error.to_string()))?;
        say(&format!("edited key {}", args.id));
    }
    if let Some(scope) = scope {
        client.set_scope(args.id, &scope).map_err(|error| failed(&error))?;
        let read = client.scope(args.id).map_err(|error| failed(&error))?;
        if read.as_ref().map(Seen::from) != Some(Seen::from(&scope)) {
            return Err(other("another scope", args.id));
        }
        say(&format!("scoped key {}", args.id));
    }
    text::print(&format!("key {} is as asked\n", args.id))?;
    Ok(Exit::Done)
}

/// What the key is to be: what is not given stays.
fn wanted(args: &Args, has: &KeyRecord) -> KeyRecord {
    let mut wanted = has.clone();
    if !args.role.is_empty() {
        wanted.roles.clone_from(&args.role);
    }
    if let Some(comment) = &args.comment {
        wanted.comment = (!comment.is_empty()).then(|| comment.clone());
    }
    wanted.level = args.security_level.unwrap_or(has.level);
    wanted
}

/// What is asked about before it is done.
fn asked(has: &KeyRecord, wanted: &KeyRecord) -> Vec<String> {
    let mut asked = Vec::new();
    if wanted.roles != has.roles {
        let (from, to) = (one_line(&has.roles.join(", ")), one_line(&wanted.roles.join(", ")));
        asked.push(format!("roles {from} become {to}"));
    }
    if wanted.level != has.level {
        asked.push(format!(
            "its level becomes {}, and every client that signs for {} is refused",
            wanted.level, has.level
        ));
    }
    asked
}

/// What is sent: roles by name, which the client resolves.
fn sent(wanted: &KeyRecord) -> KeyEdit {
    KeyEdit {
        roles: wanted.roles.iter().map(RoleName::new).collect(),
        level: security_level(wanted.level),
        comment: CommentEdit::Set(wanted.comment.clone()),
    }
}

fn other(what: &str, id: KeyId) -> Failure {
    Failure::new(Exit::Findings, format!("the tenant shows {what} than was put"))
        .help(format!("see `cortexkey keys show {id}`"))
}
