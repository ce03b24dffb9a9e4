//! The components that roles grant permissions on, and the levels of a [`Permission`].
//!
//! The tables contain what the product's documents name. There is no complete public list, so a
//! component that is missing here may still exist.

use core::fmt;
use core::str::FromStr;

use super::product::Product;

/// How much of a component a role grants: nothing, viewing, or changing. Changing implies viewing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    /// Nothing: the component is hidden.
    None,
    /// Viewing it.
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

/// The levels that the console offers for a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "kebab-case"))]
pub enum ComponentLevels {
    /// None, View, View/Edit.
    Three,
    /// None and View.
    NoneView,
    /// None and View/Edit.
    NoneEdit,
    /// Enabled and Disabled, with check boxes below.
    Switch,
}

/// A component of the product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "camelCase"))]
pub struct Component {
    /// Its name in the console. If two groups have a component of this name, the group follows in
    /// parentheses.
    pub name: &'static str,
    /// The console's group that lists it.
    pub group: &'static str,
    /// The levels that the console offers.
    pub levels: ComponentLevels,
    /// The named actions below it, each with a check box of its own.
    pub actions: &'static [&'static str],
    /// How it lets a key see more than its scope, if known.
    pub scope_bypass: Option<ScopeBypass>,
}

/// How a component lets a key see more than its scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "camelCase"))]
pub struct ScopeBypass {
    /// The lowest level that suffices.
    pub level: Permission,
    /// How, as a clause.
    pub how: &'static str,
}

impl Component {
    /// The components that a product's documents name. XSIAM, XDR 5, Cortex Cloud and AgentiX
    /// share one platform and its components.
    pub const fn for_product(product: Product) -> &'static [Self] {
        match product {
            Product::Xsoar8 => XSOAR_8_COMPONENTS,
            Product::Xpanse => XPANSE_COMPONENTS,
            Product::Xsiam | Product::Xdr5 | Product::CortexCloud | Product::Agentix => COMPONENTS,
        }
    }

    /// Looks up a component by its exact name, in the platform first.
    pub fn by_name(name: &str) -> Option<&'static Self> {
        let all = [COMPONENTS, XSOAR_8_COMPONENTS, XPANSE_COMPONENTS];
        all.into_iter().flatten().find(|component| component.name == name)
    }

    /// The present components for a name of an earlier version; empty for any other name. Some of
    /// the earlier names covered several components.
    pub fn renamed(former: &str) -> &'static [&'static str] {
        let renamed = FORMER_NAMES.iter().find(|(name, _)| *name == former);
        renamed.map_or(&[], |(_, names)| names)
    }

    const fn bypassing(self, level: Permission, how: &'static str) -> Self {
        Self { scope_bypass: Some(ScopeBypass { level, how }), ..self }
    }

    const fn with_actions(self, actions: &'static [&'static str]) -> Self {
        Self { actions, ..self }
    }
}

const fn of(group: &'static str, name: &'static str, levels: ComponentLevels) -> Component {
    Component { name, group, levels, actions: &[], scope_bypass: None }
}

use ComponentLevels::{NoneEdit, NoneView, Switch, Three};

/// The components of the platform that XSIAM, XDR 5, Cortex Cloud and AgentiX share.
pub const COMPONENTS: &[Component] =
    &[
        of("Cases and Issues", "Cases and Issues", Three).with_actions(&[
            "Run Playbooks",
            "Create Case",
            "Restrict Case Access",
            "Add Trigger Playbook",
        ]),
        of("Application Security", "Supply Chain Tools", Three),
        of("Application Security", "Supply Chain Catalog", Three),
        of("Application Security", "Generic Collector", NoneEdit),
        of("Application Security", "Issues (Application Security)", Three),
        of("Application Security", "AppSec Rules", Three),
        of("Application Security", "AppSec Policies", Three),
        of("Application Security", "Periodic scans", Three),
        of("Application Security", "PR scans", Three),
        of("Application Security", "CI/CD scans", Three),
        of("Configurations", "Application Security", NoneEdit),
        of("CLI Tool", "CLI Tool", Three),
        of("Cloud Security", "Rules (Cloud Security)", Three),
        of("Cloud Security", "Policies (Cloud Security)", Three),
        of("Compliance - Cloud", "Catalog and Assessment Profiles", Three),
        of("Compliance - Cloud", "Reports (Compliance - Cloud)", Three),
        of("AI Security", "AI Security", Three),
        of("Data Security", "Data Classification", Three),
        of("Data Security", "Data Security", Three),
        of("Identity Security", "Identity Security", Three),
        of("Policies", "Policies - Cloud Workload", Three),
        of("Configurations", "Access Management", Three),
        of("Configurations", "Alert Notifications", Three),
        of("Configurations", "Apps - Instance", Three),
        of("Configurations", "Auditing", NoneView),
        of("Configurations", "Cortex XDR Analytics (On-demand analytics)", Three),
        of("Configurations", "Credentials", Three),
        of("Configurations", "Broker Service", Three),
        of("Configurations", "Data Management", NoneEdit)
            .bypassing(Permission::Edit, "a dataset view shows rows that no scope limits"),
        of("Configurations", "Query Management", Three),
        of("Configurations", "Data Sources", Three),
        of("Configurations", "External Issues Mapping", Three),
        of("Configurations", "General Configuration", Three),
        of("Configurations", "Integrations - instance", Three),
        of("Configurations", "Integrations", Three),
        of("Configurations", "Log Collection", Three),
        of("Configurations", "Long-running HTTP Integrations", Three),
        of("Configurations", "Network Scanners", Three),
        of("Configurations", "Public API", Three),
        of("Configurations", "Threat Intelligence (API configuration)", Three),
        of("Object Setup", "Case Properties", Three),
        of("Object Setup", "Exclusion List", Three),
        of("Object Setup", "Fields and Types", Three),
        of("Object Setup", "Layout", Three),
        of("Object Setup", "Sync Profile", Three),
        of("Cortex Agentic Assistant", "AI Prompts", Three)
            .with_actions(&["Manage prompts library", "Manage prompts in playbook editor"]),
        of("Cortex Agentic Assistant", "Agents (Cortex Agentic Assistant)", NoneEdit).with_actions(
            &["Interact with Agents", "Manage Actions", "Manage Agents", "Agents Admin"],
        ),
        of("Dashboards and Reports", "Dashboards", Switch)
            .with_actions(&["Create Dashboards", "Edit Public Dashboards"]),
        of("Dashboards and Reports", "Reports", Switch)
            .with_actions(&["Create Report Templates", "Edit Public Report Templates"]),
        of("Dashboards and Reports", "Command Center Dashboards", NoneView),
        of("Dashboards and Reports", "Cloud Security Command Center", Three),
        of("Dashboards and Reports", "Email Command Center", NoneView),
        of("Dashboards and Reports", "Ingestion Monitoring", NoneView),
        of("Data Security - Endpoint DLP", "Data-in-Motion Rules", Three),
        of("Data Security - Endpoint DLP", "Endpoint Applications", Three),
        of("Data Security - Endpoint DLP", "Endpoint Applications Groups", Three),
        of("Data Security - Endpoint DLP", "Endpoint DLP Settings", Three),
        of("Exceptions Configuration", "Exception Approver Admin", Three),
        of("Exceptions Configuration", "Exception Management Admin", Three),
        of("Exceptions Configuration", "Issue Exclusions", Three),
        of("Attack Surface", "Attack Surface Rules", Three),
        of("Attack Surface", "Vulnerability Testing", Three),
        of("Exposure Management", "Exposure Management", Three),
        of("Vulnerability Management", "Vulnerability Management", Three),
        of("Help", "Help", NoneEdit),
        of("Inventory - Agent", "Agent Administrations", Three).with_actions(&[
            "Agent Management",
            "Retrieve Agent Data",
            "Agent Scan",
            "Change Managing Server",
            "Pause Protection",
            "Agent Token Management",
        ]),
        of("Inventory - Agent", "Agent Extension Policies", Three),
        of("Inventory - Agent", "Agent Groups", Three),
        of("Inventory - Agent", "Agent Installations", Three),
        of("Inventory - Agent", "Agent Prevention Policies", Three),
        of("Inventory - Agent", "Agent Profiles", Three),
        of("Inventory - Agent", "Device Control", Three)
            .with_actions(&["Device Control Rules", "Device Control Exceptions"]),
        of("Inventory - Agent", "Global Exceptions", Three),
        of("Inventory - Agent", "Host Firewall", Three),
        of("Inventory - Assets", "Asset Groups", Three),
        of("Inventory - Assets", "Asset Inventory", Three),
        of("Inventory - Assets", "Asset Roles Configuration", Three),
        of("Inventory - Assets", "Compliance (Legacy)", NoneView),
        of("Inventory - Assets", "Network Configuration", Three),
        of("Automation", "Automation Exclusion Center", Three),
        of("Automation", "Jobs", Three)
            .bypassing(Permission::Edit, "automation runs with full scope"),
        of("Automation", "Playbooks", Switch)
            .bypassing(Permission::Edit, "automation runs with full scope")
            .with_actions(&["Create Playbooks", "Edit Public Playbooks", "Unlock"]),
        of("Automation", "Playground", NoneEdit)
            .bypassing(Permission::Edit, "automation runs with full scope"),
        of("Automation", "Scripts", Switch)
            .bypassing(Permission::Edit, "automation runs with full scope")
            .with_actions(&[
                "Create Scripts",
                "Edit Public Scripts",
                "Create scripts that will run with super user",
            ]),
        of("Response", "Action Center", Three).with_actions(&[
            "Isolate",
            "Terminate Process",
            "Quarantine",
            "File Retrieval",
            "File Search",
            "Destroy Files",
            "Allow List/Block List",
            "Disable Response Actions",
            "Remediation",
            "Delete Quarantine Files",
        ]),
        of("Response", "Agent Scripts Library", Three).with_actions(&[
            "Run Standard Script",
            "Run High-Risk Script",
            "Script Configurations",
        ]),
        of("Response", "EDL", NoneEdit),
        // Policies also name the action, as earlier guides did.
        of("Response", "Live Terminal", NoneEdit).with_actions(&["Live Terminal"]),
        of("Search", "Forensics", Three),
        of("Search", "Graph Search", Three),
        of("Search", "Host Insights", Three)
            .bypassing(Permission::View, "the host inventory ignores scopes"),
        of("Search", "Query Center", Three)
            .bypassing(Permission::Edit, "XQL on the alerts and incidents datasets ignores scopes"),
        of("Search", "Query Library", Switch)
            .bypassing(Permission::View, "XQL on the alerts and incidents datasets ignores scopes")
            .with_actions(&["Create Queries", "Edit Public Queries"]),
        of("Jupyter and Observability", "Jupyter Notebook", NoneEdit),
        of("Jupyter and Observability", "Observability", NoneEdit),
        of("Managed Services", "Managed Services", Three),
        of("Marketplace", "Marketplace", Three),
        of("Threat Management", "Detection Rules", Three)
            .bypassing(Permission::Edit, "a correlation rule sees rows that no scope limits")
            .with_actions(&["Prevention Rules", "Request WildFire Verdict Change"]),
        of("Threat Management", "Threat Intelligence", Three),
    ];

/// The components of XSOAR 8 that its guide names.
const XSOAR_8_COMPONENTS: &[Component] = &[
    of("Data", "Data", Three).with_actions(&[
        "Execute potential harmful actions",
        "Edit incident properties",
        "Change the incident status",
        "Delete incidents",
        "Manage incident workplan",
        "Edit indicators",
    ]),
    of("Jobs", "Jobs", Three),
    of("Scripts", "Scripts", Three),
    of("Playbooks", "Playbooks", Three),
    of("Settings", "Settings", Three),
];

/// The components of Xpanse.
const XPANSE_COMPONENTS: &[Component] = &[
    of("Dashboards & Reports", "Dashboards", Three),
    of("Dashboards & Reports", "Reports", Three),
    of("Incident Response", "Alerts & Incidents", Three),
    of("Incident Response", "Query Center", Three),
    of("Incident Response", "Personal Query Library", Three),
    of("Incident Response", "Playbooks", Three),
    of("Incident Response", "Remediation Path Rules", Three),
    of("Incident Response", "Attack Surface Rules", Three),
    of("Incident Response", "Vulnerability Testing", Three),
    of("Assets", "Network Configuration", Three),
    of("Assets", "Asset Inventory", Three),
    of("Assets", "Business Unit Overrides", Three),
    of("Assets", "Websites", Three),
    of("Marketplace", "Browse", Three),
    of("Configurations", "Auditing", Three),
    of("Configurations", "Alert Notifications", Three),
    of("Configurations", "General Configuration", Three),
    of("Configurations", "Group Management", Three),
    of("Configurations", "Public API", Three),
    of("Configurations", "Incident Properties", Three),
    of("Configurations", "Integrations", Three),
];

/// Names of earlier versions of this table, with their present names. Policies may still use them.
const FORMER_NAMES: &[(&str, &[&str])] = &[
    ("Third Party Tools", &["Supply Chain Tools", "Supply Chain Catalog"]),
    ("Application Security Issues", &["Issues (Application Security)"]),
    ("Policy Management", &["AppSec Rules", "AppSec Policies"]),
    ("Scans", &["Periodic scans", "PR scans", "CI/CD scans"]),
    ("Application Security Configurations", &["Application Security"]),
    ("Cloud Security", &["Rules (Cloud Security)", "Policies (Cloud Security)"]),
    ("Compliance-Cloud", &["Catalog and Assessment Profiles", "Reports (Compliance - Cloud)"]),
    ("Policies-Cloud Workload", &["Policies - Cloud Workload"]),
    ("Apps-Instance", &["Apps - Instance"]),
    ("Cortex XDR Analytics", &["Cortex XDR Analytics (On-demand analytics)"]),
    ("Data Broker", &["Broker Service"]),
    ("Integrations-Instance", &["Integrations - instance"]),
    (
        "Object Setup",
        &["Case Properties", "Exclusion List", "Fields and Types", "Layout", "Sync Profile"],
    ),
    ("Agentic Assistant Agents", &["Agents (Cortex Agentic Assistant)"]),
    ("Command Center", &["Command Center Dashboards"]),
    ("Endpoint Application Groups", &["Endpoint Applications Groups"]),
    ("DLP Settings", &["Endpoint DLP Settings"]),
    ("Approver Admin", &["Exception Approver Admin"]),
    ("Management Admin", &["Exception Management Admin"]),
    ("Attack Surface", &["Attack Surface Rules", "Vulnerability Testing"]),
    ("Administrations", &["Agent Administrations"]),
    ("Extension Policies", &["Agent Extension Policies"]),
    ("Groups", &["Agent Groups"]),
    ("Installations", &["Agent Installations"]),
    ("Prevention Policies", &["Agent Prevention Policies"]),
    ("Profiles", &["Agent Profiles"]),
    ("Asset Roles", &["Asset Roles Configuration"]),
    ("Exclusion Center", &["Automation Exclusion Center"]),
    ("Jupyter", &["Jupyter Notebook"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_in_every_table() {
        for table in [COMPONENTS, XSOAR_8_COMPONENTS, XPANSE_COMPONENTS] {
            for (i, component) in table.iter().enumerate() {
                let name = component.name;
                assert!(table[..i].iter().all(|other| other.name != name), "{name}");
            }
        }
    }

    #[test]
    fn former_component_names_are_recognised_but_not_shown() {
        for (former, names) in FORMER_NAMES {
            assert!(Component::by_name(former).is_none(), "{former} is a component today");
            for name in *names {
                assert!(COMPONENTS.iter().any(|component| component.name == *name), "{name}");
            }
        }
        assert_eq!(Component::renamed("Scans").len(), 3);
        assert!(Component::renamed("Auditing").is_empty());
    }

    #[test]
    fn products_have_components_of_their_own() {
        let names =
            |product| Component::for_product(product).iter().map(|component| component.name);
        assert!(names(Product::Xsoar8).any(|name| name == "Settings"));
        assert!(names(Product::Xpanse).any(|name| name == "Websites"));
        assert!(!names(Product::Xsoar8).any(|name| name == "Cases and Issues"));
        assert!(names(Product::Xdr5).eq(names(Product::Xsiam)));
    }

    #[test]
    fn components_and_permissions_are_found_by_name() {
        for table in [COMPONENTS, XSOAR_8_COMPONENTS, XPANSE_COMPONENTS] {
            let first = table[0].name;
            assert_eq!(Component::by_name(first).map(|found| found.name), Some(first));
        }
        for permission in [Permission::None, Permission::View, Permission::Edit] {
            assert_eq!(permission.as_str().parse(), Ok(permission));
        }
        assert_eq!("View".parse::<Permission>(), Err(()));
    }
}
