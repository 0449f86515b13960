//! One control connection: HTTP/2 inside the records of one machine.

use std::{convert::Infallible, pin::pin, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::{body::Incoming, server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use serde::de::DeserializeOwned;
use serde_json::json;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::timeout,
};

use super::{
    Control, Session,
    answer::{Body, failure, json, no_content, text},
    endpoint::{Asked, Endpoint, asked},
    map::map,
    records::Records,
    register::register,
    stall::Watch,
};
use crate::{
    app::App,
    error::{Error, Result},
    http::activity::Activity,
    telemetry::Metrics,
};

/// From the upgrade to the first words inside.
pub(super) const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long a connection is kept without an open request.
const IDLE: Duration = Duration::from_mins(3);
/// How often the other side is asked whether it is there, and how long it may take.
const PING: (Duration, Duration) = (Duration::from_mins(1), Duration::from_secs(20));
/// How long open requests may go on at the end.
const DRAIN: Duration = Duration::from_secs(5);
/// Requests at a time.
const STREAMS: u32 = 8;
/// The largest body, and how long it may take.
const BODY: (usize, Duration) = (1024 * 1024, Duration::from_secs(15));

/// Serves the connection until it ends.
pub(super) async fn run<S>(control: Arc<Control>, session: Arc<Session>, records: Records<S>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let _counted = Counted::new(&control.app);
    let (activity, watch) = (Activity::default(), Arc::new(Watch::default()));
    let service = service_fn(|request| {
        let (control, session) = (Arc::clone(&control), Arc::clone(&session));
        let (busy, watch) = (activity.begin(), Arc::clone(&watch));
        async move {
            let response = answer(&control, &session, request).await;
            Ok::<_, Infallible>(response.map(|body| busy.until_sent(watch.over(body))))
        }
    });
    let mut connection = pin!(protocol().serve_connection(TokioIo::new(records), service));
    let stop = control.app.stop.clone();
    let ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        () = stop.cancelled() => None,
        () = activity.idle_for(IDLE) => None,
        () = watch.stalled() => {
            tracing::debug!(machine = session.machine.short(), "a control answer stands still");
            return;
        }
    };
    let ended = if let Some(ended) = ended {
        ended
    } else {
        connection.as_mut().graceful_shutdown();
        timeout(DRAIN, connection).await.unwrap_or(Ok(()))
    };
    if let Err(error) = ended {
        tracing::debug!(machine = session.machine.short(), %error, "control connection ended");
    }
}

/// Counts the connection while it lives.
struct Counted(Arc<Metrics>);

impl Counted {
    fn new(app: &App) -> Self {
        app.metrics.control_sessions.inc();
        Self(Arc::clone(&app.metrics))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.control_sessions.dec();
    }
}

fn protocol() -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_pending_accept_reset_streams(20)
        .max_header_list_size(16 * 1024)
        .initial_stream_window_size(256 * 1024)
        .initial_connection_window_size(512 * 1024)
        .keep_alive_interval(PING.0)
        .keep_alive_timeout(PING.1);
    builder
}

async fn answer(
    control: &Arc<Control>,
    session: &Session,
    request: Request<Incoming>,
) -> Response<Body> {
    let asked = asked(request.method(), request.uri().path());
    let response = match asked {
        Asked::For(endpoint) => serve(control, session, endpoint, request)
            .await
            .unwrap_or_else(|e| failure(&e)),
        Asked::WrongMethod(allow) => {
            let mut response = text(
                StatusCode::METHOD_NOT_ALLOWED,
                "another method is taken here",
            );
            let allow = header::HeaderValue::from_static(allow);
            response.headers_mut().insert(header::ALLOW, allow);
            response
        }
        Asked::Nothing => text(StatusCode::NOT_FOUND, "there is nothing here"),
    };
    tracing::debug!(
        machine = session.machine.short(),
        asked = ?asked,
        status = response.status().as_u16(),
        "control.response"
    );
    response
}

async fn serve(
    control: &Arc<Control>,
    session: &Session,
    endpoint: Endpoint,
    request: Request<Incoming>,
) -> Result<Response<Body>> {
    Ok(match endpoint {
        Endpoint::Register => {
            let request = body(request).await?;
            json(&register(control, session, request).await?)
        }
        Endpoint::Map => map(control, session, body(request).await?).await?,
        Endpoint::Whoami => json(&json!({
            "machine": session.machine,
            "version": session.version,
            "address": session.address,
        })),
        Endpoint::UpdateHealth => no_content(),
        // The client prints the text and stops, instead of waiting.
        Endpoint::FeatureQuery => json(&json!({
            "Complete": false,
            "Text": "This server does not offer this feature.",
        })),
        Endpoint::SetDns
        | Endpoint::SetDeviceAttr
        | Endpoint::AuditLog
        | Endpoint::IdToken
        | Endpoint::WebClient
        | Endpoint::TailnetLock
        | Endpoint::SshAction => text(
            StatusCode::NOT_IMPLEMENTED,
            "this server does not offer this",
        ),
    })
}

/// The request's document, plain JSON.
async fn body<T: DeserializeOwned>(request: Request<Incoming>) -> Result<T> {
    let encoding = request.headers().get(header::CONTENT_ENCODING);
    if encoding.is_some_and(|e| e != "identity") {
        return Err(Error::Malformed(
            "Send the body as it is, plain JSON.".into(),
        ));
    }
    let bytes = collect(request.into_body()).await?;
    serde_json::from_slice(&bytes)
        .map_err(|e| Error::Malformed(format!("The body is not what this endpoint takes: {e}.")))
}

async fn collect(body: Incoming) -> Result<Bytes> {
    let (limit, patience) = BODY;
    match timeout(patience, Limited::new(body, limit).collect()).await {
        Ok(Ok(whole)) => Ok(whole.to_bytes()),
        Ok(Err(e)) if e.is::<LengthLimitError>() => Err(Error::Malformed(format!(
            "The body is larger than {} KiB.",
            limit / 1024
        ))),
        Ok(Err(_)) => Err(Error::Malformed("The body did not arrive whole.".into())),
        Err(_) => Err(Error::Malformed("The body took too long.".into())),
    }
}
