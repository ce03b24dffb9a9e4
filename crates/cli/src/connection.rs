//! The arguments that say which tenant is called and which key signs, the same for every command.
//!
//! It refuses the key itself as an argument; where it may come from is the client's to read.

use std::path::PathBuf;
use std::time::Duration;

use cortexkey_client::{
    Client, ClientOptions, Connection, Credentials, Given, KeySource, SettingsError,
};
use cortexkey_core::auth::Level;

use crate::exit::Failure;

/// Which key signs.
#[derive(clap::Args)]
pub(crate) struct KeyArgs {
    /// The key's id [env: CORTEXKEY_API_KEY_ID]
    #[arg(long, value_name = "N", allow_hyphen_values = true, help_heading = "Key")]
    key_id: Option<String>,

    /// The key's security level, standard or advanced [env: CORTEXKEY_API_KEY_TYPE]
    #[arg(long, value_name = "LEVEL", value_parser = level, ignore_case = true, help_heading = "Key")]
    level: Option<Level>,

    /// Read the key from this file, which only you can read [env for the key itself: CORTEXKEY_API_KEY]
    #[arg(long, value_name = "FILE", conflicts_with = "key_stdin", help_heading = "Key")]
    key_file: Option<PathBuf>,

    /// Read the key from standard input
    #[arg(long, help_heading = "Key")]
    key_stdin: bool,

    /// Take a key file that group or others can read
    #[arg(long, requires = "key_file", help_heading = "Key")]
    allow_readable_key_file: bool,
}

/// Which tenant is called, and with which key.
#[derive(clap::Args)]
pub(crate) struct ConnectionArgs {
    /// The tenant's FQDN or API address, as the console gives it [env: CORTEXKEY_FQDN]
    #[arg(long, value_name = "FQDN", help_heading = "Tenant")]
    fqdn: Option<String>,

    /// Take the host as it is, without api- before it
    #[arg(long, help_heading = "Tenant")]
    on_premises: bool,

    /// How long a call may take, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 60_000, help_heading = "Tenant")]
    timeout_ms: u64,

    #[command(flatten)]
    key: KeyArgs,
}

/// Where settings come from, for the help of commands that call.
pub(crate) const SETTINGS: &str = "\
Settings come from arguments, then from CORTEXKEY_FQDN (or CORTEXKEY_API_URL),
CORTEXKEY_API_KEY_ID, CORTEXKEY_API_KEY_TYPE and CORTEXKEY_API_KEY, then from the Terraform
provider's CORTEXCLOUD_API_URL, CORTEXCLOUD_API_KEY_ID, CORTEXCLOUD_API_KEY_TYPE and
CORTEXCLOUD_API_KEY.";

impl KeyArgs {
    /// Finds what signs.
    pub(crate) fn resolve(&self) -> Result<Credentials, Failure> {
        let environment = |name: &str| std::env::var_os(name);
        Credentials::resolve(&self.given(), &environment, &mut std::io::stdin())
            .map_err(|error| failure(&error))
    }

    fn given(&self) -> Given {
        let key = if self.key_stdin {
            Some(KeySource::Stdin)
        } else {
            self.key_file.as_ref().map(|path| KeySource::File {
                path: path.clone(),
                allow_readable: self.allow_readable_key_file,
            })
        };
        Given { key_id: self.key_id.clone(), level: self.level, key, ..Given::default() }
    }
}

impl ConnectionArgs {
    /// Whether the key takes standard input.
    pub(crate) fn key_is_on_stdin(&self) -> bool {
        self.key.key_stdin
    }

    /// Finds the tenant and what signs.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        let given =
            Given { fqdn: self.fqdn.clone(), on_premises: self.on_premises, ..self.key.given() };
        let environment = |name: &str| std::env::var_os(name);
        let connection = Connection::resolve(&given, &environment, &mut std::io::stdin())
            .map_err(|error| failure(&error))?;
        let (address, signer) = (connection.address.value, connection.credentials.signer);
        let timeout = Duration::from_millis(self.timeout_ms.max(1));
        Ok(Client::new(address, signer, ClientOptions { timeout, ..ClientOptions::default() }))
    }
}

/// Settings that do not stand are wrong use.
fn failure(error: &SettingsError) -> Failure {
    Failure::wrong_use(error.to_string())
}

/// The error does not repeat the value, which may be a key in the wrong place.
fn level(text: &str) -> Result<Level, String> {
    // The console writes Standard and Advanced.
    text.to_ascii_lowercase().parse().map_err(|_| "a level is `standard` or `advanced`".to_owned())
}
