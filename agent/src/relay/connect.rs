//! Reaching a relay: address, TLS, upgrade, greeting.

use std::{net::IpAddr, time::Duration};

use bytes::BytesMut;
use http::{Request, header};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use link::relay::{ClientSession, Event, client::SessionError};
use rand::RngCore as _;
use socket2::SockRef;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::timeout,
};
use wire::{
    NodeSecret,
    relay_map::{Region, RelayHost},
};

use crate::{
    dial::{
        self, BoxStream, DialError,
        http1::{self, HttpError},
    },
    tls::{self, Tls, Trust},
};

/// How long upgrade and greeting may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes that the kernel may hold unsent: packets that wait there can neither be overtaken nor
/// dropped.
const MAX_UNSENT: u32 = 64 * 1024;
/// What precedes a certificate's digest in a relay's certificate name.
const PIN: &str = "sha256-raw:";

/// A connection that may carry packets.
pub(super) type Line = TokioIo<Upgraded>;

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// The map names no relay in the region.
    #[error("the relay map has no relay in this region")]
    NoHost,
    /// No connection.
    #[error("the relay is not reachable: {0}")]
    Dial(#[source] DialError),
    /// No upgrade.
    #[error("the relay does not take us: {0}")]
    Http(#[source] HttpError),
    /// It breaks the protocol, or does not prove its key.
    #[error("the relay cannot be used")]
    Session(#[source] SessionError),
    /// It broke.
    #[error("the connection with the relay broke")]
    Broken(#[source] std::io::Error),
    /// It takes too long.
    #[error("the relay does not answer")]
    Slow,
}

/// A session that is ready, its connection, and what has arrived already.
pub(super) struct Greeted {
    pub(super) line: Line,
    pub(super) session: ClientSession,
    pub(super) input: BytesMut,
}

/// Connects to the first relay of the region that takes us.
pub(super) async fn region(
    region: &Region,
    tls: &Tls,
    trust: &Trust,
    node: &NodeSecret,
) -> Result<Greeted, RelayError> {
    let mut last = RelayError::NoHost;
    for host in region.nodes.iter().filter(|h| !h.stun_only) {
        match connect(host, tls, trust, node).await {
            Ok(greeted) => return Ok(greeted),
            Err(why) => last = why,
        }
    }
    Err(last)
}

async fn connect(
    host: &RelayHost,
    tls: &Tls,
    trust: &Trust,
    node: &NodeSecret,
) -> Result<Greeted, RelayError> {
    let stream = open(host, tls, trust).await.map_err(RelayError::Dial)?;
    timeout(PATIENCE, greet(stream, host, node))
        .await
        .unwrap_or(Err(RelayError::Slow))
}

async fn greet(
    stream: BoxStream,
    host: &RelayHost,
    node: &NodeSecret,
) -> Result<Greeted, RelayError> {
    let client = http1::Client::new(stream, host.host_name.clone())
        .await
        .map_err(RelayError::Http)?;
    let request = Request::get("/derp")
        .header(header::UPGRADE, "DERP")
        .header(header::CONNECTION, "Upgrade");
    let mut line = client
        .upgrade(request, "/derp")
        .await
        .map_err(RelayError::Http)?;
    let mut nonce = [0; 24];
    rand::rngs::OsRng.fill_bytes(&mut nonce);
    let mut session = ClientSession::new(node.clone(), nonce);
    let mut input = BytesMut::new();
    loop {
        let event = session.handle_input(&mut input);
        let event = event.map_err(RelayError::Session)?;
        let output = std::mem::take(session.output());
        line.write_all(&output).await.map_err(RelayError::Broken)?;
        line.flush().await.map_err(RelayError::Broken)?;
        if event == Some(Event::Ready) {
            return Ok(Greeted {
                line,
                session,
                input,
            });
        }
        if event.is_none()
            && line
                .read_buf(&mut input)
                .await
                .map_err(RelayError::Broken)?
                == 0
        {
            return Err(RelayError::Broken(std::io::ErrorKind::UnexpectedEof.into()));
        }
    }
}

/// A TLS connection with the host.
pub(super) async fn open(
    host: &RelayHost,
    tls: &Tls,
    trust: &Trust,
) -> Result<BoxStream, DialError> {
    let (trust, name) = identity(host, trust)?;
    let port = u16::try_from(host.relay_port).unwrap_or_default();
    let port = if port == 0 { 443 } else { port };
    let mut addrs = dial::resolve(&host.host_name, port, &literals(host)).await?;
    addrs.retain(|a| match a.ip() {
        IpAddr::V4(_) => host.ipv4 != "none",
        IpAddr::V6(_) => host.ipv6 != "none",
    });
    let stream = dial::tcp(&host.host_name, &addrs).await?;
    // Fails on a connection that is broken already, which shows itself.
    let _ = SockRef::from(&stream).set_tcp_notsent_lowat(MAX_UNSENT);
    let config = tls.config(&trust).map_err(|e| DialError::Tls {
        host: host.host_name.clone(),
        why: e.to_string(),
    })?;
    Ok(Box::new(dial::tls(config, name, stream).await?))
}

/// The addresses that the map names.
pub fn literals(host: &RelayHost) -> Vec<IpAddr> {
    [&host.ipv4, &host.ipv6]
        .into_iter()
        .filter_map(|text| text.parse().ok())
        .collect()
}

/// How the host proves itself, and by which name.
fn identity<'a>(host: &'a RelayHost, trust: &Trust) -> Result<(Trust, &'a str), DialError> {
    if let Some(digest) = host.cert_name.strip_prefix(PIN) {
        let digest = tls::parse_digest(digest).ok_or_else(|| DialError::Tls {
            host: host.host_name.clone(),
            why: "the relay map's certificate digest cannot be read".to_owned(),
        })?;
        return Ok((Trust::Certificate(digest), &host.host_name));
    }
    let name = if host.cert_name.is_empty() {
        &host.host_name
    } else {
        &host.cert_name
    };
    Ok((trust.clone(), name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relay_is_known_by_digest_or_by_name() {
        let mut host = RelayHost {
            host_name: "relay.example".to_owned(),
            cert_name: format!("sha256-raw:{}", "ab".repeat(32)),
            ..RelayHost::default()
        };
        let trust = Trust::Public;
        assert_eq!(
            identity(&host, &trust).unwrap(),
            (Trust::Certificate([0xab; 32]), "relay.example")
        );
        host.cert_name = "sha256-raw:zz".to_owned();
        assert!(identity(&host, &trust).is_err());
        host.cert_name = "other.example".to_owned();
        assert_eq!(
            identity(&host, &trust).unwrap(),
            (Trust::Public, "other.example")
        );
        host.cert_name.clear();
        assert_eq!(identity(&host, &trust).unwrap().1, "relay.example");
    }

    #[test]
    fn literal_addresses_spare_the_look_up() {
        let host = RelayHost {
            ipv4: "192.0.2.1".to_owned(),
            ipv6: "none".to_owned(),
            ..RelayHost::default()
        };
        assert_eq!(literals(&host), [IpAddr::from([192, 0, 2, 1])]);
    }
}
