//! What the predefined roles grant, according to the product's public documents and reports.
//!
//! One table per product, one entry per role. Each fact has its certainty and source. A role or
//! component that is missing is unknown. Where two documents contradict each other, the level is
//! `UNKNOWN` and `docs/access.md` names both readings.

use super::component::Permission::{Edit, None as Nothing, View};
use super::known::{Certainty, Grant, KnownLevel};
use super::product::Product;
use super::role::Actions;

/// The known facts about one predefined role in one product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "camelCase"))]
pub struct RoleGrants {
    /// The role's display name.
    pub role: &'static str,
    /// Its components.
    pub grants: &'static [Grant<&'static str>],
    /// The level of every component that `grants` does not name.
    pub others: Option<Grant<&'static str>>,
    /// Its named actions.
    pub actions: Actions<&'static str>,
}

/// The roles of a product with known facts.
pub(super) const fn for_product(product: Product) -> &'static [RoleGrants] {
    match product {
        Product::Xsiam => XSIAM,
        Product::Xdr5 => XDR_5,
        Product::CortexCloud => CORTEX_CLOUD,
        Product::Xsoar8 => XSOAR_8,
        Product::Agentix | Product::Xpanse => &[],
    }
}

const NOTHING: RoleGrants =
    RoleGrants { role: "", grants: &[], others: None, actions: Actions::UNKNOWN };

const NONE: KnownLevel = KnownLevel::exactly(Nothing);
const VIEW: KnownLevel = KnownLevel::exactly(View);
const EDIT: KnownLevel = KnownLevel::exactly(Edit);
const AT_LEAST_VIEW: KnownLevel = KnownLevel::at_least(View);
const AT_MOST_VIEW: KnownLevel = KnownLevel::at_most(View);
const UNKNOWN: KnownLevel = KnownLevel::UNKNOWN;

type Name = &'static str;

const fn documented(component: Name, level: KnownLevel, source: Name) -> Grant<&'static str> {
    Grant { component, level, certainty: Certainty::Documented, source }
}

const fn observed(component: Name, level: KnownLevel, source: Name) -> Grant<&'static str> {
    Grant { component, level, certainty: Certainty::Observed, source }
}

const fn assumed(component: Name, level: KnownLevel, source: Name) -> Grant<&'static str> {
    Grant { component, level, certainty: Certainty::Assumed, source }
}

const USERS_AND_ROLES: &str = "Cortex XSIAM documentation, Set up users and roles";
const GUIDE_2: &str = "Cortex XSIAM 2.x documentation, predefined user roles";
const LIVE_XDR: &str = "role grants of a live Cortex XDR tenant, reported by a third party in 2026";
const XSOAR_ROLES: &str = "Cortex XSOAR 8 administrator guide, Manage roles";
const COMMAND_CENTER: &str =
    "Cortex XSIAM documentation, Cloud security command center permissions";
const ENDPOINT_DLP: &str = "Cortex XSIAM documentation, Endpoint DLP permissions";
const ONBOARDING: &str = "Cortex XSIAM documentation, Onboarding of cloud service providers";
const CLOUD_APPSEC: &str = "Cortex Cloud Application Security documentation, Roles and permissions";
const CREDENTIALS: &str = "Cortex XSIAM documentation, Credentials permissions";
const CLI: &str = "Cortex XSIAM documentation, Connect Cortex CLI";
const DATA_BROKER: &str = "Cortex XSIAM documentation, Data broker permissions";
const ACCESS_MANAGEMENT: &str = "Cortex XSIAM documentation, Access management permissions";
const IDENTITY: &str = "Cortex XSIAM documentation, Manage RBAC and SBAC in identity security";

const XSIAM: &[RoleGrants] = &[
    RoleGrants {
        role: "AI Security Administrator",
        grants: &[
            documented("Action Center", EDIT, USERS_AND_ROLES),
            documented("AI Security", EDIT, USERS_AND_ROLES),
            assumed("Asset Inventory", EDIT, USERS_AND_ROLES),
            documented("Cases and Issues", EDIT, USERS_AND_ROLES),
            assumed("Catalog and Assessment Profiles", EDIT, USERS_AND_ROLES),
            documented("Cloud Security Command Center", EDIT, COMMAND_CENTER),
            assumed("Data Sources", EDIT, USERS_AND_ROLES),
            documented("Playbooks", EDIT, USERS_AND_ROLES),
            documented("Policies (Cloud Security)", EDIT, USERS_AND_ROLES),
            documented("Policies - Cloud Workload", EDIT, USERS_AND_ROLES),
            assumed("Reports (Compliance - Cloud)", EDIT, USERS_AND_ROLES),
            documented("Rules (Cloud Security)", EDIT, USERS_AND_ROLES),
            documented("Scripts", EDIT, USERS_AND_ROLES),
        ],
        ..NOTHING
    },
    RoleGrants {
        role: "AI Security Viewer",
        grants: &[
            documented("AI Security", VIEW, USERS_AND_ROLES),
            documented("Asset Groups", VIEW, USERS_AND_ROLES),
            documented("Asset Inventory", VIEW, USERS_AND_ROLES),
            documented("Cases and Issues", VIEW, USERS_AND_ROLES),
            documented("Catalog and Assessment Profiles", VIEW, USERS_AND_ROLES),
            documented("Cloud Security Command Center", VIEW, USERS_AND_ROLES),
            documented("Dashboards", VIEW, USERS_AND_ROLES),
            documented("Policies (Cloud Security)", VIEW, USERS_AND_ROLES),
            documented("Policies - Cloud Workload", VIEW, USERS_AND_ROLES),
            documented("Query Center", VIEW, USERS_AND_ROLES),
            documented("Reports", EDIT, USERS_AND_ROLES),
            documented("Reports (Compliance - Cloud)", VIEW, USERS_AND_ROLES),
            documented("Rules (Cloud Security)", VIEW, USERS_AND_ROLES),
        ],
        ..NOTHING
    },
    RoleGrants {
        role: "App Service Account",
        grants: &[
            assumed("Cases and Issues", EDIT, USERS_AND_ROLES),
            assumed("Detection Rules", AT_LEAST_VIEW, USERS_AND_ROLES),
            assumed("Query Center", EDIT, USERS_AND_ROLES),
            assumed("Threat Intelligence", EDIT, USERS_AND_ROLES),
        ],
        ..NOTHING
    },
    RoleGrants {
        role: "AppSec Admin",
        grants: &[
            documented("Action Center", AT_MOST_VIEW, USERS_AND_ROLES),
            documented("Agent Administrations", AT_MOST_VIEW, USERS_AND_ROLES),
            documented("AppSec Policies", EDIT, USERS_AND_ROLES),
            documented("AppSec Rules", EDIT, USERS_AND_ROLES),
            documented("Asset Inventory", AT_LEAST_VIEW, USERS_AND_ROLES),
            documented("Cases and Issues", EDIT, USERS_AND_ROLES),
            documented("CI/CD scans", EDIT, USERS_AND_ROLES),
            documented("Cloud Security Command Center", VIEW, COMMAND_CENTER),
            documented("General Configuration", AT_MOST_VIEW, USERS_AND_ROLES),
            documented("Issues (Application Security)", EDIT, USERS_AND_ROLES),
            documented("Periodic scans", EDIT, USERS_AND_ROLES),
            documented("PR scans", EDIT, USERS_AND_ROLES),
        ],
        ..NOTHING
    },
    RoleGrants {
        role: "CLI Read Only Role",
        grants: &[documented("CLI Tool", VIEW, CLI), documented("Credentials", NONE, CREDENTIALS)],
        ..NOTHING
    },
    RoleGrants {
        role: "CLI Role",
        grants: &[assumed("CLI Tool", EDIT, CLI), documented("Credentials", NONE, CREDENTIALS)],
        ..NOTHING
    },
    RoleGrants {
        role: "Compliance Administrator",
        others: Some(documented("", AT_MOST_VIEW, USERS_AND_ROLES)),
        grants: &[
            documented("Agent Administrations", VIEW, USERS_AND_ROLES),
            documented("Auditing", VIEW, USERS_AND_ROLES),
            documented("Cases and Issues", VIEW, USERS_AND_ROLES),
            documented("Catalog and Assessment Profiles", EDIT, USERS_AND_ROLES),
            documented("Detection Rules", VIEW, USERS_AND_ROLES),
            documented("Forensics", VIEW, USERS_AND_ROLES),
            documented("Host Insights", VIEW, USERS_AND_ROLES),
            assumed("Public API", AT_MOST_VIEW, USERS_AND_ROLES),
            documented("Reports (Compliance - Cloud)", EDIT, USERS_AND_ROLES),
        ],
        ..NOTHING
    },
    RoleGrants {
        role: "Data Security Administrator",
        grants: &[
            documented("Action Center", EDIT, USERS_AND_ROLES),
            documented("Asset Inventory", EDIT, USERS_AND_ROLES),
            documented("Cases and Issues", EDIT, USERS_AND_ROLES),
            assumed("Catalog and Assessment Profiles", EDIT, USERS_AND_ROLES),
            documented("Cloud Security Command Center", EDIT, COMMAND_CENTER),
            assumed("Data Classification", EDIT, USERS_AND_ROLES),
            documented("Data Security", EDIT, USERS_AND_ROLES),
            documented("Data-in-Motion Rules", EDIT, ENDPOINT_DLP),
            assumed("Endpoint DLP Settings", EDIT, USERS_AND_ROLES),
            documented("Playbooks", EDIT, USERS_AND_ROLES),
            documented("Policies (Cloud Security)", EDIT, USERS_AND_ROLES),
            documented("Policies - Cloud Workload", EDIT, USERS_AND_ROLES),
            assumed("Reports (Compliance - Cloud)", EDIT, USERS_AND_ROLES),
            documented("Rules (Cloud Security)", EDIT, USERS_AND_ROLES),
            documented("Scripts", EDIT, USERS_AND_ROLES),
        ],
        ..NOTHING
    },
    RoleGrants {
        role: "Data Security Viewer",
        grants: &[
            documented("Asset Inventory", VIEW, USERS_AND_ROLES),
            documented("Cases and Issues", VIEW, USERS_AND_ROLES),
            documented("Catalog and Assessment Profiles", VIEW, USERS_AND_ROLES),
            documented("Cloud Security Command Center", VIEW, COMMAND_CENTER),
            documented("Dashboards", VIEW, USERS_AND_ROLES),
            assumed("Data Classification", VIEW, USERS_AND_ROLES),
            documented("Data Security", VIEW, USERS_AND_ROLES),
            documented("Data-in-Motion Rules", VIEW, USERS_AND_ROLES),
            documented("Endpoint Applications", VIEW, USERS_AND_ROLES),
            documented("Policies (Cloud Security)", VIEW, USERS_AND_ROLES),
            documented("Policies - Cloud Workload", VIEW, USERS_AND_ROLES),
            documented("Query Center", VIEW, USERS_AND_ROLES),
            documented("Reports", EDIT, USERS_AND_ROLES),
            documented("Reports (Compliance - Cloud)", VIEW, USERS_AND_ROLES),
            documented("Rules (Cloud Security)", VIEW, USERS_AND_ROLES),
        ],
        ..NOTHING
    },
    RoleGrants {
        role: "Deployment Admin",
        grants: &[
            assumed("Agent Administrations", EDIT, USERS_AND_ROLES),
            documented("Agent Groups", EDIT, USERS_AND_ROLES),
            documented("Agent Installations", EDIT, USERS_AND_ROLES),
            documented("Broker Service", EDIT, USERS_AND_ROLES),
            assumed("Cases and Issues", AT_MOST_VIEW, USERS_AND_ROLES),
            assumed("Detection Rules", AT_MOST_VIEW, USERS_AND_ROLES),
        ],
        ..NOTHING
    },
    RoleGrants {
        role: "DevSecOps",
        grants: &[
            documented("AppSec Policies", VIEW, USERS_AND_ROLES),
            documented("AppSec Rules", VIEW, USERS_AND_ROLES),
            documented("CI/CD scans", EDIT, USERS_AND_ROLES),
            documented("Issues (Application Security)", VIEW, USERS_AND_ROLES),
            documented("Periodic scans", EDIT, USERS_AND_ROLES),
            documented("PR scans", EDIT, USERS_AND_ROLES),
        ],
        ..NOTHING
    },
    RoleGrants {
        role: "Developer",
        grants: &[
            documented("AppSec Policies", VIEW, USERS_AND_ROLES),
            documented("AppSec Rules", VIEW, USERS_AND_ROLES),
            documented("Asset Inventory", VIEW, USERS_AND_ROLES),
            documented("Cases and Issues", VIEW, USERS_AND_ROLES),
            documented("Catalog and Assessment Profiles", VIEW, USERS_AND_ROLES),
            documented("CI/CD scans", VIEW, USERS_AND_ROLES),
            documented("CLI Tool", EDIT, USERS_AND_ROLES),
            documented("Cloud Security Command Center", VIEW, COMMAND_CENTER),
            documented("Dashboards", VIEW, USERS_AND_ROLES),
            documented("Issues (Application Security)", VIEW, USERS_AND_ROLES),
            documented("Periodic scans", VIEW, USERS_AND_ROLES),
            documented("Policies (Cloud Security)", VIEW, USERS_AND_ROLES),
            documented("PR scans", VIEW, USERS_AND_ROLES),
            documented("Reports", VIEW, USERS_AND_ROLES),
            documented("Reports (Compliance - Cloud)", VIEW, USERS_AND_ROLES),
        ],
        ..NOTHING
    },
    RoleGrants {
        role: "Exposure Management Administrator",
        grants: &[
            documented("Exposure Management", EDIT, USERS_AND_ROLES),
            documented("Vulnerability Management", EDIT, USERS_AND_ROLES),
        ],
        ..NOTHING
    },
    RoleGrants {
        role: "Generic Collector",
        grants: &[
            assumed("Generic Collector", EDIT, USERS_AND_ROLES),
            assumed("Public API", NONE, USERS_AND_ROLES),
        ],
        ..NOTHING
    },
    RoleGrants {
        role: "IT Admin",
        grants: &[
            assumed("Access Management", EDIT, ACCESS_MANAGEMENT),
            assumed("Agent Administrations", EDIT, USERS_AND_ROLES),
            assumed("Agent Installations", EDIT, USERS_AND_ROLES),
            documented("Agent Prevention Policies", VIEW, USERS_AND_ROLES),
            documented("Agent Profiles", VIEW, USERS_AND_ROLES),
            documented("Broker Service", EDIT, DATA_BROKER),
            documented("Cases and Issues", VIEW, USERS_AND_ROLES),
            documented("Data Sources", EDIT, ONBOARDING),
            documented("General Configuration", AT_LEAST_VIEW, USERS_AND_ROLES),
            documented("Host Insights", AT_LEAST_VIEW, USERS_AND_ROLES),
            assumed("Live Terminal", NONE, USERS_AND_ROLES),
        ],
        ..NOTHING
    },
    RoleGrants {
        role: "Identity Security Administrator",
        grants: &[
            assumed("Action Center", EDIT, USERS_AND_ROLES),
            assumed("Asset Roles Configuration", EDIT, USERS_AND_ROLES),
            assumed("Data Sources", EDIT, USERS_AND_ROLES),
            assumed("Detection Rules", EDIT, USERS_AND_ROLES),
            documented("Identity Security", EDIT, USERS_AND_ROLES),
        ],
        ..NOTHING
    },
    RoleGrants {
        role: "Identity Security Runtime Administrator",
        grants: &[
            assumed("Action Center", EDIT, USERS_AND_ROLES),
            assumed("Cortex XDR Analytics (On-demand analytics)", EDIT, USERS_AND_ROLES),
            assumed("Detection Rules", EDIT, USERS_AND_ROLES),
        ],
        ..NOTHING
    },
    RoleGrants {
        role: "Identity Security Runtime Viewer",
        others: Some(documented("", AT_MOST_VIEW, USERS_AND_ROLES)),
        grants: &[
            assumed("Cases and Issues", VIEW, USERS_AND_ROLES),
            assumed("Identity Security", VIEW, USERS_AND_ROLES),
        ],
        ..NOTHING
    },
    RoleGrants {
        role: "Identity Security Viewer",
        grants: &[
            assumed("Asset Inventory", VIEW, USERS_AND_ROLES),
            assumed("Dashboards", VIEW, USERS_AND_ROLES),
            assumed("Detection Rules", VIEW, USERS_AND_ROLES),
            documented("Identity Security", VIEW, USERS_AND_ROLES),
            documented("Reports", EDIT, IDENTITY),
        ],
        ..NOTHING
    },
    RoleGrants {
        role: "Investigation Admin",
        grants: &[
            assumed("Action Center", EDIT, USERS_AND_ROLES),
            documented("Agent Administrations", AT_MOST_VIEW, USERS_AND_ROLES),
            documented("Agent Prevention Policies", VIEW, USERS_AND_ROLES),
            documented("Agent Profiles", VIEW, USERS_AND_ROLES),
            assumed("Cases and Issues", EDIT, USERS_AND_ROLES),
            assumed("Cortex XDR Analytics (On-demand analytics)", EDIT, USERS_AND_ROLES),
            assumed("Detection Rules", EDIT, USERS_AND_ROLES),
            assumed("Device Control", EDIT, USERS_AND_ROLES),
            assumed("Host Firewall", EDIT, USERS_AND_ROLES),
            documented("Live Terminal", NONE, USERS_AND_ROLES),
            assumed("Playbooks", EDIT, USERS_AND_ROLES),
        ],
        ..NOTHING
    },
    RoleGrants {
        role: "Investigator",
        grants: &[
            documented("Access Management", NONE, USERS_AND_ROLES),
            documented("Action Center", AT_MOST_VIEW, USERS_AND_ROLES),
            documented("Agent Scripts Library", AT_MOST_VIEW, USERS_AND_ROLES),
            documented("Alert Notifications", NONE, USERS_AND_ROLES),
            documented("Application Security", NONE, USERS_AND_ROLES),
            documented("Apps - Instance", NONE, USERS_AND_ROLES),
            documented("Auditing", NONE, USERS_AND_ROLES),
            documented("Broker Service", NONE, USERS_AND_ROLES),
            documented("Cases and Issues", EDIT, USERS_AND_ROLES),
            documented("Cortex XDR Analytics (On-demand analytics)", NONE, USERS_AND_ROLES),
            documented("Credentials", NONE, USERS_AND_ROLES),
            documented("Data Management", NONE, USERS_AND_ROLES),
            documented("Data Sources", NONE, USERS_AND_ROLES),
            documented("Detection Rules", AT_MOST_VIEW, USERS_AND_ROLES),
            documented("External Issues Mapping", NONE, USERS_AND_ROLES),
            documented("Forensics", VIEW, USERS_AND_ROLES),
            documented("General Configuration", NONE, USERS_AND_ROLES),
            documented("Host Insights", NONE, USERS_AND_ROLES),
            documented("Integrations", NONE, USERS_AND_ROLES),
            documented("Integrations - instance", NONE, USERS_AND_ROLES),
            documented("Log Collection", NONE, USERS_AND_ROLES),
            documented("Long-running HTTP Integrations", NONE, USERS_AND_ROLES),
            documented("Network Scanners", NONE, USERS_AND_ROLES),
            documented("Public API", NONE, USERS_AND_ROLES),
            documented("Query Center", EDIT, USERS_AND_ROLES),
            documented("Query Library", EDIT, USERS_AND_ROLES),
            documented("Query Management", NONE, USERS_AND_ROLES),
            documented("Threat Intelligence (API configuration)", NONE, USERS_AND_ROLES),
        ],
        ..NOTHING
    },
    RoleGrants {
        role: "Privileged IT Admin",
        grants: &[
            assumed("Action Center", EDIT, GUIDE_2),
            assumed("Agent Administrations", EDIT, USERS_AND_ROLES),
            assumed("Agent Installations", EDIT, USERS_AND_ROLES),
            documented("Agent Prevention Policies", EDIT, USERS_AND_ROLES),
            documented("Agent Profiles", EDIT, USERS_AND_ROLES),
            assumed("Agent Scripts Library", EDIT, USERS_AND_ROLES),
            assumed("Broker Service", EDIT, USERS_AND_ROLES),
            documented("Cases and Issues", AT_LEAST_VIEW, USERS_AND_ROLES),
            assumed("Catalog and Assessment Profiles", EDIT, USERS_AND_ROLES),
            assumed("Command Center Dashboards", VIEW, GUIDE_2),
            assumed("Dashboards", EDIT, GUIDE_2),
            documented("Detection Rules", EDIT, USERS_AND_ROLES),
            assumed("EDL", NONE, GUIDE_2),
            assumed("Forensics", NONE, GUIDE_2),
            assumed("Host Insights", EDIT, GUIDE_2),
            assumed("Ingestion Monitoring", VIEW, GUIDE_2),
            documented("Live Terminal", EDIT, USERS_AND_ROLES),
            assumed("Playbooks", VIEW, GUIDE_2),
            assumed("Playground", EDIT, GUIDE_2),
            assumed("Policies (Cloud Security)", EDIT, USERS_AND_ROLES),
            assumed("Query Center", EDIT, GUIDE_2),
            assumed("Query Library", EDIT, GUIDE_2),
            assumed("Reports", EDIT, GUIDE_2),
            assumed("Scripts", EDIT, GUIDE_2),
        ],
        ..NOTHING
    },
    RoleGrants {
        role: "Privileged Investigator",
        grants: &[
            documented("Access Management", NONE, USERS_AND_ROLES),
            assumed("Action Center", VIEW, USERS_AND_ROLES),
            assumed("Agent Administrations", AT_MOST_VIEW, USERS_AND_ROLES),
            documented("Agent Prevention Policies", VIEW, USERS_AND_ROLES),
            documented("Agent Profiles", VIEW, USERS_AND_ROLES),
            documented("Alert Notifications", NONE, USERS_AND_ROLES),
            documented("Application Security", NONE, USERS_AND_ROLES),
            documented("Apps - Instance", NONE, USERS_AND_ROLES),
            documented("Auditing", NONE, USERS_AND_ROLES),
            documented("Broker Service", NONE, USERS_AND_ROLES),
            documented("Cases and Issues", EDIT, USERS_AND_ROLES),
            documented("Cortex XDR Analytics (On-demand analytics)", UNKNOWN, USERS_AND_ROLES),
            documented("Credentials", NONE, USERS_AND_ROLES),
            documented("Data Management", NONE, USERS_AND_ROLES),
            documented("Data Sources", NONE, USERS_AND_ROLES),
            documented("Detection Rules", VIEW, USERS_AND_ROLES),
            documented("External Issues Mapping", NONE, USERS_AND_ROLES),
            documented("General Configuration", NONE, USERS_AND_ROLES),
            documented("Integrations", NONE, USERS_AND_ROLES),
            documented("Integrations - instance", NONE, USERS_AND_ROLES),
            assumed("Live Terminal", NONE, USERS_AND_ROLES),
            documented("Log Collection", NONE, USERS_AND_ROLES),
            documented("Long-running HTTP Integrations", NONE, USERS_AND_ROLES),
            documented("Network Scanners", NONE, USERS_AND_ROLES),
            assumed("Playbooks", EDIT, USERS_AND_ROLES),
            documented("Public API", NONE, USERS_AND_ROLES),
            documented("Query Management", NONE, USERS_AND_ROLES),
            assumed("Scripts", EDIT, USERS_AND_ROLES),
            assumed("Threat Intelligence", EDIT, USERS_AND_ROLES),
            documented("Threat Intelligence (API configuration)", NONE, USERS_AND_ROLES),
        ],
        ..NOTHING
    },
    RoleGrants {
        role: "Privileged Responder",
        grants: &[
            documented("Access Management", NONE, USERS_AND_ROLES),
            documented("Action Center", EDIT, USERS_AND_ROLES),
            documented("Agent Prevention Policies", EDIT, USERS_AND_ROLES),
            documented("Alert Notifications", NONE, USERS_AND_ROLES),
            documented("Broker Service", AT_MOST_VIEW, USERS_AND_ROLES),
            documented("Cases and Issues", EDIT, USERS_AND_ROLES),
            documented("Data Sources", AT_MOST_VIEW, USERS_AND_ROLES),
            documented("Detection Rules", EDIT, USERS_AND_ROLES),
            documented("Live Terminal", EDIT, USERS_AND_ROLES),
            documented("Playbooks", EDIT, USERS_AND_ROLES),
            documented("Scripts", EDIT, USERS_AND_ROLES),
        ],
        actions: Actions { held: &["Remediation"], lacked: &[], is_complete: false },
        ..NOTHING
    },
    RoleGrants {
        role: "Privileged Security Admin",
        grants: &[
            documented("Access Management", AT_MOST_VIEW, USERS_AND_ROLES),
            documented("Action Center", EDIT, USERS_AND_ROLES),
            documented("Agent Prevention Policies", EDIT, USERS_AND_ROLES),
            documented("Agent Profiles", EDIT, USERS_AND_ROLES),
            documented("Agent Scripts Library", EDIT, USERS_AND_ROLES),
            documented("Alert Notifications", EDIT, USERS_AND_ROLES),
            documented("Apps - Instance", AT_MOST_VIEW, USERS_AND_ROLES),
            documented("Auditing", VIEW, USERS_AND_ROLES),
            documented("Broker Service", EDIT, USERS_AND_ROLES),
            documented("Cases and Issues", EDIT, USERS_AND_ROLES),
            documented("Detection Rules", EDIT, USERS_AND_ROLES),
            documented("Device Control", EDIT, USERS_AND_ROLES),
            documented("Host Firewall", EDIT, USERS_AND_ROLES),
            assumed("Integrations - instance", EDIT, USERS_AND_ROLES),
            documented("Live Terminal", EDIT, USERS_AND_ROLES),
            documented("Playbooks", EDIT, USERS_AND_ROLES),
            assumed("Public API", EDIT, USERS_AND_ROLES),
        ],
        actions: Actions { held: &["Remediation"], lacked: &[], is_complete: false },
        ..NOTHING
    },
    RoleGrants {
        role: "Responder",
        grants: &[
            documented("Access Management", NONE, USERS_AND_ROLES),
            documented("Action Center", EDIT, USERS_AND_ROLES),
            documented("Alert Notifications", NONE, USERS_AND_ROLES),
            documented("Application Security", NONE, USERS_AND_ROLES),
            documented("Apps - Instance", NONE, USERS_AND_ROLES),
            documented("Auditing", NONE, USERS_AND_ROLES),
            documented("Broker Service", NONE, USERS_AND_ROLES),
            documented("Cases and Issues", EDIT, USERS_AND_ROLES),
            documented("Cortex XDR Analytics (On-demand analytics)", NONE, USERS_AND_ROLES),
            documented("Credentials", NONE, USERS_AND_ROLES),
            documented("Data Management", NONE, USERS_AND_ROLES),
            documented("Data Sources", NONE, USERS_AND_ROLES),
            documented("Detection Rules", UNKNOWN, USERS_AND_ROLES),
            documented("External Issues Mapping", NONE, USERS_AND_ROLES),
            documented("General Configuration", NONE, USERS_AND_ROLES),
            documented("Integrations", NONE, USERS_AND_ROLES),
            documented("Integrations - instance", NONE, USERS_AND_ROLES),
            documented("Live Terminal", NONE, USERS_AND_ROLES),
            documented("Log Collection", NONE, USERS_AND_ROLES),
            documented("Long-running HTTP Integrations", NONE, USERS_AND_ROLES),
            documented("Network Scanners", NONE, USERS_AND_ROLES),
            documented("Public API", NONE, USERS_AND_ROLES),
            documented("Query Management", NONE, USERS_AND_ROLES),
            assumed("Threat Intelligence", EDIT, USERS_AND_ROLES),
            documented("Threat Intelligence (API configuration)", NONE, USERS_AND_ROLES),
        ],
        actions: Actions {
            held: &["Isolate", "Terminate Process", "Quarantine"],
            lacked: &[],
            is_complete: false,
        },
        ..NOTHING
    },
    RoleGrants {
        role: "Scoped Agent Admin",
        grants: &[
            documented("Access Management", NONE, USERS_AND_ROLES),
            assumed("Action Center", AT_LEAST_VIEW, USERS_AND_ROLES),
            assumed("Agent Administrations", AT_LEAST_VIEW, USERS_AND_ROLES),
            documented("Alert Notifications", NONE, USERS_AND_ROLES),
            documented("Application Security", NONE, USERS_AND_ROLES),
            documented("Apps - Instance", NONE, USERS_AND_ROLES),
            documented("Auditing", NONE, USERS_AND_ROLES),
            documented("Broker Service", NONE, USERS_AND_ROLES),
            documented("Cortex XDR Analytics (On-demand analytics)", NONE, USERS_AND_ROLES),
            documented("Credentials", NONE, USERS_AND_ROLES),
            assumed("Dashboards", AT_LEAST_VIEW, USERS_AND_ROLES),
            documented("Data Management", NONE, USERS_AND_ROLES),
            documented("Data Sources", NONE, USERS_AND_ROLES),
            assumed("Detection Rules", NONE, USERS_AND_ROLES),
            documented("External Issues Mapping", NONE, USERS_AND_ROLES),
            assumed("Forensics", NONE, USERS_AND_ROLES),
            documented("General Configuration", NONE, USERS_AND_ROLES),
            documented("Integrations", NONE, USERS_AND_ROLES),
            documented("Integrations - instance", NONE, USERS_AND_ROLES),
            documented("Log Collection", NONE, USERS_AND_ROLES),
            documented("Long-running HTTP Integrations", NONE, USERS_AND_ROLES),
            documented("Network Scanners", NONE, USERS_AND_ROLES),
            assumed("Policies (Cloud Security)", NONE, USERS_AND_ROLES),
            documented("Public API", NONE, USERS_AND_ROLES),
            assumed("Query Center", NONE, USERS_AND_ROLES),
            assumed("Query Library", NONE, USERS_AND_ROLES),
            documented("Query Management", NONE, USERS_AND_ROLES),
            assumed("Reports", AT_LEAST_VIEW, USERS_AND_ROLES),
            assumed("Rules (Cloud Security)", NONE, USERS_AND_ROLES),
            documented("Threat Intelligence (API configuration)", NONE, USERS_AND_ROLES),
        ],
        ..NOTHING
    },
    RoleGrants {
        role: "Scoped Endpoint Admin",
        grants: &[
            documented("Action Center", EDIT, GUIDE_2),
            documented("Agent Scripts Library", EDIT, GUIDE_2),
            documented("Cases and Issues", NONE, GUIDE_2),
            documented("Command Center Dashboards", VIEW, GUIDE_2),
            documented("Dashboards", EDIT, GUIDE_2),
            documented("EDL", NONE, GUIDE_2),
            documented("Forensics", NONE, GUIDE_2),
            documented("Host Insights", NONE, GUIDE_2),
            documented("Ingestion Monitoring", NONE, GUIDE_2),
            documented("Live Terminal", EDIT, GUIDE_2),
            documented("Playbooks", VIEW, GUIDE_2),
            documented("Query Center", NONE, GUIDE_2),
            documented("Query Library", NONE, GUIDE_2),
            documented("Reports", EDIT, GUIDE_2),
            documented("Scripts", VIEW, GUIDE_2),
        ],
        actions: Actions {
            held: &[
                "Isolate",
                "Terminate Process",
                "Quarantine",
                "File Retrieval",
                "File Search",
                "Destroy Files",
                "Disable Response Actions",
                "Run Standard Script",
                "Run High-Risk Script",
            ],
            lacked: &[
                "Add Trigger Playbook",
                "Create Case",
                "Allow List/Block List",
                "Remediation",
                "Delete Quarantine Files",
                "Script Configurations",
                "Create scripts that will run with super user",
            ],
            is_complete: false,
        },
        ..NOTHING
    },
    RoleGrants {
        role: "Security Admin",
        grants: &[
            documented("Action Center", EDIT, USERS_AND_ROLES),
            assumed("Agent Administrations", EDIT, USERS_AND_ROLES),
            documented("Agent Prevention Policies", EDIT, USERS_AND_ROLES),
            documented("Agent Profiles", EDIT, USERS_AND_ROLES),
            documented("Cases and Issues", EDIT, USERS_AND_ROLES),
            documented("Data Sources", EDIT, ONBOARDING),
            assumed("Data-in-Motion Rules", EDIT, ENDPOINT_DLP),
            documented("Detection Rules", EDIT, USERS_AND_ROLES),
            assumed("Endpoint Applications", EDIT, ENDPOINT_DLP),
            assumed("Endpoint Applications Groups", EDIT, ENDPOINT_DLP),
            assumed("Endpoint DLP Settings", EDIT, ENDPOINT_DLP),
            assumed("General Configuration", AT_LEAST_VIEW, USERS_AND_ROLES),
            assumed("Integrations - instance", EDIT, USERS_AND_ROLES),
            documented("Live Terminal", NONE, USERS_AND_ROLES),
        ],
        ..NOTHING
    },
    RoleGrants {
        role: "Viewer",
        others: Some(documented("", AT_MOST_VIEW, USERS_AND_ROLES)),
        grants: &[
            documented("Agent Administrations", VIEW, USERS_AND_ROLES),
            documented("Agent Prevention Policies", VIEW, USERS_AND_ROLES),
            documented("Auditing", VIEW, USERS_AND_ROLES),
            documented("Dashboards", VIEW, USERS_AND_ROLES),
            assumed("Public API", AT_MOST_VIEW, USERS_AND_ROLES),
            documented("Reports", UNKNOWN, USERS_AND_ROLES),
        ],
        ..NOTHING
    },
];

const XDR_5: &[RoleGrants] = &[
    RoleGrants {
        role: "Privileged Responder",
        grants: &[
            observed("Action Center", AT_LEAST_VIEW, LIVE_XDR),
            observed("Agent Scripts Library", EDIT, LIVE_XDR),
            observed("Data Management", NONE, LIVE_XDR),
            assumed("External Issues Mapping", AT_MOST_VIEW, LIVE_XDR),
            observed("Query Center", AT_LEAST_VIEW, LIVE_XDR),
            observed("Query Library", AT_LEAST_VIEW, LIVE_XDR),
        ],
        actions: Actions {
            held: &["Run Standard Script", "Run High-Risk Script"],
            lacked: &[],
            is_complete: false,
        },
        ..NOTHING
    },
    RoleGrants {
        role: "Responder",
        grants: &[
            observed("Data Management", NONE, LIVE_XDR),
            assumed("External Issues Mapping", AT_MOST_VIEW, LIVE_XDR),
            observed("Query Center", AT_LEAST_VIEW, LIVE_XDR),
            observed("Query Library", AT_LEAST_VIEW, LIVE_XDR),
        ],
        ..NOTHING
    },
    RoleGrants {
        role: "Viewer",
        grants: &[
            observed("Data Management", NONE, LIVE_XDR),
            assumed("External Issues Mapping", AT_MOST_VIEW, LIVE_XDR),
            observed("Query Center", AT_LEAST_VIEW, LIVE_XDR),
            observed("Query Library", AT_LEAST_VIEW, LIVE_XDR),
        ],
        ..NOTHING
    },
];

const CORTEX_CLOUD: &[RoleGrants] = &[
    RoleGrants {
        role: "AppSec Admin",
        grants: &[documented("AppSec Rules", EDIT, CLOUD_APPSEC)],
        ..NOTHING
    },
    RoleGrants {
        role: "DevSecOps",
        grants: &[assumed("AppSec Rules", NONE, CLOUD_APPSEC)],
        ..NOTHING
    },
    RoleGrants {
        role: "Developer",
        grants: &[documented("AppSec Rules", VIEW, CLOUD_APPSEC)],
        ..NOTHING
    },
];

const XSOAR_8: &[RoleGrants] = &[
    RoleGrants {
        role: "Analyst",
        others: Some(documented("", AT_LEAST_VIEW, XSOAR_ROLES)),
        ..NOTHING
    },
    RoleGrants { role: "Read-Only", others: Some(documented("", VIEW, XSOAR_ROLES)), ..NOTHING },
];
