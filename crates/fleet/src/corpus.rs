//! [`TenantCorpus`]: the definitions that a run of the linter read, for one tenant.

use std::path::{Path, PathBuf};

use cortexkey_client::{ChildTenant, Client, Desired, LockFile, Membership, MembershipError};
use cortexkey_client::{Kind, Plan, PlanOptions, check_names};
use cortexkey_lint::files::{self, DEFAULT_POLICY, Outcome};
use cortexkey_lint::{Policy, Timestamp};
use cortexkey_manifest::lock::{FILE_NAME, Lock};

/// How long before its expiry a key with a lifetime is rotated, where the policy does not say it:
/// thirty days, as the linter's first window of expiries.
pub const ROTATE_BEFORE_MS: u64 = 30 * 24 * 60 * 60 * 1000;

/// The definitions for one tenant.
#[derive(Clone, Debug)]
pub struct TenantCorpus {
    /// The policy's name of the tenant.
    pub tenant: String,
    /// The keys as they are defined, each name once.
    pub desired: Vec<Desired>,
    /// The definitions that cannot be compared with a tenant.
    pub gaps: Vec<Gap>,
}

/// A definition that leaves open what a comparison depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// File, line and column.
    pub place: String,
    /// What is missing or cannot be read.
    pub message: String,
}

impl TenantCorpus {
    /// Takes the definitions of a run. `named` is the policy's name of the tenant, where one is
    /// given; else the policy must have only one.
    pub fn of(
        outcome: &Outcome,
        policy: &Policy,
        named: Option<&str>,
    ) -> Result<Self, MembershipError> {
        let of_policy = policy.tenants().map(|(name, _)| name.value.as_str());
        let membership = Membership::choose(of_policy, named)?;
        let tenant = membership.tenant();
        let (mut desired, mut gaps) = (Vec::new(), Vec::new());
        for file in &outcome.corpus.files {
            // A child's catalogue counts for what it governs.
            let policy = outcome.policy_of(file).unwrap_or(policy);
            let tenants = policy.tenants().count();
            let catalogue: Vec<_> = policy.roles().collect();
            for definition in file.documents.iter().filter_map(|known| known.definition.as_ref()) {
                if !membership.includes(definition, tenants) {
                    continue;
                }
                let line = file.tree.position(definition.place.start).line;
                let facts = Some((tenant, policy.tenant(tenant)));
                match Desired::of(definition, &catalogue, facts, &file.path, line) {
                    Ok(key) => desired.push(key),
                    Err(gap) => {
                        let at = file.tree.position(gap.span.start);
                        let place = format!("{}:{}:{}", file.path, at.line, at.column);
                        gaps.push(Gap { place, message: gap.message });
                    }
                }
            }
        }
        check_names(&desired)?;
        Ok(Self { tenant: tenant.to_owned(), desired, gaps })
    }

    /// The lock file's name of the tenant that a client calls.
    pub fn place(&self, client: &Client) -> String {
        LockFile::tenant(&self.tenant, client.child().map(ChildTenant::as_str))
    }

    /// How a plan is made: a key with a lifetime is rotated as long before its expiry as is given,
    /// or as the policy says.
    pub fn plan_options(
        policy: &Policy,
        now_ms: u64,
        rotate_before_ms: Option<u64>,
        prune: bool,
    ) -> PlanOptions {
        let rotate_before_ms = rotate_before_ms.or_else(|| policy.rotate_before_ms());
        let rotate_before_ms = rotate_before_ms.unwrap_or(ROTATE_BEFORE_MS);
        PlanOptions { now_ms, rotate_before_ms, prune }
    }
}

impl TenantCorpus {
    /// Deletes nothing whose definition git still has: what is not seen is not what is gone. `folder`
    /// is that of the run, `place` the lock file's name of the tenant.
    pub fn hold_back(
        &self,
        plan: &mut Plan,
        folder: &Path,
        policy: &Policy,
        place: &str,
        lock: &Lock,
    ) {
        if !plan.actions.iter().any(|action| action.action == Kind::Delete) {
            return;
        }
        let options = files::Options::new(folder.to_owned(), Timestamp::UNIX_EPOCH);
        let definitions = files::Definitions::of(&options, policy);
        let locked = lock.tenants.get(place);
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
    }
}

/// The lock file beside a policy, relative to the folder of the run.
pub fn lock_file(policy: &Policy) -> PathBuf {
    let path =
        policy.path().filter(|path| *path != DEFAULT_POLICY && !path.starts_with("builtin:"));
    let folder = path.and_then(|path| Path::new(path).parent());
    folder.unwrap_or(Path::new("")).join(FILE_NAME)
}
