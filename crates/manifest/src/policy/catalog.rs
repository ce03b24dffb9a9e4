//! What an organisation knows: tenants with their inventory, roles, teams.
//!
//! Refuses nothing that the format has; empty inventories stay empty, and rules are silent then.

use cortexkey_core::access::{Permission, Product, Sbac, TagMode};

use super::read::refill;
use crate::reader::{Fields, Reader, into_list};
use crate::yaml::{NodeId, NodeKind};
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
    /// Index of the layer that lists it, once layers are laid over one another.
    pub layer: usize,
}

/// A tenant.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// Which product it runs.
    pub product: Field<Product>,
    /// Whether it enforces scopes.
    pub sbac: Field<Sbac>,
    /// How it matches tags.
    pub tags: Field<TagMode>,
    /// Whether it has dataset scoping.
    pub datasets: Field<bool>,
    /// Its asset groups.
    pub asset_groups: Vec<AssetGroupEntry>,
    /// Its endpoint groups.
    pub endpoint_groups: Vec<Spanned<String>>,
    /// Its endpoint tags.
    pub endpoint_tags: Vec<Spanned<String>>,
    /// Its domains beside the built-in ones.
    pub domains: Vec<Spanned<String>>,
}

/// A role that is on its way out.
#[derive(Clone, Debug)]
pub struct Deprecation {
    /// What to use instead.
    pub replacement: Field<String>,
}

/// A role of the catalogue.
#[derive(Clone, Debug)]
pub struct Role {
    /// Its display name.
    pub name: Spanned<String>,
    /// Its id in the product.
    pub id: Field<String>,
    /// Levels of its components.
    pub components: Vec<(Spanned<String>, Permission)>,
    /// Named actions.
    pub actions: Vec<Spanned<String>>,
    /// Roles it includes.
    pub implies: Vec<Spanned<String>>,
    /// Whether it asks for an approval.
    pub privileged: Field<bool>,
    /// Whether it is on its way out.
    pub deprecated: Field<Deprecation>,
}

/// `catalog`
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    /// Roles beside the predefined ones.
    pub roles: Vec<Role>,
    /// Teams that may own keys.
    pub teams: Vec<Spanned<String>>,
    /// Domains whose addresses may own keys.
    pub email_domains: Vec<Spanned<String>>,
    /// Roles that do not go together.
    pub conflicts: Vec<Vec<Spanned<String>>>,
    /// What policies that stand on this one may widen.
    pub open: Vec<Open>,
}

/// A list of facts that a policy may open to those that stand on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Open {
    /// What predefined roles hold.
    Roles,
    /// `catalog.teams`
    Teams,
    /// `catalog.emailDomains`
    EmailDomains,
    /// Tenants of a policy that stands beside this one.
    Tenants,
    /// `assetGroups` of a tenant.
    AssetGroups,
    /// `endpointGroups` of a tenant.
    EndpointGroups,
    /// `endpointTags` of a tenant.
    EndpointTags,
    /// `domains` of a tenant.
    Domains,
}

impl Open {
    /// All of them, in the order of the documents.
    pub const ALL: [Self; 8] = [
        Self::Roles,
        Self::Teams,
        Self::EmailDomains,
        Self::Tenants,
        Self::AssetGroups,
        Self::EndpointGroups,
        Self::EndpointTags,
        Self::Domains,
    ];

    /// The word in policies.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Roles => "roles",
            Self::Teams => "teams",
            Self::EmailDomains => "emailDomains",
            Self::Tenants => "tenants",
            Self::AssetGroups => "assetGroups",
            Self::EndpointGroups => "endpointGroups",
            Self::EndpointTags => "endpointTags",
            Self::Domains => "domains",
        }
    }
}

/// Reads one entry of `tenants`.
pub(super) fn tenant(reader: &mut Reader<'_>, id: NodeId, path: &str) -> Option<Tenant> {
    let known = [
        "product",
        "sbac",
        "tags",
        "datasets",
        "assetGroups",
        "endpointGroups",
        "endpointTags",
        "domains",
    ];
    let fields = reader.mapping(id, reader.span(id), path, &known)?;
    let sbac =
        [("enforced", Sbac::Enforced), ("disabled", Sbac::Disabled), ("unknown", Sbac::Unknown)];
    let tags = [("permissive", TagMode::Permissive), ("restrictive", TagMode::Restrictive)];
    let products = Product::ALL.map(|product| (product.as_str(), product));
    let product = reader.choice(&fields, "product", &products);
    let product = reader.required(product, &fields, "product", "product: xsiam");
    let groups = reader.list(&fields, "assetGroups", asset_group);
    Some(Tenant {
        product,
        sbac: refill(reader, &fields, "sbac", &sbac),
        tags: refill(reader, &fields, "tags", &tags),
        datasets: reader.flag(&fields, "datasets"),
        asset_groups: into_list(reader.filled(groups, &fields, "assetGroups")),
        endpoint_groups: reader.plain_texts(&fields, "endpointGroups"),
        endpoint_tags: reader.plain_texts(&fields, "endpointTags"),
        domains: reader.plain_texts(&fields, "domains"),
    })
}

fn asset_group(reader: &mut Reader<'_>, id: NodeId, path: &str) -> Option<AssetGroupEntry> {
    let fields = reader.mapping(id, reader.span(id), path, &["name", "id", "scopable"])?;
    let name = reader.text(&fields, "name");
    Some(AssetGroupEntry {
        name: reader.required(name, &fields, "name", "name: prod-eu"),
        id: reader.number(&fields, "id"),
        scopable: reader.flag(&fields, "scopable"),
        layer: 0,
    })
}

/// Reads `catalog`.
pub(super) fn catalog<'t>(reader: &mut Reader<'t>, fields: &Fields<'t>) -> Catalog {
    let roles = reader.list(fields, "roles", role);
    let conflicts = reader.list(fields, "conflicts", |reader, id, path| {
        let tree = reader.tree;
        let NodeKind::Sequence { items, .. } = &tree.node(id).kind else {
            reader.wrong_type(id, path, "lists of roles that do not go together");
            return None;
        };
        Some(items.iter().filter_map(|item| reader.spanned_text(*item, path)).collect())
    });
    let words = Open::ALL.map(|open| (open.word(), open));
    let open = reader.list(fields, "open", |reader, id, path| reader.choice_at(id, path, &words));
    Catalog {
        open: into_list(reader.filled(open, fields, "open")),
        roles: into_list(reader.filled(roles, fields, "roles")),
        teams: reader.plain_texts(fields, "teams"),
        email_domains: reader.plain_texts(fields, "emailDomains"),
        conflicts: into_list(reader.filled(conflicts, fields, "conflicts")),
    }
}

fn role(reader: &mut Reader<'_>, id: NodeId, path: &str) -> Option<Role> {
    let known = ["name", "id", "components", "actions", "implies", "privileged", "deprecated"];
    let fields = reader.mapping(id, reader.span(id), path, &known)?;
    let name = reader.text(&fields, "name");
    let name = reader.required(name, &fields, "name", "name: SIEM Export");
    let levels =
        [Permission::None, Permission::View, Permission::Edit].map(|level| (level.as_str(), level));
    let components = reader
        .entries(&fields, "components", |reader, _, id, path| reader.choice_at(id, path, &levels));
    let inner = reader.child(&fields, "deprecated", &["use"]);
    let inner = reader.filled(inner, &fields, "deprecated");
    let deprecated = crate::reader::map(inner, |fields| Deprecation {
        replacement: reader.filled_text(&fields, "use"),
    });
    let role = Role {
        name: name.spanned()?.clone(),
        id: reader.filled_text(&fields, "id"),
        components,
        actions: reader.plain_texts(&fields, "actions"),
        implies: reader.plain_texts(&fields, "implies"),
        privileged: reader.flag(&fields, "privileged"),
        deprecated,
    };
    Some(role)
}
