//! A list in pages: which part of it is shown, and the links to the others.

use maud::{Markup, html};

use crate::page_request::Fields;

/// Entries of a page.
const ENTRIES: usize = 50;

/// A page of a list.
pub(crate) struct Pager<'a> {
    /// The query parameter with the page's number.
    name: &'static str,
    path: &'a str,
    query: &'a Fields,
    count: usize,
    page: usize,
}

impl<'a> Pager<'a> {
    /// The page that a query requests; the last one if there are fewer.
    pub(crate) fn new(path: &'a str, query: &'a Fields, count: usize) -> Self {
        Self::with_parameter("page", path, query, count)
    }

    /// Like [`new`](Self::new), for a page with several lists, each with its own parameter.
    pub(crate) fn with_parameter(
        name: &'static str,
        path: &'a str,
        query: &'a Fields,
        count: usize,
    ) -> Self {
        let requested = query.get(name).and_then(|page| page.parse().ok()).unwrap_or(1_usize);
        let last = count.div_ceil(ENTRIES).max(1);
        Self { name, path, query, count, page: requested.clamp(1, last) }
    }

    /// The entries of the page.
    pub(crate) fn page_of<'l, T>(&self, list: &'l [T]) -> &'l [T] {
        let (from, until) = self.range();
        list.get(from..until).unwrap_or_default()
    }

    /// The current position, and links to the other pages. Empty if everything is shown.
    pub(crate) fn links(&self) -> Markup {
        let (from, until) = self.range();
        let address = |page: usize| {
            let query = self.query.with(self.name, Some(&page.to_string())).with("token", None);
            format!("{}?{}", self.path, query.to_query())
        };
        html! {
            @if self.count > ENTRIES {
                div class="bar" {
                    span class="muted" { (from + 1) "–" (until) " of " (self.count) }
                    span class="tools" {
                        @if self.page > 1 {
                            a class="button" href=(address(self.page - 1)) { "Previous" }
                        }
                        @if until < self.count {
                            a class="button" href=(address(self.page + 1)) { "Next" }
                        }
                    }
                }
            }
        }
    }

    fn range(&self) -> (usize, usize) {
        let from = (self.page - 1) * ENTRIES;
        (from, self.count.min(from + ENTRIES))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_cover_a_list_without_gaps() {
        let list: Vec<usize> = (0..120).collect();
        for (page, wanted) in
            [("1", 0..50), ("2", 50..100), ("3", 100..120), ("9", 100..120), ("0", 0..50)]
        {
            let query = Fields::of_query(Some(&format!("page={page}")));
            let pager = Pager::new("/x", &query, list.len());
            assert_eq!(pager.page_of(&list), &list[wanted], "{page}");
        }
        let query = Fields::default();
        assert!(Pager::new("/x", &query, 0).page_of::<usize>(&[]).is_empty());
    }
}
