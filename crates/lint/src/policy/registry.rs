//! The rules that a policy can configure: those of the linter, and those that it defines itself.

use cortexkey_manifest::policy::{OptionKind, PolicyLayer, Rules, Severity};

use super::options::OptionDoc;
use crate::model::RuleId;

/// What a policy needs to know about a rule of the linter.
#[derive(Clone, Debug)]
pub(crate) struct RuleSpec {
    /// Its code and name.
    pub(crate) id: RuleId,
    /// Its severity unless a policy sets one.
    pub(crate) severity: Severity,
    /// What a policy can set besides `enabled`, `severity`, `locked`, `waivable` and `overrides`.
    pub(crate) options: &'static [OptionDoc],
    /// Whether each of its findings reports that a part of a file could not be checked. No policy
    /// turns such a rule off or lowers its severity.
    pub(crate) leaves_unchecked: bool,
    /// Whether waivers and comments can cover its findings, whatever the policy sets.
    pub(crate) is_waivable: bool,
}

/// All rules that a policy can name.
#[derive(Debug)]
pub(crate) struct Registry {
    rules: &'static [RuleSpec],
    /// The rules that the policy defines.
    custom: Vec<RuleId>,
}

impl Registry {
    pub(super) fn new(rules: &'static [RuleSpec], layers: &[PolicyLayer]) -> Self {
        let defined = layers.iter().flat_map(|layer| &layer.file.custom_rules);
        let custom = defined.filter_map(|rule| {
            Some(RuleId::custom(rule.id.get()?.clone(), rule.name.get()?.clone()))
        });
        Self { rules, custom: custom.collect() }
    }

    /// The linter's rule of a code or name.
    pub(crate) fn find(&self, written: &str) -> Option<&'static RuleSpec> {
        self.rules.iter().find(|rule| rule.id.matches(written))
    }

    /// The linter's rules, in order.
    pub(crate) fn rules(&self) -> &'static [RuleSpec] {
        self.rules
    }

    /// The id of a rule by its code or name, those that the policy defines included.
    pub(crate) fn id(&self, written: &str) -> Option<&RuleId> {
        let custom = || self.custom.iter().find(|id| id.matches(written));
        self.find(written).map(|rule| &rule.id).or_else(custom)
    }

    /// Names and codes of the linter's rules, for suggestions.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.rules.iter().flat_map(|rule| [rule.id.name(), rule.id.code()]).collect()
    }
}

impl Rules for Registry {
    fn code(&self, written: &str) -> Option<String> {
        self.id(written).map(|id| id.code().to_owned())
    }

    fn severity(&self, code: &str) -> Severity {
        self.find(code).map_or(Severity::Error, |rule| rule.severity)
    }

    fn tightens(
        &self,
        code: &str,
        option: &str,
        from: Option<&OptionKind>,
        to: &OptionKind,
    ) -> bool {
        let options = self.find(code).map_or(&[][..], |rule| rule.options);
        let doc = options.iter().find(|doc| doc.name == option);
        from == Some(to) || doc.is_some_and(|doc| doc.tightens(from, to))
    }
}
