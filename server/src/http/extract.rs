//! Body, path and query, refused as problems.

use std::time::Duration;

use axum::{
    body::to_bytes,
    extract::{FromRequest, FromRequestParts, Request},
};
use http::{HeaderMap, request::Parts};
use serde::de::DeserializeOwned;
use tokio::time::timeout;
use wire::api::problem::Code;

use super::problem::Refusal;

/// The most a JSON body may hold.
pub const BODY_LIMIT: usize = 256 * 1024;
/// The most a request that carries a policy may hold: 1 MiB of document, and
/// what JSON adds to it.
pub const POLICY_BODY_LIMIT: usize = 1024 * 1024 + BODY_LIMIT;
/// How long a body may take.
const BODY_PATIENCE: Duration = Duration::from_secs(15);

/// A JSON body of at most `LIMIT` bytes.
#[derive(Debug)]
pub struct Json<T, const LIMIT: usize = BODY_LIMIT>(pub T);

impl<S: Send + Sync, T: DeserializeOwned, const LIMIT: usize> FromRequest<S> for Json<T, LIMIT> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        if declared(request.headers()).is_some_and(|length| length > LIMIT) {
            return Err(too_large(LIMIT));
        }
        let read = to_bytes(request.into_body(), LIMIT);
        let bytes = match timeout(BODY_PATIENCE, read).await {
            Err(_) => return Err(malformed("The body took too long to arrive.")),
            Ok(Ok(bytes)) => bytes,
            Ok(Err(error)) => {
                return Err(if is_too_large(&error) {
                    too_large(LIMIT)
                } else {
                    malformed("The body did not arrive whole.")
                });
            }
        };
        serde_json::from_slice(&bytes)
            .map(Self)
            .map_err(|error| malformed(format!("The body is not what this route takes: {error}.")))
    }
}

fn declared(headers: &HeaderMap) -> Option<usize> {
    headers
        .get(http::header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

fn is_too_large(error: &axum::Error) -> bool {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = source {
        if error.is::<http_body_util::LengthLimitError>() {
            return true;
        }
        source = error.source();
    }
    false
}

fn too_large(limit: usize) -> Refusal {
    Refusal::new(
        Code::TooLarge,
        format!("This route takes at most {} KiB.", limit / 1024),
    )
}

fn malformed(detail: impl Into<String>) -> Refusal {
    Refusal::new(Code::Malformed, detail)
}

/// The ids of the path: one of the structs of [`wire::paths`]. An id that
/// cannot be one is simply not there.
#[derive(Debug)]
pub struct Path<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = crate::error::Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        axum::extract::Path::<T>::from_request_parts(parts, state)
            .await
            .map(|axum::extract::Path(path)| Self(path))
            .map_err(|_| crate::error::Error::NotFound)
    }
}

/// The query.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        axum::extract::Query::<T>::from_request_parts(parts, state)
            .await
            .map(|axum::extract::Query(query)| Self(query))
            .map_err(|e| malformed(format!("The query is not what this route takes: {e}.")))
    }
}
