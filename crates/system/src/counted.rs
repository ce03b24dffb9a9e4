//! [`counted`]: a count with its noun.

/// A count with its noun in the singular or plural.
///
/// ```
/// assert_eq!(cortexkey_system::counted(1, "key"), "1 key");
/// assert_eq!(cortexkey_system::counted(0, "key"), "0 keys");
/// ```
pub fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}
