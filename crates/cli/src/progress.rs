//! A progress line for long runs: on a terminal only, and only after one second.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Runs `work` and shows its progress: how many of how many `what` were read.
pub(crate) fn shown<T>(
    what: &str,
    counts: impl Fn() -> (usize, usize) + Sync,
    work: impl FnOnce() -> T,
) -> T {
    if !io::stderr().is_terminal() {
        return work();
    }
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut wait = Duration::from_secs(1);
            let mut wrote = false;
            loop {
                std::thread::park_timeout(wait);
                if done.load(Ordering::Acquire) {
                    break;
                }
                wait = Duration::from_millis(100);
                wrote = true;
                let (read, all) = counts();
                let _ = write!(io::stderr(), "\r{read} of {all} {what} read");
            }
            if wrote {
                let _ = write!(io::stderr(), "\r\u{1b}[K");
            }
        });
        let outcome = work();
        done.store(true, Ordering::Release);
        outcome
    })
}
