//! Measures interleaved cases: they take turns in one process, so that a slow moment of the machine
//! affects all of them, and the ratio of adjacent turns counts.
//!
//! It reports medians: one interrupt would move an average.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "counts and nanoseconds of a few seconds, which a float holds"
)]

use std::time::{Duration, Instant};

/// How long a case runs per turn: long compared with the clock's own cost, short compared with
/// other activity of the machine.
const TURN: Duration = Duration::from_millis(3);

/// One thing to measure.
pub struct Case<'a> {
    name: String,
    run: Box<dyn FnMut(u64) -> Duration + 'a>,
    /// How many operations one repetition does.
    operations: u64,
    repetitions: u64,
    ns: Vec<f64>,
}

impl<'a> Case<'a> {
    /// A case whose repetition is one operation.
    pub fn new<T>(name: impl Into<String>, mut operation: impl FnMut() -> T + 'a) -> Self {
        Self::timed(name, 1, move |repetitions| {
            let start = Instant::now();
            for _ in 0..repetitions {
                std::hint::black_box(operation());
            }
            start.elapsed()
        })
    }

    /// A case that repeats by itself, and returns the time of the relevant part.
    pub fn timed(
        name: impl Into<String>,
        operations: u64,
        run: impl FnMut(u64) -> Duration + 'a,
    ) -> Self {
        let run = Box::new(run);
        Self { name: name.into(), run, operations, repetitions: 1, ns: Vec::new() }
    }

    /// Like [`new`](Self::new), where one repetition does this many operations.
    #[must_use]
    pub fn of(mut self, operations: u64) -> Self {
        self.operations = operations;
        self
    }

    /// Finds how many repetitions fill a turn.
    fn calibrate(&mut self) {
        loop {
            let took = (self.run)(self.repetitions);
            if took * 2 >= TURN {
                return;
            }
            let wanted = TURN.as_nanos() * u128::from(self.repetitions) / took.as_nanos().max(1);
            self.repetitions =
                u64::try_from(wanted).unwrap_or(u64::MAX).clamp(self.repetitions + 1, 1 << 30);
        }
    }

    fn turn(&mut self) {
        let took = (self.run)(self.repetitions);
        self.ns.push(took.as_nanos() as f64 / (self.repetitions * self.operations) as f64);
    }
}

/// The results of a case: nanoseconds per operation, one for each round.
#[derive(Clone, Debug)]
pub struct Measured {
    /// The case's name.
    pub name: String,
    /// One figure per round, in order.
    pub ns: Vec<f64>,
}

/// Interleaves the cases for this many rounds. Each round starts with another case.
pub fn side_by_side(mut cases: Vec<Case<'_>>, rounds: usize) -> Vec<Measured> {
    cases.iter_mut().for_each(Case::calibrate);
    for round in 0..rounds {
        let count = cases.len();
        for turn in 0..count {
            cases[(round + turn) % count].turn();
        }
    }
    cases.into_iter().map(|case| Measured { name: case.name, ns: case.ns }).collect()
}

/// The median of many figures, and its uncertainty.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Median {
    /// Half of the figures are below.
    pub value: f64,
    /// The 95 % confidence interval of the median, by order statistics.
    pub interval: (f64, f64),
    /// Half of the figures are nearer to the median than this.
    pub spread: f64,
}

impl Median {
    /// From at least one figure.
    #[must_use]
    pub fn of(figures: &[f64]) -> Self {
        let sorted = sorted(figures);
        let value = middle(&sorted);
        // The ranks that enclose the median with 95 %: half the count, plus and minus 1.96 standard
        // deviations of a binomial.
        let half = sorted.len() as f64 / 2.0;
        let reach = 0.98 * (sorted.len() as f64).sqrt();
        let low = (half - reach).floor().max(0.0) as usize;
        let high = ((half + reach).ceil() as usize).min(sorted.len() - 1);
        let distances: Vec<f64> = sorted.iter().map(|figure| (figure - value).abs()).collect();
        Self {
            value,
            interval: (sorted[low], sorted[high]),
            spread: middle(&self::sorted(&distances)),
        }
    }

    /// How many times longer the peer took: the median of the rounds' own ratios.
    #[must_use]
    pub fn ratio(peer: &Measured, ours: &Measured) -> Self {
        let ratios: Vec<f64> =
            peer.ns.iter().zip(&ours.ns).map(|(peer, ours)| peer / ours).collect();
        Self::of(&ratios)
    }
}

fn sorted(figures: &[f64]) -> Vec<f64> {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

fn middle(sorted: &[f64]) -> f64 {
    let half = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[half] } else { f64::midpoint(sorted[half - 1], sorted[half]) }
}
