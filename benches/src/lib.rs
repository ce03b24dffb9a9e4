//! Compares cortexkey with its alternatives: the peers, the measurements, and the reports.
//!
//! Each peer is written as a careful author would write it. None is a recommendation.

pub mod compare;
pub mod guard;
pub mod measure;
pub mod peers;

/// The key of every benchmark: 128 letters and digits, like the product's keys.
pub const KEY: &str = "DCdIeow0xm73EwnxjPza1tdHTfZQv2eH7bTKlTPkgBHLj8aSjFzjgTE9bQUK1DidlWLrnYRhaYQ4PCIyNrNJbMUC6DOWi8ANIn1JWpMTE2neGvoDIRsKUbj6pJ1z7Gmr";

/// Milliseconds since 1970, from the system's clock.
///
/// # Panics
/// If the clock is before 1970.
#[must_use]
pub fn now_ms() -> u64 {
    let since = std::time::UNIX_EPOCH.elapsed().expect("the clock is after 1970");
    u64::try_from(since.as_millis()).expect("milliseconds fit")
}

/// The README's Rust code is compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
