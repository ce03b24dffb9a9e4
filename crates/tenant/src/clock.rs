//! [`Clock`]: the tenant's time, from the machine or from a test.
//!
//! A settable clock can be set back, like a machine's clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// The source of the tenant's time.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The clock of the machine.
    #[default]
    System,
    /// A clock that can be set.
    Settable(SettableClock),
}

impl Clock {
    /// Milliseconds since 1970.
    pub fn now_ms(&self) -> u64 {
        match self {
            Self::System => u64::try_from(system_ms()).unwrap_or(0),
            Self::Settable(clock) => clock.now_ms(),
        }
    }
}

/// A settable clock. Clones share the same clock.
#[derive(Clone, Debug)]
pub struct SettableClock {
    /// Whether it advances by itself.
    runs: bool,
    /// How far it is ahead of the machine's clock if it runs, otherwise the time itself; in
    /// milliseconds.
    value_ms: Arc<AtomicI64>,
}

impl SettableClock {
    /// A stopped clock with this time, in milliseconds since 1970.
    pub fn at(now_ms: u64) -> Self {
        Self { runs: false, value_ms: Arc::new(AtomicI64::new(signed(now_ms))) }
    }

    /// A clock that runs with the machine's and can be offset from it.
    pub fn running() -> Self {
        Self { runs: true, value_ms: Arc::default() }
    }

    /// Milliseconds since 1970.
    pub fn now_ms(&self) -> u64 {
        let value_ms = self.value_ms.load(Ordering::Relaxed);
        u64::try_from(value_ms.saturating_add(self.base_ms())).unwrap_or(0)
    }

    /// Sets the clock, to milliseconds since 1970.
    pub fn set(&self, now_ms: u64) {
        let value_ms = signed(now_ms).saturating_sub(self.base_ms());
        self.value_ms.store(value_ms, Ordering::Relaxed);
    }

    /// Advances the clock.
    pub fn advance(&self, by_ms: u64) {
        // It cannot fail, since the closure always returns a value.
        let _ = self.value_ms.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |value_ms| {
            Some(value_ms.saturating_add(signed(by_ms)))
        });
    }

    /// How far a running clock is ahead of the machine's, in milliseconds; `None` if it is stopped.
    pub(crate) fn ahead_ms(&self) -> Option<i64> {
        self.runs.then(|| self.value_ms.load(Ordering::Relaxed))
    }

    /// Sets how far a running clock is ahead of the machine's, in milliseconds.
    pub(crate) fn set_ahead_ms(&self, ahead_ms: i64) {
        if self.runs {
            self.value_ms.store(ahead_ms, Ordering::Relaxed);
        }
    }

    fn base_ms(&self) -> i64 {
        if self.runs { system_ms() } else { 0 }
    }
}

fn system_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|since| i64::try_from(since.as_millis()).ok())
        .unwrap_or(0)
}

fn signed(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_stopped_or_running_and_can_be_set() {
        let standing = SettableClock::at(5);
        standing.advance(7);
        assert_eq!(standing.now_ms(), 12);
        standing.set(3);
        assert_eq!(standing.clone().now_ms(), 3);
        standing.advance(u64::MAX);
        assert_eq!(standing.now_ms(), u64::try_from(i64::MAX).unwrap());

        let running = SettableClock::running();
        let ahead = |clock: &SettableClock| clock.now_ms().abs_diff(Clock::System.now_ms());
        assert!(ahead(&running) < 1_000);
        running.advance(86_400_000);
        assert!(ahead(&running).abs_diff(86_400_000) < 1_000);
        running.set(1_000_000);
        assert!(running.now_ms() < 60_000_000);
    }
}
