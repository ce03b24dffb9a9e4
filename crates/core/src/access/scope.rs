//! [`Scope`]: what a key may see, area by area.
//!
//! It refuses to be asked anything: [`decide`](super::decide) does that. It borrows its names, so
//! that asking allocates nothing.

/// The domains that the product brings; a tenant may have more.
pub const BUILT_IN_DOMAINS: [&str; 5] = ["Security", "Posture", "Health", "Hunting", "IT"];

/// The scope of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "camelCase"))]
pub struct Scope<'a> {
    /// Which assets, by asset group.
    pub assets: Area<'a>,
    /// Which cases and issues.
    pub cases_and_issues: CasesAndIssues<'a>,
    /// Which endpoints.
    pub endpoints: EndpointScope<'a>,
    /// Which rows of datasets, where the tenant has such scopes.
    pub datasets: Option<DatasetScope<'a>>,
}

impl Scope<'_> {
    /// Nothing at all: what a key without a scope may see where scopes are enforced.
    pub const NONE: Self = Self {
        assets: Area::None,
        cases_and_issues: CasesAndIssues { area: Area::None, unreferenced: false },
        endpoints: EndpointScope { groups: Axis::NoScope, tags: Axis::NoScope },
        datasets: Some(DatasetScope { all: false, filters: &[] }),
    };
}

/// None, all, or what is selected by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(tag = "mode", content = "names", rename_all = "kebab-case")
)]
pub enum Area<'a> {
    /// Nothing of the area.
    None,
    /// All of it.
    All,
    /// What is named here.
    Select(&'a [&'a str]),
}

/// The area of cases and issues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct CasesAndIssues<'a> {
    /// Which domains.
    pub area: Area<'a>,
    /// Whether cases and issues that reference no known asset or endpoint are let in. It means
    /// nothing with [`Area::None`].
    pub unreferenced: bool,
}

/// The area of endpoints: two axes, both of which must let an endpoint in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct EndpointScope<'a> {
    /// By endpoint group.
    pub groups: Axis<'a>,
    /// By endpoint tag.
    pub tags: Axis<'a>,
}

/// One axis of the endpoint area, as the product stores it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(tag = "mode", content = "names", rename_all = "snake_case")
)]
pub enum Axis<'a> {
    /// `no_scope`: lets nothing in.
    NoScope,
    /// `see_all`: lets all in.
    SeeAll,
    /// `any`: this axis does not restrict.
    Any,
    /// `scope`: lets in what is named.
    Scope(&'a [&'a str]),
}

impl<'a> EndpointScope<'a> {
    /// No endpoints.
    pub const fn none() -> Self {
        Self { groups: Axis::NoScope, tags: Axis::NoScope }
    }

    /// All endpoints.
    pub const fn all() -> Self {
        Self { groups: Axis::SeeAll, tags: Axis::SeeAll }
    }

    /// Selected endpoints: by groups, by tags, or by both. An empty list leaves its axis open;
    /// with both empty nothing is selected, and nothing is let in.
    pub const fn select(groups: &'a [&'a str], tags: &'a [&'a str]) -> Self {
        match (groups, tags) {
            ([], []) => Self { groups: Axis::Scope(&[]), tags: Axis::Scope(&[]) },
            (groups, []) => Self { groups: Axis::Scope(groups), tags: Axis::Any },
            ([], tags) => Self { groups: Axis::Any, tags: Axis::Scope(tags) },
            (groups, tags) => Self { groups: Axis::Scope(groups), tags: Axis::Scope(tags) },
        }
    }
}

/// The area of dataset rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct DatasetScope<'a> {
    /// Whether rows of a dataset without a filter are let in.
    pub all: bool,
    /// Dataset and filter. A dataset with filters shows the rows that fit all of them.
    pub filters: &'a [(&'a str, &'a str)],
}

/// An endpoint, as far as scopes look at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Endpoint<'a> {
    /// The groups that it is in.
    pub groups: &'a [&'a str],
    /// Its tags.
    pub tags: &'a [&'a str],
}
