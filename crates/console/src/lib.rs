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
//! 3. Keys come from `app.snapshot(...)`, never from a call in a filter or a sort. A list longer than
//!    a page goes through `parts::pager`.
//! 4. A form that changes something contains `reveal::submission_field()`, so that a second click
//!    does not carry it out again. A new key goes through `reveal::KeyReveal`, and is in no other
//!    response than that of its own page.
//! 5. Add the page's states to `STATES` in `e2e/states.mjs`: each is opened in light and dark, wide
//!    and narrow, and checked by axe.
//!
//! # What the script acts on
//!
//! | attribute | effect |
//! |---|---|
//! | `data-live` on a form | it is sent on every change (to the attribute's address, if it is a `post`), and the parts of the response (`response::parts`) replace those of the page |
//! | `data-live` on a link | the same, and the address changes |
//! | `data-dialog` on a link | its page opens in the dialog, which `data-close` closes |
//! | `data-copy="TEXT"`, `data-copy-from="ID"` | a click copies the text, or that of an element; `data-what` names it. The button is `hidden` without the script |
//! | `data-text`, `data-time`, `data-at` on a cell | what a click on *Copy text* copies: the value, or the part of the row's `data-row` with this number |
//! | `data-menu` | opens the menu of the row, as its context menu does; `hidden` without the script |
//! | `role="tablist"`, hidden | shows its tabs, and one panel at a time |
//! | `data-may-be-sent` | turns the form's button on or off |
//! | `data-stream="ADDRESS"`, `data-pause` | puts parts in place as they come; holds them back |
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
mod new_keys;
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
mod submissions;

pub use options::{HostName, Options, TenantKind};
pub use report::{inventory_html, report_html};
pub use server::{Console, StartError};
