//! Charts as SVG: small, without a script, in the page's own colours.
//!
//! A chart has a title and a description; the page also shows the same figures in a table.
//! Lengths along the page are shares of its width, so that text keeps its size on narrow pages.

use cortexkey_fleet::{TimeSpan, TimelineStep, WEEK_MS};
use maud::{Markup, html};

use crate::records::{month, thousands};

/// The width of a bar in a table, in pixels.
const BAR_WIDTH: u64 = 44;

/// The height of the timeline's highest bar, in pixels.
const COLUMN_HEIGHT: u64 = 104;
/// The y coordinate of the timeline's base line, in pixels.
const BASE_LINE: u64 = 126;
/// How many steps the label of the last step covers on narrow pages.
const LAST_LABEL_STEPS: usize = 4;

/// The remaining part as a short bar. `class` sets its colour.
pub(crate) fn bar(left: u64, all: u64, class: &str) -> Markup {
    let width = left.saturating_mul(BAR_WIDTH).checked_div(all).unwrap_or(0).min(BAR_WIDTH);
    html! {
        svg class={ "meter " (class) } width=(BAR_WIDTH) height="4" aria-hidden="true" focusable="false" {
            rect class="all" width=(BAR_WIDTH) height="4" rx="2" {}
            rect class="left" width=(width) height="4" rx="2" {}
        }
    }
}

/// The size of a part compared with the largest one, as a bar in a table cell.
pub(crate) fn share(count: usize, largest: usize) -> Markup {
    html! {
        svg class="share" width="100%" height="8" aria-hidden="true" focusable="false" {
            rect width=(percent(count, largest)) height="8" rx="2" {}
        }
    }
}

/// When keys expire: a bar per step, with the weeks between the steps for earlier and later times.
pub(crate) fn timeline(steps: &[TimelineStep]) -> Markup {
    let highest = steps.iter().map(|step| step.count).max().unwrap_or(0).max(1);
    let all: usize = steps.iter().map(|step| width(step.span)).sum();
    let mut from = 0;
    let places: Vec<(usize, &TimelineStep)> = steps
        .iter()
        .map(|step| {
            let place = (from, step);
            from += width(step.span);
            place
        })
        .collect();
    html! {
        svg class="timeline" width="100%" height="152" role="img"
            aria-labelledby="timeline-title timeline-text" focusable="false" {
            title id="timeline-title" { "When keys expire" }
            desc id="timeline-text" { (text(steps)) }
            line class="axis" x1="0" x2="100%" y1=(BASE_LINE) y2=(BASE_LINE) {}
            @for (at, (from, step)) in places.iter().enumerate() {
                (column(step, class(step.span, at), *from, all, highest))
            }
            @for (from, label, class) in labels(&places) {
                text class=(class) x=(percent(from, all)) y="144" { (label) }
            }
        }
    }
}

/// One bar, with its number if there are any keys.
fn column(step: &TimelineStep, class: &str, from: usize, all: usize, highest: usize) -> Markup {
    let count = step.count;
    let height = (count as u64 * COLUMN_HEIGHT / highest as u64).max(u64::from(count > 0) * 2);
    let middle = percent(2 * from + width(step.span), 2 * all);
    // On each side, the gap is a seventh of a week's width.
    let left = percent(7 * from + 1, 7 * all);
    let wide = percent(7 * width(step.span) - 2, 7 * all);
    html! {
        @if count > 0 {
            rect class=(class) x=(left) width=(wide) y=(BASE_LINE - height)
                height=(height) rx="1" {}
            text class="count" x=(middle) y=(BASE_LINE - height - 4) { (thousands(count)) }
        }
    }
}

/// Labels along the axis, each with its position and class.
fn labels(places: &[(usize, &TimelineStep)]) -> Vec<(usize, String, &'static str)> {
    let mut labels = Vec::new();
    let mut last = None;
    for (at, (from, step)) in places.iter().enumerate() {
        match step.span {
            TimeSpan::Expired => labels.push((*from, "expired".to_owned(), "label")),
            TimeSpan::Week(ms) => {
                // The label of a month is at the week that contains its first day.
                let name = month(ms.saturating_add(WEEK_MS - 1));
                // On narrow pages there is no room for a label next to the step after the last
                // week.
                let class =
                    if places.len() - at > LAST_LABEL_STEPS { "label" } else { "label minor" };
                if last.replace(name.clone()).is_some_and(|last| last != name) {
                    labels.push((*from, name, class));
                }
            }
            TimeSpan::Later => labels.push((*from, "later".to_owned(), "label minor")),
            TimeSpan::Undated => labels.push((*from, "not generated".to_owned(), "label minor")),
            TimeSpan::Never => {
                labels.push((*from + width(step.span), "never".to_owned(), "label end"));
            }
        }
    }
    labels
}

/// The width of a step, in weeks.
const fn width(span: TimeSpan) -> usize {
    match span {
        TimeSpan::Week(_) => 1,
        TimeSpan::Expired | TimeSpan::Later | TimeSpan::Never => 3,
        TimeSpan::Undated => 4,
    }
}

/// The class for the colour of a step. The weeks begin at index 1; the first week is the most
/// urgent, then the rest of the thirty days.
const fn class(span: TimeSpan, at: usize) -> &'static str {
    match (span, at) {
        (TimeSpan::Expired, _) => "gone",
        (TimeSpan::Week(_), 1) => "bad",
        (TimeSpan::Never, _) | (TimeSpan::Week(_), 2..=4) => "warn",
        (TimeSpan::Week(_) | TimeSpan::Later | TimeSpan::Undated, _) => "",
    }
}

fn text(steps: &[TimelineStep]) -> String {
    let steps = steps.iter().filter(|step| step.count > 0);
    let steps: Vec<String> =
        steps.map(|step| format!("{}: {}", step.to_text(), step.count)).collect();
    if steps.is_empty() { "No keys.".to_owned() } else { steps.join("; ") }
}

/// A part of all, as a length.
fn percent(part: usize, all: usize) -> String {
    // A thousandth is less than a pixel.
    let thousandths = part.saturating_mul(100_000).checked_div(all).unwrap_or(0);
    format!("{}.{:03}%", thousandths / 1000, thousandths % 1000)
}
