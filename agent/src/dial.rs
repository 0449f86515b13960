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
    /// The connection broke before there was TLS.
    #[error("no safe connection with {host}: {source}")]
    Handshake {
        /// Host.
        host: String,
        /// What happened.
        #[source]
        source: io::Error,
    },
}

impl DialError {
    /// Whether trying again soon may help.
    pub const fn may_pass(&self) -> bool {
        match self {
            Self::Resolve { .. } | Self::Connect { .. } | Self::Handshake { .. } => true,
            Self::Tls { .. } => false,
        }
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
    let broken = |source| DialError::Handshake {
        host: name.to_owned(),
        source,
    };
    let slow = || io::Error::new(io::ErrorKind::TimedOut, "it does not answer the handshake");
    match timeout(PATIENCE, TlsConnector::from(config).connect(server, stream)).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(why)) if tls::is_judgement(&why) => Err(failed(tls::explain(&why))),
        Ok(Err(why)) => Err(broken(why)),
        Err(_) => Err(broken(slow())),
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::*;
    use crate::{
        testing::soon,
        tls::{Tls, Trust},
    };

    /// What becomes of a handshake with somebody who reads a little, says this and hangs up.
    async fn handshake_with(words: &'static [u8]) -> DialError {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read_u8().await;
            let _ = stream.write_all(words).await;
            let _ = stream.shutdown().await;
            // What the client still sends is read: unread bytes would reset the connection.
            let _ = stream.read_to_end(&mut Vec::new()).await;
        });
        let stream = tcp("127.0.0.1", &[addr]).await.unwrap();
        let config = Tls::new(None).config(&Trust::Nobody).unwrap();
        let why = soon("the handshake ends", tls(config, "127.0.0.1", stream)).await;
        server.abort();
        why.unwrap_err()
    }

    #[tokio::test]
    async fn a_handshake_that_breaks_off_may_work_the_next_time() {
        let why = handshake_with(b"").await;
        assert!(matches!(why, DialError::Handshake { .. }), "{why}");
        assert!(why.may_pass());
    }

    #[tokio::test]
    async fn somebody_who_speaks_no_tls_will_not_the_next_time_either() {
        let why = handshake_with(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        assert!(matches!(why, DialError::Tls { .. }), "{why}");
        assert!(!why.may_pass());
    }
}
