//! Facts of an organisation: tenants with their inventory, roles, teams.
//!
//! An empty inventory means that it is not known, so rules report nothing against it.

use cortexkey_core::access::{Permission, Product, Sbac, TagMode};

use super::Open;
use crate::keyword::Keyword as _;
use crate::reader::{Fields, Reader};
use crate::yaml::NodeKind;
use crate::{Field, Spanned};

/// An asset group of a tenant.
#[derive(Clone, Debug)]
pub struct AssetGroupEntry {
    /// Its name.
    pub name: Field<String>,
    /// Its id.
    pub id: Field<u64>,
    /// Whether scopes can use it.
    pub scopable: Field<bool>,
    /// Index of the layer that lists it, once layers are merged.
    pub layer: usize,
}

/// A tenant.
#[derive(Clone, Debug)]
pub struct CatalogTenant {
    /// Its product.
    pub product: Field<Product>,
    /// Whether it enforces scopes.
    pub sbac: Field<Sbac>,
    /// How it matches endpoint tags.
    pub tags: Field<TagMode>,
    /// Whether it has scopes for dataset rows.
    pub datasets: Field<bool>,
    /// Its asset groups.
    pub asset_groups: Vec<AssetGroupEntry>,
    /// Its endpoint groups.
    pub endpoint_groups: Vec<Spanned<String>>,
    /// Its endpoint tags.
    pub endpoint_tags: Vec<Spanned<String>>,
    /// Its domains in addition to the built-in ones.
    pub domains: Vec<Spanned<String>>,
}

/// A deprecated role.
#[derive(Clone, Debug)]
pub struct Deprecation {
    /// The role to use instead.
    pub replacement: Field<String>,
}

/// A role of the catalog.
#[derive(Clone, Debug)]
pub struct CatalogRole {
    /// Its display name.
    pub name: Spanned<String>,
    /// Its id in the product.
    pub id: Field<String>,
    /// Levels of its components.
    pub components: Vec<(Spanned<String>, Permission)>,
    /// Named actions.
    pub actions: Vec<Spanned<String>>,
    /// The roles that it implies.
    pub implies: Vec<Spanned<String>>,
    /// Whether it needs an approval.
    pub privileged: Field<bool>,
    /// Whether it is deprecated.
    pub deprecated: Field<Deprecation>,
}

/// `catalog`
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    /// Roles in addition to the predefined ones.
    pub roles: Vec<CatalogRole>,
    /// Teams that may own keys.
    pub teams: Vec<Spanned<String>>,
    /// Domains whose addresses may own keys.
    pub email_domains: Vec<Spanned<String>>,
    /// Roles that no key may hold together.
    pub conflicts: Vec<Vec<Spanned<String>>>,
    /// What policies that extend this one may widen.
    pub open: Vec<Open>,
}

/// Reads one entry of `tenants`.
pub(super) fn tenant<'t>(reader: &mut Reader<'t>, fields: &Fields<'t>) -> CatalogTenant {
    CatalogTenant {
        product: reader.choice(fields, "product"),
        asset_groups: reader.mappings(fields, "assetGroups", asset_group).into_list(),
        sbac: reader.choice(fields, "sbac"),
        tags: reader.choice(fields, "tags"),
        datasets: reader.choice(fields, "datasets"),
        endpoint_groups: reader.texts(fields, "endpointGroups").into_list(),
        endpoint_tags: reader.texts(fields, "endpointTags").into_list(),
        domains: reader.texts(fields, "domains").into_list(),
    }
}

fn asset_group<'t>(reader: &mut Reader<'t>, fields: &Fields<'t>) -> AssetGroupEntry {
    AssetGroupEntry {
        name: reader.text(fields, "name"),
        id: reader.number(fields, "id"),
        scopable: reader.choice(fields, "scopable"),
        layer: 0,
    }
}

/// Reads `catalog`.
pub(super) fn catalog<'t>(reader: &mut Reader<'t>, fields: &Fields<'t>) -> Catalog {
    let conflicts = reader.list(fields, "conflicts", |reader, id, path| {
        let tree = reader.tree;
        let NodeKind::Sequence { items, .. } = &tree.node(id).kind else {
            reader.wrong_type(id, path, "lists of roles that no key may hold together");
            return None;
        };
        Some(items.iter().filter_map(|item| reader.spanned_text(*item, path)).collect())
    });
    let open =
        reader.list(fields, "open", |reader, id, path| reader.choice_at(id, path, Open::ALL));
    Catalog {
        open: open.into_list(),
        roles: reader.mappings(fields, "roles", role).into_list(),
        teams: reader.texts(fields, "teams").into_list(),
        email_domains: reader.texts(fields, "emailDomains").into_list(),
        conflicts: conflicts.into_list(),
    }
}

fn role<'t>(reader: &mut Reader<'t>, fields: &Fields<'t>) -> Option<CatalogRole> {
    let name = reader.text(fields, "name");
    let components = reader.entries(fields, "components", |reader, _, id, path| {
        reader.choice_at(id, path, Permission::ALL)
    });
    let deprecated = reader.child_as(fields, "deprecated", |reader, fields| Deprecation {
        replacement: reader.text(fields, "use"),
    });
    Some(CatalogRole {
        name: name.spanned()?.clone(),
        id: reader.text(fields, "id"),
        components,
        actions: reader.texts(fields, "actions").into_list(),
        implies: reader.texts(fields, "implies").into_list(),
        privileged: reader.choice(fields, "privileged"),
        deprecated,
    })
}
