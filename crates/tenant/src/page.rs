//! [`Page`]: the part of a list that a request selects.

use crate::refusal::Refusal;

/// A part of a list.
#[derive(Clone, Copy)]
pub(crate) struct Page {
    from: usize,
    count: usize,
}

impl Page {
    /// A range of items, the whole list by default.
    pub(crate) fn new(from: Option<u64>, to: Option<u64>) -> Self {
        let from = from.unwrap_or(0);
        let to = to.unwrap_or(u64::MAX);
        Self { from: as_usize(from), count: as_usize(to.saturating_sub(from)) }
    }

    /// Like [`new`](Self::new), with a maximum and default size; a page that ends before it starts
    /// is refused.
    pub(crate) fn checked(from: Option<u64>, to: Option<u64>, max: u64) -> Result<Self, Refusal> {
        let first = from.unwrap_or(0);
        let last = to.unwrap_or(first.saturating_add(max));
        check_order(first, to)?;
        if last - first > max {
            return Err(Refusal::invalid("search_to is too far from search_from")
                .with_extra(format!("a page has at most {max} entries")));
        }
        Ok(Self::new(Some(first), Some(last)))
    }

    /// The selected part of the list.
    pub(crate) fn of<T>(self, list: impl Iterator<Item = T>) -> impl Iterator<Item = T> {
        list.skip(self.from).take(self.count)
    }
}

/// Refuses a page that ends before it starts.
pub(crate) fn check_order(from: u64, to: Option<u64>) -> Result<(), Refusal> {
    match to {
        Some(to) if to <= from => {
            Err(Refusal::invalid("search_to must be greater than search_from"))
        }
        _ => Ok(()),
    }
}

fn as_usize(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
