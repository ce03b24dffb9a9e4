//! Commands on definitions and a tenant: `import`, `plan` and `apply`. The linter runs first.

pub(crate) mod apply;
pub(crate) mod import;
mod inventory;
pub(crate) mod plan;
mod show;
mod targets;

use std::io::{self, IsTerminal as _};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use cortexkey_client::time::{duration_ms, now_ms};
use cortexkey_client::{
    Client, KnownScopes, MembershipError, NewKeys, Plan, PlanRequest, check_host,
};
use cortexkey_fleet::{DefinitionSource, TenantCorpus, lock_file};
use cortexkey_lint::files::{Options, RunOutcome, run as run_files};
use cortexkey_lint::report::Format;
use cortexkey_lint::{Policy, Severity};
use cortexkey_manifest::lock::Lock;

use crate::change::print_note;
use crate::connection::call_failure;
use crate::exit::{Exit, Failure};
use crate::progress;
use crate::surroundings;

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

/// How the plan is made.
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
pub(crate) struct LoadedDefinitions {
    policy: Policy,
    corpus: TenantCorpus,
    lock_file: PathBuf,
}

/// The settings that name the tenant.
pub(crate) struct Target {
    pub(crate) client: Client,
    /// The policy's name for the tenant, if the profile sets it.
    pub(crate) tenant: Option<String>,
    pub(crate) new_keys: NewKeys,
}

impl DefinitionArgs {
    /// The source of the definitions that are shown next to a tenant's keys.
    pub(crate) fn source(&self, of_profile: Option<&str>) -> Result<DefinitionSource, Failure> {
        let folder = surroundings::current_folder()?;
        Ok(DefinitionSource {
            folder,
            policy: self.policy.clone(),
            tenant: self.tenant.clone().or_else(|| of_profile.map(str::to_owned)),
            lock_file: self.lock_file.clone(),
            ..DefinitionSource::default()
        })
    }

    /// Reads and checks the definitions of the tenant that the profile or the policy names.
    fn load(
        &self,
        plan: &PlanArgs,
        of_profile: Option<&str>,
    ) -> Result<LoadedDefinitions, Failure> {
        let outcome = self.lint(Some(plan))?;
        self.of_tenant(outcome, of_profile)
    }

    /// Like [`load`](Self::load), but definitions may be missing or have mistakes.
    fn load_for_import(&self, of_profile: Option<&str>) -> Result<LoadedDefinitions, Failure> {
        let outcome = self.lint(None)?;
        self.of_tenant(outcome, of_profile)
    }

    fn of_tenant(
        &self,
        outcome: RunOutcome,
        of_profile: Option<&str>,
    ) -> Result<LoadedDefinitions, Failure> {
        let Some(policy) = &outcome.policy else {
            return Err(Failure::from_outcome(&outcome));
        };
        let named = self.tenant.as_deref().or(of_profile);
        let corpus = TenantCorpus::select(&outcome, policy, named);
        let corpus = corpus.map_err(|error| membership_failure(&error))?;
        if let Some(gap) = corpus.gaps.first() {
            let message = format!("{}: {}", gap.place, gap.message);
            return Err(Failure::usage_error(message).help("fix the definition"));
        }
        let lock_file = self.lock_file.clone().unwrap_or_else(|| lock_file(policy));
        let Some(policy) = outcome.policy else { return Err(Failure::from_outcome(&outcome)) };
        Ok(LoadedDefinitions { policy, corpus, lock_file })
    }

    /// Runs the linter. Its errors end the command.
    fn lint(&self, plan: Option<&PlanArgs>) -> Result<RunOutcome, Failure> {
        let folder = surroundings::current_folder()?;
        let mut options = Options::new(folder, surroundings::time(None)?);
        options.policy.clone_from(&self.policy);
        options.baseline = plan.and_then(|plan| plan.baseline.clone());
        let outcome = run_files(&options, &mut io::empty());
        if plan.is_none() && !outcome.usage_error {
            return Ok(outcome);
        }
        // The caller reports that there is no policy.
        let is_read = outcome.policy.is_some() || outcome.report.is_some();
        for message in outcome.messages.iter().filter(|_| is_read) {
            print_note(&format!("cortexkey lint: {message}"));
        }
        let fails = outcome.report.as_ref().is_some_and(|report| report.fails(Severity::Error));
        if let Some(report) = outcome.report.as_ref().filter(|_| fails || outcome.usage_error) {
            print_note(&report.render(Format::Human, io::stderr().is_terminal()));
            let exit = if outcome.usage_error { Exit::UsageError } else { Exit::Findings };
            return Err(Failure::new(exit, "nothing was changed, because the linter found errors")
                .help(
                    "fix them, or put accepted findings into a baseline (--baseline, as in \
                 `cortexkey lint`)",
                ));
        }
        // Otherwise a pattern that matches no file would look like deleted definitions.
        if outcome.no_input {
            return Err(Failure::new(
                Exit::NoInput,
                "nothing was changed, because there are no definitions",
            )
            .help(
                "check `keys` in the policy, or delete the last key with `cortexkey keys delete`",
            ));
        }
        Ok(outcome)
    }
}

impl LoadedDefinitions {
    fn plan(&self, target: &Target, lock: &Lock, args: &PlanArgs) -> Result<Plan, Failure> {
        let place = self.corpus.place(&target.client);
        let options =
            TenantCorpus::plan_options(&self.policy, now_ms(), args.rotate_before, args.prune);
        let catalog: Vec<_> = self.policy.roles().collect();
        let request = PlanRequest {
            client: &target.client,
            tenant: &place,
            desired: &self.corpus.desired,
            catalog: &catalog,
            lock,
            known_scopes: &KnownScopes::new(),
            options: &options,
        };
        let plan = with_progress(request.scopes().len(), |on_scope| request.plan(on_scope));
        let mut plan = plan.map_err(|error| call_failure(&error))?;
        self.corpus.hold_back(
            &mut plan,
            &surroundings::current_folder()?,
            &self.policy,
            &place,
            lock,
        );
        Ok(plan)
    }

    /// Checks that the lock file's entry belongs to the tenant that is called.
    fn check_host(&self, lock: &Lock, client: &Client) -> Result<(), Failure> {
        let place = self.corpus.place(client);
        check_host(lock, &self.lock_file, &place, client.address())
            .map_err(|error| membership_failure(&error))
    }
}

/// Reads scopes, one call per key, and shows progress. `read` calls its argument before each call.
fn with_progress<T>(count: usize, read: impl FnOnce(&dyn Fn()) -> T) -> T {
    let done = AtomicUsize::new(0);
    let on_scope = || {
        done.fetch_add(1, Ordering::Relaxed);
    };
    progress::shown("scopes", || (done.load(Ordering::Relaxed), count), || read(&on_scope))
}

/// A failed assignment to a tenant is a usage error.
fn membership_failure(error: &MembershipError) -> Failure {
    let failure = Failure::from_error(Exit::UsageError, error);
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
