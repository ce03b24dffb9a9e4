//! [`CatalogEntry`]: the names that a policy lists for a tenant, and that scopes select from.

use cortexkey_core::access::BUILT_IN_DOMAINS;
use cortexkey_manifest::definition::Definition;
use cortexkey_manifest::policy::CatalogTenant;
use cortexkey_manifest::{Span, Spanned};

/// A kind of name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CatalogEntry {
    AssetGroup,
    EndpointGroup,
    EndpointTag,
    Domain,
}

impl CatalogEntry {
    /// The kind that a field of a definition takes.
    pub(super) fn for_field(path: &[&str]) -> Option<Self> {
        Some(match path {
            ["spec", "scope", "assets", "groups"]
            | ["spec", "scope", "assets", "groups", "name"] => Self::AssetGroup,
            ["spec", "scope", "endpoints", "groups"] => Self::EndpointGroup,
            ["spec", "scope", "endpoints", "tags"] => Self::EndpointTag,
            ["spec", "scope", "casesAndIssues", "domains"] => Self::Domain,
            _ => return None,
        })
    }

    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::AssetGroup => "Asset group",
            Self::EndpointGroup => "Endpoint group",
            Self::EndpointTag => "Endpoint tag",
            Self::Domain => "Domain",
        }
    }

    /// The names that a definition's scope selects.
    pub(super) fn selected(
        definition: &Definition,
    ) -> impl Iterator<Item = (Self, &Spanned<String>)> {
        let scope = definition.spec.as_ref().and_then(|spec| spec.scope.get());
        let assets = scope.and_then(|it| it.assets.get()?.groups.get()).into_iter().flatten();
        let endpoints = scope.and_then(|it| it.endpoints.get());
        let groups = endpoints.and_then(|it| it.groups.get()).into_iter().flatten();
        let tags = endpoints.and_then(|it| it.tags.get()).into_iter().flatten();
        let domains = scope.and_then(|it| it.cases.get()?.domains.get()).into_iter().flatten();
        assets
            .map(|group| (Self::AssetGroup, &group.name))
            .chain(groups.map(|group| (Self::EndpointGroup, group)))
            .chain(tags.map(|tag| (Self::EndpointTag, tag)))
            .chain(domains.map(|domain| (Self::Domain, domain)))
    }

    /// Where a tenant's entry in the policy lists a name.
    pub(super) fn places(self, tenant: &CatalogTenant, name: &str) -> Vec<Span> {
        let of = |names: &[Spanned<String>]| {
            let found = names.iter().filter(|it| it.value == name);
            found.map(|it| it.span).collect()
        };
        match self {
            Self::AssetGroup => {
                let names = tenant.asset_groups.iter().filter_map(|it| it.name.spanned());
                names.filter(|it| it.value == name).map(|it| it.span).collect()
            }
            Self::EndpointGroup => of(&tenant.endpoint_groups),
            Self::EndpointTag => of(&tenant.endpoint_tags),
            Self::Domain => of(&tenant.domains),
        }
    }

    /// The names of a tenant.
    pub(super) fn names(self, tenant: &CatalogTenant) -> Vec<&str> {
        match self {
            Self::AssetGroup => tenant
                .asset_groups
                .iter()
                .filter_map(|it| it.name.get())
                .map(String::as_str)
                .collect(),
            Self::EndpointGroup => {
                tenant.endpoint_groups.iter().map(|it| it.value.as_str()).collect()
            }
            Self::EndpointTag => tenant.endpoint_tags.iter().map(|it| it.value.as_str()).collect(),
            Self::Domain => {
                let own = tenant.domains.iter().map(|it| it.value.as_str());
                BUILT_IN_DOMAINS.into_iter().chain(own).collect()
            }
        }
    }
}
