//! `cortexkey sign`: prints the headers of one request.
//!
//! It signs nothing that a verifier would refuse, and sends nothing.

use std::time::SystemTime;

use clap::ValueEnum;
use cortexkey_core::auth::{Headers, Nonce, Timestamp};
use serde_json::{Map, Value};

use crate::connection::KeyArgs;
use crate::exit::{Exit, Failure};
use crate::text;

/// Print the headers of one request
///
/// The headers are valid once, for about a minute, and for any call. With a Standard key they
/// contain the key itself.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  cortexkey sign --key-id 7 --level advanced --key-file key.txt
  cortexkey sign --format json --key-stdin < key.txt
  cortexkey sign --format curl | curl -K - -d '{}' https://api-FQDN/api_keys/validate/

Exit codes: 0 success; 1 no random bytes, or standard output failed; 2 usage error, or an invalid key.")]
pub(crate) struct Args {
    #[command(flatten)]
    key: KeyArgs,

    /// Output: `lines` (Name: value), `json` (one object) or `curl` (a configuration for `curl -K
    /// -`)
    #[arg(long, default_value = "lines")]
    format: Format,

    /// Sign with this nonce instead of a new one, for reproducible output
    #[arg(long, value_name = "TEXT")]
    nonce: Option<String>,

    /// Sign with this time instead of the current one, in milliseconds since 1970
    #[arg(long, value_name = "MS", allow_hyphen_values = true)]
    timestamp_ms: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Lines,
    Json,
    Curl,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let nonce = match &args.nonce {
        Some(text) => Some(Nonce::new(text.as_bytes()).map_err(usage_error)?),
        None => None,
    };
    let timestamp = match &args.timestamp_ms {
        Some(text) => Timestamp::parse(text.as_bytes()).map_err(usage_error)?,
        None => Timestamp::from_system_time(SystemTime::now()).map_err(|_| {
            Failure::new(Exit::Findings, "this machine's clock shows a time that cannot be sent")
                .help("set the clock")
        })?,
    };
    let credentials = args.key.resolve()?;
    let headers = match nonce {
        Some(nonce) => credentials.signer.sign_with(nonce, timestamp),
        None => credentials.signer.sign_from_system(timestamp).map_err(|error| {
            Failure::new(Exit::Findings, format!("the system returned no random bytes: {error}"))
        })?,
    };
    text::print_key(&render(&headers, args.format))?;
    Ok(Exit::Done)
}

fn render(headers: &Headers<'_>, format: Format) -> String {
    match format {
        Format::Lines => headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect(),
        Format::Json => {
            let object: Map<String, Value> =
                headers.iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
            format!("{}\n", Value::from(object))
        }
        Format::Curl => curl_config(headers),
    }
}

/// A configuration for `curl -K -`. The API accepts only JSON, and curl declares a form by default,
/// so the configuration sets the content type.
pub(crate) fn curl_config(headers: &Headers<'_>) -> String {
    let json = ("Content-Type", "application/json");
    headers.iter().chain([json]).map(|(name, value)| curl_line(name, value)).collect()
}

/// A line of curl's configuration. Within quotes, a backslash starts an escape.
pub(crate) fn curl_line(name: &str, value: &str) -> String {
    format!("header = \"{name}: {}\"\n", escaped(value))
}

/// Text between quotes in curl's configuration.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

fn usage_error(error: impl std::error::Error + 'static) -> Failure {
    Failure::from_error(Exit::UsageError, &error)
}

#[cfg(test)]
mod tests {
    use super::curl_line;

    #[test]
    fn a_key_with_quotes_stays_one_value() {
        assert_eq!(curl_line("A", r#"k"\"#), "header = \"A: k\\\"\\\\\"\n");
    }
}
