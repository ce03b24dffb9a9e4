//! Carries bodies between the asynchronous server and the blocking client, a few pieces at a time,
//! so that neither side outruns the other.

use core::time::Duration;
use std::io::{self, Read};
use std::sync::{Arc, OnceLock};

use futures_util::stream;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Body, Bytes, Frame, Incoming};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::timeout;

use crate::admission::Denial;

/// How many pieces may wait.
const PIECES: usize = 4;
const PIECE_BYTES: usize = 64 * 1024;

/// Why a request's body was given up, if it was.
pub(crate) type GivenUp = Arc<OnceLock<Denial>>;

/// A request's body for the client, and the task that carries it there.
pub(crate) fn request(
    body: Incoming,
    limits: Limits,
    given_up: GivenUp,
) -> (impl Read + Send + 'static, impl Future<Output = ()> + Send) {
    let (to, from) = channel(PIECES);
    (BodyReader { from, piece: Bytes::new(), has_ended: false }, carry(body, limits, to, given_up))
}

/// The limits of a request's body.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    /// The largest size.
    pub(crate) bytes_max: u64,
    /// How long to wait for each piece.
    pub(crate) stall_time: Duration,
}

async fn carry(
    mut body: Incoming,
    limits: Limits,
    to: Sender<io::Result<Bytes>>,
    given_up: GivenUp,
) {
    let mut left = limits.bytes_max;
    loop {
        let piece = match timeout(limits.stall_time, body.frame()).await {
            Ok(None) => break,
            Ok(Some(Ok(frame))) => frame.into_data().unwrap_or_default(),
            Ok(Some(Err(error))) => return drop(to.send(Err(io::Error::other(error))).await),
            Err(_) => return give_up(Denial::Slow, &given_up, &to).await,
        };
        let Some(rest) = left.checked_sub(piece.len() as u64) else {
            return give_up(Denial::TooLarge, &given_up, &to).await;
        };
        left = rest;
        if !piece.is_empty() && to.send(Ok(piece)).await.is_err() {
            return;
        }
    }
    let _ = to.send(Ok(END)).await;
}

async fn give_up(why: Denial, given_up: &OnceLock<Denial>, to: &Sender<io::Result<Bytes>>) {
    let _ = given_up.set(why);
    let _ = to.send(Err(io::Error::other(why))).await;
}

/// Sent after the last piece: a channel that closes without it was aborted, and the receiver must not
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
    let pieces = stream::unfold(Some(from), async |from: Option<Receiver<io::Result<Bytes>>>| {
        let mut from = from?;
        let piece = from.recv().await.unwrap_or_else(|| Err(io::ErrorKind::UnexpectedEof.into()));
        match piece {
            Ok(piece) if piece.is_empty() => None,
            Ok(piece) => Some((Ok(Frame::data(piece)), Some(from))),
            Err(error) => Some((Err(error), None)),
        }
    });
    (Answer { to }, StreamBody::new(pieces))
}

pub(crate) struct Answer {
    to: Sender<io::Result<Bytes>>,
}

impl Answer {
    /// Reads to the end, or until the response is no longer wanted, or until no piece of it was taken
    /// for this time.
    pub(crate) fn carry(self, mut body: Box<dyn Read + Send>, stall_time: Duration) {
        let mut buffer = vec![0; PIECE_BYTES];
        loop {
            let piece = match body.read(&mut buffer) {
                Ok(0) => Ok(END),
                Ok(count) => Ok(Bytes::copy_from_slice(&buffer[..count])),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => Err(error),
            };
            let is_last = piece.as_ref().map_or(true, Bytes::is_empty);
            let sent = Handle::current().block_on(self.to.send_timeout(piece, stall_time));
            if sent.is_err() || is_last {
                return;
            }
        }
    }
}
