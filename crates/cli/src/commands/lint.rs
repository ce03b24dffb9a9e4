//! `cortexkey lint`: key definitions held against the policy.
//!
//! It refuses to judge anything itself: it maps arguments to the linter's options and writes what
//! the linter says.

use std::fs;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;

use anstream::ColorChoice;
use clap::ValueEnum;
use cortexkey_lint::Severity;
use cortexkey_lint::files::{Options, Outcome, now, run as run_files};
use cortexkey_lint::report::{Format, Report};

use crate::exit::{Exit, Failure};

/// Check key definitions against the organisation's policy
///
/// The policy is the nearest `cortexkey.yaml` (or `.cortexkey.yaml`) upwards, and its `keys` say
/// which files hold key definitions. Without a policy, `builtin:recommended` holds.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  cortexkey lint                             all keys of the policy
  cortexkey lint keys/prod                   report on one folder
  cortexkey lint --format json=lint.json     for people here, for programs there
  cortexkey lint --policy builtin:strict keys/
  cortexkey lint - --stdin-filename keys/a.yaml < a.yaml

Exit codes: 0 clean; 1 findings at or above --fail-on; 2 wrong use, or a policy that cannot stand;
3 nothing could be read. A file that cannot be parsed is a finding.")]
pub(crate) struct Args {
    /// Files and folders to report on; `-` is standard input
    ///
    /// Rules that look across files read the whole corpus all the same. A file that is neither in
    /// the corpus nor a policy is passed over and counted.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// The policy's file, or `builtin:minimal`, `builtin:recommended`, `builtin:strict`
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,

    /// Judge as of this time (RFC 3339), instead of `SOURCE_DATE_EPOCH` or the clock
    #[arg(long, value_name = "TIME")]
    now: Option<String>,

    /// Output: human, concise or json; `json=FILE` writes to a file. May be given several times
    #[arg(long, value_name = "FORMAT[=FILE]", value_parser = target)]
    format: Vec<Target>,

    /// The least severity that makes the exit code 1
    #[arg(long, value_name = "SEVERITY", default_value = "error")]
    fail_on: FailOn,

    /// The path under which standard input is judged
    #[arg(long, value_name = "FILE")]
    stdin_filename: Option<PathBuf>,

    /// Colours; `auto` honours `NO_COLOR` and pipes
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    color: Color,
}

/// A form of output and where it goes; nowhere said is standard output.
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
    let outcome = run_files(&options(args)?, &mut io::stdin().lock());
    for message in &outcome.messages {
        // With standard error closed there is nobody to tell.
        let _ = writeln!(anstream::stderr(), "cortexkey lint: {message}");
    }
    if let Some(report) = &outcome.report {
        write_all(args, report)?;
    }
    Ok(exit(&outcome, args.fail_on))
}

fn options(args: &Args) -> Result<Options, Failure> {
    let folder = std::env::current_dir().map_err(|error| {
        Failure::wrong_use(format!("the folder that this runs in cannot be found: {error}"))
    })?;
    let epoch = std::env::var("SOURCE_DATE_EPOCH").ok();
    let now = now(args.now.as_deref(), epoch.as_deref()).map_err(Failure::wrong_use)?;
    let stdin = args.paths.iter().any(|path| path.as_os_str() == "-");
    if args.stdin_filename.is_some() && !stdin {
        return Err(Failure::wrong_use("--stdin-filename goes with `-` among the paths")
            .help("cortexkey lint - --stdin-filename keys/a.yaml"));
    }
    let mut options = Options::new(folder, now);
    options.paths.clone_from(&args.paths);
    options.policy.clone_from(&args.policy);
    options.stdin_filename.clone_from(&args.stdin_filename);
    Ok(options)
}

/// Two forms in one stream are neither.
fn one_on_stdout(args: &Args) -> Result<(), Failure> {
    let mut here = args.format.iter().filter(|target| target.file.is_none());
    let (Some(first), Some(_)) = (here.next(), here.next()) else { return Ok(()) };
    let word = first.format.word();
    Err(Failure::wrong_use(format!(
        "only one format may go to standard output; write the other to a file: {word}=FILE"
    )))
}

fn write_all(args: &Args, report: &Report) -> Result<(), Failure> {
    let mut to_stdout = false;
    for Target { format, file } in &args.format {
        if let Some(file) = file {
            fs::write(file, report.render(*format, false)).map_err(|error| {
                Failure::wrong_use(format!("cannot write {}: {error}", file.display()))
            })?;
        } else {
            to_stdout = true;
            write_stdout(args, report, *format)?;
        }
    }
    // Files alone would leave whoever looks at the terminal without a word.
    if !to_stdout {
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
    // The stream takes colours out again where `NO_COLOR` or the terminal asks for it.
    let mut stdout = anstream::stdout();
    stdout.write_all(report.render(format, color && format == Format::Human).as_bytes())?;
    stdout.flush()?;
    Ok(())
}

fn exit(outcome: &Outcome, fail_on: FailOn) -> Exit {
    let fail_on = match fail_on {
        FailOn::Error => Severity::Error,
        FailOn::Warning => Severity::Warning,
        FailOn::Info => Severity::Info,
    };
    match outcome.exit_code(fail_on) {
        0 => Exit::Done,
        1 => Exit::Findings,
        2 => Exit::WrongUse,
        _ => Exit::NothingRead,
    }
}

fn target(text: &str) -> Result<Target, String> {
    let (word, file) = match text.split_once('=') {
        Some((word, file)) => (word, Some(PathBuf::from(file))),
        None => (text, None),
    };
    let format = Format::from_word(word).ok_or_else(|| {
        let known: Vec<&str> = Format::ALL.iter().map(|(word, _)| *word).collect();
        format!("there is no format `{word}`; known are {}", known.join(", "))
    })?;
    if file.as_ref().is_some_and(|file| file.as_os_str().is_empty()) {
        return Err(format!("`{text}` names no file; write {word}=FILE"));
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
