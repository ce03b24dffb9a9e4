//! A console for the emulator, tested over sockets.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::format_collect, reason = "a few lines of text")]

mod failing;
mod forms;
mod gate;
mod hostile;
mod keys;
mod notifications;
mod odd;
mod overview;
mod requests;
mod settings;
mod site;
mod streams;
mod twice;
mod views;
