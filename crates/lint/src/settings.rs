//! What holds for one rule and one key: defaults, then the policy, then its overrides in turn.

use std::collections::BTreeMap;

use cortexkey_manifest::definition::{Definition, lifetime};
use cortexkey_manifest::policy::{
    Match, OptionKind, OptionValue, ResolvedRule, Setting, Severity, Source,
};
use cortexkey_manifest::{Field, Spanned};
use jiff::SignedDuration;

use crate::policy::Policy;
use crate::rules::{OptionDoc, Rule};

/// The settings of one rule, for one key or for all.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whether it runs.
    pub enabled: bool,
    /// How grave its findings are.
    pub severity: Severity,
    /// Whether waivers may silence it.
    pub waivable: bool,
    /// The least severity that a policy can set, of a rule that no policy turns off.
    least: Option<Severity>,
    /// The line that turned the rule on or gave its severity, where one did.
    pub decided: Option<Source>,
    options: BTreeMap<String, Setting<OptionValue>>,
    docs: &'static [OptionDoc],
}

impl Settings {
    /// What holds for keys that no override matches.
    #[must_use]
    pub fn base(rule: &Rule, resolved: Option<&ResolvedRule>) -> Self {
        let mut settings = Self {
            enabled: true,
            severity: rule.severity,
            waivable: !rule.leaves_unchecked(),
            least: rule.leaves_unchecked().then_some(rule.severity),
            decided: None,
            options: BTreeMap::new(),
            docs: rule.options,
        };
        if let Some(resolved) = resolved {
            settings.lay(resolved.enabled.as_ref(), resolved.severity.as_ref(), &resolved.options);
            settings.waivable &= resolved.waivable.as_ref().is_none_or(|setting| setting.value);
        }
        settings
    }

    /// The same for a rule of a policy's own, whose severity the policy says.
    #[must_use]
    pub fn of_own(resolved: Option<&ResolvedRule>) -> Self {
        let mut settings = Self {
            enabled: true,
            severity: Severity::Error,
            waivable: true,
            least: None,
            decided: None,
            options: BTreeMap::new(),
            docs: &[],
        };
        if let Some(resolved) = resolved {
            settings.lay(resolved.enabled.as_ref(), resolved.severity.as_ref(), &resolved.options);
            settings.waivable = resolved.waivable.as_ref().is_none_or(|setting| setting.value);
        }
        settings
    }

    /// The same for one key, where overrides change it: they apply in turn, a later one wins.
    #[must_use]
    pub fn for_key(&self, resolved: &ResolvedRule, subject: &Subject<'_>) -> Option<Self> {
        let mut own: Option<Self> = None;
        for item in &resolved.overrides {
            if subject.matches(&item.matches, item.layer) {
                let settings = own.get_or_insert_with(|| self.clone());
                settings.lay(item.enabled.as_ref(), item.severity.as_ref(), &item.options);
            }
        }
        own
    }

    fn lay(
        &mut self,
        enabled: Option<&Setting<bool>>,
        severity: Option<&Setting<Severity>>,
        options: &BTreeMap<String, Setting<OptionValue>>,
    ) {
        if let Some(setting) = enabled.filter(|setting| setting.value || self.least.is_none()) {
            self.enabled = setting.value;
            self.decided = Some(setting.source);
        }
        if let Some(setting) = severity.filter(|setting| Some(setting.value) >= self.least) {
            self.severity = setting.value;
            self.decided = Some(setting.source);
        }
        self.options.extend(options.iter().map(|(name, value)| (name.clone(), value.clone())));
    }

    /// A duration, from the policy or the option's default, and the line that set it.
    #[must_use]
    pub fn duration(&self, name: &str) -> Option<(SignedDuration, Option<Source>)> {
        self.text(name).and_then(|(text, source)| Some((lifetime(text).ok()?, source)))
    }

    /// A yes or no; no when nothing says otherwise.
    #[must_use]
    pub fn flag(&self, name: &str) -> (bool, Option<Source>) {
        self.text(name).map_or((false, None), |(text, source)| (text == "true", source))
    }

    /// A whole number.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<(usize, Option<Source>)> {
        self.text(name).and_then(|(text, source)| Some((text.parse().ok()?, source)))
    }

    /// A text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<(&str, Option<Source>)> {
        match self.options.get(name) {
            Some(Setting { value: OptionValue { kind: OptionKind::Text(text), .. }, source }) => {
                Some((text, Some(*source)))
            }
            _ => self.doc(name)?.default.map(|text| (text, None)),
        }
    }

    /// A list of texts; a default is written with commas.
    #[must_use]
    pub fn texts(&self, name: &str) -> (Vec<&str>, Option<Source>) {
        let set = self.options.get(name);
        if let Some(Setting { value, source }) = set
            && let OptionKind::List(items) = &value.kind
        {
            let texts = items.iter().filter_map(|item| match &item.kind {
                OptionKind::Text(text) => Some(text.as_str()),
                _ => None,
            });
            return (texts.collect(), Some(*source));
        }
        (self.doc(name).map(|doc| doc.defaults().collect()).unwrap_or_default(), None)
    }

    /// What a policy set, and where.
    pub fn set_options(&self) -> impl Iterator<Item = (&str, &Setting<OptionValue>)> {
        self.options.iter().map(|(name, setting)| (name.as_str(), setting))
    }

    fn doc(&self, name: &str) -> Option<&'static OptionDoc> {
        self.docs.iter().find(|doc| doc.name == name)
    }
}

/// What a `match` can ask of a key.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The key.
    pub definition: &'a Definition,
    /// Its tenant, said or the only one.
    pub tenant: Option<&'a str>,
    /// Path of its file from the folder of the policy in force, where it is known.
    pub path: Option<&'a str>,
    /// The policy, which knows the patterns of its `match` entries.
    pub policy: &'a Policy,
}

impl Subject<'_> {
    /// True when all that the match of a layer names fits.
    #[must_use]
    pub fn matches(&self, wanted: &Match, layer: usize) -> bool {
        let metadata = self.definition.metadata.as_ref();
        let spec = self.definition.spec.as_ref();
        let owner = metadata.and_then(|m| m.owner.get());
        let level = spec.and_then(|s| s.level.get()).map(|level| level.as_str());
        let labels = metadata.map(|m| m.labels.as_slice()).unwrap_or_default();
        any(&wanted.name, self.definition.name())
            && any(&wanted.owner, owner.map(String::as_str))
            && any(&wanted.tenant, self.tenant)
            && any(&wanted.security_level, level)
            && (wanted.path.is_empty()
                || self.path.is_some_and(|path| {
                    let patterns = wanted.path.iter().map(|pattern| pattern.value.as_str());
                    self.policy.places.fit(layer, patterns, path)
                }))
            && wanted.labels.iter().all(|(label, values)| {
                let found = labels.iter().find(|(name, _)| name.value == label.value);
                any(values, found.map(|(_, value)| value.value.as_str()))
            })
            && (wanted.roles.is_empty()
                || self.definition.roles().iter().any(|r| any(&wanted.roles, Some(&r.value))))
    }
}

/// True when the value is one of the wanted ones, or nothing is wanted.
fn any(wanted: &[Spanned<String>], value: Option<&str>) -> bool {
    wanted.is_empty() || wanted.iter().any(|item| Some(item.value.as_str()) == value)
}

/// The place of a field that is missing: its empty key, or the key of its mapping.
#[must_use]
pub(crate) fn missing_place<T>(
    field: &Field<T>,
    mapping: cortexkey_manifest::Span,
) -> cortexkey_manifest::Span {
    field.key().unwrap_or(mapping)
}
