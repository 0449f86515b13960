//! The way in.

use http::{Method, StatusCode};
use tokio::{io::AsyncWriteExt as _, net::TcpStream};
use wire::{CapabilityVersion, MachineKey, MachineSecret, control::ServerKeys};

use super::{
    Node, World,
    node::{Refused, read_head},
};

async fn plain(world: &World, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

#[tokio::test]
async fn the_key_has_both_fields_that_clients_demand() {
    use tokio::io::AsyncReadExt as _;
    let world = World::start().await;
    let request = "GET /key?v=142 HTTP/1.1\r\nHost: w\r\nConnection: close\r\n\r\n";
    let mut stream = plain(&world, request).await;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(body.contains("\"legacyPublicKey\":\"mkey:000"));
    let keys: ServerKeys = serde_json::from_str(body).unwrap();
    assert_eq!(keys.public_key, world.app.keys.noise.public());
    assert_eq!(keys.legacy_public_key, MachineKey::ZERO);
}

#[tokio::test]
async fn a_client_that_is_too_old_is_told_so_in_words() {
    let world = World::start().await;
    let mut node = Node::new("old");
    node.version = CapabilityVersion(CapabilityVersion::MINIMUM.0 - 1);
    let server = world.app.keys.noise.public();
    match node.try_connect(&world, &server).await {
        Err(Refused::Noise(e)) => assert!(e.to_string().contains("please update"), "{e}"),
        other => panic!("{other:?}"),
    }
    node.version = CapabilityVersion::MINIMUM;
    node.try_connect(&world, &server).await.unwrap();
}

#[tokio::test]
async fn a_handshake_with_another_server_in_mind_is_refused() {
    let world = World::start().await;
    let other = MachineSecret::from_bytes([9; 32]).public();
    match Node::new("lost").try_connect(&world, &other).await {
        Err(Refused::Http(head)) => assert!(head.starts_with("HTTP/1.1 400 "), "{head}"),
        refused => panic!("{refused:?}"),
    }
}

#[tokio::test]
async fn failed_handshakes_are_limited_by_address() {
    let world = World::start().await;
    let other = MachineSecret::from_bytes([9; 32]).public();
    let node = Node::new("flood");
    for _ in 0..2000 {
        let Err(Refused::Http(head)) = node.try_connect(&world, &other).await else {
            panic!("a handshake with a wrong key passed");
        };
        if head.starts_with("HTTP/1.1 429 ") {
            assert!(head.contains("retry-after: 1\r\n"), "{head}");
            return;
        }
    }
    panic!("2,000 failures and no limit");
}

#[tokio::test]
async fn anything_but_an_upgrade_is_told_what_to_send() {
    let world = World::start().await;
    let request = "POST /ts2021 HTTP/1.1\r\nHost: w\r\nContent-Length: 0\r\n\r\n";
    let head = read_head(&mut plain(&world, request).await).await;
    assert!(head.starts_with("HTTP/1.1 426 "), "{head}");
    let request = "POST /ts2021 HTTP/1.1\r\nHost: w\r\nUpgrade: tailscale-control-protocol\r\n\
                   Connection: upgrade\r\nX-Tailscale-Handshake: AAAA\r\nContent-Length: 0\r\n\r\n";
    let head = read_head(&mut plain(&world, request).await).await;
    assert!(head.starts_with("HTTP/1.1 400 "), "{head}");
    let request = "GET /ts2021 HTTP/1.1\r\nHost: w\r\n\r\n";
    let head = read_head(&mut plain(&world, request).await).await;
    assert!(head.starts_with("HTTP/1.1 400 "), "{head}");
}

#[tokio::test]
async fn a_machine_may_hold_several_connections() {
    let world = World::start().await;
    let node = Node::new("many");
    let connections = [
        node.connect(&world).await,
        node.connect(&world).await,
        node.connect(&world).await,
    ];
    for connection in connections {
        let answer = connection.ask(Method::GET, "/machine/whoami", "").await;
        assert_eq!(answer.status, StatusCode::OK);
        let key = node.machine.public().to_string();
        assert!(answer.text().contains(&key));
    }
}
