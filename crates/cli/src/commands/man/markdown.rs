//! The reference as Markdown: a page for each command, and `README.md` with a table of all
//! commands.

use std::fs;
use std::io;
use std::path::Path;

use clap::{Arg, Command};

/// The heading of options that have none.
const OPTIONS: &str = "Options";

/// Writes the pages into a folder that exists.
pub(super) fn write(mut root: Command, folder: &Path) -> io::Result<()> {
    root.build();
    let mut table = String::from("# Commands\n\n| command | what it does |\n|---|---|\n");
    pages(&root, folder, &mut table)?;
    fs::write(folder.join("README.md"), table)
}

fn pages(command: &Command, folder: &Path, table: &mut String) -> io::Result<()> {
    let path = path(command);
    let name = format!("{}.md", path.replace(' ', "-"));
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    *table += &format!("| [{path}]({name}) | {} |\n", cell(&about));
    fs::write(folder.join(name), page(command))?;
    let shown = command.get_subcommands().filter(|sub| !sub.is_hide_set());
    shown.into_iter().try_for_each(|sub| pages(sub, folder, table))
}

/// The words that run a command.
fn path(command: &Command) -> String {
    command.get_bin_name().unwrap_or(command.get_name()).to_owned()
}

fn page(command: &Command) -> String {
    let mut out = format!("# {}\n\n", path(command));
    let about = command.get_long_about().or_else(|| command.get_about());
    out += &prose(&about.map(ToString::to_string).unwrap_or_default());
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ");
    out += &format!("\n\n```console\n{}\n```\n", usage.trim());
    subcommands(command, &mut out);
    let shown: Vec<_> = command.get_arguments().filter(|arg| !arg.is_hide_set()).collect();
    let positional: Vec<_> = shown.iter().filter(|arg| arg.is_positional()).copied().collect();
    section("Arguments", &positional, &mut out);
    let mut headings = vec![OPTIONS];
    for arg in shown.iter().filter(|arg| !arg.is_positional()) {
        let heading = heading(arg);
        if !headings.contains(&heading) {
            headings.push(heading);
        }
    }
    for name in headings {
        let of_heading = |arg: &&&Arg| !arg.is_positional() && heading(arg) == name;
        let options: Vec<_> = shown.iter().filter(of_heading).copied().collect();
        section(name, &options, &mut out);
    }
    let after = command.get_after_long_help().or_else(|| command.get_after_help());
    if let Some(after) = after {
        out += &format!("\n## Notes and examples\n\n```text\n{}\n```\n", after.to_string().trim());
    }
    out
}

fn heading(arg: &Arg) -> &str {
    arg.get_help_heading().unwrap_or(OPTIONS)
}

fn subcommands(command: &Command, out: &mut String) {
    let shown: Vec<_> = command.get_subcommands().filter(|sub| !sub.is_hide_set()).collect();
    if shown.is_empty() {
        return;
    }
    *out += "\n## Commands\n\n| command | what it does |\n|---|---|\n";
    for sub in shown {
        let path = path(sub);
        let about = sub.get_about().map(ToString::to_string).unwrap_or_default();
        *out += &format!("| [{path}]({}.md) | {} |\n", path.replace(' ', "-"), cell(&about));
    }
}

fn section(title: &str, args: &[&Arg], out: &mut String) {
    if args.is_empty() {
        return;
    }
    *out += &format!("\n## {title}\n");
    for arg in args {
        let help = arg.get_long_help().or_else(|| arg.get_help());
        let help = help.map(ToString::to_string).unwrap_or_default();
        *out += &format!("\n### `{}`\n\n{}\n", signature(arg), prose(&help));
        facts(arg, out);
    }
}

/// An argument as its usage shows it: `-y, --yes`, `--grace <DURATION>`, `[PATH]...`.
fn signature(arg: &Arg) -> String {
    if arg.is_positional() {
        return arg.to_string();
    }
    let short = arg.get_short().map(|short| format!("-{short}"));
    let long = arg.get_long().map(|long| format!("--{long}"));
    let mut names = short.into_iter().chain(long).collect::<Vec<_>>().join(", ");
    if arg.get_action().takes_values() {
        let values = arg.get_value_names().unwrap_or_default();
        names += &values.iter().map(|value| format!(" <{value}>")).collect::<String>();
    }
    names
}

/// What the help text does not contain: default, values, variable.
fn facts(arg: &Arg, out: &mut String) {
    let mut facts = Vec::new();
    let values: Vec<_> =
        arg.get_possible_values().into_iter().filter(|value| !value.is_hide_set()).collect();
    if arg.get_action().takes_values() && !values.is_empty() && !arg.is_hide_possible_values_set() {
        let shown = values.iter().map(|value| {
            let help = value.get_help().map(|help| format!(" ({help})")).unwrap_or_default();
            format!("`{}`{help}", value.get_name())
        });
        facts.push(format!("Values: {}.", shown.collect::<Vec<_>>().join(", ")));
    }
    let default: Vec<_> =
        arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    if arg.get_action().takes_values() && !default.is_empty() && !arg.is_hide_default_value_set() {
        facts.push(format!("Default: `{}`.", default.join(" ")));
    }
    if let Some(variable) = arg.get_env() {
        facts.push(format!("Variable: `{}`.", variable.to_string_lossy()));
    }
    if !facts.is_empty() {
        *out += &format!("\n{}\n", facts.join(" "));
    }
}

/// Help text as Markdown. Code spans stay; everything else is escaped.
fn prose(help: &str) -> String {
    let mut out = String::with_capacity(help.len());
    for (index, part) in help.trim().split('`').enumerate() {
        if index > 0 {
            out.push('`');
        }
        for c in part.chars() {
            if index % 2 == 0 && matches!(c, '<' | '*' | '_' | '[' | ']' | '\\') {
                out.push('\\');
            }
            out.push(c);
        }
    }
    out
}

fn cell(text: &str) -> String {
    prose(text).replace('|', "\\|").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_that_is_shown_has_a_page_with_its_options() {
        let folder = tempfile::tempdir().unwrap();
        write(super::super::command(), folder.path()).unwrap();
        let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
        let table = read("README.md");
        for name in ["cortexkey.md", "cortexkey-lint.md", "cortexkey-keys-rotate.md"] {
            assert!(table.contains(&format!("({name})")), "{name}");
        }
        let rotate = read("cortexkey-keys-rotate.md");
        for part in ["### `-y, --yes`", "### `--grace <DURATION>`", "Default: `1h`.", "## Tenant"] {
            assert!(rotate.contains(part), "{part}\n{rotate}");
        }
        assert!(!rotate.contains("### `--version"));
    }

    #[test]
    fn help_is_no_markup_but_for_its_code() {
        assert_eq!(prose("<ID|NAME> or `a_b` *"), "\\<ID|NAME> or `a_b` \\*");
        assert_eq!(cell("a|b"), "a\\|b");
    }
}
