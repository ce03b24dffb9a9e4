//! [`StartError`]: why a tenant did not start.

use core::net::SocketAddr;
use std::io;

use crate::inventory::InventoryError;
use crate::redis_guard::RedisFault;
use crate::store::DiskError;
use crate::tls::TlsError;
use thiserror::Error;

/// Why a tenant did not start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// The address is not a loopback address.
    #[error(
        "the emulator listens on loopback addresses only, and {listen} is none; give one such as \
         127.0.0.1:0"
    )]
    NotLoopback {
        /// The address.
        listen: SocketAddr,
    },
    /// The address cannot be listened on.
    #[error("the tenant cannot listen on {listen}")]
    Listen {
        /// The address.
        listen: SocketAddr,
        /// The system's error.
        #[source]
        error: io::Error,
    },
    /// The id of a child tenant is invalid or duplicate.
    #[error("the id of a child tenant has 1 to 64 letters, digits, - and _, and is given once")]
    Child,
    /// The system could not start threads.
    #[error("the tenant cannot start its threads")]
    Threads(#[source] io::Error),
    /// The system returned no random bytes for keys.
    #[error(
        "the system returned no random bytes, which keys require; see that the \
         system call getrandom is allowed"
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
    #[error("the tenant needs room for two keys at least")]
    NoRoomForKeys,
    /// The data folder's disk is full, and there are no keys yet.
    #[error("the disk of the data folder is full; free 16 MiB there, or give another folder")]
    NoRoomOnDisk,
}

impl StartError {
    /// What to do next, if the message does not say it.
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::Listen { .. } => Some("give another port, or 0 for a free one"),
            Self::Disk(error) | Self::Tls(TlsError::Disk(error)) => error.help(),
            _ => None,
        }
    }
}
