//! The lifecycle of a key: generated and shown once ([`GeneratedKey`]), recorded ([`KeyRecord`]),
//! and expired ([`Expiry`]). The time is always an argument.

mod generated;
#[cfg(feature = "alloc")]
mod record;
#[cfg(feature = "alloc")]
mod table;

pub use crate::expiry::{Expiry, ExpiryNotice, ExpiryState};
pub use generated::{GENERATED_KEY_BYTES, GeneratedKey};
#[cfg(feature = "alloc")]
pub use record::KeyRecord;
#[cfg(feature = "alloc")]
pub use table::{RecordFilter, RecordOrder, TableQuery, TextColumn, TextMatch, TimeColumn};
