//! Converts between the core's scopes and the product's JSON: [`to_write`], [`from_write`] and
//! [`from_read`].
//!
//! Nothing is guessed: an asset group without exactly one id is an error, and what the product does
//! not return stays [`Unreferenced::Unknown`].

use core::fmt;
use std::borrow::Cow;

use cortexkey_core::access::{
    Area, AreaMode, Axis, AxisMode, CasesAndIssues, DatasetScope, EndpointScope, Scope, Text,
    Unreferenced,
};

use crate::scope::{
    AssetsWrite, AxisWrite, CasesIssuesWrite, DatasetFilter, DatasetsRows, EndpointsWrite,
    ScopeRead, ScopeWrite, Tagged,
};

/// Why a scope cannot be converted.
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
                "the tenant has no asset group {name:?}\nhelp: correct the name, or create the group first"
            ),
            Self::SeveralGroups { name, ids } => write!(
                f,
                "the tenant has {} asset groups {name:?}, with the ids {ids:?}\nhelp: add the id of \
                 the one that you mean",
                ids.len()
            ),
            Self::DatasetDefault => f.write_str(
                "`datasets_rows.default_filter_mode` is `scope`; expected `no_scope` or `see_all`",
            ),
        }
    }
}

impl core::error::Error for MappingError {}

/// The JSON for setting a scope.
///
/// `ids` returns the ids of the asset groups with a name: exactly one is expected. An unknown
/// switch is written as off.
///
/// ```
/// use cortexkey_api::scope_mapping::to_write;
/// use cortexkey_core::access::{Area, Scope};
///
/// let scope = Scope { assets: Area::select(&["prod-eu"]), datasets: None, ..Scope::NONE };
/// let json = to_write(&scope, |name| if name == "prod-eu" { vec![16] } else { vec![] })?;
/// assert_eq!(json.assets.asset_group_ids, [16]);
///
/// let error = to_write(&scope, |_| vec![16, 17]).unwrap_err();
/// assert!(error.to_string().starts_with("the tenant has 2 asset groups \"prod-eu\""));
/// # Ok::<(), cortexkey_api::scope_mapping::MappingError>(())
/// ```
pub fn to_write<S: Text>(
    scope: &Scope<S>,
    mut ids: impl FnMut(&str) -> Vec<u64>,
) -> Result<ScopeWrite, MappingError> {
    let mut asset_group_ids = Vec::with_capacity(scope.assets.names().len());
    for name in scope.assets.names() {
        let name = (**name).to_owned();
        match ids(&name).as_slice() {
            [id] => asset_group_ids.push(*id),
            [] => return Err(MappingError::NoSuchGroup { name }),
            several => return Err(MappingError::SeveralGroups { name, ids: several.to_vec() }),
        }
    }
    let assets = AssetsWrite { mode: scope.assets.mode(), asset_group_ids };
    let cases = &scope.cases_and_issues;
    let cases_issues = CasesIssuesWrite {
        mode: cases.area.mode(),
        names: owned(cases.area.names()),
        include_cases_issues_empty_entities: cases.unreferenced == Unreferenced::Yes,
    };
    let axis = |axis: &Axis<S>| AxisWrite { mode: axis.mode(), names: owned(axis.names()) };
    let endpoints = EndpointsWrite {
        endpoint_groups: axis(&scope.endpoints.groups),
        endpoint_tags: axis(&scope.endpoints.tags),
    };
    let filter = |(dataset, filter): &(S, S)| DatasetFilter {
        dataset: (**dataset).to_owned(),
        filter: (**filter).to_owned(),
    };
    let datasets_rows = scope.datasets.as_ref().map(|datasets| DatasetsRows {
        default_filter_mode: if datasets.all { AreaMode::All } else { AreaMode::None },
        filters: datasets.filters.iter().map(filter).collect(),
    });
    Ok(ScopeWrite { assets, cases_issues, endpoints, datasets_rows })
}

fn owned<S: Text>(names: &[S]) -> Vec<String> {
    names.iter().map(|name| (**name).to_owned()).collect()
}

/// The scope in the JSON of a PUT, borrowing its strings.
///
/// `group_name` returns the name of an asset group; ids without a name select nothing.
pub fn from_write<'a>(
    write: &'a ScopeWrite,
    group_name: impl Fn(u64) -> Option<&'a str>,
) -> Scope<Cow<'a, str>> {
    let assets = &write.assets;
    let cases = &write.cases_issues;
    let borrowed = |names: &'a [String]| names.iter().map(Into::into).collect();
    let groups = || {
        let names = assets.asset_group_ids.iter().filter_map(|id| group_name(*id));
        names.map(Cow::Borrowed).collect()
    };
    let axis = |axis: &'a AxisWrite| Axis::new(axis.mode, || borrowed(&axis.names));
    let filter = |row: &'a DatasetFilter| (Cow::from(&row.dataset), Cow::from(&row.filter));
    Scope {
        assets: Area::new(assets.mode, groups),
        cases_and_issues: CasesAndIssues {
            area: Area::new(cases.mode, || borrowed(&cases.names)),
            unreferenced: cases.include_cases_issues_empty_entities.into(),
        },
        endpoints: EndpointScope {
            groups: axis(&write.endpoints.endpoint_groups),
            tags: axis(&write.endpoints.endpoint_tags),
        },
        datasets: write.datasets_rows.as_ref().map(|rows| DatasetScope {
            all: rows.default_filter_mode == AreaMode::All,
            filters: rows.filters.iter().map(filter).collect(),
        }),
    }
}

/// The scope in the response of a GET.
pub fn from_read(read: &ScopeRead) -> Result<Scope<String>, MappingError> {
    let groups = || read.assets.asset_groups.iter().map(|g| g.asset_group_name.clone()).collect();
    let cases = &read.cases_issues;
    let axis = |axis: &Tagged<AxisMode>| Axis::new(axis.mode, || axis_names(axis));
    Ok(Scope {
        assets: Area::new(read.assets.mode, groups),
        cases_and_issues: CasesAndIssues {
            area: Area::new(cases.mode, || {
                cases.tags.iter().map(|tag| tag.tag_name.clone()).collect()
            }),
            unreferenced: match cases.mode {
                // Nothing is visible, so the switch has no effect.
                AreaMode::None => Unreferenced::No,
                AreaMode::All | AreaMode::Select => Unreferenced::Unknown,
            },
        },
        endpoints: EndpointScope {
            groups: axis(&read.endpoints.endpoint_groups),
            tags: axis(&read.endpoints.endpoint_tags),
        },
        datasets: read.datasets_rows.as_ref().map(datasets).transpose()?,
    })
}

/// The names that a tenant stores for an axis, whatever its mode.
pub fn axis_names(axis: &Tagged<AxisMode>) -> Vec<String> {
    let names = axis.tags.iter().filter(|tag| {
        // The product returns `Any` as a tag without an id on an axis that does not restrict.
        axis.mode != AxisMode::Any || !tag.tag_id.is_null() || tag.tag_name != "Any"
    });
    names.map(|tag| tag.tag_name.clone()).collect()
}

fn datasets(rows: &DatasetsRows) -> Result<DatasetScope<String>, MappingError> {
    let all = match rows.default_filter_mode {
        AreaMode::None => false,
        AreaMode::All => true,
        AreaMode::Select => return Err(MappingError::DatasetDefault),
    };
    let filter = |row: &DatasetFilter| (row.dataset.clone(), row.filter.clone());
    Ok(DatasetScope { all, filters: rows.filters.iter().map(filter).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scope::{AssetGroup, AssetsRead, EndpointsRead, Tag};
    use proptest::prelude::*;

    const GROUPS: [(&str, u64); 4] = [("prod-eu", 16), ("prod-us", 17), ("dev", 3), ("é \"q\"", 9)];

    fn ids(name: &str) -> Vec<u64> {
        GROUPS.iter().filter(|(known, _)| *known == name).map(|(_, id)| *id).collect()
    }

    /// What a tenant would return for a GET after this PUT.
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

    fn some_names(from: &'static [&'static str]) -> BoxedStrategy<Vec<String>> {
        proptest::collection::vec(proptest::sample::select(from).prop_map(str::to_owned), 0..4)
            .boxed()
    }

    fn some_area(from: &'static [&'static str]) -> BoxedStrategy<Area<String>> {
        prop_oneof![Just(Area::None), Just(Area::All), some_names(from).prop_map(Area::Select),]
            .boxed()
    }

    fn some_axis() -> BoxedStrategy<Axis<String>> {
        prop_oneof![
            Just(Axis::NoScope),
            Just(Axis::SeeAll),
            Just(Axis::Any),
            some_names(&["servers", "vip", "é"]).prop_map(Axis::Scope),
        ]
        .boxed()
    }

    proptest! {
        #[test]
        fn written_values_are_read_back_unchanged(
            assets in some_area(&["prod-eu", "prod-us", "dev", "é \"q\""]),
            cases in some_area(&["Security", "IT", "Finance"]),
            unreferenced: bool,
            groups in some_axis(),
            tags in some_axis(),
            rows in proptest::option::of((any::<bool>(), some_names(&["xdr_data", "x"]))),
        ) {
            let filter = |name: String| (name, "_vendor = a".to_owned());
            let scope = Scope {
                assets,
                cases_and_issues: CasesAndIssues { area: cases, unreferenced: unreferenced.into() },
                endpoints: EndpointScope { groups, tags },
                datasets: rows.map(|(all, names)| DatasetScope {
                    all,
                    filters: names.into_iter().map(filter).collect(),
                }),
            };
            let write = to_write(&scope, ids).unwrap();
            // A tenant that stores what was written decides by the same scope.
            let kept = from_write(&write, |id| GROUPS.iter().find(|(_, i)| *i == id).map(|g| g.0));
            prop_assert_eq!(format!("{kept:?}"), format!("{scope:?}"));
            let mut read = from_read(&stored(&write)).unwrap();
            let is_unknown = read.cases_and_issues.unreferenced == Unreferenced::Unknown;
            prop_assert_eq!(is_unknown, scope.cases_and_issues.area != Area::None);
            read.cases_and_issues.unreferenced = unreferenced.into();
            prop_assert_eq!(&read, &scope);
            // And again: an import writes what it read.
            prop_assert_eq!(to_write(&read, ids).unwrap(), write);
        }
    }

    #[test]
    fn an_axis_that_does_not_restrict_may_show_a_tag() {
        let tag = |id, name: &str| Tag { tag_id: id, tag_name: name.to_owned() };
        let mut read = stored(&to_write(&Scope::<&str>::NONE, ids).unwrap());
        read.endpoints.endpoint_groups =
            Tagged { mode: AxisMode::Scope, tags: vec![tag("EG:1".into(), "servers")] };
        read.endpoints.endpoint_tags =
            Tagged { mode: AxisMode::Any, tags: vec![tag(serde_json::Value::Null, "Any")] };
        let endpoints = from_read(&read).unwrap().endpoints;
        assert_eq!(endpoints, EndpointScope::select(vec!["servers".to_owned()], vec![]));
        assert!(axis_names(&read.endpoints.endpoint_tags).is_empty());
    }

    #[test]
    fn groups_are_found_once_or_named() {
        let scope = Scope { assets: Area::select(&["x"]), ..Scope::NONE };
        let none = to_write(&scope, |_| Vec::new()).unwrap_err();
        assert_eq!(none, MappingError::NoSuchGroup { name: "x".into() });
        let two = to_write(&scope, |_| vec![1, 2]).unwrap_err();
        assert_eq!(two, MappingError::SeveralGroups { name: "x".into(), ids: vec![1, 2] });
    }

    #[test]
    fn an_invalid_default_is_an_error() {
        let mut read = stored(&to_write(&Scope::<&str>::NONE, ids).unwrap());
        assert_eq!(from_read(&read).unwrap().cases_and_issues.unreferenced, Unreferenced::No);
        read.datasets_rows.as_mut().unwrap().default_filter_mode = AreaMode::Select;
        assert_eq!(from_read(&read), Err(MappingError::DatasetDefault));
    }
}
