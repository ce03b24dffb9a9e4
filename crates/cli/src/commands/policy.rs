//! `cortexkey policy`: creates, checks, shows and tests a policy.
//!
//! The linter interprets policies; this module only handles arguments and output.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use cortexkey_lint::files::{DEFAULT_POLICY, Options, read_cases, run as run_files};
use cortexkey_lint::report::Format as Form;
use cortexkey_lint::rules::{self, Rule};
use cortexkey_lint::{Corpus, Custom, Fact, Policy, Timestamp, policy_for, run_cases};
use cortexkey_manifest::{did_you_mean, quote};
use cortexkey_system::{ReadError, io_reason};
use serde_json::{Value, json};

use crate::commands::access::PolicyInForce;
use crate::commands::policy_eval;
#[cfg(feature = "client")]
use crate::commands::policy_update;
use crate::exit::{BoxError, Exit, Failure};
use crate::output_file;
use crate::surroundings;
use crate::text::{self, BAD, BOLD, DIM, GOOD};

/// Create, check or show a policy, or run its test cases
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: Subcommand,
}

#[derive(clap::Subcommand)]
enum Subcommand {
    Init(Init),
    Check(Check),
    Show(Show),
    Test(Test),
    Schema(Schema),
    Eval(policy_eval::Args),
    #[cfg(feature = "client")]
    Update(policy_update::Args),
}

/// Write a commented policy from existing definitions
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  cortexkey policy init keys/
  cortexkey policy init keys/ --output -         to standard output

Exit codes: 0 success; 2 usage error, or the file exists; 3 no definition could be read.")]
struct Init {
    /// Folders and files with definitions
    #[arg(value_name = "PATH", default_value = ".")]
    paths: Vec<PathBuf>,

    /// The name of the organisation
    #[arg(long, default_value = "acme")]
    name: String,

    /// The policy's file; `-` is standard output
    #[arg(long, value_name = "FILE", default_value = "cortexkey.yaml")]
    output: PathBuf,
}

/// Check a policy for errors
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  cortexkey policy check
  cortexkey policy check policies/acme.yaml --format json

Exit codes: 0 no errors; 1 errors; 2 usage error, or an invalid policy.")]
struct Check {
    /// The policy [default: the nearest cortexkey.yaml in this folder or above]
    policy: Option<PathBuf>,

    /// Any format of `cortexkey lint`
    #[arg(long, default_value = "human", value_parser = form)]
    format: Form,

    /// Check as of this time (RFC 3339) instead of `SOURCE_DATE_EPOCH` or the clock
    #[arg(long, value_name = "TIME")]
    now: Option<String>,
}

/// Show a policy's files and settings, and the line that set each
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  cortexkey policy show                          the policy's files
  cortexkey policy show --effective              every setting, with the line that set it
  cortexkey policy show --why expiry-too-long    one rule

Exit codes: 0 success; 2 usage error, no such rule, or an invalid policy.")]
struct Show {
    /// The policy's file or `builtin:…` [default: the nearest cortexkey.yaml in this folder or
    /// above]
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,

    /// Show every setting with the line that set it
    #[arg(long)]
    effective: bool,

    /// Show one rule and what sets it
    #[arg(long, value_name = "RULE")]
    why: Option<String>,

    /// Output format
    #[arg(long, default_value = "text")]
    format: Format,
}

/// Run the policy's test cases; every custom rule needs a case that it reports
#[derive(clap::Args)]
#[command(after_help = "\
The cases are in the files that the policy's `tests` name.

Examples:
  cortexkey policy test
  cortexkey policy test --policy policies/acme.yaml

Exit codes: 0 all passed; 1 a case failed; 2 usage error, or an invalid policy; 3 no cases.")]
struct Test {
    /// The policy [default: the nearest cortexkey.yaml in this folder or above]
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
}

/// Write the JSON schema of this organisation's key definitions, for editors
#[derive(clap::Args)]
#[command(after_help = "\
The schema knows the policy's tenants, owners, roles and groups, and explains each field. Set the
option `schema` of the rule schema-modeline, and `cortexkey lint --fix` names the schema in every
definition.

Examples:
  cortexkey policy schema                                   to standard output
  cortexkey policy schema --output schemas/key.json
  cortexkey policy schema --output schemas/key.json --check    in CI

Exit codes: 0 success; 1 --check and the file is not up to date; 2 usage error, or an invalid policy.")]
struct Schema {
    /// The policy's file or `builtin:…` [default: the nearest cortexkey.yaml in this folder or
    /// above]
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,

    /// The schema's file; `-` is standard output
    #[arg(long, value_name = "FILE", default_value = "-")]
    output: PathBuf,

    /// Check that the file is up to date instead of writing it
    #[arg(long, requires = "output")]
    check: bool,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Format {
    Text,
    Json,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    match &args.what {
        Subcommand::Init(args) => init(args),
        Subcommand::Check(args) => check(args),
        Subcommand::Show(args) => show(args),
        Subcommand::Test(args) => test(args),
        Subcommand::Schema(args) => schema(args),
        Subcommand::Eval(args) => policy_eval::run(args),
        #[cfg(feature = "client")]
        Subcommand::Update(args) => policy_update::run(args),
    }
}

fn form(text: &str) -> Result<Form, BoxError> {
    Form::from_word(text).ok_or_else(|| {
        let known: Vec<&str> = Form::ALL.iter().map(|(word, _)| *word).collect();
        format!("there is no format `{text}`; expected one of {}", known.join(", ")).into()
    })
}

fn init(args: &Init) -> Result<Exit, Failure> {
    let to_stdout = args.output.as_os_str() == "-";
    if !to_stdout && args.output.symlink_metadata().is_ok() {
        let path = args.output.display();
        let is_there = args.output.exists();
        let what = if is_there { "already exists" } else { "is a symbolic link to nothing" };
        return Err(Failure::usage_error(format!("{path} {what}"))
            .help("--output FILE writes to another file, --output - to standard output"));
    }
    let mut options = Options::new(surroundings::current_folder()?, Timestamp::UNIX_EPOCH);
    options.paths.clone_from(&args.paths);
    // Whatever a policy above says, these paths are the corpus.
    options.policy = Some("builtin:minimal".into());
    let outcome = run_files(&options, &mut io::empty());
    if outcome.no_input || outcome.corpus.files.is_empty() {
        return Err(Failure::new(Exit::NoInput, "no definition could be read there")
            .help("name the folder with your key definitions: cortexkey policy init keys/"));
    }
    let keys = patterns(&args.paths, &outcome.corpus);
    if keys.is_empty() {
        return Err(Failure::new(Exit::NoInput, "no definition could be read there")
            .help("name the folder with your key definitions: cortexkey policy init keys/"));
    }
    let text = policy_for(&outcome.corpus, &args.name, &keys);
    if to_stdout {
        text::print(&text)?;
        return Ok(Exit::Done);
    }
    let failed = |error: io::Error| {
        let why = io_reason(&error);
        Failure::usage_error(format!("cannot write {}: {why}", args.output.display()))
    };
    output_file::create(&args.output, text.as_bytes()).map_err(failed)?;
    text::print(&format!(
        "wrote {}; next:\n  cortexkey lint                     show the findings\n  \
         cortexkey lint --write-baseline    record them, so that only new ones count\n",
        args.output.display()
    ))?;
    Ok(Exit::Done)
}

/// The patterns of the corpus. Where all of a folder was searched, they are those of the folders
/// that hold definitions: most YAML of a repository is none.
fn patterns(paths: &[PathBuf], corpus: &Corpus) -> Vec<String> {
    let mut patterns: Vec<String> = Vec::new();
    for path in paths {
        let found = pattern(path);
        if found != EVERYWHERE {
            patterns.push(found);
            continue;
        }
        let mut folders: BTreeMap<&str, &str> = BTreeMap::new();
        for file in &corpus.files {
            let holds = file.documents.iter().any(|document| document.definition.is_some());
            let Some((folder, _)) = file.path.rsplit_once('/').filter(|_| holds) else {
                if holds {
                    patterns.push("*.{yaml,yml}".to_owned());
                }
                continue;
            };
            let top = folder.split('/').next().unwrap_or(folder);
            let common = folders.entry(top).or_insert(folder);
            *common = shared(common, folder);
        }
        patterns.extend(folders.values().map(|folder| format!("{folder}/**/*.{{yaml,yml}}")));
    }
    patterns.sort();
    patterns.dedup();
    patterns
}

/// The folder that holds both.
fn shared<'a>(one: &'a str, other: &str) -> &'a str {
    let mut end = 0;
    for (at, part) in one.split('/').zip(other.split('/')).enumerate() {
        if part.0 != part.1 {
            break;
        }
        end += part.0.len() + usize::from(at > 0);
    }
    one.get(..end).unwrap_or(one)
}

const EVERYWHERE: &str = "**/*.{yaml,yml}";

/// The pattern of the YAML files below a folder, or a file itself.
fn pattern(path: &Path) -> String {
    let text = path.to_string_lossy().replace('\\', "/");
    let text = text.trim_start_matches("./").trim_end_matches('/');
    match (path.is_dir(), text) {
        (true, "" | ".") => EVERYWHERE.to_owned(),
        (true, folder) => format!("{folder}/**/*.{{yaml,yml}}"),
        (false, file) => file.to_owned(),
    }
}

fn check(args: &Check) -> Result<Exit, Failure> {
    let now = surroundings::time(args.now.as_deref())?;
    let mut options = Options::new(surroundings::current_folder()?, now);
    options.policy.clone_from(&args.policy);
    let outcome = run_files(&options, &mut io::empty());
    let found = outcome.policy.as_ref().and_then(Policy::path);
    if args.policy.is_none() && found == Some(DEFAULT_POLICY) {
        return Err(no_policy());
    }
    let Some(report) = outcome.report else {
        return Err(Failure::from_outcome(&outcome));
    };
    let report = report.of_policy();
    text::print(&report.render(args.format, args.format == Form::Human))?;
    Ok(match (outcome.usage_error, report.fails(cortexkey_lint::Severity::Error)) {
        (true, _) => Exit::UsageError,
        (_, true) => Exit::Findings,
        _ => Exit::Done,
    })
}

/// No policy is given, and none is near.
fn no_policy() -> Failure {
    Failure::usage_error("no cortexkey.yaml was found in this folder or above")
        .help("name the policy, or write one with `cortexkey policy init`")
}

fn show(args: &Show) -> Result<Exit, Failure> {
    let found = PolicyInForce::policy(args.policy.as_deref(), None)?;
    let path = found.path().to_owned();
    let policy = found.into_policy();
    let rule = args.why.as_deref().map(|rule| rule_named(&policy, rule)).transpose()?;
    if let Format::Json = args.format {
        let wanted = match rule {
            Some(rule) => vec![rule],
            None => rules::RULES
                .iter()
                .map(|rule| Named::Known(rule))
                .chain(policy.custom_rules().map(Named::Own))
                .collect(),
        };
        let rules: Vec<Value> = wanted.iter().map(|rule| rule_json(&policy, *rule)).collect();
        let files: Vec<&str> = policy.files().collect();
        let json = json!({ "version": 1, "policy": path, "files": files, "rules": rules });
        text::print(&text::pretty_json(&json))?;
        return Ok(Exit::Done);
    }
    let mut out = String::new();
    if let Some(rule) = rule {
        out += &why(&policy, rule);
    } else if args.effective {
        out += &policy.effective();
    } else {
        out += &format!("The layers of {BOLD}{path}{BOLD:#}, in the order in which they apply:\n");
        out += &policy.files().map(|file| format!("  {file}\n")).collect::<String>();
        out += &format!(
            "{DIM}--effective shows all settings, --why RULE those of one \
                         rule.{DIM:#}\n"
        );
    }
    text::print(&out)?;
    Ok(Exit::Done)
}

/// A rule of the linter, or one of the policy's own.
#[derive(Clone, Copy)]
enum Named<'a> {
    Known(&'static Rule),
    Own(&'a Custom),
}

impl Named<'_> {
    fn code(&self) -> &str {
        match self {
            Self::Known(rule) => rule.code,
            Self::Own(rule) => rule.id().code(),
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Known(rule) => rule.name,
            Self::Own(rule) => rule.id().name(),
        }
    }

    fn facts(&self, policy: &Policy) -> Vec<Fact> {
        match self {
            Self::Known(rule) => policy.facts(rule),
            Self::Own(rule) => policy.custom_facts(rule),
        }
    }
}

fn rule_named<'a>(policy: &'a Policy, written: &str) -> Result<Named<'a>, Failure> {
    let known = rules::find(written).map(Named::Known);
    known.or_else(|| policy.custom(written).map(Named::Own)).ok_or_else(|| {
        let own = policy.custom_rules().flat_map(|rule| [rule.id().code(), rule.id().name()]);
        let all: Vec<&str> = rules::all_ids().into_iter().chain(own).collect();
        let hint = did_you_mean(written, &all);
        Failure::usage_error(format!("there is no rule {}", quote(written)))
            .help(hint.unwrap_or_else(|| "`cortexkey rules` lists all rules".into()))
    })
}

fn why(policy: &Policy, rule: Named<'_>) -> String {
    let mut out = format!("{BOLD}{} {}{BOLD:#}\n", rule.code(), rule.name());
    for fact in rule.facts(policy) {
        let keys = fact.keys.map_or(String::new(), |keys| format!(" for {keys}"));
        let at = fact.at.unwrap_or_else(|| "the rule itself".to_owned());
        out += &format!("  {:<10} {}{keys}  {DIM}{at}{DIM:#}\n", fact.what, fact.value);
    }
    out + &policy.refused(rule.code()).iter().map(|line| format!("  {line}\n")).collect::<String>()
}

fn rule_json(policy: &Policy, rule: Named<'_>) -> Value {
    let facts = rule.facts(policy).into_iter().map(
        |fact| json!({ "what": fact.what, "value": fact.value, "match": fact.keys, "at": fact.at }),
    );
    let facts = facts.collect::<Vec<_>>();
    let refused = policy.refused(rule.code());
    json!({ "code": rule.code(), "name": rule.name(), "settings": facts, "refused": refused })
}

fn test(args: &Test) -> Result<Exit, Failure> {
    let found = PolicyInForce::policy(args.policy.as_deref(), None)?;
    let mut options = Options::new(surroundings::current_folder()?, Timestamp::UNIX_EPOCH);
    options.policy.clone_from(&args.policy);
    let policy = found.into_policy();
    let files = read_cases(&options, &policy).map_err(|error| Failure::from_run_error(&error))?;
    let outcome = run_cases(&policy, &files, &options.limits);
    let mut out = String::new();
    for case in &outcome.cases {
        if case.faults.is_empty() {
            out += &format!("{GOOD}ok{GOOD:#}      {} {DIM}({}){DIM:#}\n", case.name, case.place);
        } else {
            out += &format!("{BAD}FAILED{BAD:#}  {} {DIM}({}){DIM:#}\n", case.name, case.place);
            out +=
                &case.faults.iter().map(|fault| format!("        {fault}\n")).collect::<String>();
        }
    }
    out += &outcome
        .faults
        .iter()
        .map(|fault| format!("{BAD}FAILED{BAD:#}  {fault}\n"))
        .collect::<String>();
    let failed = outcome.cases.iter().filter(|case| !case.faults.is_empty()).count();
    let passed = outcome.cases.len() - failed;
    out += &format!("{passed} passed, {} failed\n", failed + outcome.faults.len());
    text::print(&out)?;
    if outcome.cases.is_empty() && outcome.faults.is_empty() {
        return Err(Failure::new(Exit::NoInput, "the policy names no cases")
            .help("name their files under `tests` of the policy"));
    }
    Ok(if outcome.passed() { Exit::Done } else { Exit::Findings })
}

fn schema(args: &Schema) -> Result<Exit, Failure> {
    let policy = PolicyInForce::policy(args.policy.as_deref(), None)?.into_policy();
    let text = cortexkey_lint::schema::of_policy(&policy);
    let path = args.output.display();
    if args.output.as_os_str() == "-" {
        if args.check {
            return Err(Failure::usage_error("--check needs the file of the schema")
                .help("name it: --output schemas/key.json --check"));
        }
        text::print(&text::visible(&text))?;
        return Ok(Exit::Done);
    }
    if args.check {
        match cortexkey_system::read(&args.output, text.len() as u64) {
            Ok(there) if there == text.as_bytes() => return Ok(Exit::Done),
            // A longer file is another one.
            Ok(_) | Err(ReadError::TooLarge { .. }) => {}
            Err(error) => {
                return Err(Failure::usage_error(format!("cannot read {path}: {error}")));
            }
        }
        return Err(Failure::new(Exit::Findings, format!("{path} is not up to date"))
            .help(format!("run cortexkey policy schema --output {path}")));
    }
    output_file::write(&args.output, text.as_bytes()).map_err(|error| {
        Failure::usage_error(format!("cannot write {path}: {}", io_reason(&error)))
    })?;
    text::print(&format!("wrote {path}\n"))?;
    Ok(Exit::Done)
}
