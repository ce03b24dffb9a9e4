//! Definitions and a tenant: `import`, `plan`, `apply`. The linter runs first.

pub(crate) mod apply;
pub(crate) mod import;
mod inventory;
pub(crate) mod plan;
mod show;
mod targets;

use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use cortexkey_client::time::{duration_ms, now_ms};
use cortexkey_client::{
    ChildTenant, Client, Desired, Kind, LockFile, Membership, MembershipError, NewKeys, Plan,
    PlanOptions, PlanRequest, check_host, check_names,
};
use cortexkey_lint::files::{DEFAULT_POLICY, Definitions, Options, Outcome, now, run as run_files};
use cortexkey_lint::report::Format;
use cortexkey_lint::{Policy, Severity, Timestamp};
use cortexkey_manifest::lock::{FILE_NAME, Lock, LockedTenant};

use crate::change::say;
use crate::connection::call_failure;
use crate::exit::{Exit, Failure};
use crate::progress;

/// Thirty days, as the linter's first window of expiries.
const ROTATE_BEFORE_MS: u64 = 30 * 24 * 60 * 60 * 1000;

/// Which definitions, and which lock file.
#[derive(clap::Args)]
pub(crate) struct DefinitionArgs {
    /// The policy [default: the nearest cortexkey.yaml in this folder or above]
    #[arg(long, value_name = "FILE", help_heading = "Definitions")]
    policy: Option<PathBuf>,

    /// The policy's name for the tenant [default: the profile's, or the policy's only tenant]
    #[arg(long, value_name = "NAME", help_heading = "Definitions")]
    tenant: Option<String>,

    /// The lock file [default: cortexkey.lock next to the policy]
    #[arg(long, value_name = "FILE", help_heading = "Definitions")]
    lock_file: Option<PathBuf>,
}

/// How a plan is made.
#[derive(clap::Args)]
pub(crate) struct PlanArgs {
    /// How long before its expiry a key with a lifetime is rotated, at most a third of the lifetime
    /// [default: the policy's rotateBefore, or 30d]
    #[arg(long, value_name = "DURATION", value_parser = duration_ms, help_heading = "Definitions")]
    rotate_before: Option<u64>,

    /// The linter's baseline, as in `lint --baseline`
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
        let membership = self.tenant(policy, of_profile)?;
        let tenant = membership.tenant();
        let lock_file = self.lock_file(policy);
        let mut desired: Vec<Desired> = Vec::new();
        for file in &outcome.corpus.files {
            // A child's catalogue counts for what it governs.
            let policy = outcome.policy_of(file).unwrap_or(policy);
            let tenants = policy.tenants().count();
            let catalogue: Vec<_> = policy.roles().collect();
            for document in &file.documents {
                let Some(definition) = &document.definition else { continue };
                if !membership.includes(definition, tenants) {
                    continue;
                }
                let line = file.tree.position(definition.place.start).line;
                let facts = Some((tenant, policy.tenant(tenant)));
                let key = Desired::of(definition, &catalogue, facts, &file.path, line);
                desired.push(key.map_err(|gap| {
                    let at = file.tree.position(gap.span.start);
                    let place = format!("{}:{}:{}", file.path, at.line, at.column);
                    Failure::usage_error(format!("{place}: {}", gap.message))
                        .help("fix the definition")
                })?);
            }
        }
        check_names(&desired).map_err(|error| membership_failure(&error))?;
        let tenant = tenant.to_owned();
        let Some(policy) = outcome.policy else { return Err(Failure::of_linter(&outcome)) };
        Ok(Loaded { policy, desired, tenant, lock_file })
    }

    /// The linter first. Its errors end what makes a plan.
    fn lint(&self, plan: Option<&PlanArgs>) -> Result<Outcome, Failure> {
        let folder = std::env::current_dir().map_err(|error| {
            Failure::usage_error(format!("the folder that this runs in cannot be found: {error}"))
        })?;
        let epoch = std::env::var("SOURCE_DATE_EPOCH").ok();
        let mut options =
            Options::new(folder, now(None, epoch.as_deref()).map_err(Failure::usage_error)?);
        options.policy.clone_from(&self.policy);
        options.baseline = plan.and_then(|plan| plan.baseline.clone());
        let outcome = run_files(&options, &mut io::empty());
        if plan.is_none() && !outcome.usage_error {
            return Ok(outcome);
        }
        // Where there is no policy at all, whoever asked says why.
        let is_read = outcome.policy.is_some() || outcome.report.is_some();
        for message in outcome.messages.iter().filter(|_| is_read) {
            say(&format!("cortexkey lint: {message}"));
        }
        let fails = outcome.report.as_ref().is_some_and(|report| report.fails(Severity::Error));
        if let Some(report) = outcome.report.as_ref().filter(|_| fails || outcome.usage_error) {
            say(&report.render(Format::Human, io::stderr().is_terminal()));
            let exit = if outcome.usage_error { Exit::UsageError } else { Exit::Findings };
            return Err(Failure::new(exit, "the linter finds errors, so nothing was done").help(
                "fix them; what is known and accepted for now goes into a baseline \
                     (--baseline, as with `cortexkey lint`)",
            ));
        }
        // Else a pattern that fits nothing would look like keys whose definitions are gone.
        if outcome.no_input {
            return Err(Failure::new(
                Exit::NoInput,
                "there are no definitions, so nothing was done",
            )
            .help(
                "see `keys` in the policy; the last key of all goes by `cortexkey keys delete`",
            ));
        }
        Ok(outcome)
    }

    fn tenant(&self, policy: &Policy, of_profile: Option<&str>) -> Result<Membership, Failure> {
        let names = policy.tenants().map(|(name, _)| name.value.as_str());
        Membership::choose(names, self.tenant.as_deref().or(of_profile))
            .map_err(|error| membership_failure(&error))
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
        let place = target.place(&self.tenant);
        let options = PlanOptions {
            now_ms: now_ms(),
            rotate_before_ms: args
                .rotate_before
                .or_else(|| self.policy.rotate_before_ms())
                .unwrap_or(ROTATE_BEFORE_MS),
            prune: args.prune,
        };
        let catalogue: Vec<_> = self.policy.roles().collect();
        let request = PlanRequest {
            client: &target.client,
            tenant: &place,
            desired: &self.desired,
            catalogue: &catalogue,
            lock,
            options: &options,
        };
        let plan = with_progress(request.scopes().len(), |on_scope| request.plan(on_scope));
        let mut plan = plan.map_err(|error| call_failure(&error))?;
        if plan.actions.iter().any(|action| action.action == Kind::Delete) {
            self.hold_back(&mut plan, &place, lock.tenants.get(&place))?;
        }
        Ok(plan)
    }

    /// Checks that the lock file's entry is that of the tenant that is called.
    fn check_host(&self, lock: &Lock, client: &Client) -> Result<(), Failure> {
        let place = LockFile::tenant(&self.tenant, client.child().map(ChildTenant::as_str));
        check_host(lock, &self.lock_file, &place, client.address())
            .map_err(|error| membership_failure(&error))
    }

    /// Deletes nothing whose definition git still has: what is not seen is not what is gone.
    fn hold_back(
        &self,
        plan: &mut Plan,
        place: &str,
        locked: Option<&LockedTenant>,
    ) -> Result<(), Failure> {
        let folder = std::env::current_dir().map_err(|error| {
            Failure::usage_error(format!("the folder that this runs in cannot be found: {error}"))
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

/// Reads scopes, one call a key, and shows the progress. `read` calls its argument before each.
fn with_progress<T>(count: usize, read: impl FnOnce(&dyn Fn()) -> T) -> T {
    let done = AtomicUsize::new(0);
    let on_scope = || {
        done.fetch_add(1, Ordering::Relaxed);
    };
    progress::shown("scopes", || (done.load(Ordering::Relaxed), count), || read(&on_scope))
}

/// Membership that fails is a usage error.
fn membership_failure(error: &MembershipError) -> Failure {
    let failure = Failure::of(Exit::UsageError, error);
    match error {
        MembershipError::UnknownTenant { known, .. }
        | MembershipError::SeveralTenants { known } => {
            failure.help(format!("give --tenant, one of {}", known.join(", ")))
        }
        MembershipError::OtherHost { .. } => {
            failure.help("choose the right --profile, or --tenant")
        }
        _ => failure,
    }
}
