//! Family C: findings that need several files.

use cortexkey_lint::{Corpus, EarlierCorpus, LockedKeys};
use cortexkey_manifest::yaml::YamlLimits;

use super::{KEY, key, lint_corpus, lint_files, parsed, reported};

const TENANTS: &str = "tenants: { prod-eu: { product: xsiam }, dev: { product: xsiam } }\n";
const ONE_TENANT: &str = "tenants: { prod-eu: { product: xsiam } }\n";

fn called(name: &str) -> String {
    key("svc-a", name)
}

fn of_tenant(tenant: &str, text: &str) -> String {
    text.replace("owner: team-a\n", &format!("owner: team-a\n  tenant: {tenant}\n"))
}

#[test]
fn equivalent_names_are_treated_as_equal() {
    for (first, second, one) in [
        ("svc-a", "svc-a", true),
        ("svc-a", "SVC-A", true),
        ("svc-a", "' svc-a '", true),
        ("svc-a", "ｓｖｃ-a", true),
        ("svc-é", "'  svc-E\u{301}'", true),
        ("svc-a", "\"svc-a\\u200b\"", true),
        ("svc-a", "\"svc-a\\0\"", true),
        ("svc-a", "svc-b", false),
        ("svc-é", "svc-e", false),
    ] {
        let a = called(first);
        let b = called(second);
        let report = lint_files("", &[("a.yaml", &a), ("b.yaml", &b)]);
        assert_eq!(reported("C001", &report).len(), if one { 3 } else { 0 }, "{first} {second}");
    }
}

#[test]
fn a_name_belongs_to_one_key_of_a_tenant() {
    let three = [("a.yaml", KEY), ("b.yaml", KEY), ("c.yaml", KEY)];
    assert_eq!(
        reported("C001", &lint_files("", &three)),
        [
            "b.yaml:4:9-14 the name `svc-a` is already used",
            "help: rename one of the two; names that differ only in case are equal",
            "a.yaml:4:9-14 the other definition",
            "c.yaml:4:9-14 the name `svc-a` is already used",
            "help: rename one of the two; names that differ only in case are equal",
            "a.yaml:4:9-14 the other definition",
        ]
    );
    // A definition without a tenant means the only tenant.
    let eu = of_tenant("prod-eu", KEY);
    let report = lint_files(ONE_TENANT, &[("a.yaml", KEY), ("b.yaml", &eu)]);
    assert_eq!(
        reported("C001", &report)[0],
        "b.yaml:4:9-14 the name `svc-a` is already used in tenant `prod-eu`"
    );
    let dev = of_tenant("dev", KEY);
    let report = lint_files(TENANTS, &[("a.yaml", &dev), ("b.yaml", &eu)]);
    assert_eq!(reported("C001", &report), [""; 0]);
}

#[test]
fn the_file_that_is_reported_on_carries_the_finding() {
    for (first, second, place) in [
        (true, true, "b.yaml:4:9-14 a.yaml:4:9-14"),
        (false, true, "b.yaml:4:9-14 a.yaml:4:9-14"),
        (true, false, "a.yaml:4:9-14 b.yaml:4:9-14"),
        (false, false, ""),
    ] {
        let mut files = parsed(&[("a.yaml", KEY), ("b.yaml", KEY)]);
        files[0].reported = first;
        files[1].reported = second;
        let report = lint_corpus("", &Corpus { files, partial: true, ..Corpus::default() });
        for rule in ["C001", "C002"] {
            let lines = reported(rule, &report);
            let places = lines.iter().filter(|line| !line.starts_with("help"));
            let places: Vec<&str> = places.filter_map(|line| line.split(' ').next()).collect();
            assert_eq!(places.join(" "), place, "{rule} {first} {second}");
        }
    }
}

#[test]
fn keys_of_one_owner_that_may_do_the_same_are_one_too_many() {
    let a = key("[Viewer]", "[Viewer, Responder, Viewer]");
    let b = called("svc-b").replace("[Viewer]", "[Responder, Viewer]").replace("90d", "30d");
    assert_eq!(
        reported("C002", &lint_files("", &[("a.yaml", &a), ("b.yaml", &b)])),
        [
            "b.yaml:4:9-14 `svc-b` has the same permissions as `svc-a`",
            "help: use one key for all of them, or give them different permissions",
            "a.yaml:4:9-14 has the same permissions",
        ]
    );
}

#[test]
fn keys_that_differ_in_owner_tenant_level_roles_or_scope_may_not_do_the_same() {
    for (policy, change, same) in [
        ("", ("For this", "For that"), true),
        ("", ("team-a", "'team-a '"), true),
        ("", ("team-a", "team-b"), false),
        ("", ("  owner: team-a\n", ""), false),
        ("", ("advanced", "standard"), false),
        ("", ("[Viewer]", "[Responder]"), false),
        ("", ("[Viewer]", "[Viewer, Responder]"), false),
        ("", ("endpoints: { mode: none }", "endpoints: { mode: all }"), false),
        // What cannot be read is not compared.
        ("", ("endpoints: { mode: none }", "endpoints: { mode: some }"), false),
        ("", ("advanced", "high"), false),
        (TENANTS, ("team-a\n", "team-a\n  tenant: dev\n"), false),
        (ONE_TENANT, ("team-a\n", "team-a\n  tenant: prod-eu\n"), true),
    ] {
        let a = if policy == TENANTS { of_tenant("prod-eu", KEY) } else { KEY.to_owned() };
        let b = called("svc-b").replace(change.0, change.1);
        // A third key of the same owner, with other permissions.
        let c = called("svc-c").replace("[Viewer]", "[Investigator]");
        let files = [("a.yaml", &*a), ("b.yaml", &*b), ("c.yaml", &*c)];
        let lines = reported("C002", &lint_files(policy, &files));
        assert_eq!(!lines.is_empty(), same, "{change:?} {lines:?}");
    }
    let nothing = [key("[Viewer]", "[]"), called("svc-b").replace("[Viewer]", "[]")];
    let report = lint_files("", &[("a.yaml", &nothing[0]), ("b.yaml", &nothing[1])]);
    assert_eq!(reported("C002", &report), [""; 0]);
}

#[test]
fn a_role_is_used_by_those_that_hold_it_and_by_roles_that_are_used() {
    let policy = "catalog:
  roles:
    - { name: Unused, implies: [Inner] }
    - { name: Outer, implies: [Middle] }
    - { name: Middle, implies: [Last, Outer] }
    - { name: Inner }
    - { name: Last }
    - { name: Old, deprecated: { use: Last } }
";
    let text = key("[Viewer]", "[Viewer, Outer]");
    let help = "help: remove it from the catalog if no key or user in the tenant has it";
    assert_eq!(
        reported("C003", &lint_files(policy, &[("svc-a.yaml", &text)])),
        [
            "cortexkey.yaml:7:15-21 no key holds the role `Unused`",
            help,
            "cortexkey.yaml:10:15-20 no key holds the role `Inner`",
            help,
        ]
    );
}

#[test]
fn no_role_is_unused_until_the_whole_corpus_was_checked() {
    let policy = "catalog: { roles: [{ name: Unused }] }\n";
    let files = || parsed(&[("svc-a.yaml", KEY)]);
    let whole = Corpus { files: files(), ..Corpus::default() };
    assert_eq!(reported("C003", &lint_corpus(policy, &whole)).len(), 2);
    let part = Corpus { files: files(), partial: true, ..Corpus::default() };
    for corpus in [part, Corpus::default(), Corpus { partial: true, ..Corpus::default() }] {
        assert_eq!(reported("C003", &lint_corpus(policy, &corpus)), [""; 0]);
    }
}

#[test]
fn an_owner_has_as_many_keys_as_the_policy_grants() {
    let names = ["svc-a", "svc-b", "svc-c"];
    let texts = names.map(|name| called(name).replace("[Viewer]", "[Responder]"));
    let padded = texts[1].replace("team-a", "' team-a '");
    let other = texts[2].replace("team-a", "team-b");
    let nobody = texts[2].replace("  owner: team-a\n", "");
    let files = [("a.yaml", &*texts[0]), ("b.yaml", &*padded), ("c.yaml", &*texts[2])];
    let others = [files[0], files[1], ("c.yaml", &*other), ("d.yaml", &*nobody)];
    let quota = |max: usize, files: &[(&str, &str)]| {
        reported("C004", &lint_files(&format!("rules: {{ C004: {{ max: {max} }} }}\n"), files))
    };
    let help = "help: remove unused keys, or raise the quota for this owner";
    assert_eq!(
        quota(2, &files),
        [
            "c.yaml:4:9-14 `team-a` owns 3 keys; the policy allows at most 2",
            help,
            "cortexkey.yaml:5:23-24 the quota",
        ]
    );
    assert_eq!(
        quota(1, &files)[0],
        "b.yaml:4:9-14 `team-a` owns 3 keys; the policy allows at most 1"
    );
    assert_eq!(
        quota(0, &files)[0],
        "a.yaml:4:9-14 `team-a` owns 3 keys; the policy allows at most 0"
    );
    assert_eq!(quota(3, &files), [""; 0]);
    assert_eq!(quota(2, &others), [""; 0]);
    assert_eq!(quota(1, &others).len(), 3);
    assert_eq!(reported("C004", &lint_files("", &files)), [""; 0]);
}

#[test]
fn an_override_grants_one_owner_more_than_others() {
    let files = [("a.yaml", KEY), ("b.yaml", &*called("svc-b"))];
    for (own, finds) in [("max: 2", false), ("enabled: false", false), ("max: 1", true)] {
        for (owner, fits) in [("team-a", true), ("team-b", false)] {
            let policy = format!(
                "rules: {{ C004: {{ max: 1, overrides: [{{ match: {{ owner: {owner} }}, reason: r, {own} }}] }} }}\n"
            );
            let lines = reported("C004", &lint_files(&policy, &files));
            assert_eq!(!lines.is_empty(), finds || !fits, "{policy} {lines:?}");
        }
    }
}

/// The gains of a definition compared with an earlier one.
fn gained(policy: &str, before: &str, after: &str) -> Vec<String> {
    // Neither in the first document of its file nor in the only file.
    let first = called("svc-y");
    let other = called("svc-z");
    let files = |text: &str| {
        parsed(&[("svc-a.yaml", &format!("{first}---\n{text}")), ("other.yaml", &other)])
    };
    let before = Some(EarlierCorpus { revision: "v1".into(), files: files(before) });
    let corpus = Corpus { files: files(after), before, ..Corpus::default() };
    let lines = reported("C006", &lint_corpus(policy, &corpus));
    let help = "help: have it approved, or revert what is not needed";
    assert_eq!(lines.iter().filter(|line| *line == help).count() * 2, lines.len(), "{lines:?}");
    let lines = lines.iter().filter(|line| *line != help);
    lines.map(|line| line.replace("svc-a.yaml:", "").replace("since `v1`: ", "")).collect()
}

/// Like [`gained`], after one change of the definition.
fn gained_by(policy: &str, old: &str, before: &str, after: &str) -> Vec<String> {
    gained(policy, &key(old, before), &key(old, after))
}

#[test]
fn scope_gains_are_reported_at_their_position() {
    const ASSETS: &str = "assets: { mode: none }";
    const CASES: &str = "casesAndIssues: { mode: none }";
    const ENDPOINTS: &str = "endpoints: { mode: none }";
    let datasets = |datasets: &str| format!("{ENDPOINTS}\n    datasets: {{ {datasets} }}");
    let filter = |filter: &str| {
        datasets(&format!("default: none, filters: [{{ dataset: d, filter: '{filter}' }}]"))
    };
    for (old, before, after, says) in [
        (ASSETS, ASSETS.into(), "assets: { mode: all }".into(), "27:5-11 all assets are in scope"),
        (
            ASSETS,
            "assets: { mode: select, groups: [a] }".into(),
            "assets: { mode: select, groups: [a, b] }".into(),
            "27:37-43 asset group b is in scope",
        ),
        (
            CASES,
            CASES.into(),
            "casesAndIssues: { mode: all, unreferenced: false }".into(),
            "28:5-19 all cases and issues are in scope",
        ),
        (
            CASES,
            "casesAndIssues: { mode: select, domains: [IT], unreferenced: false }".into(),
            "casesAndIssues: { mode: select, domains: [IT, Security], unreferenced: false }".into(),
            "28:46-60 domain Security is in scope",
        ),
        (
            CASES,
            "casesAndIssues: { mode: all, unreferenced: false }".into(),
            "casesAndIssues: { mode: all, unreferenced: true }".into(),
            "28:48-52 cases and issues that reference no known object are in scope",
        ),
        (
            ENDPOINTS,
            ENDPOINTS.into(),
            "endpoints: { mode: all }".into(),
            "29:5-14 all endpoints are in scope",
        ),
        (
            ENDPOINTS,
            "endpoints: { mode: select, groups: [a], tags: [t] }".into(),
            "endpoints: { mode: select, groups: [a, b], tags: [t] }".into(),
            "29:40-46 endpoint group b is in scope",
        ),
        (
            ENDPOINTS,
            "endpoints: { mode: select, groups: [a], tags: [t] }".into(),
            "endpoints: { mode: select, groups: [a], tags: [t, u] }".into(),
            "29:51-57 endpoint tag u is in scope",
        ),
        (
            ENDPOINTS,
            "endpoints: { mode: raw, groupsMode: scope, groups: [a], tagsMode: scope, tags: [t] }"
                .into(),
            "endpoints: { mode: raw, groupsMode: any, tagsMode: scope, tags: [t] }".into(),
            "29:5-14 all endpoint groups are in scope",
        ),
        (
            ENDPOINTS,
            "endpoints: { mode: raw, groupsMode: scope, groups: [a], tagsMode: scope, tags: [t] }"
                .into(),
            "endpoints: { mode: raw, groupsMode: scope, groups: [a], tagsMode: any }".into(),
            "29:5-14 all endpoint tags are in scope",
        ),
        (
            ENDPOINTS,
            datasets("default: none"),
            datasets("default: all"),
            "30:5-13 all datasets without a filter are in scope",
        ),
        (
            ENDPOINTS,
            datasets("default: none"),
            filter("a = 1"),
            "30:5-13 rows of dataset d that match its filter are in scope",
        ),
        (
            ENDPOINTS,
            datasets("default: all, filters: [{ dataset: d, filter: a = 1 }]"),
            datasets("default: all"),
            "30:5-13 a filter of dataset d is removed",
        ),
        (ENDPOINTS, filter("a = 1"), filter("a = 2"), "30:5-13 the filter of dataset d is changed"),
    ] {
        let before: String = before;
        let after: String = after;
        assert_eq!(gained_by("", old, &before, &after), [says], "{before} {after}");
    }
}

#[test]
fn a_scope_change_is_reported_at_the_scope() {
    let scope = KEY.split_once("  scope:").unwrap().1;
    let scope = format!("  scope:{scope}");
    let none = key(&scope, "");
    let wide = key("assets: { mode: none }", "assets: { mode: all }");
    assert_eq!(gained("", &none, &wide), ["26:3-8 a scope is added where there was none"]);
    // The scope is gone, so the finding points at `spec`.
    assert_eq!(
        gained("", KEY, &none),
        ["21:1-5 the scope is removed, and it is uncertain what a key without one sees"]
    );
}

#[test]
fn role_gains_are_reported_at_the_roles() {
    let catalog = "catalog:
  roles:
    - { name: Small, actions: [a], components: { Dashboards: view } }
    - { name: Large, actions: [a, b], components: { Dashboards: edit } }
";
    let lines = gained_by(catalog, "[Viewer]", "[Small]", "[Small, Large]");
    assert_eq!(
        lines,
        [
            "25:10-24 Dashboards is raised from view to edit",
            "25:10-24 b is gained",
            "25:10-24 role Large is added",
        ]
    );
    assert_eq!(
        gained_by("", "[Viewer]", "[Viewer]", "\n    - Viewer\n    - Responder")[0],
        "26:5-16 role Responder is added"
    );
}

#[test]
fn a_later_expiry_is_reported_at_the_expiry() {
    for (before, after, says) in [
        (
            "lifetime: 30d",
            "lifetime: 90d",
            Some("24:13-16 it expires on 2026-04-01, not on 2026-01-31"),
        ),
        ("lifetime: 90d", "lifetime: 90d", None),
        ("lifetime: 90d", "lifetime: 30d", None),
        (
            "expires: 2026-02-01T00:00:00Z",
            "expires: 2026-02-02T00:00:00Z",
            Some("24:12-32 it expires on 2026-02-02, not on 2026-02-01"),
        ),
        (
            "lifetime: 30d",
            "expires: 2026-03-01T00:00:00Z",
            Some("24:12-32 it expires on 2026-03-01, not on 2026-01-31"),
        ),
        (
            "expires: 2026-03-01T00:00:00Z",
            "lifetime: 90d",
            Some("24:13-16 it expires on 2026-04-01, not on 2026-03-01"),
        ),
        ("lifetime: 30d", "expires: never", Some("24:12-17 it no longer expires")),
        ("expires: never", "lifetime: 30d", None),
    ] {
        let lines = gained_by("", "lifetime: 90d", before, after);
        assert_eq!(lines, says.into_iter().collect::<Vec<_>>(), "{before} {after}");
    }
}

#[test]
fn a_weaker_level_and_a_new_key_are_reported_at_their_fields() {
    let standard = key("advanced", "standard");
    assert_eq!(gained("", KEY, &standard), ["22:18-26 its level falls from advanced to standard"]);
    assert_eq!(gained("", &standard, KEY), [""; 0]);
    assert_eq!(gained("", &called("svc-b"), KEY), ["19:9-14 this key is new"]);
    // The same name in another tenant is another key, and the only tenant may be omitted.
    let eu = of_tenant("prod-eu", KEY);
    let dev = of_tenant("dev", KEY);
    assert_eq!(gained(TENANTS, &eu, &dev), ["19:9-14 this key is new"]);
    assert_eq!(gained(ONE_TENANT, &eu, KEY), [""; 0]);
}

#[test]
fn incompletely_read_keys_are_not_compared() {
    let new = ["19:9-14 this key is new"];
    for line in ["advanced", "90d", "[Viewer]", "casesAndIssues: { mode: none }"] {
        let open = key(line, "0");
        // If the earlier key could not be read, the key is new; a key that cannot be read now is
        // skipped.
        assert_eq!(gained("", &open, KEY), new, "{line}");
        assert_eq!(gained("", KEY, &open), [""; 0], "{line}");
    }
    let endless = key("  lifetime: 90d\n", "");
    assert_eq!(gained("", KEY, &endless), [""; 0]);
}

#[test]
fn neither_of_two_keys_with_one_name_is_compared_with() {
    let wide = key("[Viewer]", "[Viewer, Developer]");
    for both in [format!("{KEY}---\n{wide}"), format!("{wide}---\n{KEY}")] {
        assert_eq!(gained("", &both, &wide), ["19:9-14 this key is new"]);
    }
}

#[test]
fn nothing_is_gained_where_nothing_is_compared_with() {
    let corpus = Corpus { files: parsed(&[("svc-a.yaml", KEY)]), ..Corpus::default() };
    assert_eq!(reported("C006", &lint_corpus("", &corpus)), [""; 0]);
}

/// The findings of a rule for keys and a lock file with these tenants.
fn locked(rule: &str, policy: &str, tenants: &str, files: &[(&str, &str)]) -> Vec<String> {
    let text = format!("apiVersion: cortexkey/v1\nkind: Lock\ntenants:\n{tenants}");
    let lock = LockedKeys::new("cortexkey.lock", text.into_bytes(), &YamlLimits::default());
    assert_eq!(lock.problems, []);
    let corpus = Corpus { files: parsed(files), lock: Some(lock), ..Corpus::default() };
    reported(rule, &lint_corpus(policy, &corpus))
}

const EU: &str = "  prod-eu:\n    host: api-eu.example.com\n    keys:\n";
const DEV: &str = "  dev:\n    host: api-dev.example.com\n    keys:\n";

#[test]
fn a_key_of_the_lock_file_has_a_definition_in_its_tenant() {
    let file = |text: &str| {
        locked("C007", TENANTS, &format!("{EU}      svc-a: {{ id: 7 }}\n"), &[("svc-a.yaml", text)])
    };
    assert_eq!(file(&of_tenant("prod-eu", KEY)), [""; 0]);
    let dropped = [
        "cortexkey.lock:7:7-12 key `svc-a` (id 7) no longer has a definition, and still works",
        "help: revoke the key and remove this entry, or restore the definition",
    ];
    assert_eq!(file(&of_tenant("dev", KEY)), dropped);
    assert_eq!(file(&of_tenant("prod-eu", &called("svc-b"))), dropped);
    // Its tenant is unknown.
    assert_eq!(file(KEY), dropped);
    let only = format!(
        "{EU}      svc-a: {{ id: 7 }}\n      svc-b: {{ pending: {{ expires: 9, asked: m, by: 2 }} }}\n"
    );
    // An entry whose key is being generated has no key that could remain.
    assert_eq!(locked("C007", ONE_TENANT, &only, &[("svc-a.yaml", KEY)]), [""; 0]);
    let unlocked = Corpus { files: parsed(&[("svc-a.yaml", KEY)]), ..Corpus::default() };
    assert_eq!(reported("C007", &lint_corpus(ONE_TENANT, &unlocked)), [""; 0]);
}

#[test]
fn ids_are_unique_within_a_tenant() {
    // In the order of the file, not of the names.
    let twice = format!(
        "{EU}      svc-c: {{ id: 7 }}\n      svc-b: {{ id: 7 }}\n      svc-a: {{ id: 8 }}\n      svc-d: {{ id: 7 }}\n"
    );
    let help = "help: remove the wrong entry; the id is the number in the console's ID column";
    let first = "cortexkey.lock:7:7-12 first here";
    assert_eq!(
        locked("C008", ONE_TENANT, &twice, &[]),
        [
            "cortexkey.lock:8:7-12 id 7 is listed twice, here for `svc-b`",
            help,
            first,
            "cortexkey.lock:10:7-12 id 7 is listed twice, here for `svc-d`",
            help,
            first,
        ]
    );
    let apart = format!(
        "{DEV}      svc-a: {{ id: 7 }}\n{EU}      svc-a: {{ id: 7 }}\n      svc-b: {{ id: 8 }}\n"
    );
    assert_eq!(locked("C008", TENANTS, &apart, &[]), [""; 0]);
    let made = format!(
        "{EU}      svc-a: {{ pending: {{ expires: 9, asked: m, by: 2 }} }}\n      svc-b: {{ pending: {{ expires: 9, requested: n, by: 2 }} }}\n"
    );
    assert_eq!(locked("C008", ONE_TENANT, &made, &[]), [""; 0]);
    // A replaced or interrupted key is deleted, so it must not be another definition's key.
    for other in [
        "retiring: [{ id: 7, after: \"2026-01-01T00:00:00Z\" }]",
        "doubtful: [7]",
        "pending: { expires: 9, asked: m, by: 2, id: 7 }",
    ] {
        let merged = format!("{EU}      svc-a: {{ id: 7 }}\n      svc-b: {{ id: 8, {other} }}\n");
        let found = locked("C008", ONE_TENANT, &merged, &[]);
        let expected =
            ["cortexkey.lock:8:7-12 id 7 is listed twice, here for `svc-b`", help, first];
        assert_eq!(found, expected, "{other}");
    }
    let own = format!(
        "{EU}      svc-a: {{ id: 7, doubtful: [9], retiring: [{{ id: 9, after: \"2026-01-01T00:00:00Z\" }}] }}\n"
    );
    assert_eq!(locked("C008", ONE_TENANT, &own, &[]), [""; 0]);
}
