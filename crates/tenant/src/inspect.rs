//! [`Inspector`]: the last requests, as a list and as a stream.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::{broadcast, watch};

use crate::log::LogLine;

/// How many events a reader may be behind before it misses some.
const BEHIND_MAX: usize = 256;

/// The requests of a tenant from some time on.
pub struct Follower {
    lines: broadcast::Receiver<Arc<LogLine>>,
    stopping: watch::Receiver<bool>,
}

/// An event that a [`Follower`] receives.
#[derive(Clone, Debug)]
pub enum FollowEvent {
    /// A request was answered.
    Request(Arc<LogLine>),
    /// This many requests were answered too fast to be followed.
    Missed(u64),
}

impl Follower {
    pub(crate) fn new(
        lines: broadcast::Receiver<Arc<LogLine>>,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        Self { lines, stopping }
    }

    /// Waits for the next event; `None` once the tenant stops. Cancelling it loses no event.
    pub async fn next(&mut self) -> Option<FollowEvent> {
        tokio::select! {
            _ = self.stopping.wait_for(|stop| *stop) => None,
            line = self.lines.recv() => match line {
                Ok(line) => Some(FollowEvent::Request(line)),
                Err(RecvError::Lagged(count)) => Some(FollowEvent::Missed(count)),
                Err(RecvError::Closed) => None,
            },
        }
    }

    /// The next event if there is one already. A reader that only polls is not woken by each
    /// request, so requests are not slowed down.
    pub fn take(&mut self) -> Option<FollowEvent> {
        match self.lines.try_recv() {
            Ok(line) => Some(FollowEvent::Request(line)),
            Err(TryRecvError::Lagged(count)) => Some(FollowEvent::Missed(count)),
            Err(TryRecvError::Empty | TryRecvError::Closed) => None,
        }
    }
}

/// The last requests.
pub(crate) struct Inspector {
    last: Mutex<VecDeque<LoggedRequest>>,
    max: usize,
    sender: broadcast::Sender<Arc<LogLine>>,
}

struct LoggedRequest {
    line: Arc<LogLine>,
    /// Identifies an accepted request; never shown.
    tag: Option<[u8; 16]>,
}

impl Inspector {
    pub(crate) fn new(max: usize) -> Self {
        Self { last: Mutex::default(), max, sender: broadcast::Sender::new(BEHIND_MAX) }
    }

    /// Stores a request.
    pub(crate) fn add(&self, line: Arc<LogLine>, tag: Option<[u8; 16]>) {
        // Held for both, so that the list has each request before its event, in the same order.
        let mut last = self.lock();
        if last.len() >= self.max {
            last.pop_front();
        }
        if self.max > 0 {
            last.push_back(LoggedRequest { line: Arc::clone(&line), tag });
        }
        // It is not an error if there are no listeners.
        let _ = self.sender.send(line);
    }

    /// The accepted request with this tag, if it is still stored.
    pub(crate) fn earlier(&self, tag: [u8; 16]) -> Option<u64> {
        let last = self.lock();
        let found = last.iter().rev().find(|remembered| remembered.tag == Some(tag))?;
        Some(found.line.id)
    }

    /// The last requests, at most this many, the earliest first.
    pub(crate) fn last(&self, count: usize) -> Vec<Arc<LogLine>> {
        let last = self.lock();
        let skip = last.len().saturating_sub(count);
        last.iter().skip(skip).map(|remembered| Arc::clone(&remembered.line)).collect()
    }

    /// The number of listeners.
    pub(crate) fn followers(&self) -> usize {
        self.sender.receiver_count()
    }

    /// The requests from now on.
    pub(crate) fn follow(&self) -> broadcast::Receiver<Arc<LogLine>> {
        self.sender.subscribe()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<LoggedRequest>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
