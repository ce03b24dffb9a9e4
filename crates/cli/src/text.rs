//! Writes to standard output and standard error, with a few colours.
//!
//! All output of the binary goes through here, where [`mask`] hides keys; clippy forbids other
//! ways. A closed stream is an error or ignored, and never the panic of `println!`.

#![expect(clippy::disallowed_methods, reason = "the only module that writes to the streams")]

use std::io::{self, Write as _};

use anstyle::{AnsiColor, Style};
use cortexkey_manifest::{inert, inert_json, is_invisible};
use serde_json::Value;

use crate::mask;

/// The audience of output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// For programs, with a version
    Json,
}

/// For headings.
pub(crate) const BOLD: Style = Style::new().bold();
/// For less important text.
pub(crate) const DIM: Style = Style::new().dimmed();
/// For success.
pub(crate) const GOOD: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Green)));
/// For refusals.
pub(crate) const BAD: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Red)));

/// A line of JSON, for programs.
pub(crate) fn json(value: &Value) -> String {
    visible(&value.to_string()) + "\n"
}

/// JSON on several lines, for programs.
#[cfg(feature = "lint")]
pub(crate) fn pretty_json(value: &Value) -> String {
    visible(&format!("{value:#}")) + "\n"
}

/// Equivalent JSON without anything that a terminal or CI service would interpret, since text from
/// a tenant may contain it.
pub(crate) fn visible(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        // Outside strings, line endings and tabs are JSON's only such characters.
        if is_invisible(c) && !matches!(c, '\n' | '\r' | '\t') {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                out += &format!("\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    inert_json(&out).into_owned()
}

/// Writes text to standard output, without colours where they are not wanted, and without workflow
/// commands.
pub(crate) fn print(text: &str) -> io::Result<()> {
    print_key(&inert(&mask::hide(text)))
}

/// Writes workflow commands of this program, whose content is escaped already, to standard output.
#[cfg(feature = "lint")]
pub(crate) fn print_commands(text: &str) -> io::Result<()> {
    print_key(&mask::hide(text))
}

/// Writes text that is meant to show a key to standard output.
pub(crate) fn print_key(text: &str) -> io::Result<()> {
    let mut stdout = anstream::stdout();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

/// Writes text to standard error. If that is closed, there is no other place to report it.
pub(crate) fn eprint(text: &str) {
    let _ = anstream::stderr().write_all(inert(&mask::hide(text)).as_bytes());
}

/// Writes text that is meant to show a one-time address to standard error.
#[cfg(feature = "console")]
pub(crate) fn eprint_address(text: &str) {
    let _ = anstream::stderr().write_all(text.as_bytes());
}

/// Writes a tenant's response to standard output, without the key that signed the request.
pub(crate) fn print_answer(bytes: &[u8]) -> io::Result<()> {
    print_bytes(&mask::hide_known(bytes))
}

/// Writes bytes that contain no key to standard output unchanged.
pub(crate) fn print_bytes(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()
}
