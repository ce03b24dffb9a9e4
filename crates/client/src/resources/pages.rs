//! Lists that a tenant gives page by page.
//!
//! It refuses lists without an end, and to take a page that is shorter than asked for the last one.

use std::collections::BTreeMap;

use crate::CallError;

/// How many are asked for at once.
const PAGE: u64 = 100;
/// More than any tenant has; a list that goes on is not one.
const ITEMS_MAX: usize = 100_000;

/// All items, by id. `page` asks for those from one place to another, and answers with them and how
/// many there are in all.
pub(super) fn pages<T>(
    page: impl Fn(u64, u64) -> Result<(Vec<T>, u64), CallError>,
    id: impl Fn(&T) -> u64,
) -> Result<Vec<T>, CallError> {
    let mut all = BTreeMap::new();
    let mut from = 0;
    loop {
        let (items, count) = page(from, from + PAGE)?;
        from += items.len() as u64;
        let seen = all.len();
        // One that moved from one page to the next comes twice.
        all.extend(items.into_iter().map(|item| (id(&item), item)));
        // A tenant that knows no pages gives the same again.
        if from >= count || all.len() == seen {
            return Ok(all.into_values().collect());
        }
        if all.len() > ITEMS_MAX {
            return Err(CallError::UnexpectedAnswer { expected: "a list with an end" });
        }
    }
}
