//! Lists that a tenant gives page by page.
//!
//! What is counted may be the page or all, or may be missing. So a list ends where a page brings
//! nothing new, and never only because a count says so.

use std::collections::BTreeMap;

use crate::CallError;

/// How many are asked for at once.
const PAGE: u64 = 100;
/// More than any tenant has; a list that goes on is not one.
const ITEMS_MAX: usize = 100_000;

/// A page of a list.
pub(super) struct Page<T, O> {
    pub(super) items: Vec<T>,
    /// What cannot be read.
    pub(super) odd: Vec<O>,
    /// How many there are, as far as the tenant says so.
    pub(super) count: Option<u64>,
}

/// All pages of a list.
pub(super) struct Pages<T, O> {
    /// By id.
    pub(super) items: Vec<T>,
    pub(super) odd: Vec<O>,
    /// How many the tenant counts and does not show.
    pub(super) missing: u64,
}

/// All items, by id, or as many as are enough. `page` asks for those from one place to another.
pub(super) fn pages<T, O: PartialEq, K: Ord>(
    enough: usize,
    page: impl Fn(u64, u64) -> Result<Page<T, O>, CallError>,
    id: impl Fn(&T) -> K,
) -> Result<Pages<T, O>, CallError> {
    let (mut all, mut odd) = (BTreeMap::new(), Vec::new());
    let (mut from, mut counted) = (0, 0);
    loop {
        let Page { items, odd: more_odd, count } = page(from, from + PAGE)?;
        let length = (items.len() + more_odd.len()) as u64;
        // A record that cannot be read may be one too many, so that it does not move the place; what
        // then comes twice does no harm.
        from += if items.is_empty() { length } else { items.len() as u64 };
        counted = counted.max(count.unwrap_or(0));
        let seen = all.len() + odd.len();
        // One that moved from one page to the next comes twice.
        all.extend(items.into_iter().map(|item| (id(&item), item)));
        let new: Vec<O> = more_odd.into_iter().filter(|record| !odd.contains(record)).collect();
        odd.extend(new);
        let shown = all.len() + odd.len();
        // A tenant that knows no pages gives the same again. A count that is more than a page is of
        // all; any other one may be of the page.
        let is_all = counted > length && from >= counted;
        if shown == seen || is_all || shown >= enough {
            let missing =
                counted.saturating_sub(shown as u64).min(enough.saturating_sub(shown) as u64);
            return Ok(Pages { items: all.into_values().collect(), odd, missing });
        }
        if shown > ITEMS_MAX {
            return Err(CallError::UnexpectedAnswer { expected: "a list with an end" });
        }
    }
}
