//! The accept loop: every connection has a place, a clock and an end.

use std::{net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::{Router, body::Body, extract::ConnectInfo};
use http::{Request, Response};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_rustls::TlsAcceptor;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt as _;

use super::{
    activity::Activity,
    gate::{Gate, Pass},
    guard::Guarded,
    peer::Line,
};
use crate::tls;

/// Bytes that the kernel may hold unsent. What waits in the kernel can neither be overtaken nor
/// dropped: a relayed ping would stand behind all of it.
const MAX_UNSENT: u32 = 64 * 1024;

/// How long a connection may take for what.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// From the TCP handshake to the end of the TLS handshake.
    pub tls_handshake: Duration,
    /// From there to the first byte.
    pub first_byte: Duration,
    /// A whole request head; also how long HTTP/1 is kept open between requests.
    pub header: Duration,
    /// How long HTTP/2 is kept open without a request.
    pub idle: Duration,
    /// How long a peer may take nothing while we have something to send.
    pub write_stall: Duration,
    /// How long open requests may go on after the stop.
    pub drain: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            tls_handshake: Duration::from_secs(10),
            first_byte: Duration::from_secs(5),
            header: Duration::from_secs(10),
            idle: Duration::from_mins(2),
            write_stall: Duration::from_secs(30),
            drain: Duration::from_secs(5),
        }
    }
}

/// One listening socket and what answers there.
#[derive(Debug)]
pub struct Door {
    /// The bound socket.
    pub listener: TcpListener,
    /// Certificates, when this door speaks TLS.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// What answers.
    pub router: Router,
    /// The connection caps, shared by all doors.
    pub gate: Gate,
    /// The clocks.
    pub patience: Patience,
}

impl Door {
    /// Accepts until `stop`, then lets open requests end.
    pub async fn serve(self, stop: CancellationToken) {
        let tasks = TaskTracker::new();
        let acceptor = self.tls.clone().map(TlsAcceptor::from);
        let server = Arc::new(Server {
            router: self.router,
            patience: self.patience,
            http: protocol(&self.patience),
            stop: stop.clone(),
        });
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => break,
                accepted = self.listener.accept() => accepted,
            };
            let (stream, remote) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    pause_after(&error).await;
                    continue;
                }
            };
            let Some(pass) = self.gate.enter(remote.ip()) else {
                tracing::debug!(%remote, "connection refused: too many");
                continue;
            };
            // Fails on a connection that is broken already, which shows itself.
            let _ = SockRef::from(&stream).set_tcp_notsent_lowat(MAX_UNSENT);
            let server = Arc::clone(&server);
            let acceptor = acceptor.clone();
            tasks.spawn(async move { server.connection(stream, remote, acceptor, pass).await });
        }
        drop(self.listener);
        tasks.close();
        if timeout(self.patience.drain, tasks.wait()).await.is_err() {
            tracing::debug!("connections were still open at the end");
        }
    }
}

/// Running out of file descriptors must not turn the loop into a hot one.
async fn pause_after(error: &std::io::Error) {
    use std::io::ErrorKind;
    if matches!(
        error.kind(),
        ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::Interrupted
    ) {
        return;
    }
    tracing::warn!(%error, "cannot accept connections for the moment");
    tokio::time::sleep(Duration::from_millis(100)).await;
}

fn protocol(patience: &Patience) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(patience.header)
        .max_buf_size(64 * 1024)
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(Duration::from_secs(10))
        .max_concurrent_streams(32)
        .max_pending_accept_reset_streams(20)
        .max_header_list_size(16 * 1024);
    builder
}

struct Server {
    router: Router,
    patience: Patience,
    http: auto::Builder<TokioExecutor>,
    stop: CancellationToken,
}

impl Server {
    async fn connection(
        &self,
        stream: TcpStream,
        remote: SocketAddr,
        acceptor: Option<TlsAcceptor>,
        pass: Pass,
    ) {
        let _ = stream.set_nodelay(true);
        let Some(acceptor) = acceptor else {
            return self
                .requests(stream, Line { remote, tls: false }, pass)
                .await;
        };
        let stream = match timeout(self.patience.tls_handshake, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => {
                tracing::debug!(%remote, %error, "TLS handshake failed");
                return;
            }
            Err(_) => return,
        };
        if stream.get_ref().1.alpn_protocol() == Some(tls::ACME_ALPN) {
            return;
        }
        self.requests(stream, Line { remote, tls: true }, pass)
            .await;
    }

    async fn requests<S>(&self, stream: S, line: Line, pass: Pass)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Patience {
            first_byte,
            write_stall,
            idle,
            ..
        } = self.patience;
        let io = TokioIo::new(Guarded::new(stream, first_byte, write_stall, pass));
        let activity = Activity::default();
        let service = Service {
            router: self.router.clone(),
            line,
            activity: activity.clone(),
        };
        let mut connection = pin!(self.http.serve_connection_with_upgrades(io, service));
        tokio::select! {
            ended = connection.as_mut() => return note_end(line.remote, ended),
            () = self.stop.cancelled() => {}
            () = activity.idle_for(idle) => {}
        }
        connection.as_mut().graceful_shutdown();
        let ended = connection.await;
        note_end(line.remote, ended);
    }
}

fn note_end(remote: SocketAddr, ended: Result<(), Box<dyn std::error::Error + Send + Sync>>) {
    if let Err(error) = ended {
        tracing::debug!(%remote, %error, "connection ended");
    }
}

#[derive(Clone)]
struct Service {
    router: Router,
    line: Line,
    activity: Activity,
}

impl hyper::service::Service<Request<Incoming>> for Service {
    type Response = Response<Body>;
    type Error = std::convert::Infallible;
    type Future =
        std::pin::Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(self.line);
        request
            .extensions_mut()
            .insert(ConnectInfo(self.line.remote));
        let busy = self.activity.begin();
        let answer = self.router.clone().oneshot(request);
        Box::pin(async move {
            let response = answer.await?;
            Ok(response.map(|body| Body::new(busy.until_sent(body))))
        })
    }
}

#[cfg(test)]
mod tests;
