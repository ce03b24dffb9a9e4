//! The API Keys page of a tenant in a browser: a small server on loopback that renders pages from
//! what the client reads and the linter finds.
//!
//! It has no logic of its own: filters, notices and decisions are the core's, findings the
//! linter's, calls, plans and rotations the client's.
//!
//! ```no_run
//! # fn client() -> cortexkey_client::Client { unimplemented!() }
//! use cortexkey_console::{Console, Options};
//!
//! let console = Console::start(Options::new(client()))?;
//! println!("open {}", console.address());
//! console.wait()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Adding a page
//!
//! 1. Write `pages/NAME.rs` with `pub(super) fn show(app: &App, request: &PageRequest) -> Response`.
//!    It runs on its own thread and may block. It returns `layout::page(app, request, &Frame { … },
//!    &content)`, where `content` comes from `maud::html!`; everything in it is escaped.
//! 2. Add a line to `pages::PAGES`: the path, the entry in the navigation (which decides what
//!    consoles have the page) and the handlers. A `POST` handler gets only forms with the session's
//!    token from this origin; `app.may_change()` returns whether the tenant may be changed. A form on
//!    a page begins with `layout::token_field(request)`.
//! 3. Keys come from `app.snapshot(...)`, never from a call in a filter or a sort. An element that
//!    can be copied has `data-copy`; a link with `data-dialog` opens in a dialog; a form with
//!    `data-live="ID"` is sent again on every change, and the parts of its response
//!    (`response::parts`) replace those of the page. `assets/console.js` lists these hooks at its
//!    top. A list longer than a page goes through `parts::pager`.
//! 4. Add the page's states to `STATES` in `e2e/states.mjs`: each is opened in light and dark, wide
//!    and narrow, and checked by axe.
//!
//! A script, style or picture from elsewhere, an inline `style=` and an `on…=` attribute do not work:
//! the Content-Security-Policy forbids them.

#![allow(
    clippy::format_collect,
    clippy::format_push_string,
    reason = "text for people, a few lines of it"
)]

mod app;
mod assets;
mod error;
mod gate;
mod headers;
mod live;
mod options;
mod page_request;
mod pages;
mod parts;
mod records;
mod report;
mod response;
mod server;
mod session;
mod snapshot;

pub use options::{HostName, Options, TenantKind};
pub use report::{inventory_html, report_html};
pub use server::{Console, StartError};
