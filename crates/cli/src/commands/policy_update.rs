//! `cortexkey policy update`: fetches the remote policies that a policy extends.

use std::path::{Path, PathBuf};

use cortexkey_client::policies::{FetchedPolicy, PolicyUpdate, PolicyUpdateError};
use cortexkey_lint::files::POLICY_NAMES;
use cortexkey_manifest::policy::{Pinned, is_builtin};
use cortexkey_manifest::yaml::YamlLimits;
use cortexkey_system::io_reason;
use serde_json::json;

use crate::exit::{Exit, Failure};
use crate::text::{self, DIM, Format, GOOD};

/// Fetch the remote policies that a policy extends
///
/// A policy may extend a file of another git repository at a commit, and an artifact of a registry by
/// its digest. This command writes a copy of each to .cortexkey/policies next to the policy, and
/// the digests to .cortexkey/policies.lock. Commit both. Linting reads the copies, never the network, and
/// fails if one is missing or changed.
///
/// A change to a copy and its digest in the lock passes linting. Run --verify in CI to compare the
/// copies with their sources.
///
/// Repositories are fetched with git, which uses its usual credentials. For registries, the logins of
/// `docker login` are used.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  extends:
    - git: https://git.example.com/acme/policies
      rev: 0123456789abcdef0123456789abcdef01234567
      path: cortexkey.yaml
    - oci://ghcr.io/acme/policy@sha256:…              all 64 digits

  cortexkey policy update
  cortexkey policy update --check                 in CI: are the copies complete? No network
  cortexkey policy update --verify                in CI: do the copies match their sources?

Exit codes: 0 success; 1 a policy could not be fetched, or with --check or --verify a copy is
missing or changed; 2 usage error, an invalid policy, or a link in place of a copy.")]
pub(crate) struct Args {
    /// The policy [default: the nearest cortexkey.yaml in this folder or above]
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,

    /// Fetch nothing; report copies that are missing or changed
    #[arg(long)]
    check: bool,

    /// Fetch every policy again and report copies that differ; write nothing
    #[arg(long, conflicts_with = "check")]
    verify: bool,

    /// Remove copies that this policy does not use
    #[arg(long, conflicts_with_all = ["check", "verify"])]
    prune: bool,

    /// Output format
    #[arg(long, default_value = "text")]
    format: Format,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let policy = match &args.policy {
        Some(policy) if is_builtin(&policy.to_string_lossy()) => {
            let message =
                format!("{} is a built-in policy and extends no remote policy", policy.display());
            return Err(Failure::usage_error(message).help("pass a file of this repository"));
        }
        Some(policy) => policy.clone(),
        None => nearest()?,
    };
    let update = PolicyUpdate::for_policy(&policy, YamlLimits::default())
        .map_err(|error| failure(&error))?;
    if args.check || args.verify {
        let different = if args.check { update.check() } else { update.verify() };
        return report(args, &different.map_err(|error| failure(&error))?);
    }
    let fetched = update.run(args.prune).map_err(|error| failure(&error))?;
    text::print(&match args.format {
        Format::Text => fetched_text(&fetched),
        Format::Json => {
            let one = |policy: &FetchedPolicy| {
                json!({
                    "source": policy.pinned.to_string(),
                    "copy": policy.copy,
                    "sha256": policy.sha256,
                    "new": policy.is_new,
                })
            };
            let policies: Vec<_> = fetched.iter().map(one).collect();
            text::json(&json!({ "version": 1, "policies": policies }))
        }
    })?;
    Ok(Exit::Done)
}

/// Reports the copies that are missing or changed.
fn report(args: &Args, different: &[Pinned]) -> Result<Exit, Failure> {
    text::print(&match args.format {
        Format::Text if different.is_empty() && args.verify => {
            "all copies match their sources\n".to_owned()
        }
        Format::Text if different.is_empty() => {
            "all copies are complete and unchanged\n".to_owned()
        }
        Format::Text => {
            let state = if args.verify {
                "missing, or different from its source"
            } else {
                "missing or changed"
            };
            let line = |pinned: &Pinned| format!("{state}: {pinned}\n");
            different.iter().map(line).collect::<Vec<_>>().concat()
        }
        Format::Json => {
            let different: Vec<String> = different.iter().map(Pinned::to_string).collect();
            let name = if args.verify { "different" } else { "missing" };
            text::json(&json!({ "version": 1, name: different }))
        }
    })?;
    Ok(if different.is_empty() { Exit::Done } else { Exit::Findings })
}

fn fetched_text(fetched: &[FetchedPolicy]) -> String {
    if fetched.is_empty() {
        return "the policy extends no remote policy\n".to_owned();
    }
    let line = |policy: &FetchedPolicy| {
        let (color, state) = if policy.is_new { (GOOD, "new") } else { (DIM, "unchanged") };
        format!("{color}{state:<9}{color:#}  {}\n", policy.pinned)
    };
    fetched.iter().map(line).collect::<Vec<_>>().concat()
}

/// The nearest policy from this folder up to the repository's.
fn nearest() -> Result<PathBuf, Failure> {
    let folder = std::env::current_dir().map_err(|error| {
        Failure::usage_error(format!("cannot find the current folder: {}", io_reason(&error)))
    })?;
    for at in folder.ancestors() {
        if let Some(found) =
            POLICY_NAMES.iter().map(|name| at.join(name)).find(|path| path.is_file())
        {
            return Ok(relative(&folder, &found));
        }
        if at.join(".git").exists() {
            break;
        }
    }
    Err(Failure::usage_error("no cortexkey.yaml was found in this folder or above")
        .help("name the policy with --policy FILE"))
}

/// A path as short as it can be from a folder.
fn relative(folder: &Path, path: &Path) -> PathBuf {
    path.strip_prefix(folder).map_or_else(|_| path.to_owned(), Path::to_path_buf)
}

fn failure(error: &PolicyUpdateError) -> Failure {
    match error {
        PolicyUpdateError::Invalid { .. }
        | PolicyUpdateError::Read { .. }
        | PolicyUpdateError::Outside { .. }
        | PolicyUpdateError::Leaves { .. }
        | PolicyUpdateError::Link { .. }
        | PolicyUpdateError::TooMany
        | PolicyUpdateError::Lock { .. } => Failure::from_error(Exit::UsageError, error),
        _ => Failure::from_error(Exit::Findings, error).help("the existing copies are unchanged"),
    }
}
