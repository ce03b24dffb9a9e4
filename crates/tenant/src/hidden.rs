//! [`Hidden`]: what a scope removes from a response, and why.
//!
//! The gate reports it if explaining is on. It is not part of the response's body.

use axum::Json;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// How many reasons are kept.
const REASONS_MAX: usize = 50;

/// What was removed from one response.
#[derive(Clone, Default)]
pub(crate) struct Hidden {
    pub(crate) count: usize,
    pub(crate) reasons: Vec<String>,
}

impl Hidden {
    pub(crate) fn add(&mut self, reason: impl FnOnce() -> String) {
        self.count += 1;
        if self.reasons.len() < REASONS_MAX {
            self.reasons.push(reason());
        }
    }
}

/// A response from which objects may have been removed.
pub(crate) struct Filtered<T>(pub(crate) T, pub(crate) Hidden);

impl<T: Serialize> IntoResponse for Filtered<T> {
    fn into_response(self) -> Response {
        let mut response = Json(self.0).into_response();
        response.extensions_mut().insert(self.1);
        response
    }
}
