//! [`End`]: the expiry of a key according to its definition.

/// When a key expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Never,
    At { ms: u64 },
    After { ms: u64 },
}
