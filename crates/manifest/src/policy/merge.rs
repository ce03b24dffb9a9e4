//! Layers laid over one another: for each rule what holds, and which line of which file said so.
//!
//! What a parent locks, nothing below loosens; each attempt is kept, so that it can be reported.

use std::collections::BTreeMap;

use super::{Layer, Match, OptionKind, OptionValue, Override, RuleEntry, RuleSettings, Severity};
use crate::{Field, Span, Spanned};

/// Where a setting was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source {
    /// Index of the layer.
    pub layer: usize,
    /// Place in its file.
    pub span: Span,
}

/// A value and where it was set.
#[derive(Clone, Debug)]
pub struct Setting<T> {
    /// The value.
    pub value: T,
    /// Where it was set.
    pub source: Source,
}

/// What the linter knows about rules, which merging has to ask.
pub trait Rules {
    /// A rule's code for a written code or name.
    fn code(&self, written: &str) -> Option<&'static str>;
    /// A rule's own severity.
    fn severity(&self, code: &str) -> Severity;
    /// True when an option's new value asks at least as much as the old one.
    fn tightens(
        &self,
        code: &str,
        option: &str,
        from: Option<&OptionKind>,
        to: &OptionKind,
    ) -> bool;
}

/// What holds for one rule.
#[derive(Clone, Debug, Default)]
pub struct ResolvedRule {
    /// Whether it runs, where a layer says so.
    pub enabled: Option<Setting<bool>>,
    /// How grave it is, where a layer says so.
    pub severity: Option<Setting<Severity>>,
    /// The layer that locked it.
    pub locked: Option<Source>,
    /// Whether it may be waived, where a layer says so.
    pub waivable: Option<Setting<bool>>,
    /// Its options.
    pub options: BTreeMap<String, Setting<OptionValue>>,
    /// What differs for some keys, in the order in which it applies.
    pub overrides: Vec<ResolvedOverride>,
}

/// An override with its settings' places.
#[derive(Clone, Debug)]
pub struct ResolvedOverride {
    /// For which keys.
    pub matches: Match,
    /// Whether the rule runs for them.
    pub enabled: Option<Setting<bool>>,
    /// How grave it is for them.
    pub severity: Option<Setting<Severity>>,
    /// Options that differ for them.
    pub options: BTreeMap<String, Setting<OptionValue>>,
}

/// A child's attempt to loosen what a parent locked.
#[derive(Clone, Debug)]
pub struct Refused {
    /// Code of the rule.
    pub code: &'static str,
    /// What would have been loosened: `enabled`, `severity`, or an option.
    pub what: String,
    /// Where the child says it.
    pub at: Source,
    /// Where the parent locked it.
    pub lock: Source,
}

/// The rules of all layers together.
#[derive(Clone, Debug, Default)]
pub struct Merged {
    /// By code.
    pub rules: BTreeMap<&'static str, ResolvedRule>,
    /// Attempts that do not count.
    pub refused: Vec<Refused>,
}

impl Merged {
    /// Lays the layers over one another, ancestors first. Rules that are not known are left out;
    /// the linter reports them.
    pub fn new(layers: &[Layer], known: &dyn Rules) -> Self {
        let mut merged = Self::default();
        for (layer, file) in layers.iter().enumerate() {
            for entry in &file.file.rules {
                if let Some(code) = known.code(&entry.rule.value) {
                    merged.entry(layer, code, entry, known);
                }
            }
        }
        merged
    }

    fn entry(&mut self, layer: usize, code: &'static str, entry: &RuleEntry, known: &dyn Rules) {
        let rule = self.rules.entry(code).or_default();
        let lock = rule.locked.filter(|lock| lock.layer != layer);
        let mut gate = Gate { layer, code, lock, known, refused: &mut self.refused };
        let severity = rule.severity.as_ref().map_or(known.severity(code), |s| s.value);
        let enabled = rule.enabled.as_ref().is_none_or(|e| e.value);
        if let Some(value) = gate.enabled(&entry.settings, enabled) {
            rule.enabled = Some(value);
        }
        if let Some(value) = gate.severity(&entry.settings, severity) {
            rule.severity = Some(value);
        }
        let waivable = rule.waivable.as_ref().is_none_or(|w| w.value);
        if let Some(value) = gate.setting(&entry.waivable)
            && gate.allows("waivable", value.source, waivable || !value.value)
        {
            rule.waivable = Some(value);
        }
        let options = gate.options(&entry.settings.options, &rule.options);
        let below = rule.options.clone();
        rule.options.extend(options);
        for item in &entry.overrides {
            let item = gate.overridden(item, enabled, severity, &below);
            rule.overrides.push(item);
        }
        if let Some(value) = gate.setting(&entry.locked) {
            if value.value {
                rule.locked.get_or_insert(value.source);
            } else if gate.allows("locked", value.source, false) {
                rule.locked = None;
            }
        }
    }
}

/// Lets through what a lock allows, and notes the rest.
struct Gate<'a> {
    layer: usize,
    code: &'static str,
    lock: Option<Source>,
    known: &'a dyn Rules,
    refused: &'a mut Vec<Refused>,
}

impl Gate<'_> {
    fn setting<T: Clone>(&self, field: &Field<T>) -> Option<Setting<T>> {
        let Spanned { value, span } = field.spanned()?.clone();
        Some(Setting { value, source: Source { layer: self.layer, span } })
    }

    /// True when there is no lock, or what is asked does not loosen.
    fn allows(&mut self, what: &str, at: Source, tightens: bool) -> bool {
        match self.lock {
            Some(lock) if !tightens => {
                self.refused.push(Refused { code: self.code, what: what.to_owned(), at, lock });
                false
            }
            _ => true,
        }
    }

    fn enabled(&mut self, settings: &RuleSettings, now: bool) -> Option<Setting<bool>> {
        let value = self.setting(&settings.enabled)?;
        self.allows("enabled", value.source, value.value || !now).then_some(value)
    }

    fn severity(&mut self, settings: &RuleSettings, now: Severity) -> Option<Setting<Severity>> {
        let value = self.setting(&settings.severity)?;
        self.allows("severity", value.source, value.value >= now).then_some(value)
    }

    fn options(
        &mut self,
        options: &[(Spanned<String>, OptionValue)],
        now: &BTreeMap<String, Setting<OptionValue>>,
    ) -> BTreeMap<String, Setting<OptionValue>> {
        let mut out = BTreeMap::new();
        for (name, value) in options {
            let from = now.get(&name.value).map(|setting| &setting.value.kind);
            let tightens = self.known.tightens(self.code, &name.value, from, &value.kind);
            let source = Source { layer: self.layer, span: value.span };
            if self.allows(&name.value, source, tightens) {
                out.insert(name.value.clone(), Setting { value: value.clone(), source });
            }
        }
        out
    }

    fn overridden(
        &mut self,
        item: &Override,
        enabled: bool,
        severity: Severity,
        below: &BTreeMap<String, Setting<OptionValue>>,
    ) -> ResolvedOverride {
        ResolvedOverride {
            matches: item.matches.clone(),
            enabled: self.enabled(&item.settings, enabled),
            severity: self.severity(&item.settings, severity),
            options: self.options(&item.settings.options, below),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::load;
    use crate::yaml::Limits;

    struct Table;

    impl Rules for Table {
        fn code(&self, written: &str) -> Option<&'static str> {
            matches!(written, "E003" | "expiry-too-long").then_some("E003")
        }
        fn severity(&self, _: &str) -> Severity {
            Severity::Error
        }
        fn tightens(&self, _: &str, _: &str, from: Option<&OptionKind>, to: &OptionKind) -> bool {
            from == Some(to)
        }
    }

    fn merged(parent: &str, child: &str) -> Merged {
        let file = |extends: &str, rules: &str| {
            format!(
                "apiVersion: cortexkey/v1\nkind: Policy\nmetadata: {{ name: x }}\n{extends}rules:\n  {rules}\n"
            )
        };
        let mut read = |path: &str| {
            Ok(match path {
                "p" => file("", parent),
                _ => file("extends: [p]\n", child),
            }
            .into_bytes())
        };
        let layers = load("c", &Limits::default(), &mut read).unwrap();
        assert!(layers.faults.is_empty(), "{:?}", layers.faults);
        Merged::new(&layers.layers, &Table)
    }

    #[test]
    fn a_child_changes_what_is_open_and_both_names_mean_one_rule() {
        let merged =
            merged("E003: { max: 365d }", "expiry-too-long: { max: 180d, severity: warning }");
        let rule = &merged.rules["E003"];
        assert_eq!(rule.options["max"].value.kind, OptionKind::Text("180d".into()));
        assert_eq!(rule.options["max"].source.layer, 1);
        assert_eq!(rule.severity.as_ref().unwrap().value, Severity::Warning);
        assert!(merged.refused.is_empty());
    }

    #[test]
    fn a_lock_holds_in_every_direction() {
        let child = "E003: { max: 900d, severity: info, enabled: false, waivable: true, locked: false, \
                     overrides: [{ match: { name: x }, enabled: false, max: 1d }] }";
        let merged = merged("E003: { max: 365d, locked: true, waivable: false }", child);
        let rule = &merged.rules["E003"];
        assert_eq!(rule.options["max"].source.layer, 0);
        assert!(rule.severity.is_none() && rule.enabled.is_none());
        assert!(!rule.waivable.as_ref().unwrap().value && rule.locked.is_some());
        let what: Vec<&str> = merged.refused.iter().map(|r| r.what.as_str()).collect();
        assert_eq!(what, ["enabled", "severity", "waivable", "max", "enabled", "max", "locked"]);
    }
}
