//! [`Inventory`]: the objects that scopes of this tenant can name, and the assets, endpoints,
//! issues and cases that they apply to.
//!
//! It is loaded from a file or from the built-in one, and afterwards only its asset groups change.
//! Which assets a group contains is computed where filters can be applied ([`Inventory::regroup`]).

mod load;

use cortexkey_api::asset_group::AssetGroupRecord;
use cortexkey_api::inventory::Finding;
use cortexkey_api::role::DatasetGroup;
use serde_json::{Map, Value};

pub use load::InventoryError;
pub(crate) use load::{People, read, seeded};

/// A record in the product's form.
pub(crate) type Record = Map<String, Value>;

/// When the built-in inventory was created, in milliseconds since 1970.
pub(crate) const CREATED_MS: u64 = 1_750_000_000_000;

/// The objects of a tenant.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inventory {
    pub(crate) groups: Vec<AssetGroup>,
    /// The highest id that a group ever had.
    pub(crate) last_group: u64,
    domains: Vec<Domain>,
    pub(crate) endpoint_groups: Vec<String>,
    pub(crate) endpoint_tags: Vec<String>,
    pub(crate) endpoints: Vec<Agent>,
    pub(crate) assets: Vec<Asset>,
    pub(crate) issues: Vec<Issue>,
    pub(crate) cases: Vec<Case>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) datasets: Vec<DatasetGroup>,
}

/// A group of assets.
#[derive(Clone, Debug)]
pub(crate) struct AssetGroup {
    pub(crate) record: AssetGroupRecord,
    /// Whether a scope may name it.
    pub(crate) scopable: bool,
}

/// A domain of cases and issues.
#[derive(Clone, Debug)]
struct Domain {
    name: String,
    /// The number in its id, such as 4 in `DOM:4`.
    number: usize,
}

/// An asset.
#[derive(Clone, Debug)]
pub(crate) struct Asset {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) record: Record,
    /// The index of its endpoint, if it has an agent.
    pub(crate) agent: Option<usize>,
    /// The ids of the groups that its record lists.
    listed_in: Vec<u64>,
    /// The names of the groups that contain it, and their ids.
    pub(crate) groups: Vec<(u64, String)>,
}

/// An endpoint.
#[derive(Clone, Debug)]
pub(crate) struct Agent {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) record: Record,
    pub(crate) groups: Vec<String>,
    /// Those of the server come first.
    pub(crate) tags: Vec<String>,
}

/// An issue.
#[derive(Clone, Debug)]
pub(crate) struct Issue {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) domain: String,
    pub(crate) severity: String,
    pub(crate) about: Vec<IssueSubject>,
}

/// The object that an issue references.
#[derive(Clone, Debug)]
pub(crate) enum IssueSubject {
    /// An existing asset, by index.
    Asset(usize),
    /// A deleted asset.
    Deleted(String),
    /// An object that no inventory has.
    Unknown(String),
}

/// A case.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) domain: String,
    pub(crate) severity: String,
    /// The indices of its issues.
    pub(crate) issues: Vec<usize>,
}

impl Inventory {
    /// The asset group with this id.
    pub(crate) fn group(&self, id: u64) -> Option<&AssetGroup> {
        self.groups.iter().find(|group| group.record.id == id)
    }

    /// The id of a domain in scopes.
    pub(crate) fn domain_id(&self, name: &str) -> Option<String> {
        let domain = self.domains.iter().find(|domain| domain.name == name)?;
        Some(format!("DOM:{}", domain.number))
    }

    /// The id of an endpoint group in scopes.
    pub(crate) fn endpoint_group_id(&self, name: &str) -> Option<String> {
        Some(format!("EG:{}", place(&self.endpoint_groups, name)?))
    }

    /// The id of an endpoint tag in scopes.
    pub(crate) fn endpoint_tag_id(&self, name: &str) -> Option<String> {
        Some(format!("ET:{}", place(&self.endpoint_tags, name)?))
    }

    /// Reassigns all assets to the groups: those that their records list, and those that `fits`.
    pub(crate) fn regroup(&mut self, fits: impl Fn(&AssetGroup, &Asset) -> bool) {
        for asset in &mut self.assets {
            let within = |group: &&AssetGroup| {
                asset.listed_in.contains(&group.record.id) || fits(group, asset)
            };
            let found = self.groups.iter().filter(within);
            let found = found.map(|group| (group.record.id, group.record.name.clone()));
            asset.groups = found.collect();
        }
    }

    /// Replaces all groups.
    pub(crate) fn set_groups(&mut self, groups: Vec<AssetGroup>, last_group: u64) {
        let ids = groups.iter().map(|group| group.record.id);
        self.last_group = ids.max().unwrap_or(0).max(last_group);
        self.groups = groups;
    }

    /// The endpoint of the asset with this index, if it has an agent.
    pub(crate) fn agent_of(&self, asset: usize) -> Option<&Agent> {
        self.assets[asset].agent.map(|agent| &self.endpoints[agent])
    }
}

impl AssetGroup {
    pub(crate) fn new(record: AssetGroupRecord) -> Self {
        let scopable = record.is_scopable() == Some(true);
        Self { record, scopable }
    }
}

impl IssueSubject {
    /// The index of the asset, if it exists.
    pub(crate) fn asset(&self) -> Option<usize> {
        match self {
            Self::Asset(at) => Some(*at),
            Self::Deleted(_) | Self::Unknown(_) => None,
        }
    }
}

impl Asset {
    /// The ids of the groups that it is in.
    pub(crate) fn group_ids(&self) -> impl Iterator<Item = u64> {
        self.groups.iter().map(|(id, _)| *id)
    }
}

fn place(names: &[String], name: &str) -> Option<usize> {
    names.iter().position(|known| known == name).map(|at| at + 1)
}
