//! `cortexkey keys rotate`.

use std::path::PathBuf;
use std::time::Duration;

use cortexkey_client::table::one_line;
use cortexkey_client::time::{duration_ms, grace_ms, now_ms, time_ms, time_text};
use cortexkey_client::{
    ApiPermission, Client, KeyDelivery, RenewError, Renewal, Replacement, ReplacementOptions,
    RotateError, Rotated, Rotation, Sink, Stage,
};
use cortexkey_core::auth::KeyId;
use cortexkey_manifest::lock::Retiring;
use serde_json::json;

use super::change::{
    lock_failure, nearest_lock_file, no_such_key, on_step, places, renew_failure, state_failure,
};
use crate::change::{ChangeArgs, announce, print_note};
use crate::connection::{ConnectionArgs, SETTINGS, call_failure};
use crate::exit::{Exit, Failure};
use crate::many::{ChildrenArgs, each};
use crate::needs::CheckArgs;
use crate::sink_args::SinkArgs;
use crate::text;

/// Replace a key with a new one
///
/// The new key gets the roles, level, comment and scope of the old one. It is read back, tested and
/// delivered. The old key is deleted after the grace period; for a leaked key, use `--grace 0`. If
/// a rotation is interrupted, `--finish` or the same command completes it. The old key is never
/// deleted before a new one is delivered.
///
/// The new key has no scope for the duration of one call, until its scope is set.
#[derive(clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{SETTINGS}"))]
pub(super) struct Args {
    /// The key's id, or the name of its definition
    #[arg(value_name = "ID|NAME")]
    key: String,

    /// Grace period of the old key; `--finish` deletes the key afterwards
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = grace_ms)]
    grace: u64,

    /// Wait until the grace period is over, then delete the old key
    #[arg(long)]
    wait: bool,

    /// Finish a rotation; start nothing new
    #[arg(long)]
    finish: bool,

    /// The new key's lifetime [default: the old key's]
    #[arg(long, value_name = "DURATION", value_parser = duration_ms, conflicts_with = "expires")]
    lifetime: Option<u64>,

    /// When the new key expires
    #[arg(long, value_name = "TIME", value_parser = time_ms)]
    expires: Option<u64>,

    /// Whether the old key sees cases and issues that reference no known object; the tenant does not
    /// report it
    #[arg(long, value_name = "true|false")]
    unreferenced: Option<bool>,

    /// The lock file [default: the nearest cortexkey.lock in this folder or above]
    #[arg(long, value_name = "FILE")]
    lock_file: Option<PathBuf>,

    #[command(flatten)]
    sink: SinkArgs,

    /// Print the ids as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    check: CheckArgs,

    #[command(flatten)]
    change: ChangeArgs,

    #[command(flatten)]
    children: ChildrenArgs,

    #[command(flatten)]
    connection: ConnectionArgs,
}

const EXAMPLES: &str = "\
Examples:
  cortexkey keys rotate 7 --sink-file siem.key --grace 0
  cortexkey keys rotate svc-siem-export-prod --profile prod --yes
  cortexkey keys rotate 7 --key-store vault://secret/cortex/admin \\
      --sink-store vault://secret/cortex/siem --yes
  cortexkey keys rotate 7 --grace 10m --wait
  cortexkey keys rotate 7 --finish                delete the old key after its grace period

Exit codes: 0 success, or only the grace period is left; 1 failed, and the message names what is
left; 2 usage error; 4 done in part: the scope was not copied for lack of a permission, or with
--grace 0 the old key could not be deleted yet.";

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    let connection = args.connection.resolve()?;
    // A missing sink matters only when a key is generated; deleting the old one delivers nothing.
    let sink = args.sink.sink(&connection.new_keys, true);
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
        let needs = [
            (ApiPermission::PublicApiEdit, "to list, generate and delete keys"),
            (ApiPermission::AccessManagementEdit, "to copy the scope"),
        ];
        match args.check.run(client, &needs)? {
            Some(exit) => Ok(exit),
            None => rotate(args, client, &sink),
        }
    })
}

fn rotate(args: &Args, client: &Client, sink: &Result<Sink, Failure>) -> Result<Exit, Failure> {
    let renewal = Renewal { client, on_step: &on_step };
    let places = places(args.lock_file.clone().or_else(nearest_lock_file));
    let failure = |error: RotateError| failure(args, client, None, &error);
    let mut rotation = Rotation::open(renewal, &args.key, &places).map_err(failure)?;
    // What cannot be determined prevents a new key, but not the deletion of the old one.
    let mut unsettled = Ok(());
    let mut scope_unknown = false;
    if args.finish || rotation.is_under_way() {
        if !args.finish {
            print_note("finishing the rotation of this key that is in progress");
        }
        unsettled = rotation.settle();
    } else {
        rotation.settle().map_err(failure)?;
        scope_unknown = replace(args, client, &mut rotation, sink)?;
    }
    if args.wait && rotation.is_under_way() {
        let waits = |left: Duration| {
            print_note(&format!(
                "waiting {} s for the end of the grace period",
                left.as_millis().div_ceil(1000)
            ));
        };
        rotation = rotation.wait(now_ms(), waits).map_err(failure)?;
    }
    // The lock file has whole seconds, which would leave a grace period.
    let due_ms = if args.grace == 0 { u64::MAX } else { now_ms() };
    let retired = rotation.retire(due_ms);
    retired.map_err(|error| self::failure(args, client, sink.as_ref().ok(), &error))?;
    unsettled.map_err(failure)?;
    let rotated = rotation.close().map_err(failure)?;
    report(args, client, &rotated, scope_unknown)
}

/// Puts the new key in place; returns whether the old key's scope is unknown.
fn replace(
    args: &Args,
    client: &Client,
    rotation: &mut Rotation<'_>,
    sink: &Result<Sink, Failure>,
) -> Result<bool, Failure> {
    let sink = sink.as_ref().map_err(Failure::clone)?;
    let failure = |error: RotateError| failure(args, client, Some(sink), &error);
    let options = ReplacementOptions {
        expires_ms: args.expires,
        lifetime_ms: args.lifetime,
        unreferenced: args.unreferenced,
    };
    let replacement = rotation.replacement(&options, now_ms()).map_err(failure)?;
    let id = replacement.old.key_id;
    if replacement.scope_unknown {
        let permission = ApiPermission::AccessManagementView;
        print_note(&format!(
            "the scope of key {id} cannot be read, since this key lacks {permission}: the new key \
             gets none"
        ));
    }
    if replacement.is_own {
        print_note("this key signs these calls: put the new key into your settings");
    }
    ask(args, id, &replacement)?;
    let delivery = KeyDelivery { sink, grace_ms: args.grace, now_ms: now_ms() };
    rotation.replace(&replacement.new, &delivery).map_err(failure)?;
    Ok(replacement.scope_unknown)
}

fn failure(args: &Args, client: &Client, sink: Option<&Sink>, error: &RotateError) -> Failure {
    let usage = |help: &str| Failure::from_error(Exit::UsageError, error).help(help);
    match error {
        RotateError::Lock(error) => lock_failure(error),
        RotateError::State(error) => state_failure(error),
        RotateError::Call(error) => call_failure(error),
        RotateError::Renew(error) => {
            let finish = format!("cortexkey keys rotate {} --finish", args.key);
            let failure = renew_failure(error, sink, &finish);
            match (error, sink) {
                (RenewError::Call { stage: Stage::Retire, .. }, Some(sink)) => {
                    failure.after(format!("the new key was written to {sink}"))
                }
                _ => failure,
            }
        }
        RotateError::NotInLockFile { .. } => usage("give a key id, or a name from the lock file"),
        RotateError::NotAnId => usage("give the number in the ID column, or --lock-file FILE"),
        RotateError::NoKeyYet => usage("run `cortexkey apply`"),
        RotateError::NoSuchKey { id, .. } => no_such_key(client, *id),
        RotateError::NoRoles(_) => Failure::from_error(Exit::Findings, error)
            .help("generate a key with roles: `cortexkey keys generate --role ROLE`"),
        RotateError::System(_) => usage("keep this key: its users would not get the new one"),
        RotateError::UnreferencedUnknown => {
            usage("give --unreferenced true or false, as the check box in the console shows")
        }
        RotateError::NeverExpires => {
            usage("give --lifetime, such as 90d, or generate the key in the console")
        }
        RotateError::LifetimeUnknown => usage("give --lifetime, such as 90d"),
        _ => Failure::from_error(Exit::Findings, error)
            .help("`cortexkey keys rotate --finish` with the same key deletes it"),
    }
}

fn ask(args: &Args, id: KeyId, replacement: &Replacement) -> Result<(), Failure> {
    let new = &replacement.new;
    let expires = new.expiration_ms.map(time_text).unwrap_or_default();
    print_note(&format!(
        "key {id}: {}, {}, {}\nthe new key expires {expires}",
        new.level,
        one_line(&new.roles.join(", ")),
        one_line(new.comment.as_deref().unwrap_or("no comment")),
    ));
    let question = if args.grace == 0 {
        format!("Rotate key {id}, and delete it at once?")
    } else {
        format!("Rotate key {id}?")
    };
    args.change.confirm(&question)
}

fn report(
    args: &Args,
    client: &Client,
    rotated: &Rotated,
    scope_unknown: bool,
) -> Result<Exit, Failure> {
    let text = if args.json {
        let retiring = rotated.retiring.iter();
        let retiring: Vec<_> =
            retiring.map(|old| json!({ "id": old.id.get(), "after": after(old) })).collect();
        text::json(&json!({ "version": 1, "id": rotated.id.map(KeyId::get), "retiring": retiring }))
    } else {
        in_words(args, client, rotated, scope_unknown)
    };
    text::print(&text)?;
    let kept = args.grace == 0 && !args.finish && !rotated.retiring.is_empty();
    Ok(if kept || scope_unknown { Exit::Partly } else { Exit::Done })
}

fn in_words(args: &Args, client: &Client, rotated: &Rotated, scope_unknown: bool) -> String {
    let key = &args.key;
    let id = rotated.id.map_or(0, KeyId::get);
    let mut text = if args.finish && rotated.retiring.is_empty() {
        "nothing is left to finish\n".to_owned()
    } else {
        format!("the new key is {id}\n")
    };
    for id in &rotated.doubtful {
        text += &format!(
            "an interrupted run may have delivered key {id}; it keeps working until the next \
             rotation, or until `cortexkey keys delete {id}`\n"
        );
    }
    for old in &rotated.retiring {
        text += &if Some(old.id.get()) == client.own_key() {
            format!(
                "key {} signs these calls, so it is not deleted yet; `cortexkey keys rotate {key} \
                 --finish`, run with the new key, deletes it after {}\n",
                old.id,
                after(old)
            )
        } else {
            format!(
                "key {} keeps working until {}; `cortexkey keys rotate {key} --finish` deletes it after \
                 that\n",
                old.id,
                after(old)
            )
        };
    }
    if scope_unknown {
        text += &format!(
            "not done: the scope of key {id}; `cortexkey keys edit {id} --scope-file FILE`, with \
             {}, sets it\n",
            ApiPermission::AccessManagementEdit
        );
    }
    text
}

/// When a key is deleted, as the lock file stores it: in whole seconds, rounded up.
fn after(old: &Retiring) -> String {
    time_text(old.after_ms.div_ceil(1000).saturating_mul(1000))
}
