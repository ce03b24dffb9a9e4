//! A server whose routes respond only to requests that are signed with a known key.
//!
//! It prints its address, and stops at Ctrl-C.

#![allow(clippy::print_stdout, reason = "the address is the program's output")]

use std::error::Error;

use axum::routing::get;
use axum::{Extension, Router};
use cortexkey_core::auth::{Key, KeyId, Level, StoredKey};
use cortexkey_core::replay::Start;
use cortexkey_examples::{Caller, VerifyLayer};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let id =
        KeyId::new(std::env::var("CORTEXKEY_API_KEY_ID")?.parse()?).ok_or("a key id is never 0")?;
    let key = std::env::var("CORTEXKEY_API_KEY")?;
    let stored = StoredKey::new(id, Level::Advanced, Key::new(key.as_bytes())?);

    // The example assumes that no request with this key was accepted before. A service that
    // restarts uses `Start::Fresh`.
    let app = Router::new()
        .route(
            "/",
            get(|Extension(caller): Extension<Caller>| async move {
                format!("hello, key {}\n", caller.key_id)
            }),
        )
        .layer(VerifyLayer::new(vec![stored], Start::First)?);

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}/", listener.local_addr()?);
    let stop = async {
        // If the signal cannot be awaited, the server runs until it is killed.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    axum::serve(listener, app).with_graceful_shutdown(stop).await?;
    Ok(())
}
