//! [`StartError`]: why an emulator did not start.

use core::net::SocketAddr;
use std::io;

use crate::inventory::InventoryError;
use crate::redis_guard::RedisFault;
use crate::store::DiskError;
use crate::tls::TlsError;
use thiserror::Error;

/// Why an emulator did not start. The text ends with the remedy, on a line that begins with `help: `.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// The address is not a loopback address.
    #[error(
        "the emulator listens on loopback addresses only, and {listen} is not one\nhelp: give an \
         address such as 127.0.0.1:0"
    )]
    NotLoopback {
        /// The address.
        listen: SocketAddr,
    },
    /// The address cannot be listened on.
    #[error("the emulator cannot listen on {listen}\nhelp: give another port, or 0 for a free one")]
    Listen {
        /// The address.
        listen: SocketAddr,
        /// The system's error.
        #[source]
        error: io::Error,
    },
    /// The id of a child tenant is invalid or duplicate.
    #[error(
        "the id of a child tenant is invalid or given twice\nhelp: give each child an id of 1 to 64 \
         letters, digits, - and _"
    )]
    Child,
    /// The system could not start threads.
    #[error("the emulator cannot start its threads")]
    Threads(#[source] io::Error),
    /// The system returned no random bytes for keys.
    #[error(
        "the system returned no random bytes, which keys require\nhelp: allow the system call \
         getrandom"
    )]
    NoRandom,
    /// The data folder cannot be used.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// TLS could not be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The server for accepted requests cannot be used.
    #[error("the replay server cannot be used")]
    ReplayServer(#[source] RedisFault),
    /// The inventory cannot be used.
    #[error(transparent)]
    Inventory(InventoryError),
    /// The options leave no room for the two initial keys.
    #[error("the emulator needs room for its two initial keys\nhelp: set --max-keys to 2 or more")]
    NoRoomForKeys,
    /// The data folder's disk is full, and there are no keys yet.
    #[error("the disk of the data folder is full\nhelp: free 16 MiB there, or give another folder")]
    NoRoomOnDisk,
}
