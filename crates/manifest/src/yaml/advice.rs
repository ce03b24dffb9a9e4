//! Turns the parser's errors into messages that say what to do.
//!
//! Messages never repeat the file's content: a line that cannot be parsed may contain a secret.

use granit_parser::ErrorKind;

use crate::{Problem, ProblemKind, Span};

/// A syntax error at an offset: its position, its cause, and how to fix it.
pub(super) fn problem(text: &str, kind: &ErrorKind, at: usize) -> Problem {
    let place = Place::new(text, at);
    let found = conflict(&place)
        .or_else(|| template(&place))
        .or_else(|| tab(&place, kind))
        .or_else(|| unclosed(&place, kind))
        .or_else(|| indentation(&place, kind))
        .or_else(|| of_kind(&place, kind));
    found.unwrap_or_else(|| {
        syntax(place.character(at), kind.to_string())
            .help("compare the line with the one above it: indentation, colons, quotes, brackets")
    })
}

/// The position of an error in its file.
struct Place<'t> {
    text: &'t str,
    at: usize,
    /// The start of its line.
    begin: usize,
    line: &'t str,
    /// The nearest line above that is not empty, and its start.
    above: Option<(usize, &'t str)>,
}

impl<'t> Place<'t> {
    fn new(text: &'t str, at: usize) -> Self {
        let before = text.get(..at).unwrap_or_default();
        let begin = before.rfind(['\n', '\r']).map_or(0, |end| end + 1);
        let rest = text.get(begin..).unwrap_or_default();
        let line = rest.split(['\n', '\r']).next().unwrap_or_default();
        let mut above = None;
        let mut start = 0;
        for line in text.get(..begin).unwrap_or_default().split_inclusive(['\n', '\r']) {
            let words = line.trim();
            if !words.is_empty() && !words.starts_with('#') {
                above = Some((start, line.trim_end()));
            }
            start += line.len();
        }
        Self { text, at, begin, line, above }
    }

    /// The character at an offset; nothing at the end of a line.
    fn character(&self, at: usize) -> Span {
        let next = self.text.get(at..).and_then(|rest| rest.chars().next());
        let length = next.filter(|c| !matches!(c, '\n' | '\r')).map_or(0, char::len_utf8);
        Span::new(at, at + length)
    }

    /// From the first word of the line to its end.
    fn text_span(&self) -> Span {
        let end = self.begin + self.line.trim_end().len();
        Span::new((self.begin + indent(self.line)).min(end), end)
    }

    /// True when the error is at the first colon of its line, or at its first word.
    fn begins(&self) -> bool {
        let before = self.text.get(self.begin..self.at).unwrap_or_default();
        !before.contains(": ") && !before.contains(['"', '\'', '{', '['])
    }
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

fn spaces(count: usize) -> String {
    format!("{count} space{}", if count == 1 { "" } else { "s" })
}

fn syntax(span: Span, message: impl core::fmt::Display) -> Problem {
    Problem::new(ProblemKind::YamlSyntax, span, format!("not YAML: {message}"))
}

/// The help for a template that has not been rendered.
pub(crate) const TEMPLATE_HELP: &str =
    "lint the rendered file, and exclude the template from the policy's `keys`";

/// The first marker of an unfinished merge, wherever the parser failed.
fn conflict(place: &Place<'_>) -> Option<Problem> {
    let mut start = 0;
    for line in place.text.split_inclusive(['\n', '\r']) {
        let words = line.trim_end();
        if ["<<<<<<< ", ">>>>>>> ", "||||||| "].iter().any(|mark| words.starts_with(mark))
            || words == "======="
        {
            let message = "this is a merge conflict marker";
            let help = "finish the merge: keep one of the two sides, and remove the markers";
            return Some(syntax(Span::new(start, start + words.len()), message).help(help));
        }
        start += line.len();
    }
    None
}

fn template(place: &Place<'_>) -> Option<Problem> {
    let words = place.line.trim_start();
    let found = ["{{", "{%"].iter().find(|mark| words.starts_with(**mark))?;
    let begin = place.begin + (place.line.len() - words.len());
    let message = format!("`{found}` starts a template, which is not YAML until it is rendered");
    Some(syntax(Span::new(begin, begin + 2), message).help(TEMPLATE_HELP))
}

fn tab(place: &Place<'_>, kind: &ErrorKind) -> Option<Problem> {
    use ErrorKind as K;
    let about = matches!(
        kind,
        K::TabNotAllowed
            | K::TabInBlockIndentation
            | K::TabInIndentation
            | K::TabAtBlockScalarStart
            | K::TabInPlainScalar
    );
    // The parser stops at the text that the tab cuts off, which may be the line above.
    let tab = place.text.get(place.begin..)?.find('\t').filter(|_| about)?;
    let span = Span::new(place.begin + tab, place.begin + tab + 1);
    let message = "this is a tab, but YAML allows only spaces here";
    Some(syntax(span, message).help("replace the tab with spaces"))
}

/// An unclosed bracket or quote, at its start.
fn unclosed(place: &Place<'_>, kind: &ErrorKind) -> Option<Problem> {
    use ErrorKind as K;
    match kind {
        K::UnclosedQuotedScalar => {
            let message = "this quote is never closed";
            let help = "add the closing quote at the end of the string";
            return Some(syntax(place.character(place.at), message).help(help));
        }
        K::UnclosedFlowCollection { .. }
        | K::ExpectedFlowMappingSeparator
        | K::ExpectedFlowSequenceSeparator
        | K::UnexpectedEofFlowSequence
        | K::UnexpectedEofFlowMapping
        | K::UnexpectedEofImplicitFlowMapping
        | K::InvalidColonPlacement
        | K::InvalidFlowScalarIndent
        | K::InvalidSimpleKey
        | K::SimpleKeyExpected => {}
        _ => return None,
    }
    let upto =
        if matches!(kind, K::UnclosedFlowCollection { .. }) { place.at + 1 } else { place.at };
    let open = last_open(place.text.get(..upto)?)?;
    let here = open < place.begin || matches!(kind, K::UnclosedFlowCollection { .. });
    let (mark, close) = match place.text.as_bytes().get(open)? {
        b'[' => ('[', ']'),
        _ => ('{', '}'),
    };
    let problem = syntax(Span::new(open, open + 1), format!("this `{mark}` is not closed"))
        .help(format!("add `{close}` at the end of the list or mapping"));
    let problem = match place.at {
        at if at == open => problem,
        at => problem.related(place.character(at), "it should have been closed before this"),
    };
    here.then_some(problem)
}

/// The last bracket that is open at the end of the text; quotes and comments are skipped.
fn last_open(text: &str) -> Option<usize> {
    let mut open = Vec::new();
    let mut quote: Option<char> = None;
    let mut before = '\n';
    let mut comment = false;
    for (at, c) in text.char_indices() {
        let begins = before.is_whitespace() || matches!(before, '[' | '{' | ',' | ':');
        match (quote, c) {
            (_, '\n' | '\r') => comment = false,
            _ if comment => {}
            (Some(mark), c) => quote = quote.filter(|_| c != mark || before == '\\'),
            (None, '"' | '\'') if begins => quote = Some(c),
            (None, '#') if before.is_whitespace() => comment = true,
            (None, '[' | '{') if begins || !open.is_empty() => open.push(at),
            (None, ']' | '}') => {
                open.pop();
            }
            _ => {}
        }
        before = c;
    }
    open.pop()
}

/// A line that starts in the wrong column, or follows a line that is not a field.
fn indentation(place: &Place<'_>, kind: &ErrorKind) -> Option<Problem> {
    use ErrorKind as K;
    let about = match kind {
        K::MappingValueNotAllowed => place.begins(),
        K::ExpectedBlockMappingKey | K::InvalidIndentation | K::ExpectedDocumentStart => true,
        _ => false,
    };
    let (start, above) = place.above.filter(|_| about)?;
    let ours = indent(place.line);
    let theirs = indent(above);
    let item = |line: &str| line.trim_start().starts_with("- ");
    if item(place.line) && !item(above) && ours <= theirs {
        let message = "expected a field, got a list item";
        return Some(
            syntax(place.text_span(), message).help("write `name: value`, or indent the item"),
        );
    }
    if ours == theirs {
        let field = above.contains(": ") || above.ends_with(':');
        let span = Span::new(start + theirs, start + above.len());
        let help = "a field is `name: value`, with a space after the colon";
        return (!field).then(|| syntax(span, "this line is not a field").help(help));
    }
    let message = format!(
        "this line is indented by {}, unlike any field above it; the line above has {}",
        spaces(ours),
        spaces(theirs)
    );
    let help = "give the fields of one mapping the same indentation";
    Some(syntax(place.text_span(), message).help(help))
}

fn of_kind(place: &Place<'_>, kind: &ErrorKind) -> Option<Problem> {
    use ErrorKind as K;
    let (message, help): (String, &str) = match kind {
        K::MappingValueNotAllowed => (
            "a second `: ` on the line, in an unquoted string".into(),
            "quote the string: `name: \"a: b\"`",
        ),
        K::ExpectedBlockSequenceEntry => (
            "expected a list item, got a field".into(),
            "start the item with `- `, or indent the field like its mapping",
        ),
        K::MisplacedFlowCollectionEnd => (
            "this bracket closes nothing".into(),
            "remove it, or add the opening bracket; quote a string that contains brackets",
        ),
        K::MismatchedFlowCollectionEnd { open, close } => (
            format!("found `{close}`, but `{open}` is still open"),
            "close brackets in the order in which they were opened, the last one first",
        ),
        K::UnexpectedCharacter { character } => (
            format!("a plain string cannot start with `{}`", character.escape_default()),
            "quote the string",
        ),
        K::SimpleKeyExpected => (
            "this line is not a field".into(),
            "a field is `name: value`, with a space after the colon",
        ),
        K::InvalidTrailingSingleQuotedScalar => (
            "there is text after the closing quote".into(),
            "within single quotes, write a quote twice: 'it''s'",
        ),
        K::InvalidTrailingDoubleQuotedScalar => (
            "there is text after the closing quote".into(),
            "within double quotes, write a quote as `\\\"`",
        ),
        K::UnknownQuotedScalarEscape => (
            "a backslash in double quotes starts an escape, and this escape does not exist".into(),
            "write `\\\\` for a backslash, or use single quotes",
        ),
        _ => return None,
    };
    Some(syntax(place.character(place.at), message).help(help))
}

#[cfg(test)]
mod tests {
    use crate::yaml::{YamlLimits, parse};

    #[test]
    fn syntax_errors_state_the_position_and_the_remedy() {
        let head = "kind: ApiKey\nmetadata:\n  name: a\n";
        let mut shown = Vec::new();
        for (body, line, column) in [
            ("   owner: b\n", 4, 4),
            (" owner: b\n", 4, 2),
            ("\towner: b\n", 4, 1),
            ("  x:\n  \t- a\n", 5, 3),
            ("  comment: Exports: incidents\n", 4, 19),
            ("  roles: [Viewer\n  x: 1\n", 4, 10),
            ("  roles: [Viewer\n", 4, 10),
            ("  spec: { a: [b]\n", 4, 9),
            ("  comment: \"abc\n  x: 1\n", 4, 12),
            ("  comment: 'it's'\n", 4, 16),
            ("  comment: @foo\n", 4, 12),
            ("  x: ]\n", 4, 6),
            ("  - a\n", 4, 3),
            ("  a:\n    - a\n    b: c\n", 6, 5),
            ("  x:1\n  y: 2\n", 4, 3),
            ("spec\n  x: 1\n", 4, 1),
            ("<<<<<<< HEAD\n  owner: b\n=======\n  owner: c\n>>>>>>> topic\n", 4, 1),
            ("{{- if x }}\n", 4, 1),
        ] {
            let text = format!("{head}{body}");
            let parsed = parse(&text, &YamlLimits::default());
            let problem = &parsed.problems[0];
            let at = parsed.tree.position(problem.span.start);
            assert_eq!((at.line, at.column), (line, column), "{body:?} {problem:?}");
            let help = problem.help.as_deref().unwrap_or_default();
            shown.push(format!("{body:?}\n  {}\n  {help}\n", problem.message));
        }
        insta::assert_snapshot!(shown.concat());
    }
}
