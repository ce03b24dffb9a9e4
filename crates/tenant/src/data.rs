//! What a key may see or not: a few assets, endpoints, issues and cases, the same in every tenant.
//!
//! It refuses to be realistic: it is small, and made so that each rule about scopes shows.

use cortexkey_core::access::{Endpoint, Question, Reference};

/// When all of it was made, in milliseconds since 1970.
pub(crate) const CREATED_MS: u64 = 1_750_000_000_000;

/// An asset.
pub(crate) struct Asset {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) class: &'static str,
    pub(crate) provider: &'static str,
    pub(crate) region: &'static str,
    /// The asset groups that it is in, which are its tags as well.
    pub(crate) groups: &'static [&'static str],
    /// Its endpoint, where it has an agent.
    pub(crate) agent: Option<&'static Agent>,
}

/// An endpoint.
pub(crate) struct Agent {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) os: &'static str,
    pub(crate) ip: &'static str,
    /// What scopes look at.
    pub(crate) endpoint: Endpoint<'static>,
}

/// An issue.
pub(crate) struct Issue {
    pub(crate) id: u64,
    pub(crate) name: &'static str,
    pub(crate) domain: &'static str,
    pub(crate) severity: &'static str,
    pub(crate) about: &'static [About],
    /// What scopes look at: the same as `about`.
    pub(crate) references: &'static [Reference<'static>],
}

/// What an issue is about.
#[derive(Clone, Copy)]
pub(crate) enum About {
    /// An asset that there is.
    Asset(&'static Asset),
    /// An asset that there was.
    Deleted(&'static str),
    /// Something that no inventory knows.
    Unknown(&'static str),
}

/// A case.
pub(crate) struct Case {
    pub(crate) id: u64,
    pub(crate) name: &'static str,
    pub(crate) domain: &'static str,
    pub(crate) severity: &'static str,
    pub(crate) issues: &'static [&'static Issue],
    /// What scopes look at: domain and references of each issue.
    pub(crate) parts: &'static [(&'static str, &'static [Reference<'static>])],
}

impl Asset {
    /// May a key see it?
    pub(crate) fn question(&self) -> Question<'static> {
        Question::Asset { groups: self.groups }
    }

    const fn reference(&self) -> Reference<'static> {
        let endpoint = match self.agent {
            Some(agent) => Some(agent.endpoint),
            None => None,
        };
        Reference::Asset { groups: self.groups, endpoint }
    }
}

impl Agent {
    /// May a key see it?
    pub(crate) fn question(&self) -> Question<'static> {
        Question::Endpoint(self.endpoint)
    }
}

impl Issue {
    /// May a key see it?
    pub(crate) fn question(&self) -> Question<'static> {
        Question::Issue { domain: self.domain, references: self.references }
    }

    const fn part(&self) -> (&'static str, &'static [Reference<'static>]) {
        (self.domain, self.references)
    }
}

impl Case {
    /// May a key see it?
    pub(crate) fn question(&self) -> Question<'static> {
        Question::Case { domain: self.domain, issues: self.parts }
    }
}

impl About {
    /// The asset, where there is one.
    pub(crate) fn asset(&self) -> Option<&'static Asset> {
        match self {
            Self::Asset(asset) => Some(asset),
            Self::Deleted(_) | Self::Unknown(_) => None,
        }
    }

    /// What it is called.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Asset(asset) => asset.name,
            Self::Deleted(name) | Self::Unknown(name) => name,
        }
    }

    const fn reference(self) -> Reference<'static> {
        match self {
            Self::Asset(asset) => asset.reference(),
            Self::Deleted(_) => Reference::Deleted,
            Self::Unknown(_) => Reference::Unknown,
        }
    }
}

const fn agent(
    id: &'static str,
    name: &'static str,
    kind: &'static str,
    groups: &'static [&'static str],
    tags: &'static [&'static str],
) -> Agent {
    let os = if matches!(kind.as_bytes(), b"Server") { "Linux" } else { "Windows" };
    Agent { id, name, kind, os, ip: "192.0.2.1", endpoint: Endpoint { groups, tags } }
}

/// The endpoints.
pub(crate) static AGENTS: [Agent; 5] = [
    agent("agent-1", "web-eu-1", "Server", &["servers-eu"], &["vip"]),
    agent("agent-2", "db-us-1", "Server", &["servers-us"], &[]),
    agent("agent-3", "laptop-3", "Workstation", &["laptops"], &["vip", "kiosk"]),
    agent("agent-4", "laptop-4", "Workstation", &["laptops"], &["kiosk"]),
    agent("agent-5", "spare", "Workstation", &[], &[]),
];

const fn asset(
    id: &'static str,
    name: &'static str,
    class: &'static str,
    groups: &'static [&'static str],
    agent: Option<&'static Agent>,
) -> Asset {
    Asset { id, name, class, provider: "ON_PREM", region: "eu", groups, agent }
}

const COMPUTE: &str = "Compute";
const DATA: &str = "Data";

/// The assets.
pub(crate) static ASSETS: [Asset; 7] = [
    asset("asset-1", "web-eu-1", COMPUTE, &["prod-eu", "by-name"], Some(&AGENTS[0])),
    asset("asset-2", "db-us-1", COMPUTE, &["prod-us"], Some(&AGENTS[1])),
    asset("asset-3", "laptop-3", "Device", &["dev"], Some(&AGENTS[2])),
    asset("asset-4", "laptop-4", "Device", &[], Some(&AGENTS[3])),
    asset("asset-5", "bucket-eu", DATA, &["prod-eu"], None),
    asset("asset-6", "cluster", COMPUTE, &["prod-eu", "prod-us"], None),
    asset("asset-7", "unsorted", DATA, &[], None),
];

/// An issue; what it is about is said once.
macro_rules! issue {
    ($id:literal, $name:literal, $domain:literal, $severity:literal, [$($about:expr),* $(,)?]) => {
        Issue {
            id: $id,
            name: $name,
            domain: $domain,
            severity: $severity,
            about: &[$($about),*],
            references: &[$($about.reference()),*],
        }
    };
}

use About::{Asset as On, Deleted, Unknown};

/// The issues.
pub(crate) static ISSUES: [Issue; 12] = [
    issue!(101, "Malware on a server", "Security", "high", [On(&ASSETS[0])]),
    issue!(102, "Brute force against a database", "Security", "medium", [On(&ASSETS[1])]),
    issue!(103, "Odd process on a laptop", "Security", "low", [On(&ASSETS[2]), On(&ASSETS[3])]),
    issue!(104, "Public bucket", "Posture", "critical", [On(&ASSETS[4])]),
    issue!(105, "Old kernel on a server", "Posture", "medium", [On(&ASSETS[0])]),
    issue!(106, "Cluster without limits", "Posture", "low", [On(&ASSETS[5])]),
    issue!(107, "Collector is silent", "Health", "medium", [Unknown("collector-9")]),
    issue!(108, "Beacon to a rare domain", "Hunting", "high", [On(&ASSETS[1]), On(&ASSETS[4])]),
    issue!(109, "Disk is full", "IT", "low", [On(&ASSETS[6])]),
    issue!(110, "Token leaked", "Security", "critical", []),
    issue!(111, "Host is gone", "Security", "medium", [Deleted("asset-0")]),
    issue!(112, "Key left on a bucket", "Security", "high", [On(&ASSETS[4])]),
];

/// A case; its issues are said once.
macro_rules! case {
    ($id:literal, $name:literal, $domain:literal, $severity:literal, [$($at:literal),* $(,)?]) => {
        Case {
            id: $id,
            name: $name,
            domain: $domain,
            severity: $severity,
            issues: &[$(&ISSUES[$at]),*],
            parts: &[$(ISSUES[$at].part()),*],
        }
    };
}

/// The cases.
pub(crate) static CASES: [Case; 6] = [
    case!(1, "Intrusion in the EU", "Security", "high", [0, 11]),
    case!(2, "Intrusion in the US", "Security", "high", [1, 7]),
    case!(3, "Laptops", "Security", "low", [2]),
    case!(4, "Open storage", "Posture", "critical", [3, 5]),
    case!(5, "Leak", "Security", "critical", [9, 10]),
    case!(6, "Operations", "IT", "low", [8, 6]),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::inventory;

    #[test]
    fn it_names_what_the_inventory_has() {
        for asset in &ASSETS {
            for group in asset.groups {
                assert!(
                    inventory::ASSET_GROUPS.iter().any(|known| known.name == *group),
                    "{group}"
                );
            }
        }
        for agent in &AGENTS {
            let Endpoint { groups, tags } = agent.endpoint;
            assert!(groups.iter().all(|group| inventory::endpoint_group(group).is_some()));
            assert!(tags.iter().all(|tag| inventory::endpoint_tag(tag).is_some()));
        }
        let domains = ISSUES.iter().map(|issue| issue.domain);
        for domain in domains.chain(CASES.iter().map(|case| case.domain)) {
            assert!(inventory::domain(domain).is_some(), "{domain}");
        }
    }

    #[test]
    fn no_id_is_given_twice() {
        let ids: BTreeSet<_> = ISSUES.iter().map(|issue| issue.id).collect();
        assert_eq!(ids.len(), ISSUES.len());
        let ids: BTreeSet<_> = CASES.iter().map(|case| case.id).collect();
        assert_eq!(ids.len(), CASES.len());
    }
}
