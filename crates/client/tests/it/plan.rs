//! Plans from definitions, a lock file and the state of a tenant, without a tenant.

use std::collections::BTreeMap;

use cortexkey_api::api_keys::{ApiKeyRecord, SecurityLevel};
use cortexkey_client::{ActionKind, Desired, Plan, PlanOptions, TenantState};
use cortexkey_core::auth::KeyId;
use cortexkey_manifest::lock::{LockedKey, LockedTenant, PendingKey, Retiring};
use cortexkey_manifest::yaml::{YamlLimits, parse};
use cortexkey_manifest::{definition, policy};
use serde_json::json;

const DAY_MS: u64 = 24 * 60 * 60 * 1000;
const NOW_MS: u64 = 1_790_000_000_000;

fn desired(spec: &str) -> Desired {
    let text = format!(
        "apiVersion: cortexkey/v1\nkind: ApiKey\nmetadata: {{ name: svc }}\nspec: {{ {spec} }}\n"
    );
    let tree = parse(&text, &YamlLimits::default()).tree;
    let lowered = definition::read(&tree, tree.documents()[0]);
    assert!(lowered.problems.is_empty(), "{text}: {:?}", lowered.problems);
    Desired::from_definition(&lowered.definition.unwrap(), &[], None, "svc.yaml", 1).unwrap()
}

fn record(id: u64, left_ms: Option<i64>, life_ms: u64) -> ApiKeyRecord {
    let expiration = left_ms.map(|left| NOW_MS.saturating_add_signed(left));
    ApiKeyRecord {
        id,
        creation_time: expiration.map(|ms| ms - life_ms),
        created_by: None,
        user_name: None,
        roles: vec!["Viewer".into()],
        security_level: SecurityLevel::Advanced,
        comment: None,
        expiration,
    }
}

fn state(records: Vec<ApiKeyRecord>) -> TenantState {
    let keys: BTreeMap<u64, ApiKeyRecord> =
        records.into_iter().map(|record| (record.id, record)).collect();
    TenantState { host: "api-x".into(), own: Some(2), keys, ..TenantState::default() }
}

fn key_id(id: u64) -> KeyId {
    KeyId::new(id).unwrap()
}

fn locked(entry: LockedKey) -> LockedTenant {
    LockedTenant { host: "api-x".into(), keys: [("svc".to_owned(), entry)].into() }
}

fn plan(desired: &[Desired], locked: Option<&LockedTenant>, state: &TenantState) -> Plan {
    let options = PlanOptions { now_ms: NOW_MS, rotate_before_ms: 30 * DAY_MS, prune: false };
    Plan::new("eu", desired, &[], locked, state, &options)
}

/// The action for the only key.
fn kinds(spec: &str, record: ApiKeyRecord) -> Vec<ActionKind> {
    let entry = LockedKey { id: KeyId::new(record.id), ..LockedKey::default() };
    let plan = plan(&[desired(spec)], Some(&locked(entry)), &state(vec![record]));
    plan.actions.iter().map(|action| action.action).collect()
}

const SPEC: &str = "securityLevel: advanced, roles: [Viewer]";

#[test]
fn expiries_are_compared_with_the_tenant() {
    let day = |days: i64| days * 86_400_000;
    let at = |ms: u64| {
        let time = jiff::Timestamp::from_millisecond(i64::try_from(ms).unwrap()).unwrap();
        format!("{SPEC}, expires: \"{time}\"")
    };
    let lifetime = |text: &str| format!("{SPEC}, lifetime: {text}");
    let of = |left: i64, life: u64| record(7, Some(left), life);
    let never = || record(7, None, 0);
    let expected = NOW_MS + 50 * DAY_MS;
    for (spec, record, kinds) in [
        // A third of the lifetime, or thirty days before its expiry.
        (lifetime("90d"), of(day(31), 90 * DAY_MS), vec![]),
        (lifetime("90d"), of(day(30), 90 * DAY_MS), vec![ActionKind::Replace]),
        (lifetime("30d"), of(day(11), 30 * DAY_MS), vec![]),
        (lifetime("30d"), of(day(10), 30 * DAY_MS), vec![ActionKind::Replace]),
        (lifetime("180d"), of(day(31), 180 * DAY_MS), vec![]),
        // Two clocks determine the difference between the requested and the actual lifetime.
        (lifetime("90d"), of(day(80), 90 * DAY_MS - 600_000), vec![]),
        (lifetime("90d"), of(day(80), 90 * DAY_MS + 600_000), vec![]),
        (lifetime("90d"), of(day(80), 91 * DAY_MS), vec![ActionKind::Replace]),
        (lifetime("90d"), never(), vec![ActionKind::Replace]),
        (lifetime("90d"), of(0, 90 * DAY_MS), vec![ActionKind::Replace]),
        (lifetime("200d"), of(day(10), 200 * DAY_MS), vec![ActionKind::Refuse]),
        (at(expected), of(day(50), 90 * DAY_MS), vec![]),
        (at(expected), of(day(50) - 999, 90 * DAY_MS), vec![]),
        (at(expected), of(day(50) - 2000, 90 * DAY_MS), vec![ActionKind::Replace]),
        (at(expected), never(), vec![ActionKind::Replace]),
        (at(NOW_MS - DAY_MS), of(day(-1), 90 * DAY_MS), vec![ActionKind::Refuse]),
        (format!("{SPEC}, expires: never"), never(), vec![]),
        (format!("{SPEC}, expires: never"), of(day(50), 90 * DAY_MS), vec![ActionKind::Refuse]),
    ] {
        assert_eq!(self::kinds(&spec, record.clone()), kinds, "{spec} {record:?}");
    }
}

#[test]
fn a_rotation_that_is_due_widens_nothing_and_a_longer_life_does() {
    let of = |spec: &str, record: ApiKeyRecord| {
        let entry = LockedKey { id: KeyId::new(7), ..LockedKey::default() };
        let plan = plan(&[desired(spec)], Some(&locked(entry)), &state(vec![record]));
        let action = plan.actions.into_iter().next().unwrap();
        action.widens.into_iter().map(|gain| gain.code).collect::<Vec<_>>()
    };
    let day = 86_400_000;
    let due = record(7, Some(10 * day), 90 * DAY_MS);
    assert_eq!(of(&format!("{SPEC}, lifetime: 90d"), due.clone()), Vec::<&str>::new());
    assert_eq!(of(&format!("{SPEC}, lifetime: 60d"), due.clone()), Vec::<&str>::new());
    assert_eq!(of(&format!("{SPEC}, lifetime: 120d"), due.clone()), ["lifetime-longer"]);
    let weaker = "securityLevel: standard, roles: [Viewer], lifetime: 90d";
    assert_eq!(of(weaker, due), ["level-weakened"]);
}

#[test]
fn roles_that_others_bring_are_no_gain() {
    let text = "apiVersion: cortexkey/v1\nkind: Policy\nmetadata: { name: x }\ncatalog:\n  roles: \
                [{ name: Break Glass, implies: [Responder] }]\n";
    let tree = parse(text, &YamlLimits::default()).tree;
    let file = policy::read(&tree, tree.documents()[0]).policy.unwrap();
    let catalog: Vec<_> = file.catalog.roles.iter().collect();
    let text = "apiVersion: cortexkey/v1\nkind: ApiKey\nmetadata: { name: svc }\nspec: { \
                securityLevel: advanced, roles: [Break Glass], lifetime: 90d, comment: new }\n";
    let tree = parse(text, &YamlLimits::default()).tree;
    let lowered = definition::read(&tree, tree.documents()[0]).definition.unwrap();
    let desired = Desired::from_definition(&lowered, &catalog, None, "svc.yaml", 1).unwrap();
    let mut has = record(7, Some(80 * 86_400_000), 90 * DAY_MS);
    has.roles = vec!["Break Glass".into()];
    let entry = LockedKey { id: KeyId::new(7), ..LockedKey::default() };
    let options = PlanOptions { now_ms: NOW_MS, rotate_before_ms: 0, prune: false };
    let locked = locked(entry);
    let plan = Plan::new("eu", &[desired], &catalog, Some(&locked), &state(vec![has]), &options);
    assert_eq!(plan.actions.len(), 1);
    assert_eq!((plan.actions[0].action, plan.actions[0].widens.len()), (ActionKind::Edit, 0));
    assert!(!plan.actions[0].needs_confirmation());
}

#[test]
fn keys_in_progress_are_neither_unmanaged_nor_lost() {
    let spec = format!("{SPEC}, lifetime: 90d");
    let keys = [3, 4, 5, 6].map(|id| record(id, Some(80 * 86_400_000), 90 * DAY_MS)).to_vec();
    let entry = LockedKey {
        id: KeyId::new(3),
        pending: Some(PendingKey {
            expires_ms: 1,
            request_digest: String::new(),
            by: key_id(1),
            besides: Vec::new(),
            id: KeyId::new(4),
            delivering: false,
        }),
        retiring: vec![Retiring { id: key_id(5), after_ms: NOW_MS }],
        applied: Some("v2-00".into()),
        ..LockedKey::default()
    };
    let with = plan(&[desired(&spec)], Some(&locked(entry.clone())), &state(keys.clone()));
    let unmanaged: Vec<u64> = with.unmanaged.iter().map(|key| key.id).collect();
    assert_eq!(unmanaged, [6]);
    assert_eq!(with.actions.iter().map(|a| a.action).collect::<Vec<_>>(), [ActionKind::Retire]);
    assert!(with.notes[0].contains("interrupted"));
    // Without its definition, all of its keys are deleted.
    let without = plan(&[], Some(&locked(entry)), &state(keys));
    assert_eq!(without.actions.iter().map(|a| a.action).collect::<Vec<_>>(), [ActionKind::Delete]);
    assert!(without.actions[0].needs_confirmation());
}

#[test]
fn the_signing_key_is_deleted_last_and_never_alone() {
    let spec = format!("{SPEC}, lifetime: 90d");
    let own = LockedKey { id: KeyId::new(2), ..LockedKey::default() };
    let keys = vec![record(2, Some(10 * 86_400_000), 90 * DAY_MS)];
    let plan_of = |definitions: &[Desired]| {
        plan(definitions, Some(&locked(own.clone())), &state(keys.clone()))
    };
    let replaced = plan_of(&[desired(&spec)]);
    assert_eq!(replaced.actions[0].action, ActionKind::Replace);
    let dropped = plan_of(&[]);
    assert_eq!(dropped.actions[0].action, ActionKind::Refuse);
    assert!(dropped.refuses());
    // It is not retired either, although others are.
    let retiring = [2, 4].map(|id| Retiring { id: key_id(id), after_ms: NOW_MS }).to_vec();
    let entry = LockedKey { id: KeyId::new(3), retiring, ..LockedKey::default() };
    let keys = [2, 3, 4].map(|id| record(id, Some(80 * 86_400_000), 90 * DAY_MS)).to_vec();
    let retired = plan(&[desired(&spec)], Some(&locked(entry)), &state(keys));
    let kinds: Vec<_> = retired.actions.iter().map(|action| action.action).collect();
    assert_eq!(kinds[..2], [ActionKind::Refuse, ActionKind::Retire]);
    assert!(retired.actions[0].reason.contains("key 2"), "{retired:?}");
    assert!(retired.actions[1].reason.contains("key 4"), "{retired:?}");
}

#[test]
fn pruning_keeps_system_keys_the_own_key_and_the_last_administrator() {
    let with =
        |id, role: &str| ApiKeyRecord { roles: vec![role.to_owned()], ..record(id, None, 0) };
    let system = ApiKeyRecord { user_name: Some("System".to_owned()), ..with(6, "Viewer") };
    let admins = [with(7, "Instance Administrator"), with(8, "Account Admin")];
    let others = [with(4, "Viewer"), with(5, "App Service Account"), system];
    let pruned = |own: ApiKeyRecord| {
        let records = [own].into_iter().chain(admins.clone()).chain(others.clone()).collect();
        let options = PlanOptions { now_ms: NOW_MS, rotate_before_ms: 0, prune: true };
        let plan = Plan::new("eu", &[], &[], None, &state(records), &options);
        assert!(plan.actions.iter().all(|action| action.action == ActionKind::Delete));
        plan.actions.iter().filter_map(|action| action.id).collect::<Vec<_>>()
    };
    // The key that signs is an administrator's, so that one is left.
    assert_eq!(pruned(with(2, "Instance Administrator")), [4, 7, 8]);
    assert_eq!(pruned(with(2, "Key maker")), [4]);
}

#[test]
fn pruning_keeps_keys_whose_roles_are_not_known() {
    let with = |id, roles: &[&str]| ApiKeyRecord {
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        user_name: Some("Ada".to_owned()),
        ..record(id, None, 0)
    };
    let records = vec![
        with(2, &["Instance Administrator"]),
        with(4, &["viewer"]),
        with(5, &[]),
        with(6, &["r_5599"]),
        with(7, &["Viewer", "r_7f3a"]),
    ];
    let options = PlanOptions { now_ms: NOW_MS, rotate_before_ms: 0, prune: true };
    let pruned = |roles: Option<Vec<String>>| {
        let state = TenantState { roles, ..state(records.clone()) };
        let plan = Plan::new("eu", &[], &[], None, &state, &options);
        plan.actions.iter().filter_map(|action| action.id).collect::<Vec<_>>()
    };
    let known = ["Viewer", "Instance Administrator", "App Service Account"].map(str::to_owned);
    assert_eq!(pruned(Some(known.into())), [4]);
    // A tenant that does not say which roles it has.
    assert_eq!(pruned(None), [4, 6, 7]);
}

/// They differ only in their ids.
#[test]
fn another_asset_group_of_the_same_name_is_a_change() {
    let groups = [1, 2].map(|id| {
        let group = json!({ "XDM.ASSET_GROUP.ID": id, "XDM.ASSET_GROUP.NAME": "twin" });
        serde_json::from_value(group).unwrap()
    });
    let none = json!({ "mode": "no_scope", "tags": [] });
    let scope = json!({
        "assets": {
            "mode": "scope",
            "asset_groups": [{ "asset_group_id": 1, "asset_group_name": "twin" }],
        },
        "cases_issues": none,
        "endpoints": { "endpoint_groups": none, "endpoint_tags": none },
    });
    let has = record(7, Some(80 * 86_400_000), 90 * DAY_MS);
    let state = TenantState {
        asset_groups: groups.into(),
        scopes: [(7, Some(serde_json::from_value(scope).unwrap()))].into(),
        ..state(vec![has])
    };
    let changes = |id: u64| {
        let spec = format!(
            "{SPEC}, lifetime: 90d, scope: {{ assets: {{ mode: select, groups: [{{ name: twin, id: \
             {id} }}] }}, casesAndIssues: {{ mode: none }}, endpoints: {{ mode: none }} }}"
        );
        let entry = LockedKey { id: KeyId::new(7), ..LockedKey::default() };
        let plan = plan(&[desired(&spec)], Some(&locked(entry)), &state);
        let kinds: Vec<_> = plan.actions.iter().map(|action| action.action).collect();
        let fields: Vec<_> =
            plan.actions.iter().flat_map(|action| &action.changes).map(|c| c.field).collect();
        (kinds, fields)
    };
    assert_eq!(changes(1), (vec![], vec![]));
    assert_eq!(changes(2), (vec![ActionKind::Scope], vec!["assets"]));
}

/// Neither roles nor a user: it may be the product's, whatever the lock file says.
#[test]
fn a_key_that_cannot_be_recognised_is_not_deleted_with_its_definition() {
    let kinds = |user_name: Option<&str>| {
        let key = ApiKeyRecord {
            roles: Vec::new(),
            user_name: user_name.map(str::to_owned),
            ..record(7, None, 0)
        };
        let entry = LockedKey {
            id: KeyId::new(7),
            applied: Some("v2-x".to_owned()),
            ..LockedKey::default()
        };
        let plan = plan(&[], Some(&locked(entry)), &state(vec![key]));
        plan.actions.iter().map(|action| action.action).collect::<Vec<_>>()
    };
    assert_eq!(kinds(None), [ActionKind::Refuse]);
    assert_eq!(kinds(Some("Public API - 2")), [ActionKind::Delete]);
}

/// A tenant may leave out when a key was generated.
#[test]
fn a_lifetime_is_compared_with_what_is_left_where_its_start_is_unknown() {
    let kinds = |left_days: i64| {
        let has = record(7, Some(left_days * 86_400_000), 0);
        kinds(&format!("{SPEC}, lifetime: 90d"), ApiKeyRecord { creation_time: None, ..has })
    };
    assert_eq!(kinds(90), []);
    assert_eq!(kinds(50), []);
    assert_eq!(kinds(20), [ActionKind::Replace]);
    assert_eq!(kinds(120), [ActionKind::Replace]);
}

/// An id in a lock file is only a number: a merge or an edit may have put that of such a key there.
#[test]
fn a_key_of_the_product_is_not_changed_because_a_lock_file_names_it() {
    let of_role = ApiKeyRecord { roles: vec!["App Service Account".into()], ..record(7, None, 0) };
    let of_user = ApiKeyRecord { user_name: Some("System".into()), ..record(7, None, 0) };
    let spec = |level: &str, role: &str, comment: &str| {
        vec![desired(&format!(
            "securityLevel: {level}, roles: [{role}], comment: {comment}, lifetime: 90d"
        ))]
    };
    let entries = [
        LockedKey { id: KeyId::new(7), ..LockedKey::default() },
        LockedKey { doubtful: vec![key_id(7)], ..LockedKey::default() },
        LockedKey {
            retiring: vec![Retiring { id: key_id(7), after_ms: 0 }],
            ..LockedKey::default()
        },
    ];
    for system in [of_role, of_user] {
        let state = state(vec![system]);
        // The definition is gone.
        for entry in &entries {
            let plan = plan(&[], Some(&locked(entry.clone())), &state);
            assert_eq!(plan.actions.len(), 1, "{plan:?}");
            assert_eq!(plan.actions[0].action, ActionKind::Refuse, "{plan:?}");
            assert!(plan.actions[0].changes.is_empty(), "{plan:?}");
        }
        // It differs from the key.
        for differs in [
            spec("standard", "Viewer", "ci"),
            spec("advanced", "Viewer", "ci"),
            spec("advanced", "Responder", "x"),
        ] {
            let plan = plan(&differs, Some(&locked(entries[0].clone())), &state);
            let kinds: Vec<_> = plan.actions.iter().map(|action| action.action).collect();
            assert_eq!(kinds, [ActionKind::Refuse], "{plan:?}");
        }
        // A grace period is over.
        let plan =
            plan(&spec("advanced", "Viewer", "ci"), Some(&locked(entries[2].clone())), &state);
        let kinds: Vec<_> = plan.actions.iter().map(|action| action.action).collect();
        assert_eq!(kinds, [ActionKind::Refuse, ActionKind::Generate], "{plan:?}");
    }
}

/// An entry can be written by hand, before its definition is there.
#[test]
fn a_key_whose_definition_was_never_applied_is_not_deleted() {
    let keys = || state(vec![record(7, Some(80 * 86_400_000), 90 * DAY_MS)]);
    let kinds = |entry: LockedKey| -> Vec<ActionKind> {
        let plan = plan(&[], Some(&locked(entry)), &keys());
        plan.actions.iter().map(|action| action.action).collect()
    };
    let entry = LockedKey { id: KeyId::new(7), ..LockedKey::default() };
    let applied = Some("v2-00".to_owned());
    assert_eq!(kinds(LockedKey { applied, ..entry.clone() }), [ActionKind::Delete]);
    assert_eq!(kinds(entry), [ActionKind::Refuse]);
    let gone = LockedKey { id: KeyId::new(8), ..LockedKey::default() };
    assert_eq!(kinds(gone), [ActionKind::Forget]);
}

#[test]
fn an_unreadable_key_is_not_treated_as_deleted() {
    let entry = LockedKey { id: KeyId::new(7), ..LockedKey::default() };
    let unclear = TenantState { unclear: [7].into(), ..state(Vec::new()) };
    let spec = format!("{SPEC}, lifetime: 90d");
    for desired in [vec![desired(&spec)], Vec::new()] {
        let plan = plan(&desired, Some(&locked(entry.clone())), &unclear);
        let kinds: Vec<ActionKind> = plan.actions.iter().map(|action| action.action).collect();
        assert_eq!(kinds, [ActionKind::Refuse]);
    }
}
