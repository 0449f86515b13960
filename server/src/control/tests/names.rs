//! What nodes are called: as their machines ask, until an administrator says otherwise.

use std::time::Duration;

use http::StatusCode;
use tokio::time::{advance, pause, resume, timeout};
use wire::control::{MapRequest, MapResponse};

use super::{KeyTerms, Node, World, frames::Frames, node::Connection, world::Tenant};

const LATE: Duration = Duration::from_secs(10);

async fn joined(world: &World, tenant: &Tenant, hostname: &str) -> (Node, Connection) {
    let node = Node::new(hostname);
    let (secret, _) = world.key(tenant, KeyTerms::default()).await;
    let connection = node.connect(world).await;
    let answer = connection.register(&node.with_key(&secret)).await;
    assert!(answer.machine_authorized, "{}", answer.error);
    (node, connection)
}

/// What `tailscale set --hostname` makes a client send.
async fn asks_for(node: &(Node, Connection), hostname: &str) {
    let mut renamed = node.0.clone();
    renamed.hostname = hostname.to_owned();
    let report = MapRequest {
        omit_peers: true,
        ..renamed.map_request()
    };
    let answer = node.1.post("/machine/map", &report).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
}

async fn name(world: &World, node: &(Node, Connection)) -> String {
    let stored = world.node(node.0.key()).await.unwrap();
    stored.name.to_string()
}

/// Reads frames until one tells a peer of this name.
async fn until_named(frames: &mut Frames, name: &str) {
    let wanted = format!("{name}.");
    let wait = async {
        loop {
            let frame = frames.next().await.expect("the stream goes on");
            let frame: MapResponse = serde_json::from_slice(&frame).unwrap();
            let mut told = frame.peers.iter().chain(&frame.peers_changed).flatten();
            if told.any(|peer| peer.name.starts_with(&wanted)) {
                return;
            }
        }
    };
    let told = timeout(LATE, wait).await;
    told.unwrap_or_else(|_| panic!("nobody told of {name}"));
}

#[tokio::test]
async fn a_node_is_called_what_its_machine_asks_for_later() {
    let world = World::start().await;
    let tenant = world.tenant("acme").await;
    let ada = joined(&world, &tenant, "ada").await;
    let bob = joined(&world, &tenant, "bob").await;
    let stream = MapRequest {
        stream: true,
        ..bob.0.map_request()
    };
    let (_, mut peers) = bob.1.map(&stream).await;
    until_named(&mut peers, "ada").await;
    asks_for(&ada, "Kitchen PC").await;
    until_named(&mut peers, "kitchen-pc").await;
    assert_eq!(name(&world, &ada).await, "kitchen-pc");
    // A name that another node has gets a number, and keeps it while it is asked for.
    asks_for(&ada, "bob").await;
    until_named(&mut peers, "bob-1").await;
    asks_for(&ada, "bob").await;
    assert_eq!(name(&world, &ada).await, "bob-1");
    assert_eq!(name(&world, &bob).await, "bob");
    asks_for(&ada, "ada").await;
    until_named(&mut peers, "ada").await;
    let audit = world.audit(&tenant).await;
    let renamed: Vec<_> = audit
        .iter()
        .filter(|r| r.event == "node.renamed")
        .map(|r| r.target.as_str())
        .collect();
    assert_eq!(renamed, ["kitchen-pc", "bob-1", "ada"]);
}

#[tokio::test]
async fn a_name_that_an_administrator_gave_stays() {
    let world = World::start().await;
    let tenant = world.tenant("acme").await;
    let ada = joined(&world, &tenant, "ada").await;
    let id = world.node(ada.0.key()).await.unwrap().id;
    let to = "gateway".parse().unwrap();
    crate::act::node::rename(&world.app, &tenant.owner(), tenant.id, id, to)
        .await
        .unwrap();
    for asked in ["ada", "other", ""] {
        asks_for(&ada, asked).await;
        assert_eq!(name(&world, &ada).await, "gateway");
    }
}

#[tokio::test]
async fn a_machine_that_asks_for_names_without_end_is_not_followed() {
    let world = World::start().await;
    let tenant = world.tenant("acme").await;
    let ada = joined(&world, &tenant, "ada").await;
    for number in 1..=20 {
        asks_for(&ada, &format!("ada{number}")).await;
    }
    assert_eq!(name(&world, &ada).await, "ada10");
    pause();
    advance(Duration::from_mins(1)).await;
    resume();
    asks_for(&ada, "at-last").await;
    assert_eq!(name(&world, &ada).await, "at-last");
}
