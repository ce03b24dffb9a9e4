//! [`BoxError`]: any error that a page can show.

use std::error::Error;

/// An error of any type, whose message a page shows.
pub(crate) type BoxError = Box<dyn Error + Send + Sync>;
