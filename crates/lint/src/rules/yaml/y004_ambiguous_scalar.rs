//! Y004 yaml-ambiguous-scalar: a plain scalar that other readers interpret as a boolean, a number,
//! a time or null.

use cortexkey_manifest::format::{FieldKind, KEY};
use cortexkey_manifest::policy::Severity;
use cortexkey_manifest::yaml::{MappingEntry, NodeId, NodeKind, Style, retyped};
use cortexkey_manifest::{quote, quoted};

use crate::model::Fix;
use crate::rule::{FileContext, FindingSink, Fixes, Rule, RuleCheck, RuleExample};

pub(crate) static RULE: Rule = Rule {
    code: "Y004",
    name: "yaml-ambiguous-scalar",
    severity: Severity::Warning,
    summary: "a plain scalar that other readers interpret as a boolean, a number, a time or null",
    why: "cortexkey takes the value as the string that is written. A YAML 1.1 reader, which most \
          deployment tools use, reads `no` as a boolean, `017` as the number 15 and `12:30:45` as \
          the number 45045, and so uses a different name, owner or role from the reviewed one.",
    bad: RuleExample::fields("metadata:\n  owner: no\n"),
    good: RuleExample::fields("metadata:\n  owner: \"no\"\n"),
    remedy: "Put the value in quotes. Fields that take a date, a number, `true` or `false` are not \
           checked.",
    options: &[],
    fixes: Fixes::Safe,
    check: RuleCheck::File(check),
};

fn check(cx: &FileContext<'_>, sink: &mut FindingSink<'_>) {
    let tree = cx.tree;
    for (_, node) in tree.nodes() {
        match &node.kind {
            NodeKind::Mapping { entries, .. } => {
                for entry in entries {
                    let name = tree.text_of(entry.key).unwrap_or_default();
                    // Another rule reports merge keys.
                    if name != "<<" {
                        one(cx, entry.key, sink);
                    }
                    // Few values are retyped, and only for those the field must be looked up.
                    if kind_of(cx, entry.value).is_some() && !is_retyped_by_design(name) {
                        one(cx, entry.value, sink);
                    }
                    if let NodeKind::Mapping { entries, .. } = &tree.node(entry.value).kind {
                        free_fields(cx, name, entries, sink);
                    }
                }
            }
            NodeKind::Sequence { items, .. } => {
                for item in items {
                    one(cx, *item, sink);
                }
            }
            _ => {}
        }
    }
}

/// The fields of a mapping with free names are all strings, whatever their names.
fn free_fields(
    cx: &FileContext<'_>,
    name: &str,
    entries: &[MappingEntry],
    sink: &mut FindingSink<'_>,
) {
    for entry in entries {
        let field = cx.tree.text_of(entry.key).unwrap_or_default();
        if kind_of(cx, entry.value).is_some()
            && is_retyped_by_design(field)
            && takes(name, |kind| matches!(kind, FieldKind::Map(_)))
        {
            one(cx, entry.value, sink);
        }
    }
}

/// True for fields that accept a time, a number, a flag or a word instead of a string.
fn is_retyped_by_design(name: &str) -> bool {
    takes(name, |kind| {
        matches!(
            kind,
            FieldKind::Expiry | FieldKind::Duration | FieldKind::Number | FieldKind::Choice(_)
        )
    })
}

fn takes(name: &str, is: fn(&FieldKind) -> bool) -> bool {
    KEY.any(&|field| field.name == name && is(&field.kind))
}

/// The type that other readers give a plain scalar, if that is not a string.
fn kind_of(cx: &FileContext<'_>, id: NodeId) -> Option<&'static str> {
    let NodeKind::Scalar { style: Style::Plain, .. } = &cx.tree.node(id).kind else { return None };
    retyped(cx.tree.text_of(id)?)
}

fn one(cx: &FileContext<'_>, id: NodeId, sink: &mut FindingSink<'_>) {
    let Some(kind) = kind_of(cx, id) else { return };
    let text = cx.tree.text_of(id).unwrap_or_default();
    let span = cx.tree.node(id).span;
    let message =
        format!("{} is a string for cortexkey, but {kind} for many other readers", quote(text));
    cx.finding(span, message)
        .help(format!("write {}", quote(&quoted(text))))
        .fix(Some(Fix::safe(span, quoted(text))))
        .report(sink);
}
