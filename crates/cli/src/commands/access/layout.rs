//! Formats lists for `access` and `roles`.

use cortexkey_manifest::{is_invisible, mask_tokens};

/// Lines of a list, with their text in one column.
pub(crate) fn rows_aligned(lines: &[(String, String)]) -> String {
    let width = lines.iter().map(|(name, _)| plain(name).chars().count()).max().unwrap_or(0);
    let width = width.max(20);
    let line =
        |(name, words): &(String, String)| format!("  {:<width$}  {}\n", plain(name), plain(words));
    lines.iter().map(line).collect()
}

/// One line of a list: a name and its text.
pub(crate) fn row(name: &str, words: &str) -> String {
    format!("  {:<20}  {}\n", plain(name), plain(words))
}

/// Text from files and arguments, safe for a terminal: without control sequences and without
/// possible secrets.
pub(crate) fn plain(text: &str) -> String {
    let masked = mask_tokens(text);
    masked.chars().map(|c| if is_invisible(c) { '\u{fffd}' } else { c }).collect()
}
