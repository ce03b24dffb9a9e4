//! The policy in force, in words: each setting, and which line of which file set it.

use cortexkey_manifest::policy::{
    Match, OptionKind, OptionValue, SettingSource, Severity, SourcedValue,
};
use cortexkey_manifest::{Spanned, quote, scalar};

use super::custom::Custom;
use super::in_force::Policy;
use super::options::OptionDoc;
use super::registry::RuleSpec;
use super::settings::Settings;
use crate::model::RuleId;

/// One setting of a rule, and where it was set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// The setting's name: `severity`, `max`, `locked`, …
    pub what: String,
    /// The value, as in a policy.
    pub value: String,
    /// The keys that it applies to; `None` for all.
    pub keys: Option<String>,
    /// File and line; `None` for the rule's own default.
    pub at: Option<String>,
}

impl Policy {
    /// The files of the policy, ancestors first.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.layers.iter().map(|layer| layer.path.as_str())
    }

    /// All settings of a rule, in the order in which they apply.
    pub(crate) fn rule_facts(&self, rule: &RuleSpec) -> Vec<Fact> {
        self.facts_of(&rule.id, self.rule_settings(&rule.id).base(), rule.options)
    }

    /// The settings of a custom rule.
    #[must_use]
    pub fn custom_facts(&self, custom: &Custom) -> Vec<Fact> {
        let mut facts = self.facts_of(custom.id(), self.custom_settings(custom), &[]);
        let defined = |what: &str, value: String| Fact {
            what: what.to_owned(),
            value,
            keys: None,
            at: Some(self.line_of(SettingSource { layer: custom.layer, span: custom.name_span })),
        };
        // The severity is an error by default.
        if let Some(severity) = facts.first_mut().filter(|fact| fact.at.is_none()) {
            severity.at = defined("", String::new()).at;
        }
        if let Some(wanted) = custom.matches() {
            facts.push(defined("match", matched(wanted)));
        }
        facts.push(defined("assert", scalar(custom.assertion())));
        facts.push(defined("message", scalar(custom.message())));
        facts
    }

    fn facts_of(&self, id: &RuleId, settings: &Settings, options: &[OptionDoc]) -> Vec<Fact> {
        let resolved = self.resolved(id);
        let mut out = Vec::new();
        let mut fact =
            |what: &str, value: String, keys: Option<&str>, at: Option<SettingSource>| {
                out.push(Fact {
                    what: what.to_owned(),
                    value,
                    keys: keys.map(str::to_owned),
                    at: at.map(|at| self.line_of(at)),
                });
            };
        let enabled = resolved.and_then(|rule| rule.enabled.as_ref());
        let severity = resolved.and_then(|rule| rule.severity.as_ref());
        let word = level(settings.enabled, settings.severity).to_owned();
        let decided =
            if settings.enabled { severity.map(|s| s.source) } else { enabled.map(|e| e.source) };
        fact("severity", word, None, decided);
        for option in options {
            let set = resolved.and_then(|rule| rule.options.get(option.name));
            match (set, option.default) {
                (Some(setting), _) => {
                    fact(option.name, value(&setting.value), None, Some(setting.source));
                }
                (None, Some(default)) => {
                    let list = option.kind.is_list();
                    let text = if list { format!("[{default}]") } else { default.to_owned() };
                    fact(option.name, text, None, None);
                }
                (None, None) => fact(option.name, "not set".to_owned(), None, None),
            }
        }
        if let Some(waivable) = resolved.and_then(|rule| rule.waivable.as_ref()) {
            fact("waivable", waivable.value.to_string(), None, Some(waivable.source));
        }
        if let Some(lock) = resolved.and_then(|rule| rule.locked) {
            fact("locked", "true".to_owned(), None, Some(lock));
        }
        for item in resolved.map_or(&[][..], |rule| &rule.overrides) {
            let keys = matched(&item.matches);
            if let Some(SourcedValue { value, source }) = &item.enabled {
                fact("enabled", value.to_string(), Some(&keys), Some(*source));
            }
            if let Some(SourcedValue { value, source }) = &item.severity {
                fact("severity", value.as_str().to_owned(), Some(&keys), Some(*source));
            }
            for (name, setting) in &item.options {
                fact(name, value(&setting.value), Some(&keys), Some(setting.source));
            }
        }
        out
    }

    /// Attempts to loosen a locked rule, which have no effect.
    #[must_use]
    pub fn refused(&self, code: &str) -> Vec<String> {
        let own = self.merged.refused.iter().filter(|refused| refused.code == code);
        own.map(|refused| {
            let at = self.line_of(refused.at);
            let lock = self.line_of(refused.lock);
            format!(
                "{at} would loosen {} and has no effect: {lock} locks the rule",
                quote(&refused.what)
            )
        })
        .collect()
    }

    fn line_of(&self, at: SettingSource) -> String {
        let layer = &self.layers[at.layer];
        format!("{}:{}", layer.path, layer.tree.position(at.span.start).line)
    }

    /// The policy in force as a policy file, each setting with the line that set it.
    #[must_use]
    pub fn effective(&self) -> String {
        let mut lines: Vec<(String, Option<String>)> = Vec::new();
        let mut line = |text: String, at: Option<String>| lines.push((text, at));
        line("rules:".to_owned(), None);
        for rule in self.registry.rules() {
            line(format!("  {}:", rule.id.name()), None);
            let facts = self.rule_facts(rule);
            for fact in facts.iter().filter(|fact| fact.keys.is_none() && fact.value != "not set") {
                let (what, value) = match (fact.what.as_str(), fact.value.as_str()) {
                    ("severity", "off") => ("enabled", "false"),
                    other => other,
                };
                line(format!("    {what}: {value}"), fact.at.clone());
            }
            let mut own = facts.iter().filter(|fact| fact.keys.is_some()).peekable();
            if own.peek().is_some() {
                line("    overrides:".to_owned(), None);
            }
            for fact in own {
                let keys = fact.keys.as_deref().unwrap_or_default();
                let text = format!("      - {{ match: {keys}, {}: {} }}", fact.what, fact.value);
                line(text, fact.at.clone());
            }
        }
        for custom in &self.custom {
            line(format!("  {}:", custom.id().code()), None);
            for fact in self.custom_facts(custom) {
                // What defines the rule is in `customRules`.
                let defines = matches!(fact.what.as_str(), "match" | "assert" | "message");
                let mark = if defines { "# " } else { "" };
                let (what, value) = match (fact.what.as_str(), fact.value.as_str()) {
                    ("severity", "off") => ("enabled", "false"),
                    other => other,
                };
                let text = match &fact.keys {
                    Some(keys) => format!("    # for {keys}: {what}: {value}"),
                    None => format!("    {mark}{what}: {value}"),
                };
                line(text, fact.at);
            }
        }
        let width =
            lines.iter().filter(|(_, at)| at.is_some()).map(|(text, _)| text.chars().count());
        let width = width.max().unwrap_or(0).min(60);
        let shown = lines.into_iter().map(|(text, at)| match at {
            Some(at) => format!("{text:<width$}  # {at}\n"),
            None => format!("{text}\n"),
        });
        shown.collect()
    }
}

/// The word for a rule that runs or does not.
#[must_use]
pub const fn level(enabled: bool, severity: Severity) -> &'static str {
    if enabled { severity.as_str() } else { "off" }
}

/// An option's value as a policy would have it.
fn value(option: &OptionValue) -> String {
    match &option.kind {
        // Every reader reads `90d` as a string.
        OptionKind::Text(text) if text.bytes().all(|b| b.is_ascii_alphanumeric()) => text.clone(),
        OptionKind::Text(text) => scalar(text),
        OptionKind::List(items) => {
            let items: Vec<String> = items.iter().map(value).collect();
            format!("[{}]", items.join(", "))
        }
        OptionKind::Map(pairs) => {
            let pairs = pairs
                .iter()
                .map(|(name, option)| format!("{}: {}", scalar(&name.value), value(option)));
            format!("{{ {} }}", pairs.collect::<Vec<_>>().join(", "))
        }
        OptionKind::Nothing => String::new(),
    }
}

/// A `match` as a policy has it.
fn matched(wanted: &Match) -> String {
    let list = |names: &[Spanned<String>]| {
        let names: Vec<String> = names.iter().map(|name| scalar(&name.value)).collect();
        format!("[{}]", names.join(", "))
    };
    let mut parts = Vec::new();
    if !wanted.labels.is_empty() {
        let labels = wanted
            .labels
            .iter()
            .map(|(name, values)| format!("{}: {}", scalar(&name.value), list(values)));
        parts.push(format!("labels: {{ {} }}", labels.collect::<Vec<_>>().join(", ")));
    }
    for (field, names) in [
        ("roles", &wanted.roles),
        ("name", &wanted.name),
        ("owner", &wanted.owner),
        ("tenant", &wanted.tenant),
        ("securityLevel", &wanted.security_level),
        ("path", &wanted.path),
    ] {
        if !names.is_empty() {
            parts.push(format!("{field}: {}", list(names)));
        }
    }
    format!("{{ {} }}", parts.join(", "))
}
