//! Breaks workflow commands: text that a CI service executes when it finds it in the output of a
//! job, so that content of a file or tenant can neither set variables nor hide output.
//!
//! GitHub looks for `::` at the start of a line, after spaces, and for `##[` anywhere; Azure
//! Pipelines for `##vso[` and `##[`, and `TeamCity` for `##teamcity[`, anywhere. Colours are
//! ignored here: they are removed later if the output is not a terminal.

use std::borrow::Cow;

/// The longest name between `##` and `[` that counts as a command.
const NAME_MAX: usize = 24;

/// Text for people, of any number of lines, without a command.
#[must_use]
pub fn inert(text: &str) -> Cow<'_, str> {
    let may_hold = text.contains("##") || text.contains("::") || text.contains('\u{1b}');
    if !may_hold {
        return Cow::Borrowed(text);
    }
    let visible = visible(text);
    let mut marks = hashes(&visible);
    marks.extend(colons(&visible));
    marks.sort_unstable();
    replaced(text, &marks, |c| format!("\\u{{{:04x}}}", u32::from(c)))
}

/// A part of a line without a command that CI services find anywhere in it.
#[must_use]
pub fn inert_part(text: &str) -> Cow<'_, str> {
    without_hashes(text, |c| format!("\\u{{{:04x}}}", u32::from(c)))
}

/// Equivalent JSON without a command. Only strings can contain one.
#[must_use]
pub fn inert_json(json: &str) -> Cow<'_, str> {
    without_hashes(json, |c| format!("\\u{:04x}", u32::from(c)))
}

/// Equivalent XML without a command. Only text and attributes can contain one.
#[must_use]
pub fn inert_xml(xml: &str) -> Cow<'_, str> {
    without_hashes(xml, |c| format!("&#{};", u32::from(c)))
}

fn without_hashes(text: &str, write: impl Fn(char) -> String) -> Cow<'_, str> {
    if !text.contains("##") {
        return Cow::Borrowed(text);
    }
    let marks = hashes(&text.char_indices().collect::<Vec<_>>());
    replaced(text, &marks, write)
}

/// The characters with their offsets, without the sequences that set a terminal's colours.
fn visible(text: &str) -> Vec<(usize, char)> {
    let mut visible = Vec::with_capacity(text.len());
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if c == '\u{1b}' && chars.next_if(|(_, next)| *next == '[').is_some() {
            // Parameters up to the letter that ends them.
            while chars.next_if(|(_, next)| !('@'..='~').contains(next)).is_some() {}
            chars.next();
        } else {
            visible.push((at, c));
        }
    }
    visible
}

/// The offsets of the second `#` of each `##NAME[`.
fn hashes(visible: &[(usize, char)]) -> Vec<usize> {
    let is_command = |rest: &[(usize, char)]| {
        let name = rest.iter().take(NAME_MAX).take_while(|(_, c)| c.is_alphanumeric()).count();
        rest.get(name).is_some_and(|(_, c)| *c == '[')
    };
    let pairs = visible.windows(2).enumerate();
    let pairs = pairs.filter(|(_, pair)| pair.iter().all(|(_, c)| *c == '#'));
    let live = pairs.filter(|(at, _)| is_command(visible.get(at + 2..).unwrap_or_default()));
    live.map(|(_, pair)| pair[1].0).collect()
}

/// The offsets of the first `:` of each line that starts with `::`.
fn colons(visible: &[(usize, char)]) -> Vec<usize> {
    let lines = visible.split(|(_, c)| matches!(c, '\n' | '\r'));
    let start = |line: &[(usize, char)]| {
        let mut rest = line.iter().skip_while(|(_, c)| c.is_whitespace());
        let (at, first) = rest.next()?;
        let (_, second) = rest.next()?;
        // The name of a command does not start with a colon; `:::` marks a location in compiler
        // messages.
        let is_named = rest.next().is_none_or(|(_, third)| *third != ':');
        (*first == ':' && *second == ':' && is_named).then_some(*at)
    };
    lines.filter_map(start).collect()
}

/// The text with the characters at these sorted offsets replaced by equivalent notation.
fn replaced<'t>(text: &'t str, marks: &[usize], write: impl Fn(char) -> String) -> Cow<'t, str> {
    if marks.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8 * marks.len());
    let mut from = 0;
    for at in marks {
        let (before, rest) = text.split_at(*at);
        out.push_str(&before[from..]);
        let Some(c) = rest.chars().next() else { break };
        out.push_str(&write(c));
        from = at + c.len_utf8();
    }
    out.push_str(&text[from..]);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_broken_and_other_text_is_not() {
        for (text, broken) in [
            ("a ##vso[task.x]b", "a #\\u{0023}vso[task.x]b"),
            ("###[x", "##\\u{0023}[x"),
            ("##[a]##[b]", "#\\u{0023}[a]#\\u{0023}[b]"),
            ("##TeamCity[", "#\\u{0023}TeamCity["),
            ("x\n \t::error::y\r::z", "x\n \t\\u{003a}:error::y\r\\u{003a}:z"),
            ("\u{1b}[1m::error::\u{1b}[0m", "\u{1b}[1m\\u{003a}:error::\u{1b}[0m"),
            ("#\u{1b}[1m#vso\u{1b}[0m[", "#\u{1b}[1m\\u{0023}vso\u{1b}[0m["),
        ] {
            assert_eq!(inert(text), broken, "{text}");
        }
        for text in [
            "",
            "## heading",
            "a::b",
            ": :",
            "# #[x",
            "##a b[",
            " ::: a::b",
            "\u{1b}[",
            "\u{1b}",
            "é::",
        ] {
            assert_eq!(inert(text), text);
        }
        assert_eq!(inert_part("::x ##[y"), "::x #\\u{0023}[y");
        assert_eq!(inert_json("{\"a\":\"##[\"}"), "{\"a\":\"#\\u0023[\"}");
        assert_eq!(inert_xml("<a b=\"##vso[\"/>"), "<a b=\"#&#35;vso[\"/>");
    }
}
