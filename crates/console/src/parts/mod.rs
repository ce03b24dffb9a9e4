//! The building blocks of pages.

pub(crate) mod chart;
pub(crate) mod findings;
pub(crate) mod layout;
pub(crate) mod overview;
pub(crate) mod pager;
