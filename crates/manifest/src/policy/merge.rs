//! Merges the rules of all layers: the settings in force, each with the line that sets it.
//!
//! If a layer locks a setting, only the policies that it extends can loosen it, whatever the order
//! of the layers. Other attempts are recorded, so that they can be reported.

use std::collections::BTreeMap;

use super::{
    Match, OptionKind, OptionValue, Override, PolicyLayer, RuleEntry, RuleSettings, Severity,
};
use crate::{Field, Span, Spanned};

/// Where a setting was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SettingSource {
    /// Index of the layer.
    pub layer: usize,
    /// The position in its file.
    pub span: Span,
}

/// A value and where it was set.
#[derive(Clone, Debug)]
pub struct SourcedValue<T> {
    /// The value.
    pub value: T,
    /// Where it was set.
    pub source: SettingSource,
}

/// The facts about rules that merging needs from the linter.
pub trait Rules {
    /// The code of a rule, by its code or name.
    fn code(&self, written: &str) -> Option<String>;
    /// The default severity of a rule.
    fn severity(&self, code: &str) -> Severity;
    /// True when an option's new value is at least as strict as the old one.
    fn tightens(
        &self,
        code: &str,
        option: &str,
        from: Option<&OptionKind>,
        to: &OptionKind,
    ) -> bool;
}

/// The settings in force for one rule.
#[derive(Clone, Debug, Default)]
pub struct ResolvedRule {
    /// Whether it runs, if a layer sets that.
    pub enabled: Option<SourcedValue<bool>>,
    /// Its severity, if a layer sets it.
    pub severity: Option<SourcedValue<Severity>>,
    /// The layer that locked it.
    pub locked: Option<SettingSource>,
    /// Whether it may be waived, if a layer sets that.
    pub waivable: Option<SourcedValue<bool>>,
    /// Its options.
    pub options: BTreeMap<String, SourcedValue<OptionValue>>,
    /// Overrides for some keys, in the order in which they apply.
    pub overrides: Vec<ResolvedOverride>,
}

/// An override, with the positions of its settings.
#[derive(Clone, Debug)]
pub struct ResolvedOverride {
    /// Index of its layer.
    pub layer: usize,
    /// The keys that it applies to.
    pub matches: Match,
    /// Whether the rule runs for them, if it sets that.
    pub enabled: Option<SourcedValue<bool>>,
    /// The severity for them, if it sets one.
    pub severity: Option<SourcedValue<Severity>>,
    /// Options that differ for them.
    pub options: BTreeMap<String, SourcedValue<OptionValue>>,
}

/// An attempt to loosen what another layer locked.
#[derive(Clone, Debug)]
pub struct LockViolation {
    /// Code of the rule.
    pub code: String,
    /// The setting that would be loosened: `enabled`, `severity`, or an option.
    pub what: String,
    /// The position of the attempt.
    pub at: SettingSource,
    /// Where the rule is locked.
    pub lock: SettingSource,
}

/// The rules of all layers together.
#[derive(Clone, Debug, Default)]
pub struct Merged {
    /// By code.
    pub rules: BTreeMap<String, ResolvedRule>,
    /// Attempts without effect.
    pub refused: Vec<LockViolation>,
}

impl Merged {
    /// Merges the layers, ancestors first. Unknown rules are skipped; the linter reports them.
    pub fn new(layers: &[PolicyLayer], known: &dyn Rules) -> Self {
        let mut entries: BTreeMap<String, Entries<'_>> = BTreeMap::new();
        for (layer, file) in layers.iter().enumerate() {
            // A custom rule's own settings come before its layer's entry for it.
            let own = file.file.custom_rules.iter().filter_map(|rule| rule.entry.as_ref());
            for entry in own.chain(&file.file.rules) {
                if let Some(code) = known.code(&entry.rule.value) {
                    entries.entry(code).or_default().push((layer, entry));
                }
            }
        }
        let mut merged = Self::default();
        for (code, entries) in entries {
            let rule = RuleMerge { layers, code: &code, entries: &entries, known };
            let rule = rule.merge(&mut merged.refused);
            merged.rules.insert(code, rule);
        }
        // In the order of the files.
        merged.refused.sort_by_key(|refused| refused.at.layer);
        merged
    }
}

/// The entries for one rule, each with the index of its layer.
type Entries<'a> = Vec<(usize, &'a RuleEntry)>;

/// A layer's lock on a rule.
struct Lock {
    source: SettingSource,
    /// The settings in force for the layer itself, which other layers may only tighten.
    held: ResolvedRule,
}

/// The layers of one rule, from which its settings follow.
struct RuleMerge<'a> {
    layers: &'a [PolicyLayer],
    code: &'a str,
    entries: &'a Entries<'a>,
    known: &'a dyn Rules,
}

impl RuleMerge<'_> {
    fn merge(&self, refused: &mut Vec<LockViolation>) -> ResolvedRule {
        let locks = self.locks();
        let mut rule = self.apply(|_| true, &locks, refused);
        rule.locked = locks.first().map(|lock| lock.source);
        rule
    }

    /// The locks, ancestors first. Each contains the settings that its layer and the locks above it
    /// allow.
    fn locks(&self) -> Vec<Lock> {
        let mut locks = Vec::new();
        for (layer, entry) in self.entries {
            let Some(Spanned { value: true, span }) = entry.locked.spanned() else { continue };
            let source = SettingSource { layer: *layer, span: *span };
            let is_below = |by| by == *layer || self.layers[*layer].ancestors.contains(&by);
            // Attempts that are refused here are refused again, and recorded, when all layers are
            // merged.
            let held = self.apply(is_below, &locks, &mut Vec::new());
            locks.push(Lock { source, held });
        }
        locks
    }

    /// Applies the entries of some layers, in order.
    fn apply(
        &self,
        is_in: impl Fn(usize) -> bool,
        locks: &[Lock],
        refused: &mut Vec<LockViolation>,
    ) -> ResolvedRule {
        let mut rule = ResolvedRule::default();
        for (layer, entry) in self.entries.iter().filter(|(layer, _)| is_in(*layer)) {
            let binds = |lock: &&Lock| {
                let by = lock.source.layer;
                by != *layer && is_in(by) && !self.layers[by].ancestors.contains(layer)
            };
            let locks = locks.iter().filter(binds).collect();
            LockChecker { layer: *layer, code: self.code, locks, known: self.known, refused }
                .entry(&mut rule, entry);
        }
        rule
    }
}

/// Applies what the locks allow, and records the rest.
struct LockChecker<'a> {
    layer: usize,
    code: &'a str,
    locks: Vec<&'a Lock>,
    known: &'a dyn Rules,
    refused: &'a mut Vec<LockViolation>,
}

impl LockChecker<'_> {
    fn entry(&mut self, rule: &mut ResolvedRule, entry: &RuleEntry) {
        // In force before this entry.
        let now = rule.clone();
        if let Some(value) = self.enabled(&entry.settings, &now) {
            rule.enabled = Some(value);
        }
        if let Some(value) = self.severity(&entry.settings, &now) {
            rule.severity = Some(value);
        }
        let is_waivable = |rule: &ResolvedRule| rule.waivable.as_ref().is_none_or(|w| w.value);
        if let Some(value) = self.setting(&entry.waivable)
            && self
                .allows("waivable", value.source, &now, |_, held| !value.value || is_waivable(held))
        {
            rule.waivable = Some(value);
        }
        rule.options.extend(self.options(&entry.settings.options, &now));
        for item in &entry.overrides {
            let item = self.overridden(item, &now);
            rule.overrides.push(item);
        }
        if let Some(value) = self.setting(&entry.locked)
            && !value.value
        {
            // Without a lock, `locked: false` loosens nothing.
            self.allows("locked", value.source, &now, |_, _| false);
        }
    }

    fn setting<T: Clone>(&self, field: &Field<T>) -> Option<SourcedValue<T>> {
        let Spanned { value, span } = field.spanned()?.clone();
        Some(SourcedValue { value, source: SettingSource { layer: self.layer, span } })
    }

    /// True without a lock, or when the setting loosens neither what is in force for the layer of
    /// any lock nor, once that layer has been applied, what is in force now.
    fn allows(
        &mut self,
        what: &str,
        at: SettingSource,
        now: &ResolvedRule,
        tightens: impl Fn(&dyn Rules, &ResolvedRule) -> bool,
    ) -> bool {
        let against = |lock: &&Lock| {
            !tightens(self.known, &lock.held)
                || (lock.source.layer < self.layer && !tightens(self.known, now))
        };
        let Some(lock) = self.locks.iter().copied().find(against) else { return true };
        let code = self.code.to_owned();
        let lock = lock.source;
        self.refused.push(LockViolation { code, what: what.to_owned(), at, lock });
        false
    }

    fn enabled(
        &mut self,
        settings: &RuleSettings,
        now: &ResolvedRule,
    ) -> Option<SourcedValue<bool>> {
        let value = self.setting(&settings.enabled)?;
        let is_on = |rule: &ResolvedRule| rule.enabled.as_ref().is_none_or(|e| e.value);
        self.allows("enabled", value.source, now, |_, held| value.value || !is_on(held))
            .then_some(value)
    }

    fn severity(
        &mut self,
        settings: &RuleSettings,
        now: &ResolvedRule,
    ) -> Option<SourcedValue<Severity>> {
        let value = self.setting(&settings.severity)?;
        let code = self.code;
        self.allows("severity", value.source, now, |known, held| {
            value.value >= held.severity.as_ref().map_or(known.severity(code), |s| s.value)
        })
        .then_some(value)
    }

    fn options(
        &mut self,
        options: &[(Spanned<String>, OptionValue)],
        now: &ResolvedRule,
    ) -> BTreeMap<String, SourcedValue<OptionValue>> {
        let mut out = BTreeMap::new();
        let code = self.code;
        for (name, value) in options {
            let source = SettingSource { layer: self.layer, span: value.span };
            let tightens = |known: &dyn Rules, held: &ResolvedRule| {
                let from = held.options.get(&name.value).map(|setting| &setting.value.kind);
                known.tightens(code, &name.value, from, &value.kind)
            };
            if self.allows(&name.value, source, now, tightens) {
                out.insert(name.value.clone(), SourcedValue { value: value.clone(), source });
            }
        }
        out
    }

    fn overridden(&mut self, item: &Override, now: &ResolvedRule) -> ResolvedOverride {
        ResolvedOverride {
            layer: self.layer,
            matches: item.matches.clone(),
            enabled: self.enabled(&item.settings, now),
            severity: self.severity(&item.settings, now),
            options: self.options(&item.settings.options, now),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::load;
    use crate::yaml::YamlLimits;

    struct Table;

    impl Rules for Table {
        fn code(&self, written: &str) -> Option<String> {
            matches!(written, "E003" | "expiry-too-long").then(|| "E003".to_owned())
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
        let layers = load("c", &YamlLimits::default(), &mut read).unwrap();
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
