//! Mistakes in the text of a key, and the key without them.

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::Cause;

/// A mistake in the text of a key, and the text without it.
pub(super) struct KeyMistake {
    pub(super) cause: Cause,
    pub(super) evidence: String,
    pub(super) corrected: Zeroizing<Vec<u8>>,
}

/// The mistakes in the text, from the outside in; each with the text after all fixes up to it.
pub(super) fn mistakes(text: &[u8]) -> Vec<KeyMistake> {
    let mut mistakes = Vec::new();
    let mut rest = text;
    let mut found = |cause, evidence: &str, corrected: &[u8]| {
        let corrected = Zeroizing::new(corrected.to_vec());
        mistakes.push(KeyMistake { cause, evidence: evidence.to_owned(), corrected });
    };
    loop {
        let trimmed = rest.trim_ascii();
        if trimmed.len() < rest.len() {
            rest = trimmed;
            found(
                Cause::WhitespaceAroundKey,
                "white space or a line ending surrounds the key",
                rest,
            );
        } else if let Some(inner) = unescaped(rest) {
            rest = inner;
            found(Cause::WhitespaceAroundKey, "the key ends in a backslash and an n", rest);
        } else if let Some(inner) = bearer(rest) {
            rest = inner;
            found(Cause::BearerPrefix, "the key starts with `Bearer`", rest);
        } else if let Some(inner) = quoted(rest) {
            rest = inner;
            found(Cause::QuotedKey, "the key is in quotes", rest);
        } else {
            return mistakes;
        }
    }
}

fn bearer(text: &[u8]) -> Option<&[u8]> {
    let (word, rest) = text.split_at_checked(7)?;
    let is_word = word[..6].eq_ignore_ascii_case(b"bearer") && b" :\t".contains(&word[6]);
    is_word.then_some(rest)
}

fn quoted(text: &[u8]) -> Option<&[u8]> {
    let strip = |quote: &[u8]| text.strip_prefix(quote)?.strip_suffix(quote);
    let curly = |open: &str, close: &str| {
        text.strip_prefix(open.as_bytes())?.strip_suffix(close.as_bytes())
    };
    strip(b"\"")
        .or_else(|| strip(b"'"))
        .or_else(|| strip(b"`"))
        .or_else(|| curly("\u{201c}", "\u{201d}"))
        .or_else(|| curly("\u{2018}", "\u{2019}"))
}

/// An escaped line ending.
fn unescaped(text: &[u8]) -> Option<&[u8]> {
    text.strip_suffix(br"\n").or_else(|| text.strip_suffix(br"\r"))
}

/// Whether the text looks like a SHA-256 digest, which no key of the product does.
pub(super) fn is_digest(text: &[u8]) -> bool {
    text.len() == 64 && text.iter().all(u8::is_ascii_hexdigit)
}

/// The key without surrounding characters.
pub(super) fn corrected(key: &[u8]) -> Zeroizing<Vec<u8>> {
    let last = mistakes(key).pop();
    last.map_or_else(|| Zeroizing::new(key.to_vec()), |slip| slip.corrected)
}

/// Whether a value is a digest, in either case.
pub(super) fn equals(value: &[u8], digest: &str) -> bool {
    value.eq_ignore_ascii_case(digest.as_bytes())
}

/// The SHA-256 of the parts, in lower-case hexadecimal digits.
pub(super) fn sha256(parts: &[&[u8]]) -> Zeroizing<String> {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    Zeroizing::new(hex::encode(hash.finalize()))
}

/// HMAC-SHA-256, a common misreading of the scheme.
pub(super) fn hmac(key: &[u8], message: &[u8]) -> Zeroizing<String> {
    let mut block = Zeroizing::new([0_u8; 64]);
    if key.len() > block.len() {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let padded = |pad: u8| Zeroizing::new(block.map(|byte| byte ^ pad));
    let inner = Sha256::new().chain_update(*padded(0x36)).chain_update(message).finalize();
    let outer = Sha256::new().chain_update(*padded(0x5c)).chain_update(inner).finalize();
    Zeroizing::new(hex::encode(outer))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn causes(text: &str) -> Vec<Cause> {
        mistakes(text.as_bytes()).iter().map(|slip| slip.cause).collect()
    }

    #[test]
    fn slips_are_corrected_one_by_one() {
        use Cause::{BearerPrefix, QuotedKey, WhitespaceAroundKey};
        assert_eq!(causes("abc"), []);
        for (text, expected) in [
            ("abc\n", &[WhitespaceAroundKey][..]),
            (" abc", &[WhitespaceAroundKey]),
            ("'abc'", &[QuotedKey]),
            ("\"abc\"\r\n", &[WhitespaceAroundKey, QuotedKey]),
            ("Bearer abc", &[BearerPrefix]),
            ("\"bearer abc\\n\"", &[QuotedKey, WhitespaceAroundKey, BearerPrefix]),
            ("\u{201c}abc\u{201d}", &[QuotedKey]),
        ] {
            assert_eq!(causes(text), expected, "{text}");
            assert_eq!(
                mistakes(text.as_bytes()).last().map(|slip| slip.corrected.as_slice()),
                Some(&b"abc"[..])
            );
        }
    }

    #[test]
    fn hmac_gives_the_known_answer() {
        // RFC 4231, test case 2.
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(hmac(b"Jefe", b"what do ya want for nothing?").as_str(), expected);
    }
}
