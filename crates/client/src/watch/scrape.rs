//! [`Scrape`]: the metrics over HTTP, for Prometheus.
//!
//! It serves one path with one method, and closes the connection after each response, so it needs
//! no server library with its own runtime. Clients can read the names, owners and roles of keys,
//! but no secret.

use core::time::Duration;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

const HEAD_BYTES_MAX: usize = 8 * 1024;
/// Connections that are served at a time; further ones are closed.
const CONNECTIONS_MAX: usize = 16;
const TIMEOUT: Duration = Duration::from_secs(5);
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const PLAIN: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Serves the latest metrics.
pub struct Scrape {
    address: SocketAddr,
    text: Arc<Mutex<Arc<str>>>,
}

impl Scrape {
    /// Listens. Until the first [`publish`](Self::publish) it serves only the end mark.
    pub fn listen(at: impl ToSocketAddrs) -> io::Result<Self> {
        let listener = TcpListener::bind(at)?;
        let address = listener.local_addr()?;
        let text = Arc::new(Mutex::new(Arc::from("# EOF\n")));
        let shared = Arc::clone(&text);
        thread::Builder::new()
            .name("scrape".to_owned())
            .spawn(move || serve(&listener, &shared))?;
        Ok(Self { address, text })
    }

    /// The address on which it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves these metrics from now on.
    pub fn publish(&self, metrics: &str) {
        *self.text.lock().unwrap_or_else(PoisonError::into_inner) = Arc::from(metrics);
    }
}

fn serve(listener: &TcpListener, text: &Mutex<Arc<str>>) {
    let open = Arc::new(AtomicUsize::new(0));
    for stream in listener.incoming() {
        let Ok(stream) = stream else {
            // For example, no free file descriptor: the next attempt may succeed.
            thread::sleep(Duration::from_millis(100));
            continue;
        };
        if open.fetch_add(1, Ordering::AcqRel) >= CONNECTIONS_MAX {
            open.fetch_sub(1, Ordering::AcqRel);
            continue;
        }
        let text = Arc::clone(&text.lock().unwrap_or_else(PoisonError::into_inner));
        let of_thread = Arc::clone(&open);
        let spawned = thread::Builder::new().name("scrape answer".to_owned()).spawn(move || {
            // The client has closed the connection.
            let _ = answer(&stream, &text);
            of_thread.fetch_sub(1, Ordering::AcqRel);
        });
        if spawned.is_err() {
            open.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

fn answer(mut stream: &TcpStream, text: &str) -> io::Result<()> {
    stream.set_write_timeout(Some(TIMEOUT))?;
    let head = head(stream)?;
    let mut lines = head.lines();
    let line = lines.next().unwrap_or_default();
    let accepts_open_metrics = lines.any(|line| {
        let line = line.to_ascii_lowercase();
        line.starts_with("accept:") && line.contains("application/openmetrics-text")
    });
    let mut words = line.split_ascii_whitespace();
    let method = words.next().unwrap_or_default();
    let target = words.next().unwrap_or_default();
    let kind = if accepts_open_metrics { OPEN_METRICS } else { PLAIN };
    let (status, kind, body) = match (method, target.split('?').next()) {
        ("GET", Some("/metrics")) => ("200 OK", kind, text),
        ("GET", _) => ("404 Not Found", PLAIN, "the metrics are at /metrics\n"),
        _ => ("405 Method Not Allowed", PLAIN, "GET /metrics\n"),
    };
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{body}"
    )?;
    stream.flush()
}

/// The head of a request, within its limits of bytes and time.
fn head(mut stream: &TcpStream) -> io::Result<String> {
    let end = Instant::now() + TIMEOUT;
    let mut head = Vec::new();
    let mut buffer = [0; 1024];
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() || head.len() > HEAD_BYTES_MAX {
            return Err(io::ErrorKind::InvalidData.into());
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(&mut buffer)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => head.extend_from_slice(&buffer[..count]),
        }
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}
