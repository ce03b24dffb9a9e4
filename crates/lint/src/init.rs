//! Writes a first policy from existing definitions.
//!
//! The policy lists the owners, roles and groups of the definitions. A name that looks like a
//! misspelling of another one becomes a comment, so that it remains a finding. So does the reason
//! for a tenant's product, which no definition states.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use cortexkey_core::access::{BUILT_IN_DOMAINS, PREDEFINED_ROLES, PredefinedRole, Product};
use cortexkey_manifest::definition::{Definition, UNASSIGNED};
use cortexkey_manifest::{Field, Spanned, closest, scalar};

use crate::model::Corpus;

/// The name of the only tenant, if no definition names it.
pub const MAIN_TENANT: &str = "main";

#[derive(Default)]
struct TenantSurvey {
    /// Its keys' roles, as written.
    roles: BTreeSet<String>,
    has_scopes: bool,
    groups: BTreeMap<String, Option<u64>>,
    endpoint_groups: BTreeSet<String>,
    endpoint_tags: BTreeSet<String>,
    domains: BTreeSet<String>,
    datasets: bool,
}

/// The text of a commented policy. `name` is the organisation's; `keys` are the corpus' patterns.
#[must_use]
pub fn policy_for(corpus: &Corpus, name: &str, keys: &[String]) -> String {
    let only = only_tenant(corpus);
    let mut survey = Survey::default();
    let documents = corpus.files.iter().flat_map(|file| &file.documents);
    for definition in documents.filter_map(|document| document.definition.as_ref()) {
        survey.add(definition, only);
    }
    if survey.tenants.is_empty() {
        survey.tenants.insert(only.to_owned(), TenantSurvey::default());
    }
    write(name, keys, survey.count, &survey.known())
}

/// What the definitions contain.
#[derive(Default)]
struct Survey {
    count: usize,
    teams: Names,
    /// The domains of owners that are mail addresses.
    domains: BTreeSet<String>,
    roles: Names,
    tenant_names: Names,
    tenants: BTreeMap<String, TenantSurvey>,
}

impl Survey {
    fn add(&mut self, definition: &Definition, only_tenant: &str) {
        self.count += 1;
        let owner = definition.metadata.as_ref().and_then(|metadata| metadata.owner.get());
        if let Some(owner) = owner.map(|owner| owner.trim()).filter(|owner| *owner != UNASSIGNED) {
            match owner.rsplit_once('@') {
                Some((_, domain)) => {
                    self.domains.insert(domain.to_lowercase());
                }
                None => self.teams.add(owner),
            }
        }
        // A name that differs from a predefined role only in case must remain a finding.
        let is_predefined =
            |role: &str| PREDEFINED_ROLES.iter().any(|p| p.name.eq_ignore_ascii_case(role));
        let own = definition.roles().iter().map(|role| role.value.trim());
        own.filter(|role| !is_predefined(role)).for_each(|role| self.roles.add(role));
        let tenant = definition.tenant().unwrap_or(only_tenant);
        self.tenant_names.add(tenant);
        self.tenants.entry(tenant.to_owned()).or_default().add(definition);
    }

    fn known(&self) -> Known<'_> {
        let predefined: Vec<&str> = PREDEFINED_ROLES.iter().map(|role| role.name).collect();
        Known {
            tenants: &self.tenants,
            tenant_slips: self.tenant_names.slips(&[]),
            role_slips: self.roles.slips(&predefined),
            roles: self.roles.0.keys().cloned().collect(),
            team_slips: self.teams.slips(&[]),
            teams: self.teams.0.keys().cloned().collect(),
            domains: &self.domains,
        }
    }
}

impl TenantSurvey {
    fn add(&mut self, definition: &Definition) {
        self.roles.extend(definition.roles().iter().map(|role| role.value.trim().to_owned()));
        let Some(scope) = definition.spec.as_ref().and_then(|spec| spec.scope.get()) else {
            return;
        };
        self.has_scopes = true;
        for group in scope.assets.get().and_then(|a| a.groups.get()).into_iter().flatten() {
            let id = group.id.get().copied();
            let known = self.groups.entry(group.name.value.clone()).or_default();
            *known = known.or(id);
        }
        if let Some(endpoints) = scope.endpoints.get() {
            let names = |field: &Field<Vec<Spanned<String>>>| {
                field.get().into_iter().flatten().map(|name| name.value.clone()).collect::<Vec<_>>()
            };
            self.endpoint_groups.extend(names(&endpoints.groups));
            self.endpoint_tags.extend(names(&endpoints.tags));
        }
        let used = scope.cases.get().and_then(|cases| cases.domains.get()).into_iter().flatten();
        let own = used.filter(|domain| !BUILT_IN_DOMAINS.contains(&domain.value.as_str()));
        self.domains.extend(own.map(|domain| domain.value.clone()));
        self.datasets |= scope.datasets.get().is_some();
    }
}

/// Names, and how often each is written.
#[derive(Default)]
struct Names(BTreeMap<String, usize>);

impl Names {
    fn add(&mut self, name: &str) {
        *self.0.entry(name.to_owned()).or_default() += 1;
    }

    /// Names that are similar to one of the product's, or to another one that is written more
    /// often.
    fn slips(&self, known: &[&str]) -> BTreeMap<String, String> {
        let meant = |(name, count): (&String, &usize)| {
            let often = self.0.iter().filter(|(_, other)| **other > *count);
            let others = known.iter().copied().chain(often.map(|(other, _)| other.as_str()));
            // Names that differ in a digit are numbered, not misspelt.
            let letters = |text: &str| text.replace(|c: char| c.is_ascii_digit(), "");
            let others = others.filter(|other| letters(other) != letters(name));
            Some((name.clone(), closest(name, others)?.to_owned()))
        };
        self.0.iter().filter_map(meant).collect()
    }
}

/// What all definitions contain.
struct Known<'a> {
    tenants: &'a BTreeMap<String, TenantSurvey>,
    /// What is written, and what was probably meant.
    tenant_slips: BTreeMap<String, String>,
    roles: Vec<String>,
    role_slips: BTreeMap<String, String>,
    teams: Vec<String>,
    team_slips: BTreeMap<String, String>,
    domains: &'a BTreeSet<String>,
}

/// The product that the roles of a tenant's keys suggest, and why.
fn product(seen: &TenantSurvey) -> (Product, &'static str) {
    let holds = |product: Product| {
        PredefinedRole::for_product(product)
            .any(|role| role.products.len() < Product::ALL.len() && seen.roles.contains(role.name))
    };
    if holds(Product::Xsiam) || seen.has_scopes {
        return (Product::Xsiam, "xdr-5, cortex-cloud and agentix have the same roles");
    }
    if seen.roles.contains("Read-Only") {
        return (Product::Xsoar8, "its keys hold Read-Only and no scope");
    }
    if holds(Product::Xsoar8) {
        return (Product::Xsoar8, "its keys hold Analyst and no scope; xpanse has this role too");
    }
    (Product::Xsiam, "its keys' roles do not show it")
}

/// The tenant of definitions that name none: the one that `import` gave it.
fn only_tenant(corpus: &Corpus) -> &str {
    let locked = corpus.lock.iter().flat_map(|lock| lock.lock.tenants.keys());
    let names: Vec<&String> = locked.collect();
    match names.as_slice() {
        [only] => only,
        _ => MAIN_TENANT,
    }
}

fn write(name: &str, keys: &[String], count: usize, known: &Known<'_>) -> String {
    let patterns = list(keys.iter());
    let mut out = format!(
        "# yaml-language-server: $schema={}/raw/main/schemas/policy.v1.json\n\
         # The rules for the API keys of this organisation. Generated from {count} definitions:\n\
         # the values below are the ones in use. Edit them as needed.\n\
         apiVersion: cortexkey/v1\nkind: Policy\nmetadata: {{ name: {} }}\n\n\
         # `builtin:minimal` requires less, `builtin:strict` more; `cortexkey rules` compares them.\n\
         extends: [builtin:recommended]\n\n\
         # Which files hold key definitions.\nkeys: {patterns}\n\n\
         # The tenants of the keys. `product` is inferred from the keys' roles: correct it if it is wrong.\n\
         # `sbac` says whether the tenant enforces scopes: enforced, disabled or unknown.\ntenants:\n",
        env!("CARGO_PKG_REPOSITORY"),
        scalar(name),
    );
    for (tenant, seen) in known.tenants {
        if let Some(meant) = known.tenant_slips.get(tenant) {
            let _ = writeln!(out, "  # {}: probably {}", scalar(tenant), scalar(meant));
            continue;
        }
        write_tenant(&mut out, tenant, seen);
    }
    out.push_str(
        "\n# Settings of rules, by name or code; `cortexkey explain RULE` lists them.\nrules:\n  \
         # The longest lifetime of a key. Overrides set another limit for some keys.\n  \
         expiry-too-long: { max: 365d }\n  \
         # Standard keys travel in full with every request. Locked, so that no child policy loosens it.\n  \
         # level-standard-forbidden: { severity: error, locked: true }\n  \
         # The pattern of key names.\n  \
         # name-pattern: { pattern: '^(svc|ci|bot)-[a-z0-9-]+-(prod|dev)$' }\n  \
         # The pattern of a ticket in comments.\n  \
         # ticket-missing: { pattern: '[A-Z]+-[0-9]+' }\n\n\
         # Facts about the organisation.\ncatalog:\n",
    );
    catalog(&mut out, known);
    out.push_str(
        "  # Roles that a key must not combine.\n  # conflicts: [[Responder, Investigation Admin]]\n\n\
         # Findings that are accepted for a limited time.\n\
         # waivers:\n#   - { rule: expiry-too-long, key: svc-import-prod, reason: \"SEC-77\",\n\
         #       approvedBy: ciso@example.com, expires: 2027-03-31 }\n",
    );
    out
}

fn write_tenant(out: &mut String, tenant: &str, seen: &TenantSurvey) {
    let (product, why) = product(seen);
    let _ = writeln!(out, "  {}:\n    product: {product}  # {why}", scalar(tenant));
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
            let _ = writeln!(out, "    {field}: {}", list(names.iter()));
        }
    }
}

/// Roles, teams and domains; probable misspellings become comments.
fn catalog(out: &mut String, known: &Known<'_>) {
    if known.roles.is_empty() {
        out.push_str("  # Your own roles, with their components.\n  # roles: [{ name: SIEM Export, components: { \"Public API\": none } }]\n");
    } else {
        out.push_str("  # Roles that the product does not have; remove typos. List their components, so that\n  # access can be checked.\n");
        // A list must not be empty.
        let all_slips = known.roles.iter().all(|role| known.role_slips.contains_key(role));
        out.push_str(if all_slips { "  # roles:\n" } else { "  roles:\n" });
        for role in &known.roles {
            match known.role_slips.get(role) {
                Some(meant) => {
                    let role = scalar(role);
                    let meant = scalar(meant);
                    let _ = writeln!(out, "    # - {{ name: {role} }}  # probably {meant}");
                }
                None => {
                    let _ = writeln!(out, "    - {{ name: {} }}", scalar(role));
                }
            }
        }
    }
    // Written even without roles, because a catalog must not be empty.
    let sure = |team: &&String| !known.team_slips.contains_key(*team);
    let _ = writeln!(
        out,
        "  # Teams that own keys.\n  teams: {}",
        list(known.teams.iter().filter(sure))
    );
    for (team, meant) in &known.team_slips {
        let team = scalar(team);
        let meant = scalar(meant);
        let _ = writeln!(out, "  # {team} is left out: probably {meant}");
    }
    let domains = &known.domains;
    if !domains.is_empty() {
        let _ = writeln!(
            out,
            "  # Domains whose addresses may own keys; remove those that are not yours.\n  emailDomains: {}",
            list(domains.iter())
        );
    }
}

fn list<'n>(names: impl Iterator<Item = &'n String>) -> String {
    let names: Vec<String> = names.map(|name| scalar(name)).collect();
    format!("[{}]", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::CorpusFile;
    use crate::policy::Policy;
    use cortexkey_manifest::yaml::YamlLimits;

    fn init(keys: &[(&str, &str, &str, &str)]) -> String {
        let file = |(name, owner, tenant, roles): &(&str, &str, &str, &str)| {
            let text = format!(
                "apiVersion: cortexkey/v1\nkind: ApiKey\nmetadata: {{ name: {name}, owner: {owner}, \
                 tenant: {tenant} }}\nspec: {{ roles: {roles} }}\n"
            );
            CorpusFile::new(format!("{name}.yaml"), text.into_bytes(), &YamlLimits::default())
        };
        let corpus = Corpus { files: keys.iter().map(file).collect(), ..Corpus::default() };
        let text = policy_for(&corpus, "acme", &["keys/**".to_owned()]);
        let policy = Policy::from_text("cortexkey.yaml", &text);
        assert!(policy.is_valid(), "{text}");
        text
    }

    #[test]
    fn slips_go_into_comments() {
        let text = init(&[
            ("a", "team-detection", "prod-eu", "[Investigatr, SIEM Export]"),
            ("b", "team-detection", "prod-eu", "[SIEM Export]"),
            ("c", "team-detecton", "prod-ue", "[SIEM Exprot]"),
        ]);
        for line in ["    - { name: SIEM Export }", "  teams: [team-detection]"] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        for slip in ["Investigatr", "SIEM Exprot", "team-detecton", "prod-ue:"] {
            let mut lines = text.lines().filter(|line| line.contains(slip));
            assert!(lines.any(|line| line.trim_start().starts_with('#')), "{slip}\n{text}");
        }
        insta::assert_snapshot!(text);
        // Names that differ in a number are not misspellings.
        let text = init(&[
            ("a", "team-1", "prod-1", "[Role 1]"),
            ("b", "team-1", "prod-1", "[Role 1]"),
            ("c", "team-2", "prod-2", "[Role 2]"),
        ]);
        assert!(text.contains("teams: [team-1, team-2]") && text.contains("  prod-2:\n"), "{text}");
    }

    #[test]
    fn a_product_is_guessed_from_roles_and_only_slips_make_no_list() {
        assert!(init(&[("a", "t", "soc", "[Read-Only]")]).contains("product: xsoar-8"));
        assert!(init(&[("a", "t", "soc", "[Responder]")]).contains("product: xsiam"));
        assert!(init(&[("a", "t", "soc", "[Investigatr]")]).contains("  # roles:\n"));
    }
}
