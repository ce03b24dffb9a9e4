//! `cortexkey call`: one signed API call.

use std::path::PathBuf;

use cortexkey_client::Method;
use serde::de::IgnoredAny;
use zeroize::Zeroizing;

use crate::change::announce;
use crate::connection::{ConnectionArgs, SETTINGS, call_failure};
use crate::exit::{Exit, Failure};
use crate::{input, text};

/// The largest request body, in bytes.
const BODY_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Make one signed API call and print the response
#[derive(clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{SETTINGS}"))]
pub(crate) struct Args {
    /// GET, POST, PUT, PATCH or DELETE
    method: String,

    /// The path, starting with /
    path: String,

    #[command(flatten)]
    connection: ConnectionArgs,

    /// The JSON body; methods with a body send `{}` by default
    #[arg(long, value_name = "JSON", conflicts_with = "data_file")]
    data: Option<String>,

    /// Read the body from this file; `-` is standard input
    #[arg(long, value_name = "FILE")]
    data_file: Option<PathBuf>,

    /// Print the response unchanged, even if it is not JSON
    #[arg(long)]
    raw: bool,
}

const EXAMPLES: &str = r#"Examples:
  cortexkey call GET /public_api/v1/healthcheck
  cortexkey call POST /public_api/v1/api_keys/get_api_keys --data '{"request_data":{"filters":[]}}'
  cortexkey call POST /public_api/v1/incidents/get_incidents --data-file query.json

Exit codes: 0 success; 1 a refusal or no response; 2 usage error; 3 the body cannot be read."#;

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let method: Method =
        args.method.to_ascii_uppercase().parse().map_err(|_| {
            Failure::usage_error("the method is not GET, POST, PUT, PATCH or DELETE")
        })?;
    if args.data_file.as_ref().is_some_and(|file| file.as_os_str() == "-")
        && args.connection.key_is_on_stdin()
    {
        return Err(Failure::usage_error("both the key and the body are read from standard input")
            .help("give the key with --key-file or CORTEXKEY_API_KEY"));
    }
    let body = body(args)?;
    if let Some(body) = &body {
        serde_json::from_slice::<IgnoredAny>(body).map_err(|error| {
            let place = format!("line {}, column {}", error.line(), error.column());
            let failure = Failure::usage_error(format!("the body is not JSON ({place})"));
            // As curl reads a file.
            if body.starts_with(b"@") {
                failure.help("--data-file FILE reads the body from a file")
            } else {
                failure
            }
        })?;
    }
    let connection = args.connection.resolve()?;
    if method != Method::Get {
        announce(&connection);
    }
    let client = connection.client();
    let response = client
        .call(method, &args.path, body.as_ref().map(|body| body.as_slice()))
        .map_err(|error| call_failure(&error))?;
    if args.raw || response.body.is_empty() {
        text::print_answer(&response.body)?;
        return Ok(Exit::Done);
    }
    let no_json = |failure: Failure| failure.help("--raw prints a response that is not JSON");
    response.json::<IgnoredAny>().map_err(|error| no_json(call_failure(&error)))?;
    let body = std::str::from_utf8(&response.body);
    let body = body.map_err(|_| {
        no_json(Failure::new(Exit::Findings, "the response is JSON, but not UTF-8"))
    })?;
    // It may contain a key.
    let json = Zeroizing::new(text::visible(body));
    text::print_answer(json.trim_end().as_bytes())?;
    text::print_bytes(b"\n")?;
    Ok(Exit::Done)
}

fn body(args: &Args) -> Result<Option<Zeroizing<Vec<u8>>>, Failure> {
    let Some(path) = &args.data_file else {
        return Ok(args.data.as_ref().map(|data| Zeroizing::new(data.clone().into_bytes())));
    };
    input::read(path, "the body", BODY_BYTES_MAX).map(Some)
}
