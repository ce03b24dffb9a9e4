//! `cortexkey config`: shows the settings in force.

use clap::Subcommand;
use cortexkey_client::{Explained, explain};
use serde_json::json;

use crate::connection::{ConnectionArgs, failure};
use crate::exit::{Exit, Failure};
use crate::text::{self, BOLD, DIM, Format};

/// Show settings and where they come from
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Explain(ExplainArgs),
}

/// Show each setting, its value, and where it came from
///
/// No key is shown, no key file is read, and no program is run.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
struct ExplainArgs {
    #[command(flatten)]
    connection: ConnectionArgs,

    /// Output format
    #[arg(long, default_value = "text")]
    format: Format,
}

const EXAMPLES: &str = r#"Profiles are in $XDG_CONFIG_HOME/cortexkey/config.toml (~/.config/cortexkey/config.toml):

  default_profile = "prod"
  [profiles.prod]
  fqdn = "acme.xdr.us.paloaltonetworks.com"
  key_id = 7
  level = "advanced"
  key_command = ["op", "read", "op://ops/cortex/key"]      # or key_file = "~/.cortex-key"
  sink_command = ["op", "item", "create", "--title={name}", "-"]   # where new keys go

A profile never contains a key. docs/client.md lists all fields.

Settings, in order of precedence:
  1. arguments, and the profile that --profile names
  2. CORTEXKEY_FQDN or CORTEXKEY_API_URL, CORTEXKEY_API_KEY_ID, CORTEXKEY_API_KEY_TYPE,
     CORTEXKEY_API_KEY
  3. the profile that CORTEXKEY_PROFILE or default_profile names
  4. the Terraform provider's CORTEXCLOUD_API_URL, CORTEXCLOUD_API_KEY_ID,
     CORTEXCLOUD_API_KEY_TYPE, CORTEXCLOUD_API_KEY

Examples:
  cortexkey config explain
  cortexkey config explain --profile prod --format json

Exit codes: 0 success; 2 usage error, or an invalid configuration."#;

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let Command::Explain(args) = &args.command;
    let environment = |name: &str| std::env::var_os(name);
    let entries =
        explain(&args.connection.given(), &environment).map_err(|error| failure(&error))?;
    let text = match args.format {
        Format::Json => text::json(&json!({ "version": 1, "settings": entries })),
        Format::Text => entries.iter().map(show).collect(),
    };
    text::print(&text)?;
    Ok(Exit::Done)
}

fn show(entry: &Explained) -> String {
    let value = entry.value.as_deref().unwrap_or("(not set)");
    let mut line = format!("{BOLD}{:14}{BOLD:#} {value}", entry.setting);
    if let Some(origin) = &entry.origin {
        line += &format!("  {DIM}from {origin}{DIM:#}");
    }
    line.push('\n');
    for overridden in &entry.overridden {
        line += &format!("{:14} {DIM}also set by {overridden}, which is overridden{DIM:#}\n", "");
    }
    if let Some(note) = &entry.note {
        line += &format!("{:14} {note}\n", "");
    }
    line
}
