//! Family X: secrets that have no place in a definition. No rule here prints what it found.

use cortexkey_manifest::{Token, tokens_in};

use super::FileContext;

pub(super) mod x001_cortex_key;
pub(super) mod x002_high_entropy;
pub(super) mod x003_known_format;
pub(super) mod x004_field_present;
pub(super) mod x005_placeholder_reference;

/// What looks like a secret by its shape, in the whole text with its comments.
fn tokens_of(cx: &FileContext<'_>) -> impl Iterator<Item = Token> + use<> {
    tokens_in(cx.tree.source()).into_iter()
}
