//! [`RedisGuard`]: a replay guard that several tenants share, on Redis or Valkey.
//!
//! It refuses everything while the server is away, full, read-only, a replica, or set to evict;
//! and, as every guard that begins with nothing remembered, what may be from before the server
//! started.

use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use std::sync::Arc;
use std::time::Instant;

use cortexkey_core::replay::{GuardRefusal, VerifiedUse};
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{ErrorKind, RedisError, Script, ServerErrorKind};
use tokio::time::timeout;

/// One name for all, so that a cluster keeps them in one place.
const STATE: &str = "{cortexkey-replay}:state";
const USED: &[u8] = b"{cortexkey-replay}:used:";
/// How long the server may take.
const ANSWER_TIME: Duration = Duration::from_millis(500);
/// How often the server's settings are looked at, and how long a look counts.
const LOOK_PAUSE: Duration = Duration::from_secs(1);
const LOOK_COUNTS: Duration = Duration::from_secs(3);

/// Checks and inserts in one step. The arguments are in milliseconds: the verifier's time, the
/// skew, the request's timestamp, when the key was made.
///
/// The server's own time and the furthest that any verifier was ever ahead of it make a clock that
/// no verifier can set back; what it says is too old is refused, and what it says is not is still
/// remembered. When the server is another run than the state is of, it may have forgotten: then
/// what the run before may have accepted is refused. Verifiers' clocks may differ by a second.
const CHECK_AND_INSERT: &str = r"
local time = redis.call('TIME')
local here = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local now, skew = tonumber(ARGV[1]), tonumber(ARGV[2])
local stamp, made = tonumber(ARGV[3]), tonumber(ARGV[4])
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
local state = redis.call('HMGET', KEYS[1], 'run', 'ahead', 'until', 'since')
local ahead, unknown, since = tonumber(state[2]), tonumber(state[3]), tonumber(state[4])
if not ahead or now - here > ahead then
  ahead = now - here
  redis.call('HSET', KEYS[1], 'ahead', string.format('%.0f', ahead))
end
if state[1] ~= run then
  since, unknown = here + ahead, here + ahead + skew + 1000
  redis.call('HSET', KEYS[1], 'run', run,
    'until', string.format('%.0f', unknown), 'since', string.format('%.0f', since))
end
if #KEYS == 1 then return 0 end
if stamp <= unknown and made < since then return 3 end
local dead = stamp + skew - ahead + 1
if dead <= here then return 2 end
if redis.call('SET', KEYS[2], '', 'NX', 'PXAT', string.format('%.0f', dead)) then return 0 end
return 1
";

/// A guard on a server. It is made and asked within a tokio runtime.
pub(crate) struct RedisGuard {
    connection: ConnectionManager,
    script: Script,
    look: Arc<Look>,
}

/// What was last seen of the server.
struct Look {
    began: Instant,
    /// Until when the last good look counts, in milliseconds since it began; 0 where it was bad.
    good_until_ms: AtomicU64,
}

impl Look {
    fn is_good(&self) -> bool {
        self.began.elapsed().as_millis() < u128::from(self.good_until_ms.load(Ordering::Acquire))
    }

    fn set(&self, is_good: bool) {
        let until = self.began.elapsed() + LOOK_COUNTS;
        let until_ms = u64::try_from(until.as_millis()).unwrap_or(u64::MAX);
        self.good_until_ms.store(if is_good { until_ms } else { 0 }, Ordering::Release);
    }
}

impl RedisGuard {
    /// Connects, looks at the server, and begins: keys made from now on are younger than the guard.
    pub(crate) async fn connect(url: &str, now_ms: u64, skew_ms: u64) -> Result<Self, RedisFault> {
        let client = redis::Client::open(url).map_err(|_| RedisFault::Address)?;
        let config = ConnectionManagerConfig::new()
            .set_response_timeout(Some(ANSWER_TIME))
            .set_connection_timeout(Some(ANSWER_TIME))
            .set_max_delay(ANSWER_TIME);
        let connecting = ConnectionManager::new_with_config(client, config);
        let connecting = timeout(4 * ANSWER_TIME, connecting).await;
        let connection =
            connecting.map_err(|_| RedisFault::Silent)?.map_err(|e| RedisFault::of(&e))?;
        let look = Arc::new(Look { began: Instant::now(), good_until_ms: AtomicU64::new(0) });
        let guard = Self { connection, script: Script::new(CHECK_AND_INSERT), look };
        let evicted = look_at(&mut guard.connection.clone()).await?;
        guard.look.set(true);
        let mut begin = guard.script.key(STATE);
        begin.arg(now_ms).arg(skew_ms).arg(0).arg(0);
        let mut connection = guard.connection.clone();
        timeout(ANSWER_TIME, begin.invoke_async::<i64>(&mut connection))
            .await
            .map_err(|_| RedisFault::Silent)?
            .map_err(|error| RedisFault::of(&error))?;
        tokio::spawn(keep_looking(guard.connection.clone(), Arc::clone(&guard.look), evicted));
        Ok(guard)
    }

    /// Remembers the use, or says why it cannot be accepted.
    pub(crate) async fn check_and_insert(
        &self,
        verified: &VerifiedUse,
        now_ms: u64,
    ) -> Result<(), GuardRefusal> {
        if !self.look.is_good() {
            return Err(GuardRefusal::Unavailable);
        }
        let mut call = self.script.key(STATE);
        call.key([USED, &verified.shared_tag()].concat());
        let skew_ms = verified.remember_until_ms() - verified.timestamp_ms();
        call.arg(now_ms).arg(skew_ms);
        call.arg(verified.timestamp_ms()).arg(verified.key_created_ms());
        let mut connection = self.connection.clone();
        let answer = timeout(ANSWER_TIME, call.invoke_async::<i64>(&mut connection)).await;
        match answer {
            Ok(Ok(0)) => Ok(()),
            Ok(Ok(1)) => Err(GuardRefusal::Replayed),
            Ok(Ok(2)) => Err(GuardRefusal::Forgotten),
            Ok(Ok(3)) => Err(GuardRefusal::Starting),
            Ok(Err(error)) if is_full(&error) => Err(GuardRefusal::Full),
            _ => Err(GuardRefusal::Unavailable),
        }
    }
}

/// Looks at the server again and again, as long as somebody has the guard.
async fn keep_looking(mut connection: ConnectionManager, look: Arc<Look>, mut evicted: u64) {
    while Arc::strong_count(&look) > 1 {
        tokio::time::sleep(LOOK_PAUSE).await;
        match look_at(&mut connection).await {
            Ok(now) if now > evicted => {
                // Something was thrown away: as good as a new start.
                let command = redis::cmd("HDEL").arg(STATE).arg("run").to_owned();
                let is_done = command.query_async::<i64>(&mut connection).await.is_ok();
                look.set(is_done);
                evicted = if is_done { now } else { evicted };
            }
            Ok(now) => {
                // It counts from 0 again after a restart.
                evicted = now;
                look.set(true);
            }
            Err(_) => look.set(false),
        }
    }
}

/// Whether the server can be a guard; how many keys it ever threw away.
async fn look_at(connection: &mut ConnectionManager) -> Result<u64, RedisFault> {
    let ask = async |connection: &mut ConnectionManager, part: &str| {
        let info = redis::cmd("INFO").arg(part).to_owned();
        let answer = timeout(ANSWER_TIME, info.query_async::<String>(connection)).await;
        answer.map_err(|_| RedisFault::Silent)?.map_err(|error| RedisFault::of(&error))
    };
    let memory = ask(connection, "memory").await?;
    let replication = ask(connection, "replication").await?;
    let stats = ask(connection, "stats").await?;
    if field(&memory, "maxmemory_policy") != Some("noeviction") {
        return Err(RedisFault::Evicts);
    }
    if field(&replication, "role") != Some("master") {
        return Err(RedisFault::Replica);
    }
    field(&stats, "evicted_keys").and_then(|count| count.parse().ok()).ok_or(RedisFault::Strange)
}

fn field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

fn is_full(error: &RedisError) -> bool {
    // Within a script the server says it in its text.
    error.code() == Some("OOM") || error.detail().is_some_and(|text| text.contains("OOM"))
}

/// Why a server cannot be a guard. It never holds the address, which may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RedisFault {
    /// The address is none.
    Address,
    /// Nobody answers there.
    Away,
    /// It does not answer in time.
    Silent,
    /// It does not let us in, or not use the commands that are needed.
    Denied,
    /// It throws keys away when it is full.
    Evicts,
    /// It is a replica, which may know less than its master.
    Replica,
    /// It answers what Redis and Valkey do not.
    Strange,
}

impl RedisFault {
    fn of(error: &RedisError) -> Self {
        match error.kind() {
            ErrorKind::Io => Self::Away,
            ErrorKind::AuthenticationFailed | ErrorKind::Server(ServerErrorKind::NoPerm) => {
                Self::Denied
            }
            ErrorKind::InvalidClientConfig => Self::Address,
            _ if matches!(error.code(), Some("NOAUTH" | "WRONGPASS" | "NOPERM")) => Self::Denied,
            _ => Self::Strange,
        }
    }
}

impl fmt::Display for RedisFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Address => "the address is not of the form redis://[:password@]host:port[/db]",
            Self::Away => "nobody answers there; start the server, or correct the address",
            Self::Silent => "the server does not answer within half a second",
            Self::Denied => {
                "the server does not let us in: give the password; the user needs EVALSHA, SCRIPT, \
                 INFO, TIME, SET, HMGET, HSET and HDEL"
            }
            Self::Evicts => {
                "the server throws keys away when it is full, and with them what was accepted; set \
                 maxmemory-policy noeviction"
            }
            Self::Replica => "the server is a replica; give the address of the master",
            Self::Strange => "the server does not answer as Redis 6.2 or Valkey does",
        })
    }
}

impl core::error::Error for RedisFault {}
