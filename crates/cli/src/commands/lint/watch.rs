//! `cortexkey lint --watch`: checks again whenever a file changes.

use std::io::{self, IsTerminal as _};
use std::thread;
use std::time::Duration;

use cortexkey_lint::files::Watched;

use super::{Args, once, options};
use crate::exit::{Exit, Failure};
use crate::text;

/// How often files are checked for changes.
const INTERVAL: Duration = Duration::from_millis(300);
/// Clears the screen and its scrollback.
const CLEAR: &[u8] = b"\x1b[2J\x1b[3J\x1b[H";

/// Checks until the user stops it. The first run must be able to start.
pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    let mut watched = Watched::default();
    loop {
        let before = watched.renewed();
        // Each run has its own time.
        let options = options(args)?;
        let (_, outcome) = once(args, &options)?;
        if outcome.report.is_none() && watched.is_empty() {
            return Ok(Exit::UsageError);
        }
        watched = Watched::after(&options, &outcome, &before);
        text::eprint("cortexkey lint: waiting for changes; press Ctrl-C to stop\n");
        while !watched.has_changed() {
            thread::sleep(INTERVAL);
        }
        if io::stdout().is_terminal() {
            text::print_bytes(CLEAR)?;
        }
    }
}
