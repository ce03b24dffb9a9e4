//! [`io_reason`]: an I/O error in plain words.

use std::io::{self, ErrorKind};

/// Why an operation failed, in lower case and without the system's number.
///
/// ```
/// # use cortexkey_system::io_reason;
/// let error = std::fs::File::open("no/such/file").unwrap_err();
/// assert_eq!(io_reason(&error), "there is no such file");
/// ```
pub fn io_reason(error: &io::Error) -> String {
    // An error of our own has its own words.
    if error.get_ref().is_some() {
        return error.to_string();
    }
    match error.kind() {
        ErrorKind::NotFound => "there is no such file".to_owned(),
        ErrorKind::PermissionDenied => "permission denied".to_owned(),
        ErrorKind::AlreadyExists => "a file of this name already exists".to_owned(),
        ErrorKind::IsADirectory => "it is a folder".to_owned(),
        ErrorKind::NotADirectory => "a part of the path is not a folder".to_owned(),
        _ => without_number(&error.to_string()),
    }
}

/// `No space left on device (os error 28)` as `no space left on device`.
pub(crate) fn without_number(text: &str) -> String {
    let text = text.rfind(" (os error ").map_or(text, |at| &text[..at]);
    let mut letters = text.trim_end_matches('.').chars();
    match (letters.next(), letters.as_str()) {
        // An abbreviation keeps its capitals.
        (Some(first), rest) if !rest.starts_with(char::is_uppercase) => {
            first.to_lowercase().chain(rest.chars()).collect()
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_of_the_system_is_without_its_number() {
        for number in 1..200 {
            let reason = io_reason(&io::Error::from_raw_os_error(number));
            assert!(!reason.contains(&format!("error {number})")), "{reason}");
        }
    }

    #[test]
    fn own_words_stay_and_abbreviations_keep_their_capitals() {
        let own = io::Error::new(ErrorKind::NotFound, "The list is gone (see above)");
        assert_eq!(io_reason(&own), "The list is gone (see above)");
        assert_eq!(without_number("RPC struct is bad (os error 72)"), "RPC struct is bad");
        assert_eq!(
            without_number("The pipe is being closed. (os error 232)"),
            "the pipe is being closed"
        );
    }
}
