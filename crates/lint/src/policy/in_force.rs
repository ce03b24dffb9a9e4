//! The policy in force: layers merged, and checked against the rules that exist.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use cortexkey_core::access::Product;
use cortexkey_manifest::Spanned;
use cortexkey_manifest::policy::{
    CatalogRole, CatalogTenant, Facts, LayerFault, Merged, PolicyLayer, PolicyLayers, ResolvedRule,
    SettingSource, Waiver,
};
use cortexkey_manifest::yaml::Tree;

use super::check::{self, MistakeKind, PolicyMistake};
use super::custom::{Custom, Expression, ExpressionError};
use super::match_paths::MatchPaths;
use super::matches;
use super::registry::{Registry, RuleSpec};
use super::settings::{EffectiveSettings, Settings};
use crate::model::{Location, RuleId, SourceId};

/// A policy that keys are checked against.
#[derive(Debug)]
pub struct Policy {
    /// Which policy of the run it is.
    pub(crate) number: usize,
    pub(crate) layers: Vec<PolicyLayer>,
    pub(crate) faults: Vec<LayerFault>,
    pub(crate) merged: Merged,
    pub(crate) mistakes: Vec<PolicyMistake>,
    pub(crate) custom: Vec<Custom>,
    pub(crate) facts: Facts,
    pub(crate) match_paths: MatchPaths,
    /// The names of the catalog's roles by their ids.
    pub(crate) role_ids: HashMap<String, String>,
    pub(crate) registry: Registry,
    /// What is in force for each rule.
    settings: HashMap<RuleId, EffectiveSettings>,
}

impl Policy {
    /// Merges layers that were read, and checks what they say about the rules that exist.
    pub(crate) fn with_rules(
        layers: PolicyLayers,
        rules: &'static [RuleSpec],
        number: usize,
    ) -> Self {
        let PolicyLayers { layers, faults } = layers;
        let registry = Registry::new(rules, &layers);
        let merged = Merged::new(&layers, &registry);
        let facts = Facts::new(&layers);
        // The nearest layer's role counts, which is the first.
        let listed = facts.roles().iter().rev();
        let listed = listed.map(|(at, index)| &layers[*at].file.catalog.roles[*index]);
        let role_ids = listed
            .filter_map(|role| Some((role.id.get()?.clone(), role.name.value.clone())))
            .collect();
        let (match_paths, misplaced) = MatchPaths::new(&layers);
        let misplaced = misplaced.into_iter().map(|(at, error)| PolicyMistake {
            kind: MistakeKind::BadValue,
            at,
            message: error.to_string(),
            help: Some("write a pattern such as `keys/prod/**`, from this policy's folder".into()),
        });
        let (custom, mut miswritten) = check::custom_rules(&layers, &registry);
        let mut mistakes: Vec<PolicyMistake> = misplaced.collect();
        mistakes.append(&mut miswritten);
        mistakes.extend(check::rule_entries(&layers, &registry, &custom));
        mistakes.extend(matches::match_values(&layers, &facts));
        mistakes.extend(check::waived_rules(&layers, &registry, &custom));
        let settings = settings(rules, &custom, &merged, number);
        Self {
            number,
            layers,
            faults,
            merged,
            mistakes,
            custom,
            facts,
            match_paths,
            role_ids,
            registry,
            settings,
        }
    }

    /// Sets the paths of its files, where `whole` gives the absolute path of each, so that patterns of
    /// files start from the right folder.
    #[must_use]
    pub(crate) fn with_paths(mut self, whole: &dyn Fn(&str) -> String) -> Self {
        self.match_paths.resolve(&self.layers, whole);
        self
    }

    /// A location in one of its files.
    pub(crate) fn location(&self, at: SettingSource) -> Location {
        Location { source: self.source(at.layer), span: at.span }
    }

    /// The source of one of its layers.
    pub(crate) fn source(&self, layer: usize) -> SourceId {
        SourceId::Policy { policy: self.number, layer }
    }

    /// The path of one of its files.
    pub(crate) fn path_of(&self, source: SourceId) -> Option<&str> {
        let SourceId::Policy { policy, layer } = source else { return None };
        let layer = self.layers.get(layer).filter(|_| policy == self.number)?;
        Some(&layer.path)
    }

    /// What its layers say about a rule.
    pub(crate) fn resolved(&self, rule: &RuleId) -> Option<&ResolvedRule> {
        self.merged.rules.get(rule.code())
    }

    /// Whether a layer locked a rule, so that no later layer can loosen it.
    #[must_use]
    pub fn is_locked(&self, rule: &RuleId) -> bool {
        self.resolved(rule).is_some_and(|resolved| resolved.locked.is_some())
    }

    /// What it sets for a rule of the linter, or one that it defines.
    pub(crate) fn rule_settings(&self, rule: &RuleId) -> &EffectiveSettings {
        static NONE: LazyLock<EffectiveSettings> =
            LazyLock::new(|| EffectiveSettings::of_custom(None, 0));
        self.settings.get(rule).unwrap_or(&NONE)
    }

    /// False when the policy has mistakes, so that its intent is not certain.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.faults.is_empty() && self.mistakes.is_empty()
    }

    /// False when a file of the policy could not be read to its end, so that keys cannot be
    /// checked at all.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        self.faults.is_empty()
    }

    /// Path of the policy itself, or `builtin:…`; `None` if none of its files could be read.
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        self.layers.last().map(|layer| layer.path.as_str())
    }

    /// Patterns of the corpus, with the path of their policy file. Every layer counts, since a child
    /// removes nothing from its parent's corpus.
    pub fn keys(&self) -> impl Iterator<Item = (&str, &[Spanned<String>])> {
        self.layers
            .iter()
            .filter_map(|layer| Some((layer.path.as_str(), layer.file.keys.as_deref()?)))
    }

    /// How many milliseconds before its expiry a key with a lifetime is due for rotation; the nearest
    /// layer counts.
    #[must_use]
    pub fn rotate_before_ms(&self) -> Option<u64> {
        let said = self.layers.iter().rev().find_map(|layer| layer.file.rotate_before.get())?;
        u64::try_from(said.as_millis()).ok()
    }

    /// How many milliseconds before an expiry `cortexkey keys watch` sends a notice; the nearest
    /// layer counts. Empty where no layer sets it.
    pub fn notify_before_ms(&self) -> impl Iterator<Item = u64> {
        let set = self.layers.iter().rev().find_map(|layer| layer.file.notify_before.get());
        let set = set.map(Vec::as_slice).unwrap_or_default();
        set.iter().filter_map(|before| u64::try_from(before.as_millis()).ok())
    }

    /// Path, tree and text of all files of the policy.
    pub(crate) fn sources(&self) -> impl Iterator<Item = (&str, &Arc<Tree>)> {
        self.layers.iter().map(|layer| (layer.path.as_str(), &layer.tree))
    }

    /// The text of one of its files.
    #[must_use]
    pub fn text(&self, path: &str) -> Option<&str> {
        let (_, tree) = self.sources().find(|(known, _)| *known == path)?;
        Some(tree.source())
    }

    /// Patterns of the files with the policy's own test cases, not those of its parents.
    pub(crate) fn tests(&self) -> impl Iterator<Item = &str> {
        let own = self.layers.last().into_iter().flat_map(|layer| &layer.file.tests);
        own.map(|pattern| pattern.value.as_str())
    }

    /// A tenant by name.
    #[must_use]
    pub fn tenant(&self, name: &str) -> Option<&CatalogTenant> {
        self.tenants().find(|(known, _)| known.value == name).map(|(_, tenant)| tenant)
    }

    /// A tenant by name, with the index of the layer that has it.
    #[must_use]
    pub fn tenant_at(&self, name: &str) -> Option<(usize, &CatalogTenant)> {
        let mut tenants = self.facts.tenants();
        tenants.find(|(_, (known, _))| known.value == name).map(|(at, (_, tenant))| (at, tenant))
    }

    /// All tenants, the nearest layer's first.
    pub fn tenants(&self) -> impl Iterator<Item = &(Spanned<String>, CatalogTenant)> {
        self.facts.tenants().map(|(_, tenant)| tenant)
    }

    /// The tenant of keys that name none.
    #[must_use]
    pub fn only_tenant(&self) -> Option<&str> {
        self.facts.only_tenant()
    }

    /// Product of a tenant, where both are known.
    #[must_use]
    pub fn product(&self, tenant: Option<&str>) -> Option<Product> {
        self.tenant(tenant?)?.product.get().copied()
    }

    /// Roles of the catalog, the nearest layer's first.
    pub fn roles(&self) -> impl Iterator<Item = &CatalogRole> {
        self.roles_at().map(|(_, role)| role)
    }

    /// The roles in the catalog, each with the index of its layer.
    pub fn roles_at(&self) -> impl Iterator<Item = (usize, &CatalogRole)> {
        let roles = self.facts.roles().iter();
        roles.map(|(at, index)| (*at, &self.layers[*at].file.catalog.roles[*index]))
    }

    /// Roles that must not be combined, with the index of their layer.
    pub fn conflicts(&self) -> impl Iterator<Item = (usize, &[Spanned<String>])> {
        let layers = self.layers.iter().enumerate();
        layers.flat_map(|(at, layer)| {
            layer.file.catalog.conflicts.iter().map(move |pair| (at, pair.as_slice()))
        })
    }

    /// The teams of all layers, with the index of their layer.
    pub fn teams_at(&self) -> impl Iterator<Item = (usize, &Spanned<String>)> {
        let layers = self.layers.iter().enumerate();
        layers.flat_map(|(at, layer)| layer.file.catalog.teams.iter().map(move |team| (at, team)))
    }

    /// Teams that may own keys.
    pub fn teams(&self) -> impl Iterator<Item = &str> {
        self.facts.teams().iter().map(String::as_str)
    }

    /// Domains whose addresses may own keys.
    pub fn email_domains(&self) -> impl Iterator<Item = &str> {
        self.facts.email_domains().iter().map(String::as_str)
    }

    /// All waivers, with the index of their layer.
    pub fn waivers(&self) -> impl Iterator<Item = (usize, &Waiver)> {
        let layers = self.layers.iter().enumerate();
        layers.flat_map(|(at, layer)| layer.file.waivers.iter().map(move |waiver| (at, waiver)))
    }

    /// The entries under `rules`, by the name written, with the index of their layer.
    pub fn rule_entries(&self) -> impl Iterator<Item = (usize, &Spanned<String>)> {
        let layers = self.layers.iter().enumerate();
        layers.flat_map(|(at, layer)| layer.file.rules.iter().map(move |entry| (at, &entry.rule)))
    }

    /// The id of a rule by its code or name, those that the policy defines included.
    #[must_use]
    pub fn rule_id(&self, written: &str) -> Option<RuleId> {
        let known = self.registry.find(written).map(|rule| &rule.id);
        known.or_else(|| self.custom(written).map(Custom::id)).cloned()
    }

    /// The ids of all rules, those that the policy defines included.
    pub fn rule_ids(&self) -> impl Iterator<Item = &RuleId> {
        let known = self.registry.rules().iter().map(|rule| &rule.id);
        known.chain(self.custom.iter().map(Custom::id))
    }

    /// A rule that the policy defines, by its code or name.
    #[must_use]
    pub fn custom(&self, written: &str) -> Option<&Custom> {
        self.custom.iter().find(|rule| rule.id().matches(written))
    }

    /// The rules that the policy defines, in the order written.
    pub fn custom_rules(&self) -> impl Iterator<Item = &Custom> {
        self.custom.iter()
    }

    /// Compiles an expression as one of the policy's own rules would be.
    pub(crate) fn expression(&self, text: &str) -> Result<Expression, ExpressionError> {
        Expression::new(text, &check::language(&self.layers))
    }

    /// What holds for a rule that the policy defines and keys that no override matches.
    #[must_use]
    pub fn custom_settings(&self, custom: &Custom) -> &Settings {
        self.rule_settings(custom.id()).base()
    }
}

fn settings(
    rules: &'static [RuleSpec],
    custom: &[Custom],
    merged: &Merged,
    policy: usize,
) -> HashMap<RuleId, EffectiveSettings> {
    let resolved = |id: &RuleId| merged.rules.get(id.code());
    let rules = rules
        .iter()
        .map(|rule| (rule.id.clone(), EffectiveSettings::new(rule, resolved(&rule.id), policy)));
    let custom = custom
        .iter()
        .map(|rule| (rule.id().clone(), EffectiveSettings::of_custom(resolved(rule.id()), policy)));
    rules.chain(custom).collect()
}
