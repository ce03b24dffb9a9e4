//! First API call with a key of Cortex, of either level.
//!
//! ```toml
//! [dependencies]
//! cortexkey-client = "0.1"
//! ```
//!
//! Settings (the key comes from your secret store, and never stands in a file like this):
//!
//! ```sh
//! export CORTEXKEY_API_URL=https://api-acme.xdr.us.paloaltonetworks.com
//! export CORTEXKEY_API_KEY_ID=7
//! export CORTEXKEY_API_KEY_TYPE=advanced
//! export CORTEXKEY_API_KEY
//! ```

use std::io::{Write, stdin, stdout};

use cortexkey_client::{Connection, Given};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let environment = |name: &str| std::env::var_os(name);
    let connection = Connection::resolve(&Given::default(), &environment, &mut stdin())?;
    // Every call is signed anew, and follows no redirect.
    let ping = connection.client().ping()?;
    writeln!(stdout(), "the key is good, {} ms", ping.round_trip.as_millis())?;
    Ok(())
}
