//! Reads an organisation's [`Inventory`] from its tenant, section by section.
//!
//! A section that the key may not read, or that cannot be read completely, is marked in the result
//! ([`Incomplete`]); any other failure ends the reading. No call lists domains, endpoint groups or
//! endpoint tags, so the ones that the scopes of keys name are used.

use std::collections::BTreeSet;

use cortexkey_api::Data;
use cortexkey_api::asset_group::ListRequest;
use cortexkey_api::inventory::{AssetList, EndpointList, Incomplete, Inventory};
use cortexkey_api::role::PermissionConfig;
use cortexkey_api::scope::{AreaMode, AxisMode, ScopeRead, Tag};
use cortexkey_api::user::{Listed, UserGroupRecord, UserRecord};
use cortexkey_core::access::BUILT_IN_DOMAINS;
use cortexkey_core::auth::KeyId;
use cortexkey_system::chain;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::pages::{Page, Pages, pages};
use crate::{CallError, Client, Method};

const ENDPOINT_ID: &str = "endpoint_id";
const ASSET_ID: &str = "xdm.asset.id";
const ASSET_AGENT: &str = "xdm.asset.agent_id";
const ACCESS_MANAGEMENT: &str = "Access Management";

type Record = Map<String, Value>;

impl Client {
    /// The objects that scopes of this tenant can reference, in the form that the emulator loads.
    pub fn inventory(&self) -> Result<Inventory, CallError> {
        let mut read = InventoryReader { client: self, inventory: Inventory::default() };
        read.assets()?;
        read.people()?;
        read.names_in_scopes()?;
        read.mark_own_scope()?;
        Ok(read.inventory)
    }

    fn endpoints(&self) -> Result<Pages<Record, Record>, CallError> {
        let path = "/public_api/v1/endpoints/get_endpoint";
        self.records(path, ENDPOINT_ID, |list: EndpointList| (list.endpoints, list.total_count))
    }

    fn assets(&self) -> Result<Pages<Record, Record>, CallError> {
        self.records("/public_api/v1/assets", ASSET_ID, |list: AssetList| {
            (list.data, Some(list.metadata.filter_count))
        })
    }

    /// All records of a list, keyed by the member with their id.
    fn records<L: DeserializeOwned>(
        &self,
        path: &str,
        id: &'static str,
        parts: impl Fn(L) -> (Vec<Record>, Option<u64>),
    ) -> Result<Pages<Record, Record>, CallError> {
        pages(
            usize::MAX,
            |from, to| {
                let request = ListRequest {
                    search_from: Some(from),
                    search_to: Some(to),
                    ..ListRequest::default()
                };
                let (records, count) = parts(self.query(path, &request)?);
                let (items, unreadable) =
                    records.into_iter().partition(|record| text(record, id).is_some());
                Ok(Page { items, unreadable, count })
            },
            |record| text(record, id).unwrap_or_default().to_owned(),
        )
    }

    /// The response to a GET of a list without pages.
    fn listed<T: DeserializeOwned>(&self, path: &str) -> Result<T, CallError> {
        self.call(Method::Get, path, None)?.json()
    }
}

/// Reads an inventory.
struct InventoryReader<'a> {
    client: &'a Client,
    inventory: Inventory,
}

impl InventoryReader<'_> {
    /// Groups, endpoints and assets.
    fn assets(&mut self) -> Result<(), CallError> {
        let groups = self.client.asset_group_pages();
        self.inventory.asset_groups = self.section("assetGroups", "Asset Groups", groups)?;
        let endpoints = self.client.endpoints();
        self.inventory.endpoints = self.section("endpoints", "Agent Administrations", endpoints)?;
        let assets = self.client.assets();
        self.inventory.assets = self.section("assets", "Asset Inventory", assets)?;
        self.drop_unlisted_agents();
        Ok(())
    }

    /// Users, user groups, and the datasets that roles can access.
    fn people(&mut self) -> Result<(), CallError> {
        let users = self
            .client
            .listed("/platform/iam/v1/user")
            .map(|list: Listed<UserRecord>| unpaged(list.data, |user| user.user_email.clone()));
        self.inventory.users = self.section("users", ACCESS_MANAGEMENT, users)?;
        let groups = self.client.listed("/platform/iam/v1/user-group").map(
            |list: Listed<UserGroupRecord>| unpaged(list.data, |group| group.group_id.clone()),
        );
        self.inventory.user_groups = self.section("userGroups", ACCESS_MANAGEMENT, groups)?;
        let datasets = self.client.listed("/platform/iam/v1/role/permission-config").map(
            |config: Data<PermissionConfig>| {
                unpaged(config.data.dataset_groups, |group| group.dataset_category.clone())
            },
        );
        self.inventory.dataset_groups =
            self.section("datasetGroups", ACCESS_MANAGEMENT, datasets)?;
        Ok(())
    }

    /// The records of a section. A section that cannot be read stays empty and is marked.
    fn section<T, O>(
        &mut self,
        section: &str,
        component: &str,
        answer: Result<Pages<T, O>, CallError>,
    ) -> Result<Vec<T>, CallError> {
        let pages = match answer {
            Ok(pages) => pages,
            Err(error) => {
                let reason = unreadable(error, component)?;
                self.mark(section, reason);
                return Ok(Vec::new());
            }
        };
        if !pages.unreadable.is_empty() {
            self.mark(
                section,
                format!("{} records without an id are missing", pages.unreadable.len()),
            );
        }
        if pages.missing > 0 {
            let reason = format!("the tenant reports {} more than it lists", pages.missing);
            self.mark(section, reason);
        }
        Ok(pages.items)
    }

    fn mark(&mut self, section: &str, reason: String) {
        self.inventory.incomplete.push(Incomplete { section: section.to_owned(), reason });
    }

    /// An asset may reference only an endpoint of the inventory.
    fn drop_unlisted_agents(&mut self) {
        let endpoints = self.inventory.endpoints.iter();
        let listed: BTreeSet<&str> =
            endpoints.filter_map(|agent| text(agent, ENDPOINT_ID)).collect();
        let mut dropped = 0_usize;
        for asset in &mut self.inventory.assets {
            if text(asset, ASSET_AGENT).is_some_and(|agent| !listed.contains(agent)) {
                asset.remove(ASSET_AGENT);
                dropped += 1;
            }
        }
        if dropped > 0 {
            let reason = format!(
                "{dropped} assets reference an endpoint that was not listed; their {ASSET_AGENT} is omitted"
            );
            self.mark("assets", reason);
        }
    }

    /// Domains, endpoint groups and endpoint tags, collected from the scopes of keys.
    fn names_in_scopes(&mut self) -> Result<(), CallError> {
        let mut domains = BTreeSet::new();
        let mut groups = BTreeSet::new();
        let mut tags = BTreeSet::new();
        match self.scopes_of_keys() {
            Ok(scopes) => {
                for scope in scopes {
                    let cases = scope.cases_issues;
                    let endpoints = scope.endpoints;
                    take(cases.mode == AreaMode::Select, cases.tags, &mut domains);
                    let axis = endpoints.endpoint_groups;
                    take(axis.mode == AxisMode::Scope, axis.tags, &mut groups);
                    let axis = endpoints.endpoint_tags;
                    take(axis.mode == AxisMode::Scope, axis.tags, &mut tags);
                }
            }
            Err(error) => {
                let reason = unreadable(error, "Public API (View) and Access Management")?;
                self.mark("domains", reason);
            }
        }
        domains.retain(|name| !BUILT_IN_DOMAINS.contains(&name.as_str()));
        // An inventory without domains has the product's built-in ones.
        if !domains.is_empty() {
            self.inventory.domains = BUILT_IN_DOMAINS.map(str::to_owned).into();
            self.inventory.domains.extend(domains);
        }
        self.inventory.endpoint_groups = groups.into_iter().collect();
        self.inventory.endpoint_tags = tags.into_iter().collect();
        Ok(())
    }

    fn scopes_of_keys(&mut self) -> Result<Vec<ScopeRead>, CallError> {
        let list = self.client.key_list(&[])?;
        let unseen = list.unreadable.len() as u64 + list.missing;
        if unseen > 0 {
            self.mark("domains", format!("the scopes of {unseen} keys could not be read"));
        }
        let ids = list.keys.iter().filter_map(|record| KeyId::new(record.id));
        let scopes = ids.map(|id| self.client.scope(id));
        scopes.filter_map(Result::transpose).collect()
    }

    /// For a key with a scope, lists contain only what is in the scope.
    fn mark_own_scope(&mut self) -> Result<(), CallError> {
        let Some(id) = self.client.own_key().and_then(KeyId::new) else { return Ok(()) };
        let scope = match self.client.scope(id) {
            Ok(Some(scope)) => scope,
            Ok(None) => return Ok(()),
            // Users and groups need the same permission and are marked together.
            Err(error) => return unreadable(error, ACCESS_MANAGEMENT).map(|_| ()),
        };
        let axes = [scope.endpoints.endpoint_groups.mode, scope.endpoints.endpoint_tags.mode];
        let is_empty = self.inventory.endpoints.is_empty();
        // Without a scope a key sees all or nothing; the tenant does not return whether it enforces
        // scopes.
        let endpoints =
            axes.contains(&AxisMode::Scope) || (is_empty && axes.contains(&AxisMode::NoScope));
        let assets = scope.assets.mode == AreaMode::Select
            || (self.inventory.assets.is_empty() && scope.assets.mode == AreaMode::None);
        for (section, limited) in [("endpoints", endpoints), ("assets", assets)] {
            let is_marked = self.inventory.incomplete.iter().any(|mark| mark.section == section);
            if limited && !is_marked {
                let reason = "the key's own scope may hide records";
                self.mark(section, reason.to_owned());
            }
        }
        Ok(())
    }
}

/// Why a section cannot be read, if that does not end the reading.
fn unreadable(error: CallError, component: &str) -> Result<String, CallError> {
    match &error {
        CallError::Refused(refused) => match refused.status {
            403 => Ok(format!("the key lacks the permission {component} (View)")),
            402 => Ok("the tenant's licence does not cover it".to_owned()),
            status @ (404 | 405) => Ok(format!("the tenant has no such call (status {status})")),
            _ => Err(error),
        },
        CallError::UnexpectedShape { .. } | CallError::UnexpectedAnswer { .. } => Ok(chain(&error)),
        _ => Err(error),
    }
}

/// A list without pages; the first of several records with one id is kept.
fn unpaged<T>(records: Vec<T>, id: impl Fn(&T) -> String) -> Pages<T, ()> {
    let mut ids = BTreeSet::new();
    let items = records.into_iter().filter(|record| ids.insert(id(record))).collect();
    Pages { items, unreadable: Vec::new(), missing: 0 }
}

fn take(selects: bool, tags: Vec<Tag>, names: &mut BTreeSet<String>) {
    if selects {
        names.extend(tags.into_iter().map(|tag| tag.tag_name));
    }
}

fn text<'a>(record: &'a Record, member: &str) -> Option<&'a str> {
    record.get(member).and_then(Value::as_str).filter(|text| !text.is_empty())
}
