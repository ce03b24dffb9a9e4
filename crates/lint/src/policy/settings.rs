//! The settings of one rule for one key: defaults, then the policy, then its overrides in order.

use std::collections::BTreeMap;

use cortexkey_manifest::policy::{
    Match, OptionValue, ResolvedOverride, ResolvedRule, SettingSource, Severity, SourcedValue,
};

use super::options::{InForce, OptionDoc, OptionField, Value};
use super::registry::RuleSpec;
use super::subject::Subject;
use crate::model::{Location, SourceId};

/// The settings of one rule, for one key or for all.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whether it runs.
    pub enabled: bool,
    /// The severity of its findings.
    pub severity: Severity,
    /// Whether waivers may cover its findings.
    pub waivable: bool,
    /// The line that turned the rule on or set its severity.
    pub decided: Option<Location>,
    options: Vec<OptionSetting>,
}

/// The value of one option.
#[derive(Clone, Debug)]
struct OptionSetting {
    name: &'static str,
    /// `None` if there is no value.
    value: Option<Value>,
    decided: Option<Location>,
}

impl Settings {
    /// The value of an option that the rule has.
    pub(crate) fn option<'a, T: OptionField<'a>>(&'a self, name: &str) -> InForce<T> {
        let option = self.options.iter().find(|option| option.name == name);
        InForce {
            value: T::of(option.and_then(|option| option.value.as_ref())),
            decided: option.and_then(|option| option.decided),
        }
    }

    fn apply(&mut self, change: &Change) {
        if let Some((enabled, at)) = change.enabled {
            self.enabled = enabled;
            self.decided = Some(at);
        }
        if let Some((severity, at)) = change.severity {
            self.severity = severity;
            self.decided = Some(at);
        }
        for option in &change.options {
            let known = self.options.iter_mut().find(|known| known.name == option.name);
            if let Some(known) = known {
                known.clone_from(option);
            }
        }
    }
}

/// A policy's settings of one rule: for all keys, and for those that an override matches. Parsed
/// once, together with the policy.
#[derive(Debug)]
pub(crate) struct EffectiveSettings {
    base: Settings,
    overrides: Vec<Override>,
}

#[derive(Debug)]
struct Override {
    /// The layer that has it.
    layer: usize,
    matches: Match,
    change: Change,
}

/// The settings of one entry of a policy that take effect.
#[derive(Debug)]
struct Change {
    enabled: Option<(bool, Location)>,
    severity: Option<(Severity, Location)>,
    options: Vec<OptionSetting>,
}

impl EffectiveSettings {
    /// What a policy sets for a rule of the linter; `policy` is the policy's number in the run.
    pub(super) fn new(rule: &RuleSpec, resolved: Option<&ResolvedRule>, policy: usize) -> Self {
        let least = rule.leaves_unchecked.then_some(rule.severity);
        let reader = Reader { policy, docs: rule.options, least };
        let options = rule.options.iter().map(|doc| OptionSetting {
            name: doc.name,
            value: doc.default_value(),
            decided: None,
        });
        let base = Settings {
            enabled: true,
            severity: rule.severity,
            waivable: !rule.leaves_unchecked,
            decided: None,
            options: options.collect(),
        };
        reader.read(base, resolved)
    }

    /// The settings of a custom rule, which also sets its own severity.
    pub(super) fn of_custom(resolved: Option<&ResolvedRule>, policy: usize) -> Self {
        let base = Settings {
            enabled: true,
            severity: Severity::Error,
            waivable: true,
            decided: None,
            options: Vec::new(),
        };
        Reader { policy, docs: &[], least: None }.read(base, resolved)
    }

    /// The settings for keys that no override matches.
    pub(crate) fn base(&self) -> &Settings {
        &self.base
    }

    /// The settings for one key, if overrides change them: they apply in order, a later one wins.
    pub(crate) fn for_key(&self, subject: &Subject<'_>) -> Option<Settings> {
        let mut own: Option<Settings> = None;
        for item in &self.overrides {
            if subject.matches(&item.matches, item.layer) {
                own.get_or_insert_with(|| self.base.clone()).apply(&item.change);
            }
        }
        own
    }
}

/// Reads what layers set for a rule.
struct Reader {
    policy: usize,
    docs: &'static [OptionDoc],
    /// The lowest severity that a policy can set for a rule that it cannot turn off.
    least: Option<Severity>,
}

impl Reader {
    fn read(&self, mut base: Settings, resolved: Option<&ResolvedRule>) -> EffectiveSettings {
        let Some(resolved) = resolved else {
            return EffectiveSettings { base, overrides: Vec::new() };
        };
        base.apply(&self.change(
            resolved.enabled.as_ref(),
            resolved.severity.as_ref(),
            &resolved.options,
        ));
        base.waivable &= resolved.waivable.as_ref().is_none_or(|setting| setting.value);
        let overrides = resolved.overrides.iter().map(|item: &ResolvedOverride| Override {
            layer: item.layer,
            matches: item.matches.clone(),
            change: self.change(item.enabled.as_ref(), item.severity.as_ref(), &item.options),
        });
        EffectiveSettings { base, overrides: overrides.collect() }
    }

    fn change(
        &self,
        enabled: Option<&SourcedValue<bool>>,
        severity: Option<&SourcedValue<Severity>>,
        options: &BTreeMap<String, SourcedValue<OptionValue>>,
    ) -> Change {
        let enabled = enabled.filter(|setting| setting.value || self.least.is_none());
        let severity = severity.filter(|setting| Some(setting.value) >= self.least);
        let options = self.docs.iter().filter_map(|doc| {
            let setting = options.get(doc.name)?;
            // A value that the option does not accept is a mistake of the policy and has no effect.
            let value = doc.kind.read(&setting.value.kind)?;
            let decided = Some(self.location(setting.source));
            Some(OptionSetting { name: doc.name, value: Some(value), decided })
        });
        Change {
            enabled: enabled.map(|setting| (setting.value, self.location(setting.source))),
            severity: severity.map(|setting| (setting.value, self.location(setting.source))),
            options: options.collect(),
        }
    }

    fn location(&self, at: SettingSource) -> Location {
        let source = SourceId::Policy { policy: self.policy, layer: at.layer };
        Location { source, span: at.span }
    }
}
