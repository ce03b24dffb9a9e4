//! [`WriteBuffer`]: responses to requests that arrived together leave together, in one write.
//!
//! A response is sent as soon as its connection waits for anything: the next request, the rest of
//! one, or a slow response. The HTTP library's own pipelining loses the refusal of malformed input.

use core::future::poll_fn;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::io::{self, IoSlice};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The largest buffer; larger data is written directly.
const BYTES_MAX: usize = 16 * 1024;

/// A connection: one handle belongs to the HTTP library, the other [drives](Self::drive) it.
pub(crate) struct WriteBuffer<S>(Arc<Mutex<Inner<S>>>);

struct Inner<S> {
    stream: S,
    waiting: Vec<u8>,
    /// How much of it is written.
    written: usize,
    /// Whether the buffered data must be flushed.
    flush_due: bool,
    /// Whether the other side currently accepts no data.
    blocked: bool,
    /// Whether the code that writes to the other handle has finished.
    ended: bool,
}

impl<S> Clone for WriteBuffer<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S: AsyncWrite + Unpin> WriteBuffer<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self(Arc::new(Mutex::new(Inner {
            stream,
            waiting: Vec::new(),
            written: 0,
            flush_due: false,
            blocked: false,
            ended: false,
        })))
    }

    /// Runs the code that writes to the other handle until it ends; whenever it waits, its output
    /// is written. It may be cancelled and called again.
    pub(crate) async fn drive<F: Future>(&self, mut work: Pin<&mut F>) {
        poll_fn(|cx| {
            loop {
                let has_ended = self.inner().ended || work.as_mut().poll(cx).is_ready();
                let mut inner = self.inner();
                inner.ended = has_ended;
                let was_blocked = inner.blocked;
                match inner.poll_out(cx) {
                    Poll::Ready(Err(_)) => return Poll::Ready(()),
                    Poll::Ready(Ok(())) if has_ended => return Poll::Ready(()),
                    // The other handle may continue.
                    Poll::Ready(Ok(())) if was_blocked => {}
                    _ => return Poll::Pending,
                }
            }
        })
        .await;
    }

    fn inner(&self) -> MutexGuard<'_, Inner<S>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: AsyncWrite + Unpin> Inner<S> {
    /// Writes the buffered data, and flushes it if required.
    fn poll_out(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let poll = self.poll_all(cx);
        self.blocked = poll.is_pending();
        poll
    }

    fn poll_all(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(rest) = self.waiting.get(self.written..).filter(|rest| !rest.is_empty()) {
            match ready!(Pin::new(&mut self.stream).poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                count => self.written += count,
            }
        }
        self.waiting.clear();
        self.written = 0;
        if self.flush_due {
            ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
            self.flush_due = false;
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for WriteBuffer<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner().stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for WriteBuffer<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut inner = self.inner();
        let count: usize = parts.iter().map(|part| part.len()).sum();
        if inner.waiting.len() + count > BYTES_MAX {
            ready!(inner.poll_out(cx))?;
        }
        if count > BYTES_MAX {
            return Pin::new(&mut inner.stream).poll_write_vectored(cx, parts);
        }
        for part in parts {
            inner.waiting.extend_from_slice(part);
        }
        Poll::Ready(Ok(count))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// Defers the flush until the connection waits. If the other side accepts no data, no further
    /// response is produced.
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut inner = self.inner();
        inner.flush_due = true;
        if inner.blocked { inner.poll_out(cx) } else { Poll::Ready(Ok(())) }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut inner = self.inner();
        inner.flush_due = true;
        ready!(inner.poll_out(cx))?;
        Pin::new(&mut inner.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use core::pin::pin;
    use std::collections::VecDeque;

    use super::*;

    /// Records each write separately; accepts no data if so configured.
    #[derive(Default)]
    struct Writes {
        sizes: Vec<usize>,
        flushes: usize,
        pauses: VecDeque<bool>,
    }

    impl AsyncWrite for Writes {
        fn poll_write(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            if self.pauses.pop_front() == Some(true) {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            self.sizes.push(bytes.len());
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            self.flushes += 1;
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    /// The writes of some work.
    fn writes_of(
        pauses: &[bool],
        work: impl AsyncFnOnce(WriteBuffer<Writes>),
    ) -> (Vec<usize>, usize) {
        let pauses = pauses.iter().copied().collect();
        let gathered = WriteBuffer::new(Writes { pauses, ..Writes::default() });
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let work = work(gathered.clone());
        runtime.block_on(gathered.drive(pin!(work)));
        let inner = gathered.inner();
        assert!(inner.waiting.is_empty(), "something stays");
        (inner.stream.sizes.clone(), inner.stream.flushes)
    }

    async fn write(to: &mut WriteBuffer<Writes>, count: usize) {
        let bytes = vec![b'x'; count];
        let written = poll_fn(|cx| Pin::new(&mut *to).poll_write(cx, &bytes)).await.unwrap();
        assert_eq!(written, count);
    }

    async fn answers(to: &mut WriteBuffer<Writes>, count: usize) {
        for _ in 0..count {
            write(to, 100).await;
            poll_fn(|cx| Pin::new(&mut *to).poll_flush(cx)).await.unwrap();
        }
    }

    #[test]
    fn responses_are_sent_together_and_none_waits_for_later_ones() {
        let work = async |mut to| {
            answers(&mut to, 3).await;
            tokio::task::yield_now().await;
            answers(&mut to, 2).await;
        };
        assert_eq!(writes_of(&[], work), (vec![300, 200], 2));
    }

    #[test]
    fn large_output_is_unchanged_and_in_order() {
        let work = async |mut to| {
            answers(&mut to, 1).await;
            write(&mut to, BYTES_MAX + 1).await;
            answers(&mut to, BYTES_MAX / 100 + 1).await;
        };
        let full = BYTES_MAX / 100 * 100;
        assert_eq!(writes_of(&[], work).0, [100, BYTES_MAX + 1, full, 100]);
    }

    #[test]
    fn a_paused_reader_gets_everything() {
        let work = async |mut to| {
            answers(&mut to, 2).await;
            tokio::task::yield_now().await;
            answers(&mut to, 2).await;
            poll_fn(|cx| Pin::new(&mut to).poll_shutdown(cx)).await.unwrap();
        };
        assert_eq!(writes_of(&[true, true, false, true], work).0.iter().sum::<usize>(), 400);
    }
}
