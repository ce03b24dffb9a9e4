//! What a rule sees, and where it puts what it finds.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::sync::Arc;

use cortexkey_manifest::access::HeldRole;
use cortexkey_manifest::definition::Definition;
use cortexkey_manifest::policy::{Role, Severity, Source as PolicySource};
use cortexkey_manifest::yaml::Tree;
use cortexkey_manifest::{Problem, Span, Token, escape, mask_tokens, tokens_in};
use jiff::Timestamp;

use super::Rule;
use crate::corpus::{Corpus, KeyDocument, document_at};
use crate::finding::{Finding, Fix, Place, Related};
use crate::patterns::Patterns;
use crate::policy::Policy;
use crate::settings::{Settings, Subject};

/// One file, for rules that look at its tree.
pub struct FileContext<'a> {
    /// Its path as output shows it.
    pub path: &'a str,
    /// Its text and tree.
    pub tree: &'a Arc<Tree>,
    /// Its documents, of a file of the corpus.
    pub documents: &'a [KeyDocument],
    /// Index of the file among the report's sources.
    pub source: usize,
    /// True for a file of the policy.
    pub policy: bool,
    /// What looks like a secret in it, once somebody has looked.
    pub(crate) tokens: OnceCell<Vec<Token>>,
}

impl FileContext<'_> {
    /// What looks like a secret by its shape, in the whole text with its comments.
    pub fn tokens(&self) -> &[Token] {
        self.tokens.get_or_init(|| tokens_in(self.tree.source()))
    }

    /// Name of the key whose document holds a place.
    #[must_use]
    pub fn key_at(&self, span: Span) -> Option<String> {
        document_at(self.documents, span)?.definition.as_ref()?.name().map(mask_tokens)
    }
}

/// One key, for rules that look at its definition.
pub struct KeyContext<'a> {
    /// The key.
    pub definition: &'a Definition,
    /// The tree it was read from.
    pub tree: &'a Arc<Tree>,
    /// Index of its file among the report's sources.
    pub source: usize,
    /// Path of its file as output shows it.
    pub path: &'a str,
    /// True when its file holds no other document.
    pub alone: bool,
    /// Regular expressions of the policy.
    pub patterns: &'a Patterns,
    /// The policy.
    pub policy: &'a Policy,
    /// The catalogue's roles, the nearest layer's first.
    pub catalogue: &'a [&'a Role],
    /// Its tenant: said, or the policy's only one.
    pub tenant: Option<&'a str>,
    /// The time.
    pub now: Timestamp,
    /// The roles that it holds, once somebody has asked.
    pub(crate) held: OnceCell<Vec<(usize, HeldRole)>>,
    /// Other rules' settings for this key, for rules that give way to one another.
    pub settings_of: &'a dyn Fn(&str) -> Option<Settings>,
}

impl<'a> KeyContext<'a> {
    /// What a `match` sees of it.
    #[must_use]
    pub fn subject(&self) -> Subject<'a> {
        Subject { definition: self.definition, tenant: self.tenant }
    }
}

/// All files.
pub struct CorpusContext<'a> {
    /// The corpus.
    pub corpus: &'a Corpus,
    /// The policy.
    pub policy: &'a Policy,
    /// Index of the corpus' first file among the report's sources; the lock file is behind its last.
    pub first_source: usize,
    /// The time.
    pub now: Timestamp,
}

impl CorpusContext<'_> {
    /// Index of the lock file among the report's sources.
    #[must_use]
    pub fn lock_source(&self) -> usize {
        self.first_source + self.corpus.files.len()
    }

    /// What holds for a rule and a key, where an override changes it.
    #[must_use]
    pub fn settings_for(
        &self,
        code: &str,
        base: &Settings,
        subject: &Subject<'_>,
    ) -> Option<Settings> {
        base.for_key(self.policy.merged.rules.get(code)?, subject)
    }
}

/// The policy itself.
pub struct PolicyContext<'a> {
    /// The policy.
    pub policy: &'a Policy,
    /// The time.
    pub now: Timestamp,
    /// All files, to see which keys exist.
    pub corpus: &'a Corpus,
}

/// A finding in the making.
#[derive(Clone, Debug)]
pub struct Draft {
    place: Place,
    message: String,
    help: Option<String>,
    related: Vec<Related>,
    key: Option<String>,
    about: String,
    fix: Option<Fix>,
}

impl Draft {
    /// A finding at a place.
    pub fn new(source: usize, span: Span, message: impl Into<String>) -> Self {
        let place = Place { source, span };
        let message = message.into();
        Self {
            place,
            message,
            help: None,
            related: Vec::new(),
            key: None,
            about: String::new(),
            fix: None,
        }
    }

    /// A finding about a key.
    pub fn at_key(cx: &KeyContext<'_>, span: Span, message: impl Into<String>) -> Self {
        Self::new(cx.source, span, message).key(cx.definition.name())
    }

    /// The same with what to do next.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same with how it can be mended.
    #[must_use]
    pub fn fix(mut self, fix: Option<Fix>) -> Self {
        self.fix = fix;
        self
    }

    /// The same with the name of its key.
    #[must_use]
    pub fn key(mut self, name: Option<&str>) -> Self {
        self.key = name.map(mask_tokens);
        self
    }

    /// The same with a second place in the same file.
    #[must_use]
    pub fn also(self, span: Span, words: impl Into<String>) -> Self {
        let source = self.place.source;
        self.also_in(source, span, words)
    }

    /// The same with a second place in another file.
    #[must_use]
    pub fn also_in(mut self, source: usize, span: Span, words: impl Into<String>) -> Self {
        let place = Place { source, span };
        self.related.push(Related { place, message: words.into() });
        self
    }

    /// The same with the policy's line that decided, where one did.
    #[must_use]
    pub fn decided(self, at: Option<PolicySource>, words: impl Into<String>) -> Self {
        // The layers of the policy are the report's first sources.
        match at {
            Some(at) => self.also_in(at.layer, at.span, words),
            None => self,
        }
    }

    /// A reader's mistake as a finding.
    #[must_use]
    pub fn of_problem(source: usize, problem: &Problem) -> Self {
        let mut draft = Self::new(source, problem.span, problem.message.clone());
        draft.help.clone_from(&problem.help);
        draft.about.clone_from(&problem.message);
        for (span, words) in &problem.related {
            draft = draft.also(*span, words.clone());
        }
        draft
    }
}

/// Takes the findings of one rule.
pub struct Sink<'a> {
    pub(crate) rule: &'static Rule,
    pub(crate) severity: Severity,
    pub(crate) out: &'a mut Vec<Finding>,
}

impl Sink<'_> {
    /// Adds a finding.
    pub fn report(&mut self, draft: Draft) {
        let severity = self.severity;
        self.report_at(severity, draft);
    }

    /// Adds a finding of this severity.
    pub(super) fn report_at(&mut self, severity: Severity, draft: Draft) {
        self.out.push(finish(self.rule.code.into(), self.rule.name.into(), severity, draft));
    }

    /// Adds a finding with a severity of its own, where settings differ from key to key.
    pub fn report_as(&mut self, settings: &Settings, draft: Draft) {
        self.report_at(settings.severity, draft);
    }
}

/// A draft with its rule; the fingerprint is added when all findings are known.
pub(crate) fn finish(
    code: Cow<'static, str>,
    name: Cow<'static, str>,
    severity: Severity,
    draft: Draft,
) -> Finding {
    let Draft { place, message, help, mut related, key, about, fix } = draft;
    // Rules quote what they saw; whatever came along with that is masked here once more.
    let safe = |text: &str| escape(&mask_tokens(text));
    let (message, help) = (safe(&message), help.as_deref().map(safe));
    for second in &mut related {
        second.message = safe(&second.message);
    }
    let fingerprint = String::new();
    Finding { code, name, severity, place, message, help, key, related, about, fix, fingerprint }
}
