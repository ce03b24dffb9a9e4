//! `cortexkey keys edit`: changes roles, comment, level and scope of a key. The product's API
//! cannot change an expiry.

use std::path::PathBuf;

use cortexkey_api::api_key::CommentEdit;
use cortexkey_api::role::RoleName;
use cortexkey_client::table::one_line;
use cortexkey_client::{ApiPermission, EditError, KeyEdit, is_system};
use cortexkey_core::auth::{KeyId, Level};
use cortexkey_core::lifecycle::KeyRecord;

use super::change::{check_comment, find};
use super::scope_file::ScopeFile;
use crate::change::{ChangeArgs, announce};
use crate::connection::{ConnectionArgs, SETTINGS, level};
use crate::exit::{Exit, Failure};
use crate::needs::CheckArgs;
use crate::text;

/// Edit a key: roles, comment, security level, scope
///
/// Only the given fields change. Roles and the scope are replaced as a whole. The product's API
/// cannot change an expiry; use `cortexkey keys rotate`.
#[derive(clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{SETTINGS}"))]
pub(super) struct Args {
    /// The key's id
    id: KeyId,

    /// A role for the key, by its display name; repeat for all roles
    #[arg(long, value_name = "ROLE")]
    role: Vec<String>,

    /// The new comment; empty removes it
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,

    /// The new security level; a change breaks the key's clients
    #[arg(long, value_name = "LEVEL", value_parser = level)]
    security_level: Option<Level>,

    /// The new scope: a file with a definition's `spec.scope`, or with the body of PUT
    /// /platform/iam/v1/scope
    #[arg(long, value_name = "FILE")]
    scope_file: Option<PathBuf>,

    #[command(flatten)]
    check: CheckArgs,

    #[command(flatten)]
    change: ChangeArgs,

    #[command(flatten)]
    connection: ConnectionArgs,
}

const EXAMPLES: &str = "\
Examples:
  cortexkey keys edit 7 --comment 'Exports to the SIEM. SEC-1'
  cortexkey keys edit 7 --role Viewer --role 'SIEM Export' --yes
  cortexkey keys edit 7 --scope-file scope.yaml

Exit codes: 0 success; 1 the key was not edited; 2 usage error.";

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    let edits = !args.role.is_empty() || args.comment.is_some() || args.security_level.is_some();
    if !edits && args.scope_file.is_none() {
        return Err(Failure::usage_error("there is nothing to edit")
            .help("add --role, --comment, --security-level or --scope-file"));
    }
    check_comment(args.comment.as_deref())?;
    let scope = args.scope_file.as_deref().map(ScopeFile::read).transpose()?;
    let connection = args.connection.resolve()?;
    // Key ids are unique only within a tenant, and a child has its own.
    let is_own =
        connection.options.child_tenant.is_none() && connection.credentials.key_id.value == args.id;
    announce(&connection);
    let client = connection.client();
    let needs = [
        (ApiPermission::PublicApiView, "to find the key"),
        (ApiPermission::AccessManagementEdit, "to edit it, or its scope"),
    ];
    if let Some(exit) = args.check.run(&client, &needs)? {
        return Ok(exit);
    }
    let scope = scope.map(|scope| scope.resolve(&client)).transpose()?;
    let (key, has) = find(&client, args.id)?;
    let wanted = wanted(args, &has);
    if is_own && wanted.level != has.level {
        let id = args.id;
        return Err(Failure::usage_error(format!("key {id} signs these calls"))
            .help("edit its level with another key, or in the console"));
    }
    let mut asked = asked(&has, &wanted);
    if scope.is_some() {
        asked.push("its whole scope is replaced".to_owned());
    }
    if is_system(&key) {
        asked.push("THE PRODUCT USES IT ITSELF".to_owned());
    }
    if !asked.is_empty() {
        let own = if is_own { ", which signs these calls" } else { "" };
        args.change.confirm(&format!("Key {}{own}: {}. Continue?", args.id, asked.join("; ")))?;
    }
    if edits {
        let edited = client.edit_key(args.id, &sent(&wanted));
        edited.map_err(|error| not_edited(&error, args, has.key_id))?;
        text::print(&format!("edited key {}\n", args.id))?;
    }
    if let Some(scope) = scope {
        let done = if edits { "roles, level and comment are set, " } else { "" };
        client.replace_scope(args.id, &scope).map_err(|why| {
            let what = format!("{done}the scope of key {} is not set", args.id);
            Failure::because(Exit::Findings, what, &why)
                .help("run the same command again, which keeps completed changes")
        })?;
        text::print(&format!("set the scope of key {}\n", args.id))?;
    }
    Ok(Exit::Done)
}

/// Reports which half of the change was made.
fn not_edited(error: &EditError, args: &Args, id: KeyId) -> Failure {
    let mut failure = Failure::from_error(Exit::Findings, error);
    if args.scope_file.is_some() {
        failure = failure.after("its scope was not changed");
    }
    if error.is_unchanged() {
        failure
    } else {
        failure.help(format!(
            "look at its state with `cortexkey keys show {id}`, and run the same command again"
        ))
    }
}

/// The key after the change; fields that are not given keep their values.
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

/// The changes to confirm.
fn asked(has: &KeyRecord, wanted: &KeyRecord) -> Vec<String> {
    let mut asked = Vec::new();
    if wanted.roles != has.roles {
        let from = one_line(&has.roles.join(", "));
        let to = one_line(&wanted.roles.join(", "));
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

/// The request: roles by name, which the client resolves to ids.
fn sent(wanted: &KeyRecord) -> KeyEdit {
    KeyEdit {
        roles: wanted.roles.iter().map(RoleName::new).collect(),
        level: wanted.level.into(),
        comment: CommentEdit::Set(wanted.comment.clone()),
    }
}
