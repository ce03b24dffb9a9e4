//! The form of a key: the *Role* and *Scope* tabs of the product's dialog, and a third one for the
//! key's definition, with the policy's findings at their fields.

mod check;
mod choices;
mod fields;
mod markup;
mod submit;
mod values;

pub(super) use check::Check;
pub(super) use choices::{Choices, has_scopes};
pub(super) use fields::{FormFault, FormField};
pub(super) use markup::{Purpose, parts, tabs};
pub(super) use submit::{Hint, submit};
pub(super) use values::KeyForm;
