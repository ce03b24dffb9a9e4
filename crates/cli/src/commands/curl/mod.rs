//! `cortexkey curl`: runs curl with the headers of a signed request.
//!
//! curl reads the headers from a pipe, so that no other process sees them, and reads no `.curlrc`.
//! [`options`] decides which options are passed on.

mod options;

use std::io::Write as _;
use std::process::Stdio;
use std::time::SystemTime;

use cortexkey_core::auth::Timestamp;
use cortexkey_system::io_reason;

use crate::change::announce;
use crate::commands::sign::{curl_config, curl_line, escaped};
use crate::connection::{CalledTenantArgs, SETTINGS};
use crate::exit::{Exit, Failure};

/// Run curl with the headers of a Standard or Advanced key
///
/// Give the path first, then curl's own options. curl reads the headers from a pipe, so they
/// are never in an argument or a file. They are valid for one request, for about a minute. Options
/// that would send them twice, or to another host, are not passed on. curl reads no .curlrc.
#[derive(clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{SETTINGS}"))]
pub(crate) struct Args {
    #[command(flatten)]
    tenant: CalledTenantArgs,

    /// Also pass on options that change the connection: --proxy, --resolve, --insecure, …
    #[arg(long)]
    allow_other_connection: bool,

    /// The path or full URL of the call, then curl's options
    #[arg(
        value_name = "PATH [CURL OPTION]…",
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    arguments: Vec<String>,
}

const EXAMPLES: &str = "\
Examples:
  cortexkey curl -- /api_keys/validate/ -d '{}'
  cortexkey curl --profile prod -- /public_api/v1/healthcheck --silent --include
  cortexkey curl -- /public_api/v1/incidents/get_incidents --data @query.json --output answer.json

Exit codes: 0 curl succeeded; 1 curl failed (its own code is printed) or is not installed; 2 usage
error. Pass curl's --fail to exit with an error if the tenant refuses the call.";

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let connection = args.tenant.resolve()?;
    announce(&connection);
    let address = connection.address.value;
    let (path, options) = args
        .arguments
        .split_first()
        .map_or(("", &[][..]), |(path, options)| (path.as_str(), options));
    let path = path.strip_prefix(&address.to_string()).unwrap_or(path);
    let url = address.join(path).map_err(|_| {
        Failure::usage_error(format!("the first argument is not a path of {address}")).help(
            "give the path first, then curl's options: cortexkey curl -- /api_keys/validate/ -d '{}'",
        )
    })?;
    let options = options::read(options, args.allow_other_connection)
        .map_err(|refused| Failure::usage_error(refused.message).help(refused.help))?;
    let now = Timestamp::from_system_time(SystemTime::now()).map_err(|_| {
        Failure::new(Exit::Findings, "this machine's clock shows a time that cannot be sent")
    })?;
    let signer = connection.credentials.signer;
    let headers = signer.sign_from_system(now).map_err(|error| {
        Failure::new(Exit::Findings, format!("the system returned no random bytes: {error}"))
    })?;
    let mut config = curl_config(&headers);
    if let Some(child) = &connection.options.child_tenant {
        config += &curl_line("x-child-tenant-id", child.as_str());
    }
    if let Some(path) = &connection.ca_file {
        config += &format!("cacert = \"{}\"\n", escaped(&path.display().to_string()));
    }
    if address.is_loopback() && !options.chooses_proxy {
        config += "noproxy = \"*\"\n";
    }
    let scheme = if url.starts_with("https:") { "https" } else { "http" };
    config += &format!("proto = \"={scheme}\"\n");
    start(&url, &options.arguments, &config)
}

fn start(url: &str, options: &[String], config: &str) -> Result<Exit, Failure> {
    let mut curl = cortexkey_system::command("curl");
    // The user's .curlrc may set another address, a proxy or a trace file, each of which would get
    // the headers. curl respects -q only as the first argument.
    curl.args(["-q", "--config", "-", "--max-redirs", "0", "--globoff"])
        .args(options)
        .args(["--url", url]);
    // Options that make curl log its traffic would write the key to a file.
    curl.env_remove("SSLKEYLOGFILE").env_remove("QLOGDIR");
    let mut child = curl.stdin(Stdio::piped()).spawn().map_err(|error| {
        Failure::new(Exit::Findings, format!("cannot run curl: {error}"))
            .help("install curl, or use `cortexkey call`")
    })?;
    if let Some(mut stdin) = child.stdin.take() {
        // curl's exit code is the result, whatever it is.
        let _ = stdin.write_all(config.as_bytes());
    }
    let status = child.wait().map_err(|error| {
        Failure::new(Exit::Findings, format!("cannot wait for curl: {}", io_reason(&error)))
    })?;
    match status.code() {
        Some(0) => Ok(Exit::Done),
        Some(code) => Err(Failure::new(Exit::Findings, format!("curl ended with {code}"))
            .help("see EXIT CODES in `man curl`")),
        None => Err(Failure::new(Exit::Findings, "a signal ended curl")),
    }
}
