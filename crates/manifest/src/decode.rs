//! Turns the bytes of a file into text.
//!
//! Input that is not UTF-8 or contains a NUL byte is a problem. It comes with a readable
//! replacement text, so that its position can be shown; for UTF-16 and UTF-32, which other YAML
//! readers accept, that is the decoded text.

use crate::source::Span;
use crate::{Problem, ProblemKind};

/// The text of a file, and the problem if its bytes are not plain UTF-8.
#[derive(Clone, Debug)]
pub struct Decoded {
    /// The text; with replacement characters where bytes were not UTF-8.
    pub text: String,
    /// The problem with the bytes. If there is one, no part of the text may be trusted.
    pub problem: Option<Problem>,
}

/// Turns the bytes of a file into text.
#[must_use]
pub fn decode(bytes: Vec<u8>) -> Decoded {
    if let Some((encoding, text)) = wide(&bytes) {
        let end = text.chars().next().map_or(0, char::len_utf8);
        let message = format!("the file is {encoding}; key definitions and policies are UTF-8");
        let problem = Problem::new(ProblemKind::YamlSyntax, Span::new(0, end), message)
            .help("save the file as UTF-8");
        return Decoded { text, problem: Some(problem) };
    }
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
            let byte = bytes.get(at).copied().unwrap_or_default();
            let message = format!("byte {at} (0x{byte:02x}) is not UTF-8");
            let text = String::from_utf8_lossy(bytes).into_owned();
            let end = at + text.get(at..).and_then(|t| t.chars().next()).map_or(0, char::len_utf8);
            let problem = Problem::new(ProblemKind::YamlSyntax, Span::new(at, end), message)
                .help("save the file as UTF-8");
            Decoded { text, problem: Some(problem) }
        }
    }
}

/// The encoding and the text of UTF-16 or UTF-32, by the byte order mark or, as YAML has it, by the
/// zeros of the first character. Without a mark, all of it must be text.
fn wide(bytes: &[u8]) -> Option<(&'static str, String)> {
    let (is_utf32, is_little, is_marked) = match bytes {
        [0xff, 0xfe, 0, 0, ..] => (true, true, true),
        [0, 0, 0xfe, 0xff, ..] => (true, false, true),
        [0xff, 0xfe, ..] => (false, true, true),
        [0xfe, 0xff, ..] => (false, false, true),
        [1..=255, 0, 0, 0, ..] => (true, true, false),
        [0, 0, 0, 1..=255, ..] => (true, false, false),
        [1..=255, 0, ..] => (false, true, false),
        [0, 1..=255, ..] => (false, false, false),
        _ => return None,
    };
    let size = if is_utf32 { 4 } else { 2 };
    let units = bytes.chunks(size).map(|unit| {
        let number = |sum, byte: &u8| sum << 8 | u32::from(*byte);
        if is_little { unit.iter().rev().fold(0, number) } else { unit.iter().fold(0, number) }
    });
    let text: Vec<Option<char>> = if is_utf32 {
        units.map(char::from_u32).collect()
    } else {
        let units = units.map(|unit| u16::try_from(unit).unwrap_or(u16::MAX));
        char::decode_utf16(units).map(Result::ok).collect()
    };
    let is_text =
        bytes.len().is_multiple_of(size) && text.iter().all(|c| c.is_some_and(|c| c != '\0'));
    let mut text = text.into_iter().map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).peekable();
    text.next_if_eq(&'\u{feff}');
    let encoding = if is_utf32 { "UTF-32" } else { "UTF-16" };
    (is_text || is_marked).then(|| (encoding, text.collect()))
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

    #[test]
    fn wide_text_is_readable() {
        let text = "a: é😀\n";
        let utf16 = |order: fn(u16) -> [u8; 2]| -> Vec<u8> {
            text.encode_utf16().flat_map(order).collect()
        };
        let utf32 = |order: fn(u32) -> [u8; 4]| -> Vec<u8> {
            text.chars().flat_map(|c| order(c.into())).collect()
        };
        let ways: [(&str, &[u8], Vec<u8>); 4] = [
            ("UTF-16", &[0xff, 0xfe], utf16(u16::to_le_bytes)),
            ("UTF-16", &[0xfe, 0xff], utf16(u16::to_be_bytes)),
            ("UTF-32", &[0xff, 0xfe, 0, 0], utf32(u32::to_le_bytes)),
            ("UTF-32", &[0, 0, 0xfe, 0xff], utf32(u32::to_be_bytes)),
        ];
        for (encoding, mark, bytes) in ways {
            for bytes in [bytes.clone(), [mark, &bytes].concat()] {
                let decoded = decode(bytes);
                assert_eq!(decoded.text, text, "{encoding}");
                assert!(decoded.problem.is_some_and(|p| p.message.contains(encoding)));
            }
            // An incomplete character at the end does not make the rest unreadable.
            let torn = decode([mark, &bytes, &[0x61]].concat());
            assert!(torn.text.starts_with(text), "{encoding}");
        }
        for bytes in [&[1, 0, 0, 0, 0, 0, 0, 0][..], &[0x7f, 0, 1], &[0; 8]] {
            assert!(decode(bytes.to_vec()).problem.unwrap().message.contains("binary"));
        }
    }
}
