//! Accepts connections up to a limit, enforces limits on each, and ends all on shutdown.

use core::convert::Infallible;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use crate::connections::{ActiveResponse, ConnectionSlot, Connections, Work};
use crate::framing::Framed;
use crate::http::ToReset;
use crate::refusal::Refusal;
use crate::stream::WriteTimeout;
use crate::timed_body::TimedBody;
use crate::write_buffer::WriteBuffer;

const HEADERS_MAX: usize = 64;
const HEADER_BYTES_MAX: usize = 64 * 1024;
/// The time limit for a request's headers, and for an idle connection: longer than common clients
/// keep theirs.
const HEADER_TIME: Duration = Duration::from_secs(30);
/// How long open requests may take once the tenant is stopping.
const STOP_TIME: Duration = Duration::from_secs(1);
/// The pause after a failure to accept, such as too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The limits on connections; smaller in tests.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    /// The largest number of connections.
    pub(crate) connections: u32,
    /// How long a response may wait to be read.
    pub(crate) write_time: Duration,
    /// From when on a connection without a request may be closed for another one.
    pub(crate) idle_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 512,
            write_time: Duration::from_secs(30),
            idle_time: Duration::from_secs(1),
        }
    }
}

/// Serves until it is stopped, then until the open requests are answered, for at most a second.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    tls: Option<TlsAcceptor>,
    stop: watch::Receiver<bool>,
    limits: Limits,
) {
    let router = router.layer(from_fn(small_head));
    let crowd = Connections::new(limits.connections, limits.idle_time);
    let mut stopping = stop.clone();
    tokio::select! {
        _ = stopping.wait_for(|stop| *stop) => {}
        () = accept(&listener, &router, tls.as_ref(), &crowd, &stop, limits.write_time) => {}
    }
    drop(listener);
    let _ = timeout(STOP_TIME, crowd.empty(limits.connections)).await;
}

async fn accept(
    listener: &TcpListener,
    router: &Router,
    tls: Option<&TlsAcceptor>,
    crowd: &Arc<Connections>,
    stop: &watch::Receiver<bool>,
    write_time: Duration,
) {
    // If all are busy, connections wait in the system's queue.
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let place = crowd.enter().await;
                let _ = stream.set_nodelay(true);
                let stream = WriteTimeout::new(stream, write_time);
                let reset = ToReset(stream.reset());
                let router = TowerToHyperService::new(router.clone());
                let service = Tagged { router, reset, work: place.work() };
                let stop = stop.clone();
                match tls {
                    None => drop(tokio::spawn(connection(stream, service, stop, place))),
                    Some(tls) => {
                        drop(tokio::spawn(secured(tls.clone(), stream, service, stop, place)));
                    }
                }
            }
            Err(_) => sleep(ACCEPT_PAUSE).await,
        }
    }
}

/// A connection with TLS. A client that does not complete the handshake in time is disconnected.
async fn secured(
    tls: TlsAcceptor,
    stream: WriteTimeout<TcpStream>,
    service: Tagged,
    mut stop: watch::Receiver<bool>,
    place: ConnectionSlot,
) {
    let agreed = tokio::select! {
        agreed = timeout(HEADER_TIME, tls.accept(stream)) => agreed,
        () = place.leave() => return,
        _ = stop.wait_for(|stop| *stop) => return,
    };
    if let Ok(Ok(stream)) = agreed {
        connection(stream, service, stop, place).await;
    }
}

async fn connection(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    service: Tagged,
    mut stop: watch::Receiver<bool>,
    place: ConnectionSlot,
) {
    let stream = WriteBuffer::new(Framed::new(stream));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // A client that has sent everything may close that side and still wait for the response.
        .half_close(true)
        .header_read_timeout(HEADER_TIME)
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEADER_BYTES_MAX)
        .serve_connection(TokioIo::new(stream.clone()), service);
    tokio::pin!(connection);
    // An error is the client's: it hung up, or sent malformed HTTP and was notified.
    let ended = tokio::select! {
        () = stream.drive(connection.as_mut()) => true,
        // Without a request there is nothing to wait for.
        () = place.leave() => !place.is_busy(),
        _ = stop.wait_for(|stop| *stop) => false,
    };
    if !ended {
        connection.as_mut().graceful_shutdown();
        stream.drive(connection.as_mut()).await;
    }
}

/// The calls, each with a handle to reset its connection; tracks when one is in progress.
struct Tagged {
    router: TowerToHyperService<Router>,
    reset: ToReset,
    work: Work,
}

impl Service<hyper::Request<Incoming>> for Tagged {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn call(&self, mut request: hyper::Request<Incoming>) -> Self::Future {
        request.extensions_mut().insert(self.reset.clone());
        let busy = self.work.begin();
        let request = request.map(|body| TimedBody::new(body, self.work.clone()));
        let answer = self.router.call(request);
        Box::pin(async move {
            let (head, body) = answer.await?.into_parts();
            Ok(Response::from_parts(head, Body::new(BusyBody { body, _busy: busy })))
        })
    }
}

/// A response's body, which keeps its connection busy: a stream of events continues long after its
/// head was sent.
struct BusyBody {
    body: Body,
    _busy: ActiveResponse,
}

impl HttpBody for BusyBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Refuses a request whose first line and headers are too large. The HTTP library checks its buffer
/// only when it must read more, and accepts what arrived in one piece.
async fn small_head(request: Request, next: Next) -> Response {
    let headers = request.headers();
    // The separators: `: ` and line endings.
    let of_header = |(name, value): (&header::HeaderName, &HeaderValue)| {
        name.as_str().len() + value.len() + ": \r\n".len()
    };
    let line = request.method().as_str().len()
        + request.uri().path_and_query().map_or(0, |path| path.as_str().len())
        + "  HTTP/1.1\r\n\r\n".len();
    if line + headers.iter().map(of_header).sum::<usize>() <= HEADER_BYTES_MAX {
        return next.run(request).await;
    }
    let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
    let mut response = Refusal::new(status, "Request header fields too large").into_response();
    // Its body, if there is one, stays unread.
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::io::{Read, Write};
    use std::net::{SocketAddr, TcpStream};

    use axum::routing::get;
    use tokio::runtime::Runtime;

    use super::*;

    /// Longer than a test takes.
    const LONG: Duration = Duration::from_secs(600);

    /// Serves responses of a megabyte, one connection at a time.
    fn served(runtime: &Runtime, idle_time: Duration) -> (SocketAddr, watch::Sender<bool>) {
        let router = Router::new().route("/", get(|| async { "x".repeat(1 << 20) }));
        let limits = Limits { connections: 1, write_time: Duration::from_secs(1), idle_time };
        served_by(runtime, router, limits)
    }

    fn served_by(
        runtime: &Runtime,
        router: Router,
        limits: Limits,
    ) -> (SocketAddr, watch::Sender<bool>) {
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopping) = watch::channel(false);
        runtime.spawn(serve(listener, router, None, stopping, limits));
        (address, stop)
    }

    fn whole(address: SocketAddr) -> usize {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        answer.len()
    }

    #[test]
    fn clients_that_never_read_are_disconnected() {
        let runtime = Runtime::new().unwrap();
        let (address, _stop) = served(&runtime, LONG);
        // More than the system buffers between the two.
        let mut deaf = TcpStream::connect(address).unwrap();
        deaf.write_all("GET / HTTP/1.1\r\nHost: x\r\n\r\n".repeat(50).as_bytes()).unwrap();
        assert!(whole(address) > 1 << 20, "the only slot stays taken");
    }

    #[test]
    fn idle_connections_are_closed() {
        let runtime = Runtime::new().unwrap();
        let (address, _stop) = served(&runtime, Duration::from_millis(20));
        let silent: Vec<_> = (0..5).map(|_| TcpStream::connect(address).unwrap()).collect();
        let mut slow = TcpStream::connect(address).unwrap();
        slow.write_all(b"GET / HTTP/1.1\r\nHo").unwrap();
        assert!(whole(address) > 1 << 20, "the only slot stays taken");
        drop((silent, slow));
    }

    #[test]
    fn silent_connections_do_not_cut_a_stream_off() {
        let runtime = Runtime::new().unwrap();
        let (send, events) = tokio::sync::mpsc::unbounded_channel::<&'static str>();
        let events = Arc::new(std::sync::Mutex::new(Some(events)));
        let stream = move || {
            let events = events.lock().unwrap().take().unwrap();
            let events = futures_util::stream::unfold(events, async |mut events| {
                let event = events.recv().await?;
                Some((Ok::<_, Infallible>(event), events))
            });
            core::future::ready(Body::from_stream(events))
        };
        let router = Router::new().route("/", get(stream));
        let limits =
            Limits { connections: 2, write_time: LONG, idle_time: Duration::from_millis(1) };
        let (address, _stop) = served_by(&runtime, router, limits);
        let mut reader = TcpStream::connect(address).unwrap();
        reader.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        let mut read = move |wanted: &str| {
            let mut text = String::new();
            while !text.contains(wanted) {
                let mut bytes = [0; 1024];
                let count = reader.read(&mut bytes).unwrap();
                assert!(count > 0, "the stream was cut off: {text}");
                text += core::str::from_utf8(&bytes[..count]).unwrap();
            }
        };
        send.send("first").unwrap();
        read("first");
        // Each takes the only other slot, and is disconnected for the next.
        for _ in 0..20 {
            let mut silent = TcpStream::connect(address).unwrap();
            silent.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
            let _ = silent.read(&mut [0]);
        }
        send.send("second").unwrap();
        read("second");
    }

    #[test]
    fn connections_without_their_body_are_closed() {
        let runtime = Runtime::new().unwrap();
        let router = Router::new()
            .route("/", get(|| async { "x".repeat(1 << 20) }))
            .route("/sent", axum::routing::put(async |_: Bytes| "taken"));
        let limits =
            Limits { connections: 1, write_time: LONG, idle_time: Duration::from_millis(20) };
        let (address, _stop) = served_by(&runtime, router, limits);
        let mut slow = TcpStream::connect(address).unwrap();
        slow.write_all(b"PUT /sent HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{").unwrap();
        assert!(whole(address) > 1 << 20, "the only slot stays taken");
        drop(slow);
    }

    #[test]
    fn slow_readers_are_disconnected() {
        let runtime = Runtime::new().unwrap();
        let (address, _stop) = served(&runtime, LONG);
        let mut slow = TcpStream::connect(address).unwrap();
        slow.write_all("GET / HTTP/1.1\r\nHost: x\r\n\r\n".repeat(50).as_bytes()).unwrap();
        let mut step = slow.try_clone().unwrap();
        std::thread::spawn(move || {
            while step.read(&mut [0; 4096]).is_ok_and(|count| count > 0) {
                std::thread::sleep(Duration::from_millis(50));
            }
        });
        assert!(whole(address) > 1 << 20, "the only slot stays taken");
    }
}
