//! Maps over many items on all processors.

use std::num::NonZero;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, Builder};

/// Fewer items than this are processed faster than another thread starts.
const FEW: usize = 64;
/// How many items a thread takes at a time.
const CHUNK: usize = 16;
/// The most threads that a caller can ask for.
const THREADS_MAX: usize = 256;

/// Applies `one` to each item, and returns the results in order. `jobs` is the number of threads;
/// one per processor by default.
pub(crate) fn map<T: Sync, R: Send>(
    items: &[T],
    jobs: Option<usize>,
    one: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let processors = || thread::available_parallelism().map_or(1, NonZero::get);
    let threads = jobs.unwrap_or_else(processors).min(THREADS_MAX);
    if items.len() < FEW || threads < 2 {
        return items.iter().map(one).collect();
    }
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let nth = next.fetch_add(1, Ordering::Relaxed);
            let Some(chunk) = items.chunks(CHUNK).nth(nth) else { return done };
            done.push((nth, chunk.iter().map(&one).collect::<Vec<R>>()));
        }
    };
    let mut parts = thread::scope(|scope| {
        // If fewer threads could be started, the others do more.
        let spawn = |_| Builder::new().spawn_scoped(scope, work).ok();
        let others: Vec<_> = (1..threads).map_while(spawn).collect();
        let mut parts = work();
        for other in others {
            parts.extend(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        parts
    });
    parts.sort_unstable_by_key(|(nth, _)| *nth);
    parts.into_iter().flat_map(|(_, part)| part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_in_order_for_any_number_of_threads() {
        for len in [0, 1, FEW - 1, FEW, FEW + 1, 1_000] {
            let items: Vec<usize> = (0..len).collect();
            for jobs in [None, Some(0), Some(1), Some(2), Some(7), Some(usize::MAX)] {
                let doubled = map(&items, jobs, |item| 2 * item);
                assert!(
                    doubled.into_iter().eq(items.iter().map(|item| 2 * item)),
                    "{len} {jobs:?}"
                );
            }
        }
    }

    #[test]
    fn a_panic_reaches_the_caller() {
        let items: Vec<usize> = (0..1_000).collect();
        let panicked =
            std::panic::catch_unwind(|| map(&items, Some(4), |item| 1_000 / (999 - item)));
        assert!(panicked.is_err());
    }
}
