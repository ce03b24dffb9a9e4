//! The recording of `quickstart`: what it prints, with its colours and times, as HTML.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

use crate::run::cargo;

/// Runs `quickstart` and records its output.
pub(super) fn record(root: &Path) -> Result<String, String> {
    let mut quickstart = cargo(root);
    quickstart.args(["run", "--quiet", "--locked", "-p", "cortexkey", "--", "quickstart"]);
    quickstart.env("CLICOLOR_FORCE", "1").env("COLUMNS", "100").env("TERM", "xterm-256color");
    let mut child = quickstart
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("quickstart: {error}"))?;
    let output = child.stdout.take().ok_or("quickstart has no output")?;
    let mut lines = Vec::new();
    let mut begin = None;
    for line in BufReader::new(output).lines() {
        let line = line.map_err(|error| format!("quickstart: {error}"))?;
        // Time starts with the first line: cargo's build is not part of it.
        let begin = *begin.get_or_insert_with(Instant::now);
        lines.push((begin.elapsed().as_millis(), line));
    }
    let status = child.wait().map_err(|error| format!("quickstart: {error}"))?;
    if !status.success() || lines.is_empty() {
        return Err(format!("quickstart: {status}"));
    }
    Ok(html(&lines))
}

fn html(lines: &[(u128, String)]) -> String {
    let mut out = String::from(
        "<div class=\"recording\"><div class=\"recording__bar\"><span>cortexkey quickstart</span>\
         <button type=\"button\">Play</button></div>\
         <pre tabindex=\"0\" role=\"region\" aria-label=\"What cortexkey quickstart prints\">",
    );
    for (ms, line) in lines {
        // A line without text would collapse.
        let text = if line.is_empty() { " ".to_owned() } else { coloured(line) };
        let _ = writeln!(out, "<span data-ms=\"{ms}\">{text}</span>");
    }
    // An empty line would end the HTML block in Markdown; there is none inside.
    out + "</pre></div>"
}

/// The escapes for colours as spans; other escapes are dropped.
fn coloured(line: &str) -> String {
    let mut out = String::new();
    let mut open = false;
    let mut parts = line.split("\u{1b}[");
    out += &escaped(parts.next().unwrap_or_default());
    for part in parts {
        let end = part.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(0);
        let (codes, rest) = part.split_at(end);
        if open {
            out += "</span>";
            open = false;
        }
        let classes: Vec<_> = codes.split(';').filter_map(class).collect();
        if rest.starts_with('m') && !classes.is_empty() {
            let _ = write!(out, "<span class=\"{}\">", classes.join(" "));
            open = true;
        }
        out += &escaped(rest.get(1..).unwrap_or_default());
    }
    if open {
        out += "</span>";
    }
    out
}

fn class(code: &str) -> Option<&'static str> {
    Some(match code {
        "1" => "bold",
        "2" => "dim",
        "31" | "91" => "red",
        "32" | "92" => "green",
        "33" | "93" => "yellow",
        "34" | "94" => "blue",
        "36" | "96" => "cyan",
        _ => return None,
    })
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::coloured;

    #[test]
    fn colours_become_spans_and_text_stays_text() {
        let line = "\u{1b}[1m\u{1b}[31ma<b\u{1b}[0m & \u{1b}[2Kc";
        let expected = "<span class=\"bold\"></span><span class=\"red\">a&lt;b</span> &amp; c";
        assert_eq!(coloured(line), expected);
        assert_eq!(coloured("plain"), "plain");
    }
}
