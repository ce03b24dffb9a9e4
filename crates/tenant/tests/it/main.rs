//! What the tenant does, from outside; one program, since each takes its time to link.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::disallowed_methods, reason = "a test starts programs itself")]

mod common;
mod redis_server;

mod api_keys;
mod authentication;
mod control;
mod coverage;
mod durable;
mod limits;
mod platform;
mod redis;
mod scope;
mod tls;
