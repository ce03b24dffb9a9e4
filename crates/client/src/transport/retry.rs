//! [`Retry`]: which failed calls are retried, and when.

use core::time::Duration;

use super::CallError;

/// The retry policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// The number of retries after the first attempt.
    pub retries: u32,
    /// The longest first wait; each further one may be twice as long. The actual wait is random, so
    /// that clients that failed together do not retry together.
    pub base: Duration,
    /// The longest wait, including `Retry-After`: a longer one is an error instead.
    pub wait_max: Duration,
}

impl Default for Retry {
    /// Two retries, after up to half a second and up to one; 30 s at most.
    fn default() -> Self {
        Self { retries: 2, base: Duration::from_millis(500), wait_max: Duration::from_secs(30) }
    }
}

impl Retry {
    /// No retries.
    pub const NEVER: Self = Self { retries: 0, base: Duration::ZERO, wait_max: Duration::ZERO };

    /// The wait before a retry; `None` if the call is not retried.
    pub(super) fn wait(
        &self,
        attempt: u32,
        error: &CallError,
        repeatable: bool,
    ) -> Option<Duration> {
        if attempt >= self.retries || !(had_no_effect(error) || repeatable && may_pass(error)) {
            return None;
        }
        let asked = match error {
            CallError::Refused(refused) => refused.headers.retry_wait(),
            _ => None,
        };
        if let Some(asked) = asked {
            // A random time after the requested one, so that clients do not retry together.
            return (asked <= self.wait_max).then(|| asked + share_of(self.base));
        }
        let longest = self.base.saturating_mul(1 << attempt.min(16)).min(self.wait_max);
        Some(share_of(longest))
    }
}

/// Nothing was sent, or the tenant reports that it did not process the call.
fn had_no_effect(error: &CallError) -> bool {
    match error {
        CallError::Unreachable { .. } | CallError::ConnectTimeout { .. } => true,
        CallError::Refused(refused) => refused.status == 429,
        _ => false,
    }
}

/// Failures that are often transient.
fn may_pass(error: &CallError) -> bool {
    match error {
        CallError::Timeout { .. } | CallError::Broken { .. } => true,
        CallError::Refused(refused) => matches!(refused.status, 408 | 502..=504),
        _ => false,
    }
}

/// A random part of a time; half of it if the system returns no random bytes.
fn share_of(longest: Duration) -> Duration {
    let chance = getrandom::u32().map_or(0.5, |n| f64::from(n) / f64::from(u32::MAX));
    longest.mul_f64(chance)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unreachable() -> CallError {
        CallError::Unreachable { host: String::new(), detail: String::new() }
    }

    fn timeout() -> CallError {
        CallError::Timeout { host: String::new(), after: Duration::ZERO }
    }

    #[test]
    fn waits_grow_and_stay_below_the_limit() {
        let retry =
            Retry { retries: 100, base: Duration::from_secs(1), wait_max: Duration::from_secs(30) };
        for (attempt, longest) in [(0, 1), (1, 2), (4, 16), (5, 30), (60, 30)] {
            for _ in 0..50 {
                let wait = retry.wait(attempt, &unreachable(), false);
                assert!(wait.is_some_and(|wait| wait <= Duration::from_secs(longest)), "{wait:?}");
            }
        }
        assert_eq!(retry.wait(100, &unreachable(), true), None);
        assert_eq!(Retry::NEVER.wait(0, &unreachable(), true), None);
    }

    #[test]
    fn calls_with_a_possible_effect_are_repeated_only_if_safe() {
        let retry = Retry::default();
        assert!(retry.wait(0, &timeout(), true).is_some());
        assert!(retry.wait(0, &timeout(), false).is_none());
    }
}
