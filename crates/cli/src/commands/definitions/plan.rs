//! `cortexkey plan`: what `apply` would do.
//!
//! It refuses to change anything.

use cortexkey_client::{LockFile, Plan};
use serde_json::{Value, json};

use super::{DefinitionArgs, PlanArgs, check_host, show};
use crate::commands::keys::lock_failure;
use crate::connection::{ConnectionArgs, SETTINGS};
use crate::exit::{Exit, Failure};
use crate::text::{self, Format};

/// Show what must be done so that a tenant's keys are what their definitions say
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
    connection: ConnectionArgs,
}

const EXAMPLES: &str = "\
Examples:
  cortexkey plan --profile prod
  cortexkey plan --format json > plan.json
  cortexkey plan --exit-code                 is the tenant as it should be?

Exit codes: 0 a plan without refusals; 1 something is refused, the linter finds errors, a call
failed, or --exit-code and there is something to do; 2 wrong use; 3 nothing could be read.";

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let connection = args.connection.resolve()?;
    let tenant = connection.tenant.clone();
    let client = connection.client();
    let loaded = args.definitions.load(&args.plan, tenant.as_deref())?;
    let lock = LockFile::read(&loaded.lock_file).map_err(|error| lock_failure(&error))?;
    check_host(&lock, &loaded.tenant, &client, &loaded.lock_file)?;
    let plan = loaded.plan(&client, &lock, &args.plan)?;
    let text = match args.format {
        Format::Text => show::plan(&plan),
        Format::Json => text::json(&as_json(&plan)),
    };
    text::print(&text)?;
    let finds = plan.refuses() || args.exit_code && !plan.is_empty();
    Ok(if finds { Exit::Findings } else { Exit::Done })
}

/// A plan as programs read it, and as `apply` reads it back.
pub(super) fn as_json(plan: &Plan) -> Value {
    let mut value = json!(plan);
    if let Value::Object(object) = &mut value {
        object.insert("version".to_owned(), 1.into());
    }
    value
}
