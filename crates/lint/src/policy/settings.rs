//! What holds for one rule and one key: defaults, then the policy, then its overrides in turn.

use std::collections::BTreeMap;

use cortexkey_manifest::definition::lifetime;
use cortexkey_manifest::policy::{
    OptionKind, OptionValue, ResolvedRule, Setting, Severity, Source,
};
use jiff::SignedDuration;

use super::options::OptionDoc;
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
    /// The least severity that a policy can set for a rule that no policy turns off.
    least: Option<Severity>,
    /// The line that turned the rule on or set its severity.
    pub decided: Option<Location>,
    /// Which policy of the run set them.
    policy: usize,
    options: BTreeMap<String, Setting<OptionValue>>,
    docs: &'static [OptionDoc],
}

impl Settings {
    /// What holds for keys that no override matches.
    pub(crate) fn new(rule: &RuleSpec, resolved: Option<&ResolvedRule>, policy: usize) -> Self {
        let settings = Self {
            enabled: true,
            severity: rule.severity,
            waivable: !rule.leaves_unchecked,
            least: rule.leaves_unchecked.then_some(rule.severity),
            decided: None,
            policy,
            options: BTreeMap::new(),
            docs: rule.options,
        };
        settings.with(resolved)
    }

    /// The same for a rule that the policy defines, which also sets its severity.
    pub(crate) fn of_custom(resolved: Option<&ResolvedRule>, policy: usize) -> Self {
        let settings = Self {
            enabled: true,
            severity: Severity::Error,
            waivable: true,
            least: None,
            decided: None,
            policy,
            options: BTreeMap::new(),
            docs: &[],
        };
        settings.with(resolved)
    }

    fn with(mut self, resolved: Option<&ResolvedRule>) -> Self {
        if let Some(resolved) = resolved {
            self.apply(resolved.enabled.as_ref(), resolved.severity.as_ref(), &resolved.options);
            self.waivable &= resolved.waivable.as_ref().is_none_or(|setting| setting.value);
        }
        self
    }

    /// The same for one key, where overrides change it: they apply in turn, a later one wins.
    pub(crate) fn for_key(&self, resolved: &ResolvedRule, subject: &Subject<'_>) -> Option<Self> {
        let mut own: Option<Self> = None;
        for item in &resolved.overrides {
            if subject.matches(&item.matches, item.layer) {
                let settings = own.get_or_insert_with(|| self.clone());
                settings.apply(item.enabled.as_ref(), item.severity.as_ref(), &item.options);
            }
        }
        own
    }

    fn apply(
        &mut self,
        enabled: Option<&Setting<bool>>,
        severity: Option<&Setting<Severity>>,
        options: &BTreeMap<String, Setting<OptionValue>>,
    ) {
        if let Some(setting) = enabled.filter(|setting| setting.value || self.least.is_none()) {
            self.enabled = setting.value;
            self.decided = Some(self.location(setting.source));
        }
        if let Some(setting) = severity.filter(|setting| Some(setting.value) >= self.least) {
            self.severity = setting.value;
            self.decided = Some(self.location(setting.source));
        }
        self.options.extend(options.iter().map(|(name, value)| (name.clone(), value.clone())));
    }

    fn location(&self, at: Source) -> Location {
        let source = SourceId::Policy { policy: self.policy, layer: at.layer };
        Location { source, span: at.span }
    }

    /// A duration, from the policy or the option's default, and the line that set it.
    pub(crate) fn duration(&self, name: &str) -> Option<(SignedDuration, Option<Location>)> {
        self.text(name).and_then(|(text, source)| Some((lifetime(text).ok()?, source)))
    }

    /// A yes or no; no when nothing says otherwise.
    pub(crate) fn flag(&self, name: &str) -> (bool, Option<Location>) {
        self.text(name).map_or((false, None), |(text, source)| (text == "true", source))
    }

    /// A whole number.
    pub(crate) fn number(&self, name: &str) -> Option<(usize, Option<Location>)> {
        self.text(name).and_then(|(text, source)| Some((text.parse().ok()?, source)))
    }

    /// A text.
    pub(crate) fn text(&self, name: &str) -> Option<(&str, Option<Location>)> {
        match self.options.get(name) {
            Some(Setting { value: OptionValue { kind: OptionKind::Text(text), .. }, source }) => {
                Some((text, Some(self.location(*source))))
            }
            _ => self.doc(name)?.default.map(|text| (text, None)),
        }
    }

    /// A list of texts; a default is written with commas.
    pub(crate) fn texts(&self, name: &str) -> (Vec<&str>, Option<Location>) {
        let set = self.options.get(name);
        if let Some(Setting { value, source }) = set
            && let OptionKind::List(items) = &value.kind
        {
            let texts = items.iter().filter_map(|item| match &item.kind {
                OptionKind::Text(text) => Some(text.as_str()),
                _ => None,
            });
            return (texts.collect(), Some(self.location(*source)));
        }
        (self.doc(name).map(|doc| doc.defaults().collect()).unwrap_or_default(), None)
    }

    fn doc(&self, name: &str) -> Option<&'static OptionDoc> {
        self.docs.iter().find(|doc| doc.name == name)
    }
}
