//! Which rules a run shows: [`Selection`].
//!
//! Findings of locked rules, unknown rules and weakened policies, and findings that say that something
//! could not be checked, are always shown.

use cortexkey_manifest::{did_you_mean, quote};

use super::in_force::Policy;
use crate::model::{Finding, RuleId};

/// The rules that a run shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Codes, names, or the letters of a family; empty for all rules.
    pub select: Vec<String>,
    /// The rules that are not shown, in the same form.
    pub ignore: Vec<String>,
}

/// Why a selection is invalid, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SelectionError {
    pub(crate) message: String,
    pub(crate) help: String,
}

/// Rules whose findings decide whether the policy can be trusted.
const ALWAYS_SHOWN: [&str; 2] = ["P006", "P007"];

impl Selection {
    /// True when it shows every rule.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.select.is_empty() && self.ignore.is_empty()
    }

    /// Whether a finding is shown under a policy.
    pub(crate) fn shows(&self, finding: &Finding, policy: &Policy) -> bool {
        finding.unchecked
            || self.includes(&finding.rule)
            || policy.is_locked(&finding.rule)
            || ALWAYS_SHOWN.contains(&finding.rule.code())
    }

    fn includes(&self, rule: &RuleId) -> bool {
        let any = |written: &[String]| written.iter().any(|written| names(written, rule));
        (self.select.is_empty() || any(&self.select)) && !any(&self.ignore)
    }

    /// Checks that every name is a rule or family of some policy, and that no locked rule is ignored
    /// by its name.
    pub(crate) fn check<'p>(
        &self,
        policies: impl Iterator<Item = &'p Policy> + Clone,
    ) -> Result<(), SelectionError> {
        for written in self.select.iter().chain(&self.ignore) {
            let mut known = policies.clone().flat_map(Policy::rule_ids);
            if !known.any(|rule| names(written, rule)) {
                return Err(unknown(written, policies));
            }
        }
        for written in &self.ignore {
            for policy in policies.clone() {
                let Some(rule) = policy.rule_id(written).filter(|rule| policy.is_locked(rule))
                else {
                    continue;
                };
                let path = policy.path().unwrap_or_default();
                return Err(SelectionError {
                    message: format!("--ignore {written}: {rule} is locked"),
                    help: format!(
                        "`cortexkey policy show --policy {path} --why {written}` says where"
                    ),
                });
            }
        }
        Ok(())
    }
}

/// True when a user's text is the rule's code, its name, or the letters of its code.
fn names(written: &str, rule: &RuleId) -> bool {
    let letters = rule.code().trim_end_matches(|c: char| c.is_ascii_digit());
    rule.matches(written) || letters == written
}

fn unknown<'p>(written: &str, policies: impl Iterator<Item = &'p Policy>) -> SelectionError {
    let ids = policies.flat_map(Policy::rule_ids);
    let known: Vec<&str> = ids.flat_map(|rule| [rule.name(), rule.code()]).collect();
    let help = did_you_mean(written, &known);
    SelectionError {
        message: format!("there is no rule {}", quote(written)),
        help: help.unwrap_or_else(|| "`cortexkey rules` lists all rules".to_owned()),
    }
}
