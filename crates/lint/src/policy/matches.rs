//! Checks the values of `match` entries: one that no key can have makes a stricter setting ineffective,
//! and nothing else would show that.

use cortexkey_core::access::PREDEFINED_ROLES;
use cortexkey_core::auth::Level;
use cortexkey_manifest::policy::{Facts, Match, PolicyLayer, SettingSource};
use cortexkey_manifest::{Spanned, closest, did_you_mean, quote};

use super::check::{MistakeKind, PolicyMistake};
use super::match_paths::matches_of;
use crate::model::same_role;

/// How many unknown roles of one `match` are compared with the known ones, which takes time.
const ROLES_MAX: usize = 500;

/// Checks every `match` of all layers.
pub(super) fn match_values(layers: &[PolicyLayer], facts: &Facts) -> Vec<PolicyMistake> {
    let mut mistakes = Vec::new();
    for at in 0..layers.len() {
        let own = MatchValues { layers, at, facts };
        for wanted in matches_of(&layers[at]) {
            own.check(wanted, &mut mistakes);
        }
    }
    mistakes
}

/// What the values of one layer's `match` entries are compared with.
struct MatchValues<'a> {
    layers: &'a [PolicyLayer],
    at: usize,
    facts: &'a Facts,
}

impl MatchValues<'_> {
    fn check(&self, wanted: &Match, mistakes: &mut Vec<PolicyMistake>) {
        for level in &wanted.security_level {
            let levels = [Level::Standard, Level::Advanced].map(Level::as_str);
            if !levels.contains(&level.value.as_str()) {
                let help = did_you_mean(&level.value, &levels)
                    .unwrap_or_else(|| "write `standard` or `advanced`".to_owned());
                mistakes.push(self.mistake(level, "is not a security level", help));
            }
        }
        for name in wanted.name.iter().filter(|name| name.value.contains(['*', '?'])) {
            let help = "select keys by `labels` or `path`; `name` is compared as it is".to_owned();
            mistakes.push(self.mistake(name, "is a pattern, but a name is expected", help));
        }
        self.tenants(&wanted.tenant, mistakes);
        self.owners(&wanted.owner, mistakes);
        self.roles(&wanted.roles, mistakes);
    }

    /// A policy that lists no tenants, owners or roles leaves them to those that extend it.
    fn tenants(&self, wanted: &[Spanned<String>], mistakes: &mut Vec<PolicyMistake>) {
        if !self.lists(|layer| !layer.file.tenants.is_empty()) {
            return;
        }
        let known: Vec<&str> =
            self.facts.tenants().map(|(_, (name, _))| name.value.as_str()).collect();
        for tenant in wanted.iter().filter(|tenant| !known.contains(&tenant.value.as_str())) {
            let help = did_you_mean(&tenant.value, &known)
                .unwrap_or_else(|| "add it to `tenants`, or correct it".to_owned());
            mistakes.push(self.mistake(tenant, "is not a tenant of the policy", help));
        }
    }

    fn owners(&self, wanted: &[Spanned<String>], mistakes: &mut Vec<PolicyMistake>) {
        if !self.lists(|layer| !layer.file.catalog.teams.is_empty()) {
            return;
        }
        let known: Vec<&str> = self.facts.teams().iter().map(String::as_str).collect();
        let is_team = |owner: &&Spanned<String>| !owner.value.contains('@');
        for owner in wanted.iter().filter(is_team) {
            if !known.contains(&owner.value.as_str()) {
                let help = did_you_mean(&owner.value, &known)
                    .unwrap_or_else(|| "add it to `catalog.teams`, or correct it".to_owned());
                mistakes.push(self.mistake(owner, "is not a team of the catalog", help));
            }
        }
    }

    /// A tenant may have roles that no catalog lists, so only a name like a known one is a mistake.
    fn roles(&self, wanted: &[Spanned<String>], mistakes: &mut Vec<PolicyMistake>) {
        if wanted.is_empty() {
            return;
        }
        let catalog = self.layers.iter().flat_map(|layer| &layer.file.catalog.roles);
        let ids = catalog.clone().filter_map(|role| role.id.get().map(String::as_str));
        let known: Vec<&str> = catalog
            .map(|role| role.name.value.as_str())
            .chain(PREDEFINED_ROLES.iter().map(|role| role.name))
            .chain(ids)
            .collect();
        let is_unknown =
            |role: &&Spanned<String>| !known.iter().any(|name| same_role(name, &role.value));
        for role in wanted.iter().filter(is_unknown).take(ROLES_MAX) {
            if let Some(near) = closest(&role.value, known.iter().copied()) {
                let help = format!(
                    "write {}; if there is such a role, add it to `catalog.roles`",
                    quote(near)
                );
                mistakes.push(self.mistake(role, "is not a known role", help));
            }
        }
    }

    /// Whether the layer or one that it extends lists something.
    fn lists(&self, lists: impl Fn(&PolicyLayer) -> bool) -> bool {
        let above = self.layers[self.at].ancestors.iter().map(|at| &self.layers[*at]);
        above.chain([&self.layers[self.at]]).any(lists)
    }

    fn mistake(&self, value: &Spanned<String>, what: &str, help: String) -> PolicyMistake {
        PolicyMistake {
            kind: MistakeKind::BadValue,
            at: SettingSource { layer: self.at, span: value.span },
            message: format!("{} {what}, so this `match` selects no key", quote(&value.value)),
            help: Some(help),
        }
    }
}
