//! The combinations to test: scopes, questions and roles that match and miss each other in every
//! way.
//!
//! It also converts between the types of the two evaluators.

use cortexkey_core::access::{
    Actions, Area, Axis, CasesAndIssues, Certainty, DatasetScope, Endpoint, EndpointScope, Grant,
    KnownLevel, Permission, Question, Reference, Role, Sbac, Scope, TagMode,
};

use crate::naive::{self, Target};

pub(crate) const SBAC: [(Sbac, naive::Sbac); 3] = [
    (Sbac::Enforced, naive::Sbac::On),
    (Sbac::Disabled, naive::Sbac::Off),
    (Sbac::Unknown, naive::Sbac::Unknown),
];
pub(crate) const TAGS: [TagMode; 2] = [TagMode::Permissive, TagMode::Restrictive];

pub(crate) fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// A scope in the evaluator's form.
pub(crate) fn scope(scope: &naive::Scope) -> Scope<String> {
    let area = |area: &naive::Area| match area {
        naive::Area::None => Area::None,
        naive::Area::All => Area::All,
        naive::Area::Select(names) => Area::Select(names.clone()),
    };
    let axis = |axis: &naive::Axis| match axis {
        naive::Axis::NoScope => Axis::NoScope,
        naive::Axis::SeeAll => Axis::SeeAll,
        naive::Axis::Any => Axis::Any,
        naive::Axis::Scope(names) => Axis::Scope(names.clone()),
    };
    let filters = scope.filters.iter();
    let filters =
        filters.map(|(dataset, field, value)| (dataset.clone(), format!("{field} = {value}")));
    Scope {
        assets: area(&scope.assets),
        cases_and_issues: CasesAndIssues {
            area: area(&scope.domains),
            unreferenced: scope.unreferenced.into(),
        },
        endpoints: EndpointScope { groups: axis(&scope.groups), tags: axis(&scope.tags) },
        datasets: scope.datasets.map(|all| DatasetScope { all, filters: filters.collect() }),
    }
}

/// A question in the naive evaluator's form.
pub(crate) fn target(question: &Question<'_>) -> Target {
    let asset = |groups: &[&str]| naive::Asset { groups: owned(groups) };
    match *question {
        Question::Asset { groups } => Target::Asset(asset(groups)),
        Question::Finding { asset_groups } => Target::Finding(asset(asset_groups)),
        Question::Issue { domain, references } => Target::Issue(issue(domain, references)),
        Question::Case { domain, issues } => Target::Case(naive::Case {
            domain: domain.to_owned(),
            issues: issues.iter().map(|(domain, references)| issue(domain, references)).collect(),
        }),
        Question::Endpoint(one) => Target::Endpoint(endpoint(&one)),
        Question::ManageEndpoint(one) => Target::Manage(endpoint(&one)),
        Question::DatasetRow { dataset, row } => Target::Row(naive::Row {
            dataset: dataset.to_owned(),
            fields: row.iter().map(|(f, v)| ((*f).to_owned(), (*v).to_owned())).collect(),
        }),
        _ => unreachable!("asked of roles"),
    }
}

fn endpoint(one: &Endpoint<'_>) -> naive::Endpoint {
    naive::Endpoint { groups: owned(one.groups), tags: owned(one.tags) }
}

fn issue(domain: &str, references: &[Reference<'_>]) -> naive::Issue {
    let mut issue = naive::Issue {
        domain: domain.to_owned(),
        agent: false,
        assets: Vec::new(),
        endpoints: Vec::new(),
    };
    for reference in references {
        match reference {
            Reference::Asset { groups, endpoint: agent } => {
                issue.assets.push(naive::Asset { groups: owned(groups) });
                issue.agent |= agent.is_some();
                issue.endpoints.extend(agent.as_ref().map(endpoint));
            }
            Reference::Deleted | Reference::Unknown => {}
        }
    }
    issue
}

fn areas(selections: &[&[&str]]) -> Vec<naive::Area> {
    let mut areas = vec![naive::Area::None, naive::Area::All];
    areas.extend(selections.iter().map(|names| naive::Area::Select(owned(names))));
    areas
}

fn axes(selections: &[&[&str]]) -> Vec<naive::Axis> {
    let mut axes = vec![naive::Axis::NoScope, naive::Axis::SeeAll, naive::Axis::Any];
    axes.extend(selections.iter().map(|names| naive::Axis::Scope(owned(names))));
    axes
}

/// Every combination of the areas of a scope, and no scope.
pub(crate) fn scopes() -> Vec<Option<naive::Scope>> {
    let mut scopes = vec![None];
    for assets in areas(&[&["a1"]]) {
        for domains in areas(&[&["Security"]]) {
            for unreferenced in [false, true] {
                for groups in axes(&[&["g1"]]) {
                    for tags in axes(&[&[], &["t1"], &["t1", "t2"]]) {
                        scopes.push(Some(naive::Scope {
                            assets: assets.clone(),
                            domains: domains.clone(),
                            unreferenced,
                            groups: groups.clone(),
                            tags,
                            datasets: None,
                            filters: Vec::new(),
                        }));
                    }
                }
            }
        }
    }
    scopes
}

fn leak<T>(list: Vec<T>) -> &'static [T] {
    Vec::leak(list)
}

const fn endpoint_of(
    groups: &'static [&'static str],
    tags: &'static [&'static str],
) -> Endpoint<'static> {
    Endpoint { groups, tags }
}

/// What issues may reference: unknown and deleted objects, and assets that selections match or
/// miss,
/// with and without agents.
const REFERENCES: [Reference<'static>; 7] = [
    Reference::Unknown,
    Reference::Deleted,
    Reference::Asset { groups: &["a1"], endpoint: None },
    Reference::Asset { groups: &[], endpoint: None },
    Reference::Asset { groups: &["a3"], endpoint: Some(endpoint_of(&["g2"], &["t1", "t3"])) },
    Reference::Asset { groups: &["a3", "a1"], endpoint: Some(endpoint_of(&["g1"], &[])) },
    Reference::Asset { groups: &["a2"], endpoint: Some(endpoint_of(&[], &["t1"])) },
];

/// Lists of up to two references, in both orders.
fn reference_lists() -> Vec<&'static [Reference<'static>]> {
    let mut lists: Vec<&'static [Reference<'static>]> = vec![&[]];
    for first in &REFERENCES {
        lists.push(leak(vec![*first]));
        for second in &REFERENCES {
            lists.push(leak(vec![*first, *second]));
        }
    }
    lists
}

pub(crate) fn questions() -> Vec<Question<'static>> {
    let mut questions = Vec::new();
    let groups: [&'static [&'static str]; 4] = [&[], &["a1"], &["a3"], &["a3", "a1"]];
    for groups in groups {
        questions.push(Question::Asset { groups });
        questions.push(Question::Finding { asset_groups: groups });
    }
    let groups: [&'static [&'static str]; 4] = [&[], &["g1"], &["g3"], &["g3", "g2"]];
    let tags: [&'static [&'static str]; 4] = [&[], &["t1"], &["t3"], &["t2", "t1"]];
    for groups in groups {
        for tags in tags {
            questions.push(Question::Endpoint(Endpoint { groups, tags }));
            questions.push(Question::ManageEndpoint(Endpoint { groups, tags }));
        }
    }
    let lists = reference_lists();
    for domain in ["Security", "Health"] {
        for references in &lists {
            questions.push(Question::Issue { domain, references });
        }
        questions.push(Question::Case { domain, issues: &[] });
    }
    // Cases with one issue, and with two issues that have one reference each.
    let mut issues = Vec::new();
    for domain in ["Security", "Health"] {
        for references in &lists {
            questions.push(Question::Case {
                domain: "Security",
                issues: leak(vec![(domain, *references)]),
            });
            if references.len() == 1 {
                issues.push((domain, *references));
            }
        }
    }
    for (i, first) in issues.iter().enumerate() {
        for second in &issues[i..] {
            let issues = leak(vec![*first, *second]);
            questions.push(Question::Case { domain: "Security", issues });
        }
    }
    questions
}

/// Every combination of the default and up to two filters, and none at all.
pub(crate) fn dataset_scopes() -> Vec<Option<naive::Scope>> {
    let filter = |dataset: &str, field: &str, value: &str| {
        (dataset.to_owned(), field.to_owned(), value.to_owned())
    };
    let filters = [
        filter("d1", "_vendor", "acme"),
        filter("d1", "_product", "fw"),
        filter("d2", "_vendor", "acme"),
        filter("d2", "_vendor", "other"),
    ];
    let mut lists = vec![Vec::new()];
    for (i, first) in filters.iter().enumerate() {
        lists.push(vec![first.clone()]);
        lists.extend(filters[i + 1..].iter().map(|second| vec![first.clone(), second.clone()]));
    }
    let mut scopes = vec![None];
    for datasets in [None, Some(false), Some(true)] {
        for filters in &lists {
            scopes.push(Some(naive::Scope { datasets, filters: filters.clone(), ..nothing() }));
        }
    }
    scopes
}

/// A scope that includes nothing.
pub(crate) fn nothing() -> naive::Scope {
    naive::Scope {
        assets: naive::Area::None,
        domains: naive::Area::None,
        unreferenced: false,
        groups: naive::Axis::NoScope,
        tags: naive::Axis::NoScope,
        datasets: None,
        filters: Vec::new(),
    }
}

/// Rows with both fields, one or none, of datasets with and without filters.
pub(crate) fn rows() -> Vec<Question<'static>> {
    let rows: [&'static [(&'static str, &'static str)]; 5] = [
        &[],
        &[("_vendor", "acme")],
        &[("_product", "ips")],
        &[("_vendor", "acme"), ("_product", "fw")],
        &[("_vendor", "other"), ("_product", "fw")],
    ];
    let datasets = ["d1", "d2", "d3"].into_iter();
    datasets.flat_map(|dataset| rows.map(|row| Question::DatasetRow { dataset, row })).collect()
}

const fn grant(component: &'static str, level: KnownLevel) -> Grant<&'static str> {
    Grant { component, level, certainty: Certainty::Documented, source: "test" }
}

const fn exactly(component: &'static str, level: Permission) -> Grant<&'static str> {
    grant(component, KnownLevel::exactly(level))
}

const NOTHING_OF_C_D_E: &[Grant<&'static str>] = &[
    exactly("C", Permission::None),
    exactly("D", Permission::None),
    exactly("E", Permission::None),
];
const GUESS: Grant<&'static str> =
    Grant { certainty: Certainty::Assumed, ..exactly("C", Permission::Edit) };

/// Roles: without known facts, with some components, with bounds, with an assumption, and with
/// everything.
pub(crate) const ROLES: [Role<&'static str>; 10] = [
    Role::unknown("unknown"),
    Role { grants: &[exactly("C", Permission::View)], ..Role::unknown("views C") },
    Role {
        grants: &[exactly("C", Permission::Edit), exactly("D", Permission::None)],
        actions: Actions::only(&[]),
        ..Role::unknown("edits C")
    },
    Role {
        grants: &[exactly("C", Permission::None), exactly("D", Permission::View)],
        actions: Actions::only(&["X"]),
        ..Role::unknown("views D")
    },
    Role { grants: NOTHING_OF_C_D_E, actions: Actions::only(&["Y"]), ..Role::unknown("nothing") },
    Role { actions: Actions::only(&["X", "Y"]), ..Role::unknown("acts") },
    Role {
        grants: &[grant("D", KnownLevel::at_least(Permission::View))],
        others: KnownLevel::at_most(Permission::View),
        actions: Actions { held: &["X"], lacked: &["Y"], is_complete: false },
        ..Role::unknown("bounds")
    },
    Role {
        grants: &[exactly("C", Permission::Edit)],
        others: KnownLevel::exactly(Permission::None),
        actions: Actions::only(&[]),
        ..Role::unknown("C alone")
    },
    Role { grants: &[GUESS], ..Role::unknown("guessed") },
    Role { holds_all: true, ..Role::unknown("all") },
];

/// Questions about what roles grant.
pub(crate) fn rights_questions() -> Vec<Question<'static>> {
    let mut questions: Vec<_> = ["X", "Y", "Z"].map(|name| Question::Action { name }).into();
    for name in ["C", "D", "E", "F"] {
        for permission in [Permission::None, Permission::View, Permission::Edit] {
            questions.push(Question::Component { name, permission });
        }
    }
    questions
}

/// A role in the naive evaluator's form: every possible level; a role that grants everything is
/// written out in full.
pub(crate) fn naive_role(role: &Role<&str>) -> naive::Role {
    if role.holds_all {
        return naive::Role {
            components: Vec::new(),
            others: vec![2],
            actions: owned(&["X", "Y", "Z"]),
            lacked: Some(Vec::new()),
        };
    }
    let possible = |level: KnownLevel| (level.lowest() as u8..=level.highest() as u8).collect();
    let certain = role.grants.iter().filter(|grant| grant.certainty != Certainty::Assumed);
    let Actions { held, lacked, is_complete } = role.actions;
    naive::Role {
        components: certain.map(|g| (g.component.to_owned(), possible(g.level))).collect(),
        others: possible(role.others),
        actions: owned(held),
        lacked: (!is_complete).then(|| owned(lacked)),
    }
}
