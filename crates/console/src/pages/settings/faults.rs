//! Fault injection: the queued faults, and a form to add one.

use cortexkey_tenant::{Controls, Fault, FaultKind};
use maud::{Markup, html};

use super::{FormResult, form, form_result};
use crate::error::BoxError;
use crate::page_request::{Fields, PageRequest};
use crate::parts::layout;

const KINDS: [(&str, &str); 6] = [
    ("status", "Answer with an error status"),
    ("slow", "Answer late"),
    ("truncated", "Break the answer off"),
    ("reset", "Reset the connection"),
    ("redirect", "Send it elsewhere"),
    ("skewed-date", "Skew the header Date"),
];

/// Adds a fault to the end of the queue.
pub(super) fn add(controls: &Controls, fields: &Fields) -> Result<FormResult, BoxError> {
    let mut faults = controls.faults();
    faults.push(read(fields)?);
    form_result(controls.set_faults(faults))
}

/// Removes all.
pub(super) fn clear(controls: &Controls) -> Result<FormResult, BoxError> {
    form_result(controls.set_faults(Vec::new()))
}

fn read(fields: &Fields) -> Result<Fault, BoxError> {
    let value = fields.get("value").unwrap_or_default().trim();
    let number = |what: &str| format!("{what} is a number, not `{value}`");
    let kind = match fields.get("kind") {
        Some("status") => FaultKind::status(value.parse().map_err(|_| number("an error status"))?),
        Some("slow") => {
            let delay_ms = value.parse().map_err(|_| number("a delay in milliseconds"))?;
            FaultKind::Slow { delay_ms }
        }
        Some("truncated") => FaultKind::Truncated,
        Some("reset") => FaultKind::Reset,
        Some("redirect") => FaultKind::Redirect { location: value.to_owned() },
        Some("skewed-date") => {
            let by_ms = value.parse().map_err(|_| number("a skew in milliseconds"))?;
            FaultKind::SkewedDate { by_ms }
        }
        _ => return Err("choose a fault".into()),
    };
    let times = match fields.get("times").map(str::trim) {
        None => None,
        Some(times) => Some(times.parse().map_err(|_| "`Times` is a number, or empty forever")?),
    };
    let path = fields.get("path").unwrap_or_default().trim();
    let mut fault = Fault::new(kind).on_path(path);
    fault.times = times;
    fault.after = fields.has("after");
    Ok(fault)
}

pub(super) fn card(request: &PageRequest, controls: &Controls, typed: &Fields) -> Markup {
    html! {
        section class="card" aria-labelledby="faults" {
            h2 id="faults" { "Fault injection" }
            div class="body" {
                (waiting(request, &controls.faults()))
                (form(request, "fault", &fields(typed), "Add"))
            }
        }
    }
}

fn waiting(request: &PageRequest, faults: &[Fault]) -> Markup {
    html! {
        @if faults.is_empty() {
            p { "None waits: every request is answered as usual." }
        } @else {
            table class="plain" {
                caption class="unseen" { "Faults that wait" }
                thead { tr {
                    th scope="col" { "Fault" } th scope="col" { "Path" } th scope="col" { "Times" }
                } }
                tbody { @for fault in faults { tr {
                    th scope="row" { (fault_text(fault)) }
                    td { code { (if fault.path.is_empty() { "any" } else { &fault.path }) } }
                    td { @match fault.times { Some(times) => (times), None => "forever" } }
                } } }
            }
            form method="post" action=(super::PATH) {
                (layout::token_field(request))
                button type="submit" name="set" value="no-faults" { "Remove all" }
            }
        }
    }
}

fn fault_text(fault: &Fault) -> String {
    let kind = match &fault.kind {
        FaultKind::Status { status, .. } => format!("status {status}"),
        FaultKind::Slow { delay_ms } => format!("{delay_ms} ms late"),
        FaultKind::Truncated => "answer broken off".to_owned(),
        FaultKind::Reset => "connection reset".to_owned(),
        FaultKind::Redirect { location } => format!("sent to {location}"),
        FaultKind::SkewedDate { by_ms } => format!("Date off by {by_ms} ms"),
    };
    if fault.after { format!("{kind}, after the request is carried out") } else { kind }
}

fn fields(typed: &Fields) -> Markup {
    let is_fresh = typed.is_empty();
    let kind = typed.get("kind").unwrap_or("status");
    html! {
        div class="fields" {
            div class="field" {
                label for="fault-kind" { "What goes wrong" }
                select id="fault-kind" name="kind" {
                    @for (word, words) in KINDS {
                        option value=(word) selected[word == kind] { (words) }
                    }
                }
            }
            div class="field" {
                label for="fault-value" { "Status, milliseconds or address" }
                input id="fault-value" name="value" autocomplete="off"
                    value=(if is_fresh { "503" } else { typed.get("value").unwrap_or_default() });
            }
            div class="field" {
                label for="fault-times" { "Times, empty forever" }
                input id="fault-times" name="times" inputmode="numeric" autocomplete="off"
                    value=(if is_fresh { "1" } else { typed.get("times").unwrap_or_default() });
            }
            div class="field" {
                label for="fault-path" { "Only paths that begin with" }
                input id="fault-path" name="path" autocomplete="off" placeholder="/public_api/v1/"
                    value=[typed.get("path")];
            }
        }
        label class="pick" {
            input type="checkbox" name="after" value="1" checked[typed.has("after")];
            span { "Carry the request out first, and lose its answer" }
        }
    }
}
