//! [`Proxy`]: listens, and forwards each request to the tenant.

use core::convert::Infallible;
use core::net::{Ipv4Addr, SocketAddr};
use core::pin::pin;
use core::time::Duration;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::Arc;
use std::time::Instant;

use cortexkey_client::{CallError, Client, Forward, Forwarded};
use http_body_util::{BodyExt as _, Full, combinators::UnsyncBoxBody};
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::{Semaphore, oneshot, watch};
use tokio_io_timeout::TimeoutStream;

use crate::allow::AllowList;
use crate::head::{AllowedCall, Denial, Transport, check_head};
use crate::relay;
use crate::slot::{Slot, Unauthenticated};
#[cfg(unix)]
use crate::socket::Socket;
use crate::token::Token;

const HEADERS_MAX: usize = 100;
const HEADER_BYTES_MAX: usize = 64 * 1024;
/// For the head of a request; also how long a connection may be idle.
const HEADER_TIME: Duration = Duration::from_secs(60);
/// For the first valid request of a connection. Until then, any user of this machine may hold it.
const FIRST_TIME: Duration = Duration::from_secs(10);
/// The pause after a failure to accept, such as too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// More connections than requests, because clients keep some open.
const CONNECTIONS_PER_REQUEST: usize = 4;
/// How long a request waits for another to end. A client may send its next request before the thread that
/// forwarded the end of the previous response has released its slot.
const BUSY_TIME: Duration = Duration::from_secs(1);
/// How long open requests may take once the proxy stops.
const DRAIN_TIME: Duration = Duration::from_secs(10);
/// How long threads that read from the tenant may take after that.
const STOP_TIME: Duration = Duration::from_millis(500);

const ERROR_NAME: &str = "x-cortexkey-proxy-error";
const ERROR: HeaderName = HeaderName::from_static(ERROR_NAME);

type ProxyResponse = Response<UnsyncBoxBody<Bytes, io::Error>>;

/// Where the proxy listens.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Listener {
    /// A port of 127.0.0.1; 0 picks a free one.
    Tcp(u16),
    /// A Unix socket, for processes of the same user.
    Socket(PathBuf),
}

/// Called for each request with its response.
pub type OnRequest = Box<dyn Fn(&Record<'_>) + Send + Sync>;

/// The limits of the proxy.
pub struct ProxyOptions {
    /// The allowed calls.
    pub allow: AllowList,
    /// The largest request body, in bytes.
    pub body_bytes_max: u64,
    /// How many requests it processes at a time; further ones get 503.
    pub requests_max: usize,
    /// How long to wait for each piece of a body from or to a program. A connection whose program does not
    /// read for this long is closed.
    pub stall_time: Duration,
    /// The time after which it stops by itself.
    pub lifetime: Option<Duration>,
    /// Receives each request with its response.
    pub on_request: Option<OnRequest>,
}

impl Default for ProxyOptions {
    /// All calls except those that administer access, bodies of 256 MiB, 32 requests at a time, 60
    /// seconds for each piece of a body, no end.
    fn default() -> Self {
        Self {
            allow: AllowList::default(),
            body_bytes_max: 256 * 1024 * 1024,
            requests_max: 32,
            stall_time: Duration::from_secs(60),
            lifetime: None,
            on_request: None,
        }
    }
}

/// A request with its response. It contains no query, no header and no token.
#[derive(Debug)]
#[non_exhaustive]
pub struct Record<'a> {
    /// The method.
    pub method: &'a str,
    /// The path without its query; `None` if the request was refused before it was parsed.
    pub path: Option<&'a str>,
    /// The status of the response.
    pub status: u16,
    /// Why it was refused.
    pub denial: Option<Denial>,
    /// The time until the head of the response.
    pub elapsed: Duration,
}

/// A listening proxy. It stops when it is dropped.
pub struct Proxy {
    runtime: Runtime,
    shared: Arc<Shared>,
    listener: BoundListener,
    signals: Signals,
}

enum BoundListener {
    Tcp(TcpListener, SocketAddr),
    #[cfg(unix)]
    Socket(Socket),
}

struct Shared {
    client: Client,
    token: Token,
    options: ProxyOptions,
    requests: Arc<Semaphore>,
    /// The slots of unauthenticated connections.
    unauthenticated: Arc<Unauthenticated>,
    /// The slots of authenticated connections.
    connections: Arc<Semaphore>,
    /// How many authenticated connections may be open.
    connections_max: u32,
    /// Becomes true when the proxy stops.
    stopping: watch::Sender<bool>,
}

impl Proxy {
    /// Listens for requests to sign with this client.
    pub fn bind(client: Client, listener: &Listener, options: ProxyOptions) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let token = Token::generate().map_err(io::Error::other)?;
        // From here on, a signal stops the proxy cleanly, even before its address is printed.
        let signals = {
            let _entered = runtime.enter();
            Signals::listen()?
        };
        let listener = match listener {
            Listener::Tcp(port) => {
                let address = SocketAddr::from((Ipv4Addr::LOCALHOST, *port));
                let listener = runtime.block_on(TcpListener::bind(address))?;
                let address = listener.local_addr()?;
                BoundListener::Tcp(listener, address)
            }
            #[cfg(unix)]
            Listener::Socket(path) => {
                let _entered = runtime.enter();
                BoundListener::Socket(Socket::bind(path)?)
            }
            #[cfg(not(unix))]
            Listener::Socket(_) => return Err(io::ErrorKind::Unsupported.into()),
        };
        let requests = Arc::new(Semaphore::new(options.requests_max));
        let connections_max = options.requests_max.saturating_mul(CONNECTIONS_PER_REQUEST);
        let connections_max = u32::try_from(connections_max).unwrap_or(u32::MAX);
        let connections = Arc::new(Semaphore::new(connections_max as usize));
        let (stopping, _) = watch::channel(false);
        let shared = Arc::new(Shared {
            client,
            token,
            options,
            requests,
            unauthenticated: Arc::default(),
            connections,
            connections_max,
            stopping,
        });
        Ok(Self { runtime, shared, listener, signals })
    }

    /// The address for programs; `None` for a socket.
    pub fn url(&self) -> Option<String> {
        match &self.listener {
            BoundListener::Tcp(_, address) => Some(format!("http://{address}")),
            #[cfg(unix)]
            BoundListener::Socket(_) => None,
        }
    }

    /// The socket for programs.
    pub fn socket(&self) -> Option<&Path> {
        match &self.listener {
            BoundListener::Tcp(..) => None,
            #[cfg(unix)]
            BoundListener::Socket(socket) => Some(socket.path()),
        }
    }

    /// The token that programs present over TCP.
    pub fn token(&self) -> &Token {
        &self.shared.token
    }

    /// Serves until Ctrl-C, SIGTERM, SIGHUP or the end of its lifetime. Requests that are open then may
    /// finish within a time limit; a second signal ends them.
    pub fn serve(self) -> io::Result<()> {
        let Self { runtime, shared, listener, mut signals } = self;
        let served = runtime.block_on(async {
            tokio::select! {
                () = accept(&listener, &shared) => Ok(()),
                () = lifetime(&shared) => Ok(()),
                stopped = signals.stop() => stopped,
            }
        });
        drop(listener);
        runtime.block_on(async {
            tokio::select! {
                () = drain(&shared) => {}
                _ = signals.stop() => {}
            }
        });
        runtime.shutdown_timeout(STOP_TIME);
        served
    }

    /// Serves while a program runs, at most for its lifetime, and stops with it. The program also gets
    /// the signals that ask this process to end.
    pub fn serve_while(self, command: Command) -> io::Result<ExitStatus> {
        let Self { runtime, shared, listener, mut signals } = self;
        let status = runtime.block_on(async {
            let mut child = tokio::process::Command::from(command).kill_on_drop(true).spawn()?;
            let process = child.id();
            // A terminal also sends Ctrl-C to the program, which decides what to do.
            let _interrupts =
                tokio::spawn(async { while tokio::signal::ctrl_c().await.is_ok() {} });
            tokio::select! {
                status = child.wait() => status,
                never = signals.forward_to(process) => match never {},
                () = accept(&listener, &shared) => Err(io::ErrorKind::Other.into()),
                () = lifetime(&shared) => {
                    child.kill().await?;
                    Err(io::ErrorKind::TimedOut.into())
                }
            }
        });
        drop(listener);
        runtime.shutdown_timeout(STOP_TIME);
        status
    }
}

/// The signals that ask a process to end. Ctrl-C is not forwarded, because a terminal sends it to
/// all processes.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hang_up: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};

        let interrupt = signal(SignalKind::interrupt())?;
        let terminate = signal(SignalKind::terminate())?;
        Ok(Self { interrupt, terminate, hang_up: signal(SignalKind::hangup())? })
    }

    /// Waits for any of them.
    async fn stop(&mut self) -> io::Result<()> {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hang_up.recv() => {}
        }
        Ok(())
    }

    /// Forwards each signal to a process that has not been waited for.
    async fn forward_to(&mut self, process: Option<u32>) -> Infallible {
        use rustix::process::{Pid, Signal, kill_process};

        let process = process.and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        loop {
            let signal = tokio::select! {
                Some(()) = self.terminate.recv() => Signal::TERM,
                Some(()) = self.hang_up.recv() => Signal::HUP,
                else => core::future::pending().await,
            };
            if let Some(process) = process {
                // A program that has ended needs no signal.
                let _ = kill_process(process, signal);
            }
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    #[expect(clippy::unnecessary_wraps, reason = "as on Unix")]
    fn listen() -> io::Result<Self> {
        Ok(Self)
    }

    async fn stop(&mut self) -> io::Result<()> {
        tokio::signal::ctrl_c().await
    }

    async fn forward_to(&mut self, _process: Option<u32>) -> Infallible {
        core::future::pending().await
    }
}

async fn lifetime(shared: &Shared) {
    match shared.options.lifetime {
        Some(lifetime) => tokio::time::sleep(lifetime).await,
        None => core::future::pending().await,
    }
}

/// Closes idle connections, and waits for those with a request, within a time limit.
async fn drain(shared: &Shared) {
    let _ = shared.stopping.send_replace(true);
    let all = shared.connections.acquire_many(shared.connections_max);
    // What is left then is cut off.
    let _ = tokio::time::timeout(DRAIN_TIME, all).await;
}

/// Accepts connections.
async fn accept(listener: &BoundListener, shared: &Arc<Shared>) {
    loop {
        match listener {
            BoundListener::Tcp(listener, address) => match listener.accept().await {
                Ok((stream, _)) => {
                    let _ = stream.set_nodelay(true);
                    drop(tokio::spawn(connection(stream, Some(*address), Arc::clone(shared))));
                }
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
            #[cfg(unix)]
            BoundListener::Socket(socket) => match socket.accept().await {
                Ok(Some(stream)) => {
                    drop(tokio::spawn(connection(stream, None, Arc::clone(shared))));
                }
                // Another user's process: its connection is closed without a response.
                Ok(None) => {}
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
        }
    }
}

async fn connection(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    address: Option<SocketAddr>,
    shared: Arc<Shared>,
) {
    let (slot, mut displaced) = Slot::take(&shared.unauthenticated);
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(shared.options.stall_time));
    let mut stopping = shared.stopping.subscribe();
    let of_connection = Arc::clone(&slot);
    let service = service_fn(move |request| {
        let shared = Arc::clone(&shared);
        let slot = Arc::clone(&of_connection);
        async move { Ok::<_, Infallible>(respond(request, address, shared, &slot).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .half_close(true)
        .header_read_timeout(HEADER_TIME)
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEADER_BYTES_MAX)
        .serve_connection(TokioIo::new(Box::pin(stream)), service);
    let mut connection = pin!(connection);
    // An error is on the program's side: it disconnected, or sent malformed HTTP and got an error
    // response.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = unauthenticated_end(&slot, &mut displaced) => return,
        () = stopped(&mut stopping) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}

/// Waits until a connection has to be closed because it sent no valid request: in time, or before
/// newer ones needed its slot.
async fn unauthenticated_end(slot: &Slot, displaced: &mut oneshot::Receiver<()>) {
    let _ = tokio::time::timeout(FIRST_TIME, displaced).await;
    if slot.is_authenticated() {
        core::future::pending::<()>().await;
    }
}

/// Waits until the proxy stops.
async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // An error means that the proxy is gone.
    let _ = stopping.wait_for(|is_stopping| *is_stopping).await;
}

async fn respond(
    request: Request<Incoming>,
    address: Option<SocketAddr>,
    shared: Arc<Shared>,
    slot: &Slot,
) -> ProxyResponse {
    let started = Instant::now();
    let method = request.method().clone();
    let (parts, body) = request.into_parts();
    let gate = match address {
        Some(address) => Transport::Token { token: &shared.token, address },
        None => Transport::SameUser,
    };
    let call = check_head(&parts, &gate, &shared.options.allow);
    let path = call.as_ref().ok().map(|call| call.path.clone());
    let outcome = match call {
        Ok(_) if !slot.authenticate(&shared.connections).await => {
            Err(Failure::Denied(Denial::Busy))
        }
        Ok(call) => forward(call, parts.headers, body, &shared).await,
        Err(denial) => Err(Failure::Denied(denial)),
    };
    let denial = match &outcome {
        Err(Failure::Denied(denial)) => Some(*denial),
        _ => None,
    };
    let response = outcome.unwrap_or_else(Failure::into_response);
    if let Some(on_request) = &shared.options.on_request {
        on_request(&Record {
            method: method.as_str(),
            path: path.as_deref().and_then(|path| path.split('?').next()),
            status: response.status().as_u16(),
            denial,
            elapsed: started.elapsed(),
        });
    }
    response
}

async fn forward(
    call: AllowedCall,
    mut headers: HeaderMap,
    body: Incoming,
    shared: &Arc<Shared>,
) -> Result<ProxyResponse, Failure> {
    let permit = Arc::clone(&shared.requests).acquire_owned();
    let Ok(Ok(permit)) = tokio::time::timeout(BUSY_TIME, permit).await else {
        return Err(Failure::Denied(Denial::Busy));
    };
    let AllowedCall { method, path } = call;
    let length = hyper::body::Body::size_hint(&body).lower();
    if length > shared.options.body_bytes_max {
        return Err(Failure::Denied(Denial::TooLarge));
    }
    let has_body = !hyper::body::Body::is_end_stream(&body);
    if has_body && !method.has_body() {
        return Err(Failure::Denied(Denial::Body));
    }
    if !has_body && method.has_body() {
        // Without a length, it would go on in chunks, which some gateways refuse.
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    let abort_reason = relay::AbortReason::default();
    let options = &shared.options;
    let stall_time = options.stall_time;
    let limits = relay::Limits { bytes_max: options.body_bytes_max, stall_time };
    let body = method.has_body().then(|| {
        let (reader, transfer) = relay::request_reader(body, limits, Arc::clone(&abort_reason));
        drop(tokio::spawn(transfer));
        Box::new(reader) as Box<dyn io::Read + Send>
    });
    let forward = Forward { method, path, headers, body };
    let (sender, body) = relay::response_channel();
    let (head, received) = oneshot::channel();
    let client = Arc::clone(shared);
    drop(tokio::task::spawn_blocking(move || {
        let _permit = permit;
        match client.client.forward(forward) {
            Ok(Forwarded { status, headers, body, .. }) => {
                if head.send(Ok((status, headers))).is_ok() {
                    sender.send(body, stall_time);
                }
            }
            Err(error) => drop(head.send(Err(error))),
        }
    }));
    let (status, headers) = match received.await {
        Ok(Ok(head)) => head,
        Ok(Err(error)) => {
            return Err(match abort_reason.get() {
                Some(why) => Failure::Denied(*why),
                None => Failure::Call(error),
            });
        }
        Err(_) => return Err(Failure::Ended),
    };
    let mut response = Response::new(body.boxed_unsync());
    *response.status_mut() = status;
    *response.headers_mut() = of_response(headers);
    Ok(response)
}

/// The headers that are passed on: not those of the connection to the tenant.
fn of_response(mut headers: HeaderMap) -> HeaderMap {
    let named = headers.get_all(header::CONNECTION).iter().filter_map(|value| value.to_str().ok());
    let named: Vec<String> =
        named.flat_map(|value| value.split(',')).map(|name| name.trim().to_owned()).collect();
    for name in named.iter().map(String::as_str).chain(NOT_PASSED_ON) {
        headers.remove(name);
    }
    headers
}

/// Headers of the connection to the tenant or about its address, cookies, which later requests would
/// not return, and the proxy's own.
const NOT_PASSED_ON: [&str; 10] = [
    "alt-svc",
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authentication-info",
    "set-cookie",
    "trailer",
    "transfer-encoding",
    "upgrade",
    ERROR_NAME,
];

/// Why there is no response from the tenant.
enum Failure {
    Denied(Denial),
    Call(CallError),
    Ended,
}

impl Failure {
    fn into_response(self) -> ProxyResponse {
        let (status, code, message) = match self {
            Self::Denied(denial) => (denial.status(), denial.as_str(), denial.to_string()),
            Self::Call(error @ CallError::Timeout { .. }) => {
                (StatusCode::GATEWAY_TIMEOUT, "timeout", error.to_string())
            }
            Self::Call(error) => (StatusCode::BAD_GATEWAY, "call", error.to_string()),
            Self::Ended => (StatusCode::BAD_GATEWAY, "ended", "the call was aborted".to_owned()),
        };
        let text = format!("cortexkey proxy: {message}\n");
        let body = Full::new(Bytes::from(text)).map_err(|never| match never {});
        let mut response = Response::new(body.boxed_unsync());
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(ERROR, HeaderValue::from_static(code));
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        // The rest of the request is not read.
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        response
    }
}
