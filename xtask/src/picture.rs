//! Draws the README's picture of `quickstart` from what the command prints.
//!
//! It uses the steps whose output is the same in every run, so that a check can detect a stale
//! picture.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::run::{cargo, check};

const PATH: &str = "docs/images/quickstart.svg";
/// The numbers of the steps that are shown.
const STEPS: [&str; 3] = ["4. ", "5. ", "7. "];
const COLUMNS: usize = 108;
/// Enough for 108 columns of 14 pixels' monospace, and the margins.
const WIDTH: usize = 950;
const LINE_HEIGHT: usize = 20;

/// Runs `quickstart` and writes the picture; with `stale_only` it reports whether it is stale
/// instead.
pub(crate) fn run(root: &Path, stale_only: bool) -> Result<(), String> {
    let printed = check(cargo(root).args(["run", "--locked", "--quiet", "--", "quickstart"]))?;
    let picture = draw(&shown(&printed));
    let path = root.join(PATH);
    if fs::read_to_string(&path).ok().as_ref() == Some(&picture) {
        return Ok(());
    }
    if stale_only {
        return Err(format!("{PATH} is stale; `cargo xtask picture` renews it"));
    }
    let folder = path.parent().unwrap_or(root);
    let written = fs::create_dir_all(folder).and_then(|()| fs::write(&path, picture));
    written.map_err(|error| format!("cannot write {PATH}: {error}"))
}

/// The steps that are shown, the last one up to the end of its first finding.
fn shown(printed: &str) -> Vec<&str> {
    let mut lines = vec!["$ cortexkey quickstart", ""];
    for step in printed.split("\n\n").filter(|step| STEPS.iter().any(|s| step.starts_with(s))) {
        let (heading, rest) = step.split_once('\n').unwrap_or((step, ""));
        lines.push(heading.split_once(". ").map_or(heading, |(_, heading)| heading));
        lines.extend(rest.lines());
        lines.push("");
    }
    lines.pop();
    lines
}

fn draw(lines: &[&str]) -> String {
    let height = lines.len() * LINE_HEIGHT + 40;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">\n\
         <title>cortexkey quickstart</title>\n\
         <rect width=\"100%\" height=\"100%\" rx=\"10\" fill=\"#14171f\"/>\n\
         <g font-family=\"ui-monospace,SFMono-Regular,Menlo,Consolas,monospace\" font-size=\"14\" \
         fill=\"#d7dae0\" xml:space=\"preserve\">\n"
    );
    for (number, line) in lines.iter().enumerate().filter(|(_, line)| !line.is_empty()) {
        let style = match line.trim_start() {
            text if text.starts_with('$') => " fill=\"#8ab4f8\"",
            text if text.starts_with("error[") => " fill=\"#ff7b72\"",
            text if text.contains(" accepted ") => " fill=\"#7ee787\"",
            text if text.contains(" refused ") => " fill=\"#ff7b72\"",
            text if line.starts_with(text) => " font-weight=\"bold\"",
            _ => "",
        };
        let line: String = if line.chars().count() > COLUMNS {
            line.chars().take(COLUMNS - 1).chain(['…']).collect()
        } else {
            (*line).to_owned()
        };
        let text = line.replace('&', "&amp;").replace('<', "&lt;");
        let y = 32 + number * LINE_HEIGHT;
        // Writing to a string does not fail.
        let _ = writeln!(svg, "<text x=\"20\" y=\"{y}\"{style}>{text}</text>");
    }
    svg + "</g>\n</svg>\n"
}
