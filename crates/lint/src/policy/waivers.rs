//! Which findings waivers may cover, and which fields a waiver needs.

use cortexkey_manifest::policy::pinned::is_copy;
use cortexkey_manifest::policy::{Waiver, is_builtin};

use super::in_force::Policy;
use crate::model::{Finding, Location, RuleId};

/// Why no waiver and no comment covers a finding.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Forbidden {
    /// The reason, in a few words.
    pub(crate) reason: &'static str,
    /// The policy's line that decides it, if there is one.
    pub(crate) decided: Option<Location>,
}

impl Policy {
    /// Why a finding cannot be covered, if it cannot.
    pub(crate) fn cover_forbidden(&self, finding: &Finding) -> Option<Forbidden> {
        if finding.unchecked { Some(UNCHECKED) } else { self.waiver_forbidden(&finding.rule, None) }
    }

    /// The policy file that a waiver of a finding belongs in: the policy's own, or the nearest parent
    /// that may grant an exception. The error says why there is none.
    pub fn waiver_file(&self, finding: &Finding) -> Result<&str, &'static str> {
        let mut refusal = "no policy file is in force";
        if finding.unchecked {
            return Err(UNCHECKED.reason);
        }
        for (at, layer) in self.layers.iter().enumerate().rev() {
            if is_builtin(&layer.path) {
                continue;
            }
            if is_copy(&layer.path) {
                refusal =
                    "a remote policy locks it; it can be waived only in that policy's repository";
                continue;
            }
            match self.waiver_forbidden(&finding.rule, Some(at)) {
                None => return Ok(&layer.path),
                Some(forbidden) => refusal = forbidden.reason,
            }
        }
        Err(refusal)
    }

    /// Whether a comment in a definition may suppress a finding.
    #[must_use]
    pub fn may_suppress(&self, finding: &Finding) -> bool {
        !finding.unchecked && self.waiver_forbidden(&finding.rule, None).is_none()
    }

    /// Why a rule cannot be waived, if it cannot. `layer` is the one that has the waiver; a comment
    /// is in no layer.
    pub(crate) fn waiver_forbidden(
        &self,
        rule: &RuleId,
        layer: Option<usize>,
    ) -> Option<Forbidden> {
        if self.registry.find(rule.code()).is_some_and(|rule| !rule.is_waivable) {
            return Some(UNCHECKED);
        }
        let resolved = self.resolved(rule)?;
        let forbidden = |reason, at| Some(Forbidden { reason, decided: Some(self.location(at)) });
        if let Some(waivable) = resolved.waivable.as_ref().filter(|waivable| !waivable.value) {
            return forbidden("the policy forbids it", waivable.source);
        }
        let lock = resolved.locked?;
        // The layer that locked it may grant exceptions, and so may its ancestors.
        let may_grant = layer.is_some_and(|layer| {
            layer == lock.layer || self.layers[lock.layer].ancestors.contains(&layer)
        });
        if may_grant { None } else { forbidden("it is locked", lock) }
    }
}

const UNCHECKED: Forbidden =
    Forbidden { reason: "it reports that something could not be checked", decided: None };

/// The fields that a waiver needs and lacks.
pub(crate) fn lacking(waiver: &Waiver) -> Vec<&'static str> {
    let blank = |text: Option<&String>| text.is_none_or(|text| text.trim().is_empty());
    let fields = [
        ("reason", blank(waiver.reason.get())),
        ("approver", blank(waiver.approved_by.get())),
        // An expiry that could not be read has been reported already.
        ("end", waiver.expires.is_missing()),
    ];
    fields.into_iter().filter(|(_, lacks)| *lacks).map(|(name, _)| name).collect()
}

/// True when a waiver's `key` means this key.
pub(crate) fn names_key(written: &str, tenant: Option<&str>, name: &str) -> bool {
    match written.split_once('/') {
        Some((wanted, key)) => key == name && Some(wanted) == tenant,
        None => written == name,
    }
}
