//! [`Text`]: a text with its lines, and positions in it as the protocol counts them.

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
    pub(crate) fn choose(offered: Option<&[PositionEncodingKind]>) -> Self {
        let offers = offered.unwrap_or_default();
        if offers.contains(&PositionEncodingKind::UTF8) { Self::Utf8 } else { Self::Utf16 }
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
        let ends = text.match_indices('\n').map(|(at, _)| at + 1);
        Self { whole: text, starts: core::iter::once(0).chain(ends).collect(), encoding }
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
}
