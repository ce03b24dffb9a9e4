//! Describes a scope in words, the same for every front end.

use cortexkey_core::access::{Area, Axis, Scope, Unreferenced};

use super::KeyAccess;

/// Each area in words.
#[must_use]
pub fn areas(access: &KeyAccess) -> Vec<(&'static str, String)> {
    let Some(scope) = &access.scope else {
        return vec![("scope", "none: with scopes enforced it sees nothing".to_owned())];
    };
    let cases = &scope.cases_and_issues;
    let unreferenced = match (&cases.area, cases.unreferenced) {
        (Area::None, _) => "",
        (_, Unreferenced::Yes) => "; also what references no known object",
        (_, Unreferenced::No) => "; not what references no known object",
        (_, Unreferenced::Unknown) => "; unknown whether also what references no known object",
    };
    let cases = selection(&cases.area, "all domains", "domains");
    vec![
        ("assets", selection(&scope.assets, "all", "asset groups")),
        ("cases and issues", format!("{cases}{unreferenced}")),
        ("endpoints", endpoints(scope)),
        ("rows of datasets", rows(access, scope)),
    ]
}

fn selection(area: &Area<String>, all: &str, what: &str) -> String {
    match area {
        Area::None => "none".to_owned(),
        Area::All => all.to_owned(),
        Area::Select(names) if names.is_empty() => "none: nothing is selected".to_owned(),
        Area::Select(names) => format!("{what} {}", names.join(", ")),
    }
}

/// The endpoints of a scope.
#[must_use]
pub fn endpoints(scope: &Scope<String>) -> String {
    let groups = &scope.endpoints.groups;
    let tags = &scope.endpoints.tags;
    let axis = |axis: &Axis<String>, what: &str| match axis {
        Axis::NoScope => format!("no {what} (no_scope)"),
        Axis::SeeAll => format!("all {what} (see_all)"),
        Axis::Any => format!("any {what}"),
        Axis::Scope(names) if names.is_empty() => format!("{what}: nothing selected"),
        Axis::Scope(names) => format!("{what} {}", names.join(", ")),
    };
    match (groups, tags) {
        (Axis::NoScope, Axis::NoScope) => "none".to_owned(),
        (Axis::SeeAll, Axis::SeeAll) => "all".to_owned(),
        (Axis::Scope(_), Axis::Any) => axis(groups, "groups"),
        (Axis::Any, Axis::Scope(_)) => axis(tags, "tags"),
        _ => format!("{}, and {}", axis(groups, "groups"), axis(tags, "tags")),
    }
}

/// The rows of datasets that a key sees.
#[must_use]
pub fn rows(access: &KeyAccess, scope: &Scope<String>) -> String {
    if !access.tenant.settings.datasets {
        return "not limited by scopes in this tenant".to_owned();
    }
    let Some(datasets) = &scope.datasets else {
        return "none: the scope does not mention them".to_owned();
    };
    let mut words = if datasets.all { "all".to_owned() } else { "none".to_owned() };
    for (dataset, filter) in &datasets.filters {
        words.extend(["; of ", dataset, " where ", filter]);
    }
    words
}
