//! Names that Windows does not treat as names of files.

/// Whether Windows interprets a name as a device, or drops a part of it. Other systems use such a
/// name as it is.
#[must_use]
pub fn is_reserved(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    let is_numbered = ["COM", "LPT"].iter().any(|port| {
        stem.strip_prefix(port).is_some_and(|digit| {
            matches!(
                digit,
                "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "¹" | "²" | "³"
            )
        })
    });
    let is_device =
        is_numbered || ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"].contains(&&*stem);
    // A colon names a stream within a file; dots and spaces at the end go.
    is_device || name.ends_with(['.', ' ']) || name.contains(':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_streams_and_what_is_dropped_are_reserved() {
        for name in [
            "nul",
            "NUL.txt",
            "Con",
            "aux.tar.gz",
            "com1",
            "LPT9.key",
            "com¹",
            "key.",
            "key ",
            "key:stream",
        ] {
            assert!(is_reserved(name), "{name}");
        }
        for name in ["null", "console", "com", "com10", "svc-aux", "key.nul", ".com1x", "lpt"] {
            assert!(!is_reserved(name), "{name}");
        }
    }
}
