//! Charts as SVG: small, without a script, in the page's own colours.
//!
//! A chart has a title and a description; the page shows the same figures as a table beside it.

use maud::{Markup, html};

/// The width of a bar in a table, in pixels.
const BAR: u64 = 44;

/// How much is left of all, as a short bar. `class` says which colour it has.
pub(crate) fn bar(left: u64, all: u64, class: &str) -> Markup {
    let width = left.saturating_mul(BAR).checked_div(all).unwrap_or(0).min(BAR);
    html! {
        svg class={ "meter " (class) } width=(BAR) height="4" aria-hidden="true" focusable="false" {
            rect class="all" width=(BAR) height="4" rx="2" {}
            rect class="left" width=(width) height="4" rx="2" {}
        }
    }
}
