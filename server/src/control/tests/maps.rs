//! Netmaps: streams, one answer, reports.

use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use tokio::time::{Instant, pause, resume, timeout};
use wire::{
    CapabilityVersion, DiscoKey,
    control::{Hostinfo, MapRequest, MapResponse, NetInfo, Node as WireNode},
    relay_map::RegionId,
};

use super::{KeyTerms, Node, World, frames::Frames, node::Connection, world::Tenant};
use crate::db::NodeOwner;

const LATE: Duration = Duration::from_secs(10);

struct Mesh {
    world: World,
    tenant: Tenant,
    ada: (Node, Connection),
    bob: (Node, Connection),
}

/// Two machines of one person.
async fn mesh() -> Mesh {
    let world = World::start().await;
    let tenant = world.tenant("acme").await;
    let (ada, bob) = (Node::new("ada"), Node::new("bob"));
    let ada = joined(&world, &tenant, ada).await;
    let bob = joined(&world, &tenant, bob).await;
    Mesh {
        world,
        tenant,
        ada,
        bob,
    }
}

async fn joined(world: &World, tenant: &Tenant, node: Node) -> (Node, Connection) {
    let (secret, _) = world.key(tenant, KeyTerms::default()).await;
    let connection = node.connect(world).await;
    let answer = connection.register(&node.with_key(&secret)).await;
    assert!(answer.machine_authorized, "{}", answer.error);
    (node, connection)
}

fn stream(node: &Node) -> MapRequest {
    MapRequest {
        stream: true,
        ..node.map_request()
    }
}

/// What a client reports of itself.
fn lite(node: &Node, mark: u8) -> MapRequest {
    MapRequest {
        omit_peers: true,
        disco_key: disco(mark),
        endpoints: vec![format!("192.0.2.{mark}:41641").parse().unwrap()],
        hostinfo: Some(Hostinfo {
            net_info: Some(NetInfo {
                preferred_relay: RegionId(900),
                ..NetInfo::default()
            }),
            ..node.hostinfo()
        }),
        ..node.map_request()
    }
}

fn disco(mark: u8) -> DiscoKey {
    DiscoKey::from_bytes([mark; 32])
}

fn read(payload: &Bytes) -> MapResponse {
    serde_json::from_slice(payload).unwrap()
}

async fn next(frames: &mut Frames) -> MapResponse {
    let frame = timeout(LATE, frames.next()).await.expect("a frame in time");
    read(&frame.expect("the stream goes on"))
}

/// The disco key of the peer `name` after a frame, if the frame tells it.
fn told_disco(frame: &MapResponse, name: &str, id: wire::NodeId) -> Option<DiscoKey> {
    let whole = frame.peers.iter().chain(&frame.peers_changed).flatten();
    let whole = whole
        .filter(|p: &&WireNode| p.name.starts_with(name))
        .map(|p| p.disco_key);
    let patches = frame.peers_changed_patch.iter().flatten();
    let patched = patches
        .filter(|p| p.node_id == id)
        .filter_map(|p| p.disco_key);
    whole.chain(patched).last()
}

/// Reads frames until one tells that `node` has the disco key `want`.
async fn until_disco(world: &World, frames: &mut Frames, node: &Node, want: DiscoKey) {
    let id = world.node(node.key()).await.unwrap().id;
    let wait = async {
        loop {
            let frame = read(&frames.next().await.expect("the stream goes on"));
            if told_disco(&frame, &node.hostname, id) == Some(want) {
                return;
            }
        }
    };
    timeout(LATE, wait).await.expect("the change in time");
}

async fn report(connection: &Connection, request: &MapRequest) {
    let answer = connection.post("/machine/map", request).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.body.is_empty());
}

#[tokio::test]
async fn the_first_frame_holds_the_node_its_peers_and_their_owners() {
    let m = mesh().await;
    let (status, mut frames) = m.ada.1.map(&stream(&m.ada.0)).await;
    assert_eq!(status, StatusCode::OK);
    let first = next(&mut frames).await;
    let own = first.node.expect("the node itself");
    assert_eq!(own.key, m.ada.0.key());
    assert!(own.machine_authorized && own.name.ends_with('.'));
    assert_eq!(own.addresses.len(), 2);
    assert!(first.debug.is_some_and(|d| d.disable_log_tail));
    assert!(first.packet_filters.is_some_and(|f| f.contains_key("base")));
    let profiles: Vec<_> = first.user_profiles.unwrap().iter().map(|p| p.id).collect();
    assert!(profiles.contains(&own.user));
    for peer in first.peers.unwrap_or_default() {
        assert!(profiles.contains(&peer.user));
    }
}

#[tokio::test]
async fn frames_are_compressed_exactly_when_asked() {
    let m = mesh().await;
    let once = |compress: &str| MapRequest {
        compress: compress.to_owned(),
        ..m.ada.0.map_request()
    };
    let (_, mut plain) = m.ada.1.map(&once("")).await;
    let plain = plain.next().await.unwrap();
    assert!(plain.starts_with(b"{"));
    assert!(!String::from_utf8_lossy(&plain).contains("null"));
    let (_, mut packed) = m.ada.1.map(&once("zstd")).await;
    let packed = packed.next().await.unwrap();
    let unpacked = zstd::bulk::decompress(&packed, 1 << 20).unwrap();
    let keys = [read(&plain), read(&unpacked.into())].map(|r| r.node.unwrap().key);
    assert_eq!(keys, [m.ada.0.key(); 2]);
    let (status, _) = m.ada.1.map(&once("gzip")).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_request_without_a_stream_is_answered_once() {
    let m = mesh().await;
    let (_, mut frames) = m.ada.1.map(&m.ada.0.map_request()).await;
    assert!(next(&mut frames).await.node.is_some());
    assert!(timeout(LATE, frames.next()).await.unwrap().is_none());
}

#[tokio::test]
async fn a_report_reaches_the_peers_and_disturbs_no_stream() {
    let m = mesh().await;
    let (_, mut ada) = m.ada.1.map(&stream(&m.ada.0)).await;
    let (_, mut bob) = m.bob.1.map(&stream(&m.bob.0)).await;
    assert!(next(&mut ada).await.node.is_some());
    assert!(next(&mut bob).await.node.is_some());
    report(&m.ada.1, &lite(&m.ada.0, 7)).await;
    until_disco(&m.world, &mut bob, &m.ada.0, disco(7)).await;
    // Also from another connection.
    let second = m.ada.0.connect(&m.world).await;
    report(&second, &lite(&m.ada.0, 8)).await;
    until_disco(&m.world, &mut bob, &m.ada.0, disco(8)).await;
    report(&m.bob.1, &lite(&m.bob.0, 9)).await;
    until_disco(&m.world, &mut ada, &m.bob.0, disco(9)).await;
}

#[tokio::test]
async fn the_newest_stream_of_a_node_wins() {
    let m = mesh().await;
    let (_, mut old) = m.ada.1.map(&stream(&m.ada.0)).await;
    next(&mut old).await;
    let second = m.ada.0.connect(&m.world).await;
    let (_, mut new) = second.map(&stream(&m.ada.0)).await;
    assert!(next(&mut new).await.node.is_some());
    let end = async { while old.next().await.is_some() {} };
    timeout(LATE, end).await.expect("the older stream ends");
    let (_, mut bob) = m.bob.1.map(&stream(&m.bob.0)).await;
    next(&mut bob).await;
    report(&m.bob.1, &lite(&m.bob.0, 9)).await;
    until_disco(&m.world, &mut new, &m.bob.0, disco(9)).await;
}

#[tokio::test]
async fn a_stream_request_reports_nothing_while_the_server_knows_better() {
    let m = mesh().await;
    let (_, mut bob) = m.bob.1.map(&stream(&m.bob.0)).await;
    next(&mut bob).await;
    report(&m.ada.1, &lite(&m.ada.0, 7)).await;
    until_disco(&m.world, &mut bob, &m.ada.0, disco(7)).await;
    let lies = MapRequest {
        stream: true,
        omit_peers: false,
        ..lite(&m.ada.0, 66)
    };
    let (_, mut ada) = m.ada.1.map(&lies).await;
    next(&mut ada).await;
    report(&m.ada.1, &lite(&m.ada.0, 8)).await;
    let id = m.world.node(m.ada.0.key()).await.unwrap().id;
    let wait = async {
        loop {
            let frame = read(&bob.next().await.unwrap());
            match told_disco(&frame, "ada", id) {
                Some(key) if key == disco(8) => return,
                Some(key) => assert_ne!(key, disco(66), "the stream request was believed"),
                None => {}
            }
        }
    };
    timeout(LATE, wait).await.expect("the later report");
}

#[tokio::test]
async fn a_stream_request_is_believed_where_the_server_knows_nothing() {
    let m = mesh().await;
    let first = MapRequest {
        stream: true,
        omit_peers: false,
        ..lite(&m.ada.0, 7)
    };
    let (_, mut ada) = m.ada.1.map(&first).await;
    next(&mut ada).await;
    let (_, mut bob) = m.bob.1.map(&stream(&m.bob.0)).await;
    until_disco(&m.world, &mut bob, &m.ada.0, disco(7)).await;
    let (_, mut once) = m.bob.1.map(&m.bob.0.map_request()).await;
    let peers = next(&mut once).await.peers;
    let peer = peers.unwrap().pop().expect("ada is visible");
    assert_eq!(peer.home_relay, RegionId(900));
    assert_eq!(peer.endpoints, lite(&m.ada.0, 7).endpoints);
}

#[tokio::test]
async fn a_wish_for_tags_is_granted_by_the_policy_or_ends_the_key() {
    let m = mesh().await;
    let law = r#"{"acls": [], "tagOwners": {"tag:ci": ["autogroup:member"]}}"#;
    m.world.policy(&m.tenant, law).await;
    let mut ada = m.ada.0.clone();
    ada.tags = vec!["tag:ci".into()];
    report(&m.ada.1, &lite(&ada, 7)).await;
    let stored = m.world.node(ada.key()).await.unwrap();
    assert_eq!(
        stored.owner,
        NodeOwner::Tags(vec!["tag:ci".parse().unwrap()])
    );
    assert_eq!(stored.key_expiry, None);
    let mut bob = m.bob.0.clone();
    bob.tags = vec!["tag:prod".into()];
    report(&m.bob.1, &lite(&bob, 7)).await;
    let stored = m.world.node(bob.key()).await.unwrap();
    assert_eq!(stored.owner, NodeOwner::User(m.tenant.user));
    assert_eq!(stored.key_expiry, Some(m.world.app.clock.now()));
    assert!(m.bob.1.register(&bob.request()).await.node_key_expired);
    let audit: Vec<_> = m.world.audit(&m.tenant).await;
    let events: Vec<_> = audit.iter().map(|r| r.event.as_str()).collect();
    assert!(
        events.ends_with(&["node.tagged", "node.expired"]),
        "{events:?}"
    );
}

#[tokio::test]
async fn a_node_that_is_gone_is_told_that_its_key_has_ended() {
    let m = mesh().await;
    let (_, mut frames) = m.ada.1.map(&stream(&m.ada.0)).await;
    assert!(next(&mut frames).await.node.is_some());
    let (stored, by) = (m.world.node(m.ada.0.key()).await.unwrap(), m.tenant.owner());
    crate::act::node::remove(&m.world.app, &by, m.tenant.id, stored.id)
        .await
        .unwrap();
    let end = async { while frames.next().await.is_some() {} };
    timeout(LATE, end).await.expect("the stream ends");
    // The same answer as to one who names a key that never was, or is another's.
    let thief = Node {
        machine: m.ada.0.machine.clone(),
        ..m.bob.0.clone()
    };
    for node in [m.ada.0.clone(), m.ada.0.renewed(), thief] {
        let (status, mut frames) = m.ada.1.map(&stream(&node)).await;
        assert_eq!(status, StatusCode::OK);
        let said = next(&mut frames).await;
        let own = said.node.expect("the node itself");
        assert_eq!((own.key, own.machine), (node.key(), node.machine.public()));
        assert!(own.expired && own.key_expiry < Some(m.world.app.clock.now()));
        assert!(own.addresses.is_empty());
        assert_eq!(
            (said.peers, said.relay_map, said.domain),
            (None, None, None)
        );
        let waits = timeout(Duration::from_millis(200), frames.next()).await;
        assert!(waits.is_err(), "the stream stays open and silent");
    }
}

#[tokio::test]
async fn a_new_client_version_is_noted_from_the_stream() {
    let mut m = mesh().await;
    m.ada.0.version = CapabilityVersion(145);
    let (_, mut frames) = m.ada.1.map(&stream(&m.ada.0)).await;
    next(&mut frames).await;
    let stored = m.world.node(m.ada.0.key()).await.unwrap();
    assert_eq!(stored.capability, CapabilityVersion(145));
}

#[tokio::test]
async fn silence_is_broken_before_clients_give_up() {
    let m = mesh().await;
    let (connection, _ended) = m.ada.0.connect_in_memory(&m.world).await;
    let (_, mut frames) = connection.map(&stream(&m.ada.0)).await;
    next(&mut frames).await;
    pause();
    for _ in 0..3 {
        let start = Instant::now();
        let frame = timeout(Duration::from_mins(3), frames.next()).await;
        let frame = read(&frame.expect("a sign of life").unwrap());
        assert!(frame.keep_alive);
        let took = start.elapsed();
        assert!((50..=61).contains(&took.as_secs()), "{took:?}");
    }
}

#[tokio::test]
async fn a_reader_that_takes_nothing_is_dropped_after_half_a_minute() {
    let m = mesh().await;
    for asks in [stream(&m.ada.0), m.ada.0.map_request()] {
        let (connection, ended) = m.ada.0.connect_in_memory(&m.world).await;
        // The first frame is larger than what this client lets in unread.
        let (status, _unread) = connection.map(&asks).await;
        assert_eq!(status, StatusCode::OK);
        pause();
        let start = Instant::now();
        let end = timeout(Duration::from_mins(10), ended).await;
        end.expect("it is closed").unwrap();
        let took = start.elapsed();
        assert!((29..34).contains(&took.as_secs()), "{took:?}");
        resume();
    }
}
