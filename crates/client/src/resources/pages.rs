//! Lists that a tenant returns page by page. A count may be of the page or of the whole list, or
//! missing. A list therefore ends when a page has no new items, never only because of a count.

use std::collections::BTreeMap;

use crate::CallError;

/// The page size.
const PAGE: u64 = 100;
/// More than any tenant has; a list that continues beyond this is an error.
const ITEMS_MAX: usize = 100_000;

/// A page of a list.
pub(super) struct Page<T, O> {
    pub(super) items: Vec<T>,
    /// Records that cannot be read.
    pub(super) unreadable: Vec<O>,
    /// The total, if the tenant returns one.
    pub(super) count: Option<u64>,
}

/// All pages of a list.
pub(super) struct Pages<T, O> {
    /// By id.
    pub(super) items: Vec<T>,
    pub(super) unreadable: Vec<O>,
    /// How many at least the tenant has but did not return.
    pub(super) missing: u64,
}

/// All items, by id, or as many as are enough. `page` requests the items of a range.
pub(super) fn pages<T, O: PartialEq, K: Ord>(
    enough: usize,
    page: impl Fn(u64, u64) -> Result<Page<T, O>, CallError>,
    id: impl Fn(&T) -> K,
) -> Result<Pages<T, O>, CallError> {
    let mut all = BTreeMap::new();
    let mut unreadable = Vec::new();
    let mut from = 0;
    let mut counted = 0;
    loop {
        let Page { items, unreadable: more_unreadable, count } = page(from, from + PAGE)?;
        let length = (items.len() + more_unreadable.len()) as u64;
        // A record that cannot be read may be a duplicate, so it does not advance the position;
        // reading an item twice is harmless.
        from += if items.is_empty() { length } else { items.len() as u64 };
        counted = counted.max(count.unwrap_or(0));
        let seen = all.len() + unreadable.len();
        // An item that moved to the next page occurs twice.
        all.extend(items.into_iter().map(|item| (id(&item), item)));
        let new: Vec<O> =
            more_unreadable.into_iter().filter(|record| !unreadable.contains(record)).collect();
        unreadable.extend(new);
        let shown = all.len() + unreadable.len();
        // A tenant without pages returns the same items again. A count larger than a page is the
        // total; any other may be the page's.
        let is_all = counted > length && from >= counted;
        if shown == seen || is_all || shown >= enough {
            let missing = counted.saturating_sub(shown as u64);
            // The first page again: the tenant may have more than fits on a page.
            let is_cut = shown == seen && length == PAGE && counted <= length;
            let missing = missing.max(is_cut.into()).min(enough.saturating_sub(shown) as u64);
            return Ok(Pages { items: all.into_values().collect(), unreadable, missing });
        }
        if shown > ITEMS_MAX {
            return Err(CallError::UnexpectedAnswer { expected: "a list with an end" });
        }
    }
}
