//! [`Queue`]: blocking work on its own thread, behind a bounded queue.
//!
//! Work beyond the limit is dropped and counted: a log that is not read, or a webhook that never
//! responds, delays no request and takes no memory.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A queue of work for one thread.
pub(crate) struct Queue<T> {
    send: Mutex<Option<SyncSender<T>>>,
    dropped: Arc<AtomicU64>,
    /// Whether queued work is discarded.
    stopped: Arc<AtomicBool>,
    ended: Arc<(Mutex<bool>, Condvar)>,
}

impl<T: Send + 'static> Queue<T> {
    /// Starts the thread. With each piece of work, it receives how many were dropped before.
    pub(crate) fn new(
        name: &str,
        limit: usize,
        mut work: impl FnMut(T, u64) + Send + 'static,
    ) -> io::Result<Self> {
        let (send, receive): (SyncSender<T>, Receiver<T>) = sync_channel(limit);
        let dropped = Arc::new(AtomicU64::new(0));
        let ended = Arc::new((Mutex::new(false), Condvar::new()));
        let stopped = Arc::new(AtomicBool::new(false));
        let counted = Arc::clone(&dropped);
        let at_end = EndSignal(Arc::clone(&ended));
        let is_stopped = Arc::clone(&stopped);
        std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            let _at_end = at_end;
            while let Ok(piece) = receive.recv() {
                if is_stopped.load(Ordering::Relaxed) {
                    return;
                }
                work(piece, counted.swap(0, Ordering::Relaxed));
            }
        })?;
        Ok(Self { send: Mutex::new(Some(send)), dropped, stopped, ended })
    }

    /// Adds a piece of work without waiting; returns whether there was space.
    pub(crate) fn add(&self, piece: T) -> bool {
        let send = self.send.lock().unwrap_or_else(PoisonError::into_inner);
        let is_in = send.as_ref().is_some_and(|send| send.try_send(piece).is_ok());
        if !is_in {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        is_in
    }

    /// Accepts no more work, and waits until the queued work is done, up to this time; the rest is
    /// discarded.
    pub(crate) fn close(&self, patience: Duration) {
        drop(self.send.lock().unwrap_or_else(PoisonError::into_inner).take());
        let until = Instant::now() + patience;
        let (ended, changed) = &*self.ended;
        let mut ended = ended.lock().unwrap_or_else(PoisonError::into_inner);
        while !*ended {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                // Work in progress ends with the process.
                self.stopped.store(true, Ordering::Relaxed);
                return;
            }
            ended = changed.wait_timeout(ended, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// Reports that the thread has ended, even if its work panicked.
struct EndSignal(Arc<(Mutex<bool>, Condvar)>);

impl Drop for EndSignal {
    fn drop(&mut self) {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.1.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn overflowing_entries_are_dropped_and_counted() {
        let (go, wait) = channel::<()>();
        let (done, seen) = channel();
        let queue = Queue::new("test", 2, move |piece: u32, dropped| {
            wait.recv().unwrap();
            done.send((piece, dropped)).unwrap();
        })
        .unwrap();
        assert!(queue.add(1));
        // The first is in progress at some point; two more fit, and then no more.
        while queue.add(2) {
            std::thread::yield_now();
        }
        let lost = 1 + (0..9).filter(|_| !queue.add(3)).count() as u64;
        let _ = go.send(());
        // The thread may start with the first only now, and then receives it.
        let first = seen.recv().unwrap();
        assert_eq!(first.0, 1);
        for _ in 0..10 {
            let _ = go.send(());
        }
        queue.close(Duration::from_secs(20));
        let rest: Vec<_> = seen.iter().collect();
        let reported: u64 = rest.iter().chain([&first]).map(|(_, dropped)| dropped).sum();
        assert_eq!(reported + queue.dropped.load(Ordering::Relaxed), lost, "{first:?} {rest:?}");
        assert!(!queue.add(4), "closed");
    }

    #[test]
    fn closing_does_not_wait_for_work_that_never_ends() {
        let (_go, wait) = channel::<()>();
        let queue = Queue::new("test", 2, move |_: u32, _| {
            let _ = wait.recv();
        })
        .unwrap();
        assert!(queue.add(1));
        queue.close(Duration::from_millis(20));
    }
}
