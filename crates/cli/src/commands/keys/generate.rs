//! `cortexkey keys generate`: a new key, scoped, checked and handed over.
//!
//! It refuses to make a key that has no place to go.

use std::path::PathBuf;

use cortexkey_client::{NewKey, Renewal};
use cortexkey_core::auth::Level;
use cortexkey_manifest::lock::LockedKey;
use serde_json::json;

use super::change::{lock_failure, renew_failure, scope_from, state_file, tell};
use super::filter::{duration_ms, now_ms, time_ms};
use crate::change::{announce, say};
use crate::connection::{ConnectionArgs, SETTINGS, level};
use crate::exit::{Exit, Failure};
use crate::sink_args::SinkArgs;
use crate::text;

/// Make a key, scope it, check it, and hand it over
///
/// The product makes a key without a scope, and takes the scope in a second call; in between it has
/// none. A key that cannot be scoped, checked or handed over is deleted again.
#[derive(clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{SETTINGS}"))]
pub(super) struct Args {
    /// A role, by its display name; may be given several times
    #[arg(long, value_name = "ROLE", required = true)]
    role: Vec<String>,

    /// The new key's security level
    #[arg(long, value_name = "LEVEL", value_parser = level)]
    security_level: Level,

    /// What it is for; the only text that the product keeps
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,

    /// When it expires, RFC 3339 or a date; one week from now unless said, at most six months
    #[arg(long, value_name = "TIME", value_parser = time_ms, conflicts_with = "lifetime")]
    expires: Option<u64>,

    /// How long it lives, such as 90d
    #[arg(long, value_name = "DURATION", value_parser = duration_ms)]
    lifetime: Option<u64>,

    /// Its scope: a JSON file with what the product's PUT takes
    #[arg(long, value_name = "FILE")]
    scope_file: Option<PathBuf>,

    #[command(flatten)]
    sink: SinkArgs,

    /// Write the new key's id as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    connection: ConnectionArgs,
}

const EXAMPLES: &str = "\
Examples:
  cortexkey keys generate --role Viewer --security-level advanced --lifetime 90d \\
      --comment 'Exports to the SIEM. SEC-1' --sink-file siem.key
  cortexkey keys generate --role Viewer --security-level advanced --scope-file scope.json --show

Keys that are to last belong into definitions (`cortexkey apply`).

Exit codes: 0 the key is in place; 1 it is not, and there is none; 2 wrong use.";

/// The entries of the state file that are keys being made without a name.
const UNNAMED: &str = "new-key-";

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    let connection = args.connection.resolve()?;
    let sink = args.sink.sink(&connection.new_keys, false)?;
    let now_ms = now_ms();
    let new = NewKey {
        name: None,
        roles: args.role.clone(),
        level: args.security_level,
        comment: args.comment.clone(),
        expiration_ms: args.expires.or(args.lifetime.map(|ms| now_ms.saturating_add(ms))),
        scope: args.scope_file.as_deref().map(scope_from).transpose()?,
    };
    announce(&connection);
    if new.scope.is_none() {
        say("no --scope-file is given: the key will have no scope");
    }
    if new.expiration_ms.is_none() {
        say("no --lifetime is given: the key will live for the product's week");
    }
    let client = connection.client();
    let host = client.address().host().to_owned();
    let mut state = state_file()?;
    let renewal = Renewal { client: &client, sink: &sink, told: &tell };
    // What earlier runs were stopped at.
    let of_host = state.lock().tenants.get(&host);
    let left: Vec<String> = of_host
        .iter()
        .flat_map(|tenant| tenant.keys.keys())
        .filter(|name| name.starts_with(UNNAMED))
        .cloned()
        .collect();
    for name in left {
        let mut entry = state.entry(&host, &name);
        let mut journal = state.journal(&host, &host, &name);
        renewal.settle(&mut entry, &mut journal).map_err(|error| renew_failure(&error))?;
        if let Some(id) = entry.pending.as_ref().and_then(|pending| pending.doubtful.first()) {
            say(&format!(
                "an interrupted run may have handed key {id} over; look whether somebody has it, \
                 else delete it"
            ));
        }
        state.set(&host, &host, &name, None).map_err(|error| lock_failure(&error))?;
    }
    let name = format!("{UNNAMED}{now_ms}");
    let mut entry = LockedKey::default();
    let made = renewal.run(&mut entry, &new, 0, now_ms, &mut state.journal(&host, &host, &name));
    if entry.pending.is_none() {
        state.set(&host, &host, &name, None).map_err(|error| lock_failure(&error))?;
    }
    made.map_err(|error| renew_failure(&error))?;
    let id = entry.id.unwrap_or(0);
    let text = if args.json {
        text::json(&json!({ "version": 1, "id": id }))
    } else {
        format!("key {id} went to {sink}\n")
    };
    text::print(&text)?;
    Ok(Exit::Done)
}
