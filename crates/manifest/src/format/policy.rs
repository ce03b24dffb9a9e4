//! Policies, and files with cases of a policy.

use cortexkey_core::access::{Permission, Product, Sbac, TagMode};

use super::FieldKind::{
    Choice, Duration, Fields, Flag, List, Map, Moment, NameOr, Number, OneOrMore, Pattern, Rules,
    Text,
};
use super::{FieldSpec, Mapping, by_rule, kind, optional, required, version};
use crate::keyword::{Open, Severity, keywords};

/// The kind of a policy.
pub const POLICY_KIND: &str = "Policy";

/// The kind of a file with test cases of a policy.
pub const CASES_KIND: &str = "PolicyTest";

/// A policy.
#[rustfmt::skip]
pub static POLICY: Mapping = Mapping::of(&[
    version(),
    kind(POLICY_KIND),
    required("metadata", Fields(&METADATA), "{ name: acme }", "The name of the policy."),
    optional("extends", List(&NameOr(&EXTENDED)), "[builtin:recommended]",
        "Policies that this one builds on: built-in ones, paths relative to this file, or \
         remote policies at a fixed revision, which `cortexkey policy update` fetches: a file of a git \
         repository, or `oci://REGISTRY/REPOSITORY@sha256:DIGEST`."),
    optional("keys", List(&Text), "[\"keys/**/*.yaml\"]",
        "Patterns of the files that hold key definitions, relative to this file."),
    optional("tenants", Map(&Fields(&TENANT)), "{ prod-eu: { product: xsiam } }",
        "The organisation's tenants, by the names that key definitions use."),
    optional("rotateBefore", Duration, "14d",
        "How long before its expiry a key with a `lifetime` is due for rotation."),
    optional("notifyBefore", List(&Duration), "[7d, 1d]",
        "How long before the expiry of a key `cortexkey keys watch` sends a notice."),
    optional("rules", Rules(&SETTINGS), "{ expiry-too-long: { max: 180d } }",
        "Settings of rules, by the name or code of the rule."),
    optional("catalog", Fields(&CATALOG), "{ teams: [team-detection] }",
        "Roles, teams and email domains that the organisation knows."),
    optional("customRules", List(&Fields(&CUSTOM_RULE)), "[]",
        "Rules of the organisation's own, as expressions over a key definition."),
    optional("waivers", List(&Fields(&WAIVER)), "[]",
        "Findings that are accepted until a date."),
    optional("tests", List(&Text), "[\"tests/*.yaml\"]",
        "Patterns of the files that hold cases of this policy."),
]);

/// A policy of another git repository.
#[rustfmt::skip]
pub(crate) static EXTENDED: Mapping = Mapping::of(&[
    required("git", Text, "https://git.example.com/acme/policies",
        "The address of the repository, with `https` or `ssh`."),
    required("rev", Pattern("^([0-9a-f]{40}|[0-9a-f]{64})$"),
        "0123456789abcdef0123456789abcdef01234567", "The whole id of a commit."),
    required("path", Text, "cortexkey.yaml", "The path of the policy in the repository."),
]);

#[rustfmt::skip]
static METADATA: Mapping = Mapping::of(&[
    required("name", Text, "acme", "The name of the policy."),
]);

#[rustfmt::skip]
static TENANT: Mapping = Mapping::of(&[
    required("product", Choice(keywords::<Product>), "xsiam", "The product that the tenant runs."),
    optional("sbac", Choice(keywords::<Sbac>), "enforced",
        "Whether the tenant enforces scopes (scope-based access control)."),
    optional("tags", Choice(keywords::<TagMode>), "permissive",
        "How the tenant matches endpoint tags: one selected tag is enough (`permissive`), or all \
         tags of an endpoint must be selected (`restrictive`)."),
    optional("datasets", Flag, "true", "Whether the tenant has dataset scoping."),
    optional("assetGroups", List(&Fields(&ASSET_GROUP)), "[{ name: prod-eu }]",
        "The tenant's asset groups. If empty, group names are not checked."),
    optional("endpointGroups", List(&Text), "[servers-eu]",
        "The tenant's endpoint groups. If empty, group names are not checked."),
    optional("endpointTags", List(&Text), "[vip]",
        "The tenant's endpoint tags. If empty, tags are not checked."),
    optional("domains", List(&Text), "[Finance]",
        "The tenant's domains in addition to the built-in ones."),
]);

#[rustfmt::skip]
static ASSET_GROUP: Mapping = Mapping::of(&[
    required("name", Text, "prod-eu", "The name of the asset group."),
    optional("id", Number, "17", "Its id in the tenant."),
    optional("scopable", Flag, "true", "Whether scopes can select the group."),
]);

#[rustfmt::skip]
static CATALOG: Mapping = Mapping::of(&[
    optional("roles", List(&Fields(&ROLE)), "[{ name: SIEM Export }]",
        "Roles in addition to the predefined ones, and facts about predefined ones."),
    optional("teams", List(&Text), "[team-detection]", "Teams that may own keys."),
    optional("emailDomains", List(&Text), "[example.com]",
        "Domains whose email addresses may own keys."),
    optional("conflicts", List(&List(&Text)), "[[Responder, Access Auditor]]",
        "Lists of roles that no key may hold together."),
    optional("open", List(&Choice(keywords::<Open>)), "[teams]",
        "Lists of this policy that policies extending it may add to."),
]);

#[rustfmt::skip]
static ROLE: Mapping = Mapping::of(&[
    required("name", Text, "SIEM Export", "The name of the role in the console."),
    optional("id", Text, "r-17", "The id of the role in the product."),
    optional("components", Map(&Choice(keywords::<Permission>)), "{ Public API: view }",
        "The permission on each component: `none`, `view` or `edit`."),
    optional("actions", List(&Text), "[Live Terminal]", "The named actions that the role allows."),
    optional("implies", List(&Text), "[Responder]", "Roles that this one includes."),
    optional("privileged", Flag, "true", "Whether keys with the role need an approval."),
    optional("deprecated", Fields(&DEPRECATED), "{ use: Viewer }",
        "Marks the role as deprecated."),
]);

#[rustfmt::skip]
static DEPRECATED: Mapping = Mapping::of(&[
    optional("use", Text, "Viewer", "The role to use instead."),
]);

/// The settings that every rule accepts; the other fields are options of the rule.
#[rustfmt::skip]
pub static SETTINGS: Mapping = Mapping::open(&[
    ENABLED,
    SEVERITY,
    LOCKED,
    WAIVABLE,
    optional("overrides", List(&Fields(&OVERRIDE)), "[]",
        "Other settings for some keys. Each override that matches applies; later ones win."),
]);

/// One override of a rule; the other fields are options of the rule.
#[rustfmt::skip]
pub static OVERRIDE: Mapping = Mapping::open(&[
    required("match", Fields(&MATCH), "{ labels: { env: prod } }",
        "The keys that the override is for."),
    ENABLED,
    SEVERITY,
]);

const ENABLED: FieldSpec = optional("enabled", Flag, "false", "Whether the rule runs.");

const SEVERITY: FieldSpec = optional(
    "severity",
    Choice(keywords::<Severity>),
    "warning",
    "How serious a finding of the rule is.",
);

const LOCKED: FieldSpec = optional(
    "locked",
    Flag,
    "true",
    "Whether policies that extend this one, comments and the command line cannot loosen the rule.",
);

const WAIVABLE: FieldSpec = optional(
    "waivable",
    Flag,
    "false",
    "Whether waivers and comments can suppress findings of the rule.",
);

/// A `match`: all of its fields must match.
#[rustfmt::skip]
pub static MATCH: Mapping = Mapping::of(&[
    optional("labels", Map(&OneOrMore), "{ env: prod }",
        "Labels. All must match; a list means any of its values."),
    optional("roles", OneOrMore, "Instance Administrator", "Roles, one of which the key has."),
    optional("name", OneOrMore, "svc-export-prod", "Names of keys."),
    optional("owner", OneOrMore, "team-detection", "Owners of keys."),
    optional("tenant", OneOrMore, "prod-eu", "Tenants of keys."),
    optional("securityLevel", OneOrMore, "standard", "Security levels of keys."),
    optional("path", OneOrMore, "\"keys/prod/**\"",
        "Patterns of files that define keys, relative to this policy."),
]);

#[rustfmt::skip]
static CUSTOM_RULE: Mapping = Mapping::of(&[
    required("id", Pattern("^[A-Z]{2,12}[0-9]+$"), "ORG001", "The code of the rule."),
    required("name", Pattern("^[a-z0-9]+(-[a-z0-9]+)+$"), "prod-holds-few-roles",
        "The name of the rule."),
    optional("match", Fields(&MATCH), "{ labels: { env: prod } }",
        "The keys that the rule is for. Without it, the rule is for all keys."),
    required("assert", Text, "\"size(key.spec.roles) <= 3\"",
        "The CEL expression over `key` that must hold."),
    required("message", Text, "production keys hold at most three roles",
        "The message of the rule's findings."),
    SEVERITY,
    LOCKED,
    WAIVABLE,
]);

#[rustfmt::skip]
static WAIVER: Mapping = Mapping::of(&[
    required("rule", Text, "expiry-too-long", "The rule, by name or code."),
    required("key", Text, "prod-eu/svc-export-prod", "The key, as `name` or `tenant/name`."),
    by_rule("reason", Text, "the vendor rotates once a year", "Why it is accepted."),
    by_rule("approvedBy", Text, "ciso@example.com", "Who accepted it."),
    by_rule("expires", Moment, "2026-12-31",
        "Until when: an RFC 3339 time with an offset, or a date (the end of that day in UTC)."),
]);

/// A file with cases of a policy.
#[rustfmt::skip]
pub static CASES: Mapping = Mapping::of(&[
    version(),
    kind(CASES_KIND),
    required("cases", List(&Fields(&CASE)), "[]", "The cases of the policy."),
]);

#[rustfmt::skip]
static CASE: Mapping = Mapping::of(&[
    required("name", Text, "production keys are advanced", "What the case shows."),
    required("now", Moment, "2026-01-01T00:00:00Z", "The time at which the policy is applied."),
    optional("path", Text, "keys/prod/a.yaml", "The path of the definition's file."),
    required("definition", Text, "\"apiVersion: cortexkey/v1\"", "The text of the definition's file."),
    required("expect", List(&Fields(&EXPECTED)), "[]", "All findings, in any order."),
]);

#[rustfmt::skip]
static EXPECTED: Mapping = Mapping::of(&[
    required("rule", Text, "expiry-too-long", "The rule, by name or code."),
    optional("line", Number, "6", "The line in the definition, from 1."),
    SEVERITY,
]);
