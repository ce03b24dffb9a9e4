//! The plan as text.

use cortexkey_client::table::one_line;
use cortexkey_client::{Action, ActionKind, Plan};

use crate::text::{BAD, BOLD, DIM, GOOD};

/// How many unmanaged keys are named; the rest are only counted.
const UNMANAGED_SHOWN: usize = 10;

pub(super) fn plan(plan: &Plan) -> String {
    let mut out = format!("{BOLD}tenant {}{BOLD:#} {DIM}{}{DIM:#}\n", plan.tenant, plan.host);
    for action in &plan.actions {
        out += &self::action(action);
    }
    for note in &plan.notes {
        out += &format!("{DIM}{}{DIM:#}\n", one_line(note));
    }
    let count = plan.unmanaged.len();
    for key in plan.unmanaged.iter().take(UNMANAGED_SHOWN) {
        let comment = one_line(key.comment.as_deref().unwrap_or("no comment"));
        out += &format!("{DIM}unmanaged: key {}, {comment}{DIM:#}\n", key.id);
    }
    if count > UNMANAGED_SHOWN {
        out += &format!("{DIM}unmanaged: {} more{DIM:#}\n", count - UNMANAGED_SHOWN);
    }
    out + &summary(plan)
}

fn action(action: &Action) -> String {
    let (sign, style) = match action.action {
        ActionKind::Generate => ("+", GOOD),
        ActionKind::Replace => ("±", BOLD),
        ActionKind::Delete | ActionKind::Retire | ActionKind::Forget => ("-", BAD),
        ActionKind::Refuse => ("!", BAD),
        _ => ("~", BOLD),
    };
    let id = action.id.map_or_else(String::new, |id| format!(" (key {id})"));
    let drift = if action.drift { " [drift]" } else { "" };
    let mut out = format!(
        "{style}{sign} {}{style:#} {}{id}{drift}: {}\n",
        action.action,
        one_line(&action.key),
        one_line(&action.reason)
    );
    if let Some(help) = &action.help {
        out += &format!("    help: {}\n", one_line(help));
    }
    for change in &action.changes {
        let from = one_line(&change.from);
        let to = one_line(&change.to);
        out += &match (from.as_str(), to.as_str()) {
            ("", to) => format!("    {}: {to}\n", change.field),
            (from, "") => format!("    {}: {from}\n", change.field),
            (from, to) => format!("    {}: {from} -> {to}\n", change.field),
        };
    }
    for gain in &action.widens {
        out += &format!("    {BAD}widens{BAD:#}: {}\n", one_line(&gain.message));
    }
    out
}

fn summary(plan: &Plan) -> String {
    if plan.is_empty() {
        return format!("{GOOD}nothing to do{GOOD:#}\n");
    }
    let parts: Vec<String> =
        plan.counts().into_iter().map(|(count, words)| format!("{count} {words}")).collect();
    format!("{BOLD}{}{BOLD:#}\n", parts.join(", "))
}
