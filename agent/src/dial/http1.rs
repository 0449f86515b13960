//! Small HTTP/1.1 requests, and upgrades of the connection.

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::{body::Incoming, client::conn::http1, upgrade::Upgraded};
use hyper_util::rt::TokioIo;
use tokio_util::task::AbortOnDropHandle;

use super::BoxStream;

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The connection broke, or the other side does not speak HTTP.
    #[error("the connection broke: {0}")]
    Broken(#[source] hyper::Error),
    /// The request cannot be built.
    #[error("the request is not valid")]
    Request(#[source] http::Error),
    /// The answer's body is too long or broke off.
    #[error("the answer to {path} cannot be read")]
    Body {
        /// What was asked for.
        path: String,
    },
    /// Not the answer that was needed.
    #[error("it answered {status} to {path}{text}")]
    Status {
        /// What was asked for.
        path: String,
        /// The answer.
        status: StatusCode,
        /// `: ` and the first words of the body, or nothing.
        text: String,
    },
}

/// A connection that takes one request after the other.
#[derive(Debug)]
pub struct Client {
    host: String,
    sender: http1::SendRequest<Empty<Bytes>>,
    task: AbortOnDropHandle<()>,
}

impl Client {
    /// Speaks HTTP/1.1 over `stream`; `host` is the `Host` header.
    pub async fn new(stream: BoxStream, host: String) -> Result<Self, HttpError> {
        let (sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(HttpError::Broken)?;
        let task = tokio::spawn(async move {
            if let Err(why) = connection.with_upgrades().await {
                tracing::debug!(error = &why as &dyn std::error::Error, "http ended");
            }
        });
        Ok(Self {
            host,
            sender,
            task: AbortOnDropHandle::new(task),
        })
    }

    /// The body of `path`, at most `limit` bytes.
    pub async fn get(&mut self, path: &str, limit: usize) -> Result<Bytes, HttpError> {
        let request = Request::get(path);
        let response = self.send(request).await?;
        if response.status() != StatusCode::OK {
            return Err(refusal(path, response).await);
        }
        read(path, response, limit).await
    }

    /// Asks for another protocol; gives the raw connection.
    pub async fn upgrade(
        mut self,
        request: http::request::Builder,
        path: &str,
    ) -> Result<TokioIo<Upgraded>, HttpError> {
        let mut response = self.send(request).await?;
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            return Err(refusal(path, response).await);
        }
        let upgraded = hyper::upgrade::on(&mut response).await;
        // The task ends by itself once the connection is handed over.
        self.task.detach();
        Ok(TokioIo::new(upgraded.map_err(HttpError::Broken)?))
    }

    async fn send(
        &mut self,
        request: http::request::Builder,
    ) -> Result<Response<Incoming>, HttpError> {
        let request = request
            .header(header::HOST, &self.host)
            .body(Empty::new())
            .map_err(HttpError::Request)?;
        self.sender.ready().await.map_err(HttpError::Broken)?;
        self.sender
            .send_request(request)
            .await
            .map_err(HttpError::Broken)
    }
}

async fn read(path: &str, response: Response<Incoming>, limit: usize) -> Result<Bytes, HttpError> {
    Limited::new(response.into_body(), limit)
        .collect()
        .await
        .map(http_body_util::Collected::to_bytes)
        .map_err(|_| HttpError::Body {
            path: path.to_owned(),
        })
}

/// The answer as an error, with the first line of what it says.
pub async fn refusal(path: &str, response: Response<Incoming>) -> HttpError {
    let status = response.status();
    let body = read(path, response, 4096).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&body);
    let line: String = text
        .trim()
        .lines()
        .next()
        .unwrap_or_default()
        .chars()
        .take(200)
        .collect();
    HttpError::Status {
        path: path.to_owned(),
        status,
        text: if line.is_empty() || line.starts_with('<') {
            String::new()
        } else {
            format!(": {line}")
        },
    }
}
