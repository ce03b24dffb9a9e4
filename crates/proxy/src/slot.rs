//! [`Slot`]: limits the open connections, so that unauthenticated clients cannot keep others out.
//!
//! Every user of the machine can connect to a loopback port. Connections that have not sent the
//! token yet therefore have slots of their own, and a new one displaces the oldest. A client sends
//! its request at once, so many idle connections do not block it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use core::time::Duration;

use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore, oneshot};

/// How many unauthenticated connections may be open.
const UNAUTHENTICATED_MAX: usize = 128;
/// How long a request waits for a slot among the authenticated ones. A client may open its next connection
/// before the previous one is closed.
const WAIT: Duration = Duration::from_secs(1);

/// The unauthenticated connections, the oldest first.
#[derive(Default)]
pub(crate) struct Unauthenticated(Mutex<Queue>);

#[derive(Default)]
struct Queue {
    next: u64,
    slots: VecDeque<(u64, oneshot::Sender<()>)>,
}

/// The slot of one connection, which dropping frees.
pub(crate) struct Slot {
    unauthenticated: Arc<Unauthenticated>,
    number: u64,
    permit: OnceCell<OwnedSemaphorePermit>,
}

impl Slot {
    /// Takes a slot for a new connection. The receiver wakes up when a newer connection takes it.
    pub(crate) fn take(
        unauthenticated: &Arc<Unauthenticated>,
    ) -> (Arc<Self>, oneshot::Receiver<()>) {
        let (displace, displaced) = oneshot::channel();
        let mut queue = unauthenticated.queue();
        let number = queue.next;
        queue.next += 1;
        queue.slots.push_back((number, displace));
        if queue.slots.len() > UNAUTHENTICATED_MAX
            && let Some((_, displace)) = queue.slots.pop_front()
        {
            // An error means that its connection has just been closed.
            let _ = displace.send(());
        }
        drop(queue);
        let slot =
            Self { unauthenticated: Arc::clone(unauthenticated), number, permit: OnceCell::new() };
        (Arc::new(slot), displaced)
    }

    /// Moves the connection to the authenticated ones. Returns false if they have no free slot.
    pub(crate) async fn authenticate(&self, slots: &Arc<Semaphore>) -> bool {
        let permit = || async {
            let permit = tokio::time::timeout(WAIT, Arc::clone(slots).acquire_owned()).await;
            permit.map_err(|_| ())?.map_err(|_| ())
        };
        let is_authenticated = self.permit.get_or_try_init(permit).await.is_ok();
        if is_authenticated {
            self.unauthenticated.remove(self.number);
        }
        is_authenticated
    }

    /// Whether it has sent a request with the token.
    pub(crate) fn is_authenticated(&self) -> bool {
        self.permit.initialized()
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.unauthenticated.remove(self.number);
    }
}

impl Unauthenticated {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remove(&self, number: u64) {
        self.queue().slots.retain(|(other, _)| *other != number);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[tokio::test]
    async fn a_new_connection_displaces_the_oldest_unauthenticated_one() {
        let unauthenticated = Arc::<Unauthenticated>::default();
        let others = Arc::new(Semaphore::new(1));
        let (first, mut of_first) = Slot::take(&unauthenticated);
        let (second, mut of_second) = Slot::take(&unauthenticated);
        assert!(first.authenticate(&others).await && first.authenticate(&others).await);
        let flood: Vec<_> =
            (0..UNAUTHENTICATED_MAX).map(|_| Slot::take(&unauthenticated)).collect();
        // Only the sender of an authenticated connection is dropped; nothing was sent to it.
        assert!(of_first.try_recv().is_err() && first.is_authenticated());
        of_second.try_recv().unwrap();
        assert_eq!(unauthenticated.queue().slots.len(), UNAUTHENTICATED_MAX);
        drop((flood, second));
        assert!(unauthenticated.queue().slots.is_empty());
        assert_eq!(others.available_permits(), 0);
        drop(first);
        assert_eq!(others.available_permits(), 1);
    }
}
