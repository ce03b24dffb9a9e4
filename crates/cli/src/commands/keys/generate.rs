//! `cortexkey keys generate`.

use std::path::PathBuf;

use cortexkey_api::scope::ScopeWrite;
use cortexkey_client::time::{duration_ms, now_ms, time_ms};
use cortexkey_client::{ApiPermission, ChildTenant, Client, Generation, NewKey, Renewal, Sink};
use cortexkey_core::auth::Level;
use serde_json::json;

use super::change::{check_comment, lock_failure, on_step, places, renew_failure, state_failure};
use super::scope_file::ScopeFile;
use crate::change::{announce, print_note};
use crate::connection::{ConnectionArgs, SETTINGS, level};
use crate::exit::{Exit, Failure};
use crate::many::{ChildrenArgs, each};
use crate::needs::{CheckArgs, Need};
use crate::sink_args::SinkArgs;
use crate::text;

/// Generate a key, set its scope, check it, and deliver it
///
/// The product generates a key without a scope and sets the scope in a second call; in between the
/// key has none. If the key cannot be scoped, checked or delivered, it is deleted again.
#[derive(clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{SETTINGS}"))]
pub(super) struct Args {
    /// A role, by its display name; repeatable
    #[arg(long, value_name = "ROLE", required_unless_present = "finish")]
    role: Vec<String>,

    /// The new key's security level
    #[arg(long, value_name = "LEVEL", value_parser = level, required_unless_present = "finish")]
    security_level: Option<Level>,

    /// What the key is for; the only text that the product stores
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,

    /// The key's owner, stored in a secret store; the product has no such field
    #[arg(long, value_name = "OWNER")]
    owner: Option<String>,

    /// When it expires (RFC 3339 or a date), at most six months from now [default: one week]
    #[arg(long, value_name = "TIME", value_parser = time_ms, conflicts_with = "lifetime")]
    expires: Option<u64>,

    /// Its lifetime, such as 90d
    #[arg(long, value_name = "DURATION", value_parser = duration_ms)]
    lifetime: Option<u64>,

    /// Its scope: a file with a definition's `spec.scope`, or with the body of PUT
    /// /platform/iam/v1/scope
    #[arg(long, value_name = "FILE")]
    scope_file: Option<PathBuf>,

    /// Finish interrupted runs; generate nothing
    #[arg(long, conflicts_with_all = ["role", "security_level", "comment", "scope_file"])]
    finish: bool,

    #[command(flatten)]
    sink: SinkArgs,

    /// Print the new key's id as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    check: CheckArgs,

    #[command(flatten)]
    children: ChildrenArgs,

    #[command(flatten)]
    connection: ConnectionArgs,
}

const EXAMPLES: &str = "\
Examples:
  cortexkey keys generate --role Viewer --security-level advanced --lifetime 90d \\
      --comment 'Exports to the SIEM. SEC-1' --sink-file siem.key
  cortexkey keys generate --role Viewer --security-level advanced --scope-file scope.yaml --show
  cortexkey keys generate --role Viewer --security-level advanced --lifetime 90d \\
      --sink-store vault://secret/cortex/siem --owner team-detection

Use definitions for keys that you keep (`cortexkey apply`).

Exit codes: 0 the key is delivered; 1 it is not, and the message names what is left; 2 usage error.";

const FINISH: &str = "cortexkey keys generate --finish";

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    check_comment(args.comment.as_deref())?;
    let connection = args.connection.resolve()?;
    // Finishing and checking deliver no key.
    let sink = if args.finish || args.check.check {
        None
    } else {
        Some(args.sink.sink(&connection.new_keys, false)?)
    };
    if args.owner.is_some() && !matches!(sink, None | Some(Sink::Store(_))) {
        return Err(Failure::usage_error("--owner is kept only in a secret store")
            .help("give --sink-store URL, or write the owner into --comment"));
    }
    let scope = args.scope_file.as_deref().map(ScopeFile::read).transpose()?;
    announce(&connection);
    let children = connection.children.clone();
    let clients = args.children.clients(connection.client(), children)?;
    if clients.len() > 1 && args.sink.is_one_place() {
        return Err(Failure::usage_error(
            "the keys of several children cannot go to one destination",
        )
        .help("set sink_command or sink_folder in a profile"));
    }
    each(&clients, |client| {
        if let Some(exit) = args.check.run(client, &needs(scope.is_some()))? {
            return Ok(exit);
        }
        // Before anything is changed: the scope may name an unknown asset group.
        let scope = scope.as_ref().map(|scope| scope.resolve(client)).transpose()?;
        let renewal = Renewal { client, on_step: &on_step };
        let opened = Generation::open(renewal, &places(None));
        let mut generation = opened.map_err(|error| state_failure(&error))?;
        finish_earlier(&mut generation)?;
        let Some(sink) = &sink else {
            text::print("nothing is left to finish\n")?;
            return Ok(Exit::Done);
        };
        generate(args, client, sink, scope, &mut generation)
    })
}

fn needs(scope: bool) -> Vec<Need> {
    let mut needs = vec![(ApiPermission::PublicApiEdit, "to generate the key")];
    if scope {
        needs.push((ApiPermission::AccessManagementEdit, "to set its scope"));
    }
    needs
}

/// Finishes interrupted runs. A run that cannot be finished now stays for later and does not stop
/// the others.
fn finish_earlier(generation: &mut Generation<'_>) -> Result<(), Failure> {
    let finished = generation.finish().map_err(|error| lock_failure(&error))?;
    for error in &finished.failed {
        renew_failure(error, None, FINISH).print();
    }
    for id in &finished.doubtful {
        print_note(&format!(
            "an interrupted run may have delivered key {id}; check whether it is in use, \
             otherwise `cortexkey keys delete {id}`"
        ));
    }
    Ok(())
}

fn generate(
    args: &Args,
    client: &Client,
    sink: &Sink,
    scope: Option<ScopeWrite>,
    generation: &mut Generation<'_>,
) -> Result<Exit, Failure> {
    let now_ms = now_ms();
    let new = NewKey {
        name: None,
        roles: args.role.clone(),
        level: args.security_level.unwrap_or(Level::Advanced),
        comment: args.comment.clone(),
        owner: args.owner.clone(),
        expiration_ms: args.expires.or(args.lifetime.map(|ms| now_ms.saturating_add(ms))),
        scope,
    };
    if new.scope.is_none() {
        print_note("without --scope-file the key gets no scope");
    }
    if new.expiration_ms.is_none() {
        print_note("without --lifetime the key expires in one week, the product's default");
    }
    let made = generation.generate(&new, sink, now_ms);
    let id = made.map_err(|error| renew_failure(&error, Some(sink), FINISH))?;
    let text = if args.json {
        let mut value = json!({ "version": 1, "id": id.get() });
        if let Some(child) = client.child().map(ChildTenant::as_str) {
            value["child"] = child.into();
        }
        text::json(&value)
    } else {
        format!("wrote key {id} to {sink}\n")
    };
    text::print(&text)?;
    Ok(Exit::Done)
}
