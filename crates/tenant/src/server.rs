//! Connections: accepted up to a limit, each held to its own limits, all ended on demand.
//!
//! It refuses headers above 64 KiB or 64 in number, senders that need more than thirty seconds for
//! their headers, and to let an accident on one connection end the others.

use core::time::Duration;
use std::sync::Arc;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{sleep, timeout};

const CONNECTIONS_MAX: u32 = 512;
const HEADERS_MAX: usize = 64;
const HEADER_BYTES_MAX: usize = 64 * 1024;
/// Also how long a connection may idle. Longer than common clients keep theirs.
const HEADER_TIME: Duration = Duration::from_secs(30);
/// How long open requests may take once the tenant is told to stop.
const STOP_TIME: Duration = Duration::from_secs(1);
/// The pause after a failure to accept, such as too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves until told to stop, then until the open requests are answered, a second at most.
pub(crate) async fn serve(listener: TcpListener, router: Router, stop: watch::Receiver<bool>) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX as usize));
    let mut stopping = stop.clone();
    tokio::select! {
        _ = stopping.wait_for(|stop| *stop) => {}
        () = accept(&listener, &router, &slots, &stop) => {}
    }
    drop(listener);
    // All slots are free when all connections have ended.
    let _ = timeout(STOP_TIME, slots.acquire_many(CONNECTIONS_MAX)).await;
}

async fn accept(
    listener: &TcpListener,
    router: &Router,
    slots: &Arc<Semaphore>,
    stop: &watch::Receiver<bool>,
) {
    // At the limit, connections wait in the system's queue.
    while let Ok(slot) = Arc::clone(slots).acquire_owned().await {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(connection(stream, router.clone(), stop.clone(), slot));
            }
            Err(_) => sleep(ACCEPT_PAUSE).await,
        }
    }
}

async fn connection(
    stream: TcpStream,
    router: Router,
    mut stop: watch::Receiver<bool>,
    slot: OwnedSemaphorePermit,
) {
    let _ = stream.set_nodelay(true);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME)
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEADER_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    tokio::pin!(connection);
    // An error is the client's: it hung up, or sent no HTTP and was told so.
    let ended = tokio::select! {
        _ = &mut connection => true,
        _ = stop.wait_for(|stop| *stop) => false,
    };
    if !ended {
        connection.as_mut().graceful_shutdown();
        let _ = connection.await;
    }
    drop(slot);
}
