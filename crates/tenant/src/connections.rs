//! [`Connections`]: the open connections, and which one is closed to make room for another.
//!
//! A connection is busy from the first byte of a request's handling to the last byte of its
//! response's body, however long that takes: only idle connections are closed.

use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// The wait before another connection is closed.
const PAUSE: Duration = Duration::from_millis(20);

/// Connections up to a limit.
pub(crate) struct Connections {
    slots: Arc<Semaphore>,
    idle_time: Duration,
    began: Instant,
    members: Mutex<Members>,
}

#[derive(Default)]
struct Members {
    last_id: u64,
    by_id: BTreeMap<u64, Arc<Member>>,
}

struct Member {
    /// How many responses are in progress.
    answers: AtomicU32,
    /// When it last became idle, in milliseconds since the start.
    idle_since_ms: AtomicU64,
    leave: Notify,
}

impl Connections {
    /// A limit on connections; a connection that is idle for longer than this time may be closed.
    pub(crate) fn new(connections: u32, idle_time: Duration) -> Arc<Self> {
        Arc::new(Self {
            slots: Arc::new(Semaphore::new(connections as usize)),
            idle_time,
            began: Instant::now(),
            members: Mutex::default(),
        })
    }

    /// A slot for another connection; if there is none, that of the connection that has been idle
    /// the longest.
    pub(crate) async fn enter(self: &Arc<Self>) -> ConnectionSlot {
        let slot = loop {
            let slots = Arc::clone(&self.slots);
            if let Ok(slot) = slots.try_acquire_owned() {
                break slot;
            }
            self.send_one_away();
            let slots = Arc::clone(&self.slots);
            // Never closed; after the wait another connection may be idle.
            if let Ok(Ok(slot)) = timeout(PAUSE, slots.acquire_owned()).await {
                break slot;
            }
        };
        let member = Arc::new(Member {
            answers: AtomicU32::new(0),
            idle_since_ms: AtomicU64::new(self.now_ms()),
            leave: Notify::new(),
        });
        let mut members = self.members();
        members.last_id += 1;
        let id = members.last_id;
        members.by_id.insert(id, Arc::clone(&member));
        drop(members);
        ConnectionSlot { crowd: Arc::clone(self), id, member, _slot: slot }
    }

    /// Waits until there are no connections.
    pub(crate) async fn empty(&self, connections: u32) {
        let _ = self.slots.acquire_many(connections).await;
    }

    fn send_one_away(&self) {
        let idle_ms = u64::try_from(self.idle_time.as_millis()).unwrap_or(u64::MAX);
        let before_ms = self.now_ms().saturating_sub(idle_ms);
        let members = self.members();
        let idle = members.by_id.values().filter(|member| !member.is_busy());
        let idle = idle.map(|member| (member.idle_since_ms.load(Ordering::Relaxed), member));
        if let Some((since_ms, member)) = idle.min_by_key(|(since_ms, _)| *since_ms)
            && since_ms < before_ms
        {
            member.leave.notify_one();
        }
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn members(&self) -> MutexGuard<'_, Members> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Member {
    fn is_busy(&self) -> bool {
        self.answers.load(Ordering::Acquire) > 0
    }
}

/// A connection's slot, released on drop.
pub(crate) struct ConnectionSlot {
    crowd: Arc<Connections>,
    id: u64,
    member: Arc<Member>,
    _slot: OwnedSemaphorePermit,
}

impl ConnectionSlot {
    /// A handle for the code that responds to the connection's requests.
    pub(crate) fn work(&self) -> Work {
        Work { crowd: Arc::clone(&self.crowd), member: Arc::clone(&self.member) }
    }

    /// Waits until it must close.
    pub(crate) async fn leave(&self) {
        self.member.leave.notified().await;
    }

    /// Whether a response is in progress.
    pub(crate) fn is_busy(&self) -> bool {
        self.member.is_busy()
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        self.crowd.members().by_id.remove(&self.id);
    }
}

/// Tracks when a connection is busy.
#[derive(Clone)]
pub(crate) struct Work {
    crowd: Arc<Connections>,
    member: Arc<Member>,
}

impl Work {
    /// Marks the connection as busy until the returned guard is dropped.
    pub(crate) fn begin(&self) -> ActiveResponse {
        self.member.answers.fetch_add(1, Ordering::AcqRel);
        ActiveResponse(self.clone())
    }
}

impl Work {
    /// Marks the connection as idle, while it waits for its client, until the returned guard is
    /// dropped.
    pub(crate) fn wait(&self) -> Waiting {
        let Self { crowd, member } = self;
        // Set before it counts as idle, so that it does not appear idle since its last idle time.
        member.idle_since_ms.store(crowd.now_ms(), Ordering::Relaxed);
        member.answers.fetch_sub(1, Ordering::AcqRel);
        Waiting(self.clone())
    }
}

/// A response that waits for the rest of its request.
pub(crate) struct Waiting(Work);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.member.answers.fetch_add(1, Ordering::AcqRel);
    }
}

/// A response in progress.
pub(crate) struct ActiveResponse(Work);

impl Drop for ActiveResponse {
    fn drop(&mut self) {
        let Work { crowd, member } = &self.0;
        // Set before it counts as idle, so that it does not appear idle since its last idle time.
        member.idle_since_ms.store(crowd.now_ms(), Ordering::Relaxed);
        member.answers.fetch_sub(1, Ordering::AcqRel);
    }
}
