//! HTTP/2 inside the Noise connection: register, map stream, reports.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{body::Incoming, client::conn::http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use serde::Serialize;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;
use wire::control::{MapRequest, RegisterRequest, RegisterResponse};

use super::{stream::MapStream, url::ServerUrl};
use crate::dial::BoxStream;

/// The longest answer to a registration.
const MAX_REGISTER: usize = 1024 * 1024;
/// How long an answer may take that does not wait for a person.
const PATIENCE: Duration = Duration::from_secs(30);
/// A large first map should not wait for window updates.
const WINDOW: u32 = 4 * 1024 * 1024;
/// A silent connection is asked for a sign of life, and is over without one.
const ALIVE_INTERVAL: Duration = Duration::from_secs(30);
const ALIVE_PATIENCE: Duration = Duration::from_secs(15);

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// The connection broke.
    #[error("the connection with the server broke")]
    Broken(#[source] hyper::Error),
    /// No answer in time.
    #[error("the server does not answer")]
    Slow,
    /// The answer cannot be read.
    #[error("the server's answer to {path} cannot be read")]
    Unreadable {
        /// What was asked for.
        path: &'static str,
    },
    /// Not the answer that was needed.
    #[error("the server refused {path} ({status}){text}")]
    Refused {
        /// What was asked for.
        path: &'static str,
        /// The answer.
        status: StatusCode,
        /// `: ` and the first words of the body, or nothing.
        text: String,
    },
}

impl RequestError {
    /// Whether the server, in its right mind, does not want this node.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused { status, .. } if status.is_client_error() && *status != StatusCode::TOO_MANY_REQUESTS)
    }
}

/// The connection. Requests may run side by side.
#[derive(Debug)]
pub struct Connection {
    sender: http2::SendRequest<Full<Bytes>>,
    authority: String,
    _task: AbortOnDropHandle<()>,
}

impl Connection {
    /// Speaks HTTP/2 over `stream`.
    pub async fn new(stream: BoxStream, url: &ServerUrl) -> Result<Self, hyper::Error> {
        let (sender, connection) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(WINDOW)
            .keep_alive_interval(ALIVE_INTERVAL)
            .keep_alive_timeout(ALIVE_PATIENCE)
            .handshake(TokioIo::new(stream))
            .await?;
        let task = tokio::spawn(async move {
            if let Err(why) = connection.await {
                tracing::debug!(
                    error = &why as &dyn std::error::Error,
                    "control connection ended"
                );
            }
        });
        Ok(Self {
            sender,
            authority: url.authority(),
            _task: AbortOnDropHandle::new(task),
        })
    }

    /// Registers; the answer to a followup may take as long as a person does.
    pub async fn register(
        &self,
        request: &RegisterRequest,
    ) -> Result<RegisterResponse, RequestError> {
        let path = "/machine/register";
        let answer = async {
            let response = self.post(path, request).await?;
            let body = Limited::new(response.into_body(), MAX_REGISTER);
            let body = body.collect().await;
            let body = body.map_err(|_| RequestError::Unreadable { path })?;
            serde_json::from_slice(&body.to_bytes()).map_err(|_| RequestError::Unreadable { path })
        };
        if request.followup.is_empty() {
            timeout(PATIENCE, answer)
                .await
                .map_err(|_| RequestError::Slow)?
        } else {
            answer.await
        }
    }

    /// Opens the map stream.
    pub async fn map(&self, request: &MapRequest) -> Result<MapStream, RequestError> {
        let response = timeout(PATIENCE, self.post("/machine/map", request));
        let response = response.await.map_err(|_| RequestError::Slow)??;
        Ok(MapStream::new(response.into_body(), &request.compress))
    }

    /// Reports presence.
    pub async fn report(&self, request: &MapRequest) -> Result<(), RequestError> {
        let response = timeout(PATIENCE, self.post("/machine/map", request));
        response.await.map_err(|_| RequestError::Slow)?.map(drop)
    }

    async fn post<T: Serialize>(
        &self,
        path: &'static str,
        body: &T,
    ) -> Result<Response<Incoming>, RequestError> {
        let body = serde_json::to_vec(body).map_err(|_| RequestError::Unreadable { path })?;
        let request = Request::post(format!("https://{}{path}", self.authority))
            .header(http::header::CONTENT_TYPE, "application/json")
            .body(Full::from(body))
            .map_err(|_| RequestError::Unreadable { path })?;
        let mut sender = self.sender.clone();
        sender.ready().await.map_err(RequestError::Broken)?;
        let response = sender.send_request(request).await;
        let response = response.map_err(RequestError::Broken)?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(refused(path, response).await)
    }
}

async fn refused(path: &'static str, response: Response<Incoming>) -> RequestError {
    let status = response.status();
    let body = Limited::new(response.into_body(), 4096).collect().await;
    let body = body
        .map(http_body_util::Collected::to_bytes)
        .unwrap_or_default();
    let text = String::from_utf8_lossy(&body);
    let line: String = text.trim().chars().take(300).collect();
    RequestError::Refused {
        path,
        status,
        text: if line.is_empty() {
            line
        } else {
            format!(": {line}")
        },
    }
}
