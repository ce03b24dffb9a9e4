//! Calls the Cortex API: finds the key and the address, signs each attempt anew, and says in one
//! clear message what went wrong.
//!
//! It refuses to follow redirects (headers never go to another host), to speak plain `http` to
//! another machine, to guess a key's security level, and to show a key in any message.
//!
//! ```no_run
//! use cortexkey_client::{Client, ClientOptions, Connection, Given};
//!
//! let environment = |name: &str| std::env::var_os(name);
//! let connection = Connection::resolve(&Given::default(), &environment, &mut std::io::stdin())?;
//! let address = connection.address.value;
//! let client = Client::new(address, connection.credentials.signer, ClientOptions::default());
//! println!("the key is good: {:?}", client.ping()?.round_trip);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod api_keys;
mod ping;
mod settings;
mod transport;

pub use ping::Ping;
pub use settings::{
    Connection, Credentials, Environment, Found, Given, KEY_SOURCE_BYTES_MAX, KeyProblem,
    KeySource, Origin, SettingsError, resolve_address,
};
pub use transport::{
    AnswerHeaders, CallError, Client, ClientOptions, Method, MethodError, Refused, Response,
};
