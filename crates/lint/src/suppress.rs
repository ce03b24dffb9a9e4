//! Suppressions in comments: `# cortexkey: ignore[expiry-too-long] reason="SEC-77" until=2026-12-31`.
//!
//! On a line it covers what is found on that line; on a line of its own, the node below it. It
//! refuses to work without a reason and an end, for rules that are not waivable or that are locked,
//! and to be silent where it does nothing.

use std::cell::LazyCell;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use cortexkey_manifest::definition::moment;
use cortexkey_manifest::yaml::{NodeKind, Tree};
use cortexkey_manifest::{Span, did_you_mean, quote};
use jiff::Timestamp;

use crate::finding::{Finding, Fix, WaivedBy, WaivedFinding};
use crate::policy::Policy;
use crate::rules::{self, Draft, Sink};
use crate::waive::{Base, barred};

/// One comment that means to silence something.
#[derive(Debug)]
pub(crate) struct Suppression {
    /// Index of its file among the report's sources.
    pub(crate) source: usize,
    tree: Arc<Tree>,
    /// The comment.
    span: Span,
    /// What it covers.
    covers: Span,
    /// The rules, as written, each with its place.
    rules: Vec<(String, Span)>,
    reason: bool,
    until: Option<(Timestamp, Span)>,
    /// What is wrong with its form.
    fault: Option<String>,
}

const MARK: &str = "cortexkey:";
const EXAMPLE: &str =
    "write `# cortexkey: ignore[expiry-too-long] reason=\"SEC-77\" until=2026-12-31`";

/// All suppressions of a file.
pub(crate) fn read(source: usize, tree: &Arc<Tree>) -> Vec<Suppression> {
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

/// What begins where: each node's start, each item, and each key with its value; in order.
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
                    let (key, value) = (tree.node(entry.key).span, tree.node(entry.value).span);
                    (key.start, value.end.max(key.end))
                }));
            }
            _ => {}
        }
    }
    spans.sort_unstable();
    spans
}

/// What begins next behind an offset: an item with all of it, or a key with its value.
fn below(beginnings: &[(u32, u32)], offset: u32) -> Span {
    let behind = &beginnings[beginnings.partition_point(|(start, _)| *start < offset)..];
    let Some((next, _)) = behind.first() else { return Span { start: offset, end: offset } };
    let same = &behind[..behind.partition_point(|(start, _)| start == next)];
    let end = same.last().map_or(*next, |(_, end)| *end);
    Span { start: *next, end }
}

impl Suppression {
    /// Reads what stands behind the mark; `start` is its offset in the file.
    fn parse(&mut self, text: &str, start: usize) -> Result<(), String> {
        let body = text.trim_start();
        let lead = text.len() - body.len();
        let list = body
            .strip_prefix("ignore[")
            .ok_or("a comment for cortexkey begins with `ignore[RULE]`")?;
        let (list, mut rest) = list.split_once(']').ok_or("the list of rules is not closed")?;
        let mut at = start + lead + "ignore[".len();
        for part in list.split(',') {
            let name = part.trim();
            let begin = at + (part.len() - part.trim_start().len());
            if name.is_empty() {
                return Err("a rule is missing in `ignore[…]`".into());
            }
            self.rules.push((name.to_owned(), Span::new(begin, begin + name.len())));
            at += part.len() + 1;
        }
        while !rest.trim_start().is_empty() {
            let offset = start + text.len() - rest.trim_start().len();
            let (name, value) = rest
                .trim_start()
                .split_once('=')
                .ok_or("behind the rules stand `reason=\"…\"` and `until=DATE`")?;
            let (value, length, left) = if let Some(quoted) = value.strip_prefix('"') {
                let (value, left) = quoted.split_once('"').ok_or("a quote is not closed")?;
                (value, value.len() + 2, left)
            } else {
                let end = value.find([' ', '\t']).unwrap_or(value.len());
                let (value, left) = value.split_at(end);
                (value, value.len(), left)
            };
            let place = offset + name.len() + 1;
            match name.trim() {
                "reason" => self.reason = !value.trim().is_empty(),
                "until" => {
                    let end = moment(value).map_err(|error| {
                        format!("{} in `until`: {}", quote(value), error.message)
                    })?;
                    self.until = Some((end, Span::new(place, place + length)));
                }
                other => {
                    let hint = did_you_mean(other, &["reason", "until"]).unwrap_or_default();
                    return Err(format!("a suppression has no {}; {hint}", quote(other)));
                }
            }
            rest = left;
        }
        Ok(())
    }

    fn lacking(&self) -> Vec<&'static str> {
        let fields = [("reason", !self.reason), ("end (`until`)", self.until.is_none())];
        fields.into_iter().filter(|(_, lacks)| *lacks).map(|(name, _)| name).collect()
    }

    fn is_in_force(&self, now: Timestamp) -> bool {
        let complete = self.fault.is_none() && self.reason;
        complete && self.until.is_some_and(|(end, _)| end > now)
    }
}

/// What is left, what was suppressed, and what each rule of each comment came to.
#[derive(Default)]
pub(crate) struct Silenced {
    pub(crate) kept: Vec<Finding>,
    pub(crate) waived: Vec<WaivedFinding>,
    /// Comment, and which of its rules, that suppressed something.
    used: BTreeSet<(usize, usize)>,
    /// The same that stand over a finding which nothing suppresses.
    refused: BTreeSet<(usize, usize)>,
}

/// One rule of one comment, and what it covers.
struct Cover {
    source: usize,
    covers: Span,
    code: String,
    /// The comment, and which of its rules.
    at: (usize, usize),
}

/// Takes out what comments cover, where their rules allow it. A finding that several comments
/// cover belongs to the one that begins last, which is the nearest.
pub(crate) fn silence(
    policy: &Policy,
    now: Timestamp,
    mut findings: Vec<Finding>,
    all: &[Suppression],
) -> Silenced {
    let mut out = Silenced::default();
    let mut covers = covers(policy, now, all);
    if covers.is_empty() {
        out.kept = findings;
        return out;
    }
    // Both in order of place: what begins is opened, what has ended is dropped when it is met.
    covers.sort_by_key(|cover| (cover.source, cover.covers.start));
    findings.sort_by_key(|finding| (finding.place.source, finding.place.span.start));
    let mut coming = covers.iter().peekable();
    let mut open: HashMap<&str, Vec<&Cover>> = HashMap::new();
    for finding in findings {
        let (source, start) = (finding.place.source, finding.place.span.start);
        let begins = |cover: &&Cover| (cover.source, cover.covers.start) <= (source, start);
        while let Some(cover) = coming.next_if(|cover| begins(cover)) {
            open.entry(&cover.code).or_default().push(cover);
        }
        let own = open.get_mut(&*finding.code);
        let nearest = own.and_then(|own| {
            let ended = |cover: &Cover| cover.source != source || cover.covers.end < start;
            while own.last().is_some_and(|cover| ended(cover)) {
                own.pop();
            }
            own.last().map(|cover| cover.at)
        });
        match nearest {
            None => out.kept.push(finding),
            Some(at) if finding.unchecked => {
                out.refused.insert(at);
                out.kept.push(finding);
            }
            Some(at) => {
                out.used.insert(at);
                out.waived.push(WaivedFinding { finding, by: WaivedBy::Comment });
            }
        }
    }
    out
}

/// What comments in force cover, by the rules that they may suppress.
fn covers(policy: &Policy, now: Timestamp, all: &[Suppression]) -> Vec<Cover> {
    let mut covers = Vec::new();
    for (at, one) in all.iter().enumerate().filter(|(_, one)| one.is_in_force(now)) {
        for (of, (rule, _)) in one.rules.iter().enumerate() {
            let Some(code) = policy.code_of(rule) else { continue };
            if barred(policy, &code, None).is_none() {
                let (source, span) = (one.source, one.covers);
                let code = code.into_owned();
                covers.push(Cover { source, covers: span, code, at: (at, of) });
            }
        }
    }
    covers
}

/// Reports comments that are over, unused, incomplete, too long or not allowed.
pub(crate) fn disorders(
    policy: &Policy,
    now: Timestamp,
    all: &[Suppression],
    silenced: &Silenced,
    base: Base<'_>,
    out: &mut Vec<Finding>,
) {
    for (at, one) in all.iter().enumerate() {
        for (code, draft) in one.disorder(policy, now, base, &|of| silenced.fate(at, of)) {
            if let Some((rule, settings)) = base(code).filter(|(_, settings)| settings.enabled) {
                Sink { rule, severity: settings.severity, out }.report(draft);
            }
        }
    }
}

/// What a rule of a comment came to.
enum Fate {
    Used,
    /// It stands over a finding which nothing suppresses.
    Refused,
    Unused,
}

impl Silenced {
    fn fate(&self, at: usize, of: usize) -> Fate {
        match (self.used.contains(&(at, of)), self.refused.contains(&(at, of))) {
            (true, _) => Fate::Used,
            (false, true) => Fate::Refused,
            (false, false) => Fate::Unused,
        }
    }
}

impl Suppression {
    fn disorder(
        &self,
        policy: &Policy,
        now: Timestamp,
        base: Base<'_>,
        fate: &dyn Fn(usize) -> Fate,
    ) -> Vec<(&'static str, Draft)> {
        let draft = |span, message: String| Draft::new(self.source, span, message);
        if let Some(fault) = &self.fault {
            return vec![("P009", draft(self.span, fault.clone()).help(EXAMPLE))];
        }
        let mut found = Vec::new();
        for (of, (written, span)) in self.rules.iter().enumerate() {
            let Some(code) = policy.code_of(written) else {
                let known = rules::all_ids();
                let hint = did_you_mean(written, &known);
                let help = hint.unwrap_or_else(|| "`cortexkey rules` lists all rules".into());
                let message = format!("there is no rule {}", quote(written));
                found.push(("P006", draft(*span, message).help(help)));
                continue;
            };
            if let Some((why, source)) = barred(policy, &code, None) {
                let message =
                    format!("a comment cannot suppress rule {}: {why}", policy.label(&code));
                let draft = draft(*span, message).help("fix the key, and remove the comment");
                found.push(("P004", draft.decided(source, "said here")));
                continue;
            }
            match fate(of) {
                Fate::Refused => {
                    let message = format!(
                        "a comment does not suppress this finding {code}: it says that something \
                         could not be checked"
                    );
                    let help = "fix what cannot be read, and remove the comment";
                    found.push(("P004", draft(*span, message).help(help)));
                }
                Fate::Unused if self.is_in_force(now) => {
                    let message =
                        format!("this comment suppresses nothing: there is no finding {code} here");
                    let draft = draft(*span, message)
                        .help("remove it; it would suppress the next one unseen");
                    found.push(("P005", draft.fix(self.removal(of))));
                }
                Fate::Unused | Fate::Used => {}
            }
        }
        let lacking = self.lacking();
        if !lacking.is_empty() {
            let message =
                format!("this comment has no {}, and silences nothing", lacking.join(", no "));
            found.push(("P009", draft(self.span, message).help(EXAMPLE)));
        }
        if let Some((end, span)) = self.until {
            let max = base("P003").and_then(|(_, settings)| {
                let (max, source) = settings.duration("max")?;
                Some((max, source))
            });
            if end <= now {
                let message = "this suppression is over and no longer applies";
                let draft = draft(span, message.into());
                found.push(("P001", draft.help("mend the key and remove the comment")));
            } else if let Some((max, source)) =
                max.filter(|(max, _)| end.duration_since(now) > *max)
            {
                let message = format!(
                    "this suppression lasts {}; the policy allows {}",
                    rules::words(end.duration_since(now)),
                    rules::words(max)
                );
                let draft =
                    draft(span, message).help("set a nearer end, and look at it again then");
                found.push(("P003", draft.decided(source, "the limit")));
            }
        }
        found
    }

    /// The edit that takes out one rule, or the whole comment where it names no other.
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
            // The line goes with it.
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
