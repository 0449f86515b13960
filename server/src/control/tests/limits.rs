//! What ends connections that do nothing, over lines in memory and on a clock
//! that stands still unless everybody waits.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{Method, StatusCode};
use link::noise::{Initiator, RESPONSE_LEN};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
    time::{Instant, pause, timeout},
};

use wire::control::RegisterRequest;

use super::{Node, World, node::read_head};
use crate::rng;

#[tokio::test]
async fn a_connection_that_says_nothing_is_closed_after_ten_seconds() {
    let world = World::start().await;
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    let node = Node::new("silent");
    let server = world.app.keys.noise.public();
    node.shake_hands(&mut stream, &server).await.unwrap();
    pause();
    let start = Instant::now();
    let mut rest = Vec::new();
    let read = timeout(Duration::from_mins(1), stream.read_to_end(&mut rest));
    assert_eq!(read.await.expect("it is closed").unwrap_or(0), 0);
    let took = start.elapsed();
    assert!((9..12).contains(&took.as_secs()), "{took:?}");
}

#[tokio::test]
async fn a_connection_without_requests_is_closed_after_three_minutes() {
    let world = World::start().await;
    let (connection, ended) = Node::new("idle").connect_in_memory(&world).await;
    pause();
    let answer = connection.ask(Method::GET, "/machine/whoami", "").await;
    assert_eq!(answer.status, StatusCode::OK);
    let start = Instant::now();
    let end = timeout(Duration::from_mins(10), ended).await;
    end.expect("it is closed").unwrap();
    let took = start.elapsed();
    assert!((179..186).contains(&took.as_secs()), "{took:?}");
}

#[tokio::test]
async fn a_connection_carries_eight_requests_at_a_time() {
    let world = World::start().await;
    let node = Node::new("greedy");
    let connection = node.connect(&world).await;
    let waiting = connection.register(&node.request()).await;
    let request = RegisterRequest {
        followup: waiting.auth_url,
        ..node.request()
    };
    let mut held = JoinSet::new();
    for _ in 0..8 {
        let (connection, request) = (connection.clone(), request.clone());
        held.spawn(async move { connection.post("/machine/register", &request).await });
    }
    let whoami = async || connection.ask(Method::GET, "/machine/whoami", "").await;
    let soon = Duration::from_millis(300);
    // Until all eight are under way the ninth may still slip in between.
    let blocked = async { while timeout(soon, whoami()).await.is_ok() {} };
    let blocked = timeout(Duration::from_secs(20), blocked).await;
    blocked.expect("the ninth waits");
    held.abort_all();
    let answer = timeout(Duration::from_secs(20), whoami()).await;
    assert_eq!(answer.expect("there is room again").status, StatusCode::OK);
}

#[tokio::test]
async fn the_websocket_form_speaks_the_same_handshake() {
    let world = World::start().await;
    let node = Node::new("browser");
    let (initiator, message) = Initiator::start(
        node.version,
        &node.machine,
        &world.app.keys.noise.public(),
        &mut rng::system(),
    )
    .unwrap();
    let encoded: String = STANDARD
        .encode(message)
        .replace('+', "%2B")
        .replace('/', "%2F")
        .replace('=', "%3D");
    let head = format!(
        "GET /ts2021?X-Tailscale-Handshake={encoded} HTTP/1.1\r\nHost: w\r\nUpgrade: websocket\r\n\
         Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\
         Sec-WebSocket-Protocol: tailscale-control-protocol\r\n\r\n"
    );
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    let head = read_head(&mut stream).await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    let protocol = "sec-websocket-protocol: tailscale-control-protocol\r\n";
    assert!(head.to_lowercase().contains(protocol), "{head}");
    // One unmasked binary message that holds the answer.
    let mut frame = [0; 2 + RESPONSE_LEN];
    stream.read_exact(&mut frame).await.unwrap();
    assert_eq!(frame[..2], [0x82, u8::try_from(RESPONSE_LEN).unwrap()]);
    initiator.finish(&frame[2..]).unwrap();
}
