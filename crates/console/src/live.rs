//! [`Live`]: the emulator's requests as they arrive, for all browsers that watch.
//!
//! While a browser watches, one task follows the emulator and sends batches. Writing to 500
//! browsers takes as long as hundreds of requests, so there is at most one batch per second. Each
//! row is rendered once for all browsers.

use core::convert::Infallible;
use core::time::Duration;
use std::sync::{Arc, OnceLock};

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use cortexkey_tenant::{Controls, Followed, Follower, LogLine};
use futures_util::stream;
use maud::Markup;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, broadcast, watch};
use tokio::time::{Instant, sleep, sleep_until};

use crate::app::App;
use crate::page_request::Fields;
use crate::pages::requests::{self, Filter};
use crate::session::Token;

/// The largest number of browsers that may watch at a time.
pub(crate) const STREAMS_MAX: usize = 512;
/// The time from one batch to the next.
const PAUSE: Duration = Duration::from_secs(1);
/// The largest number of requests in a batch; further ones are only counted.
const BATCH_MAX: usize = 256;
/// The largest number of rows that one browser gets from a batch: the newest ones.
const ROWS_MAX: usize = 20;
/// How many batches a browser may be behind before it misses some.
const BEHIND_MAX: usize = 8;
/// How often a stream sends a keep-alive, and checks that its session still exists.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// The requests as they arrive.
pub(crate) struct Live {
    batches: broadcast::Sender<Arc<Batch>>,
    places: Arc<Semaphore>,
    /// Wakes the following task when a browser begins to watch.
    looked: Notify,
    stopping: watch::Receiver<bool>,
}

/// New requests, the earliest first.
#[derive(Default)]
struct Batch {
    requests: Vec<Request>,
    missed: u64,
    /// The parts for browsers without a filter, which are most.
    unfiltered: OnceLock<Option<Arc<str>>>,
}

struct Request {
    line: Arc<LogLine>,
    row: OnceLock<Markup>,
}

impl Live {
    pub(crate) fn new(stopping: watch::Receiver<bool>) -> Self {
        let places = Arc::new(Semaphore::new(STREAMS_MAX));
        let batches = broadcast::Sender::new(BEHIND_MAX);
        Self { batches, places, looked: Notify::new(), stopping }
    }

    /// Follows the emulator while a browser watches, until it or the console stops.
    pub(crate) async fn follow(&self, controls: &Controls) {
        let mut stopping = self.stopping.clone();
        let following = async {
            loop {
                self.looked.notified().await;
                self.while_somebody_looks(controls.follow()).await;
            }
        };
        tokio::select! {
            _ = stopping.wait_for(|stop| *stop) => {}
            () = following => {}
        }
    }

    async fn while_somebody_looks(&self, mut follower: Follower) {
        let mut batch = Batch::default();
        let mut due = Instant::now();
        loop {
            tokio::select! {
                next = follower.next() => match next {
                    Some(next) => batch.add(next),
                    None => return,
                },
                () = sleep_until(due), if !batch.is_empty() => {
                    due = Instant::now() + PAUSE;
                    // Fails if no browser watches any more.
                    if self.batches.send(Arc::new(core::mem::take(&mut batch))).is_err() {
                        return;
                    }
                }
            }
        }
    }

    /// A stream for one browser; `None` if too many watch already.
    pub(crate) fn stream(
        &self,
        app: &Arc<App>,
        query: &Fields,
        session: Token,
    ) -> Option<Response> {
        let place = Arc::clone(&self.places).try_acquire_owned().ok()?;
        let looker = Looker {
            app: Arc::clone(app),
            batches: self.batches.subscribe(),
            stopping: self.stopping.clone(),
            filter: Filter::new(query),
            session,
            _place: place,
        };
        self.looked.notify_one();
        let events = stream::unfold(looker, async |mut looker| {
            let parts = looker.next().await?;
            Some((Ok::<_, Infallible>(Event::default().data(parts)), looker))
        });
        Some(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response())
    }
}

impl Batch {
    fn is_empty(&self) -> bool {
        self.requests.is_empty() && self.missed == 0
    }

    fn add(&mut self, followed: Followed) {
        match followed {
            Followed::Request(line) if self.requests.len() < BATCH_MAX => {
                self.requests.push(Request { line, row: OnceLock::new() });
            }
            Followed::Request(_) => self.missed += 1,
            Followed::Missed(count) => self.missed += count,
        }
    }

    /// The parts of the page for requests that match a filter; `None` if none does.
    fn parts(&self, app: &App, filter: &Filter) -> Option<Arc<str>> {
        if filter.passes_all() {
            return self.unfiltered.get_or_init(|| self.render(app, filter)).clone();
        }
        self.render(app, filter)
    }

    fn render(&self, app: &App, filter: &Filter) -> Option<Arc<str>> {
        let passing: Vec<&Request> =
            self.requests.iter().filter(|request| filter.passes(&request.line)).collect();
        let shown = passing.split_at(passing.len().saturating_sub(ROWS_MAX));
        let missed = self.missed + shown.0.len() as u64;
        // The page has the newest first.
        let rows = shown.1.iter().rev().map(|request| request.row(app));
        (!passing.is_empty() || missed > 0).then(|| requests::parts(rows, missed).into())
    }
}

impl Request {
    fn row(&self, app: &App) -> &Markup {
        self.row.get_or_init(|| requests::row(app, &self.line))
    }
}

/// One browser that watches.
struct Looker {
    app: Arc<App>,
    batches: broadcast::Receiver<Arc<Batch>>,
    stopping: watch::Receiver<bool>,
    filter: Filter,
    session: Token,
    _place: OwnedSemaphorePermit,
}

impl Looker {
    /// The next event for the browser; `None` once its session or the console ends.
    async fn next(&mut self) -> Option<Arc<str>> {
        loop {
            let batch = tokio::select! {
                _ = self.stopping.wait_for(|stop| *stop) => return None,
                () = sleep(KEEP_ALIVE) => Ok(Arc::default()),
                batch = self.batches.recv() => batch,
            };
            if !self.app.sessions().is_open(&self.session) {
                return None;
            }
            let batch = match batch {
                Ok(batch) => batch,
                // A browser that does not read is behind by whole batches.
                Err(RecvError::Lagged(_)) => continue,
                Err(RecvError::Closed) => return None,
            };
            if let Some(parts) = batch.parts(&self.app, &self.filter) {
                return Some(parts);
            }
        }
    }
}
