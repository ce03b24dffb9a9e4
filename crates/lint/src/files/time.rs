//! The time of a run: from an option, from `SOURCE_DATE_EPOCH`, or from the clock.

use cortexkey_manifest::definition::moment;
use cortexkey_manifest::quote_refused;
use jiff::Timestamp;
use thiserror::Error;

/// A time that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TimeError {
    /// The time of `--now`.
    #[error("--now {written}: {reason}\nhelp: {help}")]
    Now {
        /// What was written.
        written: String,
        /// What is wrong with it.
        reason: String,
        /// What to write.
        help: String,
    },
    /// The time of `SOURCE_DATE_EPOCH`.
    #[error("SOURCE_DATE_EPOCH {written} is not a number of seconds since 1970")]
    Epoch {
        /// What was written.
        written: String,
    },
}

/// The time of `--now`, otherwise of `SOURCE_DATE_EPOCH`, otherwise of the clock.
pub fn now(said: Option<&str>, epoch: Option<&str>) -> Result<Timestamp, TimeError> {
    if let Some(text) = said {
        return moment(text).map_err(|error| TimeError::Now {
            written: quote_refused(text),
            reason: error.message,
            help: error.help,
        });
    }
    let Some(text) = epoch.filter(|text| !text.is_empty()) else { return Ok(Timestamp::now()) };
    let seconds = text.parse::<i64>().ok().and_then(|n| Timestamp::from_second(n).ok());
    seconds.ok_or_else(|| TimeError::Epoch { written: quote_refused(text) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_comes_before_the_build() {
        assert_eq!(
            now(Some("2026-01-01T00:00:00Z"), Some("0")).unwrap().as_second(),
            1_767_225_600
        );
        assert_eq!(now(None, Some("86400")).unwrap().as_second(), 86_400);
        assert!(now(None, None).unwrap().as_second() > 0);
        assert!(
            matches!(now(Some("soon"), None), Err(TimeError::Now { written, .. }) if written == "`soon`")
        );
        assert!(
            matches!(now(None, Some("x")), Err(TimeError::Epoch { written }) if written == "`x`")
        );
    }
}
