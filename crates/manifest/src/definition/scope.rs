//! `spec.scope`: what a key may see, by area.
//!
//! Reads the four areas as written. Empty selections, and lists that the mode ignores, are left to
//! rules.

use cortexkey_core::access::{AreaMode, AxisMode, EndpointMode, Unreferenced};

use crate::format::ASSET_GROUP;
use crate::reader::{Fields, Reader};
use crate::yaml::NodeId;
use crate::{Field, Span, Spanned};

/// An asset group, by name and optionally by id.
#[derive(Clone, Debug)]
pub struct AssetGroup {
    /// Name of the group.
    pub name: Spanned<String>,
    /// Its id in the tenant.
    pub id: Field<u64>,
}

/// `scope.assets`
#[derive(Clone, Debug)]
pub struct Assets {
    /// The position of its key.
    pub place: Span,
    /// The mode: no assets, all, or selected ones.
    pub mode: Field<AreaMode>,
    /// The selected asset groups.
    pub groups: Field<Vec<AssetGroup>>,
}

/// `scope.casesAndIssues`
#[derive(Clone, Debug)]
pub struct Cases {
    /// The position of its key.
    pub place: Span,
    /// The mode: no cases and issues, all, or selected ones.
    pub mode: Field<AreaMode>,
    /// The selected domains.
    pub domains: Field<Vec<Spanned<String>>>,
    /// Whether unreferenced cases and issues are visible.
    pub unreferenced: Field<Unreferenced>,
}

/// `scope.endpoints`
#[derive(Clone, Debug)]
pub struct Endpoints {
    /// The position of its key.
    pub place: Span,
    /// The mode: no endpoints, all, selected ones, or the product's own modes.
    pub mode: Field<EndpointMode>,
    /// The selected endpoint groups.
    pub groups: Field<Vec<Spanned<String>>>,
    /// The selected endpoint tags.
    pub tags: Field<Vec<Spanned<String>>>,
    /// With `raw`: the product's mode of the groups.
    pub groups_mode: Field<AxisMode>,
    /// With `raw`: the product's mode of the tags.
    pub tags_mode: Field<AxisMode>,
}

/// A row filter for one dataset.
#[derive(Clone, Debug)]
pub struct DatasetFilter {
    /// Name of the dataset.
    pub dataset: Field<String>,
    /// The filter that its visible rows match.
    pub filter: Field<String>,
}

/// `scope.datasets`
#[derive(Clone, Debug)]
pub struct Datasets {
    /// The position of its key.
    pub place: Span,
    /// The mode of datasets without a filter: `None` or `All`.
    pub default: Field<AreaMode>,
    /// The row filters of the other datasets.
    pub filters: Vec<DatasetFilter>,
}

/// `spec.scope`
#[derive(Clone, Debug)]
pub struct ScopeSpec {
    /// The position of its key.
    pub place: Span,
    /// Assets.
    pub assets: Field<Assets>,
    /// Cases and issues.
    pub cases: Field<Cases>,
    /// Endpoints.
    pub endpoints: Field<Endpoints>,
    /// Rows of datasets.
    pub datasets: Field<Datasets>,
}

/// Reads the mapping under `scope`.
pub(super) fn read<'t>(reader: &mut Reader<'t>, fields: &Fields<'t>) -> ScopeSpec {
    ScopeSpec {
        place: fields.place,
        assets: reader.child_as(fields, "assets", assets),
        cases: reader.child_as(fields, "casesAndIssues", cases),
        endpoints: reader.child_as(fields, "endpoints", endpoints),
        datasets: reader.child_as(fields, "datasets", datasets),
    }
}

fn assets<'t>(reader: &mut Reader<'t>, fields: &Fields<'t>) -> Assets {
    let mode = reader.choice(fields, "mode");
    let groups = reader.list(fields, "groups", asset_group);
    reader.rewrite_as_list(fields, "groups");
    Assets { place: fields.place, mode, groups }
}

fn asset_group(reader: &mut Reader<'_>, id: NodeId, path: &str) -> Option<AssetGroup> {
    if reader.tree.text_of(id).is_some() {
        let name = reader.spanned_text(id, path)?;
        return Some(AssetGroup { name, id: Field::Absent });
    }
    let fields = reader.mapping(id, reader.span(id), path, &ASSET_GROUP)?;
    let name = reader.text(&fields, "name");
    let id = reader.number(&fields, "id");
    name.spanned().map(|name| AssetGroup { name: name.clone(), id })
}

fn cases<'t>(reader: &mut Reader<'t>, fields: &Fields<'t>) -> Cases {
    Cases {
        place: fields.place,
        mode: reader.choice(fields, "mode"),
        domains: reader.texts(fields, "domains"),
        unreferenced: reader.choice(fields, "unreferenced"),
    }
}

fn endpoints<'t>(reader: &mut Reader<'t>, fields: &Fields<'t>) -> Endpoints {
    Endpoints {
        place: fields.place,
        mode: reader.choice(fields, "mode"),
        groups: reader.texts(fields, "groups"),
        tags: reader.texts(fields, "tags"),
        groups_mode: reader.choice(fields, "groupsMode"),
        tags_mode: reader.choice(fields, "tagsMode"),
    }
}

fn datasets<'t>(reader: &mut Reader<'t>, fields: &Fields<'t>) -> Datasets {
    let default = reader.choice_of(fields, "default", &[AreaMode::None, AreaMode::All]);
    let filter = |reader: &mut Reader<'t>, fields: &Fields<'t>| {
        let dataset = reader.text(fields, "dataset");
        let filter = reader.text(fields, "filter");
        DatasetFilter { dataset, filter }
    };
    let filters = reader.mappings(fields, "filters", filter).into_list();
    Datasets { place: fields.place, default, filters }
}
