//! [`chain`]: an error with its causes, in one line.

use core::error::Error;
use core::fmt::Write as _;

/// An error's message, then those of its causes, with colons between them.
///
/// ```
/// # use cortexkey_system::chain;
/// let error = std::io::Error::other("the disk is full");
/// assert_eq!(chain(&error), "the disk is full");
/// ```
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        // Writing to a string does not fail.
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use core::fmt;

    use super::*;

    #[derive(Debug)]
    struct Layer(&'static str, Option<Box<Self>>);

    impl fmt::Display for Layer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl Error for Layer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.1.as_ref().map(|cause| &**cause as &dyn Error)
        }
    }

    #[test]
    fn causes_follow_their_effects() {
        let error = Layer("a", Some(Layer("b", Some(Layer("c", None).into())).into()));
        assert_eq!(chain(&error), "a: b: c");
    }
}
