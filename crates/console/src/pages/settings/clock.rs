//! The emulator's clock.

use cortexkey_client::time::{now_ms, start_ms};
use cortexkey_core::auth::Timestamp;
use cortexkey_tenant::Controls;
use maud::{Markup, html};

use super::{FormResult, form, form_result};
use crate::error::BoxError;
use crate::page_request::{Fields, PageRequest};
use crate::records::{day, time};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;
const STEPS: [(&str, &str, u64); 5] = [
    ("hour", "an hour", 60 * 60 * 1000),
    ("day", "a day", DAY_MS),
    ("week", "a week", 7 * DAY_MS),
    ("month", "30 days", 30 * DAY_MS),
    ("half-year", "half a year", 184 * DAY_MS),
];

/// Sets the clock to a time, forward, or back to the machine's.
pub(super) fn set(controls: &Controls, fields: &Fields) -> Result<FormResult, BoxError> {
    match fields.get("to") {
        Some("machine") => form_result(controls.set_clock(now_ms())),
        Some("step") => {
            let step = fields.get("step");
            let found = STEPS.iter().find(|(word, ..)| Some(*word) == step);
            let (.., by_ms) = found.ok_or("say how far the clock is put forward")?;
            form_result(controls.advance_clock(*by_ms))
        }
        Some("time") => {
            let date = fields.get("date").unwrap_or_default();
            let time = fields.get("time");
            let text = format!("{date}T{}:00Z", time.unwrap_or("00:00"));
            let ms = start_ms(&text).map_err(|error| error.to_string())?;
            Timestamp::from_ms(ms)
                .map_err(|_| "requests can be signed from 2001-09-09 to 2286-11-20")?;
            form_result(controls.set_clock(ms))
        }
        _ => Err("say what the clock is set to".into()),
    }
}

pub(super) fn card(request: &PageRequest, controls: &Controls, typed: &Fields) -> Markup {
    let now = controls.now_ms();
    let clock = time(now);
    let date = typed.get("date").map_or_else(|| day(now), str::to_owned);
    let minute = typed.get("time").or_else(|| clock.get(11..16)).unwrap_or("00:00");
    let step = typed.get("step").unwrap_or("day");
    let is = |to: &str| typed.get("to").unwrap_or("step") == to;
    let fields = html! {
        p { "It is " strong { (clock) } " (UTC). Keys expire and requests are dated by this clock." }
        fieldset class="field" {
            legend { "Set it" }
            label class="pick" {
                input type="radio" name="to" value="step" checked[is("step")];
                span { "forward by" }
            }
            select name="step" aria-label="Forward by" {
                @for (word, words, _) in STEPS {
                    option value=(word) selected[word == step] { (words) }
                }
            }
            label class="pick" {
                input type="radio" name="to" value="time" checked[is("time")];
                span { "to this time (UTC)" }
            }
            div class="tools" {
                input type="date" name="date" aria-label="Date" value=(date);
                input type="time" name="time" aria-label="Time" value=(minute);
            }
            label class="pick" {
                input type="radio" name="to" value="machine" checked[is("machine")];
                span { "to the time of this machine" }
            }
        }
    };
    html! {
        section class="card" aria-labelledby="clock" {
            h2 id="clock" { "Clock" }
            div class="body" { (form(request, "clock", &fields, "Set")) }
        }
    }
}
