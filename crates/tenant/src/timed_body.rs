//! [`TimedBody`]: a request's body, within limits of size and time, whichever handler reads it.
//!
//! While it waits for its sender, its connection counts as idle, so that connections that never
//! send what they announced cannot block others.

use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;
use std::io;

use axum::body::{Bytes, HttpBody};
use hyper::body::{Frame, Incoming, SizeHint};
use tokio::time::{Sleep, sleep};

use crate::connections::{Waiting, Work};

/// The largest body, including the discarded part of a refused one.
const BYTES_MAX: usize = 9 * 1024 * 1024;
/// Longer than any reader's own limit.
const TIME: Duration = Duration::from_secs(15);

/// A body and its connection.
pub(crate) struct TimedBody {
    body: Incoming,
    work: Work,
    waiting: Option<Waiting>,
    left: usize,
    /// The time limit, which starts at the first read.
    until: Option<Pin<Box<Sleep>>>,
}

impl TimedBody {
    pub(crate) fn new(body: Incoming, work: Work) -> Self {
        Self { body, work, waiting: None, left: BYTES_MAX, until: None }
    }

    fn count(&mut self, frame: &Frame<Bytes>) -> io::Result<()> {
        let len = frame.data_ref().map_or(0, Bytes::len);
        self.left = self.left.checked_sub(len).ok_or(io::ErrorKind::FileTooLarge)?;
        Ok(())
    }
}

impl HttpBody for TimedBody {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        let poll = Pin::new(&mut self.body).poll_frame(cx);
        if poll.is_pending() {
            if self.waiting.is_none() {
                self.waiting = Some(self.work.wait());
            }
            let until = self.until.get_or_insert_with(|| Box::pin(sleep(TIME)));
            ready!(until.as_mut().poll(cx));
            return Poll::Ready(Some(Err(io::Error::from(io::ErrorKind::TimedOut).into())));
        }
        self.waiting = None;
        poll.map(|frame| {
            let frame = frame?;
            Some(frame.map_err(Into::into).and_then(|frame| {
                self.count(&frame)?;
                Ok(frame)
            }))
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
