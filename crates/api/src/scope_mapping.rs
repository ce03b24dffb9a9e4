//! Between the core's scopes and the product's JSON: [`to_write`] and [`ScopeAsRead::from_read`].
//!
//! It refuses to guess and to round. An asset group without one id is an error. What the product
//! does not tell stays [`Unreferenced::Unknown`]. Endpoint axes that no definition could have
//! written stay as they are.

use core::fmt;

use cortexkey_core::access::{
    Area, Axis, CasesAndIssues, DatasetScope, EndpointScope, Scope as CoreScope,
};

use crate::scope::{
    AssetGroup, AssetsWrite, AxisMode, AxisWrite, CasesIssuesWrite, DatasetFilter, DatasetsRows,
    EndpointsWrite, Mode, ScopeRead, ScopeWrite, Tag, Tagged,
};

/// Why a scope has no JSON in the other form.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MappingError {
    /// The tenant has no asset group of this name.
    NoSuchGroup {
        /// The name.
        name: String,
    },
    /// The tenant has several asset groups of this name.
    SeveralGroups {
        /// The name.
        name: String,
        /// Their ids.
        ids: Vec<u64>,
    },
    /// The default of datasets is `scope`, which the product does not document there.
    DatasetDefault,
}

impl fmt::Display for MappingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchGroup { name } => write!(
                f,
                "the tenant has no asset group {name:?}; correct the name, or make the group first"
            ),
            Self::SeveralGroups { name, ids } => write!(
                f,
                "the tenant has {} asset groups {name:?}, with the ids {ids:?}; give the id of \
                 the one that is meant",
                ids.len()
            ),
            Self::DatasetDefault => f.write_str(
                "`datasets_rows.default_filter_mode` is `scope`; expected `no_scope` or `see_all`",
            ),
        }
    }
}

impl core::error::Error for MappingError {}

/// The JSON that puts a scope in place.
///
/// `ids` gives the ids of the asset groups of a name: exactly one is expected.
///
/// ```
/// use cortexkey_api::scope_mapping::to_write;
/// use cortexkey_core::access::{Area, Scope};
///
/// let scope = Scope { assets: Area::Select(&["prod-eu"]), datasets: None, ..Scope::NONE };
/// let json = to_write(&scope, |name| if name == "prod-eu" { vec![16] } else { vec![] })?;
/// assert_eq!(json.assets.asset_group_ids, [16]);
///
/// let error = to_write(&scope, |_| vec![16, 17]).unwrap_err();
/// assert!(error.to_string().starts_with("the tenant has 2 asset groups \"prod-eu\""));
/// # Ok::<(), cortexkey_api::scope_mapping::MappingError>(())
/// ```
pub fn to_write(
    scope: &CoreScope<'_>,
    mut ids: impl FnMut(&str) -> Vec<u64>,
) -> Result<ScopeWrite, MappingError> {
    let (mode, groups) = area(scope.assets);
    let mut asset_group_ids = Vec::with_capacity(groups.len());
    for name in groups {
        let name = (*name).to_owned();
        match ids(&name).as_slice() {
            [id] => asset_group_ids.push(*id),
            [] => return Err(MappingError::NoSuchGroup { name }),
            several => return Err(MappingError::SeveralGroups { name, ids: several.to_vec() }),
        }
    }
    let assets = AssetsWrite { mode, asset_group_ids };
    let (mode, domains) = area(scope.cases_and_issues.area);
    let cases_issues = CasesIssuesWrite {
        mode,
        names: owned(domains),
        include_cases_issues_empty_entities: scope.cases_and_issues.unreferenced,
    };
    let endpoints = EndpointsWrite {
        endpoint_groups: axis(scope.endpoints.groups),
        endpoint_tags: axis(scope.endpoints.tags),
    };
    let datasets_rows = scope.datasets.map(|datasets| DatasetsRows {
        default_filter_mode: if datasets.all { Mode::SeeAll } else { Mode::NoScope },
        filters: datasets
            .filters
            .iter()
            .map(|(dataset, filter)| DatasetFilter {
                dataset: (*dataset).to_owned(),
                filter: (*filter).to_owned(),
            })
            .collect(),
    });
    Ok(ScopeWrite { assets, cases_issues, endpoints, datasets_rows })
}

/// A scope as a tenant tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeAsRead {
    /// Which assets, by asset group with its id.
    pub assets: Selection<AssetGroup>,
    /// Which cases and issues, by domain.
    pub cases_and_issues: Selection<String>,
    /// Whether cases and issues that reference nothing known are let in.
    pub unreferenced: Unreferenced,
    /// Which endpoints.
    pub endpoints: Endpoints,
    /// Which rows of datasets, where the tenant has such scopes.
    pub datasets: Option<Datasets>,
}

/// None, all, or what is selected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection<T> {
    /// Nothing of the area.
    None,
    /// All of it.
    All,
    /// What is named here.
    Select(Vec<T>),
}

/// Whether cases and issues that reference nothing known are let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreferenced {
    /// They are.
    Yes,
    /// They are not.
    No,
    /// The product does not tell.
    Unknown,
}

/// Which endpoints, in the words of a definition where there are such.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoints {
    /// No endpoints: both axes `no_scope`.
    None,
    /// All endpoints: both axes `see_all`.
    All,
    /// Selected by groups, by tags or by both; an empty list is an axis that does not restrict.
    Select {
        /// The groups.
        groups: Vec<String>,
        /// The tags.
        tags: Vec<String>,
    },
    /// Any other combination, as the product stores it.
    Raw {
        /// By endpoint group.
        groups: RawAxis,
        /// By endpoint tag.
        tags: RawAxis,
    },
}

/// One axis of the endpoints as the product stores it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawAxis {
    /// The product's mode.
    pub mode: AxisMode,
    /// The names, which are kept whatever the mode.
    pub names: Vec<String>,
}

/// Which rows of datasets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datasets {
    /// Whether rows of a dataset without a filter are let in.
    pub all: bool,
    /// Dataset and filter.
    pub filters: Vec<(String, String)>,
}

impl ScopeAsRead {
    /// Takes what a GET gave.
    pub fn from_read(read: &ScopeRead) -> Result<Self, MappingError> {
        let datasets = read.datasets_rows.as_ref().map(datasets).transpose()?;
        let groups = || read.assets.asset_groups.clone();
        Ok(Self {
            assets: selection(read.assets.mode, groups),
            cases_and_issues: selection(read.cases_issues.mode, || names(&read.cases_issues.tags)),
            unreferenced: match read.cases_issues.mode {
                // Nothing is let in, so there is nothing that the switch could decide.
                Mode::NoScope => Unreferenced::No,
                Mode::SeeAll | Mode::Scope => Unreferenced::Unknown,
            },
            endpoints: Endpoints::from_axes(
                raw(&read.endpoints.endpoint_groups),
                raw(&read.endpoints.endpoint_tags),
            ),
            datasets,
        })
    }

    /// Hands the scope over in the core's form, and says whether `unreferenced` is only taken to
    /// be off because nobody tells.
    pub fn with_core<R>(&self, ask: impl FnOnce(CoreScope<'_>, bool) -> R) -> R {
        let groups = match &self.assets {
            Selection::Select(groups) => {
                groups.iter().map(|group| group.asset_group_name.as_str()).collect()
            }
            _ => Vec::new(),
        };
        let domains = match &self.cases_and_issues {
            Selection::Select(domains) => texts(domains),
            _ => Vec::new(),
        };
        let axes = self.endpoints.axes();
        let (endpoint_groups, endpoint_tags) = (texts(&axes.0.names), texts(&axes.1.names));
        let filters: Option<Vec<(&str, &str)>> = self.datasets.as_ref().map(|datasets| {
            datasets.filters.iter().map(|(name, filter)| (name.as_str(), filter.as_str())).collect()
        });
        let scope = CoreScope {
            assets: core_area(&self.assets, &groups),
            cases_and_issues: CasesAndIssues {
                area: core_area(&self.cases_and_issues, &domains),
                unreferenced: self.unreferenced == Unreferenced::Yes,
            },
            endpoints: EndpointScope {
                groups: core_axis(axes.0.mode, &endpoint_groups),
                tags: core_axis(axes.1.mode, &endpoint_tags),
            },
            datasets: self.datasets.as_ref().map(|datasets| DatasetScope {
                all: datasets.all,
                filters: filters.as_deref().unwrap_or_default(),
            }),
        };
        ask(scope, self.unreferenced == Unreferenced::Unknown)
    }
}

impl Endpoints {
    /// The words for two axes, where a definition has such; else the axes as they are.
    pub fn from_axes(groups: RawAxis, tags: RawAxis) -> Self {
        use AxisMode::{Any, NoScope, Scope, SeeAll};
        let filled = |axis: &RawAxis| !axis.names.is_empty();
        match (groups.mode, tags.mode) {
            (NoScope, NoScope) if !filled(&groups) && !filled(&tags) => Self::None,
            (SeeAll, SeeAll) if !filled(&groups) && !filled(&tags) => Self::All,
            (Scope, Any) if filled(&groups) && !filled(&tags) => {
                Self::Select { groups: groups.names, tags: Vec::new() }
            }
            (Any, Scope) if filled(&tags) && !filled(&groups) => {
                Self::Select { groups: Vec::new(), tags: tags.names }
            }
            (Scope, Scope) if filled(&groups) && filled(&tags) => {
                Self::Select { groups: groups.names, tags: tags.names }
            }
            _ => Self::Raw { groups, tags },
        }
    }

    /// The two axes, groups first.
    pub fn axes(&self) -> (RawAxis, RawAxis) {
        let bare = |mode| RawAxis { mode, names: Vec::new() };
        let select = |names: &Vec<String>, other: &Vec<String>| match names.as_slice() {
            [] if !other.is_empty() => bare(AxisMode::Any),
            names => RawAxis { mode: AxisMode::Scope, names: names.to_vec() },
        };
        match self {
            Self::None => (bare(AxisMode::NoScope), bare(AxisMode::NoScope)),
            Self::All => (bare(AxisMode::SeeAll), bare(AxisMode::SeeAll)),
            Self::Select { groups, tags } => (select(groups, tags), select(tags, groups)),
            Self::Raw { groups, tags } => (groups.clone(), tags.clone()),
        }
    }
}

fn area(area: Area<'_>) -> (Mode, &[&str]) {
    match area {
        Area::None => (Mode::NoScope, &[]),
        Area::All => (Mode::SeeAll, &[]),
        Area::Select(names) => (Mode::Scope, names),
    }
}

fn axis(axis: Axis<'_>) -> AxisWrite {
    let (mode, names): (_, &[&str]) = match axis {
        Axis::NoScope => (AxisMode::NoScope, &[]),
        Axis::SeeAll => (AxisMode::SeeAll, &[]),
        Axis::Any => (AxisMode::Any, &[]),
        Axis::Scope(names) => (AxisMode::Scope, names),
    };
    AxisWrite { mode, names: owned(names) }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn selection<T>(mode: Mode, selected: impl FnOnce() -> Vec<T>) -> Selection<T> {
    match mode {
        Mode::NoScope => Selection::None,
        Mode::SeeAll => Selection::All,
        Mode::Scope => Selection::Select(selected()),
    }
}

fn names(tags: &[Tag]) -> Vec<String> {
    tags.iter().map(|tag| tag.tag_name.clone()).collect()
}

fn raw(axis: &Tagged<AxisMode>) -> RawAxis {
    // The product shows `Any` as a tag without an id on an axis that does not restrict.
    let is_any =
        |tag: &&Tag| axis.mode == AxisMode::Any && tag.tag_id.is_null() && tag.tag_name == "Any";
    let tags = axis.tags.iter().filter(|tag| !is_any(tag));
    RawAxis { mode: axis.mode, names: tags.map(|tag| tag.tag_name.clone()).collect() }
}

fn datasets(rows: &DatasetsRows) -> Result<Datasets, MappingError> {
    let all = match rows.default_filter_mode {
        Mode::NoScope => false,
        Mode::SeeAll => true,
        Mode::Scope => return Err(MappingError::DatasetDefault),
    };
    let filters = rows.filters.iter();
    let filters = filters.map(|filter| (filter.dataset.clone(), filter.filter.clone())).collect();
    Ok(Datasets { all, filters })
}

fn texts(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}

fn core_area<'a, T>(selection: &Selection<T>, names: &'a [&'a str]) -> Area<'a> {
    match selection {
        Selection::None => Area::None,
        Selection::All => Area::All,
        Selection::Select(_) => Area::Select(names),
    }
}

fn core_axis<'a>(mode: AxisMode, names: &'a [&'a str]) -> Axis<'a> {
    match mode {
        AxisMode::NoScope => Axis::NoScope,
        AxisMode::SeeAll => Axis::SeeAll,
        AxisMode::Any => Axis::Any,
        AxisMode::Scope => Axis::Scope(names),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scope::{AssetsRead, EndpointsRead};
    use proptest::prelude::*;

    const GROUPS: [(&str, u64); 4] = [("prod-eu", 16), ("prod-us", 17), ("dev", 3), ("é \"q\"", 9)];

    fn ids(name: &str) -> Vec<u64> {
        GROUPS.iter().filter(|(known, _)| *known == name).map(|(_, id)| *id).collect()
    }

    /// What a tenant would answer a GET with, after this PUT.
    fn stored(write: &ScopeWrite) -> ScopeRead {
        fn tagged<M: Copy>(mode: M, names: &[String]) -> Tagged<M> {
            let tag = |name: &String| Tag { tag_id: name.len().into(), tag_name: name.clone() };
            Tagged { mode, tags: names.iter().map(tag).collect() }
        }
        let name = |id: &u64| GROUPS.iter().find(|(_, known)| known == id).unwrap().0.to_owned();
        let group = |id: &u64| AssetGroup { asset_group_id: *id, asset_group_name: name(id) };
        let axis = |axis: &AxisWrite| tagged(axis.mode, &axis.names);
        ScopeRead {
            assets: AssetsRead {
                mode: write.assets.mode,
                asset_groups: write.assets.asset_group_ids.iter().map(group).collect(),
            },
            cases_issues: tagged(write.cases_issues.mode, &write.cases_issues.names),
            endpoints: EndpointsRead {
                endpoint_groups: axis(&write.endpoints.endpoint_groups),
                endpoint_tags: axis(&write.endpoints.endpoint_tags),
            },
            datasets_rows: write.datasets_rows.clone(),
        }
    }

    type OwnedArea = Option<Option<Vec<&'static str>>>;

    fn some_names(from: &'static [&'static str]) -> BoxedStrategy<Vec<&'static str>> {
        proptest::collection::vec(proptest::sample::select(from), 0..4).boxed()
    }

    /// Nothing, all, or a selection.
    fn some_area(from: &'static [&'static str]) -> BoxedStrategy<OwnedArea> {
        prop_oneof![Just(None), Just(Some(None)), some_names(from).prop_map(|n| Some(Some(n)))]
            .boxed()
    }

    fn lent(area: &OwnedArea) -> Area<'_> {
        match area {
            None => Area::None,
            Some(None) => Area::All,
            Some(Some(names)) => Area::Select(names),
        }
    }

    fn some_axis() -> BoxedStrategy<(u8, Vec<&'static str>)> {
        (0..4_u8, some_names(&["servers", "vip", "é"])).boxed()
    }

    fn lent_axis<'a>(axis: &'a (u8, Vec<&'static str>)) -> Axis<'a> {
        match axis.0 {
            0 => Axis::NoScope,
            1 => Axis::SeeAll,
            2 => Axis::Any,
            _ => Axis::Scope(&axis.1),
        }
    }

    proptest! {
        #[test]
        fn what_is_written_and_read_back_is_the_same(
            assets in some_area(&["prod-eu", "prod-us", "dev", "é \"q\""]),
            cases in some_area(&["Security", "IT", "Finance"]),
            unreferenced: bool,
            groups in some_axis(),
            tags in some_axis(),
            rows in proptest::option::of((any::<bool>(), some_names(&["xdr_data", "x"]))),
        ) {
            let filters: Vec<_> =
                rows.iter().flat_map(|(_, names)| names).map(|n| (*n, "_vendor = a")).collect();
            let scope = CoreScope {
                assets: lent(&assets),
                cases_and_issues: CasesAndIssues { area: lent(&cases), unreferenced },
                endpoints: EndpointScope { groups: lent_axis(&groups), tags: lent_axis(&tags) },
                datasets: rows.as_ref().map(|(all, _)| DatasetScope { all: *all, filters: &filters }),
            };
            let write = to_write(&scope, ids).unwrap();
            let read = ScopeAsRead::from_read(&stored(&write)).unwrap();
            let telling = cases.is_none();
            prop_assert_eq!(read.unreferenced == Unreferenced::Unknown, !telling);
            read.with_core(|mut back, unknown| {
                prop_assert_eq!(unknown, !telling);
                back.cases_and_issues.unreferenced = unreferenced;
                prop_assert_eq!(back, scope);
                Ok(())
            })?;
            // And once more: an import writes what it read.
            read.with_core(|mut back, _| {
                back.cases_and_issues.unreferenced = unreferenced;
                prop_assert_eq!(to_write(&back, ids).unwrap(), write);
                Ok(())
            })?;
        }
    }

    #[test]
    fn endpoint_axes_have_words_only_where_a_definition_has_them() {
        use AxisMode::{Any, NoScope, Scope, SeeAll};
        let axis = |mode, names: &[&str]| RawAxis { mode, names: owned(names) };
        let of = |groups: RawAxis, tags: RawAxis| Endpoints::from_axes(groups, tags);
        let bare = |mode| axis(mode, &[]);
        assert_eq!(of(bare(NoScope), bare(NoScope)), Endpoints::None);
        assert_eq!(of(bare(SeeAll), bare(SeeAll)), Endpoints::All);
        let select = |groups: &[&str], tags: &[&str]| Endpoints::Select {
            groups: owned(groups),
            tags: owned(tags),
        };
        assert_eq!(of(axis(Scope, &["g"]), bare(Any)), select(&["g"], &[]));
        assert_eq!(of(bare(Any), axis(Scope, &["t"])), select(&[], &["t"]));
        assert_eq!(of(axis(Scope, &["g"]), axis(Scope, &["t"])), select(&["g"], &["t"]));
        for (groups, tags) in [
            (bare(SeeAll), bare(Any)),
            (bare(Any), bare(Any)),
            (bare(NoScope), axis(Scope, &["t"])),
            (bare(Scope), bare(Any)),
            (axis(Scope, &["g"]), bare(Scope)),
            // The vendor's own script leaves names beside modes that take none.
            (axis(SeeAll, &["g"]), bare(SeeAll)),
        ] {
            let raw = of(groups.clone(), tags.clone());
            assert_eq!(raw, Endpoints::Raw { groups: groups.clone(), tags: tags.clone() });
            assert_eq!(raw.axes(), (groups, tags));
        }
    }

    #[test]
    fn an_axis_that_does_not_restrict_may_show_a_tag() {
        let tag = |id, name: &str| Tag { tag_id: id, tag_name: name.to_owned() };
        let mut read = stored(&to_write(&CoreScope::NONE, ids).unwrap());
        read.endpoints.endpoint_groups =
            Tagged { mode: AxisMode::Scope, tags: vec![tag("EG:1".into(), "servers")] };
        read.endpoints.endpoint_tags =
            Tagged { mode: AxisMode::Any, tags: vec![tag(serde_json::Value::Null, "Any")] };
        let endpoints = ScopeAsRead::from_read(&read).unwrap().endpoints;
        let groups = vec!["servers".to_owned()];
        assert_eq!(endpoints, Endpoints::Select { groups, tags: Vec::new() });
    }

    #[test]
    fn groups_are_found_once_or_named() {
        let scope = CoreScope { assets: Area::Select(&["x"]), ..CoreScope::NONE };
        let none = to_write(&scope, |_| Vec::new()).unwrap_err();
        assert_eq!(none, MappingError::NoSuchGroup { name: "x".into() });
        let two = to_write(&scope, |_| vec![1, 2]).unwrap_err();
        assert_eq!(two, MappingError::SeveralGroups { name: "x".into(), ids: vec![1, 2] });
    }

    #[test]
    fn a_default_that_is_no_default_is_an_error() {
        let mut read = stored(&to_write(&CoreScope::NONE, ids).unwrap());
        assert_eq!(ScopeAsRead::from_read(&read).unwrap().unreferenced, Unreferenced::No);
        read.datasets_rows.as_mut().unwrap().default_filter_mode = Mode::Scope;
        assert_eq!(ScopeAsRead::from_read(&read), Err(MappingError::DatasetDefault));
    }
}
