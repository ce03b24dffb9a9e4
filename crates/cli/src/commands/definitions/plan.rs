//! `cortexkey plan`: what `apply` would do. It changes nothing.

use cortexkey_client::{LockFile, Plan};
use serde_json::{Value, json};

use super::targets::{TargetArgs, over};
use super::{DefinitionArgs, PlanArgs, Target, show};
use crate::commands::keys::lock_failure;
use crate::connection::SETTINGS;
use crate::exit::{Exit, Failure};
use crate::text::{self, Format};

/// Show what it takes to make a tenant's keys match their definitions
///
/// The linter runs first. What a key gains is marked; what only the console can do is refused.
#[derive(clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{SETTINGS}"))]
pub(crate) struct Args {
    #[command(flatten)]
    definitions: DefinitionArgs,

    #[command(flatten)]
    plan: PlanArgs,

    /// text for people, json for machines
    #[arg(long, default_value = "text")]
    format: Format,

    /// End with 1 where there is something to do
    #[arg(long)]
    exit_code: bool,

    #[command(flatten)]
    targets: TargetArgs,
}

const EXAMPLES: &str = "\
Examples:
  cortexkey plan --profile prod
  cortexkey plan --format json > plan.json
  cortexkey plan --exit-code                 is the tenant as it should be?
  cortexkey plan --profiles prod,test        several tenants in one run

Exit codes: 0 a plan without refusals; 1 something is refused, the linter finds errors, a call
failed, or --exit-code and there is something to do; 2 usage error; 3 nothing could be read.";

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let targets = args.targets.resolve(&args.definitions, false)?;
    let is_one = targets.is_one();
    let mut plans = Vec::new();
    let ended = over(targets, |target| {
        let plan = plan(args, target)?;
        let finds = plan.refuses() || args.exit_code && !plan.is_empty();
        match args.format {
            Format::Text => text::print(&show::plan(&plan))?,
            Format::Json => plans.push(as_json(&plan)),
        }
        Ok(if finds { Exit::Findings } else { Exit::Done })
    });
    if args.format == Format::Json {
        match (is_one, plans.pop()) {
            (true, Some(plan)) => text::print(&text::json(&plan))?,
            (true, None) => {}
            (false, last) => {
                plans.extend(last);
                text::print(&text::json(&json!({ "version": 1, "plans": plans })))?;
            }
        }
    }
    ended
}

fn plan(args: &Args, target: &Target) -> Result<Plan, Failure> {
    let loaded = args.definitions.load(&args.plan, target.tenant.as_deref())?;
    let lock = LockFile::read(&loaded.lock_file).map_err(|error| lock_failure(&error))?;
    loaded.check_host(&lock, &target.client)?;
    loaded.plan(target, &lock, &args.plan)
}

/// A plan as programs read it, and as `apply` reads it back.
pub(super) fn as_json(plan: &Plan) -> Value {
    let mut value = json!(plan);
    if let Value::Object(object) = &mut value {
        object.insert("version".to_owned(), 1.into());
    }
    value
}
