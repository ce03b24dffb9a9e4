//! `cortexkey plan`: shows what `apply` would do. It changes nothing.

use cortexkey_client::{LockFile, Plan};
use serde_json::{Value, json};

use super::targets::{TargetArgs, over};
use super::{DefinitionArgs, PlanArgs, Target, show};
use crate::connection::SETTINGS;
use crate::exit::{Exit, Failure};
use crate::renewal::lock_failure;
use crate::text::{self, Format};

/// Show the changes that make a tenant's keys match their definitions
///
/// The linter runs first. The plan marks what each key gains, and refuses changes that only the
/// console can make.
#[derive(clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{SETTINGS}"))]
pub(crate) struct Args {
    #[command(flatten)]
    definitions: DefinitionArgs,

    #[command(flatten)]
    plan: PlanArgs,

    /// Output format
    #[arg(long, default_value = "text")]
    format: Format,

    /// Exit with 1 if there is something to do
    #[arg(long)]
    exit_code: bool,

    #[command(flatten)]
    targets: TargetArgs,
}

const EXAMPLES: &str = "\
Examples:
  cortexkey plan --profile prod
  cortexkey plan --format json > plan.json
  cortexkey plan --exit-code                 check that there is nothing to do
  cortexkey plan --profiles prod,test        several tenants in one run

Exit codes: 0 success; 1 an action is refused, the linter reports errors, a call failed, or with
--exit-code there is something to do; 2 usage error; 3 nothing could be read.";

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

/// The plan as JSON, which `apply` also reads.
pub(super) fn as_json(plan: &Plan) -> Value {
    let mut value = json!(plan);
    if let Value::Object(object) = &mut value {
        object.insert("version".to_owned(), 1.into());
    }
    value
}
