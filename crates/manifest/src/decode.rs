//! Turns the bytes of a file into text.
//!
//! Input that is not UTF-8, or holds a NUL byte, becomes a problem together with a readable stand-in,
//! so that its place can be shown.

use crate::source::Span;
use crate::{Problem, ProblemKind};

/// The text of a file, and what kept it from being read as it stands.
#[derive(Clone, Debug)]
pub struct Decoded {
    /// The text; with replacement characters where bytes were not UTF-8.
    pub text: String,
    /// What is wrong with the bytes; nothing of the text may be trusted then.
    pub problem: Option<Problem>,
}

/// Turns the bytes of a file into text.
#[must_use]
pub fn decode(bytes: Vec<u8>) -> Decoded {
    match String::from_utf8(bytes) {
        Ok(text) => {
            let problem = text.find('\0').map(|at| {
                let message = format!("byte {at} is NUL: this is a binary file, not YAML");
                Problem::new(ProblemKind::YamlSyntax, Span::new(at, at + 1), message)
                    .help("remove the file from the folder, or from the policy's `keys`")
            });
            Decoded { text, problem }
        }
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let bytes = error.as_bytes();
            let utf16 = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
            let message = if utf16 {
                "the file is UTF-16; key definitions and policies are UTF-8".to_owned()
            } else {
                let byte = bytes.get(at).copied().unwrap_or_default();
                format!("byte {at} (0x{byte:02x}) is not UTF-8")
            };
            let text = String::from_utf8_lossy(bytes).into_owned();
            let end = at + text.get(at..).and_then(|t| t.chars().next()).map_or(0, char::len_utf8);
            let problem = Problem::new(ProblemKind::YamlSyntax, Span::new(at, end), message)
                .help("save the file as UTF-8");
            Decoded { text, problem: Some(problem) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_utf_8_is_a_problem_with_a_position() {
        let latin = decode(b"a: caf\xe9\n".to_vec());
        assert_eq!(latin.problem.as_ref().map(|p| p.span), Some(Span::new(6, 9)));
        assert!(latin.problem.unwrap().message.contains("byte 6 (0xe9)"));
        assert!(decode(b"a\0b".to_vec()).problem.unwrap().message.contains("binary"));
        assert!(decode(vec![0xff, 0xfe, 0x61, 0]).problem.unwrap().message.contains("UTF-16"));
        assert!(decode("a: é".into()).problem.is_none());
    }
}
