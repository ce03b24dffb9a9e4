//! The first API call with a Cortex key of either level.
//!
//! ```toml
//! [dependencies]
//! cortexkey-client = "0.1"
//! ```
//!
//! The key comes from your secret store in `CORTEXKEY_API_KEY` and is never written in a file like
//! this.

use std::io::{Write, stdin, stdout};

use cortexkey_client::{Connection, ExplicitSettings};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let environment = |name: &str| std::env::var_os(name);
    // Settings that are not given here come from the environment and your profiles.
    let given = ExplicitSettings::default();
    let connection = Connection::resolve(&given, &environment, &mut stdin())?;
    // Every call is signed anew, and redirects are not followed.
    let ping = connection.client().ping()?;
    writeln!(stdout(), "the key works, {} ms", ping.round_trip.as_millis())?;
    Ok(())
}
