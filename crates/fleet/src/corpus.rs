//! [`TenantCorpus`]: the definitions for one tenant, from a run of the linter.

use std::path::{Path, PathBuf};

use cortexkey_client::{ActionKind, Plan, PlanOptions, check_names};
use cortexkey_client::{ChildTenant, Client, Desired, LockFile, Membership, MembershipError};
use cortexkey_core::auth::KeyId;
use cortexkey_lint::files::{self, DEFAULT_POLICY, RunOutcome};
use cortexkey_lint::{Policy, Timestamp};
use cortexkey_manifest::lock::{FILE_NAME, Lock};
use cortexkey_manifest::policy::is_builtin;

/// How long before its expiry a key with a lifetime is rotated, unless the policy sets it: 30 days,
/// the linter's first expiry window.
pub const ROTATE_BEFORE_MS: u64 = 30 * 24 * 60 * 60 * 1000;

/// The definitions for one tenant.
#[derive(Clone, Debug)]
pub struct TenantCorpus {
    /// The policy's name for the tenant.
    pub tenant: String,
    /// The defined keys; each name occurs once.
    pub desired: Vec<Desired>,
    /// The definitions that cannot be compared with a tenant.
    pub gaps: Vec<IncompleteDefinition>,
}

/// A definition that lacks something a comparison needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncompleteDefinition {
    /// File, line and column.
    pub place: String,
    /// What is missing or cannot be read.
    pub message: String,
}

impl TenantCorpus {
    /// Selects the definitions of a run. `named` is the policy's name for the tenant. Without it,
    /// the policy must have only one tenant.
    pub fn select(
        outcome: &RunOutcome,
        policy: &Policy,
        named: Option<&str>,
    ) -> Result<Self, MembershipError> {
        let of_policy = policy.tenants().map(|(name, _)| name.value.as_str());
        let membership = Membership::choose(of_policy, named)?;
        let tenant = membership.tenant();
        let mut desired = Vec::new();
        let mut gaps = Vec::new();
        for file in &outcome.corpus.files {
            // A child policy's catalog applies to the files that it governs.
            let policy = outcome.policy_of(file).unwrap_or(policy);
            let tenants = policy.tenants().count();
            let catalog: Vec<_> = policy.roles().collect();
            for definition in file.documents.iter().filter_map(|known| known.definition.as_ref()) {
                if !membership.includes(definition, tenants) {
                    continue;
                }
                let line = file.tree.position(definition.place.start).line;
                let facts = Some((tenant, policy.tenant(tenant)));
                match Desired::from_definition(definition, &catalog, facts, &file.path, line) {
                    Ok(key) => desired.push(key),
                    Err(gap) => {
                        let at = file.tree.position(gap.span.start);
                        let place = format!("{}:{}:{}", file.path, at.line, at.column);
                        gaps.push(IncompleteDefinition { place, message: gap.message });
                    }
                }
            }
        }
        check_names(&desired)?;
        Ok(Self { tenant: tenant.to_owned(), desired, gaps })
    }

    /// The lock file's name for the client's tenant.
    pub fn place(&self, client: &Client) -> String {
        LockFile::tenant(&self.tenant, client.child().map(ChildTenant::as_str))
    }

    /// The options of a plan. `rotate_before_ms` overrides the policy's value; the default is
    /// [`ROTATE_BEFORE_MS`].
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
    /// Holds back the deletion of keys whose definitions git still has: a definition that was not
    /// read may still exist. `folder` is the run's folder, and `place` is the lock file's name for
    /// the tenant.
    pub fn hold_back(
        &self,
        plan: &mut Plan,
        folder: &Path,
        policy: &Policy,
        place: &str,
        lock: &Lock,
    ) {
        if !plan.actions.iter().any(|action| action.action == ActionKind::Delete) {
            return;
        }
        let options = files::Options::new(folder.to_owned(), Timestamp::UNIX_EPOCH);
        let definitions = files::DefinitionFiles::find(&options, policy);
        let locked = lock.tenants.get(place);
        plan.hold_back(&|action| {
            let is_defined = locked.is_some_and(|tenant| tenant.keys.contains_key(&action.key));
            match (&definitions, is_defined) {
                (Ok(definitions), true) => definitions.why_kept(&self.tenant, &action.key),
                (Ok(definitions), false) => {
                    let id = action.id.and_then(KeyId::new);
                    let is_locked = id.is_some_and(|id| definitions.has_locked(place, id));
                    is_locked.then(|| {
                        "a cortexkey.lock in the repository names it or cannot be read; restore \
                         that file, or commit its deletion"
                            .to_owned()
                    })
                }
                (Err(why), true) => {
                    Some(format!("cannot confirm that its definition was deleted: {why}"))
                }
                // The key never had a definition, and --prune requested its deletion.
                (Err(_), false) => None,
            }
        });
    }
}

/// The path of the lock file next to a policy, relative to the run's folder.
pub fn lock_file(policy: &Policy) -> PathBuf {
    let path = policy.path().filter(|path| *path != DEFAULT_POLICY && !is_builtin(path));
    let folder = path.and_then(|path| Path::new(path).parent());
    folder.unwrap_or(Path::new("")).join(FILE_NAME)
}
