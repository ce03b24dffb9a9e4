//! [`Place`]: a connection's place, which depends on whether it has sent a valid request.
//!
//! Every user of the machine can connect to a loopback port. Connections without a valid request
//! therefore have places of their own, and a new one displaces the oldest. A client sends its
//! request at once, so that many idle connections do not keep it out.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use core::time::Duration;

use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore, oneshot};

/// How many connections without a valid request may be open.
const UNPROVEN_MAX: usize = 128;
/// How long a request waits for a place among the others. A client may open its next connection
/// before the previous one is closed.
const WAIT: Duration = Duration::from_secs(1);

/// The connections without a valid request, the oldest first.
#[derive(Default)]
pub(crate) struct Unproven(Mutex<Queue>);

#[derive(Default)]
struct Queue {
    next: u64,
    places: VecDeque<(u64, oneshot::Sender<()>)>,
}

/// The place of one connection. It is free again when it is dropped.
pub(crate) struct Place {
    unproven: Arc<Unproven>,
    number: u64,
    permit: OnceCell<OwnedSemaphorePermit>,
}

impl Place {
    /// A place for a new connection. The receiver wakes up when a newer one takes it.
    pub(crate) fn take(unproven: &Arc<Unproven>) -> (Arc<Self>, oneshot::Receiver<()>) {
        let (displace, displaced) = oneshot::channel();
        let mut queue = unproven.queue();
        let number = queue.next;
        queue.next += 1;
        queue.places.push_back((number, displace));
        if queue.places.len() > UNPROVEN_MAX
            && let Some((_, displace)) = queue.places.pop_front()
        {
            // An error means that its connection has just been closed.
            let _ = displace.send(());
        }
        drop(queue);
        let place = Self { unproven: Arc::clone(unproven), number, permit: OnceCell::new() };
        (Arc::new(place), displaced)
    }

    /// Moves the connection to the others after a valid request. False if they have no free place.
    pub(crate) async fn prove(&self, places: &Arc<Semaphore>) -> bool {
        let permit = || async {
            let permit = tokio::time::timeout(WAIT, Arc::clone(places).acquire_owned()).await;
            permit.map_err(|_| ())?.map_err(|_| ())
        };
        let is_proven = self.permit.get_or_try_init(permit).await.is_ok();
        if is_proven {
            self.unproven.remove(self.number);
        }
        is_proven
    }

    /// Whether it has sent a valid request.
    pub(crate) fn is_proven(&self) -> bool {
        self.permit.initialized()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.unproven.remove(self.number);
    }
}

impl Unproven {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remove(&self, number: u64) {
        self.queue().places.retain(|(other, _)| *other != number);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[tokio::test]
    async fn a_new_connection_displaces_the_oldest_without_a_valid_request() {
        let unproven = Arc::<Unproven>::default();
        let others = Arc::new(Semaphore::new(1));
        let (first, mut of_first) = Place::take(&unproven);
        let (second, mut of_second) = Place::take(&unproven);
        assert!(first.prove(&others).await && first.prove(&others).await);
        let flood: Vec<_> = (0..UNPROVEN_MAX).map(|_| Place::take(&unproven)).collect();
        // Only the sender of a proven connection is dropped; nothing was sent to it.
        assert!(of_first.try_recv().is_err() && first.is_proven());
        of_second.try_recv().unwrap();
        assert_eq!(unproven.queue().places.len(), UNPROVEN_MAX);
        drop((flood, second));
        assert!(unproven.queue().places.is_empty());
        assert_eq!(others.available_permits(), 0);
        drop(first);
        assert_eq!(others.available_permits(), 1);
    }
}
