//! `cortexkey lint`: checks key definitions against the policy.
//!
//! This module maps arguments to the linter's options and writes its report; the checks are in
//! `cortexkey-lint`.

mod interactive;
mod watch;

use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};

use anstream::ColorChoice;
use clap::ValueEnum;
use cortexkey_lint::files::{FixMode, Options, RunOutcome, run as run_files};
use cortexkey_lint::report::Format;
use cortexkey_lint::{Report, Selection, Severity};

use cortexkey_manifest::{escape, line_path, mask_path};
use cortexkey_system::io_reason;

use crate::exit::{BoxError, Exit, Failure};
use crate::surroundings;
use crate::text::{self, BAD, DIM, GOOD};
use crate::{output_file, progress};

/// Check key definitions against the organisation's policy
///
/// The policy is the nearest `cortexkey.yaml` (or `.cortexkey.yaml`) in this folder or above; its
/// `keys` name the files with key definitions. Without a policy, `builtin:recommended` is used.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  cortexkey lint                             check all keys of the policy
  cortexkey lint keys/prod                   report on one folder
  cortexkey lint --format json=lint.json     also write JSON to a file
  cortexkey lint --policy builtin:strict keys/
  cortexkey lint --diff                      show what --fix would change
  cortexkey lint --fix --interactive         ask about fixes that need a review
  cortexkey lint --statistics                count the findings of each rule
  cortexkey lint --select E,role-unknown     show some rules
  cortexkey lint --watch                     check again whenever a file changes
  cortexkey lint --since main                show what keys gain since a revision
  cortexkey lint --write-baseline            suppress today's findings
  cortexkey lint - --stdin-filename keys/a.yaml < a.yaml

Exit codes: 0 no findings at or above --fail-on; 1 findings; 2 usage error, or an invalid policy;
3 nothing could be read. A file that cannot be parsed is a finding.")]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct Args {
    /// Files and folders to report on; `-` is standard input
    ///
    /// Rules that compare files still read the whole corpus. A file that is neither in the corpus
    /// nor a policy is skipped and counted.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// The policy's file, or `builtin:minimal`, `builtin:recommended`, `builtin:strict`
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,

    /// Check as of this time (RFC 3339) instead of `SOURCE_DATE_EPOCH` or the clock
    #[arg(long, value_name = "TIME")]
    now: Option<String>,

    /// Output: human, concise, grouped, json, sarif, junit, github, gitlab, markdown, rdjson,
    /// checkstyle; `json=FILE` writes to a file
    ///
    /// Repeatable; at most one may go to standard output.
    #[arg(long, value_name = "FORMAT[=FILE]", value_parser = target)]
    format: Vec<Target>,

    /// The lowest severity that makes the exit code 1
    #[arg(long, value_name = "SEVERITY", default_value = "error")]
    fail_on: FailOn,

    /// Write the report to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    output_file: Option<PathBuf>,

    /// Exit with 0 even if there are findings
    #[arg(long, conflicts_with = "fail_on_stale_baseline")]
    exit_zero: bool,

    /// Show only these rules: codes, names, or the letters of a family, such as `E`
    ///
    /// Findings of locked rules, and findings that say that something could not be checked, are
    /// always shown.
    #[arg(long, value_name = "RULE", value_delimiter = ',', conflicts_with = "write_baseline")]
    select: Vec<String>,

    /// Do not show these rules; a locked rule cannot be ignored
    #[arg(long, value_name = "RULE", value_delimiter = ',', conflicts_with = "write_baseline")]
    ignore: Vec<String>,

    /// Do not report on files or folders that match this pattern, relative to the current folder
    #[arg(long, value_name = "PATTERN", conflicts_with = "write_baseline")]
    exclude: Vec<String>,

    /// Count the findings of each rule instead of listing them
    #[arg(long)]
    statistics: bool,

    /// List the files that would be reported on, without findings
    #[arg(long, conflicts_with_all = ["fix", "diff", "watch", "statistics", "write_baseline"])]
    show_files: bool,

    /// Check again whenever a file changes
    #[arg(long, conflicts_with_all = ["fix", "diff", "write_baseline"])]
    watch: bool,

    /// Apply fixes that do not change a key's permissions
    #[arg(long)]
    fix: bool,

    /// With --fix or --diff, also apply fixes that need a review
    #[arg(long)]
    unsafe_fixes: bool,

    /// With --fix, ask about each fix that needs a review
    #[arg(long, requires = "fix", conflicts_with = "unsafe_fixes")]
    interactive: bool,

    /// Show what --fix would change, without changing it
    #[arg(long, conflicts_with = "fix")]
    diff: bool,

    /// Report what keys gain since this git revision (rule key-widened)
    #[arg(long, value_name = "REV")]
    since: Option<String>,

    /// Suppress the findings in this file
    ///
    /// By default, `cortexkey-baseline.json` next to the policy is used if it exists.
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,

    /// Use no baseline; every finding counts
    #[arg(long, conflicts_with_all = ["baseline", "write_baseline"])]
    no_baseline: bool,

    /// Write the baseline from the current findings; an existing one only shrinks
    #[arg(long)]
    write_baseline: bool,

    /// Fail if known findings of the baseline are gone; `cortexkey baseline prune` removes them
    #[arg(long, conflicts_with_all = ["no_baseline", "write_baseline"])]
    fail_on_stale_baseline: bool,

    /// Ignore suppression comments
    #[arg(long)]
    no_ignore_comments: bool,

    /// How many files to read at a time; does not change the output
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: Option<u16>,

    /// Check standard input as this path
    #[arg(long, value_name = "FILE")]
    stdin_filename: Option<PathBuf>,

    /// When to use colour; `auto` respects NO_COLOR and pipes
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    color: Color,
}

/// An output format and its destination; standard output by default.
#[derive(Clone, Debug)]
struct Target {
    format: Format,
    file: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FailOn {
    Error,
    Warning,
    Info,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Color {
    Auto,
    Always,
    Never,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let choice = match args.color {
        Color::Auto => ColorChoice::Auto,
        Color::Always => ColorChoice::Always,
        Color::Never => ColorChoice::Never,
    };
    choice.write_global();
    one_on_stdout(args)?;
    statistics_format(args)?;
    if args.watch {
        return watch::run(args);
    }
    let options = options(args)?;
    if args.show_files {
        return show_files(&options);
    }
    let options = if args.interactive { interactive::ask(options)? } else { options };
    Ok(once(args, &options)?.0)
}

/// Checks once, and reports.
fn once(args: &Args, options: &Options) -> Result<(Exit, RunOutcome), Failure> {
    let outcome = progress::shown(
        "files",
        || options.progress.counts(),
        || run_files(options, &mut io::stdin().lock()),
    );
    if args.now.is_none() && std::env::var_os("SOURCE_DATE_EPOCH").is_some_and(|e| !e.is_empty()) {
        // A time that was set from outside must not go unnoticed.
        let now = options.now;
        text::eprint(&format!("cortexkey lint: the time is {now}, from SOURCE_DATE_EPOCH\n"));
    }
    if outcome.report.is_none() {
        Failure::from_outcome(&outcome).print();
    } else {
        for message in &outcome.messages {
            text::eprint(&format!("cortexkey lint: {message}\n"));
        }
    }
    if let Some(diff) = outcome.diff.as_deref().filter(|_| args.diff) {
        text::print(&colored(diff))?;
    }
    if let Some(report) = &outcome.report {
        overwrites_no_input(args, options, &outcome)?;
        write_all(args, report)?;
    }
    let exit = match exit(&outcome, args.fail_on) {
        Exit::Findings if args.exit_zero => Exit::Done,
        Exit::Done if args.fail_on_stale_baseline => stale(&outcome)?,
        exit => exit,
    };
    Ok((exit, outcome))
}

fn options(args: &Args) -> Result<Options, Failure> {
    let folder = surroundings::current_folder()?;
    let now = surroundings::time(args.now.as_deref())?;
    let stdin = args.paths.iter().any(|path| path.as_os_str() == "-");
    if args.stdin_filename.is_some() && !stdin {
        return Err(Failure::usage_error("--stdin-filename needs `-` among the paths")
            .help("cortexkey lint - --stdin-filename keys/a.yaml"));
    }
    if stdin && (args.watch || args.interactive) {
        let option = if args.watch { "--watch" } else { "--interactive" };
        return Err(Failure::usage_error(format!("{option} does not go with `-`"))
            .help("name files or folders"));
    }
    if args.unsafe_fixes && !(args.fix || args.diff) {
        return Err(Failure::usage_error("--unsafe-fixes needs --fix or --diff")
            .help("cortexkey lint --diff --unsafe-fixes shows what would change"));
    }
    let mut options = Options::new(folder, now);
    options.paths.clone_from(&args.paths);
    options.policy.clone_from(&args.policy);
    options.stdin_filename.clone_from(&args.stdin_filename);
    options.comments = !args.no_ignore_comments;
    options.since.clone_from(&args.since);
    options.baseline.clone_from(&args.baseline);
    options.no_baseline = args.no_baseline;
    options.write_baseline = args.write_baseline;
    options.unsafe_fixes = args.unsafe_fixes;
    options.selection = Selection { select: args.select.clone(), ignore: args.ignore.clone() };
    options.exclude.clone_from(&args.exclude);
    options.fix = match (args.fix, args.diff) {
        (true, _) => FixMode::Write,
        (_, true) => FixMode::Diff,
        _ => FixMode::No,
    };
    options.jobs = args.jobs.map(usize::from);
    let folder = |name: &str| std::env::var_os(name).filter(|folder| !folder.is_empty());
    options.project =
        folder("GITHUB_WORKSPACE").or_else(|| folder("CI_PROJECT_DIR")).map(PathBuf::from);
    Ok(options)
}

/// Two formats in one stream would be unreadable.
fn one_on_stdout(args: &Args) -> Result<(), Failure> {
    let mut here = args.format.iter().filter(|target| target.file.is_none());
    let (Some(first), Some(_)) = (here.next(), here.next()) else { return Ok(()) };
    let word = first.format.as_str();
    Err(Failure::usage_error("only one format may go to standard output")
        .help(format!("write the other to a file: {word}=FILE")))
}

/// The formats of counts.
fn statistics_format(args: &Args) -> Result<(), Failure> {
    let has_form = |format| matches!(format, Format::Human | Format::Concise | Format::Json);
    let odd = args.format.iter().find(|target| !has_form(target.format));
    let Some(odd) = odd.filter(|_| args.statistics) else { return Ok(()) };
    Err(Failure::usage_error(format!("--statistics has no format {}", odd.format.as_str()))
        .help("--format human, concise or json"))
}

/// Lists the files that are reported on.
fn show_files(options: &Options) -> Result<Exit, Failure> {
    let outcome = run_files(options, &mut io::stdin().lock());
    if outcome.report.is_none() {
        return Err(Failure::from_outcome(&outcome));
    }
    let files = outcome.corpus.files.iter().filter(|file| file.reported && !file.is_outside());
    let lines: String = files.map(|file| format!("{}\n", line_path(&file.path))).collect();
    text::print(&lines)?;
    for message in &outcome.messages {
        text::eprint(&format!("cortexkey lint: {message}\n"));
    }
    Ok(match (outcome.usage_error, lines.is_empty()) {
        (true, _) => Exit::UsageError,
        (_, true) => Exit::NoInput,
        _ => Exit::Done,
    })
}

fn rendered(args: &Args, report: &Report, format: Format, color: bool) -> String {
    match (args.statistics, format) {
        (false, _) => report.render(format, color),
        (true, Format::Json) => report.statistics_json(),
        (true, _) => report.statistics(),
    }
}

/// A report must not replace a policy, a definition, a baseline or a lock file.
fn overwrites_no_input(
    args: &Args,
    options: &Options,
    outcome: &RunOutcome,
) -> Result<(), Failure> {
    let files = args.format.iter().filter_map(|target| target.file.as_deref());
    let mut files = files.chain(args.output_file.as_deref());
    let Some(file) = files.find(|file| outcome.reads(options, file)) else { return Ok(()) };
    let file = escape(&mask_path(&file.display().to_string()));
    Err(Failure::usage_error(format!("the report would overwrite {file}, which is an input"))
        .help("write the report to another file"))
}

fn write_file(file: &Path, text: &str) -> Result<(), Failure> {
    output_file::write(file, text.as_bytes()).map_err(|error| {
        Failure::usage_error(format!("cannot write {}: {}", file.display(), io_reason(&error)))
    })
}

fn write_all(args: &Args, report: &Report) -> Result<(), Failure> {
    let mut to_stdout = false;
    for Target { format, file } in &args.format {
        if let Some(file) = file {
            write_file(file, &rendered(args, report, *format, false))?;
        } else {
            to_stdout = true;
            write_stdout(args, report, *format)?;
        }
    }
    // With output to files only, a user at the terminal would see nothing; a diff is output, too.
    if !to_stdout && !args.diff {
        write_stdout(args, report, Format::Human)?;
    }
    Ok(())
}

fn write_stdout(args: &Args, report: &Report, format: Format) -> Result<(), Failure> {
    let color = match args.color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => io::stdout().is_terminal(),
    };
    if let Some(file) = &args.output_file {
        return write_file(file, &rendered(args, report, format, false));
    }
    // The stream removes colours again if `NO_COLOR` or the terminal requires it.
    let text = rendered(args, report, format, color && format == Format::Human);
    let print = match format {
        Format::Github => text::print_commands,
        _ => text::print,
    };
    Ok(print(&text)?)
}

/// A diff in its usual colours.
fn colored(diff: &str) -> String {
    let line = |line: &str| match line.chars().next() {
        Some('+') => format!("{GOOD}{line}{GOOD:#}"),
        Some('-') => format!("{BAD}{line}{BAD:#}"),
        Some('@') => format!("{DIM}{line}{DIM:#}"),
        _ => line.to_owned(),
    };
    diff.lines().map(|text| line(text) + "\n").collect()
}

/// Whether the baseline has findings that are gone. Only a check of all files can tell.
fn stale(outcome: &RunOutcome) -> Result<Exit, Failure> {
    match &outcome.known {
        Some(known) if known.gone() > 0 => Ok(Exit::Findings),
        None if outcome.corpus.partial => {
            Err(Failure::usage_error("--fail-on-stale-baseline needs the whole corpus")
                .help("remove the paths"))
        }
        _ => Ok(Exit::Done),
    }
}

fn exit(outcome: &RunOutcome, fail_on: FailOn) -> Exit {
    let fail_on = match fail_on {
        FailOn::Error => Severity::Error,
        FailOn::Warning => Severity::Warning,
        FailOn::Info => Severity::Info,
    };
    match outcome.exit_code(fail_on) {
        0 => Exit::Done,
        1 => Exit::Findings,
        2 => Exit::UsageError,
        _ => Exit::NoInput,
    }
}

fn target(text: &str) -> Result<Target, BoxError> {
    let (word, file) = match text.split_once('=') {
        Some((word, file)) => (word, Some(PathBuf::from(file))),
        None => (text, None),
    };
    let format = Format::from_word(word).ok_or_else(|| {
        let known: Vec<&str> = Format::ALL.iter().map(|(word, _)| *word).collect();
        format!("there is no format `{word}`; expected one of {}", known.join(", "))
    })?;
    if file.as_ref().is_some_and(|file| file.as_os_str().is_empty()) {
        return Err(format!("`{text}` names no file; write {word}=FILE").into());
    }
    Ok(Target { format, file })
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    #[test]
    fn one_format_goes_to_standard_output() {
        let takes = |formats: &[&str]| {
            let formats = formats.iter().map(|format| format!("--format={format}"));
            let line = Line::try_parse_from(core::iter::once("lint".to_owned()).chain(formats));
            line.is_ok_and(|line| one_on_stdout(&line.args).is_ok())
        };
        assert!(takes(&[]) && takes(&["json"]) && takes(&["json=a", "concise=b", "human"]));
        assert!(!takes(&["json", "concise"]) && !takes(&["json", "json"]));
    }
}
