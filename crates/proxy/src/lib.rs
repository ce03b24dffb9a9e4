//! A signing proxy on loopback: programs that cannot sign with an Advanced key send their requests
//! here, and each is sent to one tenant with a new signature.
//!
//! `head` decides who may use it and for what; `relay` carries bodies between the asynchronous
//! server and the blocking client. Only processes of the same user, or those that know the token,
//! are served, because the proxy holds a key that they may not read.

mod administration;
mod allow;
mod head;
mod relay;
mod serve;
mod slot;
#[cfg(unix)]
mod socket;
mod token;

pub use allow::{Allow, AllowError, AllowList};
pub use head::Denial;
pub use serve::{Listener, OnRequest, Proxy, ProxyOptions, Record};
pub use token::Token;
