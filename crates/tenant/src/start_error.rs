//! [`StartError`]: why a tenant did not start.

use core::fmt;
use core::net::SocketAddr;
use std::io;

use crate::inventory::InventoryError;
use crate::redis_guard::RedisFault;
use crate::store::DiskError;
use crate::tls::TlsError;

/// Why a tenant did not start.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// The address is not a loopback address.
    NotLoopback {
        /// The address.
        listen: SocketAddr,
    },
    /// The address cannot be listened on.
    Listen {
        /// The address.
        listen: SocketAddr,
        /// The system's error.
        error: io::Error,
    },
    /// The id of a child tenant is invalid or duplicate.
    Child,
    /// The system could not start threads.
    Threads(io::Error),
    /// The system returned no random bytes for keys.
    NoRandom,
    /// The data folder cannot be used.
    Disk(DiskError),
    /// TLS could not be set up.
    Tls(TlsError),
    /// The server for accepted requests cannot be used.
    ReplayServer(RedisFault),
    /// The inventory cannot be used.
    Inventory(InventoryError),
    /// The options leave no room for the two initial keys.
    NoRoomForKeys,
    /// The data folder's disk is full, and there are no keys yet.
    NoRoomOnDisk,
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotLoopback { listen } => write!(
                f,
                "the tenant does not listen on {listen}: it is for this machine alone; give \
                 an address of this machine, such as 127.0.0.1:0"
            ),
            Self::Listen { listen, error } => write!(
                f,
                "the tenant cannot listen on {listen}: {error}; give another port, or 0 for a \
                 free one"
            ),
            Self::Child => f.write_str(
                "the id of a child tenant has 1 to 64 letters, digits, - and _, and is given once",
            ),
            Self::Threads(error) => write!(f, "the tenant cannot start its threads: {error}"),
            Self::NoRandom => f.write_str(
                "the system gives no random bytes, and without them there are no keys; see that \
                 the system call getrandom is allowed",
            ),
            Self::Disk(error) => fmt::Display::fmt(error, f),
            Self::Tls(error) => fmt::Display::fmt(error, f),
            Self::Inventory(error) => fmt::Display::fmt(error, f),
            Self::ReplayServer(fault) => write!(f, "the replay server cannot be used: {fault}"),
            Self::NoRoomOnDisk => f.write_str(
                "the disk of the data folder is full; free 16 MiB there, or give another folder",
            ),
            Self::NoRoomForKeys => f.write_str("the tenant needs room for two keys at least"),
        }
    }
}

impl core::error::Error for StartError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Listen { error, .. } | Self::Threads(error) => Some(error),
            Self::Disk(error) => Some(error),
            Self::ReplayServer(fault) => Some(fault),
            Self::Tls(error) => Some(error),
            Self::Inventory(error) => Some(error),
            _ => None,
        }
    }
}

impl From<TlsError> for StartError {
    fn from(error: TlsError) -> Self {
        Self::Tls(error)
    }
}

impl From<DiskError> for StartError {
    fn from(error: DiskError) -> Self {
        Self::Disk(error)
    }
}
