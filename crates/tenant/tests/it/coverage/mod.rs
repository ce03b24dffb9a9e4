//! For each role and each scope, each call has the core's decision. The page
//! `docs/tenant-coverage.md` is generated from the results of this test; `CORTEXKEY_RENEW=1` renews
//! it.

mod scopes;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use Permission::{Edit, View};
use cortexkey_core::access::{
    AccessKey, Actions, Answer, Grant, KnownLevel, Permission, PredefinedRole, Product, Question,
    Role, Sbac, TagMode, TenantSettings, decide,
};
use cortexkey_core::auth::{Level, Signer};
use cortexkey_tenant::{ASSUMED_ROLES, CustomRole, Licence};
use serde_json::{Value, json};

use crate::common::{Fixture, start};

/// A call, the permission that it needs, and a body that it accepts.
struct Call {
    method: &'static str,
    path: &'static str,
    needs: &'static [(&'static str, Permission)],
    action: Option<&'static str>,
    body: fn() -> Value,
}

const fn call(
    method: &'static str,
    path: &'static str,
    needs: &'static [(&'static str, Permission)],
    body: fn() -> Value,
) -> Call {
    Call { method, path, needs, action: None, body }
}

fn nothing() -> Value {
    json!({})
}

fn list() -> Value {
    json!({ "filters": [] })
}

fn viewer() -> Value {
    json!({ "roles": ["Viewer"], "security_level": "standard" })
}

/// A key that does not exist, so that deleting it changes nothing.
fn no_key() -> Value {
    json!({ "filters": [{ "field": "id", "operator": "in", "value": [999_999] }] })
}

fn open_scope() -> Value {
    json!({
        "assets": { "mode": "see_all", "asset_group_ids": [] },
        "cases_issues": { "mode": "see_all", "names": [],
            "include_cases_issues_empty_entities": true },
        "endpoints": {
            "endpoint_groups": { "mode": "see_all", "names": [] },
            "endpoint_tags": { "mode": "see_all", "names": [] },
        },
    })
}

const KEYS: (&str, Permission) = ("Public API", View);
const MAKES_KEYS: (&str, Permission) = ("Public API", Edit);
const SEES_ACCESS: (&str, Permission) = ("Access Management", View);
const MANAGES: (&str, Permission) = ("Access Management", Edit);

/// Every call of the tenant. Key 3 is a Viewer's.
const CALLS: &[Call] = &[
    call("POST", "/api_keys/validate", &[], nothing),
    call("GET", "/public_api/v1/healthcheck", &[], nothing),
    call("POST", "/public_api/v1/api_keys/get_api_keys", &[KEYS], list),
    call("POST", "/public_api/v1/api_keys/generate", &[MAKES_KEYS], viewer),
    call("POST", "/public_api/v1/api_keys/delete", &[MAKES_KEYS], no_key),
    call("GET", "/platform/iam/v1/api-key/3", &[SEES_ACCESS], nothing),
    call("PUT", "/platform/iam/v1/api-key/3", &[MANAGES], viewer),
    call("GET", "/platform/iam/v1/role", &[SEES_ACCESS], nothing),
    call("GET", "/platform/iam/v1/role/permission-config", &[SEES_ACCESS], nothing),
    call("DELETE", "/platform/iam/v1/role/no_such_role", &[MANAGES], nothing),
    call("GET", "/platform/iam/v1/scope/api-key/3", &[SEES_ACCESS], nothing),
    call("PUT", "/platform/iam/v1/scope/api-key/3", &[MANAGES], open_scope),
    call("GET", "/platform/iam/v1/user", &[SEES_ACCESS], nothing),
    call("GET", "/platform/iam/v1/user/viewer@tenant.example", &[SEES_ACCESS], nothing),
    call("PATCH", "/platform/iam/v1/user/viewer@tenant.example", &[MANAGES], nothing),
    call("GET", "/platform/iam/v1/user-group", &[SEES_ACCESS], nothing),
    call("DELETE", "/platform/iam/v1/user-group/no_such_group", &[MANAGES], nothing),
    call("GET", "/platform/iam/v1/scope/user-group/group-2", &[SEES_ACCESS], nothing),
    call("POST", "/public_api/v1/rbac/get_users", &[SEES_ACCESS], nothing),
    call("POST", "/public_api/v1/rbac/get_roles", &[SEES_ACCESS], nothing),
    call(
        "POST",
        "/public_api/v1/rbac/get_user_group",
        &[SEES_ACCESS],
        || json!({ "group_names": ["soc"] }),
    ),
    call(
        "POST",
        "/public_api/v1/rbac/set_user_role",
        &[MANAGES],
        || json!({ "user_emails": ["viewer@tenant.example"], "role_name": "" }),
    ),
    call("POST", "/public_api/v1/system/get_tenant_info", &[], nothing),
    call("GET", "/platform/notifications/v1/list-rules", &[("Alert Notifications", View)], nothing),
    call(
        "DELETE",
        "/platform/notifications/v1/rule/none",
        &[("Alert Notifications", Edit)],
        nothing,
    ),
    call("POST", "/public_api/v1/asset-groups", &[("Asset Groups", View)], nothing),
    call("POST", "/public_api/v1/asset-groups/delete/99", &[("Asset Groups", Edit)], nothing),
    call("POST", "/public_api/v1/audits/management_logs", &[("Auditing", View)], nothing),
    call("POST", "/public_api/v1/audits/agents_reports", &[("Auditing", View)], nothing),
    call("POST", "/public_api/v1/assets", &[("Asset Inventory", View)], nothing),
    call("GET", "/public_api/v1/assets/asset-1", &[("Asset Inventory", View)], nothing),
    call(
        "POST",
        "/public_api/v1/endpoints/get_endpoint",
        &[("Agent Administrations", View)],
        nothing,
    ),
    Call {
        action: Some("Isolate"),
        ..call(
            "POST",
            "/public_api/v1/endpoints/unisolate",
            &[("Agent Administrations", View)],
            || json!({ "endpoint_id": "agent-1" }),
        )
    },
    call("POST", "/public_api/v1/case/search", &[("Cases and Issues", View)], nothing),
    call("POST", "/public_api/v1/issue/search", &[("Cases and Issues", View)], nothing),
];

/// Roles for permissions that no predefined role is known to hold.
fn custom_roles() -> Vec<CustomRole> {
    let role = |name: &str| CustomRole::new(name).unwrap();
    vec![
        role("No permissions"),
        role("Key generator").with("Public API", Edit).unwrap(),
        role("Access manager").with("Access Management", Edit).unwrap(),
        role("Access viewer").with("Access Management", View).unwrap(),
        role("Auditor").with("Auditing", View).unwrap(),
        role("Isolator")
            .with("Agent Administrations", Edit)
            .unwrap()
            .with_action("Isolate")
            .unwrap(),
    ]
}

/// The permissions of the custom roles, stated independently.
fn held(name: &str) -> (Vec<Grant<&'static str>>, Vec<&'static str>) {
    let one = |component, level| vec![Grant::listed(component, level)];
    match name {
        "Key generator" => (one("Public API", Edit), vec![]),
        "Access manager" => (one("Access Management", Edit), vec![]),
        "Access viewer" => (one("Access Management", View), vec![]),
        "Auditor" => (one("Auditing", View), vec![]),
        "Isolator" => (one("Agent Administrations", Edit), vec!["Isolate"]),
        _ => (vec![], vec![]),
    }
}

/// The level at which a predefined role holds each component that a call needs: the public level, a
/// bound as
/// view, otherwise what the tenant assumes, otherwise none.
fn played(role: &PredefinedRole, product: Product) -> Vec<Grant<&'static str>> {
    let public = role.role_in(Some(product));
    let assumed = ASSUMED_ROLES.iter().find(|(name, _)| *name == role.name);
    let level_of = |component: &str| {
        let grant = public.grants.iter().find(|grant| grant.component == component);
        let known = grant.map_or(public.others, |grant| grant.level);
        match (known.lowest(), known.highest()) {
            (Permission::None, Edit) => {
                let listed = assumed
                    .and_then(|(_, levels)| levels.iter().find(|(name, _)| *name == component));
                listed.map_or(Permission::None, |(_, level)| *level)
            }
            (lowest, highest) if lowest == highest => lowest,
            _ => View,
        }
    };
    let needed: BTreeSet<&str> =
        CALLS.iter().flat_map(|call| call.needs).map(|(component, _)| *component).collect();
    needed.into_iter().map(|name| Grant::listed(name, level_of(name))).collect()
}

/// A role that is completely known.
fn settled<'r>(name: &'r str, grants: &'r [Grant<&'r str>], held: &'r [&'r str]) -> Role<&'r str> {
    let others = KnownLevel::exactly(Permission::None);
    Role { grants, others, actions: Actions::only(held), ..Role::unknown(name) }
}

fn send(f: &Fixture, signer: &Signer, call: &Call) -> u16 {
    let headers = f.sign(signer);
    let body = json!({ "request_data": (call.body)() });
    match call.method {
        "GET" => f.get(&headers, call.path).status,
        "PUT" => f.put(&headers, call.path, &body).status,
        "PATCH" => f.patch(&headers, call.path, &body).status,
        "DELETE" => f.delete(&headers, call.path).status,
        _ => f.send(&headers, call.path, &body.to_string()).status,
    }
}

/// The core's decision about a call, for a key with one role.
fn expected(role: Role<&str>, call: &Call) -> bool {
    let roles = [role];
    let key = AccessKey { roles: &roles, scope: None };
    let tenant = TenantSettings::enforcing();
    let allowed = |question| decide(&key, &tenant, &question).answer() == Answer::Allowed;
    call.needs
        .iter()
        .all(|(name, permission)| allowed(Question::Component { name, permission: *permission }))
        && call.action.is_none_or(|name| allowed(Question::Action { name }))
}

/// A table of calls and roles with the responses.
fn roles_table(product: Product) -> String {
    let f = start(|options| {
        options.product = product;
        options.custom_roles = custom_roles();
    });
    let make = |role: &str| {
        f.generate(&json!({ "roles": [role], "security_level": "standard" }), Level::Standard)
    };
    let first = PredefinedRole::for_product(product).last().unwrap().name;
    assert_eq!(make(first).key_id().get(), 3);
    let played: Vec<_> =
        PredefinedRole::for_product(product).map(|role| (role, played(role, product))).collect();
    let predefined = played.iter().map(|(public, grants)| {
        let actions = public.role_in(Some(product)).actions.held;
        let holds_all = public.holds_all;
        (public.name, Role { holds_all, ..settled(public.name, grants, actions) })
    });
    let own: Vec<_> = custom_roles().into_iter().map(|role| role.name().to_owned()).collect();
    let own: Vec<_> = own.iter().map(|name| (name.as_str(), held(name))).collect();
    let custom =
        own.iter().map(|(name, (components, actions))| (*name, settled(name, components, actions)));
    let mut roles: Vec<(&str, Vec<bool>)> = Vec::new();
    for (name, role) in predefined.chain(custom) {
        let signer = make(name);
        let row = CALLS.iter().map(|call| {
            let status = send(&f, &signer, call);
            let allowed = expected(role, call);
            assert_eq!(status != 403, allowed, "{name}: {} {}: {status}", call.method, call.path);
            allowed
        });
        roles.push((name, row.collect()));
    }
    table_of(&roles)
}

/// A row for each set of permissions: the calls that need it, and the roles that may make them.
fn table_of(roles: &[(&str, Vec<bool>)]) -> String {
    let mut rows: Vec<(String, Vec<String>, String)> = Vec::new();
    for (at, call) in CALLS.iter().enumerate() {
        let needs: Vec<_> = call
            .needs
            .iter()
            .map(|(name, level)| format!("{name} at {level}"))
            .chain(call.action.map(|action| format!("action {action}")))
            .collect();
        let needs = if needs.is_empty() { "any valid key".to_owned() } else { needs.join(", ") };
        let allowed: Vec<_> =
            roles.iter().filter(|(_, calls)| calls[at]).map(|(name, _)| *name).collect();
        let allowed = match allowed.len() {
            n if n == roles.len() => "every role".to_owned(),
            _ => allowed.join(", "),
        };
        let shown = format!("`{} {}`", call.method, call.path);
        match rows.iter_mut().find(|(known, ..)| *known == needs) {
            Some((_, calls, known)) => {
                assert_eq!(*known, allowed, "{shown}");
                calls.push(shown);
            }
            None => rows.push((needs, vec![shown], allowed)),
        }
    }
    let mut table = String::from("| needs | calls | allowed for |\n|---|---|---|\n");
    for (needs, calls, allowed) in rows {
        writeln!(table, "| {needs} | {} | {allowed} |", calls.join(", ")).unwrap();
    }
    table
}

#[test]
fn the_emulator_matches_the_core_and_the_coverage_page() {
    let mut count = 0;
    for (sbac, tags) in [
        (Sbac::Enforced, TagMode::Permissive),
        (Sbac::Enforced, TagMode::Restrictive),
        (Sbac::Disabled, TagMode::Permissive),
    ] {
        count += scopes::check(sbac, tags);
    }
    let page = format!(
        "# Emulator coverage\n\n\
         The answer of the [local emulator](tenant.md) to each call, for each role and for some \
         scopes. Generated by\n`CORTEXKEY_RENEW=1 cargo test -p cortexkey-tenant --test it \
         coverage`: the test sends every call with every role to the\nemulator and compares the \
         answer with `cortexkey-core`'s decision.\n\n\
         Calls that a role does not allow get a 403. The component that a call needs is \
         *assumed*, except for calls on keys. What\npredefined roles grant is *assumed*, except \
         for the two administrators. The test adds custom\nroles: {}.\n\n\
         ## XSIAM, XDR 5, Cortex Cloud: roles\n\n{}\n## XSOAR 8: roles\n\n{}\n\
         ## Scopes\n\nWhat a key with sufficient roles sees of the built-in inventory, with SBAC \
         on and permissive tags. \"The switch\" is\n*not referencing known assets*. The test compares \
         {count} scopes with `cortexkey-core`, with SBAC on and off, and with\npermissive and \
         restrictive tags.\n\n{}",
        custom_roles().iter().map(CustomRole::name).collect::<Vec<_>>().join(", "),
        roles_table(Product::Xsiam),
        roles_table(Product::Xsoar8),
        scopes::table(),
    );
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/tenant-coverage.md");
    if std::env::var_os("CORTEXKEY_RENEW").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    let known = std::fs::read_to_string(path).unwrap_or_default();
    assert!(known == page, "docs/tenant-coverage.md is stale; run with CORTEXKEY_RENEW=1");
}

#[test]
fn out_of_scope_items_are_invisible() {
    let f = start(|options| {
        options.enforce_scopes = true;
        options.explain = true;
        options.custom_roles = custom_roles();
    });
    let both = json!({ "roles": ["Viewer", "Isolator"], "security_level": "standard" });
    let key = f.generate(&both, Level::Standard);
    let scope = json!({ "request_data": {
        "assets": { "mode": "scope", "asset_group_ids": [16] },
        "cases_issues": { "mode": "no_scope" },
        "endpoints": { "endpoint_groups": { "mode": "scope", "names": ["servers-eu"] },
            "endpoint_tags": { "mode": "any" } },
    } });
    let path = "/platform/iam/v1/scope/api-key/3";
    assert_eq!(f.put(&f.sign(&f.standard()), path, &scope).status, 200);
    let get = |id: &str| f.get(&f.sign(&key), &format!("/public_api/v1/assets/{id}"));
    assert_eq!(get("asset-1").status, 200);
    let hidden = get("asset-2");
    let missing = get("asset-99");
    assert_eq!((hidden.status, &hidden.body), (404, &missing.body));
    assert!(hidden.header("x-cortexkey-remedy").unwrap().contains("prod-us"));
    let isolate = |id: &str| {
        let answer =
            f.call(&key, "/public_api/v1/endpoints/isolate", &json!({ "endpoint_id": id }));
        (answer.status, answer.body)
    };
    assert_eq!(isolate("agent-1").0, 200);
    assert_eq!(isolate("agent-2"), isolate("agent-99"));
    let list = f.call(&key, "/public_api/v1/assets", &json!({}));
    assert_eq!(list.header("x-cortexkey-hidden"), Some("4"));
    assert_eq!(list.json()["reply"]["metadata"]["total_count"], 3);
}

#[test]
fn unlicensed_features_answer_402() {
    let f = start(|options| options.unlicensed = vec![Licence::CasesAndIssues]);
    let answer = f.call(&f.advanced(), "/public_api/v1/case/search", &json!({}));
    assert_eq!(answer.status, 402);
    assert_eq!(
        answer.json()["reply"]["err_msg"],
        "User does not have the required license type to run this API."
    );
    assert_eq!(f.call(&f.advanced(), "/public_api/v1/assets", &json!({})).status, 200);
}
