//! The sink of a new key: options first, then the profile. A key is shown on a terminal only.

use std::io::IsTerminal as _;
use std::path::PathBuf;

use cortexkey_client::{NewKeys, Show, Sink, StoreSettings, StoreSink};
use zeroize::Zeroizing;

use crate::exit::{BoxError, Failure};
use crate::text;

/// The sink of a new key.
#[derive(clap::Args)]
pub(crate) struct SinkArgs {
    /// Write the new key to this file, with mode 0600
    #[arg(long, value_name = "FILE", help_heading = "New key")]
    #[arg(conflicts_with_all = ["show", "sink_store"])]
    sink_file: Option<PathBuf>,

    #[command(flatten)]
    store: StoreArgs,

    /// Show the new key on the terminal, once
    #[arg(long, conflicts_with = "sink_store", help_heading = "New key")]
    show: bool,
}

/// A secret store for new keys.
#[derive(clap::Args)]
pub(crate) struct StoreArgs {
    /// Store the new key in a secret store, with its id, level, host, owner and expiry: vault, aws-sm,
    /// azure-kv, gcp-sm, op, k8s, keychain, pass or file, such as vault://secret/cortex/{name}
    #[arg(long, value_name = "URL", value_parser = store_sink, help_heading = "New key")]
    pub(crate) sink_store: Option<StoreSink>,
}

impl SinkArgs {
    /// Whether all keys would go to a single file, or to a single address in a store.
    pub(crate) fn is_one_place(&self) -> bool {
        let store = self.store.sink_store.as_ref();
        self.sink_file.is_some() || store.is_some_and(StoreSink::is_one_place)
    }

    /// Returns the sink. A rotation replaces the file that contains the old key.
    pub(crate) fn sink(&self, profile: &NewKeys, replace: bool) -> Result<Sink, Failure> {
        if let Some(path) = &self.sink_file {
            return Ok(Sink::File { path: path.clone(), replace });
        }
        if let Some(store) = &self.store.sink_store {
            return Ok(Sink::Store(store.clone()));
        }
        if self.show {
            if !std::io::stdout().is_terminal() {
                return Err(Failure::usage_error("--show needs a terminal")
                    .help("use --sink-file FILE, or sink_command in a profile"));
            }
            return Ok(Sink::Show(Show::new(|key| {
                text::eprint(
                    "Copy the key now: neither the tenant nor cortexkey can show it again. Your terminal's scrollback \
                     keeps it.\n",
                );
                text::print_key(&Zeroizing::new(format!("{key}\n")))
            })));
        }
        profile.sink().ok_or_else(|| {
            Failure::usage_error(
                "no destination is set for the new key, and the tenant shows it only once",
            )
            .help(
                "give --sink-file FILE, --sink-store URL or --show, or set sink_store, sink_command \
                     or sink_folder in a profile (docs/keys.md)",
            )
        })
    }
}

fn store_sink(text: &str) -> Result<StoreSink, BoxError> {
    let settings = StoreSettings::from_env(&|name| std::env::var_os(name));
    StoreSink::new(text, settings).map_err(|error| format!("it {error}").into())
}
