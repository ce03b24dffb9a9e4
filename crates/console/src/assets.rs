//! The script, the stylesheet and the icon, under addresses that change with their content.

use std::sync::LazyLock;

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use sha2::{Digest as _, Sha256};

const FILES: [(&str, &str, &str); 3] = [
    ("console.css", "text/css; charset=utf-8", include_str!("../assets/console.css")),
    ("console.js", "text/javascript; charset=utf-8", include_str!("../assets/console.js")),
    ("icon.svg", "image/svg+xml", include_str!("../assets/icon.svg")),
];

/// Distinguishes versions of the files.
static DIGEST: LazyLock<String> = LazyLock::new(|| {
    let mut digest = Sha256::new();
    for (_, _, text) in FILES {
        digest.update(text);
    }
    let mut digest = hex::encode(digest.finalize());
    digest.truncate(16);
    digest
});

/// The address of a file.
pub(crate) fn address(name: &str) -> String {
    format!("/a/{}/{name}", *DIGEST)
}

/// A file; `None` if the digest or the name differs.
pub(crate) fn file(digest: &str, name: &str) -> Option<Response> {
    let is_it = |(known, ..): &&(&str, &str, &str)| *known == name && digest == *DIGEST;
    let (_, kind, text) = FILES.iter().find(is_it)?;
    let mut response = text.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    let forever = HeaderValue::from_static("private, max-age=31536000, immutable");
    headers.insert(header::CACHE_CONTROL, forever);
    Some(response)
}
