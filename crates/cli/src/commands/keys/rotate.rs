//! `cortexkey keys rotate`: a new key in the place of an old one, and the old one's end.
//!
//! No second rotation of a key begins while the first is under way, and what the tenant does not tell
//! of the old key's scope is not guessed.

use std::path::PathBuf;
use std::time::Duration;

use cortexkey_api::api_keys::ApiKeyRecord;
use cortexkey_api::scope::{Mode, ScopeRead, ScopeWrite};
use cortexkey_client::{
    ChildTenant, Client, Journal, LockFile, LockFileError, NewKey, Permission, RenewError, Renewal,
    Seen, Sink, Stage, is_system, level_of, write_of,
};
use cortexkey_core::auth::KeyId;
use cortexkey_manifest::lock::{FILE_NAME, LockedKey, Retiring};
use serde_json::json;

use super::change::{find, lock_failure, renew_failure, state_file, tell};
use super::filter::{duration_ms, grace_ms, now_ms, time_ms};
use super::output::{one_line, time};
use crate::change::{ChangeArgs, announce, say};
use crate::commands::call::failed;
use crate::connection::{ConnectionArgs, SETTINGS};
use crate::exit::{Exit, Failure};
use crate::many::{ChildrenArgs, each};
use crate::needs::CheckArgs;
use crate::sink_args::SinkArgs;
use crate::text;

/// Replace a key by a new one
///
/// The new key gets the roles, level, comment and scope of the old one. It is read back, called
/// with and handed over; the old key is deleted when a grace is over (`--grace 0` for a key that
/// became known: at once). A rotation that is stopped anywhere is finished by `--finish`, or by the
/// same command: nothing is lost, no key is left behind, and the old key is not deleted before a new
/// one was handed over.
///
/// Between making and scoping, for the time of one call, the new key has no scope.
#[derive(clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{SETTINGS}"))]
pub(super) struct Args {
    /// The key's id, or the name of its definition
    #[arg(value_name = "ID|NAME")]
    key: String,

    /// How long the old key lives on; `--finish` deletes it afterwards
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = grace_ms)]
    grace: u64,

    /// Wait for the end of the grace and delete the old key then
    #[arg(long)]
    wait: bool,

    /// Finish a rotation that was begun, and begin none
    #[arg(long)]
    finish: bool,

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
  cortexkey keys rotate 7 --grace 10m --wait
  cortexkey keys rotate 7 --finish                deletes the old key, its grace being over

Exit codes: 0 done, or done but for the end of the grace; 1 it failed, and says what is left;
2 usage error; 4 done, but the scope was not copied for want of a permission, or with --grace 0 the old
key could not be deleted yet.";

/// How long another run's hold of the lock file is waited for after a grace: ten minutes.
const HOLD_TRIES: u32 = 600;
const HOLD_AGAIN: Duration = Duration::from_secs(1);

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
    announce(&connection);
    let children = connection.children.clone();
    let clients = args.children.clients(connection.client(), children)?;
    if clients.len() > 1 && args.sink.is_one_file() {
        return Err(Failure::wrong_use("the keys of several children do not go into one file")
            .help("set sink_command or sink_folder in a profile"));
    }
    let mut no_sink = no_sink;
    each(&clients, |client| {
        let needs = [
            (Permission::PublicApiEdit, "to list, generate and delete keys"),
            (Permission::AccessManagementEdit, "to copy the scope"),
        ];
        if let Some(exit) = args.check.run(client, &needs)? {
            return Ok(exit);
        }
        let (place, id) = place(args, client)?;
        Rotation { args, client, sink: &sink, place, scope_unknown: false }.run(id, &mut no_sink)
    })
}

/// One rotation.
struct Rotation<'a> {
    args: &'a Args,
    client: &'a Client,
    sink: &'a Sink,
    place: Place,
    /// Whether the old key's scope could not be read.
    scope_unknown: bool,
}

impl Rotation<'_> {
    fn run(mut self, id: Option<KeyId>, no_sink: &mut Option<Failure>) -> Result<Exit, Failure> {
        let args = self.args;
        let mut entry = self.place.file.entry(&self.place.tenant, &self.place.name);
        if !self.place.is_defined && entry == LockedKey::default() {
            entry.id = id.map(KeyId::get);
        }
        // What cannot be settled is in the way of a new key, not of deleting the old one.
        let mut unsettled = None;
        if args.finish || !entry.retiring.is_empty() {
            if !args.finish {
                say("a rotation of this key is under way; finishing it");
            }
            unsettled = self.settle(&mut entry).err();
        } else {
            self.renew(&mut entry, no_sink)?;
        }
        if args.wait && !entry.retiring.is_empty() {
            self.place = self.place.wait(&entry)?;
            let id = entry.id;
            entry = self.place.file.entry(&self.place.tenant, &self.place.name);
            // Where another run finished it meanwhile, nothing is remembered any more.
            entry.id = entry.id.or(id);
        }
        // The lock file has whole seconds, which would be a grace after all.
        let due_ms = if args.grace == 0 { u64::MAX } else { now_ms() };
        let retired = self.in_journal(&mut entry, |renewal, entry, journal| {
            renewal.retire(entry, due_ms, journal)
        });
        self.failed(retired)?;
        unsettled.map_or(Ok(()), Err)?;
        self.forget(&entry)?;
        self.report(&entry)
    }

    fn renew(
        &mut self,
        entry: &mut LockedKey,
        no_sink: &mut Option<Failure>,
    ) -> Result<(), Failure> {
        self.settle(entry)?;
        no_sink.take().map_or(Ok(()), Err)?;
        let new = self.wanted(entry)?;
        if entry.id.is_some() && entry.id == self.client.own_key() {
            say("this is the key that signs these calls: your settings need the new one");
        }
        ask(self.args, entry, &new)?;
        let grace = self.args.grace;
        let made = self.in_journal(entry, |renewal, entry, journal| {
            renewal.run(entry, &new, grace, now_ms(), journal)
        });
        if made.is_err() && entry.pending.is_none() {
            // Nothing of a try that was taken back is remembered.
            let was_kept = entry.retiring.is_empty() && entry.doubtful.is_empty();
            if was_kept && !matches!(made, Err(RenewError::Delivered { .. })) {
                self.forget(entry)?;
            }
        }
        self.failed(made)
    }

    fn settle(&mut self, entry: &mut LockedKey) -> Result<(), Failure> {
        let settled =
            self.in_journal(entry, |renewal, entry, journal| renewal.settle(entry, journal));
        self.failed(settled)
    }

    fn in_journal<T>(
        &mut self,
        entry: &mut LockedKey,
        step: impl FnOnce(&Renewal<'_>, &mut LockedKey, &mut dyn Journal) -> T,
    ) -> T {
        let renewal = Renewal { client: self.client, sink: self.sink, told: &tell };
        let host = self.client.address().host();
        let mut journal = self.place.file.journal(&self.place.tenant, host, &self.place.name);
        step(&renewal, entry, &mut journal)
    }

    fn failed<T>(&self, result: Result<T, RenewError>) -> Result<T, Failure> {
        let finish = format!("cortexkey keys rotate {} --finish", self.args.key);
        result.map_err(|error| {
            let failure = renew_failure(&error, self.sink, &finish);
            match &error {
                RenewError::Call { stage: Stage::Retire, .. } => {
                    failure.after(format!("the new key went to {}", self.sink))
                }
                _ => failure,
            }
        })
    }

    /// A key without a definition is remembered only while something is under way.
    fn forget(&mut self, entry: &LockedKey) -> Result<(), Failure> {
        let is_done =
            entry.retiring.is_empty() && entry.pending.is_none() && entry.doubtful.is_empty();
        if self.place.is_defined || !is_done {
            return Ok(());
        }
        let host = self.client.address().host();
        let gone = self.place.file.set(&self.place.tenant, host, &self.place.name, None);
        gone.map_err(|error| lock_failure(&error))
    }
}

/// Where the rotation is remembered, and the id where one was given.
fn place(args: &Args, client: &Client) -> Result<(Place, Option<KeyId>), Failure> {
    let id: Option<KeyId> = args.key.parse().ok();
    let host = client.address().host();
    let child = client.child().map(ChildTenant::as_str);
    let path = args.lock_file.clone().or_else(nearest_lock_file);
    if let Some(path) = path {
        let file = LockFile::hold(&path).map_err(|error| lock_failure(&error))?;
        let found = file.lock().keys().find(|(tenant, name, key)| {
            let is_here =
                file.lock().tenants[*tenant].host == host && LockFile::child_of(tenant) == child;
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
    let name = format!("key-{id}");
    let file = state_file(client, &name)?;
    let tenant = LockFile::tenant(host, child);
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

impl Rotation<'_> {
    /// What the new key is to be: what the old one is.
    fn wanted(&mut self, entry: &LockedKey) -> Result<NewKey, Failure> {
        let id = entry.id.and_then(KeyId::new).ok_or_else(|| {
            Failure::wrong_use("the lock file has no key id for it yet")
                .help("run `cortexkey apply`")
        })?;
        let (key, record) = find(self.client, id)?;
        if is_system(&key) {
            return Err(Failure::wrong_use(format!("the product keeps key {id} for itself"))
                .help("leave it: what uses it would not get the new key"));
        }
        let scope = match self.client.scope(id) {
            Err(error) if error.status() == Some(403) => {
                self.scope_unknown = true;
                let permission = Permission::AccessManagementView;
                say(&format!(
                    "the scope of key {id} cannot be read, since this key lacks {permission}: the \
                     new key gets none"
                ));
                None
            }
            scope => self.scope_of(entry, scope.map_err(|error| failed(&error))?)?,
        };
        Ok(NewKey {
            name: Some(self.place.name.clone()),
            roles: record.roles,
            level: level_of(key.security_level),
            expiration_ms: Some(expiration_ms(self.args, &key)?),
            comment: key.comment,
            scope,
        })
    }

    /// The scope of the old key in the form that is written; none where it has none.
    fn scope_of(
        &self,
        entry: &LockedKey,
        read: Option<ScopeRead>,
    ) -> Result<Option<ScopeWrite>, Failure> {
        let Some(scope) = read.filter(|scope| !Seen::from(scope).is_nothing()) else {
            return Ok(None);
        };
        if scope.cases_issues.mode == Mode::NoScope {
            return Ok(Some(write_of(&scope, false)));
        }
        let known = self.args.unreferenced.or(entry.unreferenced);
        let unreferenced = known.ok_or_else(|| {
            Failure::wrong_use(
                "the tenant does not tell whether the old key sees cases and issues that reference \
                 nothing known",
            )
            .help("give --unreferenced true or false, as the check box in the console shows")
        })?;
        Ok(Some(write_of(&scope, unreferenced)))
    }

    fn report(&self, entry: &LockedKey) -> Result<Exit, Failure> {
        let args = self.args;
        let own = self.client.own_key();
        let text = if args.json {
            let retiring: Vec<_> = entry
                .retiring
                .iter()
                .map(|old| json!({ "id": old.id, "after": after(old) }))
                .collect();
            text::json(&json!({ "version": 1, "id": entry.id, "retiring": retiring }))
        } else {
            self.in_words(entry, own)
        };
        text::print(&text)?;
        let kept = args.grace == 0 && !args.finish && !entry.retiring.is_empty();
        Ok(if kept || self.scope_unknown { Exit::Partly } else { Exit::Done })
    }

    fn in_words(&self, entry: &LockedKey, own: Option<u64>) -> String {
        let key = &self.args.key;
        let id = entry.id.unwrap_or(0);
        let mut text = if self.args.finish && entry.retiring.is_empty() {
            "nothing is left to finish\n".to_owned()
        } else {
            format!("the new key is {id}\n")
        };
        for id in &entry.doubtful {
            text += &format!(
                "key {id} may have been handed over by an interrupted run; it lives until the next \
                 rotation, or until `cortexkey keys delete {id}`\n"
            );
        }
        for old in &entry.retiring {
            text += &if Some(old.id) == own {
                format!(
                    "key {} signs these calls, so it is not deleted yet; `cortexkey keys rotate {key} \
                     --finish`, run with the new key, deletes it after {}\n",
                    old.id,
                    after(old)
                )
            } else {
                format!(
                    "key {} lives until {}; `cortexkey keys rotate {key} --finish` deletes it after \
                     that\n",
                    old.id,
                    after(old)
                )
            };
        }
        if self.scope_unknown {
            text += &format!(
                "not done: the scope of key {id}; `cortexkey keys edit {id} --scope-file FILE`, with \
                 {}, sets it\n",
                Permission::AccessManagementEdit
            );
        }
        text
    }
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

impl Place {
    /// Waits for the end of the grace, and lets others have the file meanwhile.
    fn wait(self, entry: &LockedKey) -> Result<Self, Failure> {
        let Self { file, tenant, name, is_defined } = self;
        let path = file.path().to_owned();
        drop(file);
        wait(entry);
        for _ in 0..HOLD_TRIES {
            match LockFile::hold(&path) {
                Err(LockFileError::Held { .. }) => std::thread::sleep(HOLD_AGAIN),
                Err(error) => return Err(lock_failure(&error)),
                Ok(file) => return Ok(Self { file, tenant, name, is_defined }),
            }
        }
        Err(Failure::new(
            Exit::Findings,
            format!("another run still holds {}; the old key is not deleted yet", path.display()),
        )
        .help("`cortexkey keys rotate --finish` with the same key deletes it"))
    }
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
