//! The policy in force: layers merged, held against the registry of rules.
//!
//! What names a rule or an option that does not exist is kept as a mistake of the policy, with a
//! suggestion; what this version reads and does not act on is a notice. Nothing is dropped.

use std::borrow::Cow;
use std::sync::Arc;

use cortexkey_core::access::Product;
use cortexkey_manifest::format::SETTINGS;
use cortexkey_manifest::policy::{
    self, CustomRule, Facts, Layer, LayerFault, Layers, Merged, OptionKind, OptionValue, Role,
    RuleEntry, RuleSettings, Rules, Severity, Source, Tenant, Waiver,
};
use cortexkey_manifest::yaml::{Limits, Tree};
use cortexkey_manifest::{Span, Spanned, did_you_mean, quote, quote_refused};

use crate::custom::Custom;
use crate::places::Places;
use crate::rules::{self, OptionDoc, Rule};
use crate::settings::Settings;

/// A mistake of a policy that is no mistake of its form.
#[derive(Clone, Debug)]
pub(crate) struct PolicyMistake {
    /// Code of the rule that it belongs to.
    pub(crate) code: &'static str,
    pub(crate) at: Source,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

/// A policy that keys are held against.
#[derive(Debug)]
pub struct Policy {
    pub(crate) layers: Vec<Layer>,
    pub(crate) faults: Vec<LayerFault>,
    pub(crate) merged: Merged,
    pub(crate) mistakes: Vec<PolicyMistake>,
    pub(crate) custom: Vec<Custom>,
    pub(crate) facts: Facts,
    pub(crate) places: Places,
    notices: Vec<String>,
}

impl Policy {
    /// Merges layers that were read, and checks what they say about rules.
    #[must_use]
    pub fn new(layers: Layers) -> Self {
        let Layers { layers, faults } = layers;
        let merged = Merged::new(&layers, &Registry::of(&layers));
        let facts = Facts::new(&layers);
        let (places, misplaced) = Places::new(&layers);
        let misplaced = misplaced.into_iter().map(|(at, message)| PolicyMistake {
            code: "S004",
            at,
            message,
            help: Some("write a pattern such as `keys/prod/**`, from this policy's folder".into()),
        });
        let (mistakes, custom, notices) = (misplaced.collect(), Vec::new(), Vec::new());
        let mut policy = Self { layers, faults, merged, mistakes, custom, facts, places, notices };
        policy.check_custom();
        policy.check_rules();
        policy.check_waivers();
        policy
    }

    /// The same where `whole` gives the whole path of each of its files, so that patterns of files
    /// start from the right folder.
    #[must_use]
    pub(crate) fn standing(mut self, whole: &dyn Fn(&str) -> String) -> Self {
        self.places.stand(&self.layers, whole);
        self
    }

    /// A built-in policy; nothing when there is none of that name.
    #[must_use]
    pub fn builtin(name: &str) -> Option<Self> {
        let mut none = |path: &str| Err(format!("cannot read {path}"));
        policy::load(name, &Limits::default(), &mut none).ok().map(Self::new)
    }

    /// Reads a policy from its text; parents other than built-in ones cannot be reached.
    #[must_use]
    pub fn from_text(path: &str, text: &str) -> Self {
        let mut read = |wanted: &str| {
            let found = wanted == path;
            found.then(|| text.as_bytes().to_vec()).ok_or_else(|| format!("cannot read {wanted}"))
        };
        Self::new(policy::load(path, &Limits::default(), &mut read).unwrap_or_default())
    }

    /// False when the policy has mistakes: what it asks for is not certain then.
    #[must_use]
    pub fn stands(&self) -> bool {
        self.faults.is_empty() && self.mistakes.is_empty()
    }

    /// False when a file of the policy could not be read to its end, so that keys cannot be
    /// judged at all.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        self.faults.is_empty()
    }

    /// What this version reads and does not act on, in sentences.
    #[must_use]
    pub fn notices(&self) -> &[String] {
        &self.notices
    }

    /// Path of the policy itself, or `builtin:…`; nothing where none of its files could be read.
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        self.layers.last().map(|layer| layer.path.as_str())
    }

    /// Patterns of the corpus, with the path of the policy file that has them: those of every layer,
    /// since a child takes nothing out of its parent's corpus.
    pub fn keys(&self) -> impl Iterator<Item = (&str, &[Spanned<String>])> {
        self.layers
            .iter()
            .filter_map(|layer| Some((layer.path.as_str(), layer.file.keys.as_deref()?)))
    }

    /// How long before its end a key with a lifetime is due to be rotated, in milliseconds; the
    /// nearest layer's word.
    #[must_use]
    pub fn rotate_before_ms(&self) -> Option<u64> {
        let said = self.layers.iter().rev().find_map(|layer| layer.file.rotate_before.get())?;
        u64::try_from(said.as_millis()).ok()
    }

    /// Path, tree and text of all files of the policy.
    pub(crate) fn sources(&self) -> impl Iterator<Item = (&str, &Arc<Tree>)> {
        self.layers.iter().map(|layer| (layer.path.as_str(), &layer.tree))
    }

    /// Patterns of the files with the policy's own cases; those of its parents are theirs.
    pub(crate) fn tests(&self) -> impl Iterator<Item = &str> {
        let own = self.layers.last().into_iter().flat_map(|layer| &layer.file.tests);
        own.map(|pattern| pattern.value.as_str())
    }

    /// A tenant by name.
    #[must_use]
    pub fn tenant(&self, name: &str) -> Option<&Tenant> {
        self.tenants().find(|(known, _)| known.value == name).map(|(_, tenant)| tenant)
    }

    /// A tenant by name, with the index of the layer that has it.
    #[must_use]
    pub fn tenant_at(&self, name: &str) -> Option<(usize, &Tenant)> {
        let mut tenants = self.facts.tenants();
        tenants.find(|(_, (known, _))| known.value == name).map(|(at, (_, tenant))| (at, tenant))
    }

    /// All tenants, the nearest layer's first.
    pub fn tenants(&self) -> impl Iterator<Item = &(Spanned<String>, Tenant)> {
        self.facts.tenants().map(|(_, tenant)| tenant)
    }

    /// The tenant of keys that name none, where there is one.
    #[must_use]
    pub fn only_tenant(&self) -> Option<&str> {
        self.facts.only_tenant()
    }

    /// Product of a tenant, where both are known.
    #[must_use]
    pub fn product(&self, tenant: Option<&str>) -> Option<Product> {
        self.tenant(tenant?)?.product.get().copied()
    }

    /// Roles of the catalogue, the nearest layer's first.
    pub fn roles(&self) -> impl Iterator<Item = &Role> {
        self.roles_at().map(|(_, role)| role)
    }

    /// The same with the index of their layer.
    pub fn roles_at(&self) -> impl Iterator<Item = (usize, &Role)> {
        let roles = self.facts.roles().iter();
        roles.map(|(at, index)| (*at, &self.layers[*at].file.catalog.roles[*index]))
    }

    /// Roles that do not go together, with the index of their layer.
    pub fn conflicts(&self) -> impl Iterator<Item = (usize, &[Spanned<String>])> {
        let layers = self.layers.iter().enumerate();
        layers.flat_map(|(at, layer)| {
            layer.file.catalog.conflicts.iter().map(move |pair| (at, pair.as_slice()))
        })
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

    fn check_rules(&mut self) {
        let mut mistakes = Vec::new();
        let mut notices = Vec::new();
        for (at, layer) in self.layers.iter().enumerate() {
            let mut seen: Vec<(Cow<'static, str>, &RuleEntry)> = Vec::new();
            for entry in &layer.file.rules {
                let Some(code) = self.code_of(&entry.rule.value) else {
                    mistakes.push(unknown_rule(&entry.rule, at));
                    continue;
                };
                if let Some((_, first)) = seen.iter().find(|(known, _)| *known == code) {
                    mistakes.push(twice(layer, at, entry, first));
                }
                let is_own = self.custom(&code).is_some();
                match rules::find(&code) {
                    Some(rule) => check_entry(rule, entry, at, &mut mistakes),
                    None if is_own => check_own_entry(&code, entry, at, &mut mistakes),
                    None => notices.push(format!(
                        "{}: rule {} is not checked by this version of cortexkey",
                        at_line(layer, entry.rule.span),
                        rules::label(&code),
                    )),
                }
                seen.push((code, entry));
            }
        }
        self.mistakes.extend(mistakes);
        self.notices.extend(notices);
    }

    fn check_waivers(&mut self) {
        let mut mistakes = Vec::new();
        for (at, waiver) in self.waivers() {
            if let Some(rule) = waiver.rule.spanned()
                && self.code_of(&rule.value).is_none()
            {
                mistakes.push(unknown_rule(rule, at));
            }
        }
        self.mistakes.extend(mistakes);
    }

    /// The code of a rule by its code or name, those of the policy's own rules included.
    #[must_use]
    pub fn code_of(&self, written: &str) -> Option<Cow<'static, str>> {
        rules::code_of(written)
            .map(Cow::Borrowed)
            .or_else(|| self.custom(written).map(|own| Cow::Owned(own.id.clone())))
    }

    /// A rule of the policy's own, by its code or name.
    #[must_use]
    pub fn custom(&self, written: &str) -> Option<&Custom> {
        self.custom.iter().find(|rule| rule.id == written || rule.name == written)
    }

    /// The policy's own rules, in the order written.
    pub fn custom_rules(&self) -> impl Iterator<Item = &Custom> {
        self.custom.iter()
    }

    /// What holds for a rule of the policy's own and keys that no override matches.
    #[must_use]
    pub fn custom_settings(&self, custom: &Custom) -> Settings {
        Settings::of_own(self.merged.rules.get(&custom.id))
    }

    /// What holds for a rule and keys that no override matches.
    #[must_use]
    pub fn settings(&self, rule: &Rule) -> Settings {
        Settings::base(rule, self.merged.rules.get(rule.code))
    }

    /// Code and name of a rule together.
    pub(crate) fn label(&self, code: &str) -> String {
        match self.custom.iter().find(|rule| rule.id == code) {
            Some(own) => format!("{} {}", own.id, own.name),
            None => rules::label(code),
        }
    }

    fn check_custom(&mut self) {
        if self.layers.iter().all(|layer| layer.file.custom_rules.is_empty()) {
            return;
        }
        let env = Arc::new(cel::Env::stdlib());
        let layers = self.layers.iter().enumerate();
        let all =
            layers.flat_map(|(at, layer)| layer.file.custom_rules.iter().map(move |r| (at, r)));
        for (layer, rule) in all {
            let mut mistakes = misnamed(layer, rule, &self.custom);
            match Custom::new(layer, rule, &env) {
                Some(Ok(custom)) if mistakes.is_empty() => self.custom.push(custom),
                Some(Err((span, error))) => {
                    let at = Source { layer, span };
                    let (message, help) = (error.message, error.help);
                    mistakes.push(PolicyMistake { code: "S004", at, message, help });
                }
                _ => {}
            }
            self.mistakes.extend(mistakes);
        }
    }
}

/// What is wrong with the code and the name of a policy's own rule.
fn misnamed(layer: usize, rule: &CustomRule, known: &[Custom]) -> Vec<PolicyMistake> {
    let mistake = |span, message: String, help: &str| {
        let at = Source { layer, span };
        PolicyMistake { code: "S004", at, message, help: Some(help.to_owned()) }
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
            let message = format!("{} is no code for a rule of your own", quote(&id.value));
            let help = "two or more capitals and a number, as in `ORG001`; one capital is ours";
            out.push(mistake(id.span, message, help));
        }
        if known.iter().any(|other| other.id == id.value) {
            let message = format!("rule {} stands twice", quote(&id.value));
            out.push(mistake(id.span, message, "give one of them another code"));
        }
    }
    if let Some(name) = rule.name.spanned() {
        let parts = || name.value.split('-');
        let word = |part: &str| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        };
        if !(parts().all(word) && parts().count() > 1 && name.value.len() <= 64) {
            let message = format!("{} is no name for a rule", quote(&name.value));
            let help = "small letters, and words joined by hyphens, as in `prod-holds-few-roles`";
            out.push(mistake(name.span, message, help));
        }
        let taken = rules::code_of(&name.value).is_some()
            || known.iter().any(|other| other.name == name.value);
        if taken {
            let message = format!("the name {} is taken", quote(&name.value));
            out.push(mistake(name.span, message, "give the rule another name"));
        }
    }
    out
}

/// The registry and the policy's own rules, as merging asks them.
struct Registry {
    /// Code and name of each rule of the policy's own.
    own: Vec<(String, String)>,
}

impl Registry {
    fn of(layers: &[Layer]) -> Self {
        let all = layers.iter().flat_map(|layer| &layer.file.custom_rules);
        let own = all.filter_map(|rule| Some((rule.id.get()?.clone(), rule.name.get()?.clone())));
        Self { own: own.collect() }
    }
}

impl Rules for Registry {
    fn code(&self, written: &str) -> Option<String> {
        rules::code_of(written).map(str::to_owned).or_else(|| {
            let own = self.own.iter().find(|(id, name)| id == written || name == written);
            own.map(|(id, _)| id.clone())
        })
    }

    fn severity(&self, code: &str) -> Severity {
        rules::find(code).map_or(Severity::Error, |rule| rule.severity)
    }

    fn tightens(
        &self,
        code: &str,
        option: &str,
        from: Option<&OptionKind>,
        to: &OptionKind,
    ) -> bool {
        if from == Some(to) {
            return true;
        }
        let doc = rules::find(code).and_then(|rule| rule.options.iter().find(|o| o.name == option));
        doc.is_some_and(|doc| doc.tightens(from, to))
    }
}

fn unknown_rule(written: &Spanned<String>, layer: usize) -> PolicyMistake {
    let known = rules::all_ids();
    let message = format!("there is no rule {}", quote(&written.value));
    let help = did_you_mean(&written.value, &known)
        .or_else(|| Some("rules have a code (`E003`) and a name (`expiry-too-long`)".into()));
    PolicyMistake { code: "P006", at: Source { layer, span: written.span }, message, help }
}

fn twice(layer: &Layer, at: usize, entry: &RuleEntry, first: &RuleEntry) -> PolicyMistake {
    let line = layer.tree.position(first.rule.span.start).line;
    let message = format!(
        "{} and {} (line {line}) are the same rule",
        quote(&entry.rule.value),
        quote(&first.rule.value)
    );
    let source = Source { layer: at, span: entry.rule.span };
    PolicyMistake { code: "Y002", at: source, message, help: Some("join the two entries".into()) }
}

fn check_entry(rule: &Rule, entry: &RuleEntry, layer: usize, out: &mut Vec<PolicyMistake>) {
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

/// The same for a rule of the policy's own, which has no options.
fn check_own_entry(code: &str, entry: &RuleEntry, layer: usize, out: &mut Vec<PolicyMistake>) {
    let all = entry.overrides.iter().map(|item| &item.settings);
    for settings in core::iter::once(&entry.settings).chain(all) {
        for (name, _) in &settings.options {
            let known = SETTINGS.names();
            let message = format!("rule {code} has no option {}", quote(&name.value));
            let help = did_you_mean(&name.value, &known);
            out.push(PolicyMistake {
                code: "P006",
                at: Source { layer, span: name.span },
                message,
                help,
            });
        }
    }
}

/// An attempt to turn off or make less grave what no policy may.
fn softened(rule: &Rule, settings: &RuleSettings, layer: usize) -> Option<PolicyMistake> {
    if !rule.leaves_unchecked() {
        return None;
    }
    let off = settings.enabled.spanned().filter(|set| !set.value);
    let less = settings.severity.spanned().filter(|set| set.value < rule.severity);
    let off = off.map(|set| ("turned off", set.span));
    let (what, span) = off.or(less.map(|set| ("made less grave", set.span)))?;
    let message = format!("rule {} cannot be {what}", rules::label(rule.code));
    let help = "remove the setting: what cannot be checked is an error, never a warning; take files \
                that are no key definitions out of the policy's `keys`";
    let at = Source { layer, span };
    Some(PolicyMistake { code: "P006", at, message, help: Some(help.into()) })
}

fn unknown_option(rule: &Rule, name: &Spanned<String>, layer: usize) -> PolicyMistake {
    let mut known = SETTINGS.names();
    known.extend(rule.options.iter().map(|doc| doc.name));
    let message = format!("rule {} has no option {}", rules::label(rule.code), quote(&name.value));
    let help = did_you_mean(&name.value, &known);
    PolicyMistake { code: "P006", at: Source { layer, span: name.span }, message, help }
}

fn bad_value(
    rule: &Rule,
    doc: &OptionDoc,
    value: &OptionValue,
    layer: usize,
) -> Option<PolicyMistake> {
    let expected = doc.kind.refuses(&value.kind)?;
    let seen = match &value.kind {
        OptionKind::Text(text) => quote_refused(text),
        OptionKind::List(_) => "a list".into(),
        OptionKind::Map(_) => "a mapping".into(),
        OptionKind::Nothing => "nothing".into(),
    };
    let message = format!("`{}` of {} takes {expected}; {seen} stands here", doc.name, rule.name);
    let at = Source { layer, span: value.span };
    Some(PolicyMistake { code: "S004", at, message, help: Some(doc.what.into()) })
}

fn at_line(layer: &Layer, span: Span) -> String {
    format!("{}:{}", layer.path, layer.tree.position(span.start).line)
}
