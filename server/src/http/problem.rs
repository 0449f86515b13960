//! Errors as RFC 9457 problems: the only place that gives an error a status.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use wire::api::problem::{Code, FieldError, Problem};

use crate::error::Error;

/// The media type of a problem.
pub const MEDIA_TYPE: &str = "application/problem+json";

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let mut response = Refusal::new(self.code(), self.public_detail());
        let mut wait = None;
        match &self {
            Self::Invalid(errors) => response.problem.errors.clone_from(errors),
            Self::PolicyInvalid(found) => response.problem.diagnostics.clone_from(found),
            Self::TooMany(duration) => wait = Some(duration.as_secs().max(1)),
            Self::Unavailable(cause) => {
                wait = Some(1);
                tracing::error!(problem.code = %self.code(), error = %chain(cause), "request failed");
            }
            Self::Internal(cause) => {
                tracing::error!(problem.code = %self.code(), error = %chain(cause), "request failed");
            }
            Self::NotFound
            | Self::Forbidden
            | Self::Unauthenticated
            | Self::LinkInvalid
            | Self::Malformed(_)
            | Self::Conflict(_) => {}
        }
        let mut response = response.into_response();
        if let Some(seconds) = wait {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// A request that is refused, in the making of its answer.
#[derive(Debug, Clone)]
pub struct Refusal {
    problem: Problem,
}

impl Refusal {
    /// A problem of this code with a sentence for the asker.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            problem: Problem {
                kind: format!("/problems/{code}"),
                title: code.title().to_owned(),
                status: code.status(),
                detail: detail.into(),
                code,
                request_id: String::new(),
                errors: Vec::new(),
                diagnostics: Vec::new(),
            },
        }
    }

    /// Says what is wrong with one field.
    #[must_use]
    pub fn field(mut self, pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        self.problem.errors.push(FieldError {
            pointer: pointer.into(),
            detail: detail.into(),
        });
        self
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut problem = self.problem;
        problem.request_id = super::scope::request_id();
        let status =
            StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let code = problem.code;
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        let mut response = (
            status,
            [
                (header::CONTENT_TYPE, MEDIA_TYPE),
                (header::CACHE_CONTROL, "no-store"),
            ],
            body,
        )
            .into_response();
        response.extensions_mut().insert(ProblemCode(code));
        response
    }
}

/// Which problem an answer is, for the request log and the metrics.
#[derive(Debug, Clone, Copy)]
pub struct ProblemCode(pub Code);

fn chain(cause: &anyhow::Error) -> String {
    format!("{cause:#}")
}
