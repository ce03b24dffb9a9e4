//! Suppressions in comments: `# cortexkey: ignore[expiry-too-long] reason="SEC-77"
//! until=2026-12-31`. At the end of a line, it covers the findings of that line; on its own line,
//! those of the node below. Without a reason and an expiry it covers nothing, and it never covers
//! rules that are locked or not waivable. A suppression that covers nothing is reported.

use std::cell::LazyCell;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use cortexkey_manifest::definition::moment;
use cortexkey_manifest::yaml::{NodeKind, Tree};
use cortexkey_manifest::{Span, Suggestions, did_you_mean, quote};
use jiff::Timestamp;
use thiserror::Error;

use super::run::Run;
use super::seen::Seen;
use crate::model::{
    Finding, FindingBuilder, Fix, Location, RuleId, SourceId, WaivedBy, WaivedFinding,
    duration_beyond, duration_in_words,
};
use crate::rule::Rule;
use crate::rules;
use crate::rules::policy::p003_waiver_too_long::Options as WaiverLimit;
use crate::rules::policy::{
    p001_waiver_expired, p003_waiver_too_long, p004_suppression_not_allowed,
    p005_suppression_unused, p006_unknown_rule, p009_waiver_incomplete,
};

/// One comment that is meant to suppress something.
#[derive(Clone, Debug)]
pub(crate) struct Suppression {
    /// Its file.
    source: SourceId,
    tree: Arc<Tree>,
    /// The comment.
    span: Span,
    /// What it covers.
    covers: Span,
    /// The rules as written, each with its span.
    rules: Vec<(String, Span)>,
    reason: bool,
    until: Option<(Timestamp, Span)>,
    /// What is wrong with its form.
    fault: Option<Malformed>,
}

/// What is wrong with the form of a suppression.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
enum Malformed {
    #[error("a comment for cortexkey starts with `ignore[RULE]`")]
    NoList,
    #[error("the list of rules is not closed")]
    OpenList,
    #[error("a rule is missing in `ignore[…]`")]
    EmptyRule,
    #[error("after the rules, write `reason=\"…\"` and `until=DATE`")]
    NoFields,
    #[error("a quote is not closed")]
    OpenQuote,
    #[error("{written} in `until`: {reason}")]
    Until { written: String, reason: String },
    #[error("a suppression has no {written}; {hint}")]
    UnknownField { written: String, hint: String },
    #[error("`{name}` occurs twice")]
    Repeated { name: String },
}

const MARK: &str = "cortexkey:";
const EXAMPLE: &str =
    "write `# cortexkey: ignore[expiry-too-long] reason=\"SEC-77\" until=2026-12-31`";

/// All suppressions of a file.
pub(super) fn read(source: SourceId, tree: &Arc<Tree>) -> Vec<Suppression> {
    // Few files have such a comment, and some have thousands.
    let beginnings = LazyCell::new(|| beginnings(tree));
    let comments = tree.comments().iter().filter_map(|comment| {
        let text = comment.span.slice(tree.source());
        let body = text.trim_start_matches('#').trim_start();
        let rest = body.strip_prefix(MARK)?;
        let start = comment.span.start as usize + (text.len() - rest.len());
        let covers = if comment.trailing {
            let at = comment.span.start as usize;
            Span::new(tree.line_start(at), tree.line_end(at))
        } else {
            below(&beginnings, comment.span.end)
        };
        let mut suppression = Suppression {
            source,
            tree: Arc::clone(tree),
            span: comment.span,
            covers,
            rules: Vec::new(),
            reason: false,
            until: None,
            fault: None,
        };
        suppression.fault = suppression.parse(rest, start).err();
        Some(suppression)
    });
    comments.collect()
}

/// The spans that start at each node, item and key, sorted.
fn beginnings(tree: &Tree) -> Vec<(u32, u32)> {
    let mut spans = Vec::new();
    for (_, node) in tree.nodes() {
        spans.push((node.span.start, node.span.start));
        match &node.kind {
            NodeKind::Sequence { items, .. } => {
                let items = items.iter().map(|item| tree.node(*item).span);
                spans.extend(items.map(|item| (item.start, item.end)));
            }
            NodeKind::Mapping { entries, .. } => {
                spans.extend(entries.iter().map(|entry| {
                    let key = tree.node(entry.key).span;
                    let value = tree.node(entry.value).span;
                    (key.start, value.end.max(key.end))
                }));
            }
            _ => {}
        }
    }
    spans.sort_unstable();
    spans
}

/// The next item, or key with its value, after an offset.
fn below(beginnings: &[(u32, u32)], offset: u32) -> Span {
    let behind = &beginnings[beginnings.partition_point(|(start, _)| *start < offset)..];
    let Some((next, _)) = behind.first() else { return Span { start: offset, end: offset } };
    let same = &behind[..behind.partition_point(|(start, _)| start == next)];
    let end = same.last().map_or(*next, |(_, end)| *end);
    Span { start: *next, end }
}

impl Suppression {
    /// Parses the text after the mark; `start` is its offset in the file.
    fn parse(&mut self, text: &str, start: usize) -> Result<(), Malformed> {
        let body = text.trim_start();
        let lead = text.len() - body.len();
        let list = body.strip_prefix("ignore[").ok_or(Malformed::NoList)?;
        let (list, mut rest) = list.split_once(']').ok_or(Malformed::OpenList)?;
        let mut at = start + lead + "ignore[".len();
        for part in list.split(',') {
            let name = part.trim();
            let begin = at + (part.len() - part.trim_start().len());
            if name.is_empty() {
                return Err(Malformed::EmptyRule);
            }
            self.rules.push((name.to_owned(), Span::new(begin, begin + name.len())));
            at += part.len() + 1;
        }
        let mut seen: Vec<&str> = Vec::new();
        while !rest.trim_start().is_empty() {
            let offset = start + text.len() - rest.trim_start().len();
            let (name, value) = rest.trim_start().split_once('=').ok_or(Malformed::NoFields)?;
            let (value, length, left) = if let Some(quoted) = value.strip_prefix('"') {
                let (value, left) = quoted.split_once('"').ok_or(Malformed::OpenQuote)?;
                (value, value.len() + 2, left)
            } else {
                let end = value.find([' ', '\t']).unwrap_or(value.len());
                let (value, left) = value.split_at(end);
                (value, value.len(), left)
            };
            let place = offset + name.len() + 1;
            let name = name.trim();
            if seen.contains(&name) {
                return Err(Malformed::Repeated { name: name.to_owned() });
            }
            seen.push(name);
            match name {
                "reason" => self.reason = !value.trim().is_empty(),
                "until" => {
                    let end = moment(value).map_err(|error| Malformed::Until {
                        written: quote(value),
                        reason: error.message,
                    })?;
                    self.until = Some((end, Span::new(place, place + length)));
                }
                other => {
                    let hint = did_you_mean(other, &["reason", "until"]).unwrap_or_default();
                    return Err(Malformed::UnknownField { written: quote(other), hint });
                }
            }
            rest = left;
        }
        Ok(())
    }

    fn lacking(&self) -> Vec<&'static str> {
        let fields = [("reason", !self.reason), ("expiry (`until`)", self.until.is_none())];
        fields.into_iter().filter(|(_, lacks)| *lacks).map(|(name, _)| name).collect()
    }

    fn is_in_force(&self, now: Timestamp) -> bool {
        let complete = self.fault.is_none() && self.reason;
        complete && self.until.is_some_and(|(end, _)| end > now)
    }
}

/// The index of a comment, and the index of one of its rules.
type CommentRule = (usize, usize);

/// The remaining and the suppressed findings.
#[derive(Default)]
pub(super) struct SuppressionOutcome {
    pub(super) kept: Vec<Finding>,
    pub(super) waived: Vec<WaivedFinding>,
    pub(super) outcomes: CommentOutcomes,
}

/// The outcome for each rule of each comment.
#[derive(Default)]
pub(super) struct CommentOutcomes {
    /// Those that suppressed something.
    used: BTreeSet<CommentRule>,
    /// Those that cover a finding which cannot be suppressed.
    refused: BTreeSet<CommentRule>,
}

/// One rule of one comment, and what it covers.
struct CommentCover {
    source: SourceId,
    covers: Span,
    rule: RuleId,
    at: CommentRule,
}

/// Removes the findings that comments cover and may suppress. If several comments cover a finding,
/// the one that starts last counts, since it is the nearest.
pub(super) fn apply(
    run: &Run<'_>,
    mut findings: Vec<Finding>,
    all: &[Suppression],
) -> SuppressionOutcome {
    let mut out = SuppressionOutcome::default();
    let mut covers = covers(run, all);
    if covers.is_empty() {
        out.kept = findings;
        return out;
    }
    // Findings and covers are sorted: a cover is added where it starts, and removed once it has
    // ended.
    covers.sort_by_key(|cover| (cover.source, cover.covers.start));
    findings.sort_by_key(|finding| (finding.location.source, finding.location.span.start));
    let mut coming = covers.iter().peekable();
    let mut open: HashMap<&RuleId, Vec<&CommentCover>> = HashMap::new();
    for finding in findings {
        let source = finding.location.source;
        let start = finding.location.span.start;
        let begins = |cover: &&CommentCover| (cover.source, cover.covers.start) <= (source, start);
        while let Some(cover) = coming.next_if(|cover| begins(cover)) {
            open.entry(&cover.rule).or_default().push(cover);
        }
        let own = open.get_mut(&finding.rule);
        let nearest = own.and_then(|own| {
            let ended = |cover: &CommentCover| cover.source != source || cover.covers.end < start;
            while own.last().is_some_and(|cover| ended(cover)) {
                own.pop();
            }
            own.last().map(|cover| cover.at)
        });
        match nearest {
            None => out.kept.push(finding),
            Some(at) if finding.unchecked => {
                out.outcomes.refused.insert(at);
                out.kept.push(finding);
            }
            Some(at) => {
                out.outcomes.used.insert(at);
                out.waived.push(WaivedFinding { finding, by: WaivedBy::Comment });
            }
        }
    }
    out
}

/// The ranges that comments in force cover, for each rule that they may suppress.
fn covers(run: &Run<'_>, all: &[Suppression]) -> Vec<CommentCover> {
    let mut covers = Vec::new();
    for (comment, one) in all.iter().enumerate().filter(|(_, one)| one.is_in_force(run.now)) {
        for (number, (written, _)) in one.rules.iter().enumerate() {
            let Some(rule) = run.policy.rule_id(written) else { continue };
            if run.policy.waiver_forbidden(&rule, None).is_none() {
                let source = one.source;
                let covered = one.covers;
                covers.push(CommentCover { source, covers: covered, rule, at: (comment, number) });
            }
        }
    }
    covers
}

/// Reports comments that have expired, are unused, incomplete, too long or not allowed.
pub(super) fn check_suppressions(
    run: &Run<'_>,
    seen: &Seen<'_>,
    all: &[Suppression],
    outcomes: &CommentOutcomes,
) -> Vec<Finding> {
    let mut out = Vec::new();
    let mut suggestions = Suggestions::default();
    for (comment, one) in all.iter().enumerate() {
        for (rule, finding) in one.check(run, seen, comment, outcomes, &mut suggestions) {
            run.report(rule, finding, &mut out);
        }
    }
    out
}

/// A finding with its rule.
type RuleFinding = (&'static Rule, FindingBuilder);

impl Suppression {
    fn finding(&self, span: Span, message: impl Into<String>) -> FindingBuilder {
        FindingBuilder::new(Location { source: self.source, span }, message)
    }

    fn check(
        &self,
        run: &Run<'_>,
        seen: &Seen<'_>,
        comment: usize,
        outcomes: &CommentOutcomes,
        suggestions: &mut Suggestions,
    ) -> Vec<RuleFinding> {
        if let Some(fault) = &self.fault {
            let finding = self.finding(self.span, fault.to_string()).help(EXAMPLE);
            return vec![(&p009_waiver_incomplete::RULE, finding)];
        }
        let numbers = 0..self.rules.len();
        let rules = numbers
            .filter_map(|at| self.check_rule(run, seen, (comment, at), outcomes, suggestions));
        let mut found: Vec<RuleFinding> = rules.collect();
        let lacking = self.lacking();
        if !lacking.is_empty() {
            let message =
                format!("this comment has no {} and suppresses nothing", lacking.join(", no "));
            let finding = self.finding(self.span, message).help(EXAMPLE);
            found.push((&p009_waiver_incomplete::RULE, finding));
        }
        found.extend(self.check_end(run));
        found
    }

    /// Checks one of the rules that a comment names.
    fn check_rule(
        &self,
        run: &Run<'_>,
        seen: &Seen<'_>,
        at: CommentRule,
        outcomes: &CommentOutcomes,
        suggestions: &mut Suggestions,
    ) -> Option<RuleFinding> {
        let (written, span) = self.rules.get(at.1)?;
        let Some(rule) = run.policy.rule_id(written) else {
            let hint = suggestions.did_you_mean(written, &rules::all_ids());
            let help = hint.unwrap_or_else(|| "`cortexkey rules` lists all rules".into());
            let finding = self.finding(*span, format!("there is no rule {}", quote(written)));
            return Some((&p006_unknown_rule::RULE, finding.help(help)));
        };
        if let Some(forbidden) = run.policy.waiver_forbidden(&rule, None) {
            let message = format!("a comment cannot suppress rule {rule}: {}", forbidden.reason);
            let finding = self
                .finding(*span, message)
                .help("fix the key, and remove the comment")
                .decided(forbidden.decided, "set here");
            return Some((&p004_suppression_not_allowed::RULE, finding));
        }
        if outcomes.used.contains(&at) {
            return None;
        }
        let code = rule.code();
        if outcomes.refused.contains(&at) {
            let message = format!(
                "a comment does not suppress this finding {code}: it reports that something \
                 could not be checked"
            );
            let help = "fix what cannot be read, and remove the comment";
            let finding = self.finding(*span, message).help(help);
            return Some((&p004_suppression_not_allowed::RULE, finding));
        }
        let file = run.corpus.files.iter().find(|file| SourceId::File(file.id) == self.source)?;
        // A rule that could not check everything may report the finding in the next run.
        let is_checked = seen.has_input(&rule) && seen.has_checked(file);
        (is_checked && self.is_in_force(run.now)).then(|| {
            let documents = file.documents.iter().filter_map(|one| one.definition.as_ref());
            let is_on = documents.clone().all(|one| seen.is_on(&rule, file, one));
            let message =
                format!("this comment suppresses nothing: there is no finding {code} here");
            let finding = self
                .finding(*span, message)
                .help("remove it; it would hide the next finding")
                .fix(self.removal(at.1).filter(|_| is_on));
            (&p005_suppression_unused::RULE, finding)
        })
    }

    /// Checks the end date of a comment.
    fn check_end(&self, run: &Run<'_>) -> Option<RuleFinding> {
        let (end, span) = self.until?;
        if end <= run.now {
            let message = "this suppression has expired and no longer applies";
            let finding = self.finding(span, message).help("fix the key and remove the comment");
            return Some((&p001_waiver_expired::RULE, finding));
        }
        let lasts = end.duration_since(run.now);
        let limit = WaiverLimit::of(run.policy.settings(&p003_waiver_too_long::RULE)).max;
        let max = limit.value.filter(|max| lasts > *max)?;
        let message = format!(
            "this suppression lasts {}; the policy allows at most {}",
            duration_beyond(lasts, max),
            duration_in_words(max)
        );
        let finding = self
            .finding(span, message)
            .help("set an earlier `until`, and review the suppression then")
            .decided(limit.decided, "the limit");
        Some((&p003_waiver_too_long::RULE, finding))
    }

    /// The edit that removes one rule, or the whole comment if it names no other.
    fn removal(&self, of: usize) -> Option<Fix> {
        let text = self.tree.source();
        if self.rules.len() > 1 {
            let span = self.rules.get(of)?.1;
            let (begin, end) = match self.rules.get(of + 1) {
                Some((_, next)) => (span.start, next.start),
                None => (self.rules.get(of.checked_sub(1)?)?.1.end, span.end),
            };
            return Some(Fix::safe(Span { start: begin, end }, ""));
        }
        let start = self.span.start as usize;
        let line = self.tree.line_start(start);
        let before = text.get(line..start)?;
        if before.trim().is_empty() {
            // The line is removed too.
            let end = self.tree.line_end(start);
            let rest = text.get(end..)?;
            let end_of_line = match rest.as_bytes() {
                [b'\r', b'\n', ..] => 2,
                [b'\r' | b'\n', ..] => 1,
                _ => 0,
            };
            return Some(Fix::safe(Span::new(line, end + end_of_line), ""));
        }
        let kept = line + before.trim_end().len();
        Some(Fix::safe(Span::new(kept, self.span.end as usize), ""))
    }
}
