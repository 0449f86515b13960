//! Reaching the server: its key over TLS, then the Noise connection.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{Request, header};
use link::noise::{HandshakeError, Initiator};
use rand::rngs::OsRng;
use rustls_pki_types::{CertificateDer, pem::PemObject as _};
use tokio::time::timeout;
use wire::{CapabilityVersion, MachineKey, MachineSecret, control::ServerKeys};

use super::{connection::Connection, noise, url::ServerUrl};
use crate::{
    dial::{
        self, BoxStream, DialError,
        http1::{self, HttpError},
    },
    tls::{self, Digest, Tls, Trust},
};

/// The longest key document that is read.
const MAX_KEYS: usize = 64 * 1024;
/// The longest CA certificate that is read.
const MAX_CA: usize = 64 * 1024;
/// How long everything up to the first request may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Whom to reach, and what is known of him.
#[derive(Debug, Clone)]
pub struct Server {
    /// Where he is.
    pub url: ServerUrl,
    /// How his TLS certificate is judged.
    pub trust: Trust,
    /// His Noise key, as it was at the first contact.
    pub key: Option<MachineKey>,
}

/// Why the server is not reached.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// No connection.
    #[error("the server {url} is not reachable: {source}")]
    Dial {
        /// The server.
        url: ServerUrl,
        /// Why.
        source: DialError,
    },
    /// He speaks, but not as he should.
    #[error("{url} does not answer as a Warren server does: {source}")]
    Http {
        /// The server.
        url: ServerUrl,
        /// Why.
        source: HttpError,
    },
    /// He takes too long.
    #[error("the server {0} is not reachable: it does not answer in time")]
    Slow(ServerUrl),
    /// The key document cannot be read.
    #[error("{0} does not answer as a Warren server does: its key cannot be read")]
    Keys(ServerUrl),
    /// Another key than before.
    #[error(
        "the server {url} has another key than at the first contact ({now} instead of {before}): \
         somebody may stand between, or the server was set up anew. If you know that it was, run \
         `warren logout` and join again"
    )]
    KeyChanged {
        /// The server.
        url: ServerUrl,
        /// The key that is known.
        before: String,
        /// The key he shows.
        now: String,
    },
    /// No CA with the digest.
    #[error(
        "the server {0} has no CA certificate with the digest of --server-ca-sha256: copy the \
         command from the console's \"Add device\" again"
    )]
    WrongCa(ServerUrl),
    /// The handshake failed, or he refused in his own words.
    #[error("{0}")]
    Handshake(#[source] HandshakeError),
    /// The connection broke.
    #[error("the connection with {url} broke: {source}")]
    Broken {
        /// The server.
        url: ServerUrl,
        /// Why.
        source: std::io::Error,
    },
}

impl ConnectError {
    /// Whether trying again soon may help.
    pub const fn may_pass(&self) -> bool {
        match self {
            Self::Dial { source, .. } => source.may_pass(),
            Self::Http { .. } | Self::Slow(_) | Self::Broken { .. } => true,
            Self::Keys(_) | Self::KeyChanged { .. } | Self::WrongCa(_) | Self::Handshake(_) => {
                false
            }
        }
    }
}

/// Opens a connection; gives the server's key with it.
pub async fn connect(
    tls: &Tls,
    server: &Server,
    machine: &MachineSecret,
) -> Result<(Connection, MachineKey), ConnectError> {
    timeout(PATIENCE, connect_now(tls, server, machine))
        .await
        .unwrap_or_else(|_| Err(ConnectError::Slow(server.url.clone())))
}

async fn connect_now(
    tls: &Tls,
    server: &Server,
    machine: &MachineSecret,
) -> Result<(Connection, MachineKey), ConnectError> {
    let url = &server.url;
    let broken = |source| ConnectError::Broken {
        url: url.clone(),
        source,
    };
    let mut client = open(tls, url, &server.trust).await?;
    let key = fetch_key(url, &mut client).await?;
    if let Some(before) = server.key
        && before != key
    {
        return Err(ConnectError::KeyChanged {
            url: url.clone(),
            before: before.short(),
            now: key.short(),
        });
    }
    let (initiator, message) =
        Initiator::start(CapabilityVersion::AGENT, machine, &key, &mut OsRng)
            .map_err(ConnectError::Handshake)?;
    let request = Request::post("/ts2021")
        .header(header::UPGRADE, "tailscale-control-protocol")
        .header(header::CONNECTION, "upgrade")
        .header(header::CONTENT_LENGTH, "0")
        .header("X-Tailscale-Handshake", STANDARD.encode(message));
    let upgraded = client
        .upgrade(request, "/ts2021")
        .await
        .map_err(|source| not_warren(url, source))?;
    let stream = noise::finish(initiator, upgraded)
        .await
        .map_err(broken)?
        .map_err(ConnectError::Handshake)?;
    let connection = Connection::new(Box::new(stream), url)
        .await
        .map_err(|e| broken(std::io::Error::other(e)))?;
    Ok((connection, key))
}

fn not_warren(url: &ServerUrl, source: HttpError) -> ConnectError {
    ConnectError::Http {
        url: url.clone(),
        source,
    }
}

async fn fetch_key(
    url: &ServerUrl,
    client: &mut http1::Client,
) -> Result<MachineKey, ConnectError> {
    let path = format!("/key?v={}", CapabilityVersion::AGENT);
    let body = client
        .get(&path, MAX_KEYS)
        .await
        .map_err(|source| not_warren(url, source))?;
    serde_json::from_slice::<ServerKeys>(&body)
        .ok()
        .map(|keys| keys.public_key)
        .filter(|key| !key.is_zero())
        .ok_or_else(|| ConnectError::Keys(url.clone()))
}

/// An HTTP connection with the server.
async fn open(tls: &Tls, url: &ServerUrl, trust: &Trust) -> Result<http1::Client, ConnectError> {
    let (stream, _) = dial(tls, url, trust)
        .await
        .map_err(|source| ConnectError::Dial {
            url: url.clone(),
            source,
        })?;
    http1::Client::new(stream, url.authority())
        .await
        .map_err(|source| not_warren(url, source))
}

/// A connection, and the certificates that the server showed.
async fn dial(
    tls: &Tls,
    url: &ServerUrl,
    trust: &Trust,
) -> Result<(BoxStream, Vec<CertificateDer<'static>>), DialError> {
    let addrs = dial::resolve(url.host(), url.port(), &[]).await?;
    let stream = dial::tcp(url.host(), &addrs).await?;
    if !url.is_tls() {
        return Ok((Box::new(stream), Vec::new()));
    }
    let config = tls.config(trust).map_err(|e| DialError::Tls {
        host: url.host().to_owned(),
        why: e.to_string(),
    })?;
    let stream = dial::tls(config, url.host(), stream).await?;
    let shown = stream.get_ref().1.peer_certificates();
    let shown = shown
        .unwrap_or_default()
        .iter()
        .map(|c| c.clone().into_owned());
    let shown = shown.collect();
    Ok((Box::new(stream), shown))
}

/// Finds the certificate with this digest: among those that the server shows,
/// or as the CA that it gives to everybody. The digest proves it, so the
/// connection need not.
pub async fn find_ca(tls: &Tls, url: &ServerUrl, digest: &Digest) -> Result<Trust, ConnectError> {
    timeout(PATIENCE, find_ca_now(tls, url, digest))
        .await
        .unwrap_or_else(|_| Err(ConnectError::Slow(url.clone())))
}

async fn find_ca_now(tls: &Tls, url: &ServerUrl, digest: &Digest) -> Result<Trust, ConnectError> {
    let (stream, shown) =
        dial(tls, url, &Trust::Nobody)
            .await
            .map_err(|source| ConnectError::Dial {
                url: url.clone(),
                source,
            })?;
    let fits = |c: &CertificateDer<'static>| tls::has_digest(c, digest);
    match shown.iter().position(fits) {
        Some(0) => return Ok(Trust::Certificate(*digest)),
        Some(at) => return Ok(Trust::Ca(shown[at].clone())),
        None => {}
    }
    let mut client = http1::Client::new(stream, url.authority())
        .await
        .map_err(|source| not_warren(url, source))?;
    let pem = client
        .get("/ca.pem", MAX_CA)
        .await
        .map_err(|why| no_ca(url, why))?;
    CertificateDer::pem_slice_iter(&pem)
        .flatten()
        .find(|c| tls::has_digest(c, digest))
        .map(Trust::Ca)
        .ok_or_else(|| ConnectError::WrongCa(url.clone()))
}

/// A server that answers has no such CA; with one that does not, nothing is known.
fn no_ca(url: &ServerUrl, why: HttpError) -> ConnectError {
    match why {
        HttpError::Broken(_) => not_warren(url, why),
        HttpError::Request(_) | HttpError::Body { .. } | HttpError::Status { .. } => {
            ConnectError::WrongCa(url.clone())
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;
    use crate::testing::Identity;

    #[tokio::test]
    async fn a_server_that_hangs_up_has_not_shown_the_wrong_ca() {
        let identity = Identity::new();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        let acceptor = identity.acceptor.clone();
        let server = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            drop(acceptor.accept(stream).await);
        });
        let found = find_ca(&Tls::new(None), &url.parse().unwrap(), &[7; 32]).await;
        server.await.unwrap();
        let why = found.unwrap_err();
        assert!(matches!(why, ConnectError::Http { .. }), "{why}");
        assert!(why.may_pass());
    }
}
