//! Checks the rule settings of a policy: unknown rules and options, and invalid values of options.
//! Each mistake is kept, with a suggestion.

use cortexkey_manifest::format::SETTINGS;
use cortexkey_manifest::policy::{
    CustomRule, OptionKind, OptionValue, PolicyLayer, RuleEntry, RuleSettings, SettingSource,
};
use cortexkey_manifest::{Spanned, Suggestions, did_you_mean, quote, quote_refused};

use super::custom::{Custom, ExpressionLanguage};
use super::options::OptionDoc;
use super::registry::{Registry, RuleSpec};
use crate::model::RuleId;

/// Which rule reports a mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MistakeKind {
    /// A rule or an option that does not exist, or that cannot be set like this.
    UnknownRule,
    /// An invalid value.
    BadValue,
    /// The same rule twice.
    Duplicate,
}

/// A mistake in what a policy says about rules.
#[derive(Clone, Debug)]
pub(crate) struct PolicyMistake {
    pub(crate) kind: MistakeKind,
    pub(crate) at: SettingSource,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

/// What expressions of a policy's layers are compiled with.
pub(super) fn language(layers: &[PolicyLayer]) -> ExpressionLanguage {
    let roles = layers.iter().flat_map(|layer| &layer.file.catalog.roles);
    let components = roles.flat_map(|role| &role.components);
    ExpressionLanguage::new(components.map(|(name, _)| name.value.clone()).collect())
}

/// Compiles the rules that a policy defines.
pub(super) fn custom_rules(
    layers: &[PolicyLayer],
    registry: &Registry,
) -> (Vec<Custom>, Vec<PolicyMistake>) {
    let mut rules = Vec::new();
    let mut mistakes = Vec::new();
    if layers.iter().all(|layer| layer.file.custom_rules.is_empty()) {
        return (rules, mistakes);
    }
    let language = language(layers);
    for (layer, file) in layers.iter().enumerate() {
        for rule in &file.file.custom_rules {
            let misnamed = misnamed(layer, rule, &rules, registry);
            match Custom::new(layer, rule, &language) {
                Some(Ok(custom)) if misnamed.is_empty() => rules.push(custom),
                Some(Err((span, error))) => mistakes.push(PolicyMistake {
                    kind: MistakeKind::BadValue,
                    at: SettingSource { layer, span },
                    message: error.message,
                    help: error.help,
                }),
                _ => {}
            }
            mistakes.extend(misnamed);
        }
    }
    (rules, mistakes)
}

/// Checks what the layers say about rules.
pub(super) fn rule_entries(
    layers: &[PolicyLayer],
    registry: &Registry,
    custom: &[Custom],
) -> Vec<PolicyMistake> {
    let mut mistakes = Vec::new();
    let mut suggestions = Suggestions::default();
    for (at, layer) in layers.iter().enumerate() {
        let mut seen: Vec<(&RuleId, &RuleEntry)> = Vec::new();
        for entry in &layer.file.rules {
            let written = &entry.rule;
            let is_custom = || custom.iter().any(|rule| rule.id().matches(&written.value));
            let spec = registry.find(&written.value);
            let Some(id) = registry.id(&written.value).filter(|_| spec.is_some() || is_custom())
            else {
                mistakes.push(unknown_rule(written, at, registry, &mut suggestions));
                continue;
            };
            if let Some((_, first)) = seen.iter().find(|(known, _)| *known == id) {
                mistakes.push(twice(layer, at, entry, first));
            }
            match spec {
                Some(spec) => check_entry(spec, entry, at, &mut mistakes),
                None => check_custom_entry(id, entry, at, &mut mistakes),
            }
            seen.push((id, entry));
        }
    }
    mistakes
}

/// Checks the rules that waivers name.
pub(super) fn waived_rules(
    layers: &[PolicyLayer],
    registry: &Registry,
    custom: &[Custom],
) -> Vec<PolicyMistake> {
    let is_known = |written: &str| {
        registry.find(written).is_some() || custom.iter().any(|rule| rule.id().matches(written))
    };
    let waivers = layers.iter().enumerate();
    let waivers = waivers.flat_map(|(at, layer)| layer.file.waivers.iter().map(move |w| (at, w)));
    let mut suggestions = Suggestions::default();
    let unknown = waivers.filter_map(|(at, waiver)| {
        let rule = waiver.rule.spanned().filter(|rule| !is_known(&rule.value))?;
        Some(unknown_rule(rule, at, registry, &mut suggestions))
    });
    unknown.collect()
}

/// Checks the code and name of a rule that the policy defines.
fn misnamed(
    layer: usize,
    rule: &CustomRule,
    known: &[Custom],
    registry: &Registry,
) -> Vec<PolicyMistake> {
    let mistake = |span, message: String, help: &str| {
        let at = SettingSource { layer, span };
        PolicyMistake { kind: MistakeKind::BadValue, at, message, help: Some(help.to_owned()) }
    };
    let mut out = Vec::new();
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if let Some(id) = rule.id.spanned() {
        let letters = id.value.trim_end_matches(|c: char| c.is_ascii_digit());
        let fits = (2..=12).contains(&letters.len())
            && letters.bytes().all(|b| b.is_ascii_uppercase())
            && digits(&id.value[letters.len()..])
            && id.value.len() <= 16;
        if !fits {
            let message = format!("{} is not a valid code for your own rule", quote(&id.value));
            let help = "use two or more capitals and a number, as in `ORG001`; codes with one capital are built in";
            out.push(mistake(id.span, message, help));
        }
        if known.iter().any(|other| other.id().code() == id.value) {
            let message = format!("rule {} occurs twice", quote(&id.value));
            out.push(mistake(id.span, message, "give one of them another code"));
        }
    }
    if let Some(name) = rule.name.spanned() {
        let parts = || name.value.split('-');
        let word = |part: &str| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        };
        if !(parts().all(word) && parts().count() > 1 && name.value.len() <= 64) {
            let message = format!("{} is not a valid name for a rule", quote(&name.value));
            let help = "use lower-case words joined by hyphens, as in `prod-holds-few-roles`";
            out.push(mistake(name.span, message, help));
        }
        let taken = registry.find(&name.value).is_some()
            || known.iter().any(|other| other.id().name() == name.value);
        if taken {
            let message = format!("the name {} is taken", quote(&name.value));
            out.push(mistake(name.span, message, "give the rule another name"));
        }
    }
    out
}

fn unknown_rule(
    written: &Spanned<String>,
    layer: usize,
    registry: &Registry,
    suggestions: &mut Suggestions,
) -> PolicyMistake {
    let known = registry.names();
    let message = format!("there is no rule {}", quote(&written.value));
    let help = suggestions
        .did_you_mean(&written.value, &known)
        .or_else(|| Some("rules have a code (`E003`) and a name (`expiry-too-long`)".into()));
    PolicyMistake {
        kind: MistakeKind::UnknownRule,
        at: SettingSource { layer, span: written.span },
        message,
        help,
    }
}

fn twice(layer: &PolicyLayer, at: usize, entry: &RuleEntry, first: &RuleEntry) -> PolicyMistake {
    let line = layer.tree.position(first.rule.span.start).line;
    let message = format!(
        "{} and {} (line {line}) are the same rule",
        quote(&entry.rule.value),
        quote(&first.rule.value)
    );
    let source = SettingSource { layer: at, span: entry.rule.span };
    PolicyMistake {
        kind: MistakeKind::Duplicate,
        at: source,
        message,
        help: Some("merge the two entries".into()),
    }
}

fn check_entry(rule: &RuleSpec, entry: &RuleEntry, layer: usize, out: &mut Vec<PolicyMistake>) {
    let all = entry.overrides.iter().map(|item| &item.settings);
    for settings in core::iter::once(&entry.settings).chain(all) {
        out.extend(softened(rule, settings, layer));
        for (name, value) in &settings.options {
            if let Some(doc) = rule.options.iter().find(|doc| doc.name == name.value) {
                out.extend(bad_value(rule, doc, value, layer));
            } else {
                out.push(unknown_option(rule, name, layer));
            }
        }
    }
}

/// Checks the entry of a custom rule, which has no options.
fn check_custom_entry(id: &RuleId, entry: &RuleEntry, layer: usize, out: &mut Vec<PolicyMistake>) {
    let all = entry.overrides.iter().map(|item| &item.settings);
    for settings in core::iter::once(&entry.settings).chain(all) {
        for (name, _) in &settings.options {
            let known = SETTINGS.names();
            let message = format!("rule {} has no option {}", id.code(), quote(&name.value));
            let help = did_you_mean(&name.value, &known);
            out.push(PolicyMistake {
                kind: MistakeKind::UnknownRule,
                at: SettingSource { layer, span: name.span },
                message,
                help,
            });
        }
    }
}

/// Reports an attempt to turn off or lower a rule that no policy may change so.
fn softened(rule: &RuleSpec, settings: &RuleSettings, layer: usize) -> Option<PolicyMistake> {
    if !rule.leaves_unchecked {
        return None;
    }
    let off = settings.enabled.spanned().filter(|set| !set.value);
    let less = settings.severity.spanned().filter(|set| set.value < rule.severity);
    let off = off.map(|set| ("turned off", set.span));
    let (what, span) = off.or(less.map(|set| ("made less severe", set.span)))?;
    let message = format!("rule {} cannot be {what}", rule.id);
    let help = "remove the setting: what cannot be checked is an error, never a warning; exclude \
                files that are not key definitions from the policy's `keys`";
    let at = SettingSource { layer, span };
    Some(PolicyMistake { kind: MistakeKind::UnknownRule, at, message, help: Some(help.into()) })
}

fn unknown_option(rule: &RuleSpec, name: &Spanned<String>, layer: usize) -> PolicyMistake {
    let mut known = SETTINGS.names();
    known.extend(rule.options.iter().map(|doc| doc.name));
    let message = format!("rule {} has no option {}", rule.id, quote(&name.value));
    let help = did_you_mean(&name.value, &known);
    PolicyMistake {
        kind: MistakeKind::UnknownRule,
        at: SettingSource { layer, span: name.span },
        message,
        help,
    }
}

fn bad_value(
    rule: &RuleSpec,
    doc: &OptionDoc,
    value: &OptionValue,
    layer: usize,
) -> Option<PolicyMistake> {
    if doc.kind.read(&value.kind).is_some() {
        return None;
    }
    let expected = doc.kind.expected();
    let seen = match &value.kind {
        OptionKind::Text(text) => quote_refused(text),
        OptionKind::List(_) => "a list".into(),
        OptionKind::Map(_) => "a mapping".into(),
        OptionKind::Nothing => "nothing".into(),
    };
    let message = format!("`{}` of {} takes {expected}, got {seen}", doc.name, rule.id.name());
    let at = SettingSource { layer, span: value.span };
    Some(PolicyMistake { kind: MistakeKind::BadValue, at, message, help: Some(doc.what.into()) })
}
