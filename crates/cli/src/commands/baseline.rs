//! `cortexkey baseline`: shows the known findings, and removes those that are gone.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use cortexkey_lint::files::{KnownFindings, Options, RunOutcome, run as run_files};
use serde_json::json;

use crate::exit::{Exit, Failure};
use crate::surroundings;
use crate::text::{self, BAD, DIM};

/// Show the baseline's findings, or remove those that are gone
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: Subcommand,
}

#[derive(clap::Subcommand)]
enum Subcommand {
    Show(Show),
    Prune(Prune),
}

/// Show the known findings, and which of them are gone
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  cortexkey baseline show
  cortexkey baseline show --format json

Exit codes: 0 success; 2 usage error, or no baseline.")]
struct Show {
    #[command(flatten)]
    which: FileArgs,

    /// Output format
    #[arg(long, default_value = "text")]
    format: Format,
}

/// Remove the known findings that are gone
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  cortexkey baseline prune
  cortexkey baseline prune --check               in CI

Exit codes: 0 success; 1 --check and some are gone; 2 usage error, or no baseline.")]
struct Prune {
    #[command(flatten)]
    which: FileArgs,

    /// Fail if some are gone, without writing
    #[arg(long)]
    check: bool,
}

#[derive(clap::Args)]
struct FileArgs {
    /// The policy's file [default: the nearest cortexkey.yaml in this folder or above]
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,

    /// The baseline [default: cortexkey-baseline.json next to the policy]
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,

    /// Check as of this time (RFC 3339) instead of `SOURCE_DATE_EPOCH` or the clock
    #[arg(long, value_name = "TIME")]
    now: Option<String>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Format {
    Text,
    Json,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    match &args.what {
        Subcommand::Show(args) => show(args),
        Subcommand::Prune(args) => prune(args),
    }
}

fn options(which: &FileArgs) -> Result<Options, Failure> {
    let folder = surroundings::current_folder()?;
    let now = surroundings::time(which.now.as_deref())?;
    let mut options = Options::new(folder, now);
    options.policy.clone_from(&which.policy);
    options.baseline.clone_from(&which.baseline);
    Ok(options)
}

fn known(outcome: &RunOutcome) -> Result<&KnownFindings, Failure> {
    if outcome.report.is_none() {
        return Err(Failure::from_outcome(outcome));
    }
    if outcome.usage_error {
        return Err(Failure::usage_error("the policy has mistakes")
            .help("`cortexkey policy check` lists them"));
    }
    outcome.known.as_ref().ok_or_else(|| {
        Failure::usage_error("there is no baseline")
            .help("`cortexkey lint --write-baseline` writes one, or name it with --baseline")
    })
}

fn show(args: &Show) -> Result<Exit, Failure> {
    let outcome = run_files(&options(&args.which)?, &mut io::empty());
    let known = known(&outcome)?;
    if let Format::Json = args.format {
        let findings = known.findings.iter().map(|finding| {
            json!({ "file": finding.file, "key": finding.key, "code": finding.code,
                    "name": finding.name, "gone": finding.is_gone })
        });
        let findings: Vec<_> = findings.collect();
        let json = json!({ "version": 1, "baseline": known.path, "findings": findings });
        text::print(&text::pretty_json(&json))?;
        return Ok(Exit::Done);
    }
    let mut rules: BTreeMap<(&str, &str), Vec<_>> = BTreeMap::new();
    for finding in &known.findings {
        rules.entry((&finding.code, &finding.name)).or_default().push(finding);
    }
    let mut out = String::new();
    for ((code, name), findings) in rules {
        out += &format!("{code} {name}: {}\n", findings.len());
        for finding in findings {
            let key = finding.key.as_deref().map(|key| format!(" {key}")).unwrap_or_default();
            let gone = if finding.is_gone { format!(" {BAD}gone{BAD:#}") } else { String::new() };
            let file = cortexkey_manifest::escape(&finding.file);
            out += &format!("  {DIM}{file}{DIM:#}{}{gone}\n", cortexkey_manifest::escape(&key));
        }
    }
    let all = known.findings.len();
    let gone = known.gone();
    out += &format!("{}: {all} known, {gone} of them gone\n", known.path);
    text::print(&out)?;
    Ok(Exit::Done)
}

fn prune(args: &Prune) -> Result<Exit, Failure> {
    let mut options = options(&args.which)?;
    let outcome = run_files(&options, &mut io::empty());
    let known = known(&outcome)?;
    if outcome.no_input {
        return Err(Failure::new(Exit::NoInput, "nothing could be read, so nothing is removed"));
    }
    let path = &known.path;
    let gone = known.gone();
    if gone == 0 {
        text::print(&format!("{path}: nothing is gone\n"))?;
        return Ok(Exit::Done);
    }
    if args.check {
        return Err(Failure::new(
            Exit::Findings,
            if gone == 1 {
                format!("1 known finding of {path} is gone")
            } else {
                format!("{gone} known findings of {path} are gone")
            },
        )
        .help("run cortexkey baseline prune"));
    }
    options.write_baseline = true;
    let written = run_files(&options, &mut io::empty());
    if written.report.is_none() {
        return Err(Failure::from_outcome(&written));
    }
    for message in &written.messages {
        text::print(&format!("{message}\n"))?;
    }
    Ok(Exit::Done)
}
