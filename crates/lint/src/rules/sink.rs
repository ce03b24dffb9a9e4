//! What a rule sees, and where it puts what it finds.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::HashMap;
use std::sync::Arc;

use cortexkey_manifest::access::HeldRole;
use cortexkey_manifest::definition::Definition;
use cortexkey_manifest::policy::{Role, Severity, Source as PolicySource};
use cortexkey_manifest::yaml::{NodeKind, Tree};
use cortexkey_manifest::{Problem, Span, Token, TokenKind, escape, mask_tokens, tokens_in};
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
    pub(crate) tokens: OnceCell<Vec<FoundToken>>,
}

/// What looks like a secret in a file.
#[derive(Clone, Debug)]
pub struct FoundToken {
    /// Where it stands; of one that only the decoded value shows, the value's place.
    pub span: Span,
    /// What it is.
    pub kind: TokenKind,
    /// The token, where it is not what stands at the place.
    decoded: Option<Box<str>>,
}

impl FoundToken {
    /// The token itself, which must not be shown.
    #[must_use]
    pub fn value<'a>(&'a self, source: &'a str) -> &'a str {
        self.decoded.as_deref().unwrap_or_else(|| self.span.slice(source))
    }
}

impl FileContext<'_> {
    /// What looks like a secret by its shape, in the text with its comments and in the values that
    /// escapes, quotes and line folding make of it.
    pub fn tokens(&self) -> &[FoundToken] {
        self.tokens.get_or_init(|| find_tokens(self.tree))
    }

    /// Name of the key whose document holds a place.
    #[must_use]
    pub fn key_at(&self, span: Span) -> Option<&str> {
        document_at(self.documents, span)?.definition.as_ref()?.name()
    }
}

fn find_tokens(tree: &Tree) -> Vec<FoundToken> {
    let whole = |token: Token| FoundToken { span: token.span, kind: token.kind, decoded: None };
    let written: Vec<FoundToken> = tokens_in(tree.source()).into_iter().map(whole).collect();
    let mut decoded: Vec<FoundToken> = Vec::new();
    for (_, node) in tree.nodes() {
        let NodeKind::Scalar { text: Some(text), .. } = &node.kind else { continue };
        let inside = |token: &&FoundToken| token.span.start < node.span.end;
        let first = written.partition_point(|token| token.span.end <= node.span.start);
        let beside = || written.iter().skip(first).take_while(inside);
        // One finding a value: what only looks like chance gives way to what says what it is.
        let strongest = tokens_in(text).into_iter().max_by_key(|token| match token.kind {
            TokenKind::Random => 0,
            TokenKind::CortexKey => 1,
            TokenKind::Known(_) => 2,
        });
        let Some(token) = strongest else { continue };
        let is_known = match token.kind {
            TokenKind::Random => beside().next().is_some(),
            _ => beside().any(|token| token.kind != TokenKind::Random),
        };
        if !is_known {
            let value = token.span.slice(text).into();
            let kind = token.kind;
            decoded.push(FoundToken { span: node.span, kind, decoded: Some(value) });
        }
    }
    if decoded.is_empty() {
        return written;
    }
    decoded.sort_by_key(|token| token.span);
    let covered = |token: &FoundToken| {
        let next = decoded.partition_point(|other| other.span.end <= token.span.start);
        decoded.get(next).is_some_and(|other| other.span.start <= token.span.start)
    };
    let mut all: Vec<FoundToken> = written.into_iter().filter(|token| !covered(token)).collect();
    all.append(&mut decoded);
    all.sort_by_key(|token| token.span);
    all
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
    /// Path of its file from the folder of the policy in force.
    pub own_path: &'a str,
    /// True when its file holds no other document.
    pub alone: bool,
    /// Regular expressions of the policy.
    pub patterns: &'a Patterns,
    /// The policy.
    pub policy: &'a Policy,
    /// The catalogue's roles, the nearest layer's first.
    pub catalogue: &'a [&'a Role],
    /// The same by name and by id.
    pub listed: &'a Listed<'a>,
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
        let (definition, tenant, policy) = (self.definition, self.tenant, self.policy);
        Subject { definition, tenant, path: Some(self.own_path), policy }
    }
}

/// The catalogue's roles by name and by id: a file may name very many.
#[derive(Debug, Default)]
pub struct Listed<'a> {
    by_name: HashMap<&'a str, &'a Role>,
    by_id: HashMap<&'a str, &'a Role>,
}

impl<'a> Listed<'a> {
    /// Of several of a name the first counts.
    pub(crate) fn new(roles: impl Iterator<Item = &'a Role>) -> Self {
        let mut listed = Self::default();
        for role in roles {
            listed.by_name.entry(&role.name.value).or_insert(role);
            if let Some(id) = role.id.get() {
                listed.by_id.entry(id).or_insert(role);
            }
        }
        listed
    }

    /// The role of a name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&'a Role> {
        self.by_name.get(name).copied()
    }

    /// The role of an id.
    #[must_use]
    pub fn of_id(&self, id: &str) -> Option<&'a Role> {
        self.by_id.get(id).copied()
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
    unchecked: bool,
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
            unchecked: false,
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
        self.key = name.map(key_name);
        self
    }

    /// The same with what tells it from others at its place, in words that no day changes.
    #[must_use]
    pub fn about(mut self, about: impl Into<String>) -> Self {
        self.about = about.into();
        self
    }

    /// The same as one that says that something could not be checked.
    #[must_use]
    pub fn unchecked(mut self) -> Self {
        self.unchecked = true;
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
        draft.unchecked = problem.leaves_unchecked();
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
    let Draft { place, message, help, mut related, key, about, fix, unchecked } = draft;
    // Rules quote what they saw; whatever came along with that is masked here once more.
    let safe = |text: &str| escape(&mask_tokens(text));
    let (message, help) = (safe(&message), help.as_deref().map(safe));
    for second in &mut related {
        second.message = safe(&second.message);
    }
    let fingerprint = String::new();
    Finding {
        code,
        name,
        severity,
        place,
        message,
        help,
        key,
        related,
        about,
        fix,
        unchecked,
        fingerprint,
    }
}

/// A key's name as findings carry it; one of a name that nobody would write is cut, since each of
/// a file's findings has a copy.
fn key_name(name: &str) -> String {
    const LONGEST: usize = 200;
    if name.len() <= LONGEST {
        return mask_tokens(name);
    }
    let end = (0..=LONGEST).rev().find(|at| name.is_char_boundary(*at)).unwrap_or(0);
    let kept = name.get(..end).unwrap_or_default();
    // What may be the begin of a secret goes with the rest of it.
    let kept = kept.trim_end_matches(|c: char| !c.is_whitespace());
    format!("{}…", mask_tokens(kept))
}
