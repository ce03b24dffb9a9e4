//! [`Refusal`]: an error response in the product's format.
//!
//! The remedy is not part of the body: the gate writes it to a header if explaining is on.

use std::borrow::Cow;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use cortexkey_api::{Envelope, ErrorBody, ErrorCode};
use serde_json::Value;

/// The platform's message for every invalid request; `err_extra` has the details.
const BAD_PARAMETERS: &str = "The request contains invalid or missing parameters.";

/// An error response.
pub(crate) struct Refusal {
    status: StatusCode,
    /// Boxed, since many functions return a refusal, and rarely.
    body: Box<ErrorBody>,
    remedy: Option<Remedy>,
    envelope: Envelope,
    /// Whether the fault is in the request, and not in the tenant.
    of_input: bool,
}

/// Why an authentic request is refused, and what to do; the gate reports it if explaining is on.
#[derive(Clone)]
pub(crate) struct Remedy(pub(crate) Cow<'static, str>);

impl Refusal {
    /// A response with this status and message.
    pub(crate) fn new(status: StatusCode, message: &str) -> Self {
        Self {
            status,
            body: Box::new(ErrorBody::new(status.as_u16(), message)),
            remedy: None,
            envelope: Envelope::PublicApi,
            of_input: status.is_client_error(),
        }
    }

    /// The only response to requests that are not authentic.
    pub(crate) fn unauthorized() -> Self {
        Self {
            body: Box::new(ErrorBody::unauthorized()),
            ..Self::new(StatusCode::UNAUTHORIZED, "")
        }
    }

    /// The request is well-formed JSON that the call does not accept. The product returns 500.
    pub(crate) fn invalid(message: &str) -> Self {
        Self { of_input: true, ..Self::new(StatusCode::INTERNAL_SERVER_ERROR, message) }
    }

    /// The key lacks the permission.
    pub(crate) fn forbidden(why: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "Forbidden. Access was denied to this resource.")
            .with_extra("Insufficient permissions for api key")
            .with_remedy(why)
    }

    /// There is no object with this name or id.
    pub(crate) fn not_found(message: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    /// In the platform's form: invalid input is 400 there, and so is a missing object. The message
    /// is always the same, and `err_extra` is a string.
    pub(crate) fn of_platform(mut self) -> Self {
        if self.envelope != Envelope::PublicApi {
            return self;
        }
        let bad = [StatusCode::INTERNAL_SERVER_ERROR, StatusCode::NOT_FOUND];
        if self.of_input && bad.contains(&self.status) {
            self.status = StatusCode::BAD_REQUEST;
            self.body.err_code = Some(ErrorCode::Number(400));
        }
        if self.status == StatusCode::BAD_REQUEST {
            let said = self.body.err_msg.replace(BAD_PARAMETERS.to_owned()).unwrap_or_default();
            let extra = match &self.body.err_extra {
                Some(Value::String(more)) => format!("{said}: {more}"),
                _ => said,
            };
            self.body.err_extra = Some(Value::String(extra));
        }
        self.envelope = match self.status {
            // The gate's response is the same everywhere.
            StatusCode::UNAUTHORIZED => Envelope::PublicApi,
            StatusCode::FORBIDDEN => Envelope::PlatformForbidden,
            _ => Envelope::Platform,
        };
        self
    }

    /// Like [`of_platform`](Self::of_platform), but a 403 has the form of the public API.
    pub(crate) fn of_notifications(self) -> Self {
        let refusal = self.of_platform();
        match refusal.envelope {
            Envelope::PlatformForbidden => refusal.in_envelope(Envelope::PublicApi),
            _ => refusal,
        }
    }

    /// Like [`of_platform`](Self::of_platform), for calls whose description has no 400: there, a
    /// missing object is 500.
    pub(crate) fn of_platform_without_400(self) -> Self {
        let mut refusal = self.of_platform();
        if refusal.status == StatusCode::BAD_REQUEST {
            refusal.status = StatusCode::INTERNAL_SERVER_ERROR;
            refusal.body.err_code = Some(ErrorCode::Number(500));
        }
        refusal
    }

    /// In the form of this part of the API.
    pub(crate) fn in_envelope(mut self, envelope: Envelope) -> Self {
        self.envelope = envelope;
        self
    }

    /// Whether the key lacks a permission.
    pub(crate) fn is_forbidden(&self) -> bool {
        self.status == StatusCode::FORBIDDEN
    }

    /// With details.
    pub(crate) fn with_extra(mut self, extra: impl Into<String>) -> Self {
        *self.body = self.body.with_extra(extra);
        self
    }

    /// Its message, for people.
    pub(crate) fn to_text(&self) -> String {
        let said = self.body.err_msg.as_deref().unwrap_or_default();
        match (&self.remedy, &self.body.err_extra) {
            (Some(Remedy(why)), _) => format!("{said}: {why}"),
            (None, Some(Value::String(extra))) => format!("{said}: {extra}"),
            _ => said.to_owned(),
        }
    }

    /// With a remedy.
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
