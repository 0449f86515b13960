//! What a client reports of itself decides whom it reaches, where rules ask for postures.

use std::time::Duration;

use http::StatusCode;
use tokio::time::timeout;
use wire::control::{Hostinfo, MapRequest, NetMap};

use super::{KeyTerms, Node, World, frames::Frames, node::Connection, world::Tenant};

const LATE: Duration = Duration::from_secs(10);
const LAW: &str = r#"{
    "postures": {"posture:current": ["node:os == 'linux'", "node:tsVersion >= '1.100'", "node:tsAutoUpdate"]},
    "acls": [{"action": "accept", "src": ["autogroup:member"], "dst": ["autogroup:member:22"], "srcPosture": ["posture:current"]}],
    "ssh": [{"action": "accept", "src": ["autogroup:member"], "dst": ["autogroup:self"], "users": ["root"], "srcPosture": ["posture:current"]}],
}"#;

async fn joined(world: &World, tenant: &Tenant, hostname: &str) -> (Node, Connection) {
    let node = Node::new(hostname);
    let (secret, _) = world.key(tenant, KeyTerms::default()).await;
    let connection = node.connect(world).await;
    let answer = connection.register(&node.with_key(&secret)).await;
    assert!(answer.machine_authorized, "{}", answer.error);
    (node, connection)
}

/// Tells the server of the client's version, and whether it updates itself.
async fn report(who: &(Node, Connection), version: &str, updates: bool) {
    let (node, connection) = who;
    let request = MapRequest {
        omit_peers: true,
        hostinfo: Some(Hostinfo {
            client_version: version.to_owned(),
            allows_update: updates,
            ..node.hostinfo()
        }),
        ..node.map_request()
    };
    let answer = connection.post("/machine/map", &request).await;
    assert_eq!(answer.status, StatusCode::OK);
}

/// Reads frames until what the node knows is as asked.
async fn until(frames: &mut Frames, knows: &mut NetMap, what: &str, is: impl Fn(&NetMap) -> bool) {
    let wait = async {
        while !is(knows) {
            let frame = frames.next().await.expect("the stream goes on");
            knows.apply(serde_json::from_slice(&frame).unwrap());
        }
    };
    let waited = timeout(LATE, wait).await;
    waited.unwrap_or_else(|_| panic!("{what} in time: {knows:?}"));
}

/// True when the node knows the peer as one that may come in and sign in.
fn lets_in(knows: &NetMap) -> bool {
    let peer = knows.peers.values().next();
    let carried = peer.map(|p| p.cap_map.keys().collect::<Vec<_>>());
    let carried = carried.unwrap_or_default();
    let rules = knows.packet_filters.values().flatten();
    let mut sources = rules.flat_map(|r| &r.src_ips);
    sources.any(|s| carried.iter().any(|cap| *s == format!("cap:{cap}")))
        && !knows.ssh_policy.rules.is_empty()
}

fn is_alone(knows: &NetMap) -> bool {
    knows.node.is_some() && knows.peers.is_empty() && knows.ssh_policy.rules.is_empty()
}

#[tokio::test]
async fn a_device_reaches_others_as_long_as_it_meets_the_posture() {
    let world = World::start().await;
    let tenant = world.tenant("acme").await;
    world.policy(&tenant, LAW).await;
    let ada = joined(&world, &tenant, "ada").await;
    let bob = joined(&world, &tenant, "bob").await;
    let request = MapRequest {
        stream: true,
        ..bob.0.map_request()
    };
    let (status, mut frames) = bob.1.map(&request).await;
    assert_eq!(status, StatusCode::OK);
    let mut knows = NetMap::default();
    until(&mut frames, &mut knows, "a netmap", is_alone).await;
    report(&ada, "1.102.5-t1a2b3c4d5-g6e7f8a9b0", true).await;
    until(&mut frames, &mut knows, "the peer", lets_in).await;
    report(&ada, "1.98.0", true).await;
    until(&mut frames, &mut knows, "its removal", is_alone).await;
    report(&ada, "1.102.5", false).await;
    report(&ada, "1.102.5", true).await;
    until(&mut frames, &mut knows, "its return", lets_in).await;
}
