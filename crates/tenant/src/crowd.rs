//! [`Crowd`]: the connections that there are, and which of them goes when another comes and there
//! is no room.
//!
//! It refuses to send one away while a request of its is answered, or just after.

use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// How long to wait before somebody is sent away again.
const PAUSE: Duration = Duration::from_millis(20);

/// Connections up to a limit.
pub(crate) struct Crowd {
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
    /// When it last had nothing to do, in milliseconds since the crowd began; [`BUSY`] while a
    /// request is answered.
    idle_since_ms: AtomicU64,
    leave: Notify,
}

const BUSY: u64 = u64::MAX;

impl Crowd {
    /// Room for so many; whoever is idle for longer than this time may be sent away.
    pub(crate) fn new(connections: u32, idle_time: Duration) -> Arc<Self> {
        Arc::new(Self {
            slots: Arc::new(Semaphore::new(connections as usize)),
            idle_time,
            began: Instant::now(),
            members: Mutex::default(),
        })
    }

    /// A place for one more; where there is none, that of whoever is idle the longest.
    pub(crate) async fn enter(self: &Arc<Self>) -> Place {
        let slot = loop {
            let slots = Arc::clone(&self.slots);
            if let Ok(slot) = slots.try_acquire_owned() {
                break slot;
            }
            self.send_one_away();
            let slots = Arc::clone(&self.slots);
            // Never closed; at the time's end somebody else may be idle.
            if let Ok(Ok(slot)) = timeout(PAUSE, slots.acquire_owned()).await {
                break slot;
            }
        };
        let member =
            Arc::new(Member { idle_since_ms: AtomicU64::new(self.now_ms()), leave: Notify::new() });
        let mut members = self.members();
        members.last_id += 1;
        let id = members.last_id;
        members.by_id.insert(id, Arc::clone(&member));
        drop(members);
        Place { crowd: Arc::clone(self), id, member, _slot: slot }
    }

    /// Waits until nobody is there.
    pub(crate) async fn empty(&self, connections: u32) {
        let _ = self.slots.acquire_many(connections).await;
    }

    fn send_one_away(&self) {
        let idle_ms = u64::try_from(self.idle_time.as_millis()).unwrap_or(u64::MAX);
        let before_ms = self.now_ms().saturating_sub(idle_ms);
        let members = self.members();
        let idle = members.by_id.values().map(|member| (member.idle_since_ms(), member));
        if let Some((since_ms, member)) = idle.min_by_key(|(since_ms, _)| *since_ms)
            && since_ms < before_ms
        {
            member.leave.notify_one();
        }
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(BUSY - 1)
    }

    fn members(&self) -> MutexGuard<'_, Members> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Member {
    fn idle_since_ms(&self) -> u64 {
        self.idle_since_ms.load(Ordering::Relaxed)
    }
}

/// A connection's place, free again when it is dropped.
pub(crate) struct Place {
    crowd: Arc<Crowd>,
    id: u64,
    member: Arc<Member>,
    _slot: OwnedSemaphorePermit,
}

impl Place {
    /// For what answers the connection's requests.
    pub(crate) fn work(&self) -> Work {
        Work { crowd: Arc::clone(&self.crowd), member: Arc::clone(&self.member) }
    }

    /// Waits until it is to leave.
    pub(crate) async fn leave(&self) {
        self.member.leave.notified().await;
    }

    /// Whether a request is being answered.
    pub(crate) fn is_busy(&self) -> bool {
        self.member.idle_since_ms() == BUSY
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.crowd.members().by_id.remove(&self.id);
    }
}

/// Tells when a connection has something to do.
#[derive(Clone)]
pub(crate) struct Work {
    crowd: Arc<Crowd>,
    member: Arc<Member>,
}

impl Work {
    pub(crate) fn begins(&self) {
        self.member.idle_since_ms.store(BUSY, Ordering::Relaxed);
    }

    pub(crate) fn ends(&self) {
        self.member.idle_since_ms.store(self.crowd.now_ms(), Ordering::Relaxed);
    }
}
