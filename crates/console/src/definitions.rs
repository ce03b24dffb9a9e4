//! [`Definitions`]: the linter's and the planner's view of the folder with key definitions. The one
//! place of this crate that knows how a corpus is read.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use cortexkey_client::{
    Change, ChildTenant, Desired, Kind, LockFile, Membership, MembershipError, Plan, PlanOptions,
    PlanRequest, check_host, check_names,
};
use cortexkey_lint::files::{self, DEFAULT_POLICY, Outcome, run};
use cortexkey_lint::{Finding, Policy, Report, Severity, Source, Timestamp};
use cortexkey_manifest::lock::{FILE_NAME, Lock};

use crate::options::Options;

/// Scopes are one call a key: for more keys than these, they are not compared when a page is opened.
const SCOPES_MAX: usize = 200;
/// Thirty days, as `plan` has it.
const ROTATE_BEFORE_MS: u64 = 30 * 24 * 60 * 60 * 1000;

/// A finding of the linter about one key.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) severity: Severity,
    pub(crate) code: String,
    pub(crate) name: String,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
    pub(crate) line: usize,
}

impl Found {
    /// A finding of a report.
    pub(crate) fn of(report: &Report, finding: &Finding) -> Self {
        let source = report.sources.get(finding.location.source);
        let line = |source: &Source| source.positions(finding.location.span).0.line;
        Self {
            severity: finding.severity,
            code: finding.rule.code().to_owned(),
            name: finding.rule.name().to_owned(),
            message: finding.message.clone(),
            help: finding.help.clone(),
            line: source.map_or(0, line),
        }
    }
}

/// How a managed key stands beside its definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// The tenant has what the definition says.
    InPlace,
    /// The definition was changed and not applied yet.
    Pending,
    /// Somebody changed the key in the tenant.
    Drifted,
}

/// What is known of a key that has a definition.
#[derive(Clone, Debug)]
pub(crate) struct Managed {
    pub(crate) name: String,
    pub(crate) owner: Option<String>,
    pub(crate) file: String,
    pub(crate) line: usize,
    pub(crate) state: State,
    pub(crate) changes: Vec<Change>,
    pub(crate) findings: Vec<Found>,
}

impl Managed {
    /// The worst finding.
    pub(crate) fn worst(&self) -> Option<&Found> {
        self.findings.iter().max_by_key(|found| rank(found.severity))
    }
}

/// The higher, the graver.
pub(crate) const fn rank(severity: Severity) -> u8 {
    match severity {
        Severity::Error => 3,
        Severity::Warning => 2,
        Severity::Info => 1,
    }
}

/// What a folder says of a tenant's keys.
#[derive(Default)]
pub(crate) struct Definitions {
    outcome: Option<Outcome>,
    /// The policy that holds where there is no folder.
    builtin: Option<Policy>,
    by_id: BTreeMap<u64, Managed>,
    /// The lock file, where definitions could be compared.
    pub(crate) lock_file: Option<PathBuf>,
    /// What could not be read, in words.
    pub(crate) faults: Vec<String>,
    /// What `cortexkey plan` says; none without definitions.
    pub(crate) plan: Option<Plan>,
}

impl Definitions {
    /// Reads the folder, where there is one, and compares it with the tenant's keys.
    pub(crate) fn load(options: &Options) -> Self {
        let Some(folder) = &options.keys else {
            return Self { builtin: Policy::builtin(DEFAULT_POLICY), ..Self::default() };
        };
        let now = i64::try_from(options.now_ms()).ok();
        let now = now.and_then(|ms| Timestamp::from_millisecond(ms).ok()).unwrap_or_default();
        let outcome = run(&files::Options::new(folder.clone(), now), &mut io::empty());
        let mut definitions = Self::default();
        if outcome.usage_error || outcome.policy.is_none() {
            definitions.faults.extend(outcome.messages.iter().cloned());
        } else if let Err(fault) = definitions.compare(options, folder, &outcome) {
            definitions.faults.push(fault);
        }
        definitions.outcome = Some(outcome);
        definitions
    }

    /// The policy in force; the built-in one without a folder.
    pub(crate) fn policy(&self) -> Option<&Policy> {
        let own = self.outcome.as_ref().and_then(|outcome| outcome.policy.as_ref());
        own.or(self.builtin.as_ref())
    }

    #[expect(dead_code, reason = "the page of findings shows it")]
    /// What the linter found and read, where there is a folder.
    pub(crate) fn outcome(&self) -> Option<&Outcome> {
        self.outcome.as_ref()
    }

    /// What is known of a key of the tenant.
    pub(crate) fn managed(&self, id: u64) -> Option<&Managed> {
        self.by_id.get(&id)
    }

    /// Whether there is a folder whose definitions could be read.
    pub(crate) fn is_compared(&self) -> bool {
        self.plan.is_some()
    }

    fn compare(
        &mut self,
        options: &Options,
        folder: &Path,
        outcome: &Outcome,
    ) -> Result<(), String> {
        let Some(policy) = &outcome.policy else { return Ok(()) };
        let client = &options.client;
        let text = |error: MembershipError| error.to_string();
        let names = policy.tenants().map(|(name, _)| name.value.as_str());
        let membership = Membership::choose(names, options.tenant.as_deref()).map_err(text)?;
        let (desired, faults) = desired(outcome, policy, &membership);
        self.faults.extend(faults);
        check_names(&desired).map_err(text)?;
        let path = lock_file(folder, policy);
        let lock = LockFile::read(&path).map_err(|error| cortexkey_system::chain(&error))?;
        let place = LockFile::tenant(membership.tenant(), client.child().map(ChildTenant::as_str));
        check_host(&lock, &path, &place, client.address()).map_err(text)?;
        let catalogue: Vec<_> = policy.roles().collect();
        let plan_options = PlanOptions {
            now_ms: options.now_ms(),
            rotate_before_ms: policy.rotate_before_ms().unwrap_or(ROTATE_BEFORE_MS),
            prune: false,
        };
        let request = PlanRequest {
            client,
            tenant: &place,
            desired: &desired,
            catalogue: &catalogue,
            lock: &lock,
            options: &plan_options,
        };
        if request.scopes().len() > SCOPES_MAX {
            return Err(format!(
                "more than {SCOPES_MAX} keys with a scope have definitions: run `cortexkey plan`"
            ));
        }
        let plan = request.plan(&|| {}).map_err(|error| error.to_string())?;
        self.by_id = managed(outcome, &desired, &lock, &place, &plan);
        (self.plan, self.lock_file) = (Some(plan), Some(path));
        Ok(())
    }
}

fn lock_file(folder: &Path, policy: &Policy) -> PathBuf {
    let path =
        policy.path().filter(|path| *path != DEFAULT_POLICY && !path.starts_with("builtin:"));
    let beside = path.and_then(|path| Path::new(path).parent()).unwrap_or(Path::new(""));
    folder.join(beside).join(FILE_NAME)
}

/// The definitions for a tenant, and why others cannot be compared.
fn desired(
    outcome: &Outcome,
    policy: &Policy,
    membership: &Membership,
) -> (Vec<Desired>, Vec<String>) {
    let (mut desired, mut faults) = (Vec::new(), Vec::new());
    let tenant = membership.tenant();
    for file in &outcome.corpus.files {
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
                    faults
                        .push(format!("{}:{}:{}: {}", file.path, at.line, at.column, gap.message));
                }
            }
        }
    }
    (desired, faults)
}

fn managed(
    outcome: &Outcome,
    desired: &[Desired],
    lock: &Lock,
    place: &str,
    plan: &Plan,
) -> BTreeMap<u64, Managed> {
    let Some(locked) = lock.tenants.get(place) else { return BTreeMap::new() };
    let mut findings = findings_by_key(outcome);
    let owners = owners(outcome);
    let one = |key: &Desired| {
        let id = locked.keys.get(&key.name)?.id?;
        let action = plan.actions.iter().find(|action| action.key == key.name);
        let state = match action {
            Some(action) if action.drift => State::Drifted,
            Some(action) if matches!(action.action, Kind::Edit | Kind::Scope | Kind::Replace) => {
                State::Pending
            }
            _ => State::InPlace,
        };
        let managed = Managed {
            name: key.name.clone(),
            owner: owners.get(&key.name).cloned(),
            file: key.file.clone(),
            line: key.line,
            state,
            changes: action.map(|action| action.changes.clone()).unwrap_or_default(),
            findings: findings.remove(&key.name).unwrap_or_default(),
        };
        Some((id, managed))
    };
    desired.iter().filter_map(one).collect()
}

fn owners(outcome: &Outcome) -> BTreeMap<String, String> {
    let documents = outcome.corpus.files.iter().flat_map(|file| &file.documents);
    let definitions = documents.filter_map(|document| document.definition.as_ref());
    let owner = |definition: &cortexkey_manifest::definition::Definition| {
        let owner = definition.metadata.as_ref()?.owner.get()?;
        Some((definition.name()?.to_owned(), owner.clone()))
    };
    definitions.filter_map(owner).collect()
}

fn findings_by_key(outcome: &Outcome) -> BTreeMap<String, Vec<Found>> {
    let mut by_key: BTreeMap<String, Vec<Found>> = BTreeMap::new();
    if let Some(report) = &outcome.report {
        for finding in &report.findings {
            let Some(key) = &finding.key else { continue };
            by_key.entry(key.clone()).or_default().push(Found::of(report, finding));
        }
    }
    by_key
}
