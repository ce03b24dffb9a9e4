//! Charts as SVG: small, without a script, in the page's own colours.
//!
//! A chart has a title and a description; the page also shows the same figures in a table.

use maud::{Markup, html};

/// The width of a bar in a table, in pixels.
const BAR: u64 = 44;

/// The remaining part as a short bar. `class` sets its colour.
pub(crate) fn bar(left: u64, all: u64, class: &str) -> Markup {
    let width = left.saturating_mul(BAR).checked_div(all).unwrap_or(0).min(BAR);
    html! {
        svg class={ "meter " (class) } width=(BAR) height="4" aria-hidden="true" focusable="false" {
            rect class="all" width=(BAR) height="4" rx="2" {}
            rect class="left" width=(width) height="4" rx="2" {}
        }
    }
}
