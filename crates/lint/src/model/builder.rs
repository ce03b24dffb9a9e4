//! Builds a finding: a rule provides the location, message and hint; the engine adds the rest.

use cortexkey_manifest::policy::Severity;
use cortexkey_manifest::{Problem, Span, escape, mask_tokens};

use super::finding::{Finding, Fix, Related};
use super::rule_id::RuleId;
use super::source::{Location, SourceId};

/// A finding under construction.
#[derive(Clone, Debug)]
pub(crate) struct FindingBuilder {
    location: Location,
    message: String,
    help: Option<String>,
    related: Vec<Related>,
    key: Option<String>,
    detail: String,
    fix: Option<Fix>,
    unchecked: bool,
}

impl FindingBuilder {
    /// A finding at a location.
    pub(crate) fn new(location: Location, message: impl Into<String>) -> Self {
        Self {
            location,
            message: message.into(),
            help: None,
            related: Vec::new(),
            key: None,
            detail: String::new(),
            fix: None,
            unchecked: false,
        }
    }

    /// A reader's mistake as a finding.
    pub(crate) fn of_problem(source: SourceId, problem: &Problem) -> Self {
        let location = Location { source, span: problem.span };
        let mut finding = Self::new(location, problem.message.clone());
        finding.help.clone_from(&problem.help);
        finding.detail.clone_from(&problem.message);
        finding.unchecked = problem.leaves_unchecked();
        for (span, words) in &problem.related {
            finding = finding.also(*span, words.clone());
        }
        finding
    }

    /// Sets the hint.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Sets the fix.
    pub(crate) fn fix(mut self, fix: Option<Fix>) -> Self {
        self.fix = fix;
        self
    }

    /// Sets the name of its key.
    pub(crate) fn key(mut self, name: Option<&str>) -> Self {
        self.key = name.map(key_name);
        self
    }

    /// Sets what distinguishes it from others at its location, in words that do not change over
    /// time.
    pub(crate) fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    /// Marks it as a finding about something that could not be checked.
    pub(crate) fn unchecked(mut self) -> Self {
        self.unchecked = true;
        self
    }

    /// Adds a second location in the same file.
    pub(crate) fn also(self, span: Span, words: impl Into<String>) -> Self {
        let source = self.location.source;
        self.also_at(Location { source, span }, words)
    }

    /// Adds a second location in another file.
    pub(crate) fn also_at(mut self, location: Location, words: impl Into<String>) -> Self {
        self.related.push(Related { location, message: words.into() });
        self
    }

    /// Adds the policy's line that decided it, if there is one.
    pub(crate) fn decided(self, at: Option<Location>, words: impl Into<String>) -> Self {
        match at {
            Some(at) => self.also_at(at, words),
            None => self,
        }
    }

    /// The finding of a rule; its fingerprint is added when all findings are known.
    pub(crate) fn finish(self, rule: RuleId, severity: Severity) -> Finding {
        // Rules quote what they read; possible secrets in it are masked here again.
        let safe = |text: &str| escape(&mask_tokens(text));
        let related = self.related.into_iter().map(|second| {
            let message = safe(&second.message);
            Related { message, ..second }
        });
        Finding {
            rule,
            severity,
            location: self.location,
            message: safe(&self.message),
            help: self.help.as_deref().map(safe),
            key: self.key,
            related: related.collect(),
            detail: self.detail,
            fix: self.fix,
            unchecked: self.unchecked,
            fingerprint: String::new(),
        }
    }
}

/// A key's name for findings. A very long one is truncated, because each of a file's findings has a
/// copy.
fn key_name(name: &str) -> String {
    const LONGEST: usize = 200;
    if name.len() <= LONGEST {
        return mask_tokens(name);
    }
    let end = (0..=LONGEST).rev().find(|at| name.is_char_boundary(*at)).unwrap_or(0);
    let kept = name.get(..end).unwrap_or_default();
    // A possible start of a secret is removed with the rest of it.
    let kept = kept.trim_end_matches(|c: char| !c.is_whitespace());
    format!("{}…", mask_tokens(kept))
}
