//! Streams responses, so that only a small part of a list is in memory, however long it is and
//! however slowly it is read.

use core::convert::Infallible;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;

/// The size of a piece; a shorter response is sent as a whole, with its length.
const PIECE_BYTES: usize = 64 * 1024;

/// JSON with this start and end, and these items in between, separated by commas.
pub(super) fn streamed(
    head: String,
    items: impl Iterator<Item = Vec<u8>> + Send + 'static,
    tail: String,
) -> Response {
    let mut pieces = Pieces { waiting: head.into_bytes(), items, tail: Some(tail), is_first: true };
    let first = pieces.next().unwrap_or_default();
    let body = if pieces.tail.is_none() {
        Body::from(first)
    } else {
        let all = core::iter::once(first).chain(pieces).map(Ok::<_, Infallible>);
        Body::from_stream(stream::iter(all))
    };
    let mut response = body.into_response();
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

struct Pieces<I> {
    waiting: Vec<u8>,
    items: I,
    /// Until it is written.
    tail: Option<String>,
    is_first: bool,
}

impl<I: Iterator<Item = Vec<u8>>> Iterator for Pieces<I> {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        self.tail.as_ref()?;
        while self.waiting.len() < PIECE_BYTES {
            let Some(item) = self.items.next() else {
                self.waiting.extend(self.tail.take().unwrap_or_default().into_bytes());
                break;
            };
            if !core::mem::take(&mut self.is_first) {
                self.waiting.push(b',');
            }
            self.waiting.extend(item);
        }
        Some(core::mem::take(&mut self.waiting).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(count: usize, bytes: usize) -> Vec<Bytes> {
        let items = (0..count).map(move |_| [b"\"", vec![b'x'; bytes].as_slice(), b"\""].concat());
        let waiting = b"[".to_vec();
        let tail = Some("]".to_owned());
        Pieces { waiting, items, tail, is_first: true }.collect()
    }

    #[test]
    fn lists_are_written_in_small_pieces_of_valid_json() {
        for (count, bytes) in [(0, 0), (1, 5), (3, 40_000), (5_000, 100), (2, PIECE_BYTES * 3)] {
            let pieces = pieces(count, bytes);
            assert!(pieces.iter().all(|piece| piece.len() <= PIECE_BYTES + bytes + 4), "{count}");
            let json: Vec<String> = serde_json::from_slice(&pieces.concat()).unwrap();
            assert!(json.len() == count && json.iter().all(|text| text.len() == bytes));
        }
        assert_eq!(pieces(100, 100).len(), 1);
    }
}
