//! A node: a machine key, a node key, and connections made of `link` and `wire`.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, client::conn::http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use link::noise::{HandshakeError, Initiator, Transport, accept};
use serde::Serialize;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, duplex},
    net::TcpStream,
    task::JoinHandle,
};
use wire::{
    CapabilityVersion, MachineKey, MachineSecret, NodeKey, NodeSecret, Timestamp,
    control::{Hostinfo, MapRequest, RegisterAuth, RegisterRequest, RegisterResponse},
};

use super::{
    super::{Control, Session, records::Records, session::run},
    world::World,
};
use crate::rng::{self, Rng};

/// Bytes of an answer that a node on a line in memory takes before it reads:
/// few, so that a test can make it stand still.
const WINDOW: u32 = 1024;

/// What a node's client keeps.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) machine: MachineSecret,
    pub(super) secret: NodeSecret,
    pub(super) version: CapabilityVersion,
    pub(super) hostname: String,
    pub(super) tags: Vec<String>,
}

impl Node {
    /// A fresh installation.
    pub(super) fn new(hostname: &str) -> Self {
        Self {
            machine: MachineSecret::from_bytes(Rng.bytes()),
            secret: NodeSecret::from_bytes(Rng.bytes()),
            version: CapabilityVersion(142),
            hostname: hostname.to_owned(),
            tags: Vec::new(),
        }
    }

    /// The same installation with a new node key.
    pub(super) fn renewed(&self) -> Self {
        Self {
            secret: NodeSecret::from_bytes(Rng.bytes()),
            ..self.clone()
        }
    }

    pub(super) fn key(&self) -> NodeKey {
        self.secret.public()
    }

    pub(super) fn hostinfo(&self) -> Hostinfo {
        Hostinfo {
            hostname: self.hostname.clone(),
            os: "linux".into(),
            client_version: "1.102.5".into(),
            request_tags: self.tags.clone(),
            ..Hostinfo::default()
        }
    }

    /// As the Go client sends it: every field, zero values included.
    pub(super) fn request(&self) -> RegisterRequest {
        RegisterRequest {
            version: self.version,
            node_key: self.key(),
            expiry: Some(Timestamp::ZERO),
            hostinfo: Some(self.hostinfo()),
            ..RegisterRequest::default()
        }
    }

    pub(super) fn with_key(&self, secret: &str) -> RegisterRequest {
        RegisterRequest {
            auth: Some(RegisterAuth {
                auth_key: secret.to_owned(),
            }),
            ..self.request()
        }
    }

    pub(super) fn map_request(&self) -> MapRequest {
        MapRequest {
            version: self.version,
            keep_alive: true,
            node_key: self.key(),
            hostinfo: Some(self.hostinfo()),
            ..MapRequest::default()
        }
    }

    pub(super) async fn connect(&self, world: &World) -> Connection {
        self.try_connect(world, &world.app.keys.noise.public())
            .await
            .unwrap()
    }

    /// Connects to a server that holds `server`; the refusal of the HTTP leg or
    /// of the handshake otherwise.
    pub(super) async fn try_connect(
        &self,
        world: &World,
        server: &MachineKey,
    ) -> Result<Connection, Refused> {
        let mut stream = TcpStream::connect(world.address).await.unwrap();
        let transport = self.shake_hands(&mut stream, server).await?;
        let io = TokioIo::new(Records::new(stream, transport));
        let (sender, connection) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
        tokio::spawn(connection);
        Ok(Connection { sender })
    }

    /// A connection over a line in memory, and its end.
    pub(super) async fn connect_in_memory(&self, world: &World) -> (Connection, JoinHandle<()>) {
        let control = Arc::new(Control::new(Arc::clone(&world.app)));
        self.connect_in_memory_to(world, control).await
    }

    /// As [`Self::connect_in_memory`], to what shares `control`.
    pub(super) async fn connect_in_memory_to(
        &self,
        world: &World,
        control: Arc<Control>,
    ) -> (Connection, JoinHandle<()>) {
        let (server, rng) = (&world.app.keys.noise, &mut rng::system());
        let (initiator, message) =
            Initiator::start(self.version, &self.machine, &server.public(), rng).unwrap();
        let accepted = accept(server, &message, rng).unwrap();
        let transport = initiator.finish(&accepted.response).unwrap();
        let (near, far) = duplex(64 * 1024);
        let session = Session {
            machine: accepted.machine,
            version: accepted.version,
            address: [127, 0, 0, 1].into(),
        };
        let served = run(
            control,
            Arc::new(session),
            Records::new(far, accepted.transport),
        );
        let served = tokio::spawn(served);
        let io = TokioIo::new(Records::new(near, transport));
        let (sender, connection) = http2::Builder::new(TokioExecutor::new())
            .initial_stream_window_size(WINDOW)
            .handshake(io)
            .await
            .unwrap();
        tokio::spawn(connection);
        (Connection { sender }, served)
    }

    pub(super) async fn shake_hands(
        &self,
        stream: &mut TcpStream,
        server: &MachineKey,
    ) -> Result<Transport, Refused> {
        let (initiator, message) =
            Initiator::start(self.version, &self.machine, server, &mut rng::system()).unwrap();
        let head = format!(
            "POST /ts2021 HTTP/1.1\r\nHost: warren\r\nUpgrade: tailscale-control-protocol\r\n\
             Connection: upgrade\r\nX-Tailscale-Handshake: {}\r\nContent-Length: 0\r\n\r\n",
            STANDARD.encode(message)
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let head = read_head(stream).await;
        if !head.starts_with("HTTP/1.1 101 ") {
            return Err(Refused::Http(head));
        }
        assert!(
            head.to_lowercase()
                .contains("upgrade: tailscale-control-protocol\r\n")
        );
        let mut answer = vec![0; 3];
        stream.read_exact(&mut answer).await.unwrap();
        answer.resize(Initiator::response_len(&answer).unwrap(), 0);
        stream.read_exact(&mut answer[3..]).await.unwrap();
        initiator.finish(&answer).map_err(Refused::Noise)
    }
}

/// Why no connection came about.
#[derive(Debug)]
pub(super) enum Refused {
    /// The head of an answer other than 101.
    Http(String),
    Noise(HandshakeError),
}

pub(super) async fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(head).unwrap()
}

/// A control connection.
#[derive(Debug, Clone)]
pub(super) struct Connection {
    sender: http2::SendRequest<Full<Bytes>>,
}

/// An answer, whole.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Answer {
    pub(super) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

impl Connection {
    /// Sends a request; the answer's head.
    pub(super) async fn send(&self, request: Request<Full<Bytes>>) -> Response<Incoming> {
        let mut sender = self.sender.clone();
        sender.ready().await.unwrap();
        sender.send_request(request).await.unwrap()
    }

    /// Asks for `path` and reads the whole answer.
    pub(super) async fn ask(&self, method: Method, path: &str, body: impl Into<Bytes>) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(format!("https://unused{path}"))
            .body(Full::new(body.into()))
            .unwrap();
        let (head, body) = self.send(request).await.into_parts();
        Answer {
            status: head.status,
            headers: head.headers,
            body: body.collect().await.unwrap().to_bytes(),
        }
    }

    pub(super) async fn post(&self, path: &str, value: &impl Serialize) -> Answer {
        let body = serde_json::to_vec(value).unwrap();
        self.ask(Method::POST, path, body).await
    }

    pub(super) async fn register(&self, request: &RegisterRequest) -> RegisterResponse {
        let answer = self.post("/machine/register", request).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        serde_json::from_slice(&answer.body).unwrap()
    }
}
