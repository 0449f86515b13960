//! A relay on a loopback socket, and clients of it.

use std::{net::SocketAddr, sync::Arc};

use bytes::BytesMut;
use hyper_util::rt::TokioIo;
use link::relay::{ClientSession, Event};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use wire::{NodeKey, NodeSecret, TenantId};

use crate::relay::{Admission, Relay, router};

pub(super) fn secret(n: u8) -> NodeSecret {
    NodeSecret::from_bytes([n; 32])
}

pub(super) fn key(n: u8) -> NodeKey {
    secret(n).public()
}

pub(super) fn tenant(n: u8) -> TenantId {
    format!("00000000-0000-0000-0000-{n:012}").parse().unwrap()
}

pub(super) struct Server {
    pub(super) address: SocketAddr,
    pub(super) relay: Arc<Relay>,
    pub(super) admission: Admission,
}

impl Server {
    pub(super) async fn start() -> Self {
        let admission = Admission::new();
        let relay = Relay::start(
            [3; 32],
            admission.clone(),
            [("warren.test".to_owned(), vec!["192.0.2.1".parse().unwrap()])].into(),
            Box::new(|nonce| nonce.fill(4)),
        );
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = hyper_util::service::TowerToHyperService::new(
            router::<()>(relay.clone()).with_state(()),
        );
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                stream.set_nodelay(true).unwrap();
                let service = service.clone();
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .with_upgrades(),
                );
            }
        });
        Self {
            address,
            relay,
            admission,
        }
    }

    /// Admits node `n` to a tenant and connects it.
    pub(super) async fn join(&self, to: u8, n: u8) -> Client {
        self.admission.admit(tenant(to), key(n));
        let mut client = Client::connect(self.address, secret(n)).await;
        assert_eq!(client.event().await, Some(Event::Ready));
        client.ping().await;
        assert_eq!(client.event().await, Some(Event::Pong([7; 8])));
        client
    }

    /// The whole answer to a request.
    pub(super) async fn get(&self, path: &str, headers: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let close = if headers.contains("Connection") {
            ""
        } else {
            "Connection: close\r\n"
        };
        let request = format!("GET {path} HTTP/1.1\r\nHost: relay\r\n{close}{headers}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }
}

/// How frames travel.
enum Framing {
    Plain,
    WebSocket,
}

pub(super) struct Client {
    stream: TcpStream,
    session: ClientSession,
    input: BytesMut,
    framing: Framing,
}

impl Client {
    pub(super) async fn connect(address: SocketAddr, secret: NodeSecret) -> Self {
        let upgrade = "Upgrade: DERP\r\nConnection: Upgrade\r\n";
        let (client, answer) = Self::upgrade(address, secret, upgrade, Framing::Plain).await;
        let relay = link::relay::RelaySecret::from_bytes([3; 32]).public();
        assert!(answer.contains("derp-version: 2"));
        assert!(answer.contains(&format!("derp-public-key: {relay}")));
        client
    }

    pub(super) async fn connect_websocket(address: SocketAddr, secret: NodeSecret) -> Self {
        let upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
            Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: derp\r\n";
        let (client, answer) = Self::upgrade(address, secret, upgrade, Framing::WebSocket).await;
        assert!(answer.contains("sec-websocket-protocol: derp"));
        client
    }

    async fn upgrade(
        address: SocketAddr,
        secret: NodeSecret,
        headers: &str,
        framing: Framing,
    ) -> (Self, String) {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let request = format!("GET /derp HTTP/1.1\r\nHost: relay\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap().to_lowercase();
        assert!(head.starts_with("http/1.1 101 "), "{head}");
        let client = Self {
            stream,
            session: ClientSession::new(secret, [5; 24]),
            input: BytesMut::new(),
            framing,
        };
        (client, head)
    }

    /// What happens next; `None` when the relay has ended the connection.
    pub(super) async fn event(&mut self) -> Option<Event> {
        loop {
            let event = self.session.handle_input(&mut self.input).unwrap();
            self.flush().await;
            if event.is_some() {
                return event;
            }
            match self.framing {
                Framing::Plain => match self.stream.read_buf(&mut self.input).await {
                    Ok(0) | Err(_) => return None,
                    Ok(_) => {}
                },
                Framing::WebSocket => self.read_message().await,
            }
        }
    }

    pub(super) async fn packet(&mut self) -> (NodeKey, Vec<u8>) {
        match self.event().await {
            Some(Event::Received { from, packet }) => (from, packet.to_vec()),
            other => panic!("no packet but {other:?}"),
        }
    }

    pub(super) fn queue(&mut self, to: &NodeKey, packet: &[u8]) {
        self.session.send(to, packet);
    }

    pub(super) async fn send(&mut self, to: &NodeKey, packet: &[u8]) {
        self.queue(to, packet);
        self.flush().await;
    }

    pub(super) async fn ping(&mut self) {
        self.session.ping([7; 8]);
        self.flush().await;
    }

    pub(super) async fn flush(&mut self) {
        let out = std::mem::take(self.session.output());
        if out.is_empty() {
            return;
        }
        if let Framing::WebSocket = self.framing {
            // RFC 6455: a final binary message, masked with zeros.
            let mut head = vec![0x82];
            if let Some(len) = u8::try_from(out.len()).ok().filter(|len| *len < 126) {
                head.push(0x80 | len);
            } else {
                head.push(0xfe);
                head.extend(u16::try_from(out.len()).unwrap().to_be_bytes());
            }
            head.extend([0; 4]);
            self.stream.write_all(&head).await.unwrap();
        }
        // A relay that has hung up is found out by reading.
        let _ = self.stream.write_all(&out).await;
    }

    /// One unmasked message of the server.
    async fn read_message(&mut self) {
        assert_eq!(self.stream.read_u8().await.unwrap(), 0x82);
        let len = match self.stream.read_u8().await.unwrap() {
            126 => usize::from(self.stream.read_u16().await.unwrap()),
            len => usize::from(len),
        };
        let mut message = vec![0; len];
        self.stream.read_exact(&mut message).await.unwrap();
        self.input.extend_from_slice(&message);
    }
}
