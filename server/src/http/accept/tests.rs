//! Real sockets against the accept loop.

use axum::{body::to_bytes, routing::get};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    task::JoinHandle,
};

use super::*;
use crate::http::gate::Caps;

struct Open {
    addr: SocketAddr,
    stop: CancellationToken,
    gate: Gate,
    served: JoinHandle<()>,
}

const SHORT: Duration = Duration::from_millis(60);
const LONG: Duration = Duration::from_secs(30);

async fn open(patience: Patience, total: usize) -> Open {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let gate = Gate::new(Caps {
        total,
        per_network: total,
        trusted: Vec::new(),
    });
    let door = Door {
        listener,
        tls: None,
        router: Router::new()
            .route("/", get(async || "hello"))
            .route("/upgrade", get(upgrade)),
        gate: gate.clone(),
        patience,
    };
    let stop = CancellationToken::new();
    let served = tokio::spawn(door.serve(stop.clone()));
    Open {
        addr,
        stop,
        gate,
        served,
    }
}

/// An upgraded connection that echoes.
async fn upgrade(request: Request<Body>) -> Response<Body> {
    tokio::spawn(async move {
        let upgraded = hyper::upgrade::on(request).await.unwrap();
        let (mut read, mut write) = tokio::io::split(TokioIo::new(upgraded));
        let _ = tokio::io::copy(&mut read, &mut write).await;
    });
    Response::builder()
        .status(101)
        .header("connection", "upgrade")
        .header("upgrade", "echo")
        .body(Body::empty())
        .unwrap()
}

fn patient() -> Patience {
    Patience {
        tls_handshake: LONG,
        first_byte: LONG,
        header: LONG,
        idle: LONG,
        write_stall: LONG,
        drain: LONG,
    }
}

async fn read_to_end(stream: &mut TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    let _ = stream.read_to_end(&mut all).await;
    all
}

#[tokio::test]
async fn a_connection_without_a_first_byte_ends() {
    let patience = Patience {
        first_byte: SHORT,
        ..patient()
    };
    let open = open(patience, 10).await;
    let mut stream = TcpStream::connect(open.addr).await.unwrap();
    assert_eq!(read_to_end(&mut stream).await, b"");
}

#[tokio::test]
async fn a_head_that_drips_ends() {
    let patience = Patience {
        header: SHORT,
        ..patient()
    };
    let open = open(patience, 10).await;
    let mut stream = TcpStream::connect(open.addr).await.unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow:")
        .await
        .unwrap();
    let answer = read_to_end(&mut stream).await;
    assert!(!answer.starts_with(b"HTTP/1.1 200"));
}

#[tokio::test]
async fn an_idle_http2_connection_ends() {
    let patience = Patience {
        idle: SHORT,
        ..patient()
    };
    let open = open(patience, 10).await;
    let stream = TcpStream::connect(open.addr).await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
    let driver = tokio::spawn(connection);
    let request = Request::get("http://x/").body(Body::empty()).unwrap();
    let response = sender.send_request(request).await.unwrap();
    let body = to_bytes(Body::new(response.into_body()), 64).await.unwrap();
    assert_eq!(body, "hello");
    driver.await.unwrap().unwrap();
}

#[tokio::test]
async fn connections_over_the_cap_are_closed_at_once() {
    let open = open(patient(), 1).await;
    let mut first = TcpStream::connect(open.addr).await.unwrap();
    first
        .write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    let mut answer = [0; 12];
    first.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    let mut second = TcpStream::connect(open.addr).await.unwrap();
    assert_eq!(read_to_end(&mut second).await, b"");
}

#[tokio::test]
async fn an_upgraded_connection_keeps_its_place_and_outlives_idle_times() {
    let patience = Patience {
        idle: SHORT,
        header: SHORT,
        first_byte: SHORT,
        ..patient()
    };
    let open = open(patience, 10).await;
    let mut stream = TcpStream::connect(open.addr).await.unwrap();
    stream
        .write_all(
            b"GET /upgrade HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n",
        )
        .await
        .unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 101"));
    tokio::time::sleep(SHORT * 3).await;
    stream.write_all(b"still here").await.unwrap();
    let mut echo = [0; 10];
    stream.read_exact(&mut echo).await.unwrap();
    assert_eq!(&echo, b"still here");
    assert_eq!(open.gate.inside(), 1);
}

#[tokio::test]
async fn a_stop_lets_no_new_connection_in_and_ends() {
    let open = open(patient(), 10).await;
    let mut idle = TcpStream::connect(open.addr).await.unwrap();
    idle.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    let mut answer = [0; 12];
    idle.read_exact(&mut answer).await.unwrap();
    open.stop.cancel();
    open.served.await.unwrap();
    assert_eq!(open.gate.inside(), 0);
    assert!(TcpStream::connect(open.addr).await.is_err());
}
