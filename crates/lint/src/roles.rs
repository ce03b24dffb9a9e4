//! Names of the roles that the products come with.
//!
//! Data only: what a role may do is not known here. A product whose list is not published in full
//! has none, and the union of all lists counts then, so that no role is refused for our ignorance.

use cortexkey_manifest::policy::Product;

/// Roles of the platform: XSIAM, XDR 5 and Cortex Cloud.
const PLATFORM: &[&str] = &[
    "Account Admin",
    "Instance Administrator",
    "Deployment Admin",
    "IT Admin",
    "Privileged IT Admin",
    "Scoped Agent Admin",
    "Scoped Endpoint Admin",
    "Investigator",
    "Privileged Investigator",
    "Responder",
    "Privileged Responder",
    "Investigation Admin",
    "Security Admin",
    "Privileged Security Admin",
    "Viewer",
    "Developer",
    "AppSec Admin",
    "DevSecOps",
    "Compliance Administrator",
    "AI Security Viewer",
    "AI Security Administrator",
    "Data Security Viewer",
    "Data Security Administrator",
    "Identity Security Runtime Viewer",
    "Identity Security Runtime Administrator",
    "Identity Security Viewer",
    "Identity Security Administrator",
    "Exposure Management Administrator",
    "Generic Collector",
    "App Service Account",
    "CLI Role",
    "CLI Read Only Role",
];

/// Roles of XSOAR 8.
const XSOAR_8: &[&str] = &["Account Admin", "Instance Administrator", "Analyst", "Read-Only"];

/// The predefined roles of a product, or of all of them where the product is not known.
pub(crate) fn predefined(product: Option<Product>) -> impl Iterator<Item = &'static str> {
    let lists: &[&[&str]] = match product {
        Some(Product::Xsiam | Product::Xdr5 | Product::CortexCloud) => &[PLATFORM],
        Some(Product::Xsoar8) => &[XSOAR_8],
        Some(Product::Agentix | Product::Xpanse) | None => &[PLATFORM, XSOAR_8],
    };
    lists.iter().copied().flatten().copied()
}
