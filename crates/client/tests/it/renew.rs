//! Replacing a key: completely or not at all, wherever it is interrupted.

use std::cell::{Cell, RefCell};
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use cortexkey_api::api_key::CommentEdit;
use cortexkey_api::api_keys::{ApiKeyRecord, GenerateRequest, SecurityLevel};
use cortexkey_api::role::RoleName;
use cortexkey_api::scope::ScopeWrite;
use cortexkey_client::{
    ActionKind, Apply, Client, ClientOptions, Desired, KeyDelivery, KeyEdit, LockFile,
    LockFileError, NewKey, ObservedScope, Plan, PlanOptions, Program, RenewError, Renewal,
    RenewalJournal, RenewalStep, Retry, Sink, SinkError, TenantState,
};
use cortexkey_core::auth::{Key, KeyId, Level, Signer};
use cortexkey_manifest::definition;
use cortexkey_manifest::lock::{LockedKey, LockedTenant, Retiring};
use cortexkey_manifest::yaml::{YamlLimits, parse};
use cortexkey_tenant::{Fault, FaultKind, Options, Tenant};
use serde_json::json;

/// A tenant with an old key, which is in a file.
struct World {
    tenant: Tenant,
    admin: Client,
    folder: tempfile::TempDir,
    old: KeyId,
}

impl World {
    fn new() -> Self {
        let tenant = Tenant::start(Options::default()).unwrap();
        let seeded = &tenant.seeded_keys().unwrap().advanced;
        let key = Key::new(seeded.expose().as_bytes()).unwrap();
        let admin = client(&tenant, Signer::new(seeded.id(), Level::Advanced, key));
        let request = GenerateRequest {
            roles: vec!["Viewer".into()],
            security_level: SecurityLevel::Advanced,
            expiration: None,
            comment: Some("Exports. SEC-1".into()),
        };
        let made = admin.generate_key(&request).unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("key"), made.key.expose()).unwrap();
        Self { admin, folder, old: KeyId::new(made.id).unwrap(), tenant }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("key")
    }

    fn sink(&self) -> Sink {
        Sink::File { path: self.path(), replace: true }
    }

    fn entry(&self) -> LockedKey {
        LockedKey { id: Some(self.old), ..LockedKey::default() }
    }

    fn keys(&self) -> Vec<ApiKeyRecord> {
        let all = self.admin.all_keys(&[]).unwrap();
        all.into_iter().filter(|record| record.id > 2).collect()
    }

    /// The tenant's key that the file contains.
    fn in_file(&self) -> Option<u64> {
        let text = fs::read(self.path()).unwrap();
        self.keys().into_iter().map(|record| record.id).find(|id| {
            let id = KeyId::new(*id).unwrap();
            let key = Key::new(&text).unwrap();
            client(&self.tenant, Signer::new(id, Level::Advanced, key)).ping().is_ok()
        })
    }

    /// Exactly one key, as requested, and in the file.
    fn check_done(&self, entry: &LockedKey) {
        let keys = self.keys();
        assert_eq!(keys.len(), 1, "{keys:?} {entry:?}");
        assert_eq!(keys[0].comment.as_deref(), Some("Exports. SEC-1"));
        assert_eq!(
            (keys[0].roles.as_slice(), KeyId::new(keys[0].id)),
            (&["Viewer".to_owned()][..], entry.id)
        );
        assert_ne!(keys[0].id, self.old.get());
        assert_eq!(self.in_file().and_then(KeyId::new), entry.id);
        let read = self.admin.scope(KeyId::new(keys[0].id).unwrap()).unwrap().unwrap();
        assert_eq!(ObservedScope::from(&read), ObservedScope::from(&scope()));
        assert!(entry.pending.is_none() && entry.retiring.is_empty(), "{entry:?}");
        assert_eq!(fs::read_dir(self.folder.path()).unwrap().count(), 1);
    }
}

fn client(tenant: &Tenant, signer: Signer) -> Client {
    let options = ClientOptions {
        retry: Retry::NEVER,
        timeout: Duration::from_secs(5),
        ..ClientOptions::default()
    };
    Client::new(tenant.url().parse().unwrap(), signer, options)
}

fn scope() -> ScopeWrite {
    serde_json::from_value(json!({
        "assets": { "mode": "see_all" },
        "cases_issues": { "mode": "scope", "names": ["Security"] },
        "endpoints": { "endpoint_groups": { "mode": "no_scope" }, "endpoint_tags": { "mode": "no_scope" } },
    }))
    .unwrap()
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    u64::try_from(since.as_millis()).unwrap()
}

fn new_key() -> NewKey {
    NewKey {
        owner: None,
        name: Some("svc-export".into()),
        roles: vec!["Viewer".into()],
        level: Level::Advanced,
        comment: Some("Exports. SEC-1".into()),
        expiration_ms: Some(now_ms() + 3_600_000),
        scope: Some(scope()),
    }
}

/// Stores the state in memory, and fails at one save.
struct Memory {
    saved: RefCell<Option<LockedKey>>,
    saves: Cell<usize>,
    fails_at: Option<usize>,
}

/// Delivers to a sink, and deletes the old key without a grace period.
fn at_once(sink: &Sink) -> KeyDelivery<'_> {
    KeyDelivery { sink, grace_ms: 0, now_ms: now_ms() }
}

impl Memory {
    fn new(fails_at: Option<usize>) -> Self {
        Self { saved: RefCell::new(None), saves: Cell::new(0), fails_at }
    }
}

impl RenewalJournal for &Memory {
    fn save(&mut self, entry: &LockedKey) -> Result<(), LockFileError> {
        self.saves.set(self.saves.get() + 1);
        if self.fails_at == Some(self.saves.get()) {
            let error = std::io::ErrorKind::StorageFull.into();
            return Err(LockFileError::Write { path: "here".into(), error });
        }
        *self.saved.borrow_mut() = Some(entry.clone());
        Ok(())
    }
}

#[test]
fn a_key_is_replaced_stepwise_with_a_grace_period() {
    let world = World::new();
    let steps = RefCell::new(Vec::new());
    let on_step = |step| steps.borrow_mut().push(step);
    let renewal = Renewal { client: &world.admin, on_step: &on_step };
    let mut entry = world.entry();
    let memory = Memory::new(None);
    let now_ms = now_ms();
    let sink = world.sink();
    let delivery = KeyDelivery { grace_ms: 60_000, now_ms, ..at_once(&sink) };
    renewal.run(&mut entry, &new_key(), &delivery, &mut &memory).unwrap();
    let id = entry.id.unwrap();
    assert_eq!(
        *steps.borrow(),
        [
            RenewalStep::Generated(id),
            RenewalStep::Scoped(id),
            RenewalStep::Checked(id),
            RenewalStep::Delivered(id),
            RenewalStep::InPlace(id)
        ]
    );
    // Both keys exist; the grace period is not over.
    assert_eq!(world.in_file(), Some(id.get()));
    renewal.retire(&mut entry, now_ms + 59_999, &mut &memory).unwrap();
    assert_eq!(world.keys().len(), 2);
    renewal.retire(&mut entry, now_ms + 60_000, &mut &memory).unwrap();
    assert_eq!(memory.saved.borrow().as_ref(), Some(&entry));
    world.check_done(&entry);
}

#[test]
fn the_next_run_finishes_after_an_unwritable_state() {
    for fails_at in 1.. {
        let world = World::new();
        let sink = world.sink();
        let renewal = Renewal { client: &world.admin, on_step: &|_| {} };
        let memory = Memory::new(Some(fails_at));
        let mut entry = world.entry();
        let first = renewal
            .run(&mut entry, &new_key(), &at_once(&sink), &mut &memory)
            .and_then(|_| renewal.retire(&mut entry, now_ms() + 1, &mut &memory));
        let is_last = memory.saves.get() < fails_at;
        assert_eq!(first.is_ok(), is_last, "{fails_at}: {first:?}");
        assert!(world.in_file().is_some(), "{fails_at}: nobody has a key that works");
        // The next run has the state on disk, not the first run's memory.
        let mut entry = memory.saved.borrow().clone().unwrap_or_else(|| world.entry());
        let memory = Memory::new(None);
        if entry.pending.is_some() || entry.id == Some(world.old) {
            renewal.run(&mut entry, &new_key(), &at_once(&sink), &mut &memory).unwrap();
        }
        renewal.retire(&mut entry, now_ms() + 1, &mut &memory).unwrap();
        world.check_done(&entry);
        if is_last {
            assert!(fails_at > 4, "{fails_at}");
            break;
        }
    }
}

#[test]
fn a_failing_sink_loses_the_new_key_and_not_the_old_one() {
    let world = World::new();
    let program = |argv: &[&str]| {
        let argv = argv.iter().map(|part| (*part).to_owned()).collect();
        Sink::Command(Program::new(argv, Duration::from_millis(300)).unwrap())
    };
    for (sink, made) in [
        (program(&["false"]), true),
        (program(&["/nonexistent/program"]), false),
        (Sink::Folder(world.folder.path().join("none")), false),
    ] {
        let steps = Cell::new(0);
        let on_step = |_| steps.set(steps.get() + 1);
        let renewal = Renewal { client: &world.admin, on_step: &on_step };
        let mut entry = world.entry();
        let error = renewal
            .run(&mut entry, &new_key(), &at_once(&sink), &mut &Memory::new(None))
            .unwrap_err();
        assert!(matches!(error, RenewError::Sink(_)), "{error:?}");
        assert_eq!(steps.get() > 0, made, "{error}");
        assert_eq!(entry, world.entry());
        assert_eq!((world.keys().len(), world.in_file()), (1, Some(world.old.get())));
    }
}

#[test]
fn a_key_that_differs_from_the_request_is_not_kept() {
    let world = World::new();
    let mut scope = scope();
    // The tenant refuses names that it does not have.
    scope.cases_issues.names = vec!["Nonsense".into()];
    let sink = world.sink();
    let renewal = Renewal { client: &world.admin, on_step: &|_| {} };
    let mut entry = world.entry();
    let new = NewKey { scope: Some(scope), ..new_key() };
    let error =
        renewal.run(&mut entry, &new, &at_once(&sink), &mut &Memory::new(None)).unwrap_err();
    wording!(error.to_string());
    assert_eq!((world.keys().len(), world.in_file()), (1, Some(world.old.get())));
    assert_eq!(entry, world.entry());
}

#[test]
fn a_name_cannot_escape_its_folder() {
    let world = World::new();
    let argv = ["true", "secret/{name}"].map(str::to_owned).to_vec();
    let command = Sink::Command(Program::new(argv, Duration::from_secs(10)).unwrap());
    for sink in [command, Sink::Folder(world.folder.path().to_owned())] {
        for name in ["../other", "-rf", ".hidden", "a/b", "a b", "a\u{202e}b"] {
            let renewal = Renewal { client: &world.admin, on_step: &|_| {} };
            let new = NewKey { name: Some(name.into()), ..new_key() };
            let mut entry = LockedKey::default();
            let error = renewal
                .run(&mut entry, &new, &at_once(&sink), &mut &Memory::new(None))
                .unwrap_err();
            let is_of_name = matches!(&error, RenewError::Sink(SinkError::Name));
            assert!(is_of_name, "{error:?}");
        }
    }
    assert_eq!(world.keys().len(), 1);
}

#[test]
fn a_program_gets_the_key_and_what_it_is_called() {
    let world = World::new();
    let out = world.folder.path().join("out");
    let script =
        "cat > \"$1\"; printf %s \"$2 $CORTEXKEY_NEW_KEY_NAME $CORTEXKEY_NEW_KEY_LEVEL\" >> \"$1\"";
    let argv = ["sh", "-c", script, "sh", out.to_str().unwrap(), "{name}/{key_id}"];
    let argv = argv.iter().map(|part| (*part).to_owned()).collect();
    let sink = Sink::Command(Program::new(argv, Duration::from_secs(10)).unwrap());
    let renewal = Renewal { client: &world.admin, on_step: &|_| {} };
    let mut entry = LockedKey::default();
    renewal.run(&mut entry, &new_key(), &at_once(&sink), &mut &Memory::new(None)).unwrap();
    let text = fs::read_to_string(&out).unwrap();
    let id = entry.id.unwrap();
    assert_eq!(&text[128..], format!("svc-export/{id} svc-export advanced"));
}

#[test]
fn the_key_that_signs_the_calls_is_never_deleted() {
    let world = World::new();
    let renewal = Renewal { client: &world.admin, on_step: &|_| {} };
    let second = KeyId::new(2).unwrap();
    let retiring = [second, world.old].map(|id| Retiring { id, after_ms: 0 }).to_vec();
    let mut entry = LockedKey { id: KeyId::new(99), retiring, ..LockedKey::default() };
    renewal.retire(&mut entry, u64::MAX, &mut &Memory::new(None)).unwrap();
    assert_eq!(entry.retiring, [Retiring { id: second, after_ms: 0 }]);
    assert!(world.keys().is_empty() && world.admin.ping().is_ok());
}

/// Every call is interrupted in every way, before and after its effect, once and permanently.
#[test]
fn a_rotation_that_fails_at_any_call_is_finished_by_the_next_run() {
    let paths = [
        "/public_api/v1/api_keys/generate",
        "/platform/iam/v1/scope",
        "/public_api/v1/api_keys/get_api_keys",
        "/api_keys/validate",
        "/public_api/v1/api_keys/delete",
    ];
    let kinds = [FaultKind::Reset, FaultKind::Truncated, FaultKind::status(500)];
    let rotate = |world: &World, entry: &mut LockedKey| {
        let sink = world.sink();
        let renewal = Renewal { client: &world.admin, on_step: &|_| {} };
        let memory = Memory::new(None);
        let is_new = entry.pending.is_some() || entry.id == Some(world.old);
        let run = is_new
            .then(|| renewal.run(entry, &new_key(), &at_once(&sink), &mut &memory))
            .transpose();
        run.and_then(|_| renewal.retire(entry, u64::MAX, &mut &memory))
    };
    for path in paths {
        for kind in &kinds {
            for (after, times) in [(false, Some(1)), (true, Some(1)), (true, Some(2)), (true, None)]
            {
                let what = format!("{path} {kind:?} after={after} times={times:?}");
                let world = World::new();
                let tried = path;
                let path = path.to_owned();
                let kind = kind.clone();
                world.tenant.set_faults(vec![Fault { kind, times, path, after }]).unwrap();
                let mut entry = world.entry();
                let first = rotate(&world, &mut entry);
                // A key that is gone counts as gone, whatever the response.
                let is_seen = tried == "/public_api/v1/api_keys/delete";
                assert!(first.is_err() || is_seen, "{what}");
                world.tenant.set_faults(Vec::new()).unwrap();
                assert!(world.in_file().is_some(), "{what}: nobody has a key that works");
                rotate(&world, &mut entry).unwrap();
                world.check_done(&entry);
            }
        }
    }
}

/// An edit replaces the level too. A list that shows another one at that moment changes nothing.
#[test]
fn an_edit_keeps_the_level_of_the_definition() {
    let world = World::new();
    let text = "apiVersion: cortexkey/v1\nkind: ApiKey\nmetadata: { name: svc }\n\
                spec: { securityLevel: advanced, roles: [Viewer], comment: Imports, lifetime: 7d }\n";
    let tree = parse(text, &YamlLimits::default()).tree;
    let definition = definition::read(&tree, tree.documents()[0]).definition.unwrap();
    let desired = [Desired::from_definition(&definition, &[], None, "svc.yaml", 1).unwrap()];
    let host = world.admin.address().host().to_owned();
    let keys = world.admin.all_keys(&[]).unwrap();
    let keys = keys.into_iter().map(|record| (record.id, record)).collect();
    let state = TenantState { host: host.clone(), keys, ..TenantState::default() };
    let locked =
        LockedTenant { host: host.clone(), keys: [("svc".to_owned(), world.entry())].into() };
    let options = PlanOptions { now_ms: now_ms(), rotate_before_ms: 0, prune: false };
    let plan = Plan::new("eu", &desired, &[], Some(&locked), &state, &options);
    let kinds: Vec<_> = plan.actions.iter().map(|action| action.action).collect();
    assert_eq!(kinds, [ActionKind::Edit], "{plan:?}");
    let level = SecurityLevel::Standard;
    let roles = vec![RoleName::new("Viewer")];
    let edit = KeyEdit { roles, level, comment: CommentEdit::Keep };
    world.admin.edit_key(world.old, &edit).unwrap();
    let mut lock = LockFile::hold(&world.folder.path().join("cortexkey.lock")).unwrap();
    lock.set("eu", &host, "svc", Some(world.entry())).unwrap();
    let renewal = Renewal { client: &world.admin, on_step: &|_| {} };
    let now_ms = now_ms();
    let mut apply =
        Apply { renewal, sink: None, lock: &mut lock, tenant: "eu", grace_ms: 0, now_ms };
    apply.carry_out(&plan.actions[0], &desired).unwrap();
    let keys = world.keys();
    assert_eq!(keys[0].security_level, SecurityLevel::Advanced);
    assert_eq!(keys[0].comment.as_deref(), Some("Imports"));
}
