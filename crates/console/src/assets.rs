//! The scripts, the stylesheet and the icon, under addresses that change with their content.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use sha2::{Digest as _, Sha256};

const SCRIPT: &str = "text/javascript; charset=utf-8";
const FILES: [(&str, &str, &str); 10] = [
    ("console.css", "text/css; charset=utf-8", include_str!("../assets/console.css")),
    ("console.js", SCRIPT, include_str!("../assets/console.js")),
    ("dialog.js", SCRIPT, include_str!("../assets/dialog.js")),
    ("forms.js", SCRIPT, include_str!("../assets/forms.js")),
    ("menu.js", SCRIPT, include_str!("../assets/menu.js")),
    ("parts.js", SCRIPT, include_str!("../assets/parts.js")),
    ("stream.js", SCRIPT, include_str!("../assets/stream.js")),
    ("tabs.js", SCRIPT, include_str!("../assets/tabs.js")),
    ("views.js", SCRIPT, include_str!("../assets/views.js")),
    ("icon.svg", "image/svg+xml", include_str!("../assets/icon.svg")),
];

/// The modules that the script imports: a browser that knows them gets all at once.
pub(crate) fn modules() -> impl Iterator<Item = &'static str> {
    let names = FILES.iter().filter(|(_, kind, _)| *kind == SCRIPT).map(|(name, ..)| *name);
    names.filter(|name| *name != "console.js")
}

/// Distinguishes versions of the files.
pub(crate) fn digest() -> String {
    let mut digest = Sha256::new();
    for (_, _, text) in FILES {
        digest.update(text);
    }
    let mut digest = hex::encode(digest.finalize());
    digest.truncate(16);
    digest
}

/// A file; none if the name differs.
pub(crate) fn file(name: &str) -> Option<Response> {
    let (_, kind, text) = FILES.iter().find(|(known, ..)| *known == name)?;
    let mut response = text.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    let forever = HeaderValue::from_static("private, max-age=31536000, immutable");
    headers.insert(header::CACHE_CONTROL, forever);
    Some(response)
}
