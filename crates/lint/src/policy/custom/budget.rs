//! Limits the work of an expression. Steps and sizes of values are counted in the same unit.
//!
//! One unit is the visit of one node of the expression inside a loop, or about sixteen bytes of a
//! value that is copied or compared. An expression over the limit is an error, so it never passes.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use cel::{ExecutionError, Value};

/// Units of one rule for one key. Rules that look at each item of a list once take hundreds.
pub(super) const EVALUATION_MAX: u64 = 200_000;

/// Units of all rules for all keys of one file.
const FILE_MAX: u64 = 4_000_000;

/// The remaining units for the keys of one file.
#[derive(Debug)]
pub(crate) struct Budget(Cell<u64>);

impl Budget {
    pub(crate) fn of_file() -> Self {
        Self(Cell::new(FILE_MAX))
    }

    /// A meter for one evaluation.
    pub(super) fn meter(&self) -> Meter {
        Meter::new(self.0.get().min(EVALUATION_MAX))
    }

    /// Subtracts what an evaluation used.
    pub(super) fn settle(&self, meter: &Meter) {
        self.0.set(self.0.get().saturating_sub(meter.taken()));
    }
}

/// Counts the units of one evaluation; clones share the count.
#[derive(Clone, Debug)]
pub(super) struct Meter(Arc<Count>);

#[derive(Debug)]
struct Count {
    from: u64,
    left: AtomicU64,
    over: AtomicBool,
}

impl Meter {
    pub(super) fn new(units: u64) -> Self {
        let left = AtomicU64::new(units);
        Self(Arc::new(Count { from: units, left, over: AtomicBool::new(false) }))
    }

    /// Counts units, or ends the evaluation.
    pub(super) fn charge(&self, units: u64) -> Result<(), ExecutionError> {
        let left = self.0.left.load(Ordering::Relaxed);
        if let Some(left) = left.checked_sub(units).filter(|_| !self.is_over()) {
            self.0.left.store(left, Ordering::Relaxed);
            return Ok(());
        }
        self.0.left.store(0, Ordering::Relaxed);
        self.0.over.store(true, Ordering::Relaxed);
        Err(ExecutionError::function_error("budget", "too many steps"))
    }

    /// Counts a value that is about to be copied or compared.
    pub(super) fn charge_value(&self, value: &Value) -> Result<(), ExecutionError> {
        match value {
            Value::List(items) => {
                self.charge(1)?;
                items.iter().try_for_each(|item| self.charge_value(item))
            }
            Value::Map(map) => {
                self.charge(map.map.len() as u64 + 1)?;
                map.map.values().try_for_each(|value| self.charge_value(value))
            }
            Value::String(text) => self.charge(units_of(text.len())),
            Value::Bytes(bytes) => self.charge(units_of(bytes.len())),
            _ => self.charge(1),
        }
    }

    /// True when the evaluation was ended. The expression may still have an answer: an error in
    /// `||` beside `true` is `true`.
    pub(super) fn is_over(&self) -> bool {
        self.0.over.load(Ordering::Relaxed)
    }

    fn taken(&self) -> u64 {
        self.0.from - self.0.left.load(Ordering::Relaxed)
    }
}

/// The units of a string or of bytes.
pub(super) fn units_of(bytes: usize) -> u64 {
    1 + bytes as u64 / 16
}
