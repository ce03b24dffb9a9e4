//! `cortexkey ping`: makes the first API call, which shows whether a key works.

use serde_json::json;

use crate::connection::{ConnectionArgs, SETTINGS, call_failure};
use crate::exit::{Exit, Failure};
use crate::text::{self, DIM, Format, GOOD};

/// A tenant accepts a clock difference of about one minute; a warning is shown from half of that.
const CLOCK_OFFSET_MS: u64 = 30_000;

/// Make the first API call to check the key
#[derive(clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{SETTINGS}"))]
pub(crate) struct Args {
    #[command(flatten)]
    connection: ConnectionArgs,

    /// Output format
    #[arg(long, default_value = "text")]
    format: Format,
}

const EXAMPLES: &str = "\
Examples:
  cortexkey ping --fqdn acme.xdr.us.paloaltonetworks.com --key-id 7 --level advanced \\
      --key-file key.txt
  CORTEXKEY_FQDN=http://127.0.0.1:8080 cortexkey ping --format json

Exit codes: 0 the key works; 1 it does not, or there is no response; 2 usage error.";

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let client = args.connection.client()?;
    let ping = client.ping().map_err(|error| call_failure(&error))?;
    let id = client.signer().key_id();
    let level = client.signer().level();
    let round_trip_ms = ping.round_trip.as_millis();
    let text = match args.format {
        Format::Json => text::json(&json!({
            "version": 1,
            "ok": true,
            "url": client.address().to_string(),
            "key_id": id.get(),
            "level": level.as_str(),
            "round_trip_ms": u64::try_from(round_trip_ms).unwrap_or(u64::MAX),
            "clock_offset_ms": ping.clock_offset_ms,
        })),
        Format::Text => {
            let clock = match ping.clock_offset_ms {
                Some(ms) if ms.unsigned_abs() >= CLOCK_OFFSET_MS => {
                    format!(
                        "this machine's clock differs from the tenant's by {} s\n help: set the clock\n",
                        ms.unsigned_abs() / 1000
                    )
                }
                _ => String::new(),
            };
            format!(
                "{GOOD}key {id} works{GOOD:#} {DIM}({level}, {}, {round_trip_ms} ms){DIM:#}\n{clock}",
                client.address()
            )
        }
    };
    text::print(&text)?;
    Ok(Exit::Done)
}
