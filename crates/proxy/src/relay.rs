//! Carries bodies between the asynchronous server and the blocking client, a few pieces at a time,
//! so that neither side outruns the other.

use core::sync::atomic::{AtomicBool, Ordering};
use std::io::{self, Read};
use std::sync::Arc;

use futures_util::stream;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Body, Bytes, Frame, Incoming};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::admission::Denial;

/// How many pieces may wait.
const PIECES: usize = 4;
const PIECE_BYTES: usize = 64 * 1024;

/// A request's body for the client, and the task that carries it there.
pub(crate) fn request(
    body: Incoming,
    bytes_max: u64,
    too_large: Arc<AtomicBool>,
) -> (impl Read + Send + 'static, impl Future<Output = ()> + Send) {
    let (to, from) = channel(PIECES);
    (
        BodyReader { from, piece: Bytes::new(), has_ended: false },
        carry(body, bytes_max, to, too_large),
    )
}

async fn carry(
    mut body: Incoming,
    bytes_max: u64,
    to: Sender<io::Result<Bytes>>,
    too_large: Arc<AtomicBool>,
) {
    let mut left = bytes_max;
    while let Some(frame) = body.frame().await {
        let piece = match frame {
            Ok(frame) => frame.into_data().unwrap_or_default(),
            Err(error) => return drop(to.send(Err(io::Error::other(error))).await),
        };
        let Some(rest) = left.checked_sub(piece.len() as u64) else {
            too_large.store(true, Ordering::Release);
            return drop(to.send(Err(io::Error::other(Denial::TooLarge))).await);
        };
        left = rest;
        if !piece.is_empty() && to.send(Ok(piece)).await.is_err() {
            return;
        }
    }
    let _ = to.send(Ok(END)).await;
}

/// Sent after the last piece: a channel that closes without it was aborted, and the tenant must not
/// mistake what it received for the complete body.
const END: Bytes = Bytes::new();

struct BodyReader {
    from: Receiver<io::Result<Bytes>>,
    piece: Bytes,
    has_ended: bool,
}

impl Read for BodyReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.piece.is_empty() && !self.has_ended {
            self.piece = self.from.blocking_recv().ok_or(io::ErrorKind::UnexpectedEof)??;
            self.has_ended = self.piece.is_empty();
        }
        let count = self.piece.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.piece.split_to(count));
        Ok(count)
    }
}

/// A response's body for the server. `carry` reads on a thread that may block.
pub(crate) fn answer() -> (Answer, impl Body<Data = Bytes, Error = io::Error> + Send + 'static) {
    let (to, from) = channel(PIECES);
    let pieces = stream::unfold(from, async |mut from: Receiver<io::Result<Bytes>>| {
        let piece = from.recv().await?;
        Some((piece.map(Frame::data), from))
    });
    (Answer { to }, StreamBody::new(pieces))
}

pub(crate) struct Answer {
    to: Sender<io::Result<Bytes>>,
}

impl Answer {
    /// Reads to the end, or until the response is no longer wanted.
    pub(crate) fn carry(self, mut body: Box<dyn Read + Send>) {
        let mut buffer = vec![0; PIECE_BYTES];
        loop {
            let piece = match body.read(&mut buffer) {
                Ok(0) => return,
                Ok(count) => Ok(Bytes::copy_from_slice(&buffer[..count])),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => Err(error),
            };
            let is_last = piece.is_err();
            if self.to.blocking_send(piece).is_err() || is_last {
                return;
            }
        }
    }
}
