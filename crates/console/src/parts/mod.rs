//! What pages are made of.

pub(crate) mod chart;
pub(crate) mod findings;
pub(crate) mod layout;
