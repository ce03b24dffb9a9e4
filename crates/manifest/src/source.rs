//! Byte ranges of a file, and their lines and columns.

/// A range of bytes in one file: `start` is included, `end` is not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u32,
    /// Offset after the last byte.
    pub end: u32,
}

impl Span {
    /// A span from byte offsets; offsets beyond 4 GiB are clamped (files are far smaller).
    #[must_use]
    pub fn new(start: usize, end: usize) -> Self {
        let start = u32::try_from(start).unwrap_or(u32::MAX);
        Self { start, end: u32::try_from(end).unwrap_or(u32::MAX).max(start) }
    }

    /// Converts to a range of `usize`.
    #[must_use]
    pub fn range(self) -> core::ops::Range<usize> {
        self.start as usize..self.end as usize
    }

    /// The text under the span; empty if the span does not match the text.
    #[must_use]
    pub fn slice(self, text: &str) -> &str {
        text.get(self.range()).unwrap_or_default()
    }

    /// True when it covers no byte.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }
}

/// A value with its position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Its position.
    pub span: Span,
}

impl<T> Spanned<T> {
    /// Combines a value with its position.
    pub const fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }
}

/// A line and a column, both counted from 1; the column counts Unicode characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1. A byte order mark does not count.
    pub column: usize,
}

/// The start of each line of a string.
#[derive(Clone, Debug)]
pub struct LineIndex {
    starts: Vec<u32>,
    /// True if each byte is a character, so that columns need no counting.
    ascii: bool,
}

impl LineIndex {
    /// Finds the line endings of a string: LF, CRLF, or a lone CR, as in YAML.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut starts = vec![0];
        for (at, byte) in bytes.iter().enumerate() {
            let ends = match byte {
                b'\n' => true,
                b'\r' => bytes.get(at + 1) != Some(&b'\n'),
                _ => false,
            };
            if ends {
                starts.push(u32::try_from(at + 1).unwrap_or(u32::MAX));
            }
        }
        Self { starts, ascii: text.is_ascii() }
    }

    /// Line and column of a byte offset; an offset after the text counts as its end.
    #[must_use]
    pub fn position(&self, text: &str, offset: u32) -> Position {
        let offset = offset.min(u32::try_from(text.len()).unwrap_or(u32::MAX));
        let line = self.line_of(offset);
        let start = self.starts.get(line - 1).copied().unwrap_or(0);
        if self.ascii {
            return Position { line, column: (offset - start.min(offset)) as usize + 1 };
        }
        let before = text.get(start as usize..offset as usize).unwrap_or_default();
        let before = before.strip_prefix('\u{feff}').unwrap_or(before);
        Position { line, column: before.chars().count() + 1 }
    }

    /// The line (from 1) that contains a byte offset.
    pub(crate) fn line_of(&self, offset: u32) -> usize {
        self.starts.partition_point(|start| *start <= offset).max(1)
    }

    /// The offset at which a line (from 1) starts, if it exists.
    #[must_use]
    pub fn line_start(&self, line: usize) -> Option<u32> {
        self.starts.get(line.checked_sub(1)?).copied()
    }

    /// The number of lines.
    #[must_use]
    pub fn lines(&self) -> usize {
        self.starts.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters_and_know_three_line_ends() {
        let text = "\u{feff}aé: x\r\nb: y\rc: z\n";
        let index = LineIndex::new(text);
        let at = |needle: &str| {
            let offset = u32::try_from(text.find(needle).unwrap()).unwrap();
            let position = index.position(text, offset);
            (position.line, position.column)
        };
        assert_eq!(at("aé"), (1, 1));
        assert_eq!(at("x"), (1, 5));
        assert_eq!(at("y"), (2, 4));
        assert_eq!(at("z"), (3, 4));
        assert_eq!(index.lines(), 4);
        assert_eq!(index.position(text, u32::MAX).line, 4);
    }

    #[test]
    fn positions_of_plain_text_are_the_same_as_counted_ones() {
        let plain = "a: b\r\nccc\rd\n";
        let index = LineIndex::new(plain);
        let counted = LineIndex::new(&format!("{plain}é"));
        for offset in 0..=13 {
            assert_eq!(index.position(plain, offset), counted.position(plain, offset), "{offset}");
        }
    }
}
