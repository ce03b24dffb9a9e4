//! Runs a guide of `docs/guides` as a reader would: creates its files, runs its shell blocks in one shell,
//! and compares the output with the `text` block that follows each.
//!
//! A shell block must exit with 0, or as its last line says: `# exit code 1`. Times, dates and durations
//! in the output may differ from the page's. In expected output `…` stands for any text, and a line of
//! `…` for any lines. The tests of the command line include this file.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// Separates the blocks' outputs.
const MARK: &str = "@@@ end of block";

/// A part of a guide that is executed.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    File { name: String, text: String },
    Shell { script: String, codes: Vec<String> },
    Output(String),
}

/// The steps of a page. A block of any other language belongs to the file that the line above it names
/// (``Create `main.go`:``), or is prose.
fn steps(page: &str) -> Vec<Step> {
    let parts: Vec<&str> = page.split("```").collect();
    let mut steps = Vec::new();
    for pair in parts.windows(2).step_by(2) {
        let [before, block] = pair else { continue };
        let (language, text) = block.split_once('\n').unwrap_or_default();
        let above = before.trim_end().lines().last().unwrap_or_default();
        let file = above.strip_suffix("`:").and_then(|line| line.rsplit('`').next());
        match (language, file.filter(|_| above.contains("Create `"))) {
            (_, Some(name)) => steps.push(Step::File { name: name.into(), text: text.into() }),
            ("sh", None) => {
                let last = text.trim_end().lines().last().unwrap_or_default();
                let codes = last.split_once("exit code ").map_or("0", |(_, codes)| codes);
                let codes = codes.split(" or ").map(str::to_owned).collect();
                steps.push(Step::Shell { script: text.into(), codes });
            }
            ("text", None) => steps.push(Step::Output(text.into())),
            _ => {}
        }
    }
    steps
}

/// Runs a page in a folder. `replace` contains pairs: what the page shows, and its replacement
/// here.
pub(crate) fn run(
    page: &str,
    folder: &Path,
    variables: &[(&str, String)],
    replace: &[(&str, String)],
) -> Result<(), String> {
    let page = replace.iter().fold(page.to_owned(), |page, (from, to)| page.replace(from, to));
    let steps = steps(&page);
    let mut script = String::from("exec 2>&1\n");
    for step in &steps {
        match step {
            Step::File { name, text } => {
                let path = folder.join(name);
                let write = || {
                    fs::create_dir_all(path.parent().unwrap_or(folder))?;
                    fs::write(&path, text)
                };
                write().map_err(|error| format!("{}: {error}", path.display()))?;
            }
            Step::Shell { script: block, codes } => {
                let stop = if codes == &["0"] { "set -e" } else { "set +e" };
                let _ = writeln!(script, "{stop}\n{block}code=$?; echo; echo \"{MARK} $code\"");
            }
            Step::Output(_) => {}
        }
    }
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).current_dir(folder).stdin(Stdio::null());
    shell.env_clear().envs(variables.iter().map(|(name, value)| (name, value)));
    let output = shell.output().map_err(|error| format!("sh: {error}"))?;
    let output = String::from_utf8_lossy(&output.stdout).into_owned();
    compare(&steps, &output)
}

/// Compares each block's exit code and output with what the page shows.
fn compare(steps: &[Step], output: &str) -> Result<(), String> {
    let mut blocks = output.split(MARK);
    let mut printed = blocks.next().unwrap_or_default();
    let mut last = "";
    for step in steps {
        match step {
            Step::Shell { script, codes } => {
                let rest = blocks.next().ok_or_else(|| format!("not run:\n{script}\n{output}"))?;
                let (code, following) = rest.split_once('\n').unwrap_or((rest, ""));
                if !codes.iter().any(|wanted| wanted == code.trim()) {
                    return Err(format!("exit code{code}, not {codes:?}:\n{script}\n{printed}"));
                }
                last = printed;
                printed = following;
            }
            Step::Output(expected) if !matches(expected, last) => {
                return Err(format!("expected:\n{expected}\nprinted:\n{last}"));
            }
            Step::File { .. } | Step::Output(_) => {}
        }
    }
    Ok(())
}

/// Whether the output is what a page shows.
fn matches(expected: &str, printed: &str) -> bool {
    let expected: Vec<&str> = expected.trim_end().lines().collect();
    let printed: Vec<&str> = printed.trim_matches('\n').lines().collect();
    match_lines(&expected, &printed)
}

fn match_lines(expected: &[&str], printed: &[&str]) -> bool {
    match expected.split_first() {
        None => printed.is_empty(),
        Some((&"…", rest)) => (0..=printed.len()).any(|from| match_lines(rest, &printed[from..])),
        Some((line, rest)) => printed
            .split_first()
            .is_some_and(|(first, more)| match_line(line, first) && match_lines(rest, more)),
    }
}

/// Compares two lines. A page shows real times; those of a run are different.
fn match_line(pattern: &str, line: &str) -> bool {
    match_text(&without_times(pattern), &without_times(line))
}

/// The line with a placeholder for each time (`2026-11-30T18:57:03Z`, 13 digits), date and duration in
/// milliseconds.
fn without_times(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let digits = length(rest, |c| c.is_ascii_digit());
        let date = length(rest, |c| c.is_ascii_digit() || matches!(c, '-' | ':' | 'T' | '.'));
        if rest[..date].len() >= 10 && rest[..date].matches('-').count() == 2 {
            out.push_str("TIME");
            rest = rest[date..].trim_start_matches('Z');
        } else if digits == 13 || rest[digits..].starts_with(" ms") {
            out.push_str("TIME");
            rest = &rest[digits..];
        } else {
            out.push_str(&rest[..digits]);
            rest = &rest[digits..];
        }
    }
    out + rest
}

/// How many bytes at the start are such characters.
fn length(text: &str, is: impl Fn(char) -> bool) -> usize {
    text.find(|c: char| !is(c)).unwrap_or(text.len())
}

fn match_text(pattern: &str, line: &str) -> bool {
    match pattern.split_once('…') {
        None => pattern.trim_end() == line.trim_end(),
        Some((start, rest)) => line.strip_prefix(start).is_some_and(|line| {
            let mut ends = line.char_indices().map(|(at, _)| at).chain([line.len()]);
            ends.any(|at| match_text(rest, &line[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_files_blocks_and_output() {
        let page = "Create `a.txt`:\n\n```yaml\nx\n```\n\n```sh\ncat a.txt\nfalse   # exit code 1\n```\n\
                    ```text\nx\n```\n```json\n{}\n```\n";
        let folder = tempfile::tempdir().unwrap();
        let run = |page: &str| run(page, folder.path(), &[("PATH", "/bin:/usr/bin".into())], &[]);
        assert_eq!(run(page), Ok(()));
        assert!(run(&page.replace("exit code 1", "")).is_err());
        assert!(run(&page.replace("```text\nx", "```text\ny")).is_err());
        assert!(run("```sh\nfalse\ntrue\n```").is_err());
    }

    #[test]
    fn an_ellipsis_matches_any_text_or_lines() {
        for (expected, printed, fits) in [
            ("a …", "a b", true),
            ("a …c", "a bc", true),
            ("a …c", "a bd", false),
            ("…\nb", "a\na\nb", true),
            ("…\nb", "b", true),
            ("…\nb", "b\nc", false),
            ("a", "", false),
            ("at 2026-11-30T18:57:03Z, 4 ms", "at 2027-01-02T00:00:00.5Z, 12 ms", true),
            ("at 2026-11-30, id 4", "at 2027-01-02, id 5", false),
            ("{\"t\":1796065026023}", "{\"t\":1796065026024}", true),
        ] {
            assert_eq!(matches(expected, printed), fits, "{expected:?} {printed:?}");
        }
    }
}
