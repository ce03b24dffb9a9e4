//! [`LogLine`]: what is told of one answered request.
//!
//! It refuses to hold a key, a nonce, a digest or a query. Of a path it keeps at most 200
//! characters, and no part that is as long as a key; of methods only those that HTTP has.

use core::fmt;
use core::time::Duration;

use axum::http::Method;
use cortexkey_core::auth::{KeyId, Verdict};

const PATH_CHARS_MAX: usize = 200;
/// Digests have 64 characters and keys usually 128; no call's name is near that.
const PART_CHARS_MAX: usize = 40;

/// One answered request.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LogLine {
    /// When it came, in milliseconds since 1970.
    pub time_ms: u64,
    /// Its method, `OTHER` where it is none of HTTP's own.
    pub method: String,
    /// Its path, shortened.
    pub path: String,
    /// The key that it named, where its headers were well-formed.
    pub key_id: Option<KeyId>,
    /// What the verifier said.
    pub verdict: Verdict,
    /// What the replay guard would have refused it for, where it only observes.
    pub observed: Option<Verdict>,
    /// The status of the answer.
    pub status: u16,
    /// How long it took.
    pub took: Duration,
}

/// One line of text, without the time.
impl fmt::Display for LogLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.method, self.path, self.status)?;
        match self.key_id {
            Some(id) => write!(f, " key {id}")?,
            None => f.write_str(" key unknown")?,
        }
        write!(f, " {}", self.verdict)?;
        if let Some(observed) = self.observed {
            write!(f, " (observed: {observed})")?;
        }
        write!(f, " {} us", self.took.as_micros())
    }
}

/// A method that is fit for a log: one of HTTP's own. Any other text may come in its place, a key
/// among it.
pub(crate) fn known_method(method: &Method) -> &'static str {
    const KNOWN: [&str; 9] =
        ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "CONNECT"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("OTHER")
}

/// A path that is fit for a log.
pub(crate) fn loggable(path: &str) -> String {
    let mut fit = String::new();
    for (at, part) in path.split('/').enumerate() {
        if at > 0 {
            fit.push('/');
        }
        if part.len() > PART_CHARS_MAX {
            fit.push_str("...");
        } else {
            fit.extend(part.chars().map(|c| if c.is_ascii_graphic() { c } else { '?' }));
        }
        if fit.len() > PATH_CHARS_MAX {
            fit.truncate(PATH_CHARS_MAX);
            fit.push_str("...");
            break;
        }
    }
    fit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_made_fit() {
        assert_eq!(loggable("/public_api/v1/x/"), "/public_api/v1/x/");
        assert_eq!(loggable(&format!("/keys/{}/x", "k".repeat(128))), "/keys/.../x");
        assert_eq!(loggable("/é\u{1b}"), "/??");
        assert!(loggable(&"/abc".repeat(500)).len() < 250);
    }
}
