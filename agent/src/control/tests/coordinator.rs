//! A coordination server on loopback, driven by the test, real in every byte.

use std::{convert::Infallible, net::SocketAddr, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, StreamBody, combinators::BoxBody};
use hyper::{
    body::{Frame, Incoming},
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use link::noise;
use rand::rngs::OsRng;
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpListener, TcpStream},
    sync::{mpsc, oneshot},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::task::AbortOnDropHandle;
use wire::{
    MachineKey, MachineSecret,
    control::{MapRequest, MapResponse, RegisterRequest, RegisterResponse, ServerKeys},
};

use crate::{
    control::noise::NoiseStream,
    dial::BoxStream,
    state::profile::random,
    testing::{Identity, soon},
};

type Body = BoxBody<Bytes, Infallible>;

/// What a node asked, and the way to answer.
pub(super) enum Asked {
    Register(RegisterRequest, oneshot::Sender<RegisterResponse>),
    /// Answered by whether the node may stream; then messages follow.
    Stream(
        MapRequest,
        oneshot::Sender<Option<mpsc::Receiver<MapResponse>>>,
    ),
    Report(MapRequest),
}

struct Shared {
    key: MachineSecret,
    asked: mpsc::UnboundedSender<(MachineKey, Asked)>,
    ca_pem: Option<String>,
}

/// The server. Connections end with it.
pub(super) struct Coordinator {
    pub(super) addr: SocketAddr,
    pub(super) key: MachineKey,
    asked: mpsc::UnboundedReceiver<(MachineKey, Asked)>,
    _task: AbortOnDropHandle<()>,
}

impl Coordinator {
    /// Plain HTTP.
    pub(super) async fn start() -> Self {
        Self::serve(None).await
    }

    /// TLS.
    pub(super) async fn with_tls(identity: &Identity) -> Self {
        Self::serve(Some(identity)).await
    }

    async fn serve(identity: Option<&Identity>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (asked_out, asked) = mpsc::unbounded_channel();
        let key = MachineSecret::from_bytes(random());
        let addr = listener.local_addr().unwrap();
        let public = key.public();
        let shared = Arc::new(Shared {
            key,
            asked: asked_out,
            ca_pem: identity.map(|i| i.ca_pem.clone()),
        });
        let acceptor = identity.map(|i| i.acceptor.clone());
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(connection(stream, acceptor.clone(), Arc::clone(&shared)));
            }
        });
        Self {
            addr,
            key: public,
            asked,
            _task: AbortOnDropHandle::new(task),
        }
    }

    /// The next thing a node asks, and by which machine.
    pub(super) async fn next(&mut self) -> (MachineKey, Asked) {
        soon("a node asks", self.asked.recv()).await.unwrap()
    }

    pub(super) async fn registration(
        &mut self,
    ) -> (RegisterRequest, oneshot::Sender<RegisterResponse>) {
        match self.next().await.1 {
            Asked::Register(request, answer) => (request, answer),
            Asked::Stream(..) | Asked::Report(_) => panic!("the node does not register"),
        }
    }

    /// The next stream request, past reports; lets it in.
    pub(super) async fn stream(&mut self) -> (MapRequest, mpsc::Sender<MapResponse>) {
        loop {
            match self.next().await.1 {
                Asked::Stream(request, answer) => {
                    let (messages, queue) = mpsc::channel(16);
                    answer.send(Some(queue)).unwrap();
                    return (request, messages);
                }
                Asked::Report(_) => {}
                Asked::Register(..) => panic!("the node registers"),
            }
        }
    }

    pub(super) async fn report(&mut self) -> MapRequest {
        match self.next().await.1 {
            Asked::Report(request) => request,
            Asked::Register(..) | Asked::Stream(..) => panic!("the node does not report"),
        }
    }
}

async fn connection(stream: TcpStream, acceptor: Option<TlsAcceptor>, shared: Arc<Shared>) {
    let stream: BoxStream = match acceptor {
        None => Box::new(stream),
        Some(acceptor) => match acceptor.accept(stream).await {
            Ok(stream) => Box::new(stream),
            Err(_) => return,
        },
    };
    let service = service_fn(move |request| front(request, Arc::clone(&shared)));
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades()
        .await;
}

fn full(status: StatusCode, body: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(Full::new(body.into()).boxed());
    *response.status_mut() = status;
    response
}

async fn front(
    mut request: Request<Incoming>,
    shared: Arc<Shared>,
) -> Result<Response<Body>, Infallible> {
    tokio::task::yield_now().await;
    Ok(match request.uri().path() {
        "/key" => {
            let keys = ServerKeys {
                legacy_public_key: MachineKey::ZERO,
                public_key: shared.key.public(),
            };
            full(StatusCode::OK, serde_json::to_vec(&keys).unwrap())
        }
        "/ca.pem" => match &shared.ca_pem {
            Some(pem) => full(StatusCode::OK, pem.clone()),
            None => full(StatusCode::NOT_FOUND, "no CA"),
        },
        "/ts2021" => {
            let initiation = request.headers()["x-tailscale-handshake"].as_bytes();
            let initiation = STANDARD.decode(initiation).unwrap();
            let upgrade = hyper::upgrade::on(&mut request);
            tokio::spawn(async move { inside(upgrade.await.unwrap(), &initiation, shared).await });
            let mut response = full(StatusCode::SWITCHING_PROTOCOLS, "");
            let protocol = "tailscale-control-protocol".parse().unwrap();
            response.headers_mut().insert(header::UPGRADE, protocol);
            let upgrade = "upgrade".parse().unwrap();
            response.headers_mut().insert(header::CONNECTION, upgrade);
            response
        }
        _ => full(StatusCode::NOT_FOUND, ""),
    })
}

async fn inside(upgraded: hyper::upgrade::Upgraded, initiation: &[u8], shared: Arc<Shared>) {
    let mut line = TokioIo::new(upgraded);
    let accepted = noise::accept(&shared.key, initiation, &mut OsRng).unwrap();
    line.write_all(&accepted.response).await.unwrap();
    let machine = accepted.machine;
    let stream = NoiseStream::new(line, accepted.transport, BytesMut::new());
    let service = service_fn(move |request| back(request, machine, Arc::clone(&shared)));
    let _ = http2::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn back(
    request: Request<Incoming>,
    machine: MachineKey,
    shared: Arc<Shared>,
) -> Result<Response<Body>, Infallible> {
    let path = request.uri().path().to_owned();
    let body = request.into_body().collect().await.unwrap().to_bytes();
    if path == "/machine/register" {
        let (answer, answered) = oneshot::channel();
        let request = serde_json::from_slice(&body).unwrap();
        let asked = Asked::Register(request, answer);
        let _ = shared.asked.send((machine, asked));
        return Ok(match answered.await {
            Ok(response) => full(StatusCode::OK, serde_json::to_vec(&response).unwrap()),
            Err(_) => full(StatusCode::SERVICE_UNAVAILABLE, "try again"),
        });
    }
    assert_eq!(path, "/machine/map");
    let request: MapRequest = serde_json::from_slice(&body).unwrap();
    if !request.stream {
        let _ = shared.asked.send((machine, Asked::Report(request)));
        return Ok(full(StatusCode::OK, ""));
    }
    assert_eq!(request.compress, "zstd");
    let (answer, answered) = oneshot::channel();
    let asked = Asked::Stream(request, answer);
    let _ = shared.asked.send((machine, asked));
    Ok(match answered.await {
        Ok(Some(messages)) => Response::new(frames(messages)),
        Ok(None) | Err(_) => full(StatusCode::NOT_FOUND, "no such node"),
    })
}

fn frames(messages: mpsc::Receiver<MapResponse>) -> Body {
    let stream = futures_util::stream::unfold(messages, |mut messages| async move {
        Some((messages.recv().await?, messages))
    });
    let frames = stream.map(|message: MapResponse| {
        let document = serde_json::to_vec(&message).unwrap();
        let squeezed = zstd::encode_all(&document[..], 0).unwrap();
        let mut frame = u32::try_from(squeezed.len())
            .unwrap()
            .to_le_bytes()
            .to_vec();
        frame.extend_from_slice(&squeezed);
        Ok::<_, Infallible>(Frame::data(Bytes::from(frame)))
    });
    BodyExt::boxed(StreamBody::new(frames))
}
