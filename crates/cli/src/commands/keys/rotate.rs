//! `cortexkey keys rotate`: a new key in the place of an old one, and the old one's end.
//!
//! It refuses to begin a second rotation of a key while the first is under way, and to guess what
//! the tenant does not tell of the old key's scope.

use std::path::PathBuf;
use std::time::Duration;

use cortexkey_api::api_keys::ApiKeyRecord;
use cortexkey_api::scope::Mode;
use cortexkey_client::{Client, LockFile, NewKey, Renewal, Seen, Sink, level_of, write_of};
use cortexkey_core::auth::KeyId;
use cortexkey_manifest::lock::{FILE_NAME, LockedKey, Retiring};
use serde_json::json;

use super::change::{find, lock_failure, renew_failure, state_file, tell};
use super::filter::{duration_ms, now_ms, time_ms};
use super::output::{one_line, time};
use crate::change::{ChangeArgs, announce, say};
use crate::commands::call::failed;
use crate::connection::{ConnectionArgs, SETTINGS};
use crate::exit::{Exit, Failure};
use crate::sink_args::SinkArgs;
use crate::text;

/// Put a new key in the place of an old one
///
/// The new key gets the roles, level, comment and scope of the old one. It is read back, called
/// with and handed over; the old key is deleted when a grace is over. A rotation that is stopped
/// anywhere is finished by the same command: nothing is lost, no key is left behind, and the old key
/// is not deleted before a new one was handed over.
///
/// Between making and scoping, for the time of one call, the new key has no scope.
#[derive(clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{SETTINGS}"))]
pub(super) struct Args {
    /// The key's id, or the name of its definition
    #[arg(value_name = "ID|NAME")]
    key: String,

    /// How long the old key lives on; the same command deletes it afterwards
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = duration_ms)]
    grace: u64,

    /// Wait for the end of the grace and delete the old key then
    #[arg(long)]
    wait: bool,

    /// How long the new key lives; as long as the old one was made for, unless said
    #[arg(long, value_name = "DURATION", value_parser = duration_ms, conflicts_with = "expires")]
    lifetime: Option<u64>,

    /// When the new key expires
    #[arg(long, value_name = "TIME", value_parser = time_ms)]
    expires: Option<u64>,

    /// Whether the old key sees cases and issues that reference nothing known, which the tenant
    /// does not tell
    #[arg(long, value_name = "true|false")]
    unreferenced: Option<bool>,

    /// The lock file; the nearest cortexkey.lock upwards unless said
    #[arg(long, value_name = "FILE")]
    lock_file: Option<PathBuf>,

    #[command(flatten)]
    sink: SinkArgs,

    /// Write the ids as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    change: ChangeArgs,

    #[command(flatten)]
    connection: ConnectionArgs,
}

const EXAMPLES: &str = "\
Examples:
  cortexkey keys rotate 7 --sink-file siem.key --grace 0
  cortexkey keys rotate svc-siem-export-prod --profile prod --yes
  cortexkey keys rotate 7 --grace 10m --wait

Exit codes: 0 done, or done but for the end of the grace; 1 it failed, and says what is left;
2 wrong use.";

/// Where the rotation is remembered.
struct Place {
    file: LockFile,
    tenant: String,
    name: String,
    /// Whether it has a definition; else it is forgotten when it is done.
    is_defined: bool,
}

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    let connection = args.connection.resolve()?;
    // Only where a key is made is a missing sink told: ending an old one hands nothing over.
    let (sink, no_sink) = match args.sink.sink(&connection.new_keys, true) {
        Ok(sink) => (sink, None),
        Err(failure) => (Sink::Folder(PathBuf::new()), Some(failure)),
    };
    let own = connection.credentials.key_id.value;
    announce(&connection);
    let client = connection.client();
    let host = client.address().host().to_owned();
    let (mut place, id) = place(args, &host)?;
    let mut entry = place.file.entry(&place.tenant, &place.name);
    if !place.is_defined && entry == LockedKey::default() {
        entry.id = id.map(KeyId::get);
    }
    let renewal = Renewal { client: &client, sink: &sink, told: &tell };
    if entry.retiring.is_empty() {
        let mut journal = place.file.journal(&place.tenant, &host, &place.name);
        let in_place = entry.pending.is_some()
            && renewal.settle(&mut entry, &mut journal).map_err(|error| renew_failure(&error))?;
        if !in_place {
            no_sink.map_or(Ok(()), Err)?;
            let new = wanted(args, &client, &entry, &place)?;
            if entry.id == Some(own.get()) {
                say("this is the key that signs these calls: your settings need the new one");
            }
            ask(args, &entry, &new)?;
            let mut journal = place.file.journal(&place.tenant, &host, &place.name);
            renewal
                .run(&mut entry, &new, args.grace, now_ms(), &mut journal)
                .map_err(|error| renew_failure(&error))?;
        }
    } else {
        say("a rotation of this key is under way; finishing it");
        let mut journal = place.file.journal(&place.tenant, &host, &place.name);
        renewal.settle(&mut entry, &mut journal).map_err(|error| renew_failure(&error))?;
    }
    if args.wait {
        wait(&entry);
    }
    let mut journal = place.file.journal(&place.tenant, &host, &place.name);
    // The lock file has whole seconds, which would be a grace after all.
    let due_ms = if args.grace == 0 { u64::MAX } else { now_ms() };
    renewal.retire(&mut entry, due_ms, &mut journal).map_err(|error| renew_failure(&error))?;
    if !place.is_defined && entry.retiring.is_empty() && entry.pending.is_none() {
        let gone = place.file.set(&place.tenant, &host, &place.name, None);
        gone.map_err(|error| lock_failure(&error))?;
    }
    report(args, own, &entry)
}

/// Where the rotation is remembered, and the id where one was given.
fn place(args: &Args, host: &str) -> Result<(Place, Option<KeyId>), Failure> {
    let id: Option<KeyId> = args.key.parse().ok();
    let path = args.lock_file.clone().or_else(nearest_lock_file);
    if let Some(path) = path {
        let file = LockFile::hold(&path).map_err(|error| lock_failure(&error))?;
        let found = file.lock().keys().find(|(tenant, name, key)| {
            let is_here = file.lock().tenants[*tenant].host == host;
            let was = |id: KeyId| key.retiring.iter().any(|old| old.id == id.get());
            is_here
                && (*name == args.key || id.is_some_and(|id| key.id == Some(id.get()) || was(id)))
        });
        if let Some((tenant, name, _)) = found {
            let (tenant, name) = (tenant.to_owned(), name.to_owned());
            return Ok((Place { file, tenant, name, is_defined: true }, id));
        }
        if id.is_none() {
            return Err(Failure::wrong_use(format!(
                "{} has no key of this name at {host}",
                path.display()
            ))
            .help("give a key's id, or a name of the lock file"));
        }
    }
    let Some(id) = id else {
        return Err(Failure::wrong_use("that is no key id, and there is no lock file here")
            .help("give the number in the column ID, or --lock-file FILE"));
    };
    let (file, tenant, name) = (state_file()?, host.to_owned(), format!("key-{id}"));
    Ok((Place { file, tenant, name, is_defined: false }, Some(id)))
}

/// The nearest lock file upwards, within the repository.
pub(crate) fn nearest_lock_file() -> Option<PathBuf> {
    let folder = std::env::current_dir().ok()?;
    for folder in folder.ancestors() {
        let path = folder.join(FILE_NAME);
        if path.is_file() {
            return Some(path);
        }
        if folder.join(".git").exists() {
            return None;
        }
    }
    None
}

/// What the new key is to be: what the old one is.
fn wanted(
    args: &Args,
    client: &Client,
    entry: &LockedKey,
    place: &Place,
) -> Result<NewKey, Failure> {
    let id = entry.id.and_then(KeyId::new).ok_or_else(|| {
        Failure::wrong_use("the lock file has no key id for it yet").help("run `cortexkey apply`")
    })?;
    let (key, record) = find(client, id)?;
    let scope = client.scope(id).map_err(|error| failed(&error))?;
    let scope = match scope.filter(|scope| !Seen::from(scope).is_nothing()) {
        None => None,
        Some(scope) if scope.cases_issues.mode == Mode::NoScope => Some(write_of(&scope, false)),
        Some(scope) => {
            let known = args.unreferenced.or(entry.unreferenced);
            let unreferenced = known.ok_or_else(|| {
                Failure::wrong_use(
                    "the tenant does not tell whether the old key sees cases and issues that \
                     reference nothing known",
                )
                .help("give --unreferenced true or false, as the check box in the console shows")
            })?;
            Some(write_of(&scope, unreferenced))
        }
    };
    Ok(NewKey {
        name: Some(place.name.clone()),
        roles: record.roles,
        level: level_of(key.security_level),
        expiration_ms: Some(expiration_ms(args, &key)?),
        comment: key.comment,
        scope,
    })
}

fn expiration_ms(args: &Args, old: &ApiKeyRecord) -> Result<u64, Failure> {
    if let Some(ms) = args.expires {
        return Ok(ms);
    }
    let of_old = || Some(old.expiration?.saturating_sub(old.creation_time?));
    let lifetime = args.lifetime.or_else(of_old).ok_or_else(|| {
        Failure::wrong_use("the old key never expires, and the product's API makes no such keys")
            .help("give --lifetime, such as 90d, or make the key in the console")
    })?;
    Ok(now_ms().saturating_add(lifetime))
}

fn ask(args: &Args, entry: &LockedKey, new: &NewKey) -> Result<(), Failure> {
    let id = entry.id.unwrap_or(0);
    let expires = new.expiration_ms.map(time).unwrap_or_default();
    say(&format!(
        "key {id}: {}, {}, {}; the new one expires {expires}",
        new.level,
        one_line(&new.roles.join(", ")),
        one_line(new.comment.as_deref().unwrap_or("no comment")),
    ));
    let question = if args.grace == 0 {
        format!("Rotate key {id}, and delete it at once?")
    } else {
        format!("Rotate key {id}?")
    };
    args.change.ask(&question)
}

fn wait(entry: &LockedKey) {
    let due = entry.retiring.iter().map(|old| old.after_ms).max().unwrap_or(0);
    // The lock file has whole seconds.
    let left_ms = due.div_ceil(1000).saturating_mul(1000).saturating_sub(now_ms());
    if left_ms > 0 {
        say(&format!("waiting {} s for the end of the grace", left_ms.div_ceil(1000)));
        std::thread::sleep(Duration::from_millis(left_ms));
    }
}

/// When a key is deleted, as the lock file says it: in whole seconds, rather later than earlier.
fn after(old: &Retiring) -> String {
    time(old.after_ms.div_ceil(1000).saturating_mul(1000))
}

fn report(args: &Args, own: KeyId, entry: &LockedKey) -> Result<Exit, Failure> {
    let id = entry.id.unwrap_or(0);
    let text = if args.json {
        let retiring: Vec<_> =
            entry.retiring.iter().map(|old| json!({ "id": old.id, "after": after(old) })).collect();
        text::json(&json!({ "version": 1, "id": id, "retiring": retiring }))
    } else {
        let mut text = format!("the new key is {id}\n");
        for old in &entry.retiring {
            let with = if old.id == own.get() { ", run with the new key," } else { "" };
            text += &format!(
                "key {} lives until {}; the same command{with} deletes it after that\n",
                old.id,
                after(old)
            );
        }
        text
    };
    text::print(&text)?;
    Ok(Exit::Done)
}
