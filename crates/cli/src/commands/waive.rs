//! `cortexkey waive`: accepts a finding until a date, as a waiver in the policy that governs the key.

use std::io;
use std::path::PathBuf;

use cortexkey_lint::files::{Options, RunOutcome, replace_policy, run as run_files};
use cortexkey_lint::report::Format;
use cortexkey_lint::{CorpusFile, NewWaiver, Policy, Report, RuleId, WaivedBy, add_waiver, rules};
use cortexkey_manifest::definition::moment;
use cortexkey_manifest::{did_you_mean, quote};

use crate::exit::{Exit, Failure};
use crate::surroundings;
use crate::text;

/// The rule about waivers that last too long.
const TOO_LONG: &str = "P003";

/// Accept a key's finding until a date, as a waiver in the policy
///
/// Writes the waiver into the policy that governs the key, or into the parent policy that locks the
/// rule. A rule that is not waivable cannot be waived.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  cortexkey waive svc-import expiry-too-long --reason 'the vendor rotates yearly, SEC-77' \\
      --until 2027-01-31 --approved-by ciso@example.com
  cortexkey waive prod-eu/svc-import E003 --reason SEC-77 --until 2027-01-31 --dry-run

Exit codes: 0 the finding is waived; 1 the waiver is written, but the finding still counts;
2 usage error, or nothing to waive.")]
pub(crate) struct Args {
    /// The key, as NAME or TENANT/NAME
    key: String,

    /// The rule, by name or code
    rule: String,

    /// Why the finding is accepted
    #[arg(long, value_name = "TEXT")]
    reason: String,

    /// When the waiver expires: a date (its end, UTC), or an RFC 3339 time with an offset
    #[arg(long, value_name = "DATE")]
    until: String,

    /// Who accepted it; without it, the waiver has no effect until somebody adds `approvedBy`
    #[arg(long, value_name = "NAME")]
    approved_by: Option<String>,

    /// The policy's file [default: the nearest cortexkey.yaml in this folder or above]
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,

    /// Show the waiver and its place, without writing it
    #[arg(long)]
    dry_run: bool,

    /// Check as of this time (RFC 3339) instead of `SOURCE_DATE_EPOCH` or the clock
    #[arg(long, value_name = "TIME")]
    now: Option<String>,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let options = options(args)?;
    let outcome = checked(&options)?;
    let Some(report) = &outcome.report else { return Err(Failure::from_outcome(&outcome)) };
    let file = file_of(&outcome, &args.key)?;
    let Some(policy) = outcome.policy_of(file) else {
        return Err(Failure::usage_error("no policy was read"));
    };
    let (rule, path) = waivable(args, policy, report, file)?;
    let waiver = NewWaiver {
        rule: rule.name().to_owned(),
        key: args.key.clone(),
        reason: args.reason.clone(),
        approved_by: args.approved_by.clone(),
        expires: args.until.clone(),
    };
    let text = policy.text(path).unwrap_or_default();
    let (new, line) = add_waiver(text, &waiver).map_err(|error| {
        Failure::usage_error(format!("{path}: {error}"))
            .help(format!("add it to `waivers` by hand: {}", waiver.entry()))
    })?;
    let entry = format!("{path}:{line}: {}\n", waiver.entry());
    if args.dry_run {
        text::print(&entry)?;
        return Ok(Exit::Done);
    }
    let replace = |from: &str, to: &str| {
        let replaced = replace_policy(&options, path, from, to);
        replaced.map_err(|error| Failure::from_run_error(&error))
    };
    replace(text, &new)?;
    let written = run_files(&options, &mut io::empty());
    let Some(written) = written.report else { return Err(Failure::from_outcome(&written)) };
    if let Some(why) = too_long(report, &written, path) {
        replace(&new, text)?;
        return Err(Failure::usage_error(format!("--until {}: {why}", quote(&args.until)))
            .help("name an earlier date"));
    }
    text::print(&entry)?;
    in_force(args, written, &rule)
}

fn options(args: &Args) -> Result<Options, Failure> {
    let folder = surroundings::current_folder()?;
    let now = surroundings::time(args.now.as_deref())?;
    if args.reason.trim().is_empty() {
        return Err(Failure::usage_error("--reason is empty").help("say why, with a ticket"));
    }
    let until = moment(&args.until).map_err(|error| {
        Failure::usage_error(format!("--until {}: {error}", quote(&args.until))).help(error.help)
    })?;
    if until <= now {
        return Err(Failure::usage_error(format!("--until {} has passed", quote(&args.until)))
            .help("name a date in the future"));
    }
    let mut options = Options::new(folder, now);
    options.policy.clone_from(&args.policy);
    Ok(options)
}

fn checked(options: &Options) -> Result<RunOutcome, Failure> {
    let outcome = run_files(options, &mut io::empty());
    if outcome.report.is_none() {
        return Err(Failure::from_outcome(&outcome));
    }
    if outcome.usage_error {
        return Err(Failure::usage_error("the policy has mistakes")
            .help("`cortexkey policy check` lists them"));
    }
    Ok(outcome)
}

/// The file that defines the key.
fn file_of<'o>(outcome: &'o RunOutcome, key: &str) -> Result<&'o CorpusFile, Failure> {
    let (tenant, name) = match key.split_once('/') {
        Some((tenant, name)) => (Some(tenant), name),
        None => (None, key),
    };
    let mut names = Vec::new();
    for file in &outcome.corpus.files {
        let only = outcome.policy_of(file).and_then(Policy::only_tenant);
        for definition in file.documents.iter().filter_map(|document| document.definition.as_ref())
        {
            let of_tenant = tenant.is_none() || definition.tenant().or(only) == tenant;
            if definition.name() == Some(name) && of_tenant {
                return Ok(file);
            }
            names.extend(definition.name());
        }
    }
    let hint = did_you_mean(name, &names);
    Err(Failure::usage_error(format!("the corpus has no key {}", quote(key)))
        .help(hint.unwrap_or_else(|| "give the name in its `metadata.name`".to_owned())))
}

/// The rule, and the policy file for the waiver. Fails unless the rule has a finding on the key
/// that counts and can be waived.
fn waivable<'p>(
    args: &Args,
    policy: &'p Policy,
    report: &Report,
    file: &CorpusFile,
) -> Result<(RuleId, &'p str), Failure> {
    let rule = policy.rule_id(&args.rule).ok_or_else(|| {
        let hint = did_you_mean(&args.rule, &rules::all_ids());
        Failure::usage_error(format!("there is no rule {}", quote(&args.rule)))
            .help(hint.unwrap_or_else(|| "`cortexkey rules` lists all rules".to_owned()))
    })?;
    let name = args.key.rsplit('/').next();
    let is_here = |finding: &cortexkey_lint::Finding| {
        finding.rule == rule
            && finding.key.as_deref() == name
            && report.sources[finding.location.source].path == file.path
    };
    let Some(finding) = report.findings.iter().find(|finding| is_here(finding)) else {
        let by = report.waived.iter().find(|waived| is_here(&waived.finding));
        return Err(match by {
            Some(waived) => Failure::usage_error(format!(
                "the finding of {rule} on {} already does not count: {}",
                quote(&args.key),
                suppressed_by(waived.by)
            ))
            .help("to waive it instead, remove it there first"),
            None => Failure::usage_error(format!("{} has no finding of {rule}", quote(&args.key)))
                .help("`cortexkey lint` lists the findings that can be waived"),
        });
    };
    let path = policy.waiver_file(finding).map_err(|reason| {
        Failure::usage_error(format!("{rule} cannot be waived: {reason}"))
            .help("fix the key, or ask the owner of the policy")
    })?;
    Ok((rule, path))
}

/// Where a finding that does not count is accepted.
const fn suppressed_by(by: WaivedBy) -> &'static str {
    match by {
        WaivedBy::Waiver => "a waiver in the policy accepts it",
        WaivedBy::Comment => "a comment in the definition suppresses it",
        WaivedBy::Baseline => "it is in the baseline",
    }
}

/// Why the policy does not allow a waiver of this length, if the new one is the first to break it.
fn too_long(before: &Report, after: &Report, path: &str) -> Option<String> {
    let found = |report: &Report| -> Vec<String> {
        let is_here = |finding: &&cortexkey_lint::Finding| {
            finding.rule.code() == TOO_LONG && report.sources[finding.location.source].path == path
        };
        report.findings.iter().filter(is_here).map(|finding| finding.message.clone()).collect()
    };
    let known = found(before);
    let mut now = found(after);
    let why = now.iter().position(|message| !known.contains(message)).unwrap_or_default();
    (now.len() > known.len()).then(|| now.swap_remove(why))
}

/// Checks that the written waiver has an effect.
fn in_force(args: &Args, report: Report, rule: &RuleId) -> Result<Exit, Failure> {
    let name = args.key.rsplit('/').next();
    let is_waived = report.waived.iter().any(|waived| {
        waived.by == WaivedBy::Waiver
            && waived.finding.rule == *rule
            && waived.finding.key.as_deref() == name
    });
    if is_waived {
        return Ok(Exit::Done);
    }
    text::print(&report.of_policy().render(Format::Concise, false))?;
    Err(Failure::new(Exit::Findings, "the waiver is written, and the finding still counts")
        .help("a waiver needs a reason, an approver (--approved-by) and an expiry"))
}
