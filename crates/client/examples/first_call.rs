//! First API call with a key of Cortex, of either level.
//!
//! ```toml
//! [dependencies]
//! cortexkey-client = "0.1"
//! ```
//!
//! The key comes from your secret store as `CORTEXKEY_API_KEY`, and never stands in a file like this.

use std::io::{Write, stdin, stdout};

use cortexkey_client::{Connection, Given};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let environment = |name: &str| std::env::var_os(name);
    // What is not given here comes from the environment and your profiles.
    let given = Given::default();
    let connection = Connection::resolve(&given, &environment, &mut stdin())?;
    // Every call is signed anew, and follows no redirect.
    let ping = connection.client().ping()?;
    writeln!(stdout(), "the key is good, {} ms", ping.round_trip.as_millis())?;
    Ok(())
}
