//! The end of a form: its button, *Cancel*, and the hint that changes with the form.
//!
//! A live response replaces only the hint: replacing the button would lose its focus and a click
//! that is in progress.

use maud::{Markup, html};

/// Whether a form may be sent, and the text about it.
pub(in crate::pages) struct Hint {
    pub(in crate::pages) may_be_sent: bool,
    pub(in crate::pages) text: Markup,
}

impl Hint {
    /// The id of its element, for live updates.
    pub(in crate::pages) const ID: &str = "hint";

    /// The text, with the attribute by which the script enables or disables the button of the form.
    pub(in crate::pages) fn markup(&self) -> Markup {
        html! { span data-may-be-sent=(self.may_be_sent) { (self.text) } }
    }
}

/// The last row of a form.
pub(in crate::pages) fn submit(button: &str, cancel: &str, hint: &Hint) -> Markup {
    html! {
        div class="submit" {
            button type="submit" class="primary" disabled[!hint.may_be_sent] { (button) }
            a class="button" href=(cancel) data-close { "Cancel" }
            span id=(Hint::ID) class="hint" { (hint.markup()) }
        }
    }
}
