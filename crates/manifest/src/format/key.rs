//! Key definitions, and scopes in files of their own.

use cortexkey_core::auth::Level;

use super::FieldKind::{Choice, Duration, Expiry, Fields, List, Map, NameOr, Number, Text};
use super::{FieldSpec, Mapping, Presence, by_rule, kind, optional, required, version};
use cortexkey_core::access::{AreaMode, AxisMode, EndpointMode, Unreferenced};

use crate::keyword::keywords;

/// The kind of a key definition.
pub const KEY_KIND: &str = "ApiKey";

/// A key definition.
#[rustfmt::skip]
pub static KEY: Mapping = Mapping::of(&[
    version(),
    kind(KEY_KIND),
    required("metadata", Fields(&METADATA), "{ name: … }",
        "What the key is called, and who is responsible for it."),
    required("spec", Fields(&SPEC), "{ securityLevel: advanced, … }",
        "What the key may do and see, and how long it lives."),
]);

#[rustfmt::skip]
static METADATA: Mapping = Mapping::of(&[
    required("name", Text, "svc-export-prod",
        "The name of the key, unique within its tenant."),
    by_rule("owner", Text, "team-detection",
        "Who is responsible for the key: a team of the policy's catalog, or an email address."),
    optional("tenant", Text, "prod-eu",
        "A tenant of the policy. Optional if the policy has exactly one tenant."),
    optional("labels", Map(&Text), "{ env: prod }",
        "Labels that the policy can match on, such as `env: prod`."),
    optional("annotations", Map(&Text), "{ runbook: RB-12 }",
        "Free-form notes. Nothing matches on them."),
    optional("approvals", List(&Fields(&APPROVAL)), "[]",
        "Who approved the key, for example for a privileged role."),
]);

#[rustfmt::skip]
static APPROVAL: Mapping = Mapping::of(&[
    required("by", Text, "ciso@example.com", "The person who approved."),
    optional("ticket", Text, "SEC-99", "The ticket that records the approval."),
]);

#[rustfmt::skip]
static SPEC: Mapping = Mapping::of(&[
    by_rule("securityLevel", Choice(keywords::<Level>), "advanced",
        "Whether requests carry the key itself (`standard`) or a signature (`advanced`)."),
    by_rule("comment", Text, "Exports incidents to the SIEM",
        "What the key is for. The product stores no other free text."),
    by_rule("expires", Expiry, "2030-01-01",
        "When the key expires: an RFC 3339 time with an offset, a date (the end of that day in \
         UTC), or `never`. Write `expires` or `lifetime`, not both."),
    by_rule("lifetime", Duration, "90d",
        "How long the key lives after it is generated: `90d`, `12h` or `30m`."),
    by_rule("roles", List(&Text), "[Viewer]",
        "The roles of the key, by the names that the console shows."),
    by_rule("scope", Fields(&SCOPE), "{ … }",
        "What the key may see, by area (scope-based access control)."),
]);

/// A file that holds a scope under the key `scope`.
#[rustfmt::skip]
pub static SCOPE_FILE: Mapping = Mapping::of(&[
    optional("scope", Fields(&SCOPE), "{ … }", "What the key may see, by area."),
]);

#[rustfmt::skip]
pub(crate) static SCOPE: Mapping = Mapping::of(&[
    required("assets", Fields(&ASSETS), "{ mode: none }",
        "Which assets the key sees, by asset group."),
    required("casesAndIssues", Fields(&CASES_AND_ISSUES), "{ mode: none }",
        "Which cases and issues the key sees, by domain."),
    required("endpoints", Fields(&ENDPOINTS), "{ mode: none }",
        "Which endpoints the key sees, by endpoint group and by tag."),
    optional("datasets", Fields(&DATASETS), "{ default: none }",
        "Which rows of datasets the key sees. Only for tenants with dataset scoping."),
]);

#[rustfmt::skip]
static ASSETS: Mapping = Mapping::of(&[
    required("mode", Choice(keywords::<AreaMode>), "select",
        "`none`, `all`, or `select` for the asset groups listed."),
    by_rule("groups", List(&NameOr(&ASSET_GROUP)), "[prod-eu]",
        "Asset groups, with `mode: select`."),
]);

#[rustfmt::skip]
pub(crate) static ASSET_GROUP: Mapping = Mapping::of(&[
    required("name", Text, "prod-eu", "The name of the asset group."),
    optional("id", Number, "17", "Its id in the tenant, if the name is not unique."),
]);

#[rustfmt::skip]
static CASES_AND_ISSUES: Mapping = Mapping::of(&[
    required("mode", Choice(keywords::<AreaMode>), "select",
        "`none`, `all`, or `select` for the domains listed."),
    by_rule("domains", List(&Text), "[Security]", "Domains, with `mode: select`."),
    FieldSpec {
        name: "unreferenced",
        presence: Presence::RequiredWhen("mode", &["all", "select"]),
        kind: Choice(keywords::<Unreferenced>),
        example: "false",
        doc: "Whether the key sees cases and issues that reference no known object.",
    },
]);

#[rustfmt::skip]
static ENDPOINTS: Mapping = Mapping::of(&[
    required("mode", Choice(keywords::<EndpointMode>), "select",
        "`none`, `all`, `select` for the groups and tags listed, or `raw` for the product's modes."),
    by_rule("groups", List(&Text), "[servers-eu]",
        "Endpoint groups, with `mode: select` or `raw`."),
    by_rule("tags", List(&Text), "[vip]", "Endpoint tags, with `mode: select` or `raw`."),
    axis("groupsMode", "The product's mode for endpoint groups, as the tenant has it."),
    axis("tagsMode", "The product's mode for endpoint tags, as the tenant has it."),
]);

/// An axis in the product's words. No example: only the tenant knows which mode the key has.
const fn axis(name: &'static str, doc: &'static str) -> FieldSpec {
    let presence = Presence::RequiredWhen("mode", &["raw"]);
    FieldSpec { name, presence, kind: Choice(keywords::<AxisMode>), example: "", doc }
}

#[rustfmt::skip]
static DATASETS: Mapping = Mapping::of(&[
    required("default", Choice(all_or_none), "none",
        "What the key sees of datasets without a filter: `none` or `all`."),
    optional("filters", List(&Fields(&FILTER)), "[]", "A row filter for each of some datasets."),
]);

fn all_or_none() -> Vec<&'static str> {
    [AreaMode::None, AreaMode::All].map(AreaMode::as_str).to_vec()
}

#[rustfmt::skip]
static FILTER: Mapping = Mapping::of(&[
    required("dataset", Text, "xdr_data", "The name of the dataset."),
    required("filter", Text, "'_vendor = \"acme\"'", "The rows that the key sees, as an XQL filter."),
]);
