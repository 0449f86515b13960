//! A relay on loopback, driven by the test, real in every byte.

use std::{convert::Infallible, net::SocketAddr};

use bytes::{Buf as _, Bytes, BytesMut};
use http::{Request, Response, StatusCode, header};
use http_body_util::Empty;
use hyper::{body::Incoming, server::conn::http1, service::service_fn, upgrade::Upgraded};
use hyper_util::rt::TokioIo;
use link::relay::{
    Frame, RelaySecret,
    greeting::{open_client_info, put_server_info},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    sync::mpsc,
};
use tokio_util::task::AbortOnDropHandle;
use wire::{
    NodeKey,
    relay_map::{Region, RegionId, RelayHost, RelayMap},
};

use crate::{
    state::profile::random,
    testing::{Identity, soon},
    tls,
};

/// The relay; connections that were taken outlive it.
pub(super) struct Relay {
    pub(super) addr: SocketAddr,
    identity: Identity,
    clients: mpsc::UnboundedReceiver<Client>,
    _task: AbortOnDropHandle<()>,
}

/// A connected client.
pub(super) struct Client {
    pub(super) key: NodeKey,
    line: TokioIo<Upgraded>,
    input: BytesMut,
}

impl Relay {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let identity = Identity::new();
        let acceptor = identity.acceptor.clone();
        let (clients_out, clients) = mpsc::unbounded_channel();
        let addr = listener.local_addr().unwrap();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, clients) = (acceptor.clone(), clients_out.clone());
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else {
                        return;
                    };
                    let service = service_fn(move |request| serve(request, clients.clone()));
                    let _ = http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .with_upgrades()
                        .await;
                });
            }
        });
        Self {
            addr,
            identity,
            clients,
            _task: AbortOnDropHandle::new(task),
        }
    }

    /// A map that names it, by its certificate's digest.
    pub(super) fn map(&self, region: RegionId) -> RelayMap {
        let host = RelayHost {
            name: "a".to_owned(),
            region_id: region,
            host_name: "127.0.0.1".to_owned(),
            ipv4: "127.0.0.1".to_owned(),
            relay_port: self.addr.port().into(),
            cert_name: format!(
                "sha256-raw:{}",
                hex::encode(tls::digest(&self.identity.leaf))
            ),
            ..RelayHost::default()
        };
        let region_of = Region {
            region_id: region,
            nodes: vec![host],
            ..Region::default()
        };
        RelayMap {
            regions: [(region, region_of)].into(),
            ..RelayMap::default()
        }
    }

    pub(super) async fn client(&mut self) -> Client {
        soon("a client connects", self.clients.recv())
            .await
            .unwrap()
    }
}

async fn serve(
    mut request: Request<Incoming>,
    clients: mpsc::UnboundedSender<Client>,
) -> Result<Response<Empty<Bytes>>, Infallible> {
    tokio::task::yield_now().await;
    let mut response = Response::new(Empty::new());
    if request.uri().path() == "/derp/latency-check" {
        return Ok(response);
    }
    assert_eq!(request.headers()[header::UPGRADE], "DERP");
    let upgrade = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let line = TokioIo::new(upgrade.await.unwrap());
        if let Some(client) = greet(line).await {
            let _ = clients.send(client);
        }
    });
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::UPGRADE, "DERP".parse().unwrap());
    headers.insert(header::CONNECTION, "Upgrade".parse().unwrap());
    Ok(response)
}

async fn greet(mut line: TokioIo<Upgraded>) -> Option<Client> {
    let secret = RelaySecret::from_bytes(random());
    let mut out = Vec::new();
    Frame::ServerKey(secret.public()).encode(&mut out);
    line.write_all(&out).await.ok()?;
    let mut input = BytesMut::new();
    loop {
        if let Some((Frame::ClientInfo { key, nonce, sealed }, len)) =
            Frame::decode(&input).unwrap()
        {
            open_client_info(&secret, key, &nonce, sealed).unwrap();
            input.advance(len);
            let mut out = Vec::new();
            put_server_info(&secret, &key, [3; 24], &mut out).unwrap();
            line.write_all(&out).await.ok()?;
            return Some(Client { key, line, input });
        }
        if line.read_buf(&mut input).await.ok()? == 0 {
            return None;
        }
    }
}

impl Client {
    pub(super) async fn send(&mut self, frame: Frame<'_>) {
        let mut out = Vec::new();
        frame.encode(&mut out);
        self.line.write_all(&out).await.unwrap();
        self.line.flush().await.unwrap();
    }

    /// The next frame, as `look` sees it; `None`: the client has hung up.
    pub(super) async fn next<T>(&mut self, look: impl Fn(Frame<'_>) -> T) -> Option<T> {
        soon("the client sends", async {
            loop {
                if let Some((frame, len)) = Frame::decode(&self.input).unwrap() {
                    let seen = look(frame);
                    self.input.advance(len);
                    return Some(seen);
                }
                if self.line.read_buf(&mut self.input).await.unwrap_or(0) == 0 {
                    return None;
                }
            }
        })
        .await
    }
}
