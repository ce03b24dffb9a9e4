//! Quick fixes, suppressions, and all safe fixes at once.

use std::collections::HashMap;

use cortexkey_lint::{Edit, Finding, NewWaiver, add_waiver};
use cortexkey_manifest::Span;
use lsp_types::{
    CodeAction, CodeActionKind, CodeActionOrCommand, CodeActionParams, Position, Range, TextEdit,
    WorkspaceEdit,
};

use super::{OpenDocument, diagnostics, overlap};
use crate::position::{Encoding, Text};

/// All safe fixes of a file, as named in `editor.codeActionsOnSave`.
pub(crate) const FIX_ALL: CodeActionKind = CodeActionKind::new("source.fixAll.cortexkey");

/// The lifetime of a new suppression.
const SUPPRESSION_DAYS: i64 = 30;

/// The actions for a range.
pub(crate) fn code_actions(
    place: &OpenDocument<'_>,
    params: &CodeActionParams,
) -> Vec<CodeActionOrCommand> {
    if place.is_remote() {
        return Vec::new();
    }
    let mut actions = Vec::new();
    let mut places = diagnostics::Places::new(place.encoding, &*place.uris);
    for (finding, report) in place.findings() {
        let diagnostic = diagnostics::diagnostic(place.root, finding, report, &mut places);
        if !overlap(diagnostic.range, params.range) {
            continue;
        }
        let name = finding.rule.name();
        let action = |title: String, edits: Vec<TextEdit>, preferred: bool| CodeAction {
            title,
            kind: Some(CodeActionKind::QUICKFIX),
            diagnostics: Some(vec![diagnostic.clone()]),
            edit: Some(workspace_edit(place, edits)),
            is_preferred: Some(preferred),
            ..Default::default()
        };
        if let Some(fix) = &finding.fix {
            let title = match (fix.safe, &finding.help) {
                (true, Some(help)) => format!("Fix {name}: {help}"),
                (true, None) => format!("Fix {name}"),
                (false, Some(help)) => format!("Fix {name} (check the result): {help}"),
                (false, None) => format!("Fix {name} (check the result)"),
            };
            actions.push(action(title, edits(place, &fix.edits), fix.safe));
        }
        let is_secret = finding.rule.family() == Some(cortexkey_lint::Family::Secret);
        let policy = place.root.policy(&place.path);
        // JSON has no comments.
        let is_json = place.path.extension().is_some_and(|it| it.eq_ignore_ascii_case("json"));
        if !is_secret && !is_json && policy.is_some_and(|(policy, _)| policy.may_suppress(finding))
        {
            let edit = suppression(place, name, diagnostic.range.start.line);
            actions.push(action(format!("Suppress {name} with a reason"), vec![edit], false));
        }
        if let Some(edit) = waiver(place, finding) {
            let mut action = action(format!("Waive {name} in the policy"), Vec::new(), false);
            action.edit = Some(edit);
            actions.push(action);
        }
    }
    let wants_all =
        params.context.only.as_ref().is_none_or(|kinds| {
            kinds.iter().any(|kind| FIX_ALL.as_str().starts_with(kind.as_str()))
        });
    let all = format(place);
    if wants_all && !all.is_empty() {
        actions.push(CodeAction {
            title: "Apply all safe fixes of this file".to_owned(),
            kind: Some(FIX_ALL),
            edit: Some(workspace_edit(place, all)),
            ..Default::default()
        });
    }
    let wanted = |action: &CodeAction| {
        let kind = action.kind.as_ref().map_or("", CodeActionKind::as_str);
        params.context.only.as_ref().is_none_or(|kinds| {
            kinds.iter().any(|only| {
                kind == only.as_str() || kind.starts_with(&format!("{}.", only.as_str()))
            })
        })
    };
    actions.into_iter().filter(wanted).map(CodeActionOrCommand::CodeAction).collect()
}

/// All safe fixes that do not overlap; earlier ones win.
pub(crate) fn format(place: &OpenDocument<'_>) -> Vec<TextEdit> {
    if place.is_remote() {
        return Vec::new();
    }
    let mut taken: Vec<Edit> = Vec::new();
    for (finding, _) in place.findings() {
        let Some(fix) = safe(finding) else { continue };
        let touches = |edit: &Edit| {
            taken
                .iter()
                .any(|other| edit.span.start <= other.span.end && other.span.start <= edit.span.end)
        };
        if !fix.iter().any(touches) {
            taken.extend(fix.iter().cloned());
        }
    }
    edits(place, &taken)
}

fn safe(finding: &Finding) -> Option<&[Edit]> {
    finding.fix.as_ref().filter(|fix| fix.safe).map(|fix| fix.edits.as_slice())
}

fn edits(place: &OpenDocument<'_>, edits: &[Edit]) -> Vec<TextEdit> {
    edits.iter().map(|edit| TextEdit::new(place.text.range(edit.span), edit.text.clone())).collect()
}

/// A comment above a line, with the parts to fill in.
fn suppression(place: &OpenDocument<'_>, rule: &str, line: u32) -> TextEdit {
    let current = place.text.line(line as usize);
    let indent = &current[..current.len() - current.trim_start_matches(' ').len()];
    let until = until();
    let end = if place.text.whole.contains("\r\n") { "\r\n" } else { "\n" };
    let text = format!("{indent}# cortexkey: ignore[{rule}] reason=\"TICKET\" until={until}{end}");
    let at = Position::new(line, 0);
    TextEdit::new(Range::new(at, at), text)
}

/// A waiver in the policy that governs the file, with the places to fill in.
fn waiver(place: &OpenDocument<'_>, finding: &Finding) -> Option<WorkspaceEdit> {
    let (policy, _) = place.root.policy(&place.path)?;
    let path = policy.waiver_file(finding).ok()?;
    let text = policy.text(path)?;
    let new = NewWaiver {
        rule: finding.rule.name().to_owned(),
        key: finding.key.clone()?,
        reason: "TICKET".to_owned(),
        approved_by: Some("NAME".to_owned()),
        expires: until(),
    };
    let (new, _) = add_waiver(text, &new).ok()?;
    let uri = (place.uris)(&place.root.absolute(path))?;
    let edit = difference(text, &new, place.encoding);
    Some(place.workspace_edit(HashMap::from([(uri, vec![edit])])))
}

/// The single edit that turns one text into another, from the first to the last byte that differs.
fn difference(old: &str, new: &str, encoding: Encoding) -> TextEdit {
    let same = |pairs: &mut dyn Iterator<Item = (char, char)>| {
        pairs.take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum::<usize>()
    };
    let start = same(&mut old.chars().zip(new.chars()));
    let old_rest = &old[start..];
    let new_rest = &new[start..];
    let end = same(&mut old_rest.chars().rev().zip(new_rest.chars().rev()));
    let range = Text::new(old, encoding).range(Span::new(start, old.len() - end));
    TextEdit::new(range, new_rest[..new_rest.len() - end].to_owned())
}

/// The end of a new suppression or waiver.
fn until() -> String {
    let until = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * SUPPRESSION_DAYS);
    until.to_zoned(jiff::tz::TimeZone::UTC).date().to_string()
}

fn workspace_edit(place: &OpenDocument<'_>, edits: Vec<TextEdit>) -> WorkspaceEdit {
    place.workspace_edit(HashMap::from([(place.uri.clone(), edits)]))
}
