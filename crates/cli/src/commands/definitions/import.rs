//! `cortexkey import`: writes definitions from the keys of a tenant. It overwrites no file, and
//! marks what the tenant does not return.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use cortexkey_api::api_keys::ApiKeyRecord;
use cortexkey_client::table::one_line;
use cortexkey_client::time::now_ms;
use cortexkey_client::{
    Desired, Import, Imported, KnownScopes, LockFile, TenantState, is_system, locked_host,
    may_be_pending,
};
use cortexkey_core::auth::KeyId;
use cortexkey_lint::CorpusFile;
use cortexkey_manifest::lock::{LockedKey, LockedTenant};
use cortexkey_manifest::yaml::YamlLimits;
use cortexkey_system::{chain, io_reason, read_within, stays};
use regex::Regex;
use thiserror::Error;

use super::{DefinitionArgs, LoadedDefinitions, inventory, with_progress};
use crate::change::print_note;
use crate::connection::{ConnectionArgs, SETTINGS, call_failure};
use crate::exit::{Exit, Failure};
use crate::output_file;
use crate::renewal::lock_failure;
use crate::text::{self, DIM};

/// Write key definitions from the keys of a tenant, or its inventory for the local emulator
///
/// The product stores neither name nor owner. They come from the comment (--comment-pattern);
/// otherwise a key is named key-ID and owned by `unassigned`. What the tenant does not report is
/// marked, and `cortexkey lint` reports it. Keys in the lock file, expired keys and system keys are
/// skipped, unless `--id` names them.
///
/// With --inventory, write the tenant's asset groups, endpoints, assets, users, user groups and
/// datasets instead of definitions. Sections that the key may not read are skipped and marked in
/// the file.
#[derive(clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{SETTINGS}"))]
pub(crate) struct Args {
    /// The folder for the definitions, one file per key
    #[arg(long, value_name = "FOLDER", default_value = "keys")]
    out: PathBuf,

    /// Regular expression with the groups `name` and `owner` that reads them from comments
    #[arg(long, value_name = "REGEX")]
    comment_pattern: Option<Regex>,

    /// Only the key with this id; repeatable
    #[arg(long, value_name = "N")]
    id: Vec<u64>,

    /// Include expired keys
    #[arg(long)]
    expired: bool,

    /// Write the tenant's inventory to this file, as `cortexkey tenant --inventory` loads it
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["out", "comment_pattern", "id", "expired", "policy", "tenant", "lock_file"]
    )]
    inventory: Option<PathBuf>,

    /// Replace the file of --inventory if it exists
    #[arg(long, requires = "inventory")]
    overwrite: bool,

    #[command(flatten)]
    definitions: DefinitionArgs,

    #[command(flatten)]
    connection: ConnectionArgs,
}

const EXAMPLES: &str = "\
Examples:
  cortexkey import --profile prod --out keys/prod
  cortexkey import --comment-pattern '^(?<name>[a-z0-9-]+) \\((?<owner>[a-z-]+)\\)'
  cortexkey import --profile prod --inventory inventory.json

Exit codes: 0 success; 1 some keys were not written, or a call failed; 2 usage error; 4 done in
part: some scopes or sections of the inventory could not be read, and the files mark them.";

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let connection = args.connection.resolve()?;
    if let Some(path) = &args.inventory {
        return inventory::write(&connection.client(), path, args.overwrite);
    }
    let tenant = connection.tenant.clone();
    let client = connection.client();
    let loaded = args.definitions.load_for_import(tenant.as_deref())?;
    let place = loaded.corpus.place(&client);
    let mut lock = LockFile::hold(&loaded.lock_file).map_err(|error| lock_failure(&error))?;
    loaded.check_host(lock.lock(), &client)?;
    let keys = client.all_keys(&[]).map_err(|error| call_failure(&error))?;
    let missing = args.id.iter().filter(|id| keys.iter().all(|record| record.id != **id));
    let missing = missing.inspect(|id| print_note(&format!("the tenant has no key {id}"))).count();
    let wanted = wanted(args, keys, lock.lock().tenants.get(&place));
    let state = with_progress(wanted.len(), |on_scope| {
        let ids = wanted.iter().map(|record| record.id).inspect(|_| on_scope());
        TenantState::with_keys(&client, wanted.clone(), ids, &KnownScopes::new(), false)
    });
    let state = state.map_err(|error| call_failure(&error))?;
    let names_tenant = loaded.policy.tenants().count() > 1;
    let mut import = Import {
        pattern: args.comment_pattern.as_ref(),
        tenant: names_tenant.then_some(loaded.corpus.tenant.as_str()),
        taken: taken(&loaded, &lock, &place),
    };
    create_folder(&args.out)?;
    let host = locked_host(client.address());
    let mut written = 0;
    let mut refused = missing;
    for record in &wanted {
        let scope = match state.unread_scopes.get(&record.id) {
            Some(why) => Err(why.as_str()),
            None => Ok(state.scopes.get(&record.id).and_then(Option::as_ref)),
        };
        let imported = import.key(record, scope);
        match write(&args.out, &imported) {
            Ok(path) => {
                let applied = digest(&loaded, &imported);
                let entry =
                    LockedKey { id: KeyId::new(record.id), applied, ..LockedKey::default() };
                lock.set(&place, &host, &imported.name, Some(entry))
                    .map_err(|error| lock_failure(&error))?;
                written += 1;
                print_note(&summary(&path, &imported));
            }
            Err(error) => {
                refused += 1;
                print_note(&chain(&error));
            }
        }
    }
    text::print(&format!("{written} written, {refused} refused\n"))?;
    if written > 0 {
        print_note("next: run `cortexkey lint`");
    }
    Ok(match (refused, state.unread_scopes.is_empty()) {
        (0, true) => Exit::Done,
        (0, false) => Exit::Partly,
        _ => Exit::Findings,
    })
}

fn create_folder(folder: &Path) -> Result<(), Failure> {
    // Checked first, because creating folders follows links.
    let made = stays(folder).map_err(io::Error::from).and_then(|()| fs::create_dir_all(folder));
    made.map_err(|error| {
        let why = io_reason(&error);
        Failure::usage_error(format!("cannot create the folder {}: {why}", folder.display()))
    })
}

/// The keys to import. Skipped keys are reported unless the user selected ids.
fn wanted(
    args: &Args,
    mut keys: Vec<ApiKeyRecord>,
    locked: Option<&LockedTenant>,
) -> Vec<ApiKeyRecord> {
    let entries = locked.iter().flat_map(|tenant| tenant.keys.values());
    let managed: BTreeSet<u64> = entries.flat_map(LockedKey::ids).map(KeyId::get).collect();
    let now_ms = now_ms();
    let count = keys.len();
    keys.retain(|record| {
        !managed.contains(&record.id)
            && (args.id.is_empty() || args.id.contains(&record.id))
            && (args.expired || record.expiration.is_none_or(|ms| ms > now_ms))
            && (!is_system(record) || args.id.contains(&record.id))
            // An interrupted run created it; the next run deletes it.
            && !locked.is_some_and(|locked| may_be_pending(&locked.keys, record))
    });
    if args.id.is_empty() && keys.len() < count {
        let left = count - keys.len();
        print_note(&format!(
            "{left} skipped: in the lock file, expired, managed by the product, or generated by \
             an interrupted run"
        ));
    }
    keys
}

/// The names that existing definitions have, in lower case.
fn taken(loaded: &LoadedDefinitions, lock: &LockFile, place: &str) -> BTreeSet<String> {
    let locked = lock.lock().tenants.get(place);
    let locked = locked.iter().flat_map(|tenant| tenant.keys.keys().cloned());
    let defined = loaded.corpus.desired.iter().map(|key| key.name.clone());
    locked.chain(defined).map(|name| name.to_lowercase()).collect()
}

fn summary(path: &Path, imported: &Imported) -> String {
    let mut text = format!("{}: key {}", path.display(), imported.id);
    for unknown in &imported.unknown {
        text += &format!("\n  {DIM}unknown: {}{DIM:#}", one_line(unknown));
    }
    text
}

/// Why a definition is not written.
#[derive(Debug, Error)]
enum ImportError {
    #[error("{} already exists with other contents, so key {id} is not imported", .path.display())]
    Exists { path: PathBuf, id: u64 },
    #[error("cannot write {}", .path.display())]
    Write { path: PathBuf, source: io::Error },
}

/// Writes a definition. An identical file comes from an interrupted run.
fn write(folder: &Path, imported: &Imported) -> Result<PathBuf, ImportError> {
    let path = folder.join(format!("{}.yaml", imported.name));
    let failed = |source| ImportError::Write { path: path.clone(), source };
    match output_file::create(&path, imported.yaml.as_bytes()) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            // A file of another length, or a pipe or folder of this name, is not what was written.
            let there = read_within(&path, imported.yaml.len() as u64);
            if !there.is_ok_and(|there| there == imported.yaml.as_bytes()) {
                return Err(ImportError::Exists { path, id: imported.id });
            }
        }
        Err(error) => return Err(failed(error)),
    }
    Ok(path)
}

/// The digest of the definition that was written.
fn digest(loaded: &LoadedDefinitions, imported: &Imported) -> Option<String> {
    let bytes = imported.yaml.clone().into_bytes();
    let file = CorpusFile::new(imported.name.as_str(), bytes, &YamlLimits::default());
    let definition = file.documents.first()?.definition.as_ref()?;
    let catalog: Vec<_> = loaded.policy.roles().collect();
    let facts = Some((loaded.corpus.tenant.as_str(), loaded.policy.tenant(&loaded.corpus.tenant)));
    let desired = Desired::from_definition(definition, &catalog, facts, &file.path, 1).ok()?;
    Some(desired.digest().to_owned())
}
