//! The relay over real sockets.

mod client;

use std::time::Duration;

use client::{Client, Server, key, secret, tenant};
use link::relay::{Event, frame::GoneReason};

#[tokio::test]
async fn two_nodes_of_a_tenant_exchange_packets() {
    let server = Server::start().await;
    let (mut ada, mut bob) = (server.join(1, 1).await, server.join(1, 2).await);
    ada.send(&key(2), b"hello").await;
    assert_eq!(bob.packet().await, (key(1), b"hello".to_vec()));
    bob.send(&key(1), b"there").await;
    assert_eq!(ada.packet().await, (key(2), b"there".to_vec()));
    assert_eq!(server.relay.sessions(), 2);
}

#[tokio::test]
async fn large_transfers_arrive_in_order() {
    let server = Server::start().await;
    let (mut ada, mut bob) = (server.join(1, 1).await, server.join(1, 2).await);
    for round in 0..200_u32 {
        for n in 0..20_u32 {
            let mut packet = (round * 20 + n).to_be_bytes().to_vec();
            packet.resize(1300, 9);
            ada.queue(&key(2), &packet);
        }
        ada.flush().await;
        for n in 0..20_u32 {
            let (_, packet) = bob.packet().await;
            assert_eq!(packet[..4], (round * 20 + n).to_be_bytes());
        }
    }
}

#[tokio::test]
async fn nothing_crosses_between_tenants() {
    let server = Server::start().await;
    let (mut ada, mut eve) = (server.join(1, 1).await, server.join(2, 2).await);
    let mut bob = server.join(1, 3).await;
    ada.send(&key(2), b"into the other tenant").await;
    eve.send(&key(1), b"into the other tenant").await;
    ada.send(&key(3), b"marker").await;
    assert_eq!(bob.packet().await.1, b"marker");
    // What crossed would have been queued before the answer to this ping.
    for node in [&mut ada, &mut eve] {
        node.ping().await;
        assert_eq!(node.event().await, Some(Event::Pong([7; 8])));
    }
}

#[tokio::test]
async fn an_unknown_key_is_refused() {
    let server = Server::start().await;
    let mut stranger = Client::connect(server.address, secret(9)).await;
    assert_eq!(stranger.event().await, None);
    assert_eq!(server.relay.sessions(), 0);
}

#[tokio::test]
async fn a_revoked_key_loses_its_session() {
    let server = Server::start().await;
    let (mut ada, mut bob) = (server.join(1, 1).await, server.join(1, 2).await);
    bob.send(&key(1), b"x").await;
    ada.packet().await;
    server.admission.replace(tenant(1), [key(1)]);
    let end = tokio::time::timeout(Duration::from_secs(2), bob.event()).await;
    assert_eq!(end.expect("within two seconds"), None);
    assert_eq!(
        ada.event().await,
        Some(Event::PeerGone {
            peer: key(2),
            reason: GoneReason::Disconnected
        })
    );
    let mut again = Client::connect(server.address, secret(2)).await;
    assert_eq!(again.event().await, None);
}

#[tokio::test]
async fn only_discovery_learns_that_a_peer_is_not_here_and_not_often() {
    let server = Server::start().await;
    let mut ada = server.join(1, 1).await;
    let mut disco = wire::disco::MAGIC.to_vec();
    disco.resize(100, 1);
    ada.send(&key(5), b"data").await;
    for _ in 0..10 {
        ada.queue(&key(5), &disco);
    }
    ada.ping().await;
    let mut gone = 0;
    while let Some(event) = ada.event().await {
        if event == Event::Pong([7; 8]) {
            break;
        }
        let not_here = Event::PeerGone {
            peer: key(5),
            reason: GoneReason::NotHere,
        };
        assert_eq!(event, not_here);
        gone += 1;
    }
    assert!((1..=4).contains(&gone), "{gone}");
}

#[tokio::test]
async fn the_connection_that_sent_last_receives() {
    let server = Server::start().await;
    let mut ada = server.join(1, 1).await;
    let (mut old, mut new) = (server.join(1, 2).await, server.join(1, 2).await);
    new.send(&key(1), b"new").await;
    ada.packet().await;
    ada.send(&key(2), b"to new").await;
    assert_eq!(new.packet().await.1, b"to new");
    old.send(&key(1), b"old").await;
    ada.packet().await;
    ada.send(&key(2), b"to old").await;
    assert_eq!(old.packet().await.1, b"to old");
}

#[tokio::test]
async fn a_browsers_websocket_carries_the_same_frames() {
    let server = Server::start().await;
    let mut ada = server.join(1, 1).await;
    server.admission.admit(tenant(1), key(2));
    let mut bob = Client::connect_websocket(server.address, secret(2)).await;
    assert_eq!(bob.event().await, Some(Event::Ready));
    ada.send(&key(2), b"hello").await;
    assert_eq!(bob.packet().await, (key(1), b"hello".to_vec()));
    bob.send(&key(1), b"there").await;
    assert_eq!(ada.packet().await.1, b"there");
}

#[tokio::test]
async fn stopping_ends_every_session() {
    let server = Server::start().await;
    let mut ada = server.join(1, 1).await;
    server.relay.stop().await;
    assert_eq!(ada.event().await, None);
    assert_eq!(server.relay.sessions(), 0);
}

#[tokio::test]
async fn the_side_endpoints_answer() {
    let server = Server::start().await;
    let get = async |path: &str, headers: &str| server.get(path, headers).await;

    assert!(get("/derp", "").await.starts_with("HTTP/1.1 426 "));
    let fast = get(
        "/derp",
        "Upgrade: DERP\r\nConnection: Upgrade\r\nDerp-Fast-Start: 1\r\n",
    )
    .await;
    assert!(fast.starts_with("HTTP/1.1 400 "));
    for path in ["/derp/probe", "/derp/latency-check"] {
        let answer = get(path, "").await;
        assert!(answer.starts_with("HTTP/1.1 200 "));
        assert!(answer.contains("access-control-allow-origin: *"));
    }
    let echo = get("/generate_204", "X-Tailscale-Challenge: ts_abc.example\r\n").await;
    assert!(echo.starts_with("HTTP/1.1 204 "));
    assert!(echo.contains("x-tailscale-response: response ts_abc.example"));
    let hostile = get("/generate_204", "X-Tailscale-Challenge: <script>\r\n").await;
    assert!(hostile.starts_with("HTTP/1.1 204 ") && !hostile.contains("script"));
    assert!(
        get("/bootstrap-dns", "")
            .await
            .ends_with(r#"{"warren.test":["192.0.2.1"]}"#)
    );
}
