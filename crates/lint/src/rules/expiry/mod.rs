//! Family E: when a key expires.

pub(crate) mod e001_missing;
pub(crate) mod e002_past;
pub(crate) mod e003_too_long;
pub(crate) mod e004_soon;
pub(crate) mod e005_invalid;
pub(crate) mod e006_off_hours;
pub(crate) mod e007_beyond_product;
pub(crate) mod e008_minutes;
pub(crate) mod time;
