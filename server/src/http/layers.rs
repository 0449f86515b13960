//! What every request passes, outermost first:
//!
//! 1. [`observe`]: gives it an id and a peer, answers a panic with a problem,
//!    counts it and writes its one log line;
//! 2. [`super::headers::add`]: security headers;
//! 3. [`tidy`] (console and API only): an error without a body of ours becomes
//!    a problem;
//! 4. [`super::csrf::guard`] and the session (API only).

use std::{panic::AssertUnwindSafe, sync::Arc};

use axum::{
    body::Body,
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use futures_util::FutureExt as _;
use http::{HeaderName, HeaderValue, StatusCode, header};
use tokio::time::Instant;
use tracing::Instrument as _;
use wire::{api::problem::Code, net::Prefix};

use super::{
    peer::{Line, Peer},
    problem::{ProblemCode, Refusal},
    scope::{self, Scope},
};
use crate::{error::Error, telemetry::Metrics};

/// The answer's header with the request's id.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What [`observe`] needs.
#[derive(Debug, Clone)]
pub struct Observer {
    /// Where requests are counted.
    pub metrics: Arc<Metrics>,
    /// Whose `X-Forwarded-*` are believed.
    pub trusted: Arc<[Prefix]>,
}

/// Layer 1.
pub async fn observe(State(with): State<Observer>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    if let Some(&line) = request.extensions().get::<Line>() {
        let peer = Peer::of(line, request.headers(), &with.trusted);
        request.extensions_mut().insert(peer);
    }
    let method = request.method().clone();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("-", MatchedPath::as_str)
        .to_owned();
    let scope = Scope::new(format!("{:032x}", rand::random::<u128>()));
    let span = tracing::info_span!("http.request", request.id = scope.id());
    let work = AssertUnwindSafe(next.run(request)).catch_unwind();
    let mut response = scope::run(Arc::clone(&scope), async {
        match work.await {
            Ok(response) => response,
            Err(panic) => panicked(panic.as_ref()),
        }
    })
    .instrument(span)
    .await;
    if let Ok(id) = HeaderValue::from_str(scope.id()) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    let elapsed = started.elapsed();
    let problem = response.extensions().get::<ProblemCode>().map(|p| p.0);
    with.metrics
        .request(&method, response.status().as_u16(), elapsed);
    if let Some(code) = problem {
        with.metrics.problem(code);
    }
    tracing::info!(
        request.id = scope.id(),
        method = %method,
        route,
        status = response.status().as_u16(),
        account.id = scope.account().map(|id| id.to_string()),
        tenant.id = scope.tenant().map(|id| id.to_string()),
        problem.code = problem.map(|code| code.to_string()),
        duration_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
        "http.response"
    );
    response
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> Response {
    let message = panic
        .downcast_ref::<&str>()
        .map(|s| (*s).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    Error::Internal(anyhow::anyhow!("panic in a handler: {message}")).into_response()
}

/// Layer 3.
pub async fn tidy(request: Request, next: Next) -> Response<Body> {
    let response = next.run(request).await;
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error())
        || response.extensions().get::<ProblemCode>().is_some()
    {
        return response;
    }
    let allow = response.headers().get(header::ALLOW).cloned();
    let mut tidied = match status {
        StatusCode::METHOD_NOT_ALLOWED => Refusal::new(
            Code::MethodNotAllowed,
            "The `Allow` header lists the methods of this path.",
        )
        .into_response(),
        StatusCode::PAYLOAD_TOO_LARGE => {
            Refusal::new(Code::TooLarge, "Send less at once.").into_response()
        }
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Refusal::new(
            Code::UnsupportedMediaType,
            "Send the body as `application/json`.",
        )
        .into_response(),
        StatusCode::NOT_FOUND => Error::NotFound.into_response(),
        StatusCode::UNAUTHORIZED => Error::Unauthenticated.into_response(),
        StatusCode::FORBIDDEN => Error::Forbidden.into_response(),
        StatusCode::SERVICE_UNAVAILABLE => {
            Error::Unavailable(anyhow::anyhow!("a layer answered 503")).into_response()
        }
        status if status.is_server_error() => {
            Error::Internal(anyhow::anyhow!("a layer answered {status}")).into_response()
        }
        _ => Refusal::new(Code::Malformed, "The request could not be read.").into_response(),
    };
    if let Some(allow) = allow {
        tidied.headers_mut().insert(header::ALLOW, allow);
    }
    tidied
}
