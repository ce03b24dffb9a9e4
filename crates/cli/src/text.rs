//! Writing to standard output, and the few colours there are.
//!
//! It refuses to panic when standard output is closed, which `println!` does.

use std::io::{self, Write as _};

use anstyle::{AnsiColor, Style};
use cortexkey_manifest::is_invisible;
use serde_json::Value;

/// Whom output is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

/// For headings.
pub(crate) const BOLD: Style = Style::new().bold();
/// For what is less important.
pub(crate) const DIM: Style = Style::new().dimmed();
/// For what went well.
pub(crate) const GOOD: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Green)));
/// For what was refused.
pub(crate) const BAD: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Red)));

/// A line of JSON, for machines.
pub(crate) fn json(value: &Value) -> String {
    visible(&value.to_string()) + "\n"
}

/// JSON that means the same and holds nothing that a terminal would act on: text of a tenant may
/// hold anything.
pub(crate) fn visible(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        // Outside of its strings JSON has no other such characters than line ends and tabs.
        if is_invisible(c) && !matches!(c, '\n' | '\r' | '\t') {
            out += &format!("\\u{:04x}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}

/// Writes text to standard output, without its colours where they are not wanted.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut stdout = anstream::stdout();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

/// Writes bytes to standard output as they are.
pub(crate) fn print_bytes(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()
}
