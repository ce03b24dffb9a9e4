//! Tests of the tenant, in one test program, because each program takes time to link.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::disallowed_methods, reason = "a test starts programs itself")]

mod children;
mod common;
mod redis_server;

mod api_keys;
mod attack;
mod authentication;
mod contract;
mod control;
mod coverage;
mod durable;
mod inventory;
mod limits;
mod people;
mod platform;
mod redis;
mod rules;
mod scope;
mod tls;
