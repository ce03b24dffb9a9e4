//! [`Console`]: the running server, its connections and its routes.

use core::convert::Infallible;
use core::fmt;
use core::future::Future;
use core::net::SocketAddr;
use core::pin::Pin;
use core::time::Duration;
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;

use axum::Router;
use axum::extract::{Path, RawPathParams, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::get;
use cortexkey_system::io_reason;
use cortexkey_tenant::Controls;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::{Semaphore, watch};
use tokio::time::{sleep, timeout};

use crate::app::App;
use crate::assets;
use crate::gate::{self, CheckedRequest};
use crate::live::Live;
use crate::new_keys;
use crate::options::{HostName, Options};
use crate::page_request::{Fields, PagePart, PageRequest};
use crate::pages::{Handler, PAGES, nav};
use crate::parts::layout::{self, plain_page};
use crate::response::{Destination, redirect};
use crate::session::{COOKIE, Entry};
use crate::submissions::Submitted;

/// The largest number of open streams, plus the pages next to them.
const CONNECTIONS_MAX: usize = 1024;
/// The time limit for a browser's headers, and for an idle connection.
const HEADER_TIME: Duration = Duration::from_secs(30);
/// The time limit for receiving a form and rendering its page.
const ANSWER_TIME: Duration = Duration::from_secs(300);
/// The time limit for open requests once the console is stopping.
const STOP_TIME: Duration = Duration::from_secs(1);
/// The pause after a failure to accept, such as too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// The header by which the script selects a part of a page.
const PART_HEADER: &str = "x-console-part";

/// A running console. It stops when it is dropped.
pub struct Console {
    app: Arc<App>,
    address: String,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

/// Why a console did not start.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// The address is not loopback.
    NotLoopback {
        /// The address.
        listen: SocketAddr,
    },
    /// The port cannot be listened on.
    Listen {
        /// The address.
        listen: SocketAddr,
        /// The system's error.
        error: io::Error,
    },
    /// The system has no threads, or returned no random numbers.
    System(io::Error),
}

impl Console {
    /// Starts a console on its own threads. When this returns, it accepts connections.
    pub fn start(options: Options) -> Result<Self, StartError> {
        let listen = options.listen;
        if !listen.ip().is_loopback() {
            return Err(StartError::NotLoopback { listen });
        }
        let failed = |error| StartError::Listen { listen, error };
        let listener = std::net::TcpListener::bind(listen).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let local = listener.local_addr().map_err(failed)?;
        let host = host(options.host, local).map_err(StartError::System)?;
        let nav = nav(&options);
        let no_random = |error: getrandom::Error| StartError::System(io::Error::other(error));
        let (stop, stopping) = watch::channel(false);
        let app = Arc::new(App::new(options, host, nav).map_err(no_random)?);
        let address =
            app.sessions().waiting().map(|token| app.entry_address(token)).unwrap_or_default();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("cortexkey-console")
            .enable_all()
            .build()
            .map_err(StartError::System)?;
        let thread = std::thread::Builder::new()
            .name("cortexkey-console".to_owned())
            .spawn({
                let app = Arc::clone(&app);
                move || run(&runtime, listener, &app, stopping)
            })
            .map_err(StartError::System)?;
        Ok(Self { app, address, stop, thread: Some(thread) })
    }

    /// The address to open in a browser. It works once.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Waits for SIGINT or SIGTERM, then stops. Must not be called within an async runtime.
    pub fn wait(self) -> io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(signal())
    }

    /// Stops: no new connections; open requests are answered, within a second.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take() {
            // A panic there has already been reported.
            let _ = thread.join();
        }
    }
}

/// Shows the address, and nothing of its token.
impl fmt::Debug for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Console").field("origin", &self.app.origin()).finish_non_exhaustive()
    }
}

#[cfg(unix)]
async fn signal() -> io::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
    }
}

#[cfg(not(unix))]
async fn signal() -> io::Result<()> {
    tokio::signal::ctrl_c().await
}

/// The name in the address, with its port.
fn host(name: HostName, local: SocketAddr) -> io::Result<String> {
    if name == HostName::Address {
        return Ok(local.to_string());
    }
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(format!("ck{}.localhost:{}", hex::encode(bytes), local.port()))
}

fn run(
    runtime: &Runtime,
    listener: std::net::TcpListener,
    app: &Arc<App>,
    mut stopping: watch::Receiver<bool>,
) {
    runtime.block_on(async {
        let Ok(listener) = TcpListener::from_std(listener) else { return };
        let permits = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        let live = Arc::new(Live::new(stopping.clone()));
        let router = router(app, &live);
        if app.options.emulator().is_some() {
            tokio::spawn(async move { live.follow().await });
        }
        let stop = stopping.clone();
        tokio::select! {
            _ = stopping.wait_for(|stop| *stop) => {}
            () = drop_old_keys(app) => {}
            () = accept(&listener, &router, &permits, &stop) => {}
        }
        let all = u32::try_from(CONNECTIONS_MAX).unwrap_or(u32::MAX);
        let _ = timeout(STOP_TIME, permits.acquire_many(all)).await;
    });
}

/// Drops new keys that nobody asked for.
async fn drop_old_keys(app: &App) {
    loop {
        sleep(new_keys::WAIT_MAX / 10).await;
        app.new_keys.drop_old();
    }
}

async fn accept(
    listener: &TcpListener,
    router: &Router,
    permits: &Arc<Semaphore>,
    stop: &watch::Receiver<bool>,
) {
    loop {
        let Ok(place) = Arc::clone(permits).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let router = router.clone();
        let mut stop = stop.clone();
        tokio::spawn(async move {
            let _permit = place;
            let service = service_fn(move |request| answer_to(router.clone(), request));
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEADER_TIME)
                .max_headers(64)
                .max_buf_size(64 * 1024)
                .serve_connection(TokioIo::new(stream), service);
            tokio::pin!(connection);
            // An error is the browser's: it hung up, or sent malformed HTTP and was notified.
            tokio::select! {
                _ = connection.as_mut() => return,
                _ = stop.wait_for(|stop| *stop) => connection.as_mut().graceful_shutdown(),
            }
            let _ = connection.await;
        });
    }
}

async fn answer_to(
    router: Router,
    request: hyper::Request<hyper::body::Incoming>,
) -> Result<Response, Infallible> {
    use hyper::service::Service as _;
    let service = hyper_util::service::TowerToHyperService::new(router);
    let late = || {
        let mut response = plain_page(StatusCode::REQUEST_TIMEOUT, "the request took too long");
        crate::headers::add(response.headers_mut());
        response
    };
    match timeout(ANSWER_TIME, service.call(request)).await {
        Ok(response) => response,
        Err(_) => Ok(late()),
    }
}

fn router(app: &Arc<App>, live: &Arc<Live>) -> Router {
    let mut inside = Router::new().route("/a/{digest}/{name}", get(asset));
    for page in PAGES.iter().filter(|page| page.is_available(&app.options)) {
        let mut route = get(handled(page.get));
        if let Some(post) = page.post {
            route = route.post(handled(post));
        }
        inside = inside.route(page.path, route);
    }
    if let Some(controls) = app.options.emulator().cloned() {
        let live = Arc::clone(live);
        let stream = move |State(app): State<Arc<App>>, request: Request| {
            core::future::ready(stream(&app, &live, &controls, &request))
        };
        inside = inside.route("/requests/stream", get(stream));
    }
    let inside = inside
        .fallback(|| async { plain_page(StatusCode::NOT_FOUND, "there is no such page") })
        .layer(from_fn_with_state(Arc::clone(app), gate::check_session));
    Router::new()
        .route("/enter", get(enter))
        // Browsers request it for pages that name no icon.
        .route("/favicon.ico", get(|| async { StatusCode::NO_CONTENT }))
        .merge(inside)
        .layer(from_fn_with_state(Arc::clone(app), gate::check_origin))
        .layer(from_fn(gate::add_headers))
        .with_state(Arc::clone(app))
}

/// Runs a page's handler on a thread that may block.
fn handled(
    handler: Handler,
) -> impl Fn(State<Arc<App>>, RawPathParams, Request) -> Page + Clone + Send + Sync + 'static {
    move |State(app), parameters, request| Box::pin(page(handler, app, parameters, request))
}

type Page = Pin<Box<dyn Future<Output = Response> + Send>>;

async fn page(
    handler: Handler,
    app: Arc<App>,
    parameters: RawPathParams,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    let Some(checked) = head.extensions.get::<CheckedRequest>().cloned() else {
        return plain_page(StatusCode::UNAUTHORIZED, "there is no session");
    };
    let part = head.headers.get(PART_HEADER).map(HeaderValue::as_bytes);
    let request = PageRequest {
        parameters: parameters.iter().map(|(_, value)| value.to_owned()).collect(),
        query: Fields::of_query(head.uri.query()),
        form: checked.form,
        part: match part {
            None => PagePart::Whole,
            Some(b"dialog") => PagePart::Dialog,
            Some(_) => PagePart::Live,
        },
        is_head: head.method == Method::HEAD,
        form_token: checked.form_token,
    };
    let permits = match request.part {
        PagePart::Live => &app.live_permits,
        PagePart::Whole | PagePart::Dialog => &app.permits,
    };
    let Ok(_permit) = permits.acquire().await else {
        return plain_page(StatusCode::SERVICE_UNAVAILABLE, "the console is stopping");
    };
    let shared = Arc::clone(&app);
    let respond = move || respond(handler, &shared, &request);
    tokio::task::spawn_blocking(respond).await.unwrap_or_else(|_| {
        plain_page(
            StatusCode::INTERNAL_SERVER_ERROR,
            "this page failed; the console's terminal shows the error",
        )
    })
}

/// Runs a handler, for a form only if it was not carried out before.
fn respond(handler: Handler, app: &App, request: &PageRequest) -> Response {
    match app.submissions.once(&request.form, || handler(app, request)) {
        Submitted::Now(response) => response,
        Submitted::Before(Destination::Page(path)) => redirect(&path),
        Submitted::Before(Destination::NewKey(path)) => layout::new_key(&path),
        Submitted::Unknown => plain_page(
            StatusCode::INTERNAL_SERVER_ERROR,
            "this form was sent before and failed half-way: look at the list of keys, then open the \
             form again",
        ),
    }
}

/// Starts a session with a one-time token.
async fn enter(State(app): State<Arc<App>>, request: Request) -> Response {
    let query = Fields::of_query(request.uri().query());
    // A HEAD gets no cookie, so it uses up no token.
    let token = query.get("token").filter(|_| request.method() == Method::GET);
    let entry = token.map_or(Entry::Refused, |token| app.sessions().enter(token));
    let Entry::Begun(session) = entry else {
        app.announce_address();
        return plain_page(
            StatusCode::FORBIDDEN,
            "this address was used before, or is not the console's: open the one that the console \
             printed last",
        );
    };
    // After a redirect from a link on another page the browser would not send a strict cookie.
    let mut response = plain_page(StatusCode::OK, "opening the console");
    let headers = response.headers_mut();
    headers.insert(header::REFRESH, HeaderValue::from_static("0; url=/"));
    let cookie = format!("{COOKIE}={}; Path=/; HttpOnly; SameSite=Strict", session.expose());
    if let Ok(mut cookie) = HeaderValue::from_str(&cookie) {
        cookie.set_sensitive(true);
        headers.insert(header::SET_COOKIE, cookie);
    }
    response
}

/// The emulator's requests as they come in.
fn stream(app: &Arc<App>, live: &Live, controls: &Controls, request: &Request) -> Response {
    let Some(checked) = request.extensions().get::<CheckedRequest>() else {
        return plain_page(StatusCode::UNAUTHORIZED, "there is no session");
    };
    let query = Fields::of_query(request.uri().query());
    let stream = live.stream(app, controls, &query, checked.form_token.clone());
    stream.unwrap_or_else(|| {
        plain_page(StatusCode::SERVICE_UNAVAILABLE, "too many browsers look at the requests")
    })
}

async fn asset(Path((digest, name)): Path<(String, String)>) -> Response {
    assets::file(&digest, &name)
        .unwrap_or_else(|| plain_page(StatusCode::NOT_FOUND, "there is no such file"))
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotLoopback { listen } => {
                write!(
                    f,
                    "the console listens on loopback only, and {listen} is not a loopback address"
                )
            }
            Self::Listen { listen, error } => {
                write!(f, "cannot listen on {listen}: {}", io_reason(error))
            }
            Self::System(error) => write!(f, "cannot start the console: {}", io_reason(error)),
        }
    }
}

impl core::error::Error for StartError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::NotLoopback { .. } => None,
            Self::Listen { error, .. } | Self::System(error) => Some(error),
        }
    }
}
