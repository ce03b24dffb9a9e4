//! [`RedisFault`]: why a server cannot be a guard, and the check that finds out.

use redis::aio::MultiplexedConnection;
use redis::{ErrorKind, RedisError, ServerErrorKind};
use tokio::time::timeout;

use super::ANSWER_TIME;
use thiserror::Error;

/// Why a server cannot be a guard. It never contains the address, which may contain a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RedisFault {
    /// The address is invalid.
    #[error("the address is invalid\nhelp: write redis://[:password@]host:port[/db]")]
    Address,
    /// The connection is refused.
    #[error("there is no server at the address\nhelp: start it, or correct the address")]
    Away,
    /// It does not respond in time.
    #[error(
        "the server does not answer within half a second\nhelp: check the server and the network"
    )]
    Silent,
    /// The password is wrong, or the user lacks the required commands.
    #[error(
        "the server refuses the password or a command\nhelp: correct the password, and allow its user \
         EVALSHA, SCRIPT, INFO, TIME, HMGET, HSET, HDEL, HGETALL, ZADD, ZCARD, ZREM, ZSCORE and \
         ZRANGEBYSCORE"
    )]
    Denied,
    /// It evicts keys when it is full.
    #[error(
        "the server evicts keys when it is full, and records of accepted requests with them\nhelp: \
         set maxmemory-policy noeviction"
    )]
    Evicts,
    /// It is a replica, which may know less than its master.
    #[error("the server is a replica\nhelp: give the address of the master")]
    Replica,
    /// It is loading its data.
    #[error("the server is still loading its data\nhelp: try again when it is ready")]
    Loading,
    /// It is configured to write its data to disk, but cannot.
    #[error(
        "the server cannot write its data to its disk (aof_last_write_status or \
         rdb_last_bgsave_status is not ok)\nhelp: free space on its disk, or turn persistence off"
    )]
    Persistence,
    /// Its responses are not those of Redis or Valkey.
    #[error(
        "the server does not answer as Redis 6.2 or Valkey does\nhelp: give the address of such a server"
    )]
    Strange,
}

impl RedisFault {
    pub(super) fn of(error: &RedisError) -> Self {
        match error.kind() {
            ErrorKind::Io => Self::Away,
            ErrorKind::AuthenticationFailed | ErrorKind::Server(ServerErrorKind::NoPerm) => {
                Self::Denied
            }
            ErrorKind::InvalidClientConfig => Self::Address,
            _ if matches!(error.code(), Some("NOAUTH" | "WRONGPASS" | "NOPERM")) => Self::Denied,
            _ if error.code() == Some("LOADING") => Self::Loading,
            _ if error.code() == Some("MISCONF") => Self::Persistence,
            _ => Self::Strange,
        }
    }
}

/// Checks whether a server is configured for a guard.
pub(super) async fn check(connection: &mut MultiplexedConnection) -> Result<(), RedisFault> {
    if info(connection, "memory", &["maxmemory_policy"]).await? != [Some("noeviction".to_owned())] {
        return Err(RedisFault::Evicts);
    }
    if info(connection, "replication", &["role"]).await? != [Some("master".to_owned())] {
        return Err(RedisFault::Replica);
    }
    let names = ["loading", "aof_enabled", "aof_last_write_status", "rdb_last_bgsave_status"];
    let [loading, aof, aof_status, rdb_status] =
        info(connection, "persistence", &names).await?.try_into().unwrap_or_default();
    let is_ok = |status: Option<String>| status.as_deref() == Some("ok");
    match (loading.as_deref(), aof.as_deref()) {
        (Some("0"), Some("1")) if !is_ok(aof_status) => Err(RedisFault::Persistence),
        (Some("0"), Some(_)) if !is_ok(rdb_status) => Err(RedisFault::Persistence),
        (Some("0"), Some(_)) => Ok(()),
        (Some(_), _) => Err(RedisFault::Loading),
        _ => Err(RedisFault::Strange),
    }
}

/// Some fields of a section of the command INFO.
async fn info(
    connection: &mut MultiplexedConnection,
    section: &str,
    names: &[&str],
) -> Result<Vec<Option<String>>, RedisFault> {
    let info = redis::cmd("INFO").arg(section).to_owned();
    let answer = timeout(ANSWER_TIME, info.query_async::<String>(connection)).await;
    let text = answer.map_err(|_| RedisFault::Silent)?.map_err(|error| RedisFault::of(&error))?;
    let field = |name: &&str| {
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        Some(value.trim().to_owned())
    };
    Ok(names.iter().map(field).collect())
}

/// Whether an error says that the server's memory is full.
pub(super) fn is_full(error: &RedisError) -> bool {
    // Within a script, the server reports it in the text.
    error.code() == Some("OOM") || error.detail().is_some_and(|text| text.contains("OOM"))
}
