//! [`Text`]: a text with its lines, and conversions from and to the protocol's positions.

use cortexkey_manifest::Span;
use lsp_types::{Position, PositionEncodingKind, Range};

/// How columns are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Utf8,
    Utf16,
}

impl Encoding {
    /// UTF-8 if the client supports it; every client supports UTF-16.
    pub(crate) fn choose<'o>(mut offered: impl Iterator<Item = &'o str>) -> Self {
        let utf8 = PositionEncodingKind::UTF8;
        if offered.any(|it| it == utf8.as_str()) { Self::Utf8 } else { Self::Utf16 }
    }

    pub(crate) const fn kind(self) -> PositionEncodingKind {
        match self {
            Self::Utf8 => PositionEncodingKind::UTF8,
            Self::Utf16 => PositionEncodingKind::UTF16,
        }
    }

    fn width(self, text: &str) -> usize {
        match self {
            Self::Utf8 => text.len(),
            Self::Utf16 => text.encode_utf16().count(),
        }
    }
}

/// A text, and the start of each line.
pub(crate) struct Text<'t> {
    pub(crate) whole: &'t str,
    starts: Vec<usize>,
    encoding: Encoding,
}

impl<'t> Text<'t> {
    pub(crate) fn new(text: &'t str, encoding: Encoding) -> Self {
        Self { whole: text, starts: starts(text), encoding }
    }

    /// A line without its end; the empty string if there is none.
    pub(crate) fn line(&self, line: usize) -> &'t str {
        let Some(start) = self.starts.get(line) else { return "" };
        let end = self.starts.get(line + 1).copied().unwrap_or(self.whole.len());
        self.whole[*start..end].trim_end_matches(['\n', '\r'])
    }

    /// The position of a byte; within a character, that of the character.
    pub(crate) fn position(&self, offset: usize) -> Position {
        let mut offset = offset.min(self.whole.len());
        while !self.whole.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = self.starts.partition_point(|start| *start <= offset) - 1;
        let column = self.encoding.width(&self.whole[self.starts[line]..offset]);
        Position::new(small(line), small(column))
    }

    pub(crate) fn range(&self, span: Span) -> Range {
        let range = span.range();
        Range::new(self.position(range.start), self.position(range.end))
    }

    /// The byte at a position; a column beyond its line is the line's end.
    pub(crate) fn offset(&self, position: Position) -> usize {
        let line = position.line as usize;
        let Some(start) = self.starts.get(line) else { return self.whole.len() };
        let text = self.line(line);
        let wanted = position.character as usize;
        let mut column = 0;
        for (at, c) in text.char_indices() {
            if column >= wanted {
                return start + at;
            }
            column += match self.encoding {
                Encoding::Utf8 => c.len_utf8(),
                Encoding::Utf16 => c.len_utf16(),
            };
        }
        start + text.len()
    }
}

/// Where each line begins. A line ends as the protocol says: with `\n`, `\r\n` or `\r`.
fn starts(text: &str) -> Vec<usize> {
    if !text.contains('\r') {
        let ends = text.match_indices('\n').map(|(at, _)| at + 1);
        return core::iter::once(0).chain(ends).collect();
    }
    let bytes = text.as_bytes();
    let is_end = |(at, byte): (usize, &u8)| {
        let ends = *byte == b'\n' || *byte == b'\r' && bytes.get(at + 1) != Some(&b'\n');
        ends.then_some(at + 1)
    };
    core::iter::once(0).chain(bytes.iter().enumerate().filter_map(is_end)).collect()
}

/// The lines of a text without their ends; the last may be empty.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = &str> {
    let starts = starts(text);
    let ends: Vec<usize> = starts.iter().skip(1).copied().chain([text.len()]).collect();
    let lines = starts.into_iter().zip(ends);
    lines.map(|(start, end)| text[start..end].trim_end_matches(['\n', '\r']))
}

fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_and_offsets_are_each_others_inverse() {
        let text = "a: é\r\nb: 𝕏y\n\nlast";
        for encoding in [Encoding::Utf8, Encoding::Utf16] {
            let lines = Text::new(text, encoding);
            for (offset, c) in text.char_indices().filter(|(_, c)| !matches!(c, '\r' | '\n')) {
                assert_eq!(lines.offset(lines.position(offset)), offset, "{c}");
            }
        }
        let utf16 = Text::new(text, Encoding::Utf16);
        let y = text.find('y').unwrap_or_default();
        assert_eq!(utf16.position(y), Position::new(1, 5));
        assert_eq!(Text::new(text, Encoding::Utf8).position(y), Position::new(1, 7));
        assert_eq!(utf16.offset(Position::new(0, 99)), "a: é".len());
        assert_eq!(utf16.offset(Position::new(99, 0)), text.len());
        assert_eq!(utf16.line(1), "b: 𝕏y");
    }

    #[test]
    fn a_carriage_return_alone_ends_a_line() {
        let text = Text::new("a\rb\r\nc\n\rd", Encoding::Utf16);
        let lines: Vec<&str> = (0..6).map(|line| text.line(line)).collect();
        assert_eq!(lines, ["a", "b", "c", "", "d", ""]);
        assert_eq!(text.position(2), Position::new(1, 0));
        assert_eq!(text.offset(Position::new(1, 99)), 3);
    }
}
