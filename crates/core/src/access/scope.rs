//! [`Scope`]: what a key may see, by area. [`decide`](super::decide()) answers questions about it.
//!
//! The one model of scopes for reading, writing and storing them: see [`Text`] for how it stores
//! names.

#[cfg(feature = "alloc")]
use alloc::string::String;

use super::text::Text;

/// The product's built-in domains; a tenant may have more.
pub const BUILT_IN_DOMAINS: [&str; 5] = ["Security", "Posture", "Health", "Hunting", "IT"];

/// The scope of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(
        rename_all = "camelCase",
        bound = "S: serde::Serialize, S::Names: serde::Serialize, S::Filters: serde::Serialize"
    )
)]
pub struct Scope<S: Text> {
    /// Assets, by asset group.
    pub assets: Area<S>,
    /// Cases and issues.
    pub cases_and_issues: CasesAndIssues<S>,
    /// Endpoints.
    pub endpoints: EndpointScope<S>,
    /// Rows of datasets, if the tenant has such scopes.
    pub datasets: Option<DatasetScope<S>>,
}

impl<S: Text> Scope<S> {
    /// Nothing: what a key without a scope may see if scopes are enforced.
    pub const NONE: Self = Self {
        assets: Area::None,
        cases_and_issues: CasesAndIssues { area: Area::None, unreferenced: Unreferenced::No },
        endpoints: EndpointScope::none(),
        datasets: Some(DatasetScope { all: false, filters: S::NO_FILTERS }),
    };

    /// The scope with strings of its own.
    #[cfg(feature = "alloc")]
    pub fn to_owned(&self) -> Scope<String> {
        let owned = |name: &S| String::from(&**name);
        let names = |names: &[S]| names.iter().map(owned).collect();
        let area = |area: &Area<S>| Area::new(area.mode(), || names(area.names()));
        let axis = |axis: &Axis<S>| Axis::new(axis.mode(), || names(axis.names()));
        let datasets = |scope: &DatasetScope<S>| DatasetScope {
            all: scope.all,
            filters: scope
                .filters
                .iter()
                .map(|(set, filter)| (owned(set), owned(filter)))
                .collect(),
        };
        Scope {
            assets: area(&self.assets),
            cases_and_issues: CasesAndIssues {
                area: area(&self.cases_and_issues.area),
                unreferenced: self.cases_and_issues.unreferenced,
            },
            endpoints: EndpointScope {
                groups: axis(&self.endpoints.groups),
                tags: axis(&self.endpoints.tags),
            },
            datasets: self.datasets.as_ref().map(datasets),
        }
    }
}

/// None, all, or what is selected by name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(
        tag = "mode",
        content = "names",
        rename_all = "kebab-case",
        bound = "S::Names: serde::Serialize"
    )
)]
pub enum Area<S: Text> {
    /// Nothing of the area.
    None,
    /// All of it.
    All,
    /// The names listed here.
    Select(S::Names),
}

/// The mode of an [`Area`], without its names. JSON has the product's words: `no_scope`,
/// `see_all`, `scope`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum AreaMode {
    /// Nothing of the area.
    #[cfg_attr(feature = "serde", serde(rename = "no_scope"))]
    None,
    /// All of it.
    #[cfg_attr(feature = "serde", serde(rename = "see_all"))]
    All,
    /// What is selected by name.
    #[cfg_attr(feature = "serde", serde(rename = "scope"))]
    Select,
}

impl AreaMode {
    /// The word in a definition.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::All => "all",
            Self::Select => "select",
        }
    }
}

impl<S: Text> Area<S> {
    /// An area with a mode. The names count only with [`AreaMode::Select`].
    pub fn new(mode: AreaMode, names: impl FnOnce() -> S::Names) -> Self {
        match mode {
            AreaMode::None => Self::None,
            AreaMode::All => Self::All,
            AreaMode::Select => Self::Select(names()),
        }
    }

    /// The mode.
    pub const fn mode(&self) -> AreaMode {
        match self {
            Self::None => AreaMode::None,
            Self::All => AreaMode::All,
            Self::Select(_) => AreaMode::Select,
        }
    }

    /// The names that are selected.
    pub fn names(&self) -> &[S] {
        if let Self::Select(names) = self { names } else { &[] }
    }
}

impl<'a> Area<&'a str> {
    /// The names listed here, borrowed.
    pub const fn select(names: &'a [&'a str]) -> Self {
        Self::Select(names)
    }
}

/// The area of cases and issues.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(bound = "S: serde::Serialize, S::Names: serde::Serialize")
)]
pub struct CasesAndIssues<S: Text> {
    /// Which domains.
    pub area: Area<S>,
    /// Whether cases and issues that reference no known asset or endpoint are visible. It has no
    /// effect with [`Area::None`].
    pub unreferenced: Unreferenced,
}

/// Whether cases and issues that reference no known asset or endpoint are visible. In JSON `true`,
/// `false` or `"unknown"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unreferenced {
    /// They are visible.
    Yes,
    /// They are not visible.
    No,
    /// The product stores the switch and does not return it. Decided as [`No`](Self::No).
    Unknown,
}

impl Unreferenced {
    /// The word in a definition.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Yes => "true",
            Self::No => "false",
            Self::Unknown => "unknown",
        }
    }
}

impl From<bool> for Unreferenced {
    fn from(visible: bool) -> Self {
        if visible { Self::Yes } else { Self::No }
    }
}

/// The area of endpoints: an endpoint must be in both axes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(bound = "S: serde::Serialize, S::Names: serde::Serialize")
)]
pub struct EndpointScope<S: Text> {
    /// By endpoint group.
    pub groups: Axis<S>,
    /// By endpoint tag.
    pub tags: Axis<S>,
}

/// How a definition writes the area of endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndpointMode {
    /// No endpoints.
    None,
    /// All endpoints.
    All,
    /// Those in the listed groups, with the listed tags, or both.
    Select,
    /// Each axis with the product's own mode.
    Raw,
}

impl EndpointMode {
    /// The word in a definition.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::All => "all",
            Self::Select => "select",
            Self::Raw => "raw",
        }
    }
}

/// One axis of the endpoint area, as the product stores it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(
        tag = "mode",
        content = "names",
        rename_all = "snake_case",
        bound = "S::Names: serde::Serialize"
    )
)]
pub enum Axis<S: Text> {
    /// `no_scope`: no endpoint is in the axis.
    NoScope,
    /// `see_all`: every endpoint is.
    SeeAll,
    /// `any`: the axis does not restrict.
    Any,
    /// `scope`: endpoints with one of these names are.
    Scope(S::Names),
}

/// The mode of an [`Axis`], without its names; in JSON as the product writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum AxisMode {
    /// `no_scope`
    NoScope,
    /// `see_all`
    SeeAll,
    /// `scope`
    Scope,
    /// `any`
    Any,
}

impl AxisMode {
    /// The product's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoScope => "no_scope",
            Self::SeeAll => "see_all",
            Self::Scope => "scope",
            Self::Any => "any",
        }
    }
}

impl<S: Text> Axis<S> {
    /// An axis with a mode. The names count only with [`AxisMode::Scope`].
    pub fn new(mode: AxisMode, names: impl FnOnce() -> S::Names) -> Self {
        match mode {
            AxisMode::NoScope => Self::NoScope,
            AxisMode::SeeAll => Self::SeeAll,
            AxisMode::Any => Self::Any,
            AxisMode::Scope => Self::Scope(names()),
        }
    }

    /// The mode.
    pub const fn mode(&self) -> AxisMode {
        match self {
            Self::NoScope => AxisMode::NoScope,
            Self::SeeAll => AxisMode::SeeAll,
            Self::Any => AxisMode::Any,
            Self::Scope(_) => AxisMode::Scope,
        }
    }

    /// The names that are selected.
    pub fn names(&self) -> &[S] {
        if let Self::Scope(names) = self { names } else { &[] }
    }
}

impl<'a> Axis<&'a str> {
    /// `scope` with these names, borrowed.
    pub const fn scope(names: &'a [&'a str]) -> Self {
        Self::Scope(names)
    }
}

impl<S: Text> EndpointScope<S> {
    /// No endpoints.
    pub const fn none() -> Self {
        Self { groups: Axis::NoScope, tags: Axis::NoScope }
    }

    /// All endpoints.
    pub const fn all() -> Self {
        Self { groups: Axis::SeeAll, tags: Axis::SeeAll }
    }

    /// Selected endpoints: by groups, by tags, or by both. An empty list leaves its axis open; if
    /// both are empty, nothing is selected.
    pub fn select(groups: S::Names, tags: S::Names) -> Self {
        match (groups.is_empty(), tags.is_empty()) {
            (false, true) => Self { groups: Axis::Scope(groups), tags: Axis::Any },
            (true, false) => Self { groups: Axis::Any, tags: Axis::Scope(tags) },
            _ => Self { groups: Axis::Scope(groups), tags: Axis::Scope(tags) },
        }
    }

    /// How a definition writes it.
    pub fn mode(&self) -> EndpointMode {
        match (&self.groups, &self.tags) {
            (Axis::NoScope, Axis::NoScope) => EndpointMode::None,
            (Axis::SeeAll, Axis::SeeAll) => EndpointMode::All,
            (Axis::Scope(names), Axis::Any) | (Axis::Any, Axis::Scope(names))
                if !names.is_empty() =>
            {
                EndpointMode::Select
            }
            (Axis::Scope(groups), Axis::Scope(tags)) if !groups.is_empty() && !tags.is_empty() => {
                EndpointMode::Select
            }
            _ => EndpointMode::Raw,
        }
    }
}

/// The area of dataset rows.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(bound = "S::Filters: serde::Serialize")
)]
pub struct DatasetScope<S: Text> {
    /// Whether rows of a dataset without a filter are visible.
    pub all: bool,
    /// Datasets and filters. If a dataset has several filters, a row is visible only if it matches
    /// all of them.
    pub filters: S::Filters,
}

impl Copy for Scope<&str> {}
impl Copy for Area<&str> {}
impl Copy for CasesAndIssues<&str> {}
impl Copy for EndpointScope<&str> {}
impl Copy for Axis<&str> {}
impl Copy for DatasetScope<&str> {}

/// The properties of an endpoint that scopes use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint<'a> {
    /// The groups that it is in.
    pub groups: &'a [&'a str],
    /// Its tags.
    pub tags: &'a [&'a str],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoint_axes_have_a_word_only_where_a_definition_has_it() {
        type Endpoints = EndpointScope<&'static str>;
        let raw = |groups, tags| Endpoints { groups, tags };
        for (endpoints, mode) in [
            (Endpoints::none(), EndpointMode::None),
            (Endpoints::all(), EndpointMode::All),
            (Endpoints::select(&["g"], &[]), EndpointMode::Select),
            (Endpoints::select(&[], &["t"]), EndpointMode::Select),
            (Endpoints::select(&["g"], &["t"]), EndpointMode::Select),
            (Endpoints::select(&[], &[]), EndpointMode::Raw),
            (raw(Axis::SeeAll, Axis::Any), EndpointMode::Raw),
            (raw(Axis::Any, Axis::Any), EndpointMode::Raw),
            (raw(Axis::NoScope, Axis::scope(&["t"])), EndpointMode::Raw),
            (raw(Axis::scope(&[]), Axis::Any), EndpointMode::Raw),
            (raw(Axis::scope(&["g"]), Axis::scope(&[])), EndpointMode::Raw),
        ] {
            assert_eq!(endpoints.mode(), mode, "{endpoints:?}");
        }
    }

    #[test]
    fn modes_and_names_convert_back() {
        let names: &[&str] = &["a"];
        for area in [Area::None, Area::All, Area::select(names)] {
            assert_eq!(Area::new(area.mode(), || names), area);
        }
        for axis in [Axis::NoScope, Axis::SeeAll, Axis::Any, Axis::scope(names)] {
            assert_eq!(Axis::new(axis.mode(), || names), axis);
        }
        assert_eq!(Area::<&str>::All.names(), [""; 0]);
        assert_eq!(Axis::scope(&["a"]).names(), ["a"]);
    }

    #[test]
    fn modes_have_the_words_of_a_definition_or_of_the_product() {
        let areas = [AreaMode::None, AreaMode::All, AreaMode::Select];
        assert_eq!(areas.map(AreaMode::as_str), ["none", "all", "select"]);
        let switches = [Unreferenced::Yes, Unreferenced::No, Unreferenced::Unknown];
        assert_eq!(switches.map(Unreferenced::as_str), ["true", "false", "unknown"]);
        let endpoints =
            [EndpointMode::None, EndpointMode::All, EndpointMode::Select, EndpointMode::Raw];
        assert_eq!(endpoints.map(EndpointMode::as_str), ["none", "all", "select", "raw"]);
        let axes = [AxisMode::NoScope, AxisMode::SeeAll, AxisMode::Scope, AxisMode::Any];
        assert_eq!(axes.map(AxisMode::as_str), ["no_scope", "see_all", "scope", "any"]);
    }
}
