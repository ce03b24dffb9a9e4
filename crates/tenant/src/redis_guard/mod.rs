//! [`RedisGuard`]: a replay guard that several tenants share, on Redis or Valkey.
//!
//! `replay_guard.lua` decides; [`Member`] is one tenant's part in it; this module connects the two.
//! Every use is refused while the server is unreachable, full, read-only, a replica, set to evict,
//! or was not checked recently.

mod fault;
mod member;
mod ranges;

#[cfg(test)]
mod explorer;

use core::time::Duration;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

use cortexkey_core::replay::{GuardRefusal, VerifiedUse};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisError, Script};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};
use zeroize::Zeroizing;

use crate::clock::Clock;
use crate::store::{Disk, DiskError};

pub use fault::RedisFault;
use fault::{check, is_full};
use member::{GuardedUse, Known, Member, MemberReply, PollError};

/// The guard's script, which programs in other languages also use.
const SCRIPT: &str = include_str!("replay_guard.lua");
/// With one hash tag, so that a cluster keeps them on one node.
const KEYS: [&str; 3] =
    ["{cortexkey-replay}:state", "{cortexkey-replay}:used", "{cortexkey-replay}:live"];
/// The server's time limit.
const ANSWER_TIME: Duration = Duration::from_millis(500);
const POLL_PAUSE: Duration = Duration::from_millis(500);
/// How often a use is retried: each time, another generation has started.
const TRIES: usize = 3;
/// The row on disk with the state that the member must not forget.
const ROW: (&str, u64) = ("shared-replay", 1);

/// A guard on a server. It is created and used within a tokio runtime.
pub(crate) struct RedisGuard(Arc<Inner>);

struct Inner {
    client: Client,
    connection: Mutex<Option<MultiplexedConnection>>,
    script: Script,
    began: Instant,
    clock: Clock,
    /// Owned by the tenant alone, so that its folder is released as soon as it has stopped.
    disk: Option<Weak<Disk>>,
    member: Mutex<Member>,
    /// Held during a look: looks happen one after another.
    polling: tokio::sync::Mutex<()>,
    poll_now: Arc<Notify>,
}

impl RedisGuard {
    /// Connects, checks the server, and becomes a member. Keys that this process generates from
    /// `now_ms` on were never used before.
    pub(crate) async fn connect(
        url: &str,
        clock: Clock,
        now_ms: u64,
        skew_ms: u64,
        disk: Option<&Arc<Disk>>,
    ) -> Result<Self, RedisGuardError> {
        let client = Client::open(url).map_err(|_| RedisFault::Address)?;
        let known = disk.map(|disk| read(disk)).transpose()?.flatten();
        let name = random_hex()?;
        let member = Member::new(name, skew_ms, now_ms, known);
        let inner = Arc::new(Inner {
            client,
            connection: Mutex::new(None),
            script: Script::new(SCRIPT),
            began: Instant::now(),
            clock,
            disk: disk.map(Arc::downgrade),
            member: Mutex::new(member),
            polling: tokio::sync::Mutex::new(()),
            poll_now: Arc::default(),
        });
        inner.poll().await?;
        tokio::spawn(poll_repeatedly(Arc::downgrade(&inner), Arc::clone(&inner.poll_now)));
        Ok(Self(inner))
    }

    /// Stores the use, or returns why it cannot be accepted.
    pub(crate) async fn check_and_insert(
        &self,
        verified: &VerifiedUse,
        now_ms: u64,
    ) -> Result<(), GuardRefusal> {
        let asked = GuardedUse {
            timestamp_ms: verified.timestamp_ms(),
            key_created_ms: verified.key_created_ms(),
            tag: verified.shared_tag(),
        };
        for _ in 0..TRIES {
            match self.0.ask(&asked, now_ms).await? {
                MemberReply::Accepted => return Ok(()),
                MemberReply::Replayed => return Err(GuardRefusal::Replayed),
                MemberReply::Forgotten => return Err(GuardRefusal::Forgotten),
                // A clock that was just set is not announced yet, and only the announcement
                // protects a young key.
                MemberReply::Starting if !self.0.member().is_young(&asked) => {
                    return Err(GuardRefusal::Starting);
                }
                MemberReply::Starting | MemberReply::Join => {
                    self.0.poll().await.map_err(|_| GuardRefusal::Unavailable)?;
                }
                MemberReply::Replica => return Err(GuardRefusal::Unavailable),
            }
        }
        Err(GuardRefusal::Starting)
    }
}

impl Inner {
    /// Checks a use once.
    async fn ask(&self, asked: &GuardedUse, now_ms: u64) -> Result<MemberReply, GuardRefusal> {
        let connection = self.connection().clone();
        let Some(mut connection) = connection else { return Err(GuardRefusal::Unavailable) };
        let mut call = self.script.prepare_invoke();
        call.key(&KEYS);
        {
            let mut member = self.member();
            let at_ms = self.at_ms();
            if !member.is_good(at_ms) {
                return Err(GuardRefusal::Unavailable);
            }
            let is_young = member.is_young(asked);
            match member.ask(asked, now_ms, at_ms) {
                Err(answer) => return Ok(answer),
                Ok(arguments) => call.arg(arguments).arg(&asked.tag).arg(u8::from(is_young)),
            };
        }
        match timeout(ANSWER_TIME, call.invoke_async::<Vec<String>>(&mut connection)).await {
            Ok(Ok(answer)) => self.member().answered(&answer).ok_or(GuardRefusal::Unavailable),
            Ok(Err(error)) if is_full(&error) => Err(GuardRefusal::Full),
            Ok(Err(error)) => {
                self.failed(&error);
                Err(GuardRefusal::Unavailable)
            }
            Err(_) => Err(GuardRefusal::Unavailable),
        }
    }

    /// Looks at the server, and reports this member's state to it.
    async fn poll(&self) -> Result<(), RedisGuardError> {
        let _polling = self.polling.lock().await;
        let polled = self.poll_once().await;
        if polled.is_err() {
            self.member().invalidate_poll();
        }
        polled
    }

    async fn poll_once(&self) -> Result<(), RedisGuardError> {
        let began_at_ms = self.at_ms();
        let mut connection = self.connected().await?;
        let outcome = self.send_poll(&mut connection).await;
        let answer = outcome.inspect_err(|_| *self.connection() = None)?;
        let applied = self.member().apply_poll(&answer, self.at_ms());
        let to_save = applied.map_err(|error| match error {
            PollError::Replica => RedisFault::Replica,
            PollError::Strange => RedisFault::Strange,
        })?;
        if let (Some(known), Some(disk)) = (&to_save, &self.disk) {
            let row = Zeroizing::new(known.text().into_bytes());
            // Without it the tenant is stopping.
            let disk = disk.upgrade().ok_or(DiskError::Broken)?;
            // Other requests continue meanwhile.
            tokio::task::block_in_place(|| disk.set_row(ROW.0, ROW.1, row))?;
        }
        self.member().rely_on(to_save, began_at_ms);
        Ok(())
    }

    async fn send_poll(
        &self,
        connection: &mut MultiplexedConnection,
    ) -> Result<Vec<String>, RedisGuardError> {
        check(connection).await?;
        let arguments = self.member().poll(self.clock.now_ms(), random_hex()?);
        let mut call = self.script.prepare_invoke();
        call.key(&KEYS).arg(arguments);
        let answer = timeout(ANSWER_TIME, call.invoke_async::<Vec<String>>(connection)).await;
        let answer = answer.map_err(|_| RedisFault::Silent)?;
        Ok(answer.map_err(|error| RedisFault::of(&error))?)
    }

    /// The connection; if there is none, a new one to a server that was checked.
    async fn connected(&self) -> Result<MultiplexedConnection, RedisFault> {
        let there = self.connection().clone();
        if let Some(connection) = there {
            return Ok(connection);
        }
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(ANSWER_TIME))
            .set_response_timeout(Some(ANSWER_TIME));
        let connecting = self.client.get_multiplexed_async_connection_with_config(&config);
        let connecting = timeout(2 * ANSWER_TIME, connecting).await;
        let mut connection =
            connecting.map_err(|_| RedisFault::Silent)?.map_err(|error| RedisFault::of(&error))?;
        check(&mut connection).await?;
        *self.connection() = Some(connection.clone());
        Ok(connection)
    }

    /// After a connection error the next look reconnects at once.
    fn failed(&self, error: &RedisError) {
        if error.is_unrecoverable_error() || error.is_io_error() {
            *self.connection() = None;
            self.poll_now.notify_one();
        }
    }

    fn at_ms(&self) -> u64 {
        // Never 0, which stands for the time before everything.
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX).saturating_add(1)
    }

    fn connection(&self) -> MutexGuard<'_, Option<MultiplexedConnection>> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn member(&self) -> MutexGuard<'_, Member> {
        self.member.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks repeatedly, as long as the guard exists.
async fn poll_repeatedly(guard: Weak<Inner>, poll_now: Arc<Notify>) {
    loop {
        tokio::select! {
            () = sleep(POLL_PAUSE) => {}
            () = poll_now.notified() => {}
        }
        let Some(inner) = guard.upgrade() else { return };
        // A failure shows in every answer until a look succeeds.
        let _ = inner.poll().await;
    }
}

/// The guard's state on a disk.
fn read(disk: &Disk) -> Result<Option<Known>, DiskError> {
    let Some(row) = disk.row(ROW.0, ROW.1)? else { return Ok(None) };
    let text = core::str::from_utf8(&row).map_err(|_| DiskError::Damaged)?;
    Known::parse(text).map(Some).ok_or(DiskError::Damaged)
}

/// 64 random bits, in hexadecimal.
fn random_hex() -> Result<String, DiskError> {
    Ok(hex::encode(getrandom::u64().map_err(|_| DiskError::NoRandom)?.to_be_bytes()))
}

/// Why there is no guard.
#[derive(Debug)]
pub(crate) enum RedisGuardError {
    Server(RedisFault),
    Disk(DiskError),
}

impl From<RedisFault> for RedisGuardError {
    fn from(fault: RedisFault) -> Self {
        Self::Server(fault)
    }
}

impl From<DiskError> for RedisGuardError {
    fn from(error: DiskError) -> Self {
        Self::Disk(error)
    }
}

#[cfg(test)]
mod tests {
    /// Packages for other languages contain copies of the script.
    #[test]
    fn every_copy_of_the_script_is_equal() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        for copy in ["go/examples/redisguard", "crates/capi/examples"] {
            let copy = root.join(copy).join("replay_guard.lua");
            let text = std::fs::read_to_string(&copy).unwrap();
            assert!(text == super::SCRIPT, "{} is another", copy.display());
        }
    }
}
