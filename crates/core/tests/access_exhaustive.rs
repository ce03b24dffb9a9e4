//! Compares the access evaluator with a naive one: every answer, every suggested change of a
//! refusal, and that widening a scope never removes access.
//!
//! Only the last test is random, with a fixed seed.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "access_exhaustive/grid.rs"]
mod grid;
#[path = "access_exhaustive/naive.rs"]
mod naive;

use chacha20::ChaCha20Rng;
use cortexkey_core::access::{
    AccessChange, AccessKey, Actions, Answer, Decision, Grant, KeyDefinition, Question, Role, Sbac,
    TagMode, TenantSettings, Text, compare, decide,
};
use cortexkey_core::auth::Level;
use cortexkey_core::lifecycle::Expiry;
use grid::owned;
use naive::{Area, Axis};
use rand_core::{Rng, SeedableRng};

const ENFORCED: [TenantSettings; 2] = [
    TenantSettings { sbac: Sbac::Enforced, tags: TagMode::Permissive, datasets: true },
    TenantSettings { sbac: Sbac::Enforced, tags: TagMode::Restrictive, datasets: true },
];

#[test]
fn every_scope_answers_as_the_rules_say() {
    let count = hold(&grid::scopes(), &grid::questions(), &[false]);
    println!("{count} combinations of scope, tenant and question");
    assert!(count > 900_000);
}

#[test]
fn every_dataset_scope_answers_as_the_rules_say() {
    let count = hold(&grid::dataset_scopes(), &grid::rows(), &[false, true]);
    println!("{count} combinations of dataset scope, tenant and row");
    assert!(count > 5_000);
}

#[test]
fn every_union_of_roles_answers_as_the_rules_say() {
    let mut count = 0;
    for roles in role_lists() {
        let naive_roles: Vec<_> = roles.iter().map(grid::naive_role).collect();
        for question in grid::rights_questions() {
            let expected = match question {
                Question::Component { name, permission } => {
                    naive::component(&naive_roles, name, permission as u8)
                }
                Question::Action { name } => naive::action(&naive_roles, name),
                _ => unreachable!("asked of scopes"),
            };
            assert_eq!(
                same(answer_of_roles(&roles, &question)),
                expected,
                "{roles:?} {question:?}"
            );
            count += 1;
        }
    }
    println!("{count} combinations of roles and question");
    assert!(count > 4_000);
}

#[test]
fn a_role_that_a_refusal_names_allows_and_no_role_takes_away() {
    let questions = grid::rights_questions();
    for roles in &role_lists() {
        for question in &questions {
            let key = AccessKey { roles, scope: None };
            let decision = decide(&key, &TenantSettings::enforcing(), question);
            let changes: Vec<_> = decision.trace().changes().collect();
            if decision.answer() == Answer::Allowed {
                assert!(changes.is_empty(), "{decision}");
                for role in grid::ROLES {
                    let more = [&roles[..], &[role]].concat();
                    assert_eq!(answer_of_roles(&more, question), Answer::Allowed, "{more:?}");
                }
                continue;
            }
            let (grants, held) = match changes[..] {
                [AccessChange::Component { component, permission }] => {
                    (vec![Grant::listed((*component).to_owned(), *permission)], vec![])
                }
                [AccessChange::Action(action)] => (vec![], owned(&[action])),
                _ => panic!("{decision}"),
            };
            let actions = Actions { held, lacked: vec![], is_complete: true };
            let role = Role { grants, actions, ..Role::unknown("added".to_owned()) };
            let more: Vec<_> = roles.iter().map(Role::to_owned).chain([role]).collect();
            assert_eq!(answer_of_roles(&more, question), Answer::Allowed, "{decision}");
        }
    }
}

#[test]
fn suggested_changes_are_sufficient_and_minimal() {
    let mut count = 0;
    for (scopes, questions) in parts() {
        for_each_enforced(&scopes, &questions, |tenant, scope, question, decision| {
            let changes: Vec<_> = decision.trace().changes().copied().collect();
            assert_eq!(changes.is_empty(), decision.answer() == Answer::Allowed, "{decision}");
            // No filter matches a row without fields.
            let hopeless = matches!(question, Question::DatasetRow { row: [], .. });
            if decision.answer() != Answer::Refused || hopeless {
                return;
            }
            let with = |changes: &mut dyn Iterator<Item = &AccessChange<'_>>| {
                let mut scope = scope.cloned().unwrap_or_else(grid::nothing);
                changes.for_each(|change| apply(change, question, &mut scope));
                answer_of_scope(&scope, *tenant, question)
            };
            assert_eq!(with(&mut changes.iter()), Answer::Allowed, "{scope:?} {decision}");
            for left_out in 0..changes.len() {
                let mut others = (changes.iter().enumerate())
                    .filter_map(|(i, change)| (i != left_out).then_some(change));
                assert_eq!(with(&mut others), Answer::Refused, "{scope:?} {decision}");
            }
            count += 1;
        });
    }
    println!("{count} refusals with changes that are enough, and of which none is spare");
    assert!(count > 100_000);
}

#[test]
fn widening_a_scope_takes_nothing_away() {
    let mut count = 0;
    for (scopes, questions) in parts() {
        for (tenant, scope) in enforced(&scopes) {
            let Some(scope) = scope else { continue };
            let allows = |q: &&Question<'_>| answer_of_scope(scope, *tenant, q) == Answer::Allowed;
            let allowed: Vec<_> = questions.iter().filter(allows).collect();
            for wider in widened(scope) {
                let wider = grid::scope(&wider);
                let key = AccessKey { roles: &[], scope: Some(&wider) };
                for question in &allowed {
                    let decision = decide(&key, tenant, question);
                    assert_eq!(decision.answer(), Answer::Allowed, "{scope:?} {decision}");
                }
                count += allowed.len();
            }
        }
    }
    println!("{count} answers of yes that widening leaves");
    assert!(count > 100_000);
}

/// Adding the first tag to a selection of groups does not widen it: the open axis starts to
/// restrict.
#[test]
fn the_first_tag_narrows_a_selection_of_groups() {
    let endpoint = cortexkey_core::access::Endpoint { groups: &["g1"], tags: &["t2"] };
    let question = Question::Endpoint(endpoint);
    let groups = Axis::Scope(owned(&["g1"]));
    let before = naive::Scope { groups, tags: Axis::Any, ..grid::nothing() };
    let after = naive::Scope { tags: Axis::Scope(owned(&["t1"])), ..before.clone() };
    for tenant in ENFORCED {
        assert_eq!(answer_of_scope(&before, tenant, &question), Answer::Allowed);
        assert_eq!(answer_of_scope(&after, tenant, &question), Answer::Refused);
    }
}

#[test]
fn what_is_newly_allowed_is_reported_as_a_gain() {
    let mut random = ChaCha20Rng::seed_from_u64(7);
    let mut newly_allowed = 0;
    let mut silent = 0;
    let roles = role_lists();
    for (scopes, mut questions) in parts() {
        questions.extend(grid::rights_questions());
        for _ in 0..1_500 {
            let before: Held<'_> =
                (&pick(&mut random, &roles)[..], pick(&mut random, &scopes).clone());
            let after = near(&before, &roles, &scopes, &mut random);
            let gains = gains(&before, &after);
            let tenant = *pick(&mut random, &ENFORCED);
            let new = newly_allowed_question(&before, &after, tenant, &questions);
            assert!(new.is_none() || gains > 0, "{before:?} {after:?} {new:?}");
            newly_allowed += usize::from(new.is_some());
            silent += usize::from(gains == 0);
        }
    }
    println!("{newly_allowed} pairs with something newly allowed, {silent} without a gain");
    assert!(newly_allowed > 300 && silent > 300);
}

type Held<'a> = (&'a [Role<&'static str>], Option<naive::Scope>);

/// Changes a key: other roles, another or wider scope, other tags and filters, or nothing.
fn near<'a>(
    before: &Held<'a>,
    roles: &'a [Vec<Role<&'static str>>],
    scopes: &Scopes,
    random: &mut ChaCha20Rng,
) -> Held<'a> {
    let other = pick(random, scopes);
    let scope = match (pick(random, &[0, 1, 2, 3]), &before.1, other) {
        (0, ..) => other.clone(),
        (1, Some(scope), _) => Some(pick(random, &widened(scope)).clone()),
        (2, Some(scope), Some(other)) => {
            let tags = other.tags.clone();
            let filters = other.filters.clone();
            Some(naive::Scope { tags, filters, ..scope.clone() })
        }
        (_, scope, _) => scope.clone(),
    };
    let keeps_roles = *pick(random, &[true, true, false]);
    (if keeps_roles { before.0 } else { &pick(random, roles)[..] }, scope)
}

/// The roles have the same name, so that only what they grant can be a gain.
fn gains(before: &Held<'_>, after: &Held<'_>) -> usize {
    let renamed = |roles: &[Role<&'static str>]| -> Vec<_> {
        roles.iter().map(|role| Role { name: "r".into(), ..role.to_owned() }).collect()
    };
    let [before, after] =
        [before, after].map(|held| (renamed(held.0), held.1.as_ref().map(grid::scope)));
    let [before, after] = [&before, &after].map(|(roles, scope)| KeyDefinition {
        name: "k",
        level: Level::Advanced,
        expiry: Expiry::Never,
        lifetime_ms: None,
        roles,
        scope: scope.as_ref(),
    });
    compare(&[before], &[after]).len()
}

fn newly_allowed_question<'q>(
    before: &Held<'_>,
    after: &Held<'_>,
    tenant: TenantSettings,
    questions: &'q [Question<'q>],
) -> Option<&'q Question<'q>> {
    let [before, after] = [before, after].map(|held| {
        let roles: Vec<_> = held.0.iter().map(Role::to_owned).collect();
        (roles, held.1.as_ref().map(grid::scope))
    });
    let [before, after] =
        [&before, &after].map(|(roles, scope)| AccessKey { roles, scope: scope.as_ref() });
    let allows = |key, question| decide(key, &tenant, question).answer() == Answer::Allowed;
    questions.iter().find(|question| allows(&after, question) && !allows(&before, question))
}

fn pick<'a, T>(random: &mut ChaCha20Rng, from: &'a [T]) -> &'a T {
    &from[random.next_u32() as usize % from.len()]
}

/// Compares both evaluators on every question, scope and tenant; returns the number of questions.
fn hold(scopes: &[Option<naive::Scope>], questions: &[Question<'_>], datasets: &[bool]) -> usize {
    let questions: Vec<_> = questions.iter().map(|q| (q, grid::target(q))).collect();
    let mut count = 0;
    for scope in scopes {
        for (sbac, naive_sbac) in grid::SBAC {
            for (tags, datasets) in
                grid::TAGS.iter().flat_map(|t| datasets.iter().map(move |d| (*t, *d)))
            {
                let tenant = TenantSettings { sbac, tags, datasets };
                let restrictive = tags == TagMode::Restrictive;
                let naive_tenant = naive::Tenant { sbac: naive_sbac, restrictive, datasets };
                let owned = scope.as_ref().map(grid::scope);
                let key = AccessKey { roles: &[], scope: owned.as_ref() };
                for (question, target) in &questions {
                    let decision = decide(&key, &tenant, question);
                    let expected = naive::visible(&naive_tenant, scope.as_ref(), target);
                    assert_eq!(
                        same(decision.answer()),
                        expected,
                        "{scope:?} {question:?} {decision}"
                    );
                }
                count += questions.len();
            }
        }
    }
    count
}

fn same(answer: Answer) -> naive::Answer {
    match answer {
        Answer::Allowed => naive::Answer::Allowed,
        Answer::Refused => naive::Answer::Refused,
        Answer::Unknown => naive::Answer::Unknown,
    }
}

type Scopes = Vec<Option<naive::Scope>>;

fn parts() -> [(Scopes, Vec<Question<'static>>); 2] {
    [(grid::scopes(), grid::questions()), (grid::dataset_scopes(), grid::rows())]
}

fn enforced(
    scopes: &Scopes,
) -> impl Iterator<Item = (&'static TenantSettings, Option<&naive::Scope>)> {
    ENFORCED.iter().flat_map(move |tenant| scopes.iter().map(move |s| (tenant, s.as_ref())))
}

fn for_each_enforced(
    scopes: &Scopes,
    questions: &[Question<'_>],
    mut look: impl FnMut(&TenantSettings, Option<&naive::Scope>, &Question<'_>, &Decision<'_>),
) {
    for (tenant, scope) in enforced(scopes) {
        let owned = scope.map(grid::scope);
        let key = AccessKey { roles: &[], scope: owned.as_ref() };
        for question in questions {
            look(tenant, scope, question, &decide(&key, tenant, question));
        }
    }
}

fn answer_of_roles<S: Text>(roles: &[Role<S>], question: &Question<'_>) -> Answer {
    decide(&AccessKey { roles, scope: None }, &TenantSettings::enforcing(), question).answer()
}

fn answer_of_scope(
    scope: &naive::Scope,
    tenant: TenantSettings,
    question: &Question<'_>,
) -> Answer {
    let scope = grid::scope(scope);
    decide(&AccessKey { roles: &[], scope: Some(&scope) }, &tenant, question).answer()
}

/// Up to two roles in both orders, and all roles.
fn role_lists() -> Vec<Vec<Role<&'static str>>> {
    let mut lists = vec![vec![], grid::ROLES.to_vec()];
    for first in grid::ROLES {
        lists.push(vec![first]);
        for second in grid::ROLES {
            lists.push(vec![first, second]);
            lists.extend(grid::ROLES.map(|third| vec![first, second, third]));
        }
    }
    lists
}

/// Applies a suggested change to a scope.
fn apply(change: &AccessChange<'_>, question: &Question<'_>, scope: &mut naive::Scope) {
    match change {
        AccessChange::AssetGroup(name) => scope.assets = more(&scope.assets, name),
        AccessChange::AllAssets => scope.assets = Area::All,
        AccessChange::Domain(name) => scope.domains = more(&scope.domains, name),
        AccessChange::Unreferenced => scope.unreferenced = true,
        AccessChange::EndpointGroup(name) => {
            open_other_axis(&scope.groups, &mut scope.tags);
            scope.groups = longer(&scope.groups, &[name]);
        }
        AccessChange::EndpointTags(names) => {
            open_other_axis(&scope.tags, &mut scope.groups);
            scope.tags = longer(&scope.tags, names);
        }
        AccessChange::AllEndpoints => (scope.groups, scope.tags) = (Axis::SeeAll, Axis::SeeAll),
        AccessChange::Dataset(name) => {
            let Question::DatasetRow { row: [(field, value), ..], .. } = question else {
                panic!("{question:?}")
            };
            scope.datasets.get_or_insert(false);
            scope.filters.retain(|(dataset, ..)| dataset != name);
            scope.filters.push(((*name).into(), (*field).into(), (*value).into()));
        }
        _ => panic!("{change} changes no scope"),
    }
}

/// If no endpoint is selected, selecting by one axis leaves the other open.
fn open_other_axis(this: &Axis, other: &mut Axis) {
    let holds_nothing = |axis: &Axis| *axis == Axis::NoScope || *axis == Axis::Scope(vec![]);
    if holds_nothing(this) && holds_nothing(other) {
        *other = Axis::Any;
    }
}

fn more(area: &Area, name: &str) -> Area {
    match area {
        Area::All => Area::All,
        _ => Area::Select([area.names(), &owned(&[name])].concat()),
    }
}

fn longer(axis: &Axis, names: &[&str]) -> Axis {
    match axis {
        Axis::SeeAll | Axis::Any => axis.clone(),
        _ => Axis::Scope([axis.names(), &owned(names)].concat()),
    }
}

/// Every scope that is wider in one respect.
fn widened(scope: &naive::Scope) -> Vec<naive::Scope> {
    let mut wider = vec![naive::Scope { unreferenced: true, ..scope.clone() }];
    let assets = ["a1", "a3"].map(|name| more(&scope.assets, name));
    for assets in assets.into_iter().chain([Area::All]) {
        wider.push(naive::Scope { assets, ..scope.clone() });
    }
    let domains = ["Security", "Health"].map(|name| more(&scope.domains, name));
    for domains in domains.into_iter().chain([Area::All]) {
        wider.push(naive::Scope { domains, ..scope.clone() });
    }
    let groups = ["g2", "g3"].map(|name| longer(&scope.groups, &[name]));
    for groups in groups.into_iter().chain([Axis::Any]) {
        wider.push(naive::Scope { groups, ..scope.clone() });
    }
    let tags = ["t2", "t3"].map(|name| longer(&scope.tags, &[name]));
    for tags in tags.into_iter().chain([Axis::Any]) {
        wider.push(naive::Scope { tags, ..scope.clone() });
    }
    wider.push(naive::Scope { datasets: Some(true), ..scope.clone() });
    for (i, (dataset, ..)) in scope.filters.iter().enumerate() {
        // Without its last filter, a dataset has the default, which may be narrower.
        let others = scope.filters.iter().filter(|(other, ..)| other == dataset).count() - 1;
        if others > 0 || scope.datasets == Some(true) {
            let mut fewer = scope.clone();
            fewer.filters.remove(i);
            wider.push(fewer);
        }
    }
    wider
}
