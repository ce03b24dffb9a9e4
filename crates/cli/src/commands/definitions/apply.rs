//! `cortexkey apply`: makes a tenant's keys match their definitions.
//!
//! It asks before it widens, replaces or deletes a key, and generates no key without a sink.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cortexkey_client::table::one_line;
use cortexkey_client::time::{grace_ms, now_ms};
use cortexkey_client::{
    Action, ActionKind, ApiPermission, Apply, ApplyError, Desired, LockFile, Plan, Renewal, Sink,
};
use cortexkey_system::chain;
use serde_json::Value;

use super::plan::as_json;
use super::targets::{TargetArgs, over};
use super::{DefinitionArgs, PlanArgs, Target, show};
use crate::change::{ChangeArgs, print_note};
use crate::connection::SETTINGS;
use crate::exit::{Exit, Failure};
use crate::input;
use crate::needs::CheckArgs;
use crate::renewal::{lock_failure, on_step, renew_failure};
use crate::sink_args::SinkArgs;
use crate::text::{self, BAD, GOOD};

/// Make a tenant's keys match their definitions
///
/// The linter runs first, then the plan is shown. The command asks for confirmation before it widens
/// a key's access, or replaces or deletes a key. You can interrupt it at any point and run it again.
#[derive(clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{SETTINGS}"))]
pub(crate) struct Args {
    #[command(flatten)]
    definitions: DefinitionArgs,

    #[command(flatten)]
    plan: PlanArgs,

    /// Grace period of a replaced key; a later apply deletes the key
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = grace_ms)]
    grace: u64,

    /// Carry out exactly this plan, from `plan --format json`, without asking
    #[arg(long = "planned", value_name = "FILE", help_heading = "Definitions")]
    planned: Option<PathBuf>,

    #[command(flatten)]
    sink: SinkArgs,

    #[command(flatten)]
    check: CheckArgs,

    #[command(flatten)]
    change: ChangeArgs,

    #[command(flatten)]
    targets: TargetArgs,
}

const PLAN_BYTES_MAX: u64 = 64 * 1024 * 1024;

const EXAMPLES: &str = "\
Examples:
  cortexkey apply --profile prod
  cortexkey plan --format json > plan.json   then review the plan and run:
  cortexkey apply --planned plan.json --grace 24h

Commit cortexkey.lock afterwards: it maps definitions to keys.

Exit codes: 0 the tenant matches the definitions; 1 an action was refused or failed, or the linter
reports errors; 2 usage error; 3 nothing could be read.";

const NEEDS: [(ApiPermission, &str); 2] = [
    (ApiPermission::PublicApiEdit, "to list, generate and delete keys"),
    (ApiPermission::AccessManagementEdit, "to edit keys and to set scopes"),
];

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let targets = args.targets.resolve(&args.definitions, true)?;
    if !targets.is_one() && args.sink.is_one_place() {
        return Err(Failure::usage_error("the keys of several tenants cannot go into one file")
            .help("set sink_command or sink_folder in the profiles"));
    }
    over(targets, |target| match args.check.run(&target.client, &NEEDS)? {
        Some(exit) => Ok(exit),
        None => apply(args, target),
    })
}

fn apply(args: &Args, target: &Target) -> Result<Exit, Failure> {
    // Finishing an interrupted run delivers no key, so a missing sink is reported later.
    let sink = args.sink.sink(&target.new_keys, true);
    let client = &target.client;
    let loaded = args.definitions.load(&args.plan, target.tenant.as_deref())?;
    let place = loaded.corpus.place(client);
    let mut lock = LockFile::hold(&loaded.lock_file).map_err(|error| lock_failure(&error))?;
    loaded.check_host(lock.lock(), client)?;
    let mut apply = Apply {
        renewal: Renewal { client, on_step: &on_step },
        sink: sink.as_ref().ok(),
        lock: &mut lock,
        tenant: &place,
        grace_ms: args.grace,
        now_ms: now_ms(),
    };
    let unsettled = apply.settle();
    for (key, error) in &unsettled {
        print_note(&format!("{BAD}failed{BAD:#} {}: {}", one_line(key), chain(error)));
    }
    let plan = loaded.plan(target, apply.lock.lock(), &args.plan)?;
    text::print(&show::plan(&plan))?;
    check_sink(args, &plan, &sink)?;
    match &args.planned {
        Some(path) => check_planned(path, &plan)?,
        None => ask(args, &plan)?,
    }

    let mut failed = carry_out(&mut apply, &plan, &loaded.corpus.desired);
    failed.extend(unsettled.iter().map(|(key, _)| key.as_str()));
    failed.sort_unstable();
    failed.dedup();
    apply
        .applied(plan.done(&loaded.corpus.desired, &failed))
        .map_err(|error| Failure::from_error(Exit::Findings, &error))?;
    if failed.is_empty() && !plan.refuses() {
        text::print(&format!("{GOOD}the tenant matches the definitions{GOOD:#}\n"))?;
        return Ok(Exit::Done);
    }
    let refused = plan.actions.iter().filter(|action| action.action == ActionKind::Refuse).count();
    Err(Failure::new(Exit::Findings, format!("{} failed, {refused} refused", failed.len())).help(
        "fix the errors above and run `cortexkey apply` again, which keeps completed changes",
    ))
}

/// Carries out a plan; returns the keys that something failed for.
fn carry_out<'p>(apply: &mut Apply<'_>, plan: &'p Plan, desired: &[Desired]) -> Vec<&'p str> {
    let mut failed: Vec<&str> = Vec::new();
    for action in &plan.actions {
        // Later actions may depend on one that failed.
        if failed.contains(&action.key.as_str()) || action.action == ActionKind::Refuse {
            continue;
        }
        let key = one_line(&action.key);
        print_note(&format!("{} {key}", action.action));
        if let Err(error) = apply.carry_out(action, desired) {
            let why = match &error {
                // Where its key went, if it was delivered.
                ApplyError::Renew(error) => {
                    renew_failure(error, apply.sink, "cortexkey apply").plain_text()
                }
                error => chain(error),
            };
            print_note(&format!("{BAD}failed{BAD:#} {} {key}: {why}", action.action));
            failed.push(&action.key);
        }
    }
    failed
}

/// The sinks of new keys are determined before anything is changed.
fn check_sink(args: &Args, plan: &Plan, sink: &Result<Sink, Failure>) -> Result<(), Failure> {
    let makes =
        |action: &&Action| matches!(action.action, ActionKind::Generate | ActionKind::Replace);
    let count = plan.actions.iter().filter(makes).count();
    if let Err(failure) = sink
        && count > 0
    {
        return Err(failure.clone());
    }
    if count > 1 && args.sink.is_one_place() {
        return Err(Failure::usage_error(format!("{count} new keys cannot go into one file"))
            .help("set sink_command or sink_folder in a profile"));
    }
    Ok(())
}

/// Only the reviewed plan is carried out: if the tenant or the definitions changed since, the plan
/// differs.
fn check_planned(path: &Path, plan: &Plan) -> Result<(), Failure> {
    let bytes = input::read(path, "the plan", PLAN_BYTES_MAX)?;
    let planned: Value = serde_json::from_slice(&bytes).map_err(|error| {
        Failure::usage_error(format!("{} is not a plan: {error}", path.display()))
            .help("cortexkey plan --format json > plan.json")
    })?;
    let now = as_json(plan);
    // The plan of several tenants contains one plan for each.
    let of_this = |planned: &Value| {
        let plans = planned.get("plans")?.as_array()?;
        let is_same = |other: &&Value| {
            ["tenant", "host"].iter().all(|field| other.get(field) == now.get(field))
        };
        plans.iter().find(is_same).cloned()
    };
    let planned = of_this(&planned).unwrap_or(planned);
    let is_same = |field: &&str| planned.get(field) == now.get(field);
    match ["version", "tenant", "host", "actions"].iter().find(|field| !is_same(field)) {
        None => Ok(()),
        Some(field) => Err(Failure::new(
            Exit::Findings,
            format!(
                "nothing was done, because the current plan differs from {} in `{field}`",
                path.display()
            ),
        )
        .help(
            "create a new plan and review it, because the tenant or the definitions have changed",
        )),
    }
}

fn ask(args: &Args, plan: &Plan) -> Result<(), Failure> {
    let asked: Vec<_> = plan.actions.iter().filter(|action| action.needs_confirmation()).collect();
    if asked.is_empty() {
        return Ok(());
    }
    // One key may have several actions.
    let count = |is: &dyn Fn(&Action) -> bool| {
        let keys = asked.iter().filter(|action| is(action)).map(|action| action.key.as_str());
        keys.collect::<BTreeSet<_>>().len()
    };
    let widens = count(&|action| !action.widens.is_empty());
    let replaces = count(&|action| action.action == ActionKind::Replace);
    let deletes = count(&|action| matches!(action.action, ActionKind::Delete | ActionKind::Retire));
    args.change.confirm(&format!(
        "This widens {widens} keys, replaces {replaces} and deletes {deletes}. Continue?"
    ))
}
