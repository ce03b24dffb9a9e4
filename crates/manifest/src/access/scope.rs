//! Converts the scope of a definition to the core's.

use cortexkey_core::access::{
    Area, AreaMode, Axis, AxisMode, CasesAndIssues, DatasetScope, EndpointMode, EndpointScope,
    Scope, Unreferenced,
};

use super::{IncompleteField, present};
use crate::definition;
use crate::{Field, Span, Spanned};

/// The scope of a definition, or the field that leaves it open.
pub fn scope(scope: &definition::ScopeSpec) -> Result<Scope<String>, IncompleteField> {
    let assets = present(&scope.assets, scope.place, "scope.assets")?;
    let groups = names(&assets.groups, "assets.groups", |group| group.name.value.clone())?;
    let mode = *present(&assets.mode, assets.place, "scope.assets.mode")?;
    let assets = area(mode, groups, assets.place, "scope.assets")?;
    let cases = present(&scope.cases, scope.place, "scope.casesAndIssues")?;
    let domains = names(&cases.domains, "casesAndIssues.domains", text)?;
    let mode = *present(&cases.mode, cases.place, "scope.casesAndIssues.mode")?;
    let unreferenced = match mode {
        AreaMode::None => Unreferenced::No,
        _ => *present(&cases.unreferenced, cases.place, "scope.casesAndIssues.unreferenced")?,
    };
    let domains = area(mode, domains, cases.place, "scope.casesAndIssues")?;
    let endpoints = endpoints(present(&scope.endpoints, scope.place, "scope.endpoints")?)?;
    let datasets = match &scope.datasets {
        Field::Absent | Field::Empty(_) => None,
        field => Some(datasets(present(field, scope.place, "scope.datasets")?)?),
    };
    Ok(Scope {
        assets,
        cases_and_issues: CasesAndIssues { area: domains, unreferenced },
        endpoints,
        datasets,
    })
}

fn area(
    mode: AreaMode,
    names: Vec<String>,
    place: Span,
    path: &str,
) -> Result<Area<String>, IncompleteField> {
    if mode != AreaMode::Select && !names.is_empty() {
        return Err(conflict(place, path));
    }
    Ok(Area::new(mode, || names))
}

fn conflict(place: Span, path: &str) -> IncompleteField {
    let message = format!("the selection in `{path}` has no effect in this mode");
    IncompleteField::new(place, message)
}

fn endpoints(endpoints: &definition::Endpoints) -> Result<EndpointScope<String>, IncompleteField> {
    let place = endpoints.place;
    let groups = names(&endpoints.groups, "endpoints.groups", text)?;
    let tags = names(&endpoints.tags, "endpoints.tags", text)?;
    match *present(&endpoints.mode, place, "scope.endpoints.mode")? {
        EndpointMode::None | EndpointMode::All if !(groups.is_empty() && tags.is_empty()) => {
            Err(conflict(place, "scope.endpoints"))
        }
        EndpointMode::None => Ok(EndpointScope::none()),
        EndpointMode::All => Ok(EndpointScope::all()),
        EndpointMode::Select => Ok(EndpointScope::select(groups, tags)),
        EndpointMode::Raw => {
            let axis = |mode: &Field<AxisMode>, names, path| {
                Ok(Axis::new(*present(mode, place, path)?, || names))
            };
            Ok(EndpointScope {
                groups: axis(&endpoints.groups_mode, groups, "scope.endpoints.groupsMode")?,
                tags: axis(&endpoints.tags_mode, tags, "scope.endpoints.tagsMode")?,
            })
        }
    }
}

fn datasets(datasets: &definition::Datasets) -> Result<DatasetScope<String>, IncompleteField> {
    let default = *present(&datasets.default, datasets.place, "scope.datasets.default")?;
    let mut filters = Vec::new();
    for filter in &datasets.filters {
        let dataset = present(&filter.dataset, datasets.place, "scope.datasets.filters.dataset")?;
        let text = present(&filter.filter, datasets.place, "scope.datasets.filters.filter")?;
        filters.push((dataset.clone(), text.clone()));
    }
    Ok(DatasetScope { all: default == AreaMode::All, filters })
}

/// The names of an optional list.
fn names<T>(
    field: &Field<Vec<T>>,
    path: &str,
    name: impl Fn(&T) -> String,
) -> Result<Vec<String>, IncompleteField> {
    match field {
        Field::Present { value, .. } => Ok(value.value.iter().map(name).collect()),
        Field::Absent | Field::Empty(_) => Ok(Vec::new()),
        Field::Bad(span) => {
            Err(IncompleteField::new(*span, format!("`scope.{path}` cannot be read")))
        }
    }
}

fn text(name: &Spanned<String>) -> String {
    name.value.clone()
}
