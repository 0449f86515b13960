//! Opening connections: names, addresses, TCP, TLS.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;

use crate::tls;

pub mod http1;

/// How long one connection, or one handshake, may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The next address is tried beside the one before after this long.
const STAGGER: Duration = Duration::from_millis(250);

/// A connection of either kind.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// See [`Stream`].
pub type BoxStream = Box<dyn Stream>;

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// The name has no address.
    #[error("cannot resolve the name {host}: is it right, and does this machine have a network?")]
    Resolve {
        /// The name.
        host: String,
        /// The resolver's answer.
        #[source]
        source: io::Error,
    },
    /// Nobody answers.
    #[error("cannot connect to {to}: {source}")]
    Connect {
        /// Host and port.
        to: String,
        /// The last address's error.
        #[source]
        source: io::Error,
    },
    /// No TLS.
    #[error("no safe connection with {host}: {why}")]
    Tls {
        /// Host.
        host: String,
        /// For people.
        why: String,
    },
}

impl DialError {
    /// Whether trying again soon may help.
    pub const fn may_pass(&self) -> bool {
        matches!(self, Self::Resolve { .. } | Self::Connect { .. })
    }
}

/// The addresses of `host`, or `literals` where there are some.
pub async fn resolve(
    host: &str,
    port: u16,
    literals: &[IpAddr],
) -> Result<Vec<SocketAddr>, DialError> {
    if !literals.is_empty() {
        return Ok(literals.iter().map(|a| (*a, port).into()).collect());
    }
    let failed = |source| DialError::Resolve {
        host: host.to_owned(),
        source,
    };
    let found = timeout(PATIENCE, tokio::net::lookup_host((host, port)))
        .await
        .map_err(|_| failed(io::ErrorKind::TimedOut.into()))?
        .map_err(failed)?;
    let found: Vec<_> = found.collect();
    if found.is_empty() {
        return Err(failed(io::ErrorKind::NotFound.into()));
    }
    Ok(found)
}

/// Connects to the first address that answers.
pub async fn tcp(host: &str, addrs: &[SocketAddr]) -> Result<TcpStream, DialError> {
    let mut attempts: FuturesUnordered<_> = addrs
        .iter()
        .zip(0u32..)
        .map(|(addr, nth)| async move {
            tokio::time::sleep(STAGGER * nth).await;
            timeout(PATIENCE, TcpStream::connect(addr))
                .await
                .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
        })
        .collect();
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    while let Some(outcome) = attempts.next().await {
        match outcome {
            Ok(stream) => {
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(why) => last = why,
        }
    }
    let port = addrs.first().map_or(0, SocketAddr::port);
    Err(DialError::Connect {
        to: format!("{host}:{port}"),
        source: last,
    })
}

/// Speaks TLS over `stream` with the server called `name`.
pub async fn tls(
    config: Arc<ClientConfig>,
    name: &str,
    stream: TcpStream,
) -> Result<tokio_rustls::client::TlsStream<TcpStream>, DialError> {
    let failed = |why: String| DialError::Tls {
        host: name.to_owned(),
        why,
    };
    let server = ServerName::try_from(name.to_owned())
        .map_err(|_| failed("it is not a name that a certificate can carry".to_owned()))?;
    timeout(PATIENCE, TlsConnector::from(config).connect(server, stream))
        .await
        .map_err(|_| failed("it does not answer the handshake".to_owned()))?
        .map_err(|e| failed(tls::explain(&e)))
}
