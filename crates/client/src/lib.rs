//! Calls the Cortex API: finds the key and the address, signs each attempt anew, and says in one
//! clear message what went wrong.
//!
//! It refuses to follow redirects (headers never go to another host), to speak plain `http` to
//! another machine, to guess a key's security level, and to show a key in any message.
//!
//! ```no_run
//! use cortexkey_client::{Connection, Given};
//!
//! let environment = |name: &str| std::env::var_os(name);
//! let connection = Connection::resolve(&Given::default(), &environment, &mut std::io::stdin())?;
//! println!("the key is good: {:?}", connection.client().ping()?.round_trip);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod api_keys;
mod examples;
mod ping;
mod process;
mod settings;
mod transport;

pub use examples::{Example, Language, UnknownLanguage};
pub use ping::Ping;
pub use process::{Program, ProgramError};
pub use settings::{
    Config, ConfigProblem, Connection, Credentials, Environment, Explained, Found, Given,
    KEY_SOURCE_BYTES_MAX, KeyProblem, KeySource, NewKeys, Origin, Profile, SettingsError, explain,
    resolve_address,
};
pub use transport::{
    AnswerHeaders, Call, CallError, ChildTenant, Client, ClientOptions, Method, MethodError,
    Notice, Observer, Refused, Response, Retry, Roots, RootsError,
};
