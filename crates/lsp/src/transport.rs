//! Messages on standard input and output, with a limit on their size.
//!
//! `lsp-server` allocates whatever length a message claims; here, a message that is too large ends
//! the connection.

use std::io::{self, BufRead, Read as _};
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, bounded};
use lsp_server::{Connection, Message};

/// The largest message, in bytes. It fits the largest text that is checked.
const MESSAGE_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// How many messages may wait, so that a burst is processed together.
const WAITING_MAX: usize = 16;
/// A header line is short.
const HEADER_BYTES_MAX: u64 = 4096;
const HEADERS_MAX: usize = 16;

/// The threads that read and write. They end with the streams.
pub(crate) struct Threads {
    reader: JoinHandle<io::Result<()>>,
    writer: JoinHandle<io::Result<()>>,
}

impl Threads {
    /// Waits until everything is written. The reader may wait for input that never comes, so only
    /// its failures are collected.
    pub(crate) fn join(self) -> io::Result<()> {
        let ended = |thread: JoinHandle<io::Result<()>>| {
            thread.join().unwrap_or_else(|_| Err(io::ErrorKind::Other.into()))
        };
        ended(self.writer)?;
        if self.reader.is_finished() { ended(self.reader) } else { Ok(()) }
    }
}

/// A connection over standard input and output.
pub(crate) fn stdio() -> (Connection, Threads) {
    let (to_server, receiver) = bounded(WAITING_MAX);
    let (sender, from_server) = bounded(0);
    let reader = std::thread::spawn(move || {
        let mut input = io::stdin().lock();
        while let Some(message) = read(&mut input)? {
            let is_exit = matches!(&message, Message::Notification(it) if it.method == "exit");
            if to_server.send(message).is_err() || is_exit {
                break;
            }
        }
        Ok(())
    });
    let writer = std::thread::spawn(move || write_all(&from_server));
    (Connection { sender, receiver }, Threads { reader, writer })
}

fn write_all(messages: &Receiver<Message>) -> io::Result<()> {
    let mut output = io::stdout().lock();
    messages.iter().try_for_each(|message| message.write(&mut output))
}

/// The next message; none at the end of the input.
fn read(input: &mut impl BufRead) -> io::Result<Option<Message>> {
    let mut length = None;
    for nth in 0.. {
        let mut line = String::new();
        input.by_ref().take(HEADER_BYTES_MAX).read_line(&mut line)?;
        if line.is_empty() && nth == 0 {
            return Ok(None);
        }
        if !line.ends_with("\r\n") || nth == HEADERS_MAX {
            return Err(invalid("an incomplete header"));
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(": ").ok_or_else(|| invalid("no header"))?;
        if name.eq_ignore_ascii_case("content-length") {
            let value: u64 = value.parse().map_err(|_| invalid("no length"))?;
            length = Some(value);
        }
    }
    let length = length.ok_or_else(|| invalid("a message without a length"))?;
    if length > MESSAGE_BYTES_MAX {
        return Err(invalid("a message above the size limit"));
    }
    let mut body = Vec::new();
    input.by_ref().take(length).read_to_end(&mut body)?;
    if body.len() as u64 != length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    // The cause may repeat a document.
    serde_json::from_slice(&body).map(Some).map_err(|_| invalid("a message that is not JSON-RPC"))
}

fn invalid(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_message_is_read_and_the_end_of_input_is_none() {
        let body = r#"{"jsonrpc":"2.0","method":"exit"}"#;
        let text = format!("Content-Length: {}\r\nX: y\r\n\r\n{body}", body.len());
        let mut input = text.as_bytes();
        assert!(matches!(read(&mut input).unwrap(), Some(Message::Notification(_))));
        assert!(read(&mut input).unwrap().is_none());
    }

    #[test]
    fn an_invalid_message_is_an_error() {
        let many = "A: b\r\n".repeat(100);
        let long = format!("{}\r\n", "a".repeat(10_000));
        for text in [
            "Content-Length: 99999999999\r\n\r\n{",
            "Content-Length: 99999999999999999999999\r\n\r\n{",
            "Content-Length: -1\r\n\r\n{}",
            "Content-Length: 9\r\n\r\n{}",
            "Content-Length: 2\r\n\r\n{}",
            "X: y\r\n\r\n{}",
            "hello\r\n\r\n",
            "Content-Length: 2\n\n{}",
            "\r\n",
            &many,
            &long,
        ] {
            assert!(read(&mut text.as_bytes()).is_err(), "{text:.40}");
        }
    }
}
