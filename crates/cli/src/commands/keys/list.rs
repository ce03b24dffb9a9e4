//! `cortexkey keys list` and `cortexkey keys expiring`. Neither changes anything.

use cortexkey_client::Client;
use cortexkey_client::table::to_json;
use cortexkey_client::time::{duration_ms, now_ms};
use cortexkey_core::lifecycle::{Expiry, KeyRecord};
use serde_json::json;

use super::filter::FilterArgs;
use super::output::{Format, render};
use crate::change::print_note;
use crate::connection::{ConnectionArgs, SETTINGS, call_failure};
use crate::exit::{Exit, Failure};
use crate::many::{ChildrenArgs, each};
use crate::text;

/// List keys, as in the console's API Keys table
///
/// The list includes expired keys. `keys show` shows the scope of a key.
#[derive(clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{SETTINGS}"))]
pub(super) struct Args {
    #[command(flatten)]
    filters: FilterArgs,

    /// Output format
    #[arg(long, default_value = "table")]
    format: Format,

    #[command(flatten)]
    children: ChildrenArgs,

    #[command(flatten)]
    connection: ConnectionArgs,
}

const EXAMPLES: &str = "\
Examples:
  cortexkey keys list
  cortexkey keys list --role Viewer --sort expires
  cortexkey keys list --thirty-days-prior-to expires=2027-03-01
  cortexkey keys list --format json | jq '.keys[].id'

Exit codes: 0 success; 1 a refusal or no response; 2 usage error.";

/// List keys that expire soon or have expired
///
/// The product shows its own notices only in its console, one week and one day before an expiry.
#[derive(clap::Args)]
#[command(after_help = format!("{EXPIRING_EXAMPLES}\n\n{SETTINGS}"))]
pub(super) struct ExpiringArgs {
    /// How soon
    #[arg(long, value_name = "DURATION", default_value = "30d", value_parser = duration_ms)]
    within: u64,

    /// Exclude expired keys
    #[arg(long)]
    not_expired: bool,

    #[command(flatten)]
    filters: FilterArgs,

    /// Output format
    #[arg(long, default_value = "table")]
    format: Format,

    #[command(flatten)]
    connection: ConnectionArgs,
}

const EXPIRING_EXAMPLES: &str = "\
Examples:
  cortexkey keys expiring --within 14d
  cortexkey keys expiring --not-expired --format csv

Exit codes: 0 no key expires that soon; 1 a key does, or there is no response; 2 usage error.";

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    let connection = args.connection.resolve()?;
    let children = connection.children.clone();
    if args.children.is_given() && matches!(args.format, Format::Csv | Format::Row) {
        return Err(Failure::usage_error(
            "several children can be listed only as a table or as JSON",
        )
        .help("give --format table or json, or one --child-tenant at a time"));
    }
    let clients = args.children.clients(connection.client(), children)?;
    let mut lists = Vec::new();
    let ended = each(&clients, |client| {
        let all = records(client)?;
        let count = all.len();
        let records = args.filters.apply(all);
        if records.is_empty() && count > 0 {
            print_note(&format!("none of {count} keys matches the filters"));
        }
        match client.child().filter(|_| args.children.is_given()) {
            None => text::print(&render(&records, args.format, now_ms()))?,
            Some(child) if args.format == Format::Json => {
                let keys: Vec<_> = records.iter().map(|record| to_json(record, now_ms())).collect();
                lists.push(json!({ "child": child.as_str(), "keys": keys }));
            }
            Some(child) => {
                let table = render(&records, args.format, now_ms());
                text::print(&format!("child {}\n{table}", child.as_str()))?;
            }
        }
        Ok(Exit::Done)
    });
    if args.children.is_given() && args.format == Format::Json {
        text::print(&text::json(&json!({ "version": 1, "children": lists })))?;
    }
    ended
}

pub(super) fn expiring(args: &ExpiringArgs) -> Result<Exit, Failure> {
    let now_ms = now_ms();
    let until_ms = now_ms.saturating_add(args.within);
    let is_soon = |record: &KeyRecord| match record.expiry {
        Expiry::Never => false,
        Expiry::At { ms } => ms <= until_ms && !(args.not_expired && ms <= now_ms),
    };
    let mut records = args.filters.apply(records(&args.connection.client()?)?);
    records.retain(is_soon);
    text::print(&render(&records, args.format, now_ms))?;
    Ok(if records.is_empty() { Exit::Done } else { Exit::Findings })
}

fn records(client: &Client) -> Result<Vec<KeyRecord>, Failure> {
    client.key_rows().map_err(|error| call_failure(&error))
}
