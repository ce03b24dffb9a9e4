//! Loads an inventory from JSON: an organisation's file, or the built-in one.
//!
//! Every mistake that would give a scope another meaning than in the organisation's own tenant is
//! an error with its position: duplicate names, dangling references, records without an id.

use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use cortexkey_api::inventory::{FILE_BYTES_MAX, Inventory as File};
use cortexkey_api::user::{UserGroupRecord, UserRecord};
use cortexkey_core::access::BUILT_IN_DOMAINS;
use serde_json::Value;

use super::{Agent, Asset, AssetGroup, Case, Domain, Inventory, Issue, IssueSubject, Record};
use thiserror::Error;

const SEEDED: &str = include_str!("seeded.json");
const RECORDS_MAX: usize = 100_000;
/// The built-in domains; the index is the number of the id. Those of Health and IT are public.
const DOMAIN_NUMBERS: [&str; 5] = ["Security", "Posture", "IT", "Health", "Hunting"];

/// Users and user groups of an inventory.
#[derive(Clone, Debug, Default)]
pub(crate) struct People {
    pub(crate) users: Vec<UserRecord>,
    pub(crate) groups: Vec<UserGroupRecord>,
}

/// Why an inventory cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum InventoryError {
    /// The file cannot be read.
    #[error("cannot read the inventory {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        #[source]
        error: io::Error,
    },
    /// The file is too large.
    #[error("the inventory is larger than {FILE_BYTES_MAX} bytes")]
    TooLarge,
    /// The file is not an inventory in JSON.
    #[error(
        "the inventory is not JSON of the expected form\nhelp: `cortexkey import --inventory` writes one"
    )]
    Json(#[source] serde_json::Error),
    /// A list is too long.
    #[error("the inventory's {list} has more than {RECORDS_MAX} records")]
    TooMany {
        /// The list.
        list: &'static str,
    },
    /// A record lacks its name, or the name is not a string.
    #[error("record {at} of the inventory's {list} has no string in {member:?}")]
    Unnamed {
        /// The list.
        list: &'static str,
        /// The position in the list, counted from 1.
        at: usize,
        /// The member.
        member: &'static str,
    },
    /// Two records of a list have the same name or id.
    #[error("the inventory's {list} has {name:?} twice\nhelp: remove one of them")]
    Twice {
        /// The list.
        list: &'static str,
        /// The name or id.
        name: String,
    },
    /// A record references something that is not in the inventory.
    #[error(
        "{name:?} in the inventory's {list} names the {what} {wanted:?}, which the inventory \
         does not have"
    )]
    Missing {
        /// The list.
        list: &'static str,
        /// The record.
        name: String,
        /// The kind of object.
        what: &'static str,
        /// Its name or id.
        wanted: String,
    },
}

/// The built-in inventory.
pub(crate) fn seeded() -> Result<(Inventory, People), InventoryError> {
    serde_json::from_str(SEEDED).map_err(InventoryError::Json).and_then(load)
}

/// The inventory of a file.
pub(crate) fn read(path: &Path) -> Result<(Inventory, People), InventoryError> {
    let mut text = String::new();
    let unreadable = |error| InventoryError::Read { path: path.to_owned(), error };
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(InventoryError::TooLarge);
    }
    serde_json::from_str(&text).map_err(InventoryError::Json).and_then(load)
}

fn load(file: File) -> Result<(Inventory, People), InventoryError> {
    check_lengths(&file)?;
    let groups: Vec<_> = file.asset_groups.into_iter().map(AssetGroup::new).collect();
    index("assetGroups", groups.iter().map(|group| group.record.id.to_string()))?;
    let mut inventory = Inventory {
        domains: domains(file.domains)?,
        endpoint_groups: file.endpoint_groups,
        endpoint_tags: file.endpoint_tags,
        datasets: file.dataset_groups,
        ..Inventory::default()
    };
    inventory.set_groups(groups, 0);
    inventory.endpoints = endpoints(file.endpoints)?;
    for agent in &inventory.endpoints {
        add_all(&mut inventory.endpoint_groups, &agent.groups);
        add_all(&mut inventory.endpoint_tags, &agent.tags);
    }
    index("endpointGroups", inventory.endpoint_groups.iter().cloned())?;
    index("endpointTags", inventory.endpoint_tags.iter().cloned())?;
    let agents = index("endpoints", inventory.endpoints.iter().map(|agent| agent.id.clone()))?;
    inventory.assets = assets(file.assets, &agents)?;
    let assets = index("assets", inventory.assets.iter().map(|asset| asset.id.clone()))?;
    inventory.issues = issues(file.issues, &assets, &inventory)?;
    let issues = index("issues", inventory.issues.iter().map(|issue| issue.id.to_string()))?;
    inventory.cases = cases(file.cases, &issues, &inventory)?;
    index("cases", inventory.cases.iter().map(|case| case.id.to_string()))?;
    for finding in &file.findings {
        known("findings", &finding.id, "asset", &finding.asset, &assets)?;
        if let Some(issue) = finding.issue {
            known("findings", &finding.id, "issue", &issue.to_string(), &issues)?;
        }
    }
    index("findings", file.findings.iter().map(|finding| finding.id.clone()))?;
    inventory.findings = file.findings;
    index("users", file.users.iter().map(|user| user.user_email.clone()))?;
    index("userGroups", file.user_groups.iter().map(|group| group.group_id.clone()))?;
    Ok((inventory, People { users: file.users, groups: file.user_groups }))
}

fn check_lengths(file: &File) -> Result<(), InventoryError> {
    for (list, count) in [
        ("assetGroups", file.asset_groups.len()),
        ("domains", file.domains.len()),
        ("endpointGroups", file.endpoint_groups.len()),
        ("endpointTags", file.endpoint_tags.len()),
        ("endpoints", file.endpoints.len()),
        ("assets", file.assets.len()),
        ("issues", file.issues.len()),
        ("cases", file.cases.len()),
        ("findings", file.findings.len()),
        ("users", file.users.len()),
        ("userGroups", file.user_groups.len()),
        ("datasetGroups", file.dataset_groups.len()),
    ] {
        if count > RECORDS_MAX {
            return Err(InventoryError::TooMany { list });
        }
    }
    Ok(())
}

/// The index of each name, without duplicates.
fn index(
    list: &'static str,
    names: impl Iterator<Item = String>,
) -> Result<BTreeMap<String, usize>, InventoryError> {
    let mut places = BTreeMap::new();
    for (at, name) in names.enumerate() {
        if places.insert(name.clone(), at).is_some() {
            return Err(InventoryError::Twice { list, name });
        }
    }
    Ok(places)
}

/// The index of what a record references.
fn known(
    list: &'static str,
    name: &str,
    what: &'static str,
    wanted: &str,
    places: &BTreeMap<String, usize>,
) -> Result<usize, InventoryError> {
    places.get(wanted).copied().ok_or_else(|| InventoryError::Missing {
        list,
        name: name.to_owned(),
        what,
        wanted: wanted.to_owned(),
    })
}

/// The domains with the numbers of their ids: the built-in ones first, with their own.
fn domains(mut names: Vec<String>) -> Result<Vec<Domain>, InventoryError> {
    if names.is_empty() {
        names = BUILT_IN_DOMAINS.map(str::to_owned).into();
    }
    index("domains", names.iter().cloned())?;
    let mut next = DOMAIN_NUMBERS.len();
    let number = |name: String| {
        let built_in = DOMAIN_NUMBERS.iter().position(|known| *known == name);
        let number = built_in.map_or_else(
            || {
                next += 1;
                next
            },
            |at| at + 1,
        );
        Domain { name, number }
    };
    Ok(names.into_iter().map(number).collect())
}

fn endpoints(records: Vec<Record>) -> Result<Vec<Agent>, InventoryError> {
    let agent = |(at, record): (usize, Record)| {
        let id = text("endpoints", at, &record, "endpoint_id")?;
        let name = record.get("endpoint_name").and_then(Value::as_str).unwrap_or(&id).to_owned();
        let mut tags = Vec::new();
        for side in ["server_tags", "endpoint_tags"] {
            let of_side = record.get("tags").and_then(|tags| tags.get(side));
            add_all(&mut tags, &texts(of_side));
        }
        let groups = texts(record.get("group_name"));
        Ok(Agent { id, name, record, groups, tags })
    };
    records.into_iter().enumerate().map(agent).collect()
}

fn assets(
    records: Vec<Record>,
    agents: &BTreeMap<String, usize>,
) -> Result<Vec<Asset>, InventoryError> {
    let asset = |(at, record): (usize, Record)| {
        let id = text("assets", at, &record, "xdm.asset.id")?;
        let name = record.get("xdm.asset.name").and_then(Value::as_str).unwrap_or(&id).to_owned();
        let agent = match record.get("xdm.asset.agent_id").and_then(Value::as_str) {
            Some(agent) => Some(known("assets", &id, "endpoint", agent, agents)?),
            None => None,
        };
        let listed = record.get("xdm.asset.group_ids").and_then(Value::as_array);
        let listed_in = listed.into_iter().flatten().filter_map(Value::as_u64).collect();
        Ok(Asset { id, name, record, agent, listed_in, groups: Vec::new() })
    };
    records.into_iter().enumerate().map(asset).collect()
}

fn issues(
    issues: Vec<cortexkey_api::inventory::Issue>,
    assets: &BTreeMap<String, usize>,
    inventory: &Inventory,
) -> Result<Vec<Issue>, InventoryError> {
    let issue = |issue: cortexkey_api::inventory::Issue| {
        let name = issue.id.to_string();
        let asset =
            |id: &String| known("issues", &name, "asset", id, assets).map(IssueSubject::Asset);
        let mut about: Vec<_> = issue.assets.iter().map(asset).collect::<Result<_, _>>()?;
        about.extend(issue.deleted_assets.into_iter().map(IssueSubject::Deleted));
        about.extend(issue.unknown.into_iter().map(IssueSubject::Unknown));
        known_domain("issues", &name, &issue.domain, inventory)?;
        let id = issue.id;
        let name = issue.name;
        let domain = issue.domain;
        let severity = issue.severity;
        Ok(Issue { id, name, domain, severity, about })
    };
    issues.into_iter().map(issue).collect()
}

fn cases(
    cases: Vec<cortexkey_api::inventory::Case>,
    issues: &BTreeMap<String, usize>,
    inventory: &Inventory,
) -> Result<Vec<Case>, InventoryError> {
    let case = |case: cortexkey_api::inventory::Case| {
        let name = case.id.to_string();
        known_domain("cases", &name, &case.domain, inventory)?;
        let issue = |id: &u64| known("cases", &name, "issue", &id.to_string(), issues);
        let issues = case.issues.iter().map(issue).collect::<Result<_, _>>()?;
        let id = case.id;
        let name = case.name;
        let domain = case.domain;
        let severity = case.severity;
        Ok(Case { id, name, domain, severity, issues })
    };
    cases.into_iter().map(case).collect()
}

fn known_domain(
    list: &'static str,
    name: &str,
    domain: &str,
    inventory: &Inventory,
) -> Result<(), InventoryError> {
    if inventory.domains.iter().any(|known| known.name == domain) {
        return Ok(());
    }
    let name = name.to_owned();
    let wanted = domain.to_owned();
    Err(InventoryError::Missing { list, name, what: "domain", wanted })
}

fn text(
    list: &'static str,
    at: usize,
    record: &Record,
    member: &'static str,
) -> Result<String, InventoryError> {
    let found = record.get(member).and_then(Value::as_str).filter(|text| !text.is_empty());
    found.map(str::to_owned).ok_or(InventoryError::Unnamed { list, at: at + 1, member })
}

/// One string, or a list of strings.
fn texts(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(text)) if !text.is_empty() => vec![text.clone()],
        Some(Value::Array(all)) => {
            all.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

fn add_all(names: &mut Vec<String>, more: &[String]) {
    for name in more {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(json: &str) -> String {
        load(serde_json::from_str(json).unwrap()).unwrap_err().to_string()
    }

    #[test]
    fn the_built_in_inventory_loads() {
        let (inventory, people) = seeded().unwrap();
        assert_eq!((inventory.assets.len(), inventory.endpoints.len()), (7, 5));
        assert_eq!((people.users.len(), people.groups.len()), (3, 2));
        assert_eq!(inventory.domain_id("Health").as_deref(), Some("DOM:4"));
        assert_eq!(inventory.domain_id("IT").as_deref(), Some("DOM:3"));
        assert!(inventory.group(16).unwrap().scopable && !inventory.group(19).unwrap().scopable);
    }

    #[test]
    fn unknown_and_duplicate_names_are_errors_with_a_position() {
        for (json, said) in [
            (r#"{"domains":["A","A"]}"#, "domains has \"A\" twice"),
            (r#"{"assets":[{}]}"#, "record 1 of the inventory's assets has no string"),
            (r#"{"endpoints":[{"endpoint_id":7}]}"#, "no string in \"endpoint_id\""),
            (
                r#"{"assets":[{"xdm.asset.id":"a","xdm.asset.agent_id":"b"}]}"#,
                "\"a\" in the inventory's assets names the endpoint \"b\"",
            ),
            (
                r#"{"issues":[{"id":1,"name":"i","domain":"Finance","severity":"low"}]}"#,
                "names the domain \"Finance\"",
            ),
            (
                r#"{"cases":[{"id":1,"name":"i","domain":"IT","severity":"low","issues":[9]}]}"#,
                "names the issue \"9\"",
            ),
            (r#"{"findings":[{"id":"f","name":"f","asset":"x"}]}"#, "names the asset \"x\""),
            (r#"{"users":[{"user_email":"a"},{"user_email":"a"}]}"#, "users has \"a\" twice"),
        ] {
            assert!(fault(json).contains(said), "{}", fault(json));
        }
    }

    #[test]
    fn own_domains_get_ids_beyond_the_built_in_ones() {
        let file = serde_json::from_str(r#"{"domains":["Finance","IT","Legal"]}"#).unwrap();
        let (inventory, _) = load(file).unwrap();
        let id = |name| inventory.domain_id(name).unwrap_or_default();
        assert_eq!(
            (id("Finance"), id("IT"), id("Legal")),
            ("DOM:6".into(), "DOM:3".into(), "DOM:7".into())
        );
        assert_eq!(id("Security"), "");
    }
}
