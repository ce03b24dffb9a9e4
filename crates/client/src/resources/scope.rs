//! Scopes of keys: read, replace, and compare.
//!
//! A PUT replaces the whole scope. The product does not return whether cases and issues that
//! reference no known object are visible, so [`ObservedScope`] omits that.

use std::collections::BTreeSet;

use cortexkey_api::scope::{
    AreaMode, AssetsWrite, AxisMode, AxisWrite, CasesIssuesWrite, DatasetsRows, EndpointsWrite,
    ScopeRead, ScopeWrite, Tag, Tagged,
};
use cortexkey_api::{Data, RequestData};
use cortexkey_core::auth::KeyId;
use serde::de::IgnoredAny;
use thiserror::Error;

use super::permission::ApiPermission;
use crate::transport::{CallError, Client, Method};

impl Client {
    /// A key's scope; `None` if the product has no such call.
    pub fn scope(&self, id: KeyId) -> Result<Option<ScopeRead>, CallError> {
        match self.call(Method::Get, &path(id), None) {
            Ok(response) => Ok(Some(response.json::<Data<ScopeRead>>()?.data)),
            Err(error) if error.status() == Some(404) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Replaces a key's whole scope.
    pub fn set_scope(&self, id: KeyId, scope: &ScopeWrite) -> Result<(), CallError> {
        let body = serde_json::to_vec(&RequestData { request_data: scope })
            .map_err(|_| CallError::RequestNotJson)?;
        self.call(Method::Put, &path(id), Some(&body))?.json::<Data<IgnoredAny>>()?;
        Ok(())
    }
}

impl Client {
    /// Replaces a key's whole scope, reads it back, and compares.
    pub fn replace_scope(&self, id: KeyId, scope: &ScopeWrite) -> Result<(), ScopeError> {
        self.set_scope(id, scope).map_err(ScopeError::Put)?;
        let read = self.scope(id).map_err(ScopeError::Read)?;
        if read.as_ref().map(ObservedScope::from) == Some(ObservedScope::from(scope)) {
            Ok(())
        } else {
            Err(ScopeError::Differs)
        }
    }
}

/// Why a scope is not as requested.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ScopeError {
    /// The PUT failed.
    #[error("{}", lacks(.0, ApiPermission::AccessManagementEdit))]
    Put(CallError),
    /// The scope was sent, but cannot be read back.
    #[error("{}", lacks(.0, ApiPermission::AccessManagementView))]
    Read(CallError),
    /// The scope was sent, but the tenant returns another one.
    #[error(
        "the tenant accepted the scope but returns another one\nhelp: compare with `cortexkey keys show`, and try again"
    )]
    Differs,
}

fn lacks(error: &CallError, permission: ApiPermission) -> String {
    match error.status() {
        Some(403) => format!("this key lacks {permission}"),
        _ => error.to_string(),
    }
}

fn path(id: KeyId) -> String {
    format!("/platform/iam/v1/scope/api-key/{id}")
}

/// The observable part of a scope, in one form for both of its shapes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObservedScope {
    assets: (AreaMode, BTreeSet<u64>),
    cases_issues: (AreaMode, BTreeSet<String>),
    endpoint_groups: (AxisMode, BTreeSet<String>),
    endpoint_tags: (AxisMode, BTreeSet<String>),
    datasets: Option<(AreaMode, BTreeSet<(String, String)>)>,
}

impl ObservedScope {
    /// The scope that the product returns for a key without one.
    pub fn is_nothing(&self) -> bool {
        let none = (AxisMode::NoScope, BTreeSet::new());
        self.assets.0 == AreaMode::None
            && self.cases_issues.0 == AreaMode::None
            && self.endpoint_groups == none
            && self.endpoint_tags == none
            && self
                .datasets
                .as_ref()
                .is_none_or(|(mode, filters)| *mode == AreaMode::None && filters.is_empty())
    }
}

impl From<&ScopeWrite> for ObservedScope {
    fn from(scope: &ScopeWrite) -> Self {
        let axis = |axis: &AxisWrite| {
            (axis.mode, chosen(axis.mode == AxisMode::Scope, axis.names.iter().cloned()))
        };
        let cases = &scope.cases_issues;
        Self {
            assets: (
                scope.assets.mode,
                chosen(
                    scope.assets.mode == AreaMode::Select,
                    scope.assets.asset_group_ids.iter().copied(),
                ),
            ),
            cases_issues: (
                cases.mode,
                chosen(cases.mode == AreaMode::Select, cases.names.iter().cloned()),
            ),
            endpoint_groups: axis(&scope.endpoints.endpoint_groups),
            endpoint_tags: axis(&scope.endpoints.endpoint_tags),
            datasets: scope.datasets_rows.as_ref().map(datasets),
        }
    }
}

impl From<&ScopeRead> for ObservedScope {
    fn from(scope: &ScopeRead) -> Self {
        let axis = |axis: &Tagged<AxisMode>| {
            (axis.mode, chosen(axis.mode == AxisMode::Scope, names(&axis.tags)))
        };
        let groups = scope.assets.asset_groups.iter().map(|group| group.asset_group_id);
        let cases = &scope.cases_issues;
        Self {
            assets: (scope.assets.mode, chosen(scope.assets.mode == AreaMode::Select, groups)),
            cases_issues: (cases.mode, chosen(cases.mode == AreaMode::Select, names(&cases.tags))),
            endpoint_groups: axis(&scope.endpoints.endpoint_groups),
            endpoint_tags: axis(&scope.endpoints.endpoint_tags),
            datasets: scope.datasets_rows.as_ref().map(datasets),
        }
    }
}

/// The scope that was read, in the form that is written. The product does not return whether cases
/// and issues that reference no known object are allowed, so the caller decides that.
pub fn write_of(scope: &ScopeRead, unreferenced: bool) -> ScopeWrite {
    let axis = |axis: &Tagged<AxisMode>| AxisWrite {
        mode: axis.mode,
        names: if axis.mode == AxisMode::Scope { names(&axis.tags).collect() } else { Vec::new() },
    };
    let groups = scope.assets.asset_groups.iter().map(|group| group.asset_group_id);
    let cases = &scope.cases_issues;
    ScopeWrite {
        assets: AssetsWrite {
            mode: scope.assets.mode,
            asset_group_ids: if scope.assets.mode == AreaMode::Select {
                groups.collect()
            } else {
                Vec::new()
            },
        },
        cases_issues: CasesIssuesWrite {
            mode: cases.mode,
            names: if cases.mode == AreaMode::Select {
                names(&cases.tags).collect()
            } else {
                Vec::new()
            },
            include_cases_issues_empty_entities: unreferenced && cases.mode != AreaMode::None,
        },
        endpoints: EndpointsWrite {
            endpoint_groups: axis(&scope.endpoints.endpoint_groups),
            endpoint_tags: axis(&scope.endpoints.endpoint_tags),
        },
        datasets_rows: scope.datasets_rows.clone(),
    }
}

fn names(tags: &[Tag]) -> impl Iterator<Item = String> + '_ {
    tags.iter().map(|tag| tag.tag_name.clone())
}

/// The selected items, in any order; with a mode that takes no selection they have no meaning.
fn chosen<T: Ord>(selects: bool, items: impl Iterator<Item = T>) -> BTreeSet<T> {
    if selects { items.collect() } else { BTreeSet::new() }
}

fn datasets(rows: &DatasetsRows) -> (AreaMode, BTreeSet<(String, String)>) {
    let filters = rows.filters.iter();
    let filters = filters.map(|filter| (filter.dataset.clone(), filter.filter.clone()));
    (rows.default_filter_mode, filters.collect())
}
