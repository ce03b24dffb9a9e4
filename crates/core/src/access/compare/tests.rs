//! Which changes are gains, by kind.

use alloc::string::ToString;

use super::*;
use crate::access::{Actions, Component};

const KEY: KeyDefinition<'_, &str> = key(&[], None);

const fn key<'a, S: Text>(
    roles: &'a [Role<S>],
    scope: Option<&'a Scope<S>>,
) -> KeyDefinition<'a, S> {
    KeyDefinition {
        name: "k",
        level: Level::Advanced,
        expiry: Expiry::At { ms: 5 },
        lifetime_ms: None,
        roles,
        scope,
    }
}

fn codes<S: Text>(before: KeyDefinition<'_, S>, after: KeyDefinition<'_, S>) -> Vec<&'static str> {
    let gains = compare(&[before], &[after]);
    assert!(gains.iter().all(|gain| gain.to_string().starts_with("k: ")));
    gains.iter().map(Gain::code).collect()
}

fn of_scopes<'a>(before: Scope<&'a str>, after: Scope<&'a str>) -> Vec<&'static str> {
    codes(key(&[], Some(&before)), key(&[], Some(&after)))
}

fn of_roles<S: Text>(before: &[Role<S>], after: &[Role<S>]) -> Vec<&'static str> {
    codes(key(before, None), key(after, None))
}

#[test]
fn keys_levels_and_expiries() {
    assert_eq!(codes(KEY, KEY), [""; 0]);
    assert_eq!(codes(KeyDefinition { name: "old", ..KEY }, KEY), ["new-key"]);
    let twice = compare(&[KEY], &[KEY, KEY]);
    assert_eq!(twice, [Gain { key: "k", widening: Widening::NewKey }]);
    let standard = KeyDefinition { level: Level::Standard, ..KEY };
    assert_eq!(codes(KEY, standard), ["level-weakened"]);
    assert_eq!(codes(standard, KEY), [""; 0]);
    let later = KeyDefinition { expiry: Expiry::At { ms: 6 }, ..KEY };
    let never = KeyDefinition { expiry: Expiry::Never, ..KEY };
    assert_eq!(codes(KEY, later), ["expiry-later"]);
    assert_eq!(codes(later, never), ["expiry-removed"]);
    assert_eq!(codes(never, KEY), [""; 0]);
    let lives = |ms| KeyDefinition { lifetime_ms: Some(ms), ..never };
    assert_eq!(codes(lives(5), lives(6)), ["lifetime-longer"]);
    assert_eq!(codes(lives(6), lives(5)), [""; 0]);
    assert_eq!(codes(lives(5), never), ["expiry-removed"]);
    assert_eq!(codes(never, lives(5)), [""; 0]);
    assert_eq!(codes(lives(5), KEY), ["expiry-kind-changed"]);
    assert_eq!(codes(KEY, lives(5)), ["expiry-kind-changed"]);
}

#[test]
fn roles_are_checked_as_a_union_where_all_is_listed() {
    let views = [Grant::listed("Auditing", Permission::View)];
    let edits = [Grant::listed("Auditing", Permission::Edit)];
    let known: Role<&str> = Role {
        grants: &views,
        actions: Actions::only(&["Live Terminal"]),
        ..Role::unknown("known")
    };
    let raised: Role<&str> =
        Role { grants: &edits, actions: Actions::only(&["Live Terminal", "Isolate"]), ..known };
    let admin = Role { holds_all: true, ..Role::unknown("admin") };
    let none = |component: &Component| Grant::listed(component.name, Permission::None);
    let all = COMPONENTS.iter().map(none).collect::<Vec<_>>();
    let nothing: Role<&str> =
        Role { grants: &all, actions: Actions::only(&[]), ..Role::unknown("nothing") };
    assert_eq!(of_roles(&[known], &[raised]), ["component-raised", "action-gained"]);
    assert_eq!(of_roles(&[raised], &[known]), [""; 0]);
    assert_eq!(of_roles(&[known], &[nothing]), [""; 0]);
    assert_eq!(of_roles(&[], &[Role::unknown("x")]), ["role-added"]);
    assert_eq!(of_roles(&[nothing], &[known]).first(), Some(&"role-added"));
    assert_eq!(of_roles(&[known], &[admin]), ["role-added"]);
    assert_eq!(of_roles(&[admin], &[Role::unknown("x")]), [""; 0]);
    // It could grant a component that only the other names.
    let own = [Grant::listed("Own", Permission::View)];
    let own: Role<&str> = Role { grants: &own, ..known };
    assert_eq!(of_roles(&[own], &[own, nothing]), ["role-added"]);
}

#[test]
fn areas_widen_by_mode_and_by_name() {
    let none: Scope<&str> = Scope { datasets: None, ..Scope::NONE };
    let assets = |assets| Scope { assets, ..none };
    let cases = |area, unreferenced: bool| Scope {
        cases_and_issues: CasesAndIssues { area, unreferenced: unreferenced.into() },
        ..none
    };
    let select: Area<&str> = Area::select(&["a"]);
    assert_eq!(of_scopes(none, assets(select)), ["asset-group-added"]);
    assert_eq!(of_scopes(assets(select), assets(Area::All)), ["area-widened"]);
    assert_eq!(of_scopes(assets(Area::All), assets(select)), [""; 0]);
    let off = cases(select, false);
    assert_eq!(of_scopes(off, cases(select, true)), ["unreferenced-allowed"]);
    assert_eq!(of_scopes(off, cases(Area::select(&["b"]), false)), ["domain-added"]);
    assert_eq!(of_scopes(none, cases(Area::None, true)), [""; 0]);
    let scoped = KeyDefinition { scope: Some(&assets(select)), ..KEY };
    assert_eq!(codes(scoped, KEY), ["scope-dropped"]);
    assert_eq!(codes(KEY, scoped), ["scope-given"]);
    let nothing = KeyDefinition { scope: Some(&none), ..KEY };
    assert_eq!(codes(KEY, nothing), [""; 0]);
}

#[test]
fn endpoints_widen_by_either_axis() {
    let of = |before, after| {
        let scope = |endpoints| Scope { endpoints, ..Scope::NONE };
        of_scopes(scope(before), scope(after))
    };
    let none = EndpointScope::none();
    let all = EndpointScope::all();
    let select = EndpointScope::<&str>::select;
    let group = select(&["g"], &[]);
    assert_eq!(of(none, group), ["endpoint-group-added"]);
    assert_eq!(of(none, all), ["area-widened"]);
    assert_eq!(of(group, all), ["area-widened"]);
    // The first tag narrows, and so does an empty selection.
    assert_eq!(of(group, select(&["g"], &["t"])), [""; 0]);
    assert_eq!(of(group, select(&[], &[])), [""; 0]);
    assert_eq!(of(select(&["g"], &["t"]), group), ["area-widened"]);
    assert_eq!(of(select(&["g"], &["t"]), select(&["g"], &["t", "u"])), ["endpoint-tag-added"]);
    assert_eq!(of(group, select(&[], &["t"])), ["area-widened"]);
    assert_eq!(of(all, EndpointScope { groups: Axis::Any, tags: Axis::Any }), [""; 0]);
    let dead: EndpointScope<&str> =
        EndpointScope { groups: Axis::scope(&["g"]), tags: Axis::NoScope };
    assert_eq!(of(none, dead), [""; 0]);
    assert_eq!(of(dead, group), ["endpoint-group-added"]);
}

#[test]
fn datasets_widen_by_default_and_by_filter() {
    let of = |before: (bool, &[_]), after: (bool, &[_])| {
        let [before, after] = [before, after].map(|(all, filters)| Scope::<&str> {
            datasets: Some(DatasetScope { all, filters }),
            ..Scope::NONE
        });
        of_scopes(before, after)
    };
    let a = ("d", "_vendor = a");
    let b = ("d", "_vendor = b");
    assert_eq!(of((false, &[]), (true, &[])), ["datasets-opened"]);
    assert_eq!(of((false, &[]), (false, &[a])), ["dataset-opened"]);
    assert_eq!(of((true, &[]), (true, &[a])), [""; 0]);
    assert_eq!(of((true, &[a]), (true, &[])), ["dataset-filter-dropped"]);
    assert_eq!(of((false, &[a]), (false, &[])), [""; 0]);
    assert_eq!(of((false, &[a]), (false, &[b])), ["dataset-filter-changed"]);
    assert_eq!(of((false, &[a, b]), (false, &[b])), ["dataset-filter-dropped"]);
    assert_eq!(of((false, &[b]), (false, &[a, b])), [""; 0]);
}

#[test]
fn an_added_role_names_only_what_a_policy_lists() {
    let gains = |role: Role<&str>| of_roles(&[], &[role]);
    let listed = [Grant::listed("Auditing", Permission::View)];
    let observed = [Grant { certainty: Certainty::Observed, ..listed[0] }];
    let of = |grants, actions| Role::<&str> { grants, actions, ..Role::unknown("x") };
    let nothing: Actions<&str> = Actions { held: &[][..], lacked: &[][..], is_complete: false };
    assert_eq!(gains(of(&listed, nothing)), ["role-added", "component-raised"]);
    assert_eq!(gains(of(&observed, nothing)), ["role-added"]);
    // A list of actions that is not complete is a public one.
    let public = Actions { held: &["Isolate"][..], ..nothing };
    assert_eq!(gains(of(&[], public)), ["role-added"]);
    assert_eq!(
        gains(of(&[], Actions { is_complete: true, ..public })),
        ["role-added", "action-gained"]
    );
    // Of a role that was there before, each gain is named.
    let before = of(&[], nothing);
    assert_eq!(
        of_roles(&[before], &[of(&observed, public)]),
        ["component-raised", "action-gained"]
    );
}

#[test]
fn a_raised_component_has_the_level_before_if_it_is_known() {
    let raised_from = |before: &[Grant<&str>], others| {
        let edits = [Grant::listed("Auditing", Permission::Edit)];
        let role = |grants| Role::<&str> { grants, others, ..Role::unknown("x") };
        let (before, after) = ([role(before)], [role(&edits)]);
        match compare(&[key(&before, None)], &[key(&after, None)])[..] {
            [Gain { widening: Widening::ComponentRaised { from, to, .. }, .. }] => (from, to),
            ref other => panic!("{other:?}"),
        }
    };
    let unknown = KnownLevel::UNKNOWN;
    let nothing = KnownLevel::exactly(Permission::None);
    let views = [Grant::listed("Auditing", Permission::View)];
    assert_eq!(raised_from(&[], unknown), (None, Permission::Edit));
    assert_eq!(raised_from(&[], nothing), (Some(Permission::None), Permission::Edit));
    assert_eq!(raised_from(&views, unknown), (Some(Permission::View), Permission::Edit));
    let at_least_view = [Grant { level: KnownLevel::at_least(Permission::View), ..views[0] }];
    assert_eq!(raised_from(&at_least_view, unknown), (Some(Permission::View), Permission::Edit));
}
