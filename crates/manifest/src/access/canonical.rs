//! The canonical form of a scope: scopes that allow the same objects by the same names have the
//! same text, in whatever order a definition lists them.
//!
//! Lock files record digests over this text, so it changes only with the version of those digests.
//! A string is its length in bytes, a colon and its bytes; a list is sorted, without duplicates.
//!
//! ```text
//! assets select 3:dev 7:prod-eu
//! cases-and-issues all
//! unreferenced false
//! endpoint-groups scope 7:servers
//! endpoint-tags any
//! datasets none 8:xdr_data 14:_vendor = acme
//! ```

use std::collections::BTreeSet;

use cortexkey_core::access::{Scope, Text};

/// The scope in its canonical form.
#[must_use]
pub fn scope<S: Text>(scope: &Scope<S>) -> String {
    let cases = &scope.cases_and_issues;
    let endpoints = &scope.endpoints;
    let datasets = scope.datasets.as_ref();
    let default = datasets.map_or("-", |datasets| if datasets.all { "all" } else { "none" });
    let filters = datasets.map_or(&[][..], |datasets| &datasets.filters);
    let filters = filters.iter().map(|(dataset, filter)| string(dataset) + " " + &string(filter));
    [
        format!("assets {}{}", scope.assets.mode().as_str(), names(scope.assets.names())),
        format!("cases-and-issues {}{}", cases.area.mode().as_str(), names(cases.area.names())),
        format!("unreferenced {}", cases.unreferenced.as_str()),
        format!(
            "endpoint-groups {}{}",
            endpoints.groups.mode().as_str(),
            names(endpoints.groups.names())
        ),
        format!(
            "endpoint-tags {}{}",
            endpoints.tags.mode().as_str(),
            names(endpoints.tags.names())
        ),
        format!("datasets {default}{}", list(filters)),
        String::new(),
    ]
    .join("\n")
}

/// A list of names in canonical form, with a space before each.
#[must_use]
pub fn names<S: Text>(names: &[S]) -> String {
    list(names.iter().map(|name| string(name)))
}

/// A string in canonical form.
#[must_use]
pub fn string(text: &str) -> String {
    format!("{}:{text}", text.len())
}

fn list(items: impl Iterator<Item = String>) -> String {
    let items: BTreeSet<String> = items.map(|item| format!(" {item}")).collect();
    items.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use cortexkey_core::access::{
        Area, Axis, CasesAndIssues, DatasetScope, EndpointScope, Unreferenced,
    };

    use super::*;

    #[test]
    fn equal_scopes_are_equal_text() {
        let with = |groups: &'static [&'static str], filters| Scope::<&str> {
            assets: Area::select(groups),
            cases_and_issues: CasesAndIssues {
                area: Area::All,
                unreferenced: Unreferenced::Unknown,
            },
            endpoints: EndpointScope { groups: Axis::scope(&["é x"]), tags: Axis::Any },
            datasets: Some(DatasetScope { all: false, filters }),
        };
        let written = scope(&with(&["prod-eu", "dev", "dev"], &[("b", "c = 1"), ("a", "_v = x")]));
        assert_eq!(
            written,
            "assets select 3:dev 7:prod-eu\ncases-and-issues all\nunreferenced unknown\n\
             endpoint-groups scope 4:é x\nendpoint-tags any\n\
             datasets none 1:a 6:_v = x 1:b 5:c = 1\n"
        );
        assert_eq!(written, scope(&with(&["dev", "prod-eu"], &[("a", "_v = x"), ("b", "c = 1")])));
        assert_ne!(written, scope(&with(&["dev", "prod-eu"], &[])));
        // Different names stay different, whatever characters they contain.
        assert_ne!(names(&["a b"]), names(&["a", "b"]));
        let nothing = scope(&Scope::<&str> { datasets: None, ..Scope::NONE });
        assert!(nothing.ends_with("endpoint-tags no_scope\ndatasets -\n"), "{nothing}");
    }
}
