//! [`Refusal`]: an error answer in the product's envelope.
//!
//! It refuses to tell the remedy by itself: the gate does, where explaining is on.

use std::borrow::Cow;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use cortexkey_api::{Envelope, ErrorBody, ErrorCode};

/// An error answer.
pub(crate) struct Refusal {
    status: StatusCode,
    /// Boxed, since a refusal is the rare outcome of many functions.
    body: Box<ErrorBody>,
    remedy: Option<Remedy>,
    envelope: Envelope,
}

/// Why an authentic request is refused, and what to do about it; the gate tells it where explaining
/// is on.
#[derive(Clone)]
pub(crate) struct Remedy(pub(crate) Cow<'static, str>);

impl Refusal {
    /// An answer with this status and message.
    pub(crate) fn new(status: StatusCode, message: &str) -> Self {
        Self {
            status,
            body: Box::new(ErrorBody::new(status.as_u16(), message)),
            remedy: None,
            envelope: Envelope::PublicApi,
        }
    }

    /// The one answer to every request that is not authentic.
    pub(crate) fn unauthorized() -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            body: Box::new(ErrorBody::unauthorized()),
            remedy: None,
            envelope: Envelope::PublicApi,
        }
    }

    /// The request is well-formed JSON that the call cannot take. The product says 500.
    pub(crate) fn invalid(message: &str) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, message)
    }

    /// The key lacks the permission.
    pub(crate) fn forbidden(why: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "Insufficient permissions for api key").with_remedy(why)
    }

    /// There is nothing of this name or id.
    pub(crate) fn not_found(message: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    /// As the platform's own calls say it: input that cannot be taken is 400 there.
    pub(crate) fn of_platform(mut self) -> Self {
        if self.status == StatusCode::INTERNAL_SERVER_ERROR {
            self.status = StatusCode::BAD_REQUEST;
            self.body.err_code = Some(ErrorCode::Number(400));
        }
        self.envelope = match self.status {
            // The gate's answer is one everywhere.
            StatusCode::UNAUTHORIZED => Envelope::PublicApi,
            StatusCode::FORBIDDEN => Envelope::PlatformForbidden,
            _ => Envelope::Platform,
        };
        self
    }

    /// In another form.
    pub(crate) fn in_envelope(mut self, envelope: Envelope) -> Self {
        self.envelope = envelope;
        self
    }

    /// Whether the key lacks a permission.
    pub(crate) fn is_forbidden(&self) -> bool {
        self.status == StatusCode::FORBIDDEN
    }

    /// With text that says more.
    pub(crate) fn with_extra(mut self, extra: impl Into<String>) -> Self {
        *self.body = self.body.with_extra(extra);
        self
    }

    /// With what to do about it.
    pub(crate) fn with_remedy(mut self, remedy: impl Into<Cow<'static, str>>) -> Self {
        self.remedy = Some(Remedy(remedy.into()));
        self
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = match self.envelope {
            Envelope::PublicApi => (self.status, Json(self.body.into_reply())).into_response(),
            other => (self.status, Json(self.body.into_json(other))).into_response(),
        };
        if let Some(remedy) = self.remedy {
            response.extensions_mut().insert(remedy);
        }
        response
    }
}
