//! [`ComparedDefinitions`]: the linter's and the planner's view of the folder with key definitions.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use cortexkey_client::{
    Action, ActionKind, CallError, Client, Desired, FieldChange, LockFile, LockFileError,
    MembershipError, Plan, PlanRequest, check_host,
};
use cortexkey_core::auth::Level;
use cortexkey_lint::files::{self, DEFAULT_POLICY, RunOutcome, run};
use cortexkey_lint::{Finding, Policy, Report, Severity, SourceText, Timestamp, WaivedBy};
use cortexkey_manifest::access::{IncompleteField, KeyAccess};
use cortexkey_manifest::definition::{Definition, ExpirySpec};
use cortexkey_manifest::lock::LockedTenant;
use cortexkey_system::chain;
use thiserror::Error;

use crate::corpus::{TenantCorpus, lock_file};
use crate::scopes::Scopes;

/// The place of definitions, and their tenant.
#[derive(Clone, Debug, Default)]
pub struct DefinitionSource {
    /// The folder with the definitions and their policy.
    pub folder: PathBuf,
    /// The policy. If absent, the nearest one in the folder or above.
    pub policy: Option<PathBuf>,
    /// The linter's baseline. If absent, the one next to the policy.
    pub baseline: Option<PathBuf>,
    /// The policy's name for the tenant. If absent, the policy's only tenant.
    pub tenant: Option<String>,
    /// The lock file. If absent, the one next to the policy.
    pub lock_file: Option<PathBuf>,
    /// The largest number of keys with a scope that are compared; each takes one call.
    pub scopes_max: Option<usize>,
}

/// A finding of the linter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFinding {
    /// How severe it is.
    pub severity: Severity,
    /// The rule's code.
    pub code: String,
    /// The rule's name.
    pub name: String,
    /// What was found and what was expected.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// The name of the key, if the finding is about one.
    pub key: Option<String>,
    /// The file.
    pub file: String,
    /// The line, counted from 1; 0 if it has no line.
    pub line: usize,
    /// What suppressed it, if it does not count.
    pub waived_by: Option<WaivedBy>,
}

impl KeyFinding {
    /// A finding of a report.
    pub fn new(report: &Report, finding: &Finding) -> Self {
        let source = report.sources.get(finding.location.source);
        let line = |source: &SourceText| source.positions(finding.location.span).0.line;
        Self {
            severity: finding.severity,
            code: finding.rule.code().to_owned(),
            name: finding.rule.name().to_owned(),
            message: finding.message.clone(),
            help: finding.help.clone(),
            key: finding.key.clone(),
            file: source.map(|source| source.path.clone()).unwrap_or_default(),
            line: source.map_or(0, line),
            waived_by: None,
        }
    }
}

/// A key's definition.
#[derive(Clone, Debug)]
pub struct Defined {
    /// Its name; empty if it has none.
    pub name: String,
    /// Its owner.
    pub owner: Option<String>,
    /// The tenant that it names.
    pub tenant: Option<String>,
    /// Its file.
    pub file: String,
    /// The line where it begins, counted from 1.
    pub line: usize,
    /// Its security level.
    pub level: Option<Level>,
    /// The names of its roles.
    pub roles: Vec<String>,
    /// Its comment.
    pub comment: Option<String>,
    /// When it expires, or its lifetime.
    pub expiry: Option<ExpirySpec>,
    /// What it may do and see, or the reason why that is unknown.
    pub access: Result<KeyAccess, IncompleteField>,
    /// The linter's findings in it that count.
    pub findings: Vec<KeyFinding>,
}

/// How a key of the tenant compares with its definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The key matches its definition.
    InPlace,
    /// The definition has changed and is not applied yet.
    Pending,
    /// Somebody changed the key in the tenant.
    Drifted,
    /// A newer key has replaced it, or is about to.
    Replaced,
    /// It could not be compared, or `apply` cannot make the change.
    Unclear,
}

impl State {
    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InPlace => "in-place",
            Self::Pending => "not-applied",
            Self::Drifted => "drifted",
            Self::Replaced => "replaced",
            Self::Unclear => "unclear",
        }
    }
}

/// The facts about a key of the tenant that has a definition.
#[derive(Clone, Debug)]
pub struct ManagedKey {
    /// The name of the definition.
    pub name: String,
    /// Its owner.
    pub owner: Option<String>,
    /// Its file.
    pub file: String,
    /// The line where it begins, counted from 1.
    pub line: usize,
    /// How the key compares with it.
    pub state: State,
    /// The differences.
    pub changes: Vec<FieldChange>,
    /// Whether its last applied scope allows cases and issues that reference no known object, if
    /// that is recorded.
    pub unreferenced: Option<bool>,
    /// The linter's findings in it that count.
    pub findings: Vec<KeyFinding>,
}

impl ManagedKey {
    /// The worst finding.
    pub fn worst(&self) -> Option<&KeyFinding> {
        self.findings.iter().max_by_key(|found| found.severity)
    }
}

/// Why definitions and a tenant cannot be compared.
#[derive(Debug, Error)]
enum CompareError {
    #[error(transparent)]
    Membership(#[from] MembershipError),
    #[error(transparent)]
    LockFile(#[from] LockFileError),
    #[error(transparent)]
    Call(#[from] CallError),
    #[error("more than {max} keys with a scope have definitions: run `cortexkey plan`")]
    TooManyScopes { max: usize },
}

/// Why there is no plan. Single keys may still be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoPlan {
    /// There is no folder with definitions.
    NoFolder,
    /// The linter reports errors.
    LinterErrors,
    /// The folder has no definitions.
    NoDefinitions,
    /// Something could not be read or compared; [`ComparedDefinitions::faults`] says which.
    Faults,
}

/// The definitions of a folder, compared with a tenant.
#[derive(Default)]
pub struct ComparedDefinitions {
    outcome: Option<RunOutcome>,
    /// The policy in force if there is no folder.
    builtin: Option<Policy>,
    /// All definitions, for any tenant.
    defined: Vec<Defined>,
    by_id: BTreeMap<u64, ManagedKey>,
    /// Indices into `defined` of the definitions whose keys the tenant does not have.
    without_key: Vec<usize>,
    /// The lock file, if definitions could be compared.
    pub lock_file: Option<PathBuf>,
    /// Messages about what could not be read.
    pub faults: Vec<String>,
    /// The plan; absent if nothing was compared.
    pub plan: Option<Plan>,
}

impl ComparedDefinitions {
    /// Reads the folder of `source` and compares its definitions with the tenant of `client`. Both
    /// are optional. `scopes` are not read again.
    pub fn load(
        source: Option<&DefinitionSource>,
        client: Option<&Client>,
        scopes: &Scopes,
        now_ms: u64,
    ) -> Self {
        let Some(source) = source else {
            return Self { builtin: Policy::builtin(DEFAULT_POLICY), ..Self::default() };
        };
        let outcome = lint(source, now_ms);
        Self::from_outcome(outcome, source, client, scopes, now_ms)
    }

    /// Does the same with the outcome of a completed run of the linter.
    pub fn from_outcome(
        outcome: RunOutcome,
        source: &DefinitionSource,
        client: Option<&Client>,
        scopes: &Scopes,
        now_ms: u64,
    ) -> Self {
        let mut definitions = Self::default();
        match &outcome.policy {
            // Otherwise a pattern that matches no file would look like deleted definitions.
            Some(policy) if outcome.no_input => {
                if policy.path() != Some(DEFAULT_POLICY) {
                    definitions.faults.extend(outcome.messages.iter().cloned());
                }
            }
            Some(policy) if !outcome.usage_error => {
                definitions.defined = defined(&outcome, policy, source.tenant.as_deref());
                if let Some(client) = client {
                    let compared = definitions.compare(source, client, &outcome, scopes, now_ms);
                    definitions.faults.extend(compared.err().map(|error| chain(&error)));
                }
            }
            _ => definitions.faults.extend(outcome.messages.iter().cloned()),
        }
        definitions.outcome = Some(outcome);
        definitions
    }

    /// The policy in force; the built-in one without a folder.
    pub fn policy(&self) -> Option<&Policy> {
        let own = self.outcome.as_ref().and_then(|outcome| outcome.policy.as_ref());
        own.or(self.builtin.as_ref())
    }

    /// The linter's outcome, if there is a folder.
    pub fn outcome(&self) -> Option<&RunOutcome> {
        self.outcome.as_ref()
    }

    /// All definitions that were read, for any tenant.
    pub fn defined(&self) -> &[Defined] {
        &self.defined
    }

    /// The facts about a key of the tenant that has a definition.
    pub fn managed(&self, id: u64) -> Option<&ManagedKey> {
        self.by_id.get(&id)
    }

    /// The definitions whose keys the tenant does not have, if both were compared.
    pub fn without_key(&self) -> impl Iterator<Item = &Defined> {
        self.without_key.iter().filter_map(|at| self.defined.get(*at))
    }

    /// Whether the folder's definitions were compared with the tenant.
    pub fn is_compared(&self) -> bool {
        self.plan.is_some()
    }

    /// The plan, if `cortexkey plan` would print one for the same definitions.
    pub fn planned(&self) -> Result<&Plan, NoPlan> {
        let Some(outcome) = &self.outcome else { return Err(NoPlan::NoFolder) };
        let fails = outcome.report.as_ref().is_some_and(|report| report.fails(Severity::Error));
        match &self.plan {
            _ if outcome.usage_error => Err(NoPlan::Faults),
            _ if fails => Err(NoPlan::LinterErrors),
            _ if outcome.no_input => Err(NoPlan::NoDefinitions),
            Some(plan) if self.faults.is_empty() => Ok(plan),
            _ => Err(NoPlan::Faults),
        }
    }

    /// All findings of the linter. Those that do not count come last.
    pub fn findings(&self) -> Vec<KeyFinding> {
        let report = self.outcome.as_ref().and_then(|outcome| outcome.report.as_ref());
        let Some(report) = report else { return Vec::new() };
        let counting = report.findings.iter().map(|finding| KeyFinding::new(report, finding));
        let waived = report.waived.iter().map(|waived| {
            let found = KeyFinding::new(report, &waived.finding);
            KeyFinding { waived_by: Some(waived.by), ..found }
        });
        counting.chain(waived).collect()
    }

    fn compare(
        &mut self,
        source: &DefinitionSource,
        client: &Client,
        outcome: &RunOutcome,
        scopes: &Scopes,
        now_ms: u64,
    ) -> Result<(), CompareError> {
        let Some(policy) = &outcome.policy else { return Ok(()) };
        let corpus = TenantCorpus::select(outcome, policy, source.tenant.as_deref())?;
        let gap = |gap: &crate::IncompleteDefinition| format!("{}: {}", gap.place, gap.message);
        self.faults.extend(corpus.gaps.iter().map(gap));
        let path = source.lock_file.clone();
        let path = path.unwrap_or_else(|| source.folder.join(lock_file(policy)));
        let lock = LockFile::read(&path)?;
        let place = corpus.place(client);
        check_host(&lock, &path, &place, client.address())?;
        let catalog: Vec<_> = policy.roles().collect();
        let request = PlanRequest {
            client,
            tenant: &place,
            desired: &corpus.desired,
            catalog: &catalog,
            lock: &lock,
            known_scopes: scopes.known(),
            options: &TenantCorpus::plan_options(policy, now_ms, None, false),
        };
        if let Some(max) = source.scopes_max.filter(|max| request.scopes().len() > *max) {
            return Err(CompareError::TooManyScopes { max });
        }
        let mut plan = request.plan(&|| {})?;
        corpus.hold_back(&mut plan, &source.folder, policy, &place, &lock);
        let locked = lock.tenants.get(&place);
        self.without_key = without_key(&self.defined, &corpus, locked, &plan);
        if let Some(locked) = locked {
            self.by_id = managed(&self.defined, &corpus, locked, &plan);
        }
        self.plan = Some(plan);
        self.lock_file = Some(path);
        Ok(())
    }
}

/// Runs the linter over the definitions of a source.
fn lint(source: &DefinitionSource, now_ms: u64) -> RunOutcome {
    let now = i64::try_from(now_ms).ok();
    let now = now.and_then(|ms| Timestamp::from_millisecond(ms).ok()).unwrap_or_default();
    let mut options = files::Options::new(source.folder.clone(), now);
    options.policy.clone_from(&source.policy);
    options.baseline.clone_from(&source.baseline);
    run(&options, &mut io::empty())
}

/// All definitions of a run. A definition that names no tenant is for the only tenant of its
/// policy, or for the given one.
fn defined(outcome: &RunOutcome, policy: &Policy, tenant: Option<&str>) -> Vec<Defined> {
    let mut findings = findings_by_key(outcome);
    let mut all = Vec::new();
    for file in &outcome.corpus.files {
        let policy = outcome.policy_of(file).unwrap_or(policy);
        let catalog: Vec<_> = policy.roles().collect();
        for definition in file.documents.iter().filter_map(|known| known.definition.as_ref()) {
            let line = file.tree.position(definition.place.start).line;
            let tenant = definition.tenant().or(policy.only_tenant()).or(tenant);
            let facts = tenant.map(|name| (name, policy.tenant(name)));
            let access = KeyAccess::from_definition(definition, &catalog, facts);
            let name = definition.name().unwrap_or_default().to_owned();
            let findings = findings.remove(&(file.path.clone(), name.clone())).unwrap_or_default();
            let tenant = definition.tenant().map(str::to_owned);
            let file = file.path.clone();
            let own = defined_key(definition, access);
            let mut defined = Defined { name, tenant, file, line, findings, ..own };
            defined.roles = definition.roles().iter().map(|role| role.value.clone()).collect();
            all.push(defined);
        }
    }
    all
}

/// The facts that a definition alone contains, and what it may do and see.
fn defined_key(definition: &Definition, access: Result<KeyAccess, IncompleteField>) -> Defined {
    let spec = definition.spec.as_ref();
    let metadata = definition.metadata.as_ref();
    Defined {
        name: String::new(),
        owner: metadata.and_then(|metadata| metadata.owner.get().cloned()),
        tenant: None,
        file: String::new(),
        line: 0,
        level: spec.and_then(|spec| spec.level.get().copied()),
        roles: Vec::new(),
        comment: spec.and_then(|spec| spec.comment.get().cloned()),
        expiry: spec.and_then(|spec| spec.end().map(|end| end.value)),
        access,
        findings: Vec::new(),
    }
}

/// The findings that count, by file and name of the key.
fn findings_by_key(outcome: &RunOutcome) -> BTreeMap<(String, String), Vec<KeyFinding>> {
    let mut by_key: BTreeMap<_, Vec<KeyFinding>> = BTreeMap::new();
    if let Some(report) = &outcome.report {
        for finding in &report.findings {
            let Some(key) = &finding.key else { continue };
            let found = KeyFinding::new(report, finding);
            by_key.entry((found.file.clone(), key.clone())).or_default().push(found);
        }
    }
    by_key
}

/// The index of a key's definition in `defined`.
fn place_of(defined: &[Defined], key: &Desired) -> Option<usize> {
    defined.iter().position(|defined| {
        defined.file == key.file && defined.line == key.line && defined.name == key.name
    })
}

/// The definitions whose keys were never generated, or are gone.
fn without_key(
    defined: &[Defined],
    corpus: &TenantCorpus,
    locked: Option<&LockedTenant>,
    plan: &Plan,
) -> Vec<usize> {
    let has_key = |key: &&Desired| {
        let is_generated =
            |action: &Action| action.key == key.name && action.action == ActionKind::Generate;
        locked.and_then(|locked| locked.keys.get(&key.name)?.id).is_some()
            && !plan.actions.iter().any(is_generated)
    };
    let without = corpus.desired.iter().filter(|key| !has_key(key));
    without.filter_map(|key| place_of(defined, key)).collect()
}

/// The keys of the tenant that have definitions, by id: the current key of each definition, and the
/// keys that it replaced.
fn managed(
    defined: &[Defined],
    corpus: &TenantCorpus,
    locked: &LockedTenant,
    plan: &Plan,
) -> BTreeMap<u64, ManagedKey> {
    let mut by_id = BTreeMap::new();
    for (name, entry) in &locked.keys {
        let compared = corpus.desired.iter().find(|key| key.name == *name);
        let at = match compared {
            Some(key) => place_of(defined, key),
            None => defined.iter().position(|defined| is_of(defined, name, &corpus.tenant)),
        };
        let Some(definition) = at.and_then(|at| defined.get(at)) else { continue };
        // The plan does not contain definitions with gaps.
        let (state, changes) = compared.map_or((State::Unclear, Vec::new()), |_| state(plan, name));
        let managed = |state, changes| ManagedKey {
            name: name.clone(),
            owner: definition.owner.clone(),
            file: definition.file.clone(),
            line: definition.line,
            state,
            changes,
            unreferenced: entry.unreferenced,
            findings: definition.findings.clone(),
        };
        for id in entry.ids().filter(|id| Some(*id) != entry.id) {
            by_id.insert(id.get(), managed(State::Replaced, Vec::new()));
        }
        by_id.extend(entry.id.map(|id| (id.get(), managed(state, changes))));
    }
    by_id
}

/// Whether a definition has this name, and is not for another tenant.
fn is_of(defined: &Defined, name: &str, tenant: &str) -> bool {
    defined.name == name && defined.tenant.as_deref().is_none_or(|of| of == tenant)
}

/// How a key compares with its definition, according to the plan, and the differences.
fn state(plan: &Plan, name: &str) -> (State, Vec<FieldChange>) {
    // Deleting the keys that it replaced does not change the key itself.
    let is_of_key = |kind: ActionKind| {
        matches!(
            kind,
            ActionKind::Generate
                | ActionKind::Replace
                | ActionKind::Edit
                | ActionKind::Scope
                | ActionKind::Refuse
        )
    };
    let actions =
        || plan.actions.iter().filter(|action| action.key == name && is_of_key(action.action));
    let changes = actions().flat_map(|action| action.changes.iter().cloned()).collect();
    let state = if actions().any(|action| action.drift) {
        State::Drifted
    } else if actions().any(|action| action.action == ActionKind::Refuse) {
        State::Unclear
    } else if actions().next().is_some() {
        State::Pending
    } else {
        State::InPlace
    };
    (state, changes)
}
