//! [`Listed`]: the names that a policy lists for a tenant, and that scopes select from.

use cortexkey_core::access::BUILT_IN_DOMAINS;
use cortexkey_manifest::policy::Tenant;

/// A kind of name.
#[derive(Clone, Copy, Debug)]
pub(super) enum Listed {
    AssetGroup,
    EndpointGroup,
    EndpointTag,
    Domain,
}

impl Listed {
    /// The kind that a field of a definition takes.
    pub(super) fn of_field(path: &[&str]) -> Option<Self> {
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

    /// The names of a tenant.
    pub(super) fn names(self, tenant: &Tenant) -> Vec<&str> {
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
