//! Definitions and a tenant: `import`, `plan`, `apply`.
//!
//! They refuse definitions that the linter has errors for, and a lock file of another tenant.

pub(crate) mod apply;
pub(crate) mod import;
mod inventory;
pub(crate) mod plan;
mod show;
mod targets;

use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use cortexkey_client::{
    ChildTenant, Client, Desired, Kind, LockFile, NewKeys, Plan, PlanOptions, TenantState,
};
use cortexkey_lint::files::{DEFAULT_POLICY, Definitions, Options, Outcome, now, run as run_files};
use cortexkey_lint::report::Format;
use cortexkey_lint::{MAIN_TENANT, Policy, Severity, Timestamp};
use cortexkey_manifest::lock::{FILE_NAME, Lock, LockedKey, LockedTenant};
use cortexkey_manifest::quote;

use crate::change::say;
use crate::commands::call::failed;
use crate::commands::keys::{duration_ms, now_ms};
use crate::exit::{Exit, Failure};
use crate::progress;

/// Thirty days, as the linter's first window of expiries.
const ROTATE_BEFORE_MS: u64 = 30 * 24 * 60 * 60 * 1000;

/// Which definitions, and which lock file.
#[derive(clap::Args)]
pub(crate) struct DefinitionArgs {
    /// The policy's file; the nearest cortexkey.yaml upwards unless said
    #[arg(long, value_name = "FILE", help_heading = "Definitions")]
    policy: Option<PathBuf>,

    /// The policy's name of the tenant; the profile's, or the only one, unless said
    #[arg(long, value_name = "NAME", help_heading = "Definitions")]
    tenant: Option<String>,

    /// The lock file; cortexkey.lock beside the policy unless said
    #[arg(long, value_name = "FILE", help_heading = "Definitions")]
    lock_file: Option<PathBuf>,
}

/// How a plan is made.
#[derive(clap::Args)]
pub(crate) struct PlanArgs {
    /// How long before its end a key with a lifetime is rotated, at most a third of the lifetime;
    /// the policy's rotateBefore, or 30d, unless said
    #[arg(long, value_name = "DURATION", value_parser = duration_ms, help_heading = "Definitions")]
    rotate_before: Option<u64>,

    /// Findings of the linter that are known, as `lint --baseline` takes them
    #[arg(long, value_name = "FILE", help_heading = "Definitions")]
    baseline: Option<PathBuf>,

    /// Delete keys that no definition names
    #[arg(long, help_heading = "Definitions")]
    prune: bool,
}

/// The policy, and the definitions for one tenant.
pub(crate) struct Loaded {
    policy: Policy,
    desired: Vec<Desired>,
    tenant: String,
    lock_file: PathBuf,
}

/// What calls which tenant.
pub(crate) struct Target {
    pub(crate) client: Client,
    /// The policy's name of the tenant, where the profile says it.
    pub(crate) tenant: Option<String>,
    pub(crate) new_keys: NewKeys,
}

impl Target {
    /// The lock file's name of a tenant.
    fn place(&self, tenant: &str) -> String {
        LockFile::tenant(tenant, self.client.child().map(ChildTenant::as_str))
    }
}

impl DefinitionArgs {
    /// Reads and checks the definitions of the tenant that a profile or the policy names.
    fn load(&self, plan: &PlanArgs, of_profile: Option<&str>) -> Result<Loaded, Failure> {
        let outcome = self.lint(Some(plan))?;
        self.of_tenant(outcome, of_profile)
    }

    /// The same where there need be no definitions yet, and those that there are may have mistakes.
    fn load_for_import(&self, of_profile: Option<&str>) -> Result<Loaded, Failure> {
        let outcome = self.lint(None)?;
        self.of_tenant(outcome, of_profile)
    }

    fn of_tenant(&self, outcome: Outcome, of_profile: Option<&str>) -> Result<Loaded, Failure> {
        let Some(policy) = &outcome.policy else {
            return Err(Failure::of_linter(&outcome));
        };
        let tenant = self.tenant(policy, of_profile)?;
        let lock_file = self.lock_file(policy);
        let mut desired: Vec<Desired> = Vec::new();
        for file in &outcome.corpus.files {
            // A child's catalogue counts for what it governs.
            let policy = outcome.policy_of(file).unwrap_or(policy);
            let names_one = policy.tenants().count() <= 1;
            let catalogue: Vec<_> = policy.roles().collect();
            for document in &file.documents {
                let Some(definition) = &document.definition else { continue };
                let of = definition.tenant();
                if of.is_some_and(|of| of != tenant) || (of.is_none() && !names_one) {
                    continue;
                }
                let line = file.tree.position(definition.place.start).line;
                let facts = Some((tenant.as_str(), policy.tenant(&tenant)));
                let key = Desired::of(definition, &catalogue, facts, &file.path, line);
                desired.push(key.map_err(|gap| {
                    let at = file.tree.position(gap.span.start);
                    let place = format!("{}:{}:{}", file.path, at.line, at.column);
                    Failure::wrong_use(format!("{place}: {}", gap.message))
                        .help("fix the definition")
                })?);
            }
        }
        check_names(&desired)?;
        let Some(policy) = outcome.policy else { return Err(Failure::of_linter(&outcome)) };
        Ok(Loaded { policy, desired, tenant, lock_file })
    }

    /// The linter first. Its errors end what makes a plan.
    fn lint(&self, plan: Option<&PlanArgs>) -> Result<Outcome, Failure> {
        let folder = std::env::current_dir().map_err(|error| {
            Failure::wrong_use(format!("the folder that this runs in cannot be found: {error}"))
        })?;
        let epoch = std::env::var("SOURCE_DATE_EPOCH").ok();
        let mut options =
            Options::new(folder, now(None, epoch.as_deref()).map_err(Failure::wrong_use)?);
        options.policy.clone_from(&self.policy);
        options.baseline = plan.and_then(|plan| plan.baseline.clone());
        let outcome = run_files(&options, &mut io::empty());
        if plan.is_none() && !outcome.wrong {
            return Ok(outcome);
        }
        // Where there is no policy at all, whoever asked says why.
        let is_read = outcome.policy.is_some() || outcome.report.is_some();
        for message in outcome.messages.iter().filter(|_| is_read) {
            say(&format!("cortexkey lint: {message}"));
        }
        let fails = outcome.report.as_ref().is_some_and(|report| report.fails(Severity::Error));
        if let Some(report) = outcome.report.as_ref().filter(|_| fails || outcome.wrong) {
            say(&report.render(Format::Human, io::stderr().is_terminal()));
            let exit = if outcome.wrong { Exit::WrongUse } else { Exit::Findings };
            return Err(Failure::new(exit, "the linter finds errors, so nothing was done").help(
                "fix them; what is known and accepted for now goes into a baseline \
                     (--baseline, as with `cortexkey lint`)",
            ));
        }
        // Else a pattern that fits nothing would look like keys whose definitions are gone.
        if outcome.nothing_read {
            return Err(Failure::new(
                Exit::NothingRead,
                "there are no definitions, so nothing was done",
            )
            .help(
                "see `keys` in the policy; the last key of all goes by `cortexkey keys delete`",
            ));
        }
        Ok(outcome)
    }

    fn tenant(&self, policy: &Policy, of_profile: Option<&str>) -> Result<String, Failure> {
        let names: Vec<&str> = policy.tenants().map(|(name, _)| name.value.as_str()).collect();
        let said = self.tenant.as_deref().or(of_profile);
        match (said, names.as_slice()) {
            // Without tenants in the policy there is only this one, and the lock file holds it to
            // its host.
            (None, []) => Ok(MAIN_TENANT.to_owned()),
            (Some(name), []) => Ok(name.to_owned()),
            (Some(name), names) if names.contains(&name) => Ok(name.to_owned()),
            (None, [only]) => Ok((*only).to_owned()),
            (said, names) => {
                let what = match said {
                    Some(name) => format!("the policy has no tenant {}", quote(name)),
                    None => "the policy has several tenants".to_owned(),
                };
                Err(Failure::wrong_use(what)
                    .help(format!("give --tenant, one of {}", names.join(", "))))
            }
        }
    }

    fn lock_file(&self, policy: &Policy) -> PathBuf {
        if let Some(path) = &self.lock_file {
            return path.clone();
        }
        let path =
            policy.path().filter(|path| *path != DEFAULT_POLICY && !path.starts_with("builtin:"));
        let folder = path.and_then(|path| Path::new(path).parent());
        folder.unwrap_or(Path::new("")).join(FILE_NAME)
    }
}

impl Loaded {
    fn plan(&self, target: &Target, lock: &Lock, args: &PlanArgs) -> Result<Plan, Failure> {
        let (client, place) = (&target.client, target.place(&self.tenant));
        let locked = lock.tenants.get(&place);
        let all_ids = locked.iter().flat_map(|tenant| tenant.keys.values());
        let all_ids: Vec<u64> = all_ids.flat_map(LockedKey::ids).collect();
        let entries = locked.iter().flat_map(|tenant| &tenant.keys);
        let ids = entries.filter_map(|(name, entry)| {
            let asks = self.desired.iter().any(|key| key.name == *name && key.has_scope());
            entry.id.filter(|_| asks)
        });
        let state =
            read_scopes(ids, |ids| TenantState::for_plan(client, &self.desired, ids, all_ids));
        let state = state.map_err(|error| failed(&error))?;
        let options = PlanOptions {
            now_ms: now_ms(),
            rotate_before_ms: args
                .rotate_before
                .or_else(|| self.policy.rotate_before_ms())
                .unwrap_or(ROTATE_BEFORE_MS),
            prune: args.prune,
        };
        let catalogue: Vec<_> = self.policy.roles().collect();
        let mut plan = Plan::new(&place, &self.desired, &catalogue, locked, &state, &options);
        if plan.actions.iter().any(|action| action.action == Kind::Delete) {
            self.hold_back(&mut plan, &place, locked)?;
        }
        Ok(plan)
    }

    /// Deletes nothing whose definition git still has: what is not seen is not what is gone.
    fn hold_back(
        &self,
        plan: &mut Plan,
        place: &str,
        locked: Option<&LockedTenant>,
    ) -> Result<(), Failure> {
        let folder = std::env::current_dir().map_err(|error| {
            Failure::wrong_use(format!("the folder that this runs in cannot be found: {error}"))
        })?;
        let options = Options::new(folder, Timestamp::UNIX_EPOCH);
        let definitions = Definitions::of(&options, &self.policy);
        plan.hold_back(&|action| {
            let is_defined = locked.is_some_and(|tenant| tenant.keys.contains_key(&action.key));
            match (&definitions, is_defined) {
                (Ok(definitions), true) => definitions.why_kept(&self.tenant, &action.key),
                (Ok(definitions), false) => {
                    let is_locked = action.id.is_some_and(|id| definitions.has_locked(place, id));
                    is_locked.then(|| {
                        "a cortexkey.lock of the repository names it; bring that file back, or \
                         commit that it is gone"
                            .to_owned()
                    })
                }
                (Err(why), true) => {
                    Some(format!("that its definition is gone has no proof: {why}"))
                }
                // It never had a definition, and was asked for by --prune.
                (Err(_), false) => None,
            }
        });
        Ok(())
    }
}

/// Reads scopes, one call a key, and shows how far it is.
fn read_scopes<T>(
    ids: impl Iterator<Item = u64>,
    read: impl FnOnce(&mut dyn Iterator<Item = u64>) -> T,
) -> T {
    let ids: Vec<u64> = ids.collect();
    let (done, all) = (AtomicUsize::new(0), ids.len());
    let mut ids = ids.into_iter().inspect(|_| {
        done.fetch_add(1, Ordering::Relaxed);
    });
    progress::shown("scopes", || (done.load(Ordering::Relaxed), all), || read(&mut ids))
}

/// Two definitions of one name are two keys that could not be told apart.
fn check_names(desired: &[Desired]) -> Result<(), Failure> {
    for (at, key) in desired.iter().enumerate() {
        if let Some(first) = desired[..at].iter().find(|first| first.name == key.name) {
            return Err(Failure::wrong_use(format!(
                "two definitions have the name {}: {}:{} and {}:{}",
                quote(&key.name),
                first.file,
                first.line,
                key.file,
                key.line
            )));
        }
    }
    Ok(())
}

/// Key ids of one tenant mean other keys in another, and one tenant has one name.
fn check_host(lock: &Lock, tenant: &str, client: &Client, path: &Path) -> Result<(), Failure> {
    let host = client.address().host();
    // Several tenants of this machine differ in their ports alone.
    let is_other = |(name, locked): &(&String, &LockedTenant)| {
        *name != tenant
            && locked.host == host
            && LockFile::child_of(name) == LockFile::child_of(tenant)
            && !client.address().is_loopback()
    };
    let said = match lock.tenants.get(tenant) {
        Some(locked) if locked.host != host => Some((tenant, locked.host.as_str())),
        _ => lock.tenants.iter().find(is_other).map(|(name, _)| (name.as_str(), host)),
    };
    let Some((name, at)) = said else { return Ok(()) };
    Err(Failure::wrong_use(format!(
        "{} says that tenant {} is at {at}, and this is {} at {host}",
        path.display(),
        quote(name),
        quote(tenant)
    ))
    .help("choose the right --profile, or --tenant"))
}
