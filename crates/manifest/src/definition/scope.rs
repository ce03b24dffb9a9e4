//! `spec.scope`: what a key may see, by area.
//!
//! Reads the four areas as they are written. Whether a selection is empty or a list stands where
//! the mode takes none is a rule's business.

use crate::reader::{Fields, Reader, into_list};
use crate::suggest::list;
use crate::yaml::NodeId;
use crate::{Field, Span, Spanned};

/// How much of an area is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Nothing.
    None,
    /// Everything.
    All,
    /// What is listed.
    Select,
}

/// The same for endpoints, which also take the product's own axes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndpointMode {
    /// Nothing.
    None,
    /// Everything.
    All,
    /// What is listed.
    Select,
    /// Groups and tags each with the product's mode.
    Raw,
}

/// The product's mode of one endpoint axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RawMode {
    /// `no_scope`
    NoScope,
    /// `see_all`
    SeeAll,
    /// `scope`
    Scope,
    /// `any`
    Any,
}

/// Whether cases and issues that reference nothing known are let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreferenced {
    /// They are.
    Yes,
    /// They are not.
    No,
    /// An import could not know.
    Unknown,
}

/// An asset group by name, and by id where one is given.
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
    /// Where the key stands.
    pub place: Span,
    /// How much.
    pub mode: Field<Mode>,
    /// Which.
    pub groups: Field<Vec<AssetGroup>>,
}

/// `scope.casesAndIssues`
#[derive(Clone, Debug)]
pub struct Cases {
    /// Where the key stands.
    pub place: Span,
    /// How much.
    pub mode: Field<Mode>,
    /// Which.
    pub domains: Field<Vec<Spanned<String>>>,
    /// And what references nothing known.
    pub unreferenced: Field<Unreferenced>,
}

/// `scope.endpoints`
#[derive(Clone, Debug)]
pub struct Endpoints {
    /// Where the key stands.
    pub place: Span,
    /// How much.
    pub mode: Field<EndpointMode>,
    /// By group.
    pub groups: Field<Vec<Spanned<String>>>,
    /// By tag.
    pub tags: Field<Vec<Spanned<String>>>,
    /// With `raw`: the product's mode of the groups.
    pub groups_mode: Field<RawMode>,
    /// With `raw`: the product's mode of the tags.
    pub tags_mode: Field<RawMode>,
}

/// A row filter for one dataset.
#[derive(Clone, Debug)]
pub struct DatasetFilter {
    /// Name of the dataset.
    pub dataset: Field<String>,
    /// Which of its rows.
    pub filter: Field<String>,
}

/// `scope.datasets`
#[derive(Clone, Debug)]
pub struct Datasets {
    /// Where the key stands.
    pub place: Span,
    /// For datasets without a filter: `None` or `All`.
    pub default: Field<Mode>,
    /// For the others.
    pub filters: Vec<DatasetFilter>,
}

/// `spec.scope`
#[derive(Clone, Debug)]
pub struct Scope {
    /// Where the key stands.
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

const MODES: &[(&str, Mode)] =
    &[("none", Mode::None), ("all", Mode::All), ("select", Mode::Select)];

const ENDPOINT_MODES: &[(&str, EndpointMode)] = &[
    ("none", EndpointMode::None),
    ("all", EndpointMode::All),
    ("select", EndpointMode::Select),
    ("raw", EndpointMode::Raw),
];

const RAW_MODES: &[(&str, RawMode)] = &[
    ("no_scope", RawMode::NoScope),
    ("see_all", RawMode::SeeAll),
    ("scope", RawMode::Scope),
    ("any", RawMode::Any),
];

const UNREFERENCED: &[(&str, Unreferenced)] =
    &[("true", Unreferenced::Yes), ("false", Unreferenced::No), ("unknown", Unreferenced::Unknown)];

/// The fields of a scope.
pub(super) const AREAS: &[&str] = &["assets", "casesAndIssues", "endpoints", "datasets"];

/// Reads the mapping under `scope`.
pub(super) fn read<'t>(reader: &mut Reader<'t>, fields: &Fields<'t>) -> Scope {
    let assets = area(reader, fields, "assets", &["mode", "groups"], true, assets);
    let known = ["mode", "domains", "unreferenced"];
    let cases = area(reader, fields, "casesAndIssues", &known, true, cases);
    let known = ["mode", "groups", "tags", "groupsMode", "tagsMode"];
    let endpoints = area(reader, fields, "endpoints", &known, true, endpoints);
    let datasets = area(reader, fields, "datasets", &["default", "filters"], false, datasets);
    Scope { place: fields.place, assets, cases, endpoints, datasets }
}

fn area<'t, T>(
    reader: &mut Reader<'t>,
    scope: &Fields<'t>,
    name: &str,
    known: &[&str],
    required: bool,
    read: impl FnOnce(&mut Reader<'t>, &Fields<'t>) -> T,
) -> Field<T> {
    let fields = reader.child(scope, name, known);
    let fields = if required {
        reader.required_as(fields, scope, name, || format!("write `{name}: {{ mode: none }}`"))
    } else {
        reader.filled(fields, scope, name)
    };
    crate::reader::map(fields, |fields| read(reader, &fields))
}

fn mode<'t, T: Copy>(
    reader: &mut Reader<'t>,
    fields: &Fields<'t>,
    table: &[(&str, T)],
) -> Field<T> {
    let mode = reader.choice(fields, "mode", table);
    reader.required(mode, fields, "mode", "mode: select")
}

fn assets<'t>(reader: &mut Reader<'t>, fields: &Fields<'t>) -> Assets {
    let mode = mode(reader, fields, MODES);
    let groups = reader.list(fields, "groups", asset_group);
    reader.rewrite_as_list(fields, "groups");
    Assets { place: fields.place, mode, groups }
}

fn asset_group(reader: &mut Reader<'_>, id: NodeId, path: &str) -> Option<AssetGroup> {
    if reader.tree.text_of(id).is_some() {
        let name = reader.spanned_text(id, path)?;
        return Some(AssetGroup { name, id: Field::Absent });
    }
    let fields = reader.mapping(id, reader.span(id), path, &["name", "id"])?;
    let name = reader.text(&fields, "name");
    let name = reader.required(name, &fields, "name", "name: prod-eu");
    let id = reader.number(&fields, "id");
    name.spanned().map(|name| AssetGroup { name: name.clone(), id })
}

fn cases<'t>(reader: &mut Reader<'t>, fields: &Fields<'t>) -> Cases {
    let mode = mode(reader, fields, MODES);
    let domains = reader.texts(fields, "domains");
    let mut unreferenced = reader.choice(fields, "unreferenced", UNREFERENCED);
    if matches!(mode.get(), Some(Mode::All | Mode::Select)) {
        unreferenced = reader.required(unreferenced, fields, "unreferenced", "unreferenced: false");
    }
    Cases { place: fields.place, mode, domains, unreferenced }
}

fn endpoints<'t>(reader: &mut Reader<'t>, fields: &Fields<'t>) -> Endpoints {
    let mode = mode(reader, fields, ENDPOINT_MODES);
    let groups = reader.texts(fields, "groups");
    let tags = reader.texts(fields, "tags");
    let mut groups_mode = reader.choice(fields, "groupsMode", RAW_MODES);
    let mut tags_mode = reader.choice(fields, "tagsMode", RAW_MODES);
    if mode.get() == Some(&EndpointMode::Raw) {
        groups_mode = axis(reader, groups_mode, fields, "groupsMode");
        tags_mode = axis(reader, tags_mode, fields, "tagsMode");
    }
    Endpoints { place: fields.place, mode, groups, tags, groups_mode, tags_mode }
}

/// An axis that `raw` asks for. Which mode the key has is for the tenant to say, not for us.
fn axis<'t>(
    reader: &mut Reader<'t>,
    axis: Field<RawMode>,
    fields: &Fields<'t>,
    name: &str,
) -> Field<RawMode> {
    reader.required_as(axis, fields, name, || {
        let words = RAW_MODES.iter().map(|(word, _)| *word).collect::<Vec<_>>();
        format!("write the mode that the tenant has: one of {}", list(&words))
    })
}

fn datasets<'t>(reader: &mut Reader<'t>, fields: &Fields<'t>) -> Datasets {
    let default = reader.choice(fields, "default", &MODES[..2]);
    let default = reader.required(default, fields, "default", "default: none");
    let filters = reader.list(fields, "filters", |reader, id, path| {
        let fields = reader.mapping(id, reader.span(id), path, &["dataset", "filter"])?;
        let dataset = reader.text(&fields, "dataset");
        let dataset = reader.required(dataset, &fields, "dataset", "dataset: xdr_data");
        let filter = reader.text(&fields, "filter");
        let filter = reader.required(filter, &fields, "filter", "filter: '_vendor = \"acme\"'");
        Some(DatasetFilter { dataset, filter })
    });
    let filters = into_list(reader.filled(filters, fields, "filters"));
    Datasets { place: fields.place, default, filters }
}
