//! [`Live`]: the emulator's requests as they arrive, for all browsers that watch.
//!
//! The emulator's requests must not wait for browsers. While a browser watches, one task takes the
//! new requests a few times a second, so that no request wakes it, and sends at most one batch per
//! second: writing to 500 browsers takes as long as hundreds of requests. An event is rendered once
//! for all browsers with the same filter.

use core::convert::Infallible;
use core::time::Duration;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use cortexkey_tenant::{Controls, FollowEvent, Follower, LogLine};
use futures_util::stream;
use maud::Markup;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, broadcast, watch};
use tokio::time::{Instant, sleep};

use crate::app::App;
use crate::page_request::Fields;
use crate::pages::requests::{self, Filter};
use crate::session::Token;

/// The largest number of browsers that may watch at a time.
pub(crate) const STREAMS_MAX: usize = 512;
/// How often new requests are taken from the emulator.
const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// The shortest time from one batch to the next.
const BATCH_INTERVAL: Duration = Duration::from_secs(1);
/// The largest number of requests in a batch: the newest ones; the others are only counted.
const BATCH_MAX: usize = 256;
/// The largest number of rows that one browser gets from a batch: the newest ones.
const ROWS_MAX: usize = 20;
/// How many batches a browser may be behind. The stream of one that is further behind ends, since
/// the page reloads its list when it connects again.
const LAG_MAX: usize = 8;
/// How often a quiet stream sends a comment, and checks that its session still exists.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Sent first: the time, in milliseconds, after which a browser connects again.
const RETRY: &str = "retry: 1000\n\n";

/// The requests as they arrive.
pub(crate) struct Live {
    batches: broadcast::Sender<Arc<Batch>>,
    permits: Arc<Semaphore>,
    /// Set while a browser watches. It holds requests from before the first stream's response, so
    /// that none is between the page's list and the stream.
    follower: Mutex<Option<Follower>>,
    /// Wakes the task when a browser begins to watch.
    looked: Notify,
    stopping: watch::Receiver<bool>,
}

/// New requests, the earliest first.
#[derive(Default)]
struct Batch {
    requests: VecDeque<Request>,
    missed: u64,
    /// The event for each filter in use; `None` if no request matches.
    events: Mutex<Vec<(Filter, Option<Bytes>)>>,
}

struct Request {
    line: Arc<LogLine>,
    row: OnceLock<Markup>,
}

impl Live {
    pub(crate) fn new(stopping: watch::Receiver<bool>) -> Self {
        Self {
            batches: broadcast::Sender::new(LAG_MAX),
            permits: Arc::new(Semaphore::new(STREAMS_MAX)),
            follower: Mutex::default(),
            looked: Notify::new(),
            stopping,
        }
    }

    /// Follows the emulator while a browser watches, until the console stops.
    pub(crate) async fn follow(&self) {
        let mut stopping = self.stopping.clone();
        let following = async {
            loop {
                self.looked.notified().await;
                self.send_batches().await;
            }
        };
        tokio::select! {
            _ = stopping.wait_for(|stop| *stop) => {}
            () = following => {}
        }
    }

    /// Sends what arrives, until no browser watches.
    async fn send_batches(&self) {
        let mut batch = Batch::default();
        let mut due = Instant::now();
        while self.take(&mut batch) {
            let now = Instant::now();
            if now >= due && !batch.is_empty() {
                due = now + BATCH_INTERVAL;
                // It fails if the last browser has just disconnected.
                let _ = self.batches.send(Arc::new(core::mem::take(&mut batch)));
            }
            sleep(POLL_INTERVAL).await;
        }
    }

    /// Takes what arrived since the last time; false once no browser watches.
    fn take(&self, batch: &mut Batch) -> bool {
        let mut follower = self.follower();
        if self.batches.receiver_count() == 0 {
            *follower = None;
        }
        let Some(follower) = &mut *follower else { return false };
        while let Some(next) = follower.take() {
            batch.add(next);
        }
        true
    }

    /// A stream for one browser; `None` if too many watch already.
    pub(crate) fn stream(
        &self,
        app: &Arc<App>,
        controls: &Controls,
        query: &Fields,
        session: Token,
    ) -> Option<Response> {
        let permit = Arc::clone(&self.permits).try_acquire_owned().ok()?;
        let watcher = Watcher {
            app: Arc::clone(app),
            batches: self.subscribe(controls),
            stopping: self.stopping.clone(),
            filter: Filter::new(query),
            session,
            _permit: permit,
        };
        let events = stream::unfold(watcher, async |mut watcher| {
            let event = watcher.next().await?;
            Some((Ok::<_, Infallible>(event), watcher))
        });
        let first = stream::iter([Ok(Bytes::from_static(RETRY.as_bytes()))]);
        let body = Body::from_stream(futures_util::StreamExt::chain(first, events));
        let kind = HeaderValue::from_static("text/event-stream");
        Some(([(header::CONTENT_TYPE, kind)], body).into_response())
    }

    fn subscribe(&self, controls: &Controls) -> broadcast::Receiver<Arc<Batch>> {
        let mut follower = self.follower();
        let batches = self.batches.subscribe();
        if follower.is_none() {
            *follower = Some(controls.follow());
            self.looked.notify_one();
        }
        batches
    }

    fn follower(&self) -> MutexGuard<'_, Option<Follower>> {
        self.follower.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Batch {
    fn is_empty(&self) -> bool {
        self.requests.is_empty() && self.missed == 0
    }

    fn add(&mut self, followed: FollowEvent) {
        match followed {
            FollowEvent::Request(line) => {
                if self.requests.len() >= BATCH_MAX {
                    self.requests.pop_front();
                    self.missed += 1;
                }
                self.requests.push_back(Request { line, row: OnceLock::new() });
            }
            FollowEvent::Missed(count) => self.missed += count,
        }
    }

    /// The event for browsers with a filter; `None` if no request matches.
    fn event(&self, app: &App, filter: &Filter) -> Option<Bytes> {
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, event)) = events.iter().find(|(known, _)| known == filter) {
            return event.clone();
        }
        let event = self.render(app, filter);
        events.push((filter.clone(), event.clone()));
        event
    }

    fn render(&self, app: &App, filter: &Filter) -> Option<Bytes> {
        let passing: Vec<&Request> =
            self.requests.iter().filter(|request| filter.passes(&request.line)).collect();
        let (skipped, shown) = passing.split_at(passing.len().saturating_sub(ROWS_MAX));
        let missed = self.missed + skipped.len() as u64;
        // The page has the newest first.
        let rows = shown.iter().rev().map(|request| request.row(app));
        let is_any = !shown.is_empty() || missed > 0;
        is_any.then(|| event(&requests::parts(rows, missed)))
    }
}

impl Request {
    fn row(&self, app: &App) -> &Markup {
        self.row.get_or_init(|| requests::row(app, &self.line))
    }
}

/// A text as an event. A browser joins its lines again.
fn event(text: &str) -> Bytes {
    let lines = text.split(['\n', '\r']).flat_map(|line| ["data: ", line, "\n"]);
    lines.chain(["\n"]).collect::<String>().into()
}

/// One browser that watches.
struct Watcher {
    app: Arc<App>,
    batches: broadcast::Receiver<Arc<Batch>>,
    stopping: watch::Receiver<bool>,
    filter: Filter,
    session: Token,
    _permit: OwnedSemaphorePermit,
}

impl Watcher {
    /// The next event for the browser; `None` once its session or the console ends, or the browser
    /// is too far behind.
    async fn next(&mut self) -> Option<Bytes> {
        let quiet = sleep(KEEP_ALIVE);
        tokio::pin!(quiet);
        loop {
            let batch = tokio::select! {
                _ = self.stopping.wait_for(|stop| *stop) => return None,
                () = quiet.as_mut() => None,
                batch = self.batches.recv() => Some(batch.ok()?),
            };
            if !self.app.sessions().is_open(&self.session) {
                return None;
            }
            match batch {
                None => return Some(Bytes::from_static(b":\n\n")),
                Some(batch) => {
                    if let Some(event) = batch.event(&self.app, &self.filter) {
                        return Some(event);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_has_each_line_in_a_field_of_its_own() {
        assert_eq!(event("a\nb\rc"), "data: a\ndata: b\ndata: c\n\n");
        assert_eq!(event(""), "data: \n\n");
    }
}
