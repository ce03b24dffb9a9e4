//! [`Ranges`]: disjoint ranges of timestamps, in the format of the shared guard's script.

use core::fmt::Write as _;

/// Ranges that are no further apart are merged, in milliseconds; the same number as in the script.
const GAP_MS: u64 = 16_000;
/// The largest number of ranges; beyond it the two nearest are merged.
const RANGES_MAX: usize = 16;

/// Disjoint ranges in ascending order, both ends included, in milliseconds since 1970.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ranges(Vec<(u64, u64)>);

impl Ranges {
    /// Parses `from-to,from-to`; `None` for anything else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut ranges = Self::default();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let (from, to) = part.split_once('-')?;
            let from = from.parse().ok()?;
            let to = to.parse().ok()?;
            if from > to {
                return None;
            }
            ranges.add(from, to);
        }
        Some(ranges)
    }

    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for (from, to) in &self.0 {
            let comma = if text.is_empty() { "" } else { "," };
            // Writing to a string cannot fail.
            let _ = write!(text, "{comma}{from}-{to}");
        }
        text
    }

    pub(super) fn contains(&self, time_ms: u64) -> bool {
        self.0.iter().any(|(from, to)| (*from..=*to).contains(&time_ms))
    }

    /// Whether every time of the other ranges is in these.
    pub(super) fn cover(&self, other: &Self) -> bool {
        let is_covered = |(from, to): &(u64, u64)| {
            self.0.iter().any(|(own_from, own_to)| own_from <= from && to <= own_to)
        };
        other.0.iter().all(is_covered)
    }

    /// Returns the ranges with each end rounded up to a multiple of a step.
    pub(super) fn rounded_up(&self, step_ms: u64) -> Self {
        let mut rounded = Self::default();
        for (from, to) in &self.0 {
            rounded.add(*from, to.checked_next_multiple_of(step_ms).unwrap_or(*to));
        }
        rounded
    }

    fn add(&mut self, mut from: u64, mut to: u64) {
        self.0.retain(|(own_from, own_to)| {
            let is_apart =
                own_to.saturating_add(GAP_MS) < from || to.saturating_add(GAP_MS) < *own_from;
            if !is_apart {
                (from, to) = (from.min(*own_from), to.max(*own_to));
            }
            is_apart
        });
        let at = self.0.partition_point(|(own_from, _)| *own_from < from);
        self.0.insert(at, (from, to));
        if self.0.len() > RANGES_MAX {
            let gap = |at: &usize| self.0[*at].0 - self.0[*at - 1].1;
            let nearest = (1..self.0.len()).min_by_key(gap).unwrap_or(1);
            self.0[nearest - 1].1 = self.0[nearest].1;
            self.0.remove(nearest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(text: &str) -> Ranges {
        Ranges::parse(text).unwrap()
    }

    #[test]
    fn near_ranges_become_one_and_the_count_is_limited() {
        assert_eq!(ranges("5-9,26000-30000").text(), "5-9,26000-30000");
        assert_eq!(ranges("26000-30000,5-9,9000-11000").text(), "5-30000");
        assert_eq!(ranges("").text(), "");
        for bad in ["5", "9-5", "a-b", "1-2-3", "-1-2", "1-99999999999999999999"] {
            assert!(Ranges::parse(bad).is_none(), "{bad}");
        }
        let mut many = Ranges::default();
        for at in 0..40_u64 {
            many.add(at * 100_000 + at, at * 100_000 + at + 7);
            assert!(many.0.len() <= RANGES_MAX);
            assert!((0..=at).all(|at| many.contains(at * 100_000 + at)), "{at}");
        }
    }

    #[test]
    fn what_covers_what() {
        assert!(ranges("0-100").cover(&ranges("5-9")));
        assert!(!ranges("0-100").cover(&ranges("5-101")));
        assert!(!ranges("0-100").cover(&ranges("5-9,50000-50001")));
        assert!(ranges("0-100").cover(&Ranges::default()));
        assert_eq!(ranges("5-9").rounded_up(8_000).text(), "5-8000");
        assert!(ranges("5-9").contains(9) && !ranges("5-9").contains(10));
    }
}
