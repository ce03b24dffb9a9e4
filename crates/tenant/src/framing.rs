//! [`Framed`]: reads from a connection, and makes requests with ambiguous ends unreadable. If the
//! tenant and a proxy in front of it disagree about where a request ends, a second request can be
//! smuggled through. The HTTP library accepts several forms of framing; this accepts one: lines end
//! with CR LF, and a body has a `Content-Length` of digits or `Transfer-Encoding: chunked`, once,
//! never both. Anything else is replaced by a NUL, which the library answers with 400 or, within a
//! body, with an error.

use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::io;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Longer lines are truncated: only the start of a header matters here.
const LINE_BYTES_MAX: usize = 128;
const CHUNK_DIGITS_MAX: usize = 8;

/// A connection whose input is strictly framed.
pub(crate) struct Framed<S> {
    stream: S,
    framing: Framing,
}

impl<S> Framed<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self { stream, framing: Framing::default() }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Framed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        self.framing.read(&mut buffer.filled_mut()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Framed<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// The position in a stream of requests.
#[derive(Default)]
struct Framing {
    state: State,
    /// The line so far, without its end.
    line: Vec<u8>,
    /// Whether the last byte was a CR.
    after_cr: bool,
    /// What the head says about the body.
    length: Option<u64>,
    chunked: bool,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum State {
    /// Before the first line; empty lines are allowed here.
    #[default]
    Start,
    Headers,
    /// The remaining bytes of a body or a chunk.
    Body(u64),
    Chunk(u64),
    ChunkSize,
    /// The line ending after a chunk.
    ChunkEnd,
    Trailers,
    /// The rest cannot be read.
    Broken,
}

/// The line is ambiguous.
struct AmbiguousLine;

impl Framing {
    /// Checks incoming bytes, and makes the first ambiguous one and everything after it unreadable.
    fn read(&mut self, bytes: &mut [u8]) {
        let mut at = 0;
        while at < bytes.len() {
            let rest = bytes.len() - at;
            at += match self.state {
                State::Broken => {
                    bytes[at..].fill(0);
                    rest
                }
                State::Body(left) => {
                    let step = rest.min(usize::try_from(left).unwrap_or(rest));
                    self.state = after(left - step as u64, State::Body, State::Start);
                    step
                }
                State::Chunk(left) => {
                    let step = rest.min(usize::try_from(left).unwrap_or(rest));
                    self.state = after(left - step as u64, State::Chunk, State::ChunkEnd);
                    step
                }
                _ => {
                    if self.byte(bytes[at]).is_err() {
                        self.state = State::Broken;
                        continue;
                    }
                    1
                }
            };
        }
    }

    /// A byte of a line.
    fn byte(&mut self, byte: u8) -> Result<(), AmbiguousLine> {
        match (byte, self.after_cr) {
            (b'\n', true) => {
                self.after_cr = false;
                let line = core::mem::take(&mut self.line);
                let ended = self.line(&line);
                self.line = line;
                self.line.clear();
                return ended;
            }
            (b'\n', false) | (_, true) => return Err(AmbiguousLine),
            (b'\r', false) => self.after_cr = true,
            _ if self.line.len() < LINE_BYTES_MAX => self.line.push(byte),
            // The size of a chunk is short.
            _ if self.state == State::ChunkSize => return Err(AmbiguousLine),
            _ => {}
        }
        Ok(())
    }

    /// A complete line.
    fn line(&mut self, line: &[u8]) -> Result<(), AmbiguousLine> {
        match self.state {
            State::Start if line.is_empty() => {}
            State::Start => {
                self.length = None;
                self.chunked = false;
                self.state = State::Headers;
            }
            State::Headers if line.is_empty() => {
                self.state = match (self.chunked, self.length) {
                    (true, Some(_)) => return Err(AmbiguousLine),
                    (true, None) => State::ChunkSize,
                    (false, length) => after(length.unwrap_or(0), State::Body, State::Start),
                };
            }
            State::Headers => self.header(line)?,
            State::ChunkSize => {
                let digits = line.split(|byte| matches!(byte, b';' | b' ' | b'\t')).next();
                let digits = digits.filter(|digits| (1..=CHUNK_DIGITS_MAX).contains(&digits.len()));
                let digits = core::str::from_utf8(digits.ok_or(AmbiguousLine)?)
                    .map_err(|_| AmbiguousLine)?;
                if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                    return Err(AmbiguousLine);
                }
                let size = u64::from_str_radix(digits, 16).map_err(|_| AmbiguousLine)?;
                self.state = after(size, State::Chunk, State::Trailers);
            }
            State::ChunkEnd if line.is_empty() => self.state = State::ChunkSize,
            State::ChunkEnd => return Err(AmbiguousLine),
            State::Trailers if line.is_empty() => self.state = State::Start,
            State::Trailers | State::Body(_) | State::Chunk(_) | State::Broken => {}
        }
        Ok(())
    }

    /// A header line. Only two headers matter here.
    fn header(&mut self, line: &[u8]) -> Result<(), AmbiguousLine> {
        // A line that continues the line before.
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            return Err(AmbiguousLine);
        }
        let colon = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
        let name = &line[..colon];
        let value = line.get(colon + 1..).unwrap_or_default();
        let value = value.trim_ascii();
        let is = |wanted: &str| name.trim_ascii().eq_ignore_ascii_case(wanted.as_bytes());
        if is("content-length") {
            let text = core::str::from_utf8(value).map_err(|_| AmbiguousLine)?;
            let is_digits =
                (1..=18).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
            if !is_digits || self.length.is_some() || line.len() == LINE_BYTES_MAX {
                return Err(AmbiguousLine);
            }
            self.length = Some(text.parse().map_err(|_| AmbiguousLine)?);
        } else if is("transfer-encoding") {
            if self.chunked || !value.eq_ignore_ascii_case(b"chunked") {
                return Err(AmbiguousLine);
            }
            self.chunked = true;
        }
        Ok(())
    }
}

/// The state after this many bytes.
fn after(left: u64, more: fn(u64) -> State, next: State) -> State {
    if left == 0 { next } else { more(left) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The output for input in pieces of a size.
    fn through(text: &str, piece: usize) -> String {
        let mut framing = Framing::default();
        let mut out = Vec::new();
        for bytes in text.as_bytes().chunks(piece) {
            let mut bytes = bytes.to_vec();
            framing.read(&mut bytes);
            out.extend(bytes);
        }
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn unambiguous_requests_pass_unchanged() {
        let requests = "\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n\
            POST /a HTTP/1.1\r\ncontent-length:  5 \r\n\r\n\n\r\n\n\n\
            POST /b HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\n\n\n\n\r\nA;x=y\r\n0123456789\r\n\
            0\r\nt: x\r\n\r\nPOST /c HTTP/1.1\r\nContent-Length: 0\r\n\r\nGET /d HTTP/1.1\r\n\r\n";
        for piece in 1..requests.len() {
            assert_eq!(through(requests, piece), requests, "{piece}");
        }
        let long =
            format!("GET / HTTP/1.1\r\nlong: {}\r\n\r\nGET /b HTTP/1.1\r\n", "x".repeat(70_000));
        assert_eq!(through(&long, 1_000), long);
    }

    #[test]
    fn ambiguous_requests_are_unreadable_from_that_point() {
        let post = |headers: &str, body: &str| format!("POST / HTTP/1.1\r\n{headers}\r\n{body}");
        let chunked = "Transfer-Encoding: chunked\r\n";
        for request in [
            "GET / HTTP/1.1\nHost: x\r\n\r\n".to_owned(),
            "GET / HTTP/1.1\r\nHost: x\n\r\n".to_owned(),
            "GET / HTTP/1.1\r\nHost: x\r\n\n".to_owned(),
            "GET / HTTP/1.1\r\na: x\ry\r\n\r\n".to_owned(),
            "GET / HTTP/1.1\r\na: x\r\n y\r\n\r\n".to_owned(),
            post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
            post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"),
            post("Content-Length: 5\r\nContent-Length: 5\r\n", "12345"),
            post("Content-Length: 5, 5\r\n", "12345"),
            post("Content-Length: +5\r\n", "12345"),
            post("Content-Length: 0x5\r\n", "12345"),
            post("Content-Length: \r\n", ""),
            post("Content-Length : 5\r\nContent-Length: 6\r\n", "12345"),
            post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"),
            post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
            post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"),
            post(chunked, "3\nabc\r\n0\r\n\r\n"),
            post(chunked, "3\r\nabc\n0\r\n\r\n"),
            post(chunked, "3\r\nabcd\r\n0\r\n\r\n"),
            post(chunked, "-3\r\nabc\r\n0\r\n\r\n"),
            post(chunked, "123456789\r\nabc"),
            post(chunked, "\r\n"),
            post(chunked, "0\r\n\n"),
        ] {
            for piece in 1..=request.len() {
                let seen = through(&request, piece);
                assert!(seen.contains('\0'), "{request:?}");
                let end = seen.find('\0').unwrap();
                assert_eq!(seen[..end], request[..end], "{request:?}");
                assert!(seen[end..].bytes().all(|byte| byte == 0), "{request:?}");
            }
        }
    }
}
