//! [`chain`]: an error with its causes, and [`message_and_help`]: the same with the remedies apart.

use core::error::Error;
use core::fmt::Write as _;
use std::io;

use crate::io_reason;

/// What precedes a remedy in an error's text: it is on a line of its own.
const HELP: &str = "\nhelp: ";

/// An error's message, then those of its causes, with colons between them, then the remedies after
/// semicolons.
///
/// ```
/// # use cortexkey_system::chain;
/// let error = std::io::Error::other("the disk is full");
/// assert_eq!(chain(&error), "the disk is full");
/// ```
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let (mut text, remedies) = message_and_help(error);
    for remedy in remedies {
        text.push_str("; ");
        text.push_str(&remedy);
    }
    text
}

/// An error's message and those of its causes, with colons between them, and the remedies: the lines
/// that begin with `help: `.
pub fn message_and_help(error: &(dyn Error + 'static)) -> (String, Vec<String>) {
    let mut message = String::new();
    let mut remedies = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let text = match error.downcast_ref::<io::Error>() {
            Some(error) => io_reason(error),
            None => error.to_string(),
        };
        let mut parts = text.split(HELP);
        let separator = if message.is_empty() { "" } else { ": " };
        // Writing to a string does not fail.
        let _ = write!(message, "{separator}{}", parts.next().unwrap_or_default());
        remedies.extend(parts.map(str::to_owned));
        next = error.source();
    }
    (message, remedies)
}

/// The text of an error that wraps another one: messages as in [`chain`], then each remedy on a line
/// of its own.
pub fn text_with_help(error: &(dyn Error + 'static)) -> String {
    let (message, remedies) = message_and_help(error);
    with_help(message, &remedies)
}

/// A message with its remedies, each on a line of its own.
#[must_use]
pub fn with_help(mut message: String, remedies: &[String]) -> String {
    for remedy in remedies {
        message.push_str(HELP);
        message.push_str(remedy);
    }
    message
}

#[cfg(test)]
mod tests {
    use core::fmt;

    use super::*;

    #[derive(Debug)]
    struct Layer(&'static str, Option<Box<dyn Error>>);

    impl fmt::Display for Layer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl Error for Layer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.1.as_deref()
        }
    }

    fn layer(text: &'static str, cause: impl Error + 'static) -> Layer {
        Layer(text, Some(Box::new(cause)))
    }

    #[test]
    fn causes_follow_their_effects() {
        let error = layer("a", layer("b", Layer("c", None)));
        assert_eq!(chain(&error), "a: b: c");
    }

    #[test]
    fn remedies_are_apart_from_the_message() {
        let error = layer("a\nhelp: fix a", layer("b", Layer("c\n  d\nhelp: fix c", None)));
        let (message, remedies) = message_and_help(&error);
        assert_eq!(message, "a: b: c\n  d");
        assert_eq!(remedies, ["fix a", "fix c"]);
        assert_eq!(chain(&error), "a: b: c\n  d; fix a; fix c");
        assert_eq!(text_with_help(&error), "a: b: c\n  d\nhelp: fix a\nhelp: fix c");
    }

    #[test]
    fn a_systems_error_is_in_plain_words_at_any_depth() {
        let missing = std::fs::File::open("no/such/file").unwrap_err();
        assert_eq!(chain(&missing), "there is no such file");
        assert_eq!(chain(&layer("a", missing)), "a: there is no such file");
    }
}
