//! Answers inside a control connection: short texts and JSON, as clients show them.

use std::convert::Infallible;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, combinators::UnsyncBoxBody};
use serde::Serialize;

use crate::error::Error;

/// The body of any answer.
pub(super) type Body = UnsyncBoxBody<Bytes, Infallible>;

/// These bytes.
pub(super) fn whole(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).boxed_unsync()
}

/// A sentence for the client's log.
pub(super) fn text(status: StatusCode, sentence: impl Into<String>) -> Response<Body> {
    let mut line = sentence.into();
    line.push('\n');
    let mut response = Response::new(whole(line));
    *response.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, plain);
    response
}

/// A document.
pub(super) fn json(value: &impl Serialize) -> Response<Body> {
    match serde_json::to_vec(value) {
        Ok(bytes) => {
            let mut response = Response::new(whole(bytes));
            let json = HeaderValue::from_static("application/json");
            response.headers_mut().insert(header::CONTENT_TYPE, json);
            response
        }
        Err(e) => failure(&Error::internal(e)),
    }
}

/// Nothing, gladly.
pub(super) fn no_content() -> Response<Body> {
    let mut response = Response::new(whole(Bytes::new()));
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// Why a request failed; the cause is for our log only.
pub(super) fn failure(error: &Error) -> Response<Body> {
    if let Error::Internal(cause) | Error::Unavailable(cause) = error {
        tracing::error!(problem.code = %error.code(), error = %format!("{cause:#}"), "control request failed");
    }
    let code = error.code();
    let status = StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = text(
        status,
        format!("{} {}", code.title(), error.public_detail()),
    );
    let wait = if let Error::TooMany(wait) = error {
        Some(wait.as_secs() + u64::from(wait.subsec_nanos() > 0))
    } else {
        matches!(error, Error::Unavailable(_)).then_some(1)
    };
    if let Some(seconds) = wait {
        let seconds = HeaderValue::from(seconds.max(1));
        response.headers_mut().insert(header::RETRY_AFTER, seconds);
    }
    response
}
