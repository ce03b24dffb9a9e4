//! The identity of a rule: a code and a name.

use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};
use std::borrow::Cow;

/// A rule's code and name. The code identifies it.
#[derive(Clone, Debug)]
pub struct RuleId {
    code: Cow<'static, str>,
    name: Cow<'static, str>,
}

/// Names that rules had before, each with the rule's code.
const FORMER_NAMES: [(&str, &str); 1] = [("role-mints-keys", "R010")];

/// The subjects of the rules, by letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Y: the YAML of a file.
    Yaml,
    /// S: the format.
    Schema,
    /// N: names, owners and tenants.
    Naming,
    /// L: the security level.
    Level,
    /// R: roles.
    Roles,
    /// A: the scope.
    Scope,
    /// E: expiry.
    Expiry,
    /// X: secrets.
    Secret,
    /// C: several files.
    Corpus,
    /// P: policies, waivers and suppressions.
    Policy,
}

impl RuleId {
    /// The id of a rule of the linter, as in `E003` and `expiry-too-long`.
    #[must_use]
    pub const fn new(code: &'static str, name: &'static str) -> Self {
        Self { code: Cow::Borrowed(code), name: Cow::Borrowed(name) }
    }

    /// The id of a policy's own rule, as in `ORG001` and `prod-has-few-roles`.
    #[must_use]
    pub const fn custom(code: String, name: String) -> Self {
        Self { code: Cow::Owned(code), name: Cow::Owned(name) }
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// True when a user's text is the code, the name or a former name.
    #[must_use]
    pub fn matches(&self, written: &str) -> bool {
        self.code == written || self.name == written || self.was_named(written)
    }

    fn was_named(&self, written: &str) -> bool {
        FORMER_NAMES.iter().any(|(former, code)| *former == written && *code == self.code)
    }

    /// The family of a rule of the linter. A policy's own rule has none: its code has two letters
    /// or more.
    #[must_use]
    pub fn family(&self) -> Option<Family> {
        let [letter, b'0'..=b'9', ..] = self.code.as_bytes() else { return None };
        Some(match letter {
            b'Y' => Family::Yaml,
            b'S' => Family::Schema,
            b'N' => Family::Naming,
            b'L' => Family::Level,
            b'R' => Family::Roles,
            b'A' => Family::Scope,
            b'E' => Family::Expiry,
            b'X' => Family::Secret,
            b'C' => Family::Corpus,
            b'P' => Family::Policy,
            _ => return None,
        })
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.name)
    }
}

impl PartialEq for RuleId {
    fn eq(&self, other: &Self) -> bool {
        self.code == other.code
    }
}

impl Eq for RuleId {}

impl PartialOrd for RuleId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for RuleId {
    fn cmp(&self, other: &Self) -> Ordering {
        self.code.cmp(&other.code)
    }
}

impl Hash for RuleId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.code.hash(state);
    }
}
