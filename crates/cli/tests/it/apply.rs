//! `cortexkey import`, `plan` and `apply` against a tenant.

#![allow(clippy::format_push_string, reason = "text for people, a few lines of it")]

use std::fs;

use cortexkey_api::api_key::CommentEdit;
use cortexkey_api::api_keys::SecurityLevel;
use cortexkey_api::role::RoleName;
use cortexkey_client::{KeyEdit, ObservedScope};
use cortexkey_core::auth::KeyId;
use serde_json::Value;

use crate::common::definitions::{POLICY, World, git, without_times};
use crate::common::{Tenant, finish};

const EXPORT: &str =
    "securityLevel: advanced; comment: Exports. SEC-1; lifetime: 90d; roles: [Viewer]";
const SCOPE: &str = "  scope:
    assets: { mode: select, groups: [prod-eu] }
    casesAndIssues: { mode: select, domains: [Security], unreferenced: false }
    endpoints: { mode: select, groups: [servers-eu] }
";

#[test]
fn an_apply_generates_defined_keys_once() {
    let world = World::new();
    world.define("svc-export", EXPORT, SCOPE);
    world.define("svc-plain", "securityLevel: standard; lifetime: 30d; roles: [Viewer]", "");
    let mut all = format!("before\n{}\n", world.plan());
    assert!(world.keys().is_empty() && world.lock().is_empty());
    // There is no terminal to ask on, and a new key widens access.
    let refused = world.run(&["apply"]);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(world.keys().is_empty() && world.lock().is_empty());

    let applied = world.run(&["apply", "--yes"]);
    assert_eq!(applied.code, 0, "{applied:?}");
    all += &format!("apply\n{}", applied.stderr.replace(&world.url, "URL"));
    let keys = world.keys();
    assert_eq!(keys.len(), 2);
    assert_eq!(keys[0].comment.as_deref(), Some("Exports. SEC-1"));
    let life = keys[0].expiration.unwrap() - keys[0].creation_time.unwrap();
    assert!(life.abs_diff(90 * 86_400_000) < 60_000, "{life}");
    for (name, key) in [("svc-export", &keys[0]), ("svc-plain", &keys[1])] {
        assert_eq!(world.in_place(name), Some(key.id));
    }
    let lock = world.lock();
    assert!(
        lock.contains("svc-export: { id: 3, applied: ") && lock.contains("unreferenced: false")
    );
    assert!(!lock.contains(&fs::read_to_string(world.path("secrets/svc-export")).unwrap()));

    all += &format!("\nafter\n{}", world.plan());
    assert_eq!(world.run(&["plan", "--exit-code"]).code, 0);
    // Without confirmation: there is nothing to confirm.
    world.good(&["apply"]);
    assert_eq!((world.keys(), world.lock()), (keys, lock));
    insta::assert_snapshot!(all);
}

#[test]
fn edits_scopes_and_drift_are_distinguished() {
    let world = World::new();
    world.define("svc-export", EXPORT, SCOPE);
    world.define("svc-other", &EXPORT.replace("SEC-1", "SEC-2"), SCOPE);
    world.good(&["apply", "--yes"]);
    // The definition becomes narrower, which needs no confirmation.
    world.define(
        "svc-export",
        &EXPORT.replace("SEC-1", "SEC-9"),
        &SCOPE.replace("mode: select, groups: [servers-eu]", "mode: none"),
    );
    // The key in the tenant becomes wider.
    let roles = ["Viewer", "Responder"].map(RoleName::new).to_vec();
    let edit = KeyEdit { roles, level: SecurityLevel::Advanced, comment: CommentEdit::Keep };
    world.admin.edit_key(KeyId::new(4).unwrap(), &edit).unwrap();
    let mut all = format!("narrower, and drift\n{}\n", world.plan());
    world.good(&["apply"]);
    assert_eq!(world.keys()[1].roles, ["Viewer"]);
    assert_eq!(world.run(&["plan", "--exit-code"]).code, 0);

    // Wider again, by the definition, and by what the tenant does not return.
    let wider = SCOPE
        .replace("[prod-eu]", "[prod-eu, prod-us]")
        .replace("unreferenced: false", "unreferenced: true");
    world.define("svc-export", &EXPORT.replace("[Viewer]", "[Viewer, Responder]"), &wider);
    all += &format!("wider\n{}\n", world.plan());
    assert_eq!(world.run(&["apply"]).code, 2, "widening is asked about");
    world.good(&["apply", "--yes"]);
    assert_eq!(world.run(&["plan", "--exit-code"]).code, 0);
    assert!(world.lock().contains("unreferenced: true"));
    let read = world.admin.scope(KeyId::new(3).unwrap()).unwrap().unwrap();
    assert_eq!(read.assets.asset_groups.len(), 2);
    // Both keys are the first ones: nothing was replaced.
    assert_eq!(world.keys().iter().map(|key| key.id).collect::<Vec<_>>(), [3, 4]);
    insta::assert_snapshot!(all);
}

#[test]
fn a_digest_of_version_one_is_replaced_and_plans_nothing() {
    let world = World::new();
    world.define("svc-export", EXPORT, SCOPE);
    world.good(&["apply", "--yes"]);
    let lock = world.lock();
    let (before, after) = lock.split_once("applied: v2-").unwrap();
    let older = format!("{before}applied: 7d609621af4b962c9327ade8ba9851a5{}", &after[32..]);
    fs::write(world.path("cortexkey.lock"), &older).unwrap();
    assert_eq!(world.run(&["plan", "--exit-code"]).code, 0);
    world.good(&["apply"]);
    assert_eq!(world.lock(), lock);
    fs::write(world.path("cortexkey.lock"), &older).unwrap();
    // It is recognised as this definition, so the differences were made in the tenant.
    let edit = KeyEdit {
        roles: vec![RoleName::new("Viewer")],
        level: SecurityLevel::Advanced,
        comment: CommentEdit::Set(None),
    };
    world.admin.edit_key(KeyId::new(3).unwrap(), &edit).unwrap();
    let plan: Value = serde_json::from_str(&world.good(&["plan", "--format", "json"])).unwrap();
    assert_eq!(plan["actions"][0]["drift"], true, "{plan}");
    world.good(&["apply"]);
    assert_eq!(world.lock(), lock);
}

#[test]
fn a_new_expiry_or_level_replaces_the_key_after_a_grace() {
    let world = World::new();
    for name in ["svc-end", "svc-level", "svc-due"] {
        world.define(name, EXPORT, "");
    }
    world.good(&["apply", "--yes"]);
    world.define("svc-end", &EXPORT.replace("90d", "60d"), "");
    world.define("svc-level", &EXPORT.replace("advanced", "standard"), "");
    let mut all = format!("end and level\n{}\n", world.plan());
    assert_eq!(world.run(&["apply"]).code, 2, "replacing is asked about");
    let first = fs::read(world.path("secrets/svc-end")).unwrap();
    world.good(&["apply", "--yes", "--grace", "1h"]);
    assert_ne!(first, fs::read(world.path("secrets/svc-end")).unwrap());
    assert_eq!(world.keys().len(), 5, "old and new live");
    all += &format!("in the grace\n{}\n", world.plan());
    world.good(&["apply"]);
    assert_eq!(world.keys().len(), 5);
    // The grace period is over at the time in the lock file.
    let lock = world.lock();
    let until = lock.split("after: \"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    fs::write(world.path("cortexkey.lock"), lock.replace(&until, "2026-01-01T00:00:00Z")).unwrap();
    all += &format!("after the grace\n{}\n", world.plan());
    assert_eq!(world.run(&["apply"]).code, 2, "deleting is asked about");
    world.good(&["apply", "--yes"]);
    assert_eq!(world.keys().len(), 3);
    assert_eq!(world.run(&["plan", "--exit-code"]).code, 0);
    // Due: as close to its expiry as configured, but never before two thirds of its lifetime.
    assert_eq!(world.run(&["plan", "--rotate-before", "365d", "--exit-code"]).code, 0);
    insta::assert_snapshot!(all);
}

#[test]
fn undefined_keys_are_deleted_if_locked_or_on_request() {
    let world = World::new();
    let unmanaged = world.make("Viewer", "somebody's");
    world.define("svc-export", EXPORT, SCOPE);
    world.define("svc-gone", EXPORT, "");
    world.good(&["apply", "--yes"]);
    world.undefine("svc-gone");
    let mut all = format!("a definition is gone\n{}\n", world.plan());
    assert_eq!(world.run(&["apply"]).code, 2, "deleting is asked about");
    world.good(&["apply", "--yes"]);
    let ids: Vec<u64> = world.keys().iter().map(|key| key.id).collect();
    assert_eq!(ids, [unmanaged.get(), 4]);
    assert!(!world.lock().contains("svc-gone"));

    // A key that was deleted by hand is generated again.
    world.admin.delete_keys(&[KeyId::new(4).unwrap()]).unwrap();
    all += &format!("a key is gone\n{}\n", world.plan());
    world.good(&["apply", "--yes"]);
    assert_eq!(world.in_place("svc-export"), Some(6));

    let pruned = world.run(&["plan", "--prune"]);
    all += &format!("pruning\n{}", without_times(&pruned.stdout));
    world.good(&["apply", "--prune", "--yes"]);
    // The key that signs is never pruned; the other seeded one is.
    let ids: Vec<u64> = world.admin.all_keys(&[]).unwrap().iter().map(|key| key.id).collect();
    assert_eq!(ids, [2, 6]);
    insta::assert_snapshot!(all);
}

#[test]
fn console_only_operations_are_refused() {
    let world = World::new();
    world.define("svc-never", &EXPORT.replace("lifetime: 90d", "expires: never"), "");
    world.define("svc-long", &EXPORT.replace("90d", "365d"), "");
    world.define("svc-role", &EXPORT.replace("Viewer", "Nobody Made This"), "");
    world.define("svc-group", EXPORT, &SCOPE.replace("prod-eu", "no-such-group"));
    world.define("svc-id", EXPORT, &SCOPE.replace("[prod-eu]", "[{ name: prod-eu, id: 17 }]"));
    world.define(
        "svc-unknown",
        EXPORT,
        &SCOPE.replace("unreferenced: false", "unreferenced: unknown"),
    );
    world.define("svc-good", EXPORT, SCOPE);
    let plan = world.plan();
    let applied = world.run(&["apply", "--yes"]);
    assert_eq!(applied.code, 1, "{applied:?}");
    assert_eq!(world.keys().len(), 1);
    assert_eq!(world.in_place("svc-good"), Some(3));
    insta::assert_snapshot!(plan);
    let json = world.run(&["plan", "--format", "json"]);
    let value: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!((json.code, &value["version"]), (1, &1.into()));
    assert_eq!(value["actions"].as_array().unwrap().len(), 6);
    assert!(value["actions"].as_array().unwrap().iter().all(|action| action["action"] == "refuse"));
}

#[test]
fn a_key_that_cannot_be_put_in_place_leaves_nothing_behind() {
    let world = World::new();
    world.define("svc-export", EXPORT, SCOPE);
    // A folder has the file's name.
    fs::create_dir(world.path("secrets/svc-export")).unwrap();
    let failed = world.run(&["apply", "--yes"]);
    assert_eq!(failed.code, 1, "{failed:?}");
    assert!(world.keys().is_empty());
    fs::remove_dir(world.path("secrets/svc-export")).unwrap();
    // The tenant refuses the scope of a key that it has generated.
    world.define("svc-data", EXPORT, &format!("{SCOPE}    datasets: {{ default: none }}\n"));
    let failed = world.run(&["apply", "--yes"]);
    assert_eq!(failed.code, 1, "{failed:?}");
    wording!(failed.stderr);
    assert_eq!(world.keys().len(), 1);
    // A failed key is not in the lock file, which is still valid.
    assert!(!world.lock().contains("svc-data"), "{}", world.lock());
    world.undefine("svc-data");
    assert_eq!(world.run(&["plan", "--exit-code"]).code, 0);
}

#[test]
fn a_reviewed_plan_is_carried_out_and_no_other() {
    let world = World::new();
    world.define("svc-export", EXPORT, SCOPE);
    world.define("svc-other", EXPORT, "");
    let plan = world.good(&["plan", "--format", "json"]);
    fs::write(world.path("plan.json"), &plan).unwrap();
    let planned = ["apply", "--planned", "plan.json"];
    // Somebody changes a definition after the review.
    world.define("svc-other", &EXPORT.replace("Viewer", "Responder"), "");
    let refused = world.run(&planned);
    assert_eq!(refused.code, 1, "{refused:?}");
    wording!(refused.stderr);
    assert!(world.keys().is_empty());
    world.define("svc-other", EXPORT, "");
    // No confirmation: this is what was agreed to.
    world.good(&planned);
    assert_eq!(world.keys().len(), 2);
    assert_eq!(world.run(&planned).code, 1, "it has been carried out");
    fs::write(world.path("plan.json"), "no plan").unwrap();
    assert_eq!(world.run(&planned).code, 2);
    fs::remove_file(world.path("plan.json")).unwrap();
    assert_eq!(world.run(&planned).code, 3);
}

#[test]
fn no_definitions_at_all_delete_nothing() {
    let world = World::new();
    world.define("svc-export", EXPORT, SCOPE);
    world.good(&["apply", "--yes"]);
    world.undefine("svc-export");
    for command in [&["plan"][..], &["apply", "--yes"]] {
        let ran = world.run(command);
        assert_eq!(ran.code, 3, "{ran:?}");
    }
    assert_eq!(world.keys().len(), 1);
}

#[test]
fn the_linter_comes_first_and_a_lock_file_of_another_tenant_is_not_used() {
    let world = World::new();
    world.define("svc-export", "securityLevel: advnaced; lifetime: 90d; roles: [Viewer]", "");
    let mut said = String::new();
    for command in [&["plan"][..], &["apply", "--yes"]] {
        let ran = world.run(command);
        assert_eq!(ran.code, 1, "{ran:?}");
        said += &ran.stderr;
    }
    // Except for known differences, as an import of old keys leaves them.
    let policy = fs::read_to_string(world.path("cortexkey.yaml")).unwrap();
    fs::write(world.path("cortexkey.yaml"), policy.replace("minimal", "recommended")).unwrap();
    world.define("svc-export", &EXPORT.replace("90d", "180d"), "");
    assert_eq!(world.run(&["plan"]).code, 1);
    world.good(&["lint", "--baseline", "known.json", "--write-baseline"]);
    let plan = world.good(&["plan", "--baseline", "known.json"]);
    assert_eq!(mark(&plan, "svc-export"), Some('+'), "{plan}");
    fs::write(world.path("cortexkey.yaml"), policy).unwrap();
    world.define("svc-export", EXPORT, "");
    let lock = "apiVersion: cortexkey/v1\nkind: Lock\ntenants:\n  prod-eu:\n    host: api-other\n    \
                keys: { svc-export: { id: 2 } }\n";
    fs::write(world.path("cortexkey.lock"), lock).unwrap();
    for command in [&["plan"][..], &["apply", "--yes"]] {
        let ran = world.run(command);
        assert_eq!(ran.code, 2, "{ran:?}");
        said += &ran.stderr;
    }
    wording!(said);
    // The key that signs is not deleted, although the lock file names it.
    fs::write(world.path("cortexkey.lock"), lock.replace("api-other", "127.0.0.1")).unwrap();
    world.undefine("svc-export");
    world.define("svc-other", EXPORT, "");
    let ran = world.run(&["apply", "--yes"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    wording!(ran.stdout);
    assert!(world.admin.ping().is_ok());
    assert!(world.keys().len() == 1);
}

#[test]
fn an_import_is_followed_by_a_policy_of_the_same_tenant_and_what_is_unknown_is_found() {
    for (args, tenant) in [(&["import"][..], "main"), (&["import", "--tenant", "eu"], "eu")] {
        let world = World::new();
        world.make("Viewer", "Exports. SEC-1");
        // The folder has no policy and no name for the tenant yet.
        fs::remove_file(world.path("cortexkey.yaml")).unwrap();
        let import = [args, &["--id", "3"]].concat();
        let imported = finish(world.command(&import).env_remove("CORTEXKEY_PROFILE"));
        assert_eq!(imported.code, 0, "{imported:?}");
        world.good(&["policy", "init", "keys/"]);
        let policy = fs::read_to_string(world.path("cortexkey.yaml")).unwrap();
        assert!(policy.contains(&format!("\ntenants:\n  {tenant}:\n")), "{policy}");
        let found = world.run(&["lint", "--format", "concise"]);
        assert!(found.stdout.contains("[N004 "), "{found:?}");
        assert!(found.stdout.contains("[A001 scope-missing]"), "{found:?}");
        assert!(!found.stdout.contains("key-dropped"), "{found:?}");
        // A person sets both, and the tenant already has these values.
        let path = world.path("keys/key-3.yaml");
        let text = fs::read_to_string(&path).unwrap();
        let text = text.replace("unassigned", "team-a@example.com");
        let scope = "  scope:\n    assets: { mode: none }\n    casesAndIssues: { mode: none }\n    \
                     endpoints: { mode: none }\n";
        fs::write(&path, format!("{text}{scope}")).unwrap();
        let plan = finish(world.command(&["plan", "--exit-code"]).env_remove("CORTEXKEY_PROFILE"));
        assert_eq!(plan.code, 0, "{plan:?}");
    }
}

#[test]
fn an_imported_tenant_passes_the_linter_and_matches() {
    let world = World::new();
    let scoped = world.make("Viewer", "svc-export (team-a): Exports. SEC-1");
    let scope = r#"{"assets":{"mode":"scope","asset_group_ids":[16]},
        "cases_issues":{"mode":"scope","names":["Security"],"include_cases_issues_empty_entities":true},
        "endpoints":{"endpoint_groups":{"mode":"see_all"},"endpoint_tags":{"mode":"any"}}}"#;
    let scope = serde_json::from_str(scope).unwrap();
    world.admin.set_scope(scoped, &scope).unwrap();
    world.make("Responder", "no: [pattern, here]");
    world.make("Viewer", "svc-export (team-b): the same name");
    let pattern = r"^(?<name>[a-z-]+) \((?<owner>[a-z-]+)\)";
    let args = ["import", "--comment-pattern", pattern, "--id", "3", "--id", "4", "--id", "5"];
    let imported = world.run(&args);
    assert_eq!(imported.code, 0, "{imported:?}");
    let mut all = imported.stderr.replace(&world.url, "URL");
    for name in ["svc-export", "key-4", "svc-export-5"] {
        let text = fs::read_to_string(world.path(&format!("keys/{name}.yaml"))).unwrap();
        let expires =
            text.split("expires: \"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        all += &format!("\n{name}.yaml\n{}", text.replace(&expires, "TIME"));
    }
    insta::assert_snapshot!(all);
    // A second run: all of them are known.
    assert!(world.good(&args).contains("0 written, 0 refused"));
    let missing = world.run(&["import", "--id", "99"]);
    assert_eq!(missing.code, 1, "{missing:?}");
    wording!(missing.stderr);
    // What the tenant does not return is refused until a person sets it.
    let plan = world.run(&["plan"]);
    assert_eq!(plan.code, 1, "{plan:?}");
    wording!(plan.stdout);
    let path = world.path("keys/svc-export.yaml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("unreferenced: unknown", "unreferenced: true")).unwrap();
    world.good(&["apply", "--yes"]);
    assert_eq!(world.run(&["plan", "--exit-code"]).code, 0);
    // The product's own combination of axes is preserved throughout.
    let read = world.admin.scope(scoped).unwrap().unwrap();
    assert_eq!(ObservedScope::from(&read), ObservedScope::from(&scope));
    assert_eq!(world.keys().len(), 3);
}

#[test]
fn an_imported_inventory_loads_and_replaces_no_file() {
    let world = World::new();
    let path = world.path("inventory.json");
    let import = ["import", "--inventory", "inventory.json"];
    let said = world.good(&import);
    assert!(said.contains("endpoints: 5, assets: 7, users: 3"), "{said}");
    let first = fs::read_to_string(&path).unwrap();
    let json: Value = serde_json::from_str(&first).unwrap();
    assert_eq!(json["assetGroups"].as_array().unwrap().len(), 4);
    assert!(json.get("incomplete").is_none());
    assert_eq!(fs::read_dir(world.path("keys")).unwrap().count(), 0);
    assert!(world.lock().is_empty());

    fs::write(&path, "mine").unwrap();
    let again = world.run(&import);
    assert!(again.code == 2 && again.stderr.contains("--overwrite"), "{again:?}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    world.good(&[&import[..], &["--overwrite"]].concat());
    assert_eq!(fs::read_to_string(&path).unwrap(), first);
    for wrong in [&["--id", "1"][..], &["--out", "x"], &["--expired"]] {
        assert_eq!(world.run(&[&import[..], wrong].concat()).code, 2, "{wrong:?}");
    }
    assert_eq!(world.run(&["import", "--overwrite"]).code, 2);

    let other = Tenant::start_with(&["--inventory", path.to_str().unwrap()]);
    let copy = world.path("copy.json");
    let args = ["import", "--inventory", copy.to_str().unwrap()];
    let ran = finish(&mut other.with_key("standard", &args));
    assert_eq!(ran.code, 0, "{ran:?}");
    let copied: Value = serde_json::from_slice(&fs::read(copy).unwrap()).unwrap();
    assert_eq!(copied, json);
}

/// The mark of a key's line in a plan: `+` generates, `-` deletes, `!` refuses.
fn mark(plan: &str, key: &str) -> Option<char> {
    let names = |line: &&str| line.split_whitespace().any(|word| word.trim_end_matches(':') == key);
    plan.lines().find(names).and_then(|line| line.trim_start().chars().next())
}

/// Two keys whose definitions are committed, and their lock file.
fn committed() -> World {
    let world = World::new();
    // Otherwise a definition outside the corpus ends the run before there is a plan.
    let lowered = "rules: { schema-outside-corpus: { severity: warning } }\n";
    fs::write(world.path("cortexkey.yaml"), format!("{POLICY}{lowered}")).unwrap();
    world.define("svc-one", EXPORT, SCOPE);
    world.define("svc-two", EXPORT, "");
    world.good(&["apply", "--yes"]);
    commit(&world);
    world
}

fn commit(world: &World) {
    git(world.folder.path(), &["add", "--all", "--force"]);
    git(world.folder.path(), &["commit", "--quiet", "--message", "a"]);
}

#[test]
fn a_key_whose_definition_is_in_git_is_not_deleted() {
    let file = "keys/svc-two.yaml";
    let moved = "other/svc-two.yaml";
    let kept = |hide: &dyn Fn(&World), place: &str| {
        let world = committed();
        hide(&world);
        for command in [&["plan"][..], &["apply", "--yes"], &["apply", "--yes", "--prune"]] {
            let ran = world.run(command);
            assert_eq!(ran.code, 1, "{place} {ran:?}");
            assert!(ran.stdout.contains(place), "{place} {ran:?}");
            assert_eq!(mark(&ran.stdout, "svc-two"), Some('!'), "{ran:?}");
            assert!(world.lock().contains("svc-two"));
        }
        assert!(world.keys().iter().any(|key| key.id == 4));
        world
    };
    let in_git = |world: &World, args: &[&str]| git(world.folder.path(), args);
    // Not committed yet: first only the index has it, then only `HEAD`.
    kept(&|world| world.undefine("svc-two"), "keys/svc-two.yaml");
    let world = kept(&|world| in_git(world, &["rm", "--quiet", file]), "keys/svc-two.yaml in HEAD");
    commit(&world);
    assert_eq!(mark(&world.good(&["apply", "--yes"]), "svc-two"), Some('-'));
    assert_eq!(world.keys().len(), 1);
    // It is outside the patterns in `keys`.
    let away = |world: &World| {
        fs::create_dir(world.path("other")).unwrap();
        in_git(world, &["mv", file, moved]);
        commit(world);
    };
    kept(&away, "other/svc-two.yaml");
    let narrow = |world: &World| {
        let policy = fs::read_to_string(world.path("cortexkey.yaml")).unwrap();
        let policy = policy.replace("keys/**/*.yaml", "keys/svc-one.yaml");
        fs::write(world.path("cortexkey.yaml"), policy).unwrap();
        commit(world);
    };
    kept(&narrow, "keys/svc-two.yaml");
    // A file that cannot be read may be the definition.
    let broken = |world: &World| {
        away(world);
        fs::write(world.path(moved), "apiVersion: cortexkey/v1\nmetadata: [\n").unwrap();
        commit(world);
    };
    kept(&broken, "other/svc-two.yaml");
    // Without git there is no proof.
    let bare = |world: &World| {
        fs::remove_dir_all(world.path(".git")).unwrap();
        world.undefine("svc-two");
    };
    kept(&bare, "svc-two");
}

#[test]
fn settings_of_git_hide_no_definition() {
    let world = committed();
    world.undefine("svc-two");
    for name in ["color.ui", "color.grep", "grep.lineNumber", "submodule.recurse"] {
        let value = if name.starts_with("color") { "always" } else { "true" };
        git(world.folder.path(), &["config", name, value]);
        let ran = world.run(&["plan"]);
        assert_eq!(mark(&ran.stdout, "svc-two"), Some('!'), "{name} {ran:?}");
    }
}

/// A killed process is not an answer of "none".
#[test]
fn nothing_is_deleted_after_git_was_killed() {
    use std::os::unix::fs::PermissionsExt as _;

    let world = committed();
    git(world.folder.path(), &["rm", "--quiet", "keys/svc-two.yaml"]);
    let programs = tempfile::tempdir().unwrap();
    let program = programs.path().join("git");
    let all = std::env::var("PATH").unwrap();
    for call in ["ls-files", "rev-parse", "ls-tree", "cat-file"] {
        let script = format!(
            "#!/bin/sh\nfor word; do [ \"$word\" = {call} ] && kill -9 $$; done\n\
             PATH='{all}' exec git \"$@\"\n"
        );
        fs::write(&program, script).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let path = format!("{}:{all}", programs.path().display());
        let ran = finish(world.command(&["plan"]).env("PATH", path));
        assert_ne!(ran.code, 0, "{call} {ran:?}");
        assert_ne!(mark(&ran.stdout, "svc-two"), Some('-'), "{call} {ran:?}");
    }
}

#[test]
fn files_hidden_from_the_work_tree_are_not_deleted() {
    let world = committed();
    git(world.folder.path(), &["sparse-checkout", "set", "--no-cone", "/*", "!/keys/svc-two.yaml"]);
    assert!(!world.path("keys/svc-two.yaml").exists());
    assert_eq!(world.run(&["plan", "--exit-code"]).code, 0);
    git(world.folder.path(), &["sparse-checkout", "disable"]);
    fs::write(world.path(".gitignore"), "keys/svc-two.yaml\n").unwrap();
    assert_eq!(world.run(&["plan", "--exit-code"]).code, 0);
    // If the lock file is hidden, no key counts as undefined.
    fs::remove_file(world.path("cortexkey.lock")).unwrap();
    world.undefine("svc-two");
    let pruned = world.run(&["plan", "--prune"]);
    assert_eq!(mark(&pruned.stdout, "key-4"), Some('!'), "{pruned:?}");

    // If git cannot be run, nothing is planned.
    fs::write(world.path(".git/index"), "x").unwrap();
    for command in [&["plan"][..], &["apply", "--yes"], &["apply", "--yes", "--prune"]] {
        let ran = world.run(command);
        assert_eq!(ran.code, 2, "{ran:?}");
    }
    assert_eq!(world.keys().len(), 2);
}
