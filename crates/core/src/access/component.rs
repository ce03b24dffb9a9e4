//! Components: what roles grant permissions on, and the levels of a [`Permission`].
//!
//! It refuses to be the product's full list: there is no public one. It holds the names that the
//! product's documents use, in their groups.

use core::fmt;
use core::str::FromStr;

/// How much of a component a role grants: nothing, looking, or changing. Changing implies looking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    /// Nothing: the component is hidden.
    None,
    /// Looking at it.
    View,
    /// Changing it (the console's *View/Edit*).
    Edit,
}

impl Permission {
    /// The name in policies: `none`, `view`, `edit`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::View => "view",
            Self::Edit => "edit",
        }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Permission {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::None, Self::View, Self::Edit].into_iter().find(|p| p.as_str() == text).ok_or(())
    }
}

/// Which levels the console offers for a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "kebab-case"))]
pub enum ComponentLevels {
    /// None, View, View/Edit.
    Three,
    /// None and View.
    NoneView,
    /// None and View/Edit.
    NoneEdit,
    /// Enabled and Disabled, with check-boxes below.
    Switch,
}

/// A component of the product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "camelCase"))]
pub struct Component {
    /// Its name in the console.
    pub name: &'static str,
    /// The group that it stands in.
    pub group: &'static str,
    /// Which levels there are.
    pub levels: ComponentLevels,
    /// How a key that holds it gets round its scope, where that is known.
    pub way_round_scope: Option<&'static str>,
}

impl Component {
    /// Looks a component up by its exact name.
    pub fn by_name(name: &str) -> Option<&'static Self> {
        COMPONENTS.iter().find(|component| component.name == name)
    }
}

const fn of(group: &'static str, name: &'static str, levels: ComponentLevels) -> Component {
    Component { name, group, levels, way_round_scope: None }
}

const fn round(
    group: &'static str,
    name: &'static str,
    levels: ComponentLevels,
    how: &'static str,
) -> Component {
    Component { name, group, levels, way_round_scope: Some(how) }
}

use ComponentLevels::{NoneEdit, NoneView, Switch, Three};

/// The components that the product's documents name.
pub const COMPONENTS: &[Component] = &[
    of("Cases and Issues", "Cases and Issues", Three),
    of("AI Security", "AI Security", Three),
    of("Application Security", "Third Party Tools", Three),
    of("Application Security", "Generic Collector", NoneEdit),
    of("Application Security", "Application Security Issues", Three),
    of("Application Security", "Policy Management", Three),
    of("Application Security", "Scans", Three),
    of("Application Security", "Application Security Configurations", Three),
    of("CLI Tool", "CLI Tool", Three),
    of("Cloud Security", "Cloud Security", Three),
    of("Compliance", "Compliance-Cloud", Three),
    of("Data Security", "Data Classification", Three),
    of("Data Security", "Data Security", Three),
    of("Identity Security", "Identity Security", Three),
    of("Policies", "Policies-Cloud Workload", Three),
    of("Configurations", "Access Management", Three),
    of("Configurations", "Alert Notifications", Three),
    of("Configurations", "Apps-Instance", Three),
    of("Configurations", "Auditing", NoneView),
    of("Configurations", "Cortex XDR Analytics", Three),
    of("Configurations", "Credentials", Three),
    of("Configurations", "Data Broker", Three),
    round(
        "Configurations",
        "Data Management",
        NoneEdit,
        "a dataset view shows rows that no scope limits",
    ),
    of("Configurations", "Data Sources", Three),
    of("Configurations", "External Issues Mapping", Three),
    of("Configurations", "General Configuration", Three),
    of("Configurations", "Integrations-Instance", Three),
    of("Configurations", "Integrations", Three),
    of("Configurations", "Log Collection", Three),
    of("Configurations", "Long-running HTTP Integrations", Three),
    of("Configurations", "Network Scanners", Three),
    of("Configurations", "Object Setup", Three),
    of("Configurations", "Public API", Three),
    of("Configurations", "Threat Intelligence", Three),
    of("AI", "AI Prompts", Three),
    of("AI", "Agentic Assistant Agents", Three),
    of("Dashboards and Reports", "Dashboards", Switch),
    of("Dashboards and Reports", "Reports", Switch),
    of("Dashboards and Reports", "Command Center", NoneView),
    of("Dashboards and Reports", "Ingestion Monitoring", NoneView),
    of("Endpoint DLP", "Data-in-Motion Rules", Three),
    of("Endpoint DLP", "Endpoint Applications", Three),
    of("Endpoint DLP", "Endpoint Application Groups", Three),
    of("Endpoint DLP", "DLP Settings", Three),
    of("Exceptions", "Approver Admin", Three),
    of("Exceptions", "Management Admin", Three),
    of("Exceptions", "Issue Exclusions", Three),
    of("Exposure", "Attack Surface", Three),
    of("Exposure", "Exposure Management", Three),
    of("Exposure", "Vulnerability Management", Three),
    of("Help", "Help", NoneEdit),
    of("Agents", "Administrations", NoneEdit),
    of("Agents", "Extension Policies", NoneEdit),
    of("Agents", "Groups", NoneEdit),
    of("Agents", "Installations", NoneEdit),
    of("Agents", "Prevention Policies", NoneEdit),
    of("Agents", "Profiles", NoneEdit),
    of("Agents", "Device Control", NoneEdit),
    of("Agents", "Global Exceptions", NoneEdit),
    of("Agents", "Host Firewall", NoneEdit),
    of("Assets", "Asset Groups", Three),
    of("Assets", "Asset Inventory", Three),
    of("Assets", "Asset Roles", Three),
    of("Assets", "Compliance (Legacy)", NoneView),
    of("Assets", "Network Configuration", Three),
    of("Automation", "Exclusion Center", Three),
    round("Automation", "Jobs", Three, "automation runs with full scope"),
    round("Automation", "Playbooks", Switch, "automation runs with full scope"),
    round("Automation", "Playground", NoneEdit, "automation runs with full scope"),
    round("Automation", "Scripts", Switch, "automation runs with full scope"),
    of("Response", "Action Center", Three),
    of("Response", "Agent Scripts Library", Three),
    of("Response", "EDL", NoneEdit),
    of("Response", "Live Terminal", NoneEdit),
    of("Search", "Forensics", Three),
    of("Search", "Graph Search", Three),
    of("Search", "Host Insights", Three),
    round(
        "Search",
        "Query Center",
        Three,
        "XQL on the alerts and incidents datasets heeds no scope",
    ),
    round(
        "Search",
        "Query Library",
        Switch,
        "XQL on the alerts and incidents datasets heeds no scope",
    ),
    of("Observability", "Jupyter", NoneEdit),
    of("Managed Services", "Managed Services", Three),
    of("Marketplace", "Marketplace", Three),
    round("Detection", "Detection Rules", Three, "a correlation rule sees what no scope limits"),
];
