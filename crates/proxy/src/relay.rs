//! Carries bodies between the asynchronous server and the blocking client, a few chunks at a time,
//! so that neither side runs ahead of the other.

use core::time::Duration;
use std::io::{self, Read};
use std::sync::{Arc, OnceLock};

use futures_util::stream;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Body, Bytes, Frame, Incoming};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::timeout;

use crate::head::Denial;

/// How many chunks may wait.
const CHUNKS: usize = 4;
const CHUNK_BYTES: usize = 64 * 1024;

/// Why reading a request's body was aborted; empty if it was not.
pub(crate) type AbortReason = Arc<OnceLock<Denial>>;

/// A request's body for the client, and the task that carries it there.
pub(crate) fn request_reader(
    body: Incoming,
    limits: Limits,
    abort_reason: AbortReason,
) -> (impl Read + Send + 'static, impl Future<Output = ()> + Send) {
    let (to, from) = channel(CHUNKS);
    (
        BodyReader { from, chunk: Bytes::new(), has_ended: false },
        send(body, limits, to, abort_reason),
    )
}

/// The limits of a request's body.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    /// The largest size.
    pub(crate) bytes_max: u64,
    /// How long to wait for each chunk.
    pub(crate) stall_time: Duration,
}

async fn send(
    mut body: Incoming,
    limits: Limits,
    to: Sender<io::Result<Bytes>>,
    abort_reason: AbortReason,
) {
    let mut left = limits.bytes_max;
    loop {
        let chunk = match timeout(limits.stall_time, body.frame()).await {
            Ok(None) => break,
            Ok(Some(Ok(frame))) => frame.into_data().unwrap_or_default(),
            Ok(Some(Err(_))) => return abort(Denial::Broken, &abort_reason, &to).await,
            Err(_) => return abort(Denial::Slow, &abort_reason, &to).await,
        };
        let Some(rest) = left.checked_sub(chunk.len() as u64) else {
            return abort(Denial::TooLarge, &abort_reason, &to).await;
        };
        left = rest;
        if !chunk.is_empty() && to.send(Ok(chunk)).await.is_err() {
            return;
        }
    }
    let _ = to.send(Ok(END)).await;
}

async fn abort(why: Denial, abort_reason: &OnceLock<Denial>, to: &Sender<io::Result<Bytes>>) {
    let _ = abort_reason.set(why);
    let _ = to.send(Err(io::Error::other(why))).await;
}

/// Sent after the last chunk: a channel that closes without it was aborted, and the receiver must not
/// mistake what it received for the complete body.
const END: Bytes = Bytes::new();

struct BodyReader {
    from: Receiver<io::Result<Bytes>>,
    chunk: Bytes,
    has_ended: bool,
}

impl Read for BodyReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.chunk.is_empty() && !self.has_ended {
            self.chunk = self.from.blocking_recv().ok_or(io::ErrorKind::UnexpectedEof)??;
            self.has_ended = self.chunk.is_empty();
        }
        let count = self.chunk.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.chunk.split_to(count));
        Ok(count)
    }
}

/// A response's body for the server. `send` reads on a thread that may block.
pub(crate) fn response_channel()
-> (ResponseSender, impl Body<Data = Bytes, Error = io::Error> + Send + 'static) {
    let (to, from) = channel(CHUNKS);
    let chunks = stream::unfold(Some(from), async |from: Option<Receiver<io::Result<Bytes>>>| {
        let mut from = from?;
        let chunk = from.recv().await.unwrap_or_else(|| Err(io::ErrorKind::UnexpectedEof.into()));
        match chunk {
            Ok(chunk) if chunk.is_empty() => None,
            Ok(chunk) => Some((Ok(Frame::data(chunk)), Some(from))),
            Err(error) => Some((Err(error), None)),
        }
    });
    (ResponseSender { to }, StreamBody::new(chunks))
}

pub(crate) struct ResponseSender {
    to: Sender<io::Result<Bytes>>,
}

impl ResponseSender {
    /// Reads to the end, or until the response is no longer wanted, or until no chunk of it was taken
    /// for this time.
    pub(crate) fn send(self, mut body: Box<dyn Read + Send>, stall_time: Duration) {
        let mut buffer = vec![0; CHUNK_BYTES];
        loop {
            let chunk = match body.read(&mut buffer) {
                Ok(0) => Ok(END),
                Ok(count) => Ok(Bytes::copy_from_slice(&buffer[..count])),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => Err(error),
            };
            let is_last = chunk.as_ref().map_or(true, Bytes::is_empty);
            let sent = Handle::current().block_on(self.to.send_timeout(chunk, stall_time));
            if sent.is_err() || is_last {
                return;
            }
        }
    }
}
