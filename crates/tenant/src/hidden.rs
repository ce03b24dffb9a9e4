//! [`Hidden`]: what an answer leaves out because of a scope, and why.
//!
//! The gate reports it where explaining is on. It is no part of the answer's body.

use axum::Json;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// How many reasons are kept.
const REASONS_MAX: usize = 50;

/// What was left out of one answer.
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

/// An answer from which things may be left out.
pub(crate) struct Seen<T>(pub(crate) T, pub(crate) Hidden);

impl<T: Serialize> IntoResponse for Seen<T> {
    fn into_response(self) -> Response {
        let mut response = Json(self.0).into_response();
        response.extensions_mut().insert(self.1);
        response
    }
}
