//! [`WriteTimeout`]: a connection that is closed on request, or if the peer does not read in time.

use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

/// A connection with a limit for how long writes may wait.
pub(crate) struct WriteTimeout<S> {
    stream: S,
    limit: Duration,
    /// The time limit, from the first write that has to wait until everything is written.
    until: Option<Pin<Box<Sleep>>>,
    /// Whether the connection ends at the next write.
    reset: Arc<AtomicBool>,
}

/// A connection that can be ended without a proper shutdown.
pub(crate) trait Resettable {
    /// Ensures that the other side sees a reset when this is dropped.
    fn reset_on_drop(&self);
}

impl Resettable for TcpStream {
    fn reset_on_drop(&self) {
        // If it fails, the connection ends normally.
        let _ = self.set_zero_linger();
    }
}

impl<S> WriteTimeout<S> {
    pub(crate) fn new(stream: S, limit: Duration) -> Self {
        Self { stream, limit, until: None, reset: Arc::default() }
    }

    /// Set to end the connection at the next write.
    pub(crate) fn reset(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.reset)
    }

    /// Ends a write that waits for too long.
    fn in_time<T>(
        &mut self,
        cx: &mut Context<'_>,
        poll: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if self.until.is_none() && poll.is_pending() {
            self.until = Some(Box::pin(sleep(self.limit)));
        }
        // Checked after each step, so that partial writes do not extend the limit.
        if let Some(until) = &mut self.until
            && until.as_mut().poll(cx).is_ready()
        {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        poll
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for WriteTimeout<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: Resettable> WriteTimeout<S> {
    fn check_reset(&self) -> io::Result<()> {
        if self.reset.load(Ordering::Relaxed) {
            self.stream.reset_on_drop();
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(())
    }
}

impl<S: AsyncWrite + Resettable + Unpin> AsyncWrite for WriteTimeout<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check_reset()?;
        let poll = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.in_time(cx, poll)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check_reset()?;
        let poll = Pin::new(&mut self.stream).poll_write_vectored(cx, parts);
        self.in_time(cx, poll)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// Called once all waiting data was written.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let poll = Pin::new(&mut self.stream).poll_flush(cx);
        if poll.is_ready() {
            self.until = None;
        }
        self.in_time(cx, poll)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let poll = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.in_time(cx, poll)
    }
}
