//! `cortexkey report`: overview, keys and findings as one file.

use clap::ValueEnum;
use cortexkey_fleet::TenantReport;
use cortexkey_lint::Severity;
use cortexkey_system::counted;

use crate::change::print_note;
use crate::connection::{ConnectionArgs, SETTINGS};
use crate::corpus_args::{CorpusArgs, OutArgs, ReadTenant};
use crate::exit::{Exit, Failure};
use crate::surroundings;
use crate::text;

/// Write an overview, all keys and all findings into one HTML, JSON or CSV file
///
/// The report covers a tenant, key definitions, or both, depending on the settings and the folder;
/// --from selects the sources. If it covers both, it compares them. The HTML is one file without
/// scripts, and is suitable for printing.
#[derive(clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{SETTINGS}"))]
pub(crate) struct Args {
    /// Output format
    #[arg(long, default_value = DEFAULT_FORMAT)]
    format: Format,

    #[command(flatten)]
    out: OutArgs,

    /// What the report must cover [default: what the settings and the folder have]
    #[arg(long, value_name = "SOURCES")]
    from: Option<ReportSource>,

    /// The lowest severity of a finding that makes the exit code 1
    #[arg(long, value_name = "SEVERITY", default_value = "error")]
    fail_on: FailOn,

    #[command(flatten)]
    corpus: CorpusArgs,

    #[command(flatten)]
    connection: ConnectionArgs,
}

#[cfg(feature = "console")]
const DEFAULT_FORMAT: &str = "html";
#[cfg(not(feature = "console"))]
const DEFAULT_FORMAT: &str = "json";

const EXAMPLES: &str = "\
Examples:
  cortexkey report --profile prod --out keys.html
  cortexkey report --from definitions --out keys.html
  cortexkey report --profile prod --keys keys --format json | jq .overview.figures
  cortexkey report --format csv --out keys.csv --overwrite

Exit codes: 0 success; 1 a finding at or above --fail-on, definitions that cannot be compared, a
refusal or no response; 2 usage error; 3 there are no definitions; 4 done in part: the key that signs
may not read scopes, or the tenant does not show all keys.";

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people: one file without scripts
    #[cfg(feature = "console")]
    Html,
    /// One object for programs
    Json,
    /// For spreadsheets: one row per figure, key and finding
    Csv,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ReportSource {
    /// The tenant and the definitions, compared
    Both,
    /// The definitions; no tenant is called
    Definitions,
    /// The tenant
    Tenant,
}

/// Which findings count.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FailOn {
    Error,
    Warning,
    Info,
    /// None does
    Never,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    args.out.check()?;
    args.check()?;
    let time = surroundings::time(None)?;
    let now_ms = u64::try_from(time.as_millisecond()).unwrap_or(0);
    let connection = match args.from {
        Some(ReportSource::Definitions) => None,
        Some(ReportSource::Both | ReportSource::Tenant) => Some(args.connection.resolve()?),
        None => args.connection.resolve_if_set()?,
    };
    let corpus = match args.from {
        Some(ReportSource::Tenant) => None,
        from => args
            .corpus
            .read(matches!(from, Some(ReportSource::Both | ReportSource::Definitions)))?,
    };
    let (report, is_uncompared) = match (connection, corpus) {
        (Some(connection), corpus) => {
            let read = ReadTenant::new(connection, &args.corpus, corpus, now_ms)?;
            (read.report(), read.is_uncompared())
        }
        (None, Some(corpus)) => {
            (TenantReport::of_definitions(&corpus.definitions(now_ms), now_ms), false)
        }
        (None, None) => {
            return Err(Failure::usage_error("there are neither a tenant nor definitions")
                .help("give --profile, or --keys with the folder of your key definitions"));
        }
    };
    args.out.write(&match args.format {
        #[cfg(feature = "console")]
        Format::Html => cortexkey_console::report_html(&report),
        Format::Json => text::json(&report.to_json()),
        Format::Csv => report.to_csv(),
    })?;
    say_sources(args, &report);
    for fault in &report.faults {
        print_note(fault);
    }
    Ok(if args.fails(&report) || is_uncompared {
        Exit::Findings
    } else if report.faults.is_empty() {
        Exit::Done
    } else {
        Exit::Partly
    })
}

impl Args {
    /// Fails if an option names a source that is not read.
    fn check(&self) -> Result<(), Failure> {
        let message = match self.from {
            Some(ReportSource::Tenant) if self.corpus.is_given() => {
                "--from tenant reads no definitions"
            }
            Some(ReportSource::Definitions) if self.connection.is_given() => {
                "--from definitions calls no tenant"
            }
            _ => return Ok(()),
        };
        Err(Failure::usage_error(message).help("use --from both, or remove the other options"))
    }

    /// Whether findings make the exit code 1. If so, prints why.
    fn fails(&self, report: &TenantReport) -> bool {
        let at = match self.fail_on {
            FailOn::Error => Severity::Error,
            FailOn::Warning => Severity::Warning,
            FailOn::Info => Severity::Info,
            FailOn::Never => return false,
        };
        let count = report.count_from(at);
        if count > 0 {
            print_note(&format!("{} at or above {}", counted(count, "finding"), at.as_str()));
        }
        count > 0
    }
}

/// Prints what the report covers, unless the user chose it.
fn say_sources(args: &Args, report: &TenantReport) {
    if args.from.is_some() {
        return;
    }
    match (&report.tenant, &report.corpus) {
        (Some(tenant), None) => {
            print_note(&format!("the report covers only the tenant {}", tenant.host));
        }
        (None, Some(_)) => print_note("the report covers only the definitions: no tenant is set"),
        _ => {}
    }
}
