//! Definitions and policies as text, and the core's values for them.

use super::*;
use crate::definition;
use crate::yaml::{YamlLimits, parse};
use cortexkey_core::access::{
    Answer, Area, Axis, CasesAndIssues, Endpoint, EndpointScope, KnownLevel, Permission, Question,
    Rights, Unreferenced, decide,
};

const POLICY: &str = "apiVersion: cortexkey/v1\nkind: Policy\nmetadata: { name: x }\n\
    tenants:\n  eu: { product: xsiam, sbac: enforced, tags: permissive }\n  \
    soar: { product: xsoar-8 }\n  old: { product: xpanse, sbac: enforced }\n\
    catalog:\n  roles:\n  - { name: Export, components: { Public API: none } }\n  \
    - { name: Glass, privileged: true, actions: [Live Terminal], implies: [Deep, Viewer] }\n  \
    - { name: Deep, components: { Auditing: view }, implies: [Glass] }\n  \
    - { name: Instance Administrator, components: { Auditing: none } }\n  \
    - { name: CLI Read Only Role, components: { Auditing: view } }\n";

fn access(roles: &str, scope: &str, tenant: Option<&str>) -> Result<KeyAccess, IncompleteField> {
    let text = format!(
        "apiVersion: cortexkey/v1\nkind: ApiKey\nmetadata: {{ name: k }}\nspec:\n  \
         securityLevel: advanced\n  roles: {roles}\n{scope}"
    );
    let tree = parse(&text, &YamlLimits::default()).tree;
    let definition = definition::read(&tree, tree.documents()[0]).definition.unwrap();
    let tree = parse(POLICY, &YamlLimits::default()).tree;
    let lowered = policy::read(&tree, tree.documents()[0]);
    assert!(lowered.problems.is_empty(), "{:?}", lowered.problems);
    let policy = lowered.policy.unwrap();
    let catalog: Vec<&policy::CatalogRole> = policy.catalog.roles.iter().collect();
    let entry = |name: &str| policy.tenants.iter().find(|t| t.0.value == name).map(|t| &t.1);
    KeyAccess::from_definition(&definition, &catalog, tenant.map(|name| (name, entry(name))))
}

const SCOPE: &str = "  scope:\n    assets: { mode: select, groups: [a, { name: b, id: 2 }] }\n    \
    casesAndIssues: { mode: all, unreferenced: unknown }\n";

fn scoped(endpoints: &str) -> Result<KeyAccess, IncompleteField> {
    access("[Viewer]", &format!("{SCOPE}    endpoints: {endpoints}\n"), Some("eu"))
}

#[test]
fn roles_are_looked_up_in_the_catalog_then_the_product() {
    let held = access("[Export, Viewer, Nobody, Export]", "", Some("eu")).unwrap().role_facts;
    let origins: Vec<_> = held.iter().map(|role| role.origin).collect();
    assert_eq!(origins, [RoleOrigin::Catalog, RoleOrigin::Predefined, RoleOrigin::Unknown]);
    // A role of another product is unknown here.
    let held = access("[Analyst]", "", Some("eu")).unwrap().role_facts;
    assert_eq!(held[0].origin, RoleOrigin::Unknown);
    let held = access("[Analyst]", "", None).unwrap().role_facts;
    assert_eq!(held[0].origin, RoleOrigin::Predefined);
}

#[test]
fn the_catalog_only_adds_to_public_facts() {
    let held = access("[Instance Administrator]", "", Some("eu")).unwrap();
    assert!(held.roles[0].holds_all && held.role_facts[0].privileged);
    assert!(Rights(&held.roles).can_generate_keys().unwrap());
    let held = access("[CLI Read Only Role]", "", Some("eu")).unwrap();
    let of = |name| Rights(&held.roles).component(name);
    assert_eq!(of("Credentials"), KnownLevel::exactly(Permission::None));
    assert_eq!(of("Auditing"), KnownLevel::exactly(Permission::View));
}

#[test]
fn a_former_name_of_a_component_counts_as_its_present_ones() {
    let text = POLICY.replace("{ Public API: none }", "{ Scans: edit, PR scans: view }");
    let tree = parse(&text, &YamlLimits::default()).tree;
    let policy = policy::read(&tree, tree.documents()[0]).policy.unwrap();
    let listed = policy.catalog.roles.iter().find(|role| role.name.value == "Export");
    let role = ResolvedRole::resolve("Export", listed, Some(Product::Xsiam)).role;
    let names: Vec<_> = role.grants.iter().map(|grant| grant.component.as_str()).collect();
    assert_eq!(names, ["Periodic scans", "PR scans", "CI/CD scans"]);
    assert!(role.grants.iter().all(|grant| grant.level == KnownLevel::exactly(Permission::Edit)));
}

#[test]
fn public_role_facts_apply_to_the_documented_product() {
    let can_generate_keys =
        |tenant| Rights(&access("[Viewer]", "", tenant).unwrap().roles).can_generate_keys();
    assert_eq!(can_generate_keys(Some("eu")), Some(false));
    assert_eq!(can_generate_keys(None), None);
}

#[test]
fn cyclic_implied_roles_are_counted_once() {
    let held = access("[Glass]", "", Some("eu")).unwrap();
    let held_roles = held.roles.iter().zip(&held.role_facts);
    let names: Vec<_> =
        held_roles.map(|(r, facts)| (r.name.as_str(), facts.implied_by.as_deref())).collect();
    assert_eq!(names, [("Glass", None), ("Deep", Some("Glass")), ("Viewer", Some("Glass"))]);
    assert_eq!(Rights(&held.roles).action("Live Terminal"), Some(true));
    // `Deep` may grant more than is listed, and `Viewer` edits nothing.
    let auditing = Rights(&held.roles).component("Auditing");
    assert_eq!(auditing, KnownLevel::at_least(Permission::View));
}

#[test]
fn scopes_become_the_cores() {
    let held = scoped("{ mode: select, groups: [g] }").unwrap();
    let scope = held.scope.as_ref().unwrap();
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(scope.assets, Area::Select(owned(&["a", "b"])));
    let area = CasesAndIssues { area: Area::All, unreferenced: Unreferenced::Unknown };
    assert_eq!(scope.cases_and_issues, area);
    assert_eq!(scope.endpoints, EndpointScope::select(owned(&["g"]), vec![]));
    let asked = Question::Endpoint(Endpoint { groups: &["g"], tags: &[] });
    assert_eq!(decide(&held.key(), &held.tenant.settings, &asked).answer(), Answer::Allowed);
    for (written, expected) in [
        ("{ mode: none }", EndpointScope::none()),
        ("{ mode: all }", EndpointScope::all()),
        ("{ mode: select, tags: [t] }", EndpointScope::select(vec![], owned(&["t"]))),
        ("{ mode: select }", EndpointScope::select(vec![], vec![])),
        (
            "{ mode: raw, groupsMode: see_all, tagsMode: scope, tags: [t] }",
            EndpointScope { groups: Axis::SeeAll, tags: Axis::Scope(owned(&["t"])) },
        ),
    ] {
        assert_eq!(scoped(written).unwrap().scope.unwrap().endpoints, expected, "{written}");
    }
}

#[test]
fn an_incomplete_field_is_named_with_its_place() {
    for (endpoints, message) in [
        ("{ mode: some }", "`scope.endpoints.mode` cannot be read"),
        ("{ groups: [g] }", "`scope.endpoints.mode` is missing"),
        ("{ mode: all, groups: [g] }", "the selection in `scope.endpoints` has no effect"),
        ("{ mode: raw, tagsMode: any }", "`scope.endpoints.groupsMode` is missing"),
    ] {
        let field = scoped(endpoints).unwrap_err();
        assert!(field.message.starts_with(message), "{field:?}");
        assert!(!field.span.is_empty());
    }
    assert_eq!(access("Viewer", "", None).unwrap_err().message, "`spec.roles` cannot be read");
}

#[test]
fn tenants_define_how_scopes_apply() {
    let facts = |name| access("[Viewer]", "", name).unwrap().tenant;
    let eu = facts(Some("eu"));
    assert_eq!((eu.scopes, eu.settings.sbac), (ScopeModel::Areas, Sbac::Enforced));
    assert_eq!((eu.settings.tags, eu.tags_set), (TagMode::Permissive, true));
    let soar = facts(Some("soar"));
    assert_eq!((soar.scopes, soar.settings.sbac), (ScopeModel::NoScopes, Sbac::Disabled));
    assert_eq!((soar.settings.tags, soar.tags_set), (TagMode::Restrictive, false));
    assert_eq!(facts(Some("old")).scopes, ScopeModel::Older);
    let none = facts(Some("elsewhere"));
    assert!(!none.listed && none.settings.sbac == Sbac::Unknown);
}
