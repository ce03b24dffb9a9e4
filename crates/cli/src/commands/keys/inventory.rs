//! `cortexkey keys inventory`: each key with its owner, lineage, last audited action and access.

use std::io::IsTerminal as _;

use clap::ValueEnum;
use comfy_table::{ContentArrangement, Table, presets};
use cortexkey_client::table::one_line;
use cortexkey_client::time::{duration_ms, now_ms, time_text};
use cortexkey_fleet::{InventoryKey, KeyInventory};

use crate::change::print_note;
use crate::connection::{ConnectionArgs, SETTINGS, call_failure};
use crate::corpus_args::{CorpusArgs, OutArgs, ReadTenant};
use crate::exit::{Exit, Failure};
use crate::text;

/// List each key with its owner, lineage, last audited action and access
///
/// Reads the keys, their scopes (one call per key), and the audit log. Shows which key created which,
/// what each key last changed, what its roles grant, what it can see, and what it would lose if the
/// tenant enforced scopes. With definitions, it also shows owners and findings.
#[derive(clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{SETTINGS}"))]
pub(super) struct Args {
    /// Output format
    #[arg(long, default_value = "table")]
    format: Format,

    #[command(flatten)]
    out: OutArgs,

    /// How far back the audit log is read; the output has the range that was read
    #[arg(long, value_name = "DURATION", default_value = "90d", value_parser = duration_ms)]
    audit: u64,

    /// Read no definitions
    #[arg(
        long,
        conflicts_with_all = ["keys", "policy", "baseline", "lock_file"],
        help_heading = "Definitions"
    )]
    no_definitions: bool,

    #[command(flatten)]
    corpus: CorpusArgs,

    #[command(flatten)]
    connection: ConnectionArgs,
}

const EXAMPLES: &str = "\
Examples:
  cortexkey keys inventory --profile prod
  cortexkey keys inventory --profile prod --keys keys --format html --out inventory.html
  cortexkey keys inventory --audit 180d --format csv --out inventory.csv
  cortexkey keys inventory --format json | jq '.keys[] | select(.auditedActions == 0) | .id'

Exit codes: 0 success; 1 definitions that cannot be compared, a refusal or no response; 2 usage error;
3 there are no definitions; 4 done in part: the key that signs may not read scopes or the audit log,
or the tenant does not show all keys.";

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table for people
    Table,
    /// One object for programs
    Json,
    /// For spreadsheets
    Csv,
    /// For people: one file without scripts
    #[cfg(feature = "console")]
    Html,
}

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    args.out.check()?;
    let connection = args.connection.resolve()?;
    let now_ms = now_ms();
    let corpus = if args.no_definitions { None } else { args.corpus.read(false)? };
    let read = ReadTenant::new(connection, &args.corpus, corpus, now_ms)?;
    let from_ms = now_ms.saturating_sub(args.audit);
    let tenant = read.tenant.as_deref();
    let inventory = KeyInventory::read(&read.client, &read.snapshot, &read.scopes, tenant, from_ms);
    let inventory = inventory.map_err(|error| call_failure(&error))?;
    args.out.write(&match args.format {
        Format::Table => table(&inventory),
        Format::Json => text::json(&inventory.to_json()),
        Format::Csv => inventory.to_csv(),
        #[cfg(feature = "console")]
        Format::Html => cortexkey_console::inventory_html(&inventory),
    })?;
    if matches!(args.format, Format::Table | Format::Csv) {
        for limit in inventory.limits() {
            print_note(&limit);
        }
    }
    for fault in &inventory.faults {
        print_note(fault);
    }
    Ok(if read.is_uncompared() {
        Exit::Findings
    } else if inventory.faults.is_empty() {
        Exit::Done
    } else {
        Exit::Partly
    })
}

const HEADINGS: [&str; 9] = [
    "ID",
    "Owner",
    "Definition",
    "State",
    "Roles",
    "Created By",
    "Created Keys",
    "Last Audited Action",
    "Would Lose Under SBAC",
];

fn table(inventory: &KeyInventory) -> String {
    if inventory.keys.is_empty() {
        return "no keys\n".to_owned();
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(HEADINGS);
    if std::io::stdout().is_terminal()
        && let Some((width, _)) = terminal_size::terminal_size()
    {
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width.0);
    }
    for key in &inventory.keys {
        table.add_row(cells(key).map(|cell| one_line(&cell)));
    }
    table.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

fn cells(key: &InventoryKey) -> [String; 9] {
    let facts = &key.facts;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let created_by = match facts.created_by_key {
        Some(_) => format!("key {}", key.creator_words()),
        None => text(&facts.created_by),
    };
    let last = match (&key.last_action, key.actions) {
        (Some(action), _) => format!("{} {}", time_text(action.ms), action.to_text()),
        (None, Some(_)) => "none".to_owned(),
        (None, None) if facts.id.is_none() => String::new(),
        (None, None) => "not known".to_owned(),
    };
    let ids: Vec<String> = key.created_keys.iter().map(u64::to_string).collect();
    [
        facts.id.map(|id| id.to_string()).unwrap_or_default(),
        text(&facts.owner),
        text(&facts.name),
        facts.state.title().to_owned(),
        facts.roles.join(", "),
        created_by,
        ids.join(", "),
        last,
        key.loss_words(),
    ]
}
