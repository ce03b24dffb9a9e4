//! `cortexkey exec`: runs another program with the environment variables that it reads.
//!
//! The key is only in the child's environment: never in its arguments or in a file. On Unix, the
//! program replaces this process, so it gets the signals and the terminal, and its exit code is the
//! command's.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io;
use std::process::Command;

use cortexkey_client::{Connection, Tool, ToolKey, Variable};
use cortexkey_system::io_reason;
use serde_json::{Map, Value, json};

use crate::connection::{SETTINGS, TenantKeyArgs};
use crate::env_file;
use crate::exit::{Exit, Failure};
use crate::text::{self, DIM, Format};

/// Printed in place of the key.
const HIDDEN: &str = "[hidden]";

/// Run another tool with the environment variables that it reads
///
/// The tool gets the address, the key id, the level and the key in the variables that it reads.
/// Other addresses, credentials and secrets of cortexkey and of the vendor's tools are removed from
/// its environment, so that the key goes to no other tenant. The key is never written to a file or
/// passed as an argument.
#[derive(clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{SETTINGS}"))]
pub(crate) struct Args {
    /// demisto-sdk, demisto-py, terraform, cortex-cli, mcp, generic, or a tool of the profile
    #[arg(long = "as", value_name = "TOOL")]
    tool: String,

    #[command(flatten)]
    tenant: TenantKeyArgs,

    /// Print the variables instead of running anything; the key is hidden
    #[arg(long)]
    dry_run: bool,

    /// How --dry-run prints the variables
    #[arg(long, value_enum, default_value_t = Format::Text, requires = "dry_run")]
    format: Format,

    /// The program and its arguments
    #[arg(value_name = "COMMAND", required_unless_present = "dry_run", trailing_var_arg = true)]
    command: Vec<OsString>,
}

const EXAMPLES: &str = "\
Examples:
  cortexkey exec --as demisto-sdk --profile dev -- demisto-sdk upload -i Packs/Mine
  cortexkey exec --as terraform --profile prod -- terraform plan
  cortexkey exec --as mcp --dry-run

A program that is not listed has a mapping in the profile; each value names a variable:
  [profiles.prod.exec.my-tool]
  api_url = \"MY_TOOL_URL\"
  key_id = \"MY_TOOL_KEY_ID\"
  level = \"MY_TOOL_KEY_TYPE\"
  key = \"MY_TOOL_KEY\"

demisto-sdk and cortex-cli support only Standard keys. To use them with an Advanced key, send
their requests through `cortexkey proxy`.

Exit codes: those of the program; 1 also if it cannot be started; 2 also for a usage error.";

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let (connection, key) = args.tenant.resolve_with_key()?;
    // No variable names a child, so the program would change the parent instead.
    if connection.options.child_tenant.is_some() {
        return Err(Failure::usage_error(
            "the program would call the parent, not the child tenant",
        )
        .help("send its requests through `cortexkey proxy`, which selects the child"));
    }
    let key = std::str::from_utf8(&key).map_err(|_| {
        Failure::usage_error("the key is not valid UTF-8, so no variable can hold it")
    })?;
    let variables = variables(&args.tool, &connection, key)?;
    if args.dry_run {
        return show(&variables, key, args.format);
    }
    let is_loopback = connection.address.value.is_loopback();
    let Some(command) = command(&args.command, &variables, key, is_loopback) else {
        return Err(Failure::usage_error("there is no program to run").help("put it after `--`"));
    };
    let error = start(command);
    Err(not_started(&args.command, &error))
}

fn variables(tool: &str, connection: &Connection, key: &str) -> Result<Vec<Variable>, Failure> {
    let tool = find(tool, &connection.tools)?;
    env_file::check(&tool)?;
    let given = ToolKey {
        api_url: &connection.address.value.to_string(),
        key_id: connection.credentials.key_id.value,
        level: connection.credentials.level.value,
        key,
        ca_file: connection.ca_file.as_deref(),
    };
    tool.variables(&given).map_err(|error| {
        Failure::usage(error)
            .help("use a Standard key, or send its requests through `cortexkey proxy`")
    })
}

/// Finds a tool by its name.
pub(crate) fn find(name: &str, own: &[Tool]) -> Result<Tool, Failure> {
    Tool::find(name, own).map_err(Failure::usage)
}

/// A program with a tool's variables, and without the key in any other variable. An address on this machine is not for the HTTP proxies that
/// the environment sets: they would get the key or token in the clear.
pub(crate) fn command(
    program: &[OsString],
    variables: &[Variable],
    key: &str,
    is_loopback: bool,
) -> Option<Command> {
    let (program, arguments) = program.split_first()?;
    let mut command = cortexkey_system::command(program);
    command.args(arguments);
    for name in cortexkey_system::steering_variables().chain(variables_with(key)) {
        command.env_remove(name);
    }
    if is_loopback {
        for name in ["NO_PROXY", "no_proxy"] {
            let hosts = std::env::var(name).ok().filter(|hosts| !hosts.is_empty());
            let hosts = hosts.map_or_else(String::new, |hosts| format!("{hosts},"));
            command.env(name, format!("{hosts}127.0.0.1,localhost"));
        }
    }
    command.envs(variables.iter().map(|variable| (&variable.name, variable.value.as_str())));
    Some(command)
}

/// This process's variables that contain the key, whatever their names. A short text could be part of
/// any value, so it counts only as a whole.
fn variables_with(key: &str) -> impl Iterator<Item = OsString> {
    const KEY_BYTES_MIN: usize = 32;
    let has_key = move |value: &OsString| {
        let value = value.to_string_lossy();
        !key.is_empty()
            && (value.trim() == key || key.len() >= KEY_BYTES_MIN && value.contains(key))
    };
    std::env::vars_os().filter(move |(_, value)| has_key(value)).map(|(name, _)| name)
}

/// Why a program did not start.
pub(crate) fn not_started(program: &[OsString], error: &io::Error) -> Failure {
    let program = program.first().map(|program| program.to_string_lossy()).unwrap_or_default();
    let why = match error.kind() {
        io::ErrorKind::NotFound => "there is no such program".to_owned(),
        _ => io_reason(error),
    };
    Failure::new(Exit::Findings, format!("cannot run {program}: {why}"))
        .help("give its full path, or check that it is on PATH")
}

fn show(variables: &[Variable], key: &str, format: Format) -> Result<Exit, Failure> {
    let value = |variable: &Variable| {
        if variable.is_key { HIDDEN.to_owned() } else { variable.value.to_string() }
    };
    let removed = removed(variables, key);
    match format {
        Format::Text => {
            let line = |variable: &Variable| {
                let comment = if variable.is_key { "  # the key" } else { "" };
                format!("{}={}{DIM}{comment}{DIM:#}\n", variable.name, value(variable))
            };
            let mut lines: String = variables.iter().map(line).collect();
            if !removed.is_empty() {
                lines += &format!("{DIM}# removed: {}{DIM:#}\n", removed.join(", "));
            }
            text::print(&lines)?;
        }
        Format::Json => {
            let fields = variables.iter().map(|variable| {
                (
                    variable.name.clone(),
                    json!({ "value": value(variable), "is_key": variable.is_key }),
                )
            });
            let variables: Map<String, Value> = fields.collect();
            text::print(&text::json(&json!({ "variables": variables, "removed": removed })))?;
        }
    }
    Ok(Exit::Done)
}

/// The variables of this process that the program does not get, sorted.
fn removed(variables: &[Variable], key: &str) -> Vec<String> {
    let secret = cortexkey_system::secret_variables().map(|(name, _)| name);
    let names = secret.chain(cortexkey_system::steering_variables()).chain(variables_with(key));
    let names: BTreeSet<String> = names.map(|name| name.to_string_lossy().into_owned()).collect();
    let is_set = |name: &String| variables.iter().any(|variable| variable.name == *name);
    names.into_iter().filter(|name| !is_set(name)).collect()
}

/// Returns only where the program could not be started.
#[cfg(unix)]
fn start(mut command: Command) -> io::Error {
    use std::os::unix::process::CommandExt as _;

    command.exec()
}

/// Waits for the program, and ends with its exit code.
#[cfg(not(unix))]
fn start(mut command: Command) -> io::Error {
    let status = match command.status() {
        Ok(status) => status,
        Err(error) => return error,
    };
    #[expect(
        clippy::exit,
        reason = "the program's exit code is passed on, and nothing is left to do"
    )]
    std::process::exit(status.code().unwrap_or(1))
}
