//! The model against the emulator, on loopback.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod world;

mod inventory;
mod report;
