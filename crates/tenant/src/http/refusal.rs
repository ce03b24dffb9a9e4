//! [`Refusal`]: an error answer in the product's envelope.
//!
//! It refuses to tell the remedy by itself: the gate does, where explaining is on.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use cortexkey_api::{ErrorBody, ErrorCode};

/// An error answer.
pub(crate) struct Refusal {
    status: StatusCode,
    /// Boxed, since a refusal is the rare outcome of many functions.
    body: Box<ErrorBody>,
    remedy: Option<Remedy>,
    of_platform: bool,
}

/// What to do about a refusal; the gate tells it where explaining is on.
#[derive(Clone, Copy)]
pub(crate) struct Remedy(pub(crate) &'static str);

impl Refusal {
    /// An answer with this status and message.
    pub(crate) fn new(status: StatusCode, message: &str) -> Self {
        Self {
            status,
            body: Box::new(ErrorBody::new(status.as_u16(), message)),
            remedy: None,
            of_platform: false,
        }
    }

    /// The one answer to every request that is not authentic.
    pub(crate) fn unauthorized() -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            body: Box::new(ErrorBody::unauthorized()),
            remedy: None,
            of_platform: false,
        }
    }

    /// The request is well-formed JSON that the call cannot take. The product says 500.
    pub(crate) fn invalid(message: &str) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, message)
    }

    /// The key lacks the permission.
    pub(crate) fn forbidden(remedy: &'static str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "Insufficient permissions for api key").with_remedy(remedy)
    }

    /// As the platform's own calls say it: input that cannot be taken is 400 there.
    pub(crate) fn of_platform(mut self) -> Self {
        if self.status == StatusCode::INTERNAL_SERVER_ERROR {
            self.status = StatusCode::BAD_REQUEST;
            self.body.err_code = Some(ErrorCode::Number(400));
        }
        self.of_platform = true;
        self
    }

    /// With text that says more.
    pub(crate) fn with_extra(mut self, extra: impl Into<String>) -> Self {
        *self.body = self.body.with_extra(extra);
        self
    }

    /// With what to do about it.
    pub(crate) fn with_remedy(mut self, remedy: &'static str) -> Self {
        self.remedy = Some(Remedy(remedy));
        self
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = if self.of_platform {
            (self.status, Json(self.body.into_data())).into_response()
        } else {
            (self.status, Json(self.body.into_reply())).into_response()
        };
        if let Some(remedy) = self.remedy {
            response.extensions_mut().insert(remedy);
        }
        response
    }
}
