//! Lists as every form of `access` and `roles` prints them.

use cortexkey_manifest::{is_invisible, mask_tokens};

/// Lines of a list, their words in one column.
pub(crate) fn rows_aligned(lines: &[(String, String)]) -> String {
    let width = lines.iter().map(|(name, _)| plain(name).chars().count()).max().unwrap_or(0);
    let width = width.max(20);
    let line =
        |(name, words): &(String, String)| format!("  {:<width$}  {}\n", plain(name), plain(words));
    lines.iter().map(line).collect()
}

/// One line of a list: a name and what is said of it.
pub(crate) fn row(name: &str, words: &str) -> String {
    format!("  {:<20}  {}\n", plain(name), plain(words))
}

/// Text from files and arguments, fit for a terminal: nothing that it would act on, nothing that
/// may be a secret.
pub(crate) fn plain(text: &str) -> String {
    let masked = mask_tokens(text);
    masked.chars().map(|c| if is_invisible(c) { '\u{fffd}' } else { c }).collect()
}
