//! Signs a request and prints its headers, one per line, in the form of `curl -H @-`.
//!
//! ```sh
//! export CORTEXKEY_API_KEY_ID=7 CORTEXKEY_API_KEY=…
//! cargo run --quiet -p cortexkey-examples --bin sign | curl -H @- -d '{}' "$URL"
//! ```

#![allow(clippy::print_stdout, reason = "the headers are the program's output")]

use std::error::Error;
use std::time::SystemTime;

use cortexkey_core::auth::{Key, KeyId, Level, Signer, Timestamp};

fn main() -> Result<(), Box<dyn Error>> {
    let id = std::env::var("CORTEXKEY_API_KEY_ID")?.parse()?;
    let id = KeyId::new(id).ok_or("a key id is never 0")?;
    let key = std::env::var("CORTEXKEY_API_KEY")?;

    // A program that signs often keeps the signer, which has hashed the key once.
    let signer = Signer::new(id, Level::Advanced, Key::new(key.as_bytes())?);

    // Nonce and timestamp are new for each attempt. Headers that are sent twice are refused.
    let headers = signer.sign_from_system(Timestamp::from_system_time(SystemTime::now())?)?;
    for (name, value) in headers.iter() {
        println!("{name}: {value}");
    }
    Ok(())
}
