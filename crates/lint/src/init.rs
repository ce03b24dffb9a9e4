//! A policy to begin with, made from the definitions that are there.
//!
//! It writes down what it saw: owners, roles and groups. It refuses to guess what it cannot see,
//! such as the product of a tenant, and says so in a comment.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use cortexkey_core::access::{BUILT_IN_DOMAINS, PREDEFINED_ROLES};
use cortexkey_manifest::definition::UNASSIGNED;
use cortexkey_manifest::scalar;

use crate::corpus::Corpus;

/// The name of the only tenant, where nobody gave it one.
pub const MAIN_TENANT: &str = "main";

#[derive(Default)]
struct Seen {
    groups: BTreeMap<String, Option<u64>>,
    endpoint_groups: BTreeSet<String>,
    endpoint_tags: BTreeSet<String>,
    domains: BTreeSet<String>,
    datasets: bool,
}

/// The text of a commented policy. `name` is the organisation's; `keys` are the corpus' patterns.
#[must_use]
pub fn policy_for(corpus: &Corpus, name: &str, keys: &[String]) -> String {
    let (mut teams, mut domains) = (BTreeSet::new(), BTreeSet::new());
    let mut roles: BTreeSet<String> = BTreeSet::new();
    let mut tenants: BTreeMap<String, Seen> = BTreeMap::new();
    let only = only_tenant(corpus);
    let mut count = 0;
    let documents = corpus.files.iter().flat_map(|file| &file.documents);
    for definition in documents.filter_map(|document| document.definition.as_ref()) {
        count += 1;
        let owner = definition.metadata.as_ref().and_then(|metadata| metadata.owner.get());
        if let Some(owner) = owner.map(|owner| owner.trim()).filter(|owner| *owner != UNASSIGNED) {
            match owner.rsplit_once('@') {
                Some((_, domain)) => domains.insert(domain.to_lowercase()),
                None => teams.insert(owner.to_owned()),
            };
        }
        let own = definition.roles().iter().map(|role| role.value.trim().to_owned());
        // What differs from a predefined role in case alone is a slip, and stays a finding.
        let is_predefined =
            |role: &String| PREDEFINED_ROLES.iter().any(|p| p.name.eq_ignore_ascii_case(role));
        roles.extend(own.filter(|role| !is_predefined(role)));
        let seen = tenants.entry(definition.tenant().unwrap_or(only).to_owned()).or_default();
        let Some(scope) = definition.spec.as_ref().and_then(|spec| spec.scope.get()) else {
            continue;
        };
        for group in scope.assets.get().and_then(|a| a.groups.get()).into_iter().flatten() {
            let id = group.id.get().copied();
            let known = seen.groups.entry(group.name.value.clone()).or_default();
            *known = known.or(id);
        }
        if let Some(endpoints) = scope.endpoints.get() {
            let names = |field: &cortexkey_manifest::Field<
                Vec<cortexkey_manifest::Spanned<String>>,
            >| {
                field.get().into_iter().flatten().map(|name| name.value.clone()).collect::<Vec<_>>()
            };
            seen.endpoint_groups.extend(names(&endpoints.groups));
            seen.endpoint_tags.extend(names(&endpoints.tags));
        }
        let used = scope.cases.get().and_then(|cases| cases.domains.get()).into_iter().flatten();
        let own = used.filter(|domain| !BUILT_IN_DOMAINS.contains(&domain.value.as_str()));
        seen.domains.extend(own.map(|domain| domain.value.clone()));
        seen.datasets |= scope.datasets.get().is_some();
    }
    if tenants.is_empty() {
        tenants.insert(only.to_owned(), Seen::default());
    }
    write(name, keys, count, &tenants, &roles, &teams, &domains)
}

/// The name of the tenant that definitions do not name: the one that an import gave it.
fn only_tenant(corpus: &Corpus) -> &str {
    let locked = corpus.lock.iter().flat_map(|lock| lock.lock.tenants.keys());
    let names: Vec<&String> = locked.collect();
    match names.as_slice() {
        [only] => only,
        _ => MAIN_TENANT,
    }
}

fn write(
    name: &str,
    keys: &[String],
    count: usize,
    tenants: &BTreeMap<String, Seen>,
    roles: &BTreeSet<String>,
    teams: &BTreeSet<String>,
    domains: &BTreeSet<String>,
) -> String {
    let list = |names: &mut dyn Iterator<Item = &String>| {
        let names: Vec<String> = names.map(|name| scalar(name)).collect();
        format!("[{}]", names.join(", "))
    };
    let patterns = list(&mut keys.iter());
    let mut out = format!(
        "# yaml-language-server: $schema={}/raw/main/schemas/policy.v1.json\n\
         # What the API keys of this organisation may look like. It was made from {count} definitions;\n\
         # what stands here is what they hold today, and every line of it is yours to change.\n\
         apiVersion: cortexkey/v1\nkind: Policy\nmetadata: {{ name: {} }}\n\n\
         # `builtin:minimal` asks for less, `builtin:strict` for more; `cortexkey rules` compares them.\n\
         extends: [builtin:recommended]\n\n\
         # Which files hold key definitions.\nkeys: {patterns}\n\n\
         # The tenants that keys are made in. `product` cannot be seen in a definition: correct it.\n\
         # `sbac` says whether the tenant enforces scopes: enforced, disabled or unknown.\ntenants:\n",
        env!("CARGO_PKG_REPOSITORY"),
        scalar(name),
    );
    for (tenant, seen) in tenants {
        let _ = writeln!(out, "  {}:\n    product: xsiam", scalar(tenant));
        if seen.datasets {
            out.push_str("    datasets: true\n");
        }
        if !seen.groups.is_empty() {
            out.push_str("    assetGroups:\n");
            for (group, id) in &seen.groups {
                let id = id.map_or(String::new(), |id| format!(", id: {id}"));
                let _ = writeln!(out, "      - {{ name: {}{id} }}", scalar(group));
            }
        }
        for (field, names) in [
            ("endpointGroups", &seen.endpoint_groups),
            ("endpointTags", &seen.endpoint_tags),
            ("domains", &seen.domains),
        ] {
            if !names.is_empty() {
                let _ = writeln!(out, "    {field}: {}", list(&mut names.iter()));
            }
        }
    }
    out.push_str(
        "\n# Settings of rules, by name or code; `cortexkey explain RULE` says what each takes.\nrules:\n  \
         # How long a key may live. Overrides set another limit for some keys.\n  \
         expiry-too-long: { max: 365d }\n  \
         # Standard keys travel in full with every request. Locked, so that no child policy loosens it.\n  \
         # level-standard-forbidden: { severity: error, locked: true }\n  \
         # How names of keys look.\n  \
         # name-pattern: { pattern: '^(svc|ci|bot)-[a-z0-9-]+-(prod|dev)$' }\n  \
         # Comments that name a ticket.\n  \
         # ticket-missing: { pattern: '[A-Z]+-[0-9]+' }\n\n\
         # What the organisation knows.\ncatalog:\n",
    );
    if roles.is_empty() {
        out.push_str("  # Roles of your own, with their components.\n  # roles: [{ name: SIEM Export, components: { \"Public API\": none } }]\n");
    } else {
        out.push_str("  # Roles that the product does not bring; take out slips. List their components, so that access\n  # can be judged.\n  roles:\n");
        for role in roles {
            let _ = writeln!(out, "    - {{ name: {} }}", scalar(role));
        }
    }
    // Also where there are none: a catalogue must have something in it.
    let _ = writeln!(out, "  # Teams that own keys.\n  teams: {}", list(&mut teams.iter()));
    if !domains.is_empty() {
        let _ = writeln!(
            out,
            "  # Whose addresses may own keys; take out what is not yours.\n  emailDomains: {}",
            list(&mut domains.iter())
        );
    }
    out.push_str(
        "  # Roles that must not come together.\n  # conflicts: [[Responder, Investigation Admin]]\n\n\
         # Findings that are accepted for a while.\n\
         # waivers:\n#   - { rule: expiry-too-long, key: svc-import-prod, reason: \"SEC-77\",\n\
         #       approvedBy: ciso@example.com, expires: 2027-03-31 }\n",
    );
    out
}
